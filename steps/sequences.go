package steps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"pgregory.net/rapid"

	"agstest/ags"
	"agstest/internal/check"
)

// action is one step of a random sequence.
type action struct {
	name   string
	client int // which of the clients, counted from 0, modulo how many there are
}

// actions that sequences consist of. Those of the operator and of time need the control interface of a mock.
var (
	clientActions   = []string{"sign on for the first time", "sign on", "sign on", "refresh", "refresh", "refresh", "sign out"}
	operatorActions = []string{"suspend", "cancel", "reactivate", "reactivate", "disable", "enable", "delete", "an hour passes", "the refresh token expires", "the session ends"}
)

const longestSequence = 12

// modelled is what the reference model knows of one client.
type modelled struct {
	client    *client
	state     string // enabled, disabled, deleted
	signedOut bool   // since the last sign-on; what tokens are good for then is not documented
}

// model is the small reference model: what is known of an account, and so what may be answered.
type model struct {
	standing string
	clients  []*modelled
}

// divergence is an answer that the model does not allow.
type divergence struct {
	requirement string
	expected    string
	got         string
}

// walk tries random sequences, each with an account of its own. The first that diverges is shortened and shown.
func (w *world) walk(ctx context.Context) error {
	names := clientActions
	if w.run.control != nil {
		names = append(append([]string{}, clientActions...), operatorActions...)
	}
	generator := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) action {
		return action{rapid.SampledFrom(names).Draw(t, "action"), rapid.IntRange(0, 2).Draw(t, "client")}
	}), 3, longestSequence)
	for i := range w.run.options.Sequences {
		sequence := generator.Example(int(w.random.Uint32()))
		found, walked, err := w.follow(ctx, sequence)
		if err != nil {
			return err
		}
		if found == nil {
			continue
		}
		budget := longestShrinking
		for improved := true; improved && budget > 0; {
			improved = false
			for j := range sequence {
				if budget--; budget < 0 {
					break
				}
				candidate := append(append([]action{}, sequence[:j]...), sequence[j+1:]...)
				again, path, err := w.follow(ctx, candidate)
				if err != nil {
					return err
				}
				if again != nil && again.requirement == found.requirement {
					sequence, found, walked, improved = candidate, again, path, true
					break
				}
			}
		}
		var words []string
		for _, a := range sequence {
			words = append(words, a.String())
		}
		w.exchanges = append(w.exchanges, walked.exchanges...)
		text := fmt.Sprintf("%s after: %s (sequence %d of seed %d)", found.got, strings.Join(words, ", "), i+1, w.run.options.Seed)
		w.explored = &missed{expected: found.expected, got: text, about: found.requirement}
		return nil
	}
	return nil
}

func (a action) String() string {
	switch a.name {
	case "sign on for the first time", "suspend", "cancel", "reactivate", "an hour passes", "the refresh token expires", "the session ends":
		return a.name
	}
	return fmt.Sprintf("%s client %d", a.name, a.client+1)
}

// follow walks one sequence in a world of its own and stops at the first divergence.
func (w *world) follow(ctx context.Context, sequence []action) (*divergence, *world, error) {
	own := newWorld(w.run, w.scenario)
	own.random = w.random
	if err := own.useAccount(ctx, "active", 40); err != nil {
		return nil, own, err
	}
	m := &model{standing: "ACTIVE"}
	if own.live() && w.run.environment.Allow.FirstTime {
		situation := own.client
		var lack *notTestable
		switch err := own.useOwnDevice(ctx); { // what is signed out may lose its device
		case errors.As(err, &lack) && situation != nil:
			own.clients, own.client = []*client{situation}, situation
		case err != nil:
			return nil, own, err
		}
	}
	if own.client != nil { // a live service
		m.clients = append(m.clients, &modelled{client: own.client, state: "enabled"})
	} else {
		if err := own.makeClient(ctx); err != nil {
			return nil, own, err
		}
		m.clients = append(m.clients, &modelled{client: own.client, state: "enabled"})
	}
	for _, a := range sequence {
		before := len(own.exchanges)
		d, err := own.take(ctx, m, a)
		if err != nil {
			var lack *notTestable
			if errors.As(err, &lack) {
				continue // such as a first-time sign-on that the environment does not allow
			}
			return nil, own, err
		}
		if d == nil {
			d = own.firstBroken(before)
		}
		if d != nil {
			return d, own, nil
		}
	}
	return nil, own, nil
}

// firstBroken takes what the judge found wrong since an exchange.
func (w *world) firstBroken(since int) *divergence {
	for _, f := range w.findings {
		if f.exchange >= since && f.outcome == check.Broken && catalogue[f.requirement].Gating() == ags.Gates {
			return &divergence{f.requirement, f.expected, f.got}
		}
	}
	return nil
}

// take does one action and holds the answer against the model.
func (w *world) take(ctx context.Context, m *model, a action) (*divergence, error) {
	c := m.clients[a.client%len(m.clients)]
	w.client = c.client
	switch a.name {
	case "sign on for the first time":
		return w.takeFirstSignOn(ctx, m)
	case "sign on":
		return w.takeSignOn(ctx, m, c)
	case "refresh":
		return w.takeRefresh(ctx, m, c)
	case "sign out":
		return w.takeSignOut(ctx, m, c)
	case "suspend", "cancel", "reactivate":
		m.standing = map[string]string{"suspend": "SUSPENDED", "cancel": "CANCELLED", "reactivate": "ACTIVE"}[a.name]
		return nil, w.setStanding(ctx, m.standing)
	case "disable", "enable", "delete":
		if c.state == "deleted" {
			return nil, nil
		}
		c.state = a.name + "d"
		if a.name == "delete" {
			c.state = "deleted"
		}
		return nil, w.setDeviceState(ctx, c.state)
	case "an hour passes":
		return nil, w.moveClock(ctx, time.Hour)
	}
	if c.client.pair == nil {
		return nil, nil
	}
	end := c.client.pair.Refresh.Exp
	if a.name == "the session ends" {
		end = c.client.pair.Refresh.FixedExp
	}
	if by := time.Unix(end, 0).Add(w.clearOfExpiry()).Sub(time.Now().Add(w.ahead)); end > 0 && by > 0 {
		return nil, w.moveClock(ctx, by.Round(time.Second))
	}
	return nil, nil
}

// refusal says which requirement wants a call refused, and empty if it is to be granted.
func (m *model) refusal(c *modelled, suspended, cancelled, disabled, deleted string) string {
	switch {
	case m.standing == "SUSPENDED":
		return suspended
	case m.standing == "CANCELLED":
		return cancelled
	case c != nil && c.state == "disabled":
		return disabled
	case c != nil && c.state == "deleted":
		return deleted
	}
	return ""
}

func (w *world) takeFirstSignOn(ctx context.Context, m *model) (*divergence, error) {
	if w.live() {
		return nil, lacking("", "random sequences make no devices on a live service")
	}
	r, err := w.firstTimeRequest(ctx, ags.SignOnWithSessionToken, w.device())
	if err != nil {
		return nil, err
	}
	x, err := w.send(ctx, r, false)
	if err != nil {
		return nil, err
	}
	if id := m.refusal(nil, "DEV-08", "DEV-09", "", ""); id != "" {
		return w.mustRefuse(x, id), nil
	}
	c := &client{class: classOf([]byte(w.device()))}
	if d := w.mustGrant(x, http.StatusCreated, "SOST-02", c); d != nil {
		return d, nil
	}
	for _, other := range m.clients {
		if other.client.id == c.id {
			return &divergence{"DEV-01", "a new client_id", fmt.Sprintf("%q again", c.id)}, nil
		}
	}
	w.add(c)
	m.clients = append(m.clients, &modelled{client: c, state: "enabled"})
	return nil, nil
}

func (w *world) takeSignOn(ctx context.Context, m *model, c *modelled) (*divergence, error) {
	r, err := w.signOnWithSessionToken(ctx)
	if err != nil {
		return nil, err
	}
	r.set("clientId", rawJSON(c.client.id))
	x, err := w.send(ctx, r, false)
	if err != nil {
		return nil, err
	}
	if err := w.cautious(x, false); err != nil {
		return nil, err
	}
	if id := m.refusal(c, "DEV-08", "DEV-09", "DEV-06", "DEV-07"); id != "" {
		return w.mustRefuse(x, id), nil
	}
	granted := "SOST-01"
	if c.signedOut {
		granted = "OUT-06" // that the device outlives signOut
	}
	if d := w.mustGrant(x, http.StatusCreated, granted, c.client); d != nil {
		return d, nil
	}
	c.signedOut = false
	return nil, nil
}

func (w *world) takeRefresh(ctx context.Context, m *model, c *modelled) (*divergence, error) {
	p := c.client.pair
	if p == nil {
		return nil, nil
	}
	x, err := w.send(ctx, w.refreshRequest(), false)
	if err != nil {
		return nil, err
	}
	now := time.Now().Add(w.ahead).Unix()
	margin := int64(w.run.environment.ClockSkew/time.Second) + 5 // seconds around an expiry in which either answer is right
	switch id := m.refusal(c, "REF-13", "REF-13", "REF-14", "REF-14"); {
	case id != "":
		return w.mustRefuse(x, id), nil
	case p.Refresh.FixedExp > 0 && now > p.Refresh.FixedExp+margin:
		return w.mustRefuse(x, "REF-08"), nil
	case p.Refresh.Exp > 0 && now > p.Refresh.Exp+margin:
		return w.mustRefuse(x, "REF-07"), nil
	case c.signedOut, p.Refresh.Exp > 0 && now > p.Refresh.Exp-margin:
		if effectiveStatus(x)/100 == 2 {
			_ = w.adopt(x, c.client) // either answer is right
		}
		return nil, nil
	}
	return w.mustGrant(x, http.StatusOK, "REF-18", c.client), nil
}

func (w *world) takeSignOut(ctx context.Context, m *model, c *modelled) (*divergence, error) {
	p := c.client.pair
	if p == nil {
		return nil, nil
	}
	if err := w.maySignOut(); err != nil {
		return nil, err
	}
	r := w.prepare(ags.SignOut)
	w.authorize(r, p.AccessToken)
	r.set("parameters", rawJSON(w.hints()))
	x, err := w.send(ctx, r, false)
	if err != nil {
		return nil, err
	}
	usable := m.refusal(c, "-", "-", "-", "-") == "" && !c.signedOut && time.Now().Add(w.ahead).Unix() < p.Access.Exp-int64(w.run.environment.ClockSkew/time.Second)-5
	c.signedOut = true
	if usable && effectiveStatus(x) != http.StatusOK {
		return &divergence{"OUT-01", "status 200 to signOut", w.describe(x)}, nil
	}
	return nil, nil
}

func (w *world) mustRefuse(x *exchange, requirement string) *divergence {
	w.refusalWasWanted(x)
	if effectiveStatus(x)/100 != 4 || hasTokens(x) {
		return &divergence{requirement, "a refusal of " + x.request.operation, w.describe(x)}
	}
	return nil
}

func (w *world) mustGrant(x *exchange, status int, requirement string, c *client) *divergence {
	if effectiveStatus(x) != status {
		return &divergence{requirement, fmt.Sprintf("status %d to %s", status, x.request.operation), w.describe(x)}
	}
	if err := w.adopt(x, c); err != nil {
		return &divergence{requirement, "tokens from " + x.request.operation, w.describe(x)}
	}
	return nil
}
