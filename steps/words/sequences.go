package words

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
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// action is one step of a random sequence.
type action struct {
	name   string
	client int // which of the clients, counted from 0, modulo how many there are
}

// actions that sequences consist of. Those of the operator and of time need the control interface of a mock.
var (
	clientActions = []string{"sign on for the first time", "sign on", "sign on", "refresh", "refresh", "refresh",
		"sign out"}
	operatorActions = []string{"suspend", "cancel", "reactivate", "reactivate", "disable", "enable", "delete",
		"an hour passes", "the refresh token expires", "the session ends"}
)

const longestSequence = 12

// walksAgain is how often a sequence is begun again that something passing, such as a 503 whose call may have been
// carried out, kept from telling.
const walksAgain = 2

// modelled is the reference model's knowledge of one client.
type modelled struct {
	client     *talk.Client
	state      string // enabled, disabled, deleted
	signedOut  bool   // since the last sign-on; what tokens are good for then is not documented
	superseded bool   // another client of the account has signed on since
}

// model is the small reference model: the known state of an account, and so the answers that it allows.
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
func walk(ctx context.Context, w *scene.World) error {
	names := clientActions
	if w.Stage.Control != nil {
		names = append(append([]string{}, clientActions...), operatorActions...)
	}
	generator := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) action {
		return action{rapid.SampledFrom(names).Draw(t, "action"), rapid.IntRange(0, 2).Draw(t, "client")}
	}), 3, longestSequence)
	w.Explored = nil
	for i := range w.Stage.Options.Sequences {
		sequence := generator.Example(int(w.Random.Uint32()))
		found, walked, err := follow(ctx, w, sequence)
		for again := 0; again < walksAgain && scene.Passes(err); again++ {
			found, walked, err = follow(ctx, w, sequence)
		}
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
				again, path, err := follow(ctx, w, candidate)
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
		w.Exchanges = append(w.Exchanges, walked.Exchanges...)
		text := fmt.Sprintf("%s after: %s (sequence %d of seed %d)", found.got, strings.Join(words, ", "), i+1,
			w.Stage.Options.Seed)
		w.Explored = &talk.Missed{Expected: found.expected, Got: text, About: found.requirement}
		return nil
	}
	return nil
}

func (a action) String() string {
	switch a.name {
	case "sign on for the first time", "suspend", "cancel", "reactivate", "an hour passes", "the refresh token expires",
		"the session ends":
		return a.name
	}
	return fmt.Sprintf("%s client %d", a.name, a.client+1)
}

// follow walks one sequence in a world of its own and stops at the first divergence.
func follow(ctx context.Context, w *scene.World, sequence []action) (*divergence, *scene.World, error) {
	own := scene.New(w.Stage, w.Scenario)
	own.Random = w.Random
	if err := own.UseAccount(ctx, "active", manyClients); err != nil {
		return nil, own, err
	}
	m := &model{standing: "ACTIVE"}
	if own.Live() && w.Stage.Environment.Allow.FirstTime {
		situation := own.Client
		var lack *talk.NotTestable
		switch err := own.UseOwnDevice(ctx); { // a signed-out device may be lost
		case errors.As(err, &lack) && situation != nil:
			own.Clients, own.Client = []*talk.Client{situation}, situation
		case err != nil:
			return nil, own, err
		}
	}
	if own.Client != nil { // a live service
		m.clients = append(m.clients, &modelled{client: own.Client, state: "enabled"})
	} else {
		if err := own.MakeClient(ctx); err != nil {
			return nil, own, err
		}
		m.clients = append(m.clients, &modelled{client: own.Client, state: "enabled"})
	}
	for _, a := range sequence {
		before := len(own.Exchanges)
		d, err := take(ctx, own, m, a)
		if err != nil {
			var lack *talk.NotTestable
			if errors.As(err, &lack) {
				continue // such as a first-time sign-on that the environment does not allow
			}
			return nil, own, err
		}
		if d == nil {
			d = firstBroken(own, before)
		}
		if d != nil {
			return d, own, nil
		}
	}
	return nil, own, nil
}

// firstBroken returns the first fault that the judge found since an exchange.
func firstBroken(w *scene.World, since int) *divergence {
	for _, f := range w.Findings {
		if f.Exchange >= since && f.Outcome == check.Broken && gates(f.Requirement) {
			return &divergence{f.Requirement, f.Expected, f.Got}
		}
	}
	return nil
}

// take does one action and holds the answer against the model.
func take(ctx context.Context, w *scene.World, m *model, a action) (*divergence, error) {
	c := m.clients[a.client%len(m.clients)]
	w.Client = c.client
	switch a.name {
	case "sign on for the first time":
		return takeFirstSignOn(ctx, w, m)
	case "sign on":
		return takeSignOn(ctx, w, m, c)
	case "refresh":
		return takeRefresh(ctx, w, m, c)
	case "sign out":
		return takeSignOut(ctx, w, m, c)
	case "suspend", "cancel", "reactivate":
		m.standing = map[string]string{"suspend": "SUSPENDED", "cancel": "CANCELLED", "reactivate": "ACTIVE"}[a.name]
		return nil, w.SetStanding(ctx, m.standing)
	case "disable", "enable", "delete":
		if c.state == "deleted" {
			return nil, nil
		}
		c.state = a.name + "d"
		if a.name == "delete" {
			c.state = "deleted"
		}
		return nil, w.SetDeviceState(ctx, c.state)
	case "an hour passes":
		return nil, w.MoveClock(ctx, time.Hour)
	}
	if c.client.Pair == nil {
		return nil, nil
	}
	end := c.client.Pair.Refresh.Exp
	if a.name == "the session ends" {
		end = c.client.Pair.Refresh.FixedExp
	}
	if by := time.Unix(end, 0).Add(w.ClearOfExpiry()).Sub(time.Now().Add(w.Ahead)); end > 0 && by > 0 {
		return nil, w.MoveClock(ctx, by.Round(time.Second))
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

func takeFirstSignOn(ctx context.Context, w *scene.World, m *model) (*divergence, error) {
	if w.Live() {
		return nil, talk.Lacking("", "random sequences make no devices on a live service")
	}
	r, err := w.FirstTimeRequest(ctx, ags.SignOnWithSessionToken, w.Device())
	if err != nil {
		return nil, err
	}
	x, err := w.Send(ctx, r, false)
	if err != nil {
		return nil, err
	}
	if id := m.refusal(nil, "DEV-08", "DEV-09", "", ""); id != "" {
		return mustRefuse(w, x, id), nil
	}
	c := &talk.Client{Class: scene.ClassOf([]byte(w.Device()))}
	if d := mustGrant(w, x, http.StatusCreated, "SOST-02", c); d != nil {
		return d, nil
	}
	for _, other := range m.clients {
		if other.client.ID == c.ID {
			return &divergence{"DEV-01", "a new client_id", fmt.Sprintf("%q again", c.ID)}, nil
		}
	}
	w.Add(c)
	made := &modelled{client: c, state: "enabled"}
	m.clients = append(m.clients, made)
	m.signedOn(made)
	return nil, nil
}

func takeSignOn(ctx context.Context, w *scene.World, m *model, c *modelled) (*divergence, error) {
	r, err := w.SignOnWithSessionToken(ctx)
	if err != nil {
		return nil, err
	}
	r.Set("clientId", talk.JSON(c.client.ID))
	x, err := w.Send(ctx, r, false)
	if err != nil {
		return nil, err
	}
	if err := w.Cautious(x, false); err != nil {
		return nil, err
	}
	if id := m.refusal(c, "DEV-08", "DEV-09", "DEV-06", "DEV-07"); id != "" {
		return mustRefuse(w, x, id), nil
	}
	granted := "SOST-01"
	if c.signedOut {
		granted = "OUT-06" // that the device outlives signOut
	}
	if d := mustGrant(w, x, http.StatusCreated, granted, c.client); d != nil {
		return d, nil
	}
	c.signedOut = false
	m.signedOn(c)
	return nil, nil
}

func takeRefresh(ctx context.Context, w *scene.World, m *model, c *modelled) (*divergence, error) {
	p := c.client.Pair
	if p == nil {
		return nil, nil
	}
	x, err := w.Send(ctx, w.RefreshRequest(), false)
	if err != nil {
		return nil, err
	}
	now := time.Now().Add(w.Ahead).Unix()
	// seconds around an expiry in which either answer is right
	margin := int64(w.Stage.Environment.ClockSkew/time.Second) + 5
	switch id := m.refusal(c, "REF-13", "REF-13", "REF-14", "REF-14"); {
	case id != "":
		return mustRefuse(w, x, id), nil
	case p.Refresh.FixedExp > 0 && now > p.Refresh.FixedExp+margin:
		return mustRefuse(w, x, "REF-08"), nil
	case p.Refresh.Exp > 0 && now > p.Refresh.Exp+margin:
		return mustRefuse(w, x, "REF-07"), nil
	case c.signedOut, p.Refresh.Exp > 0 && now > p.Refresh.Exp-margin:
		if scene.EffectiveStatus(x)/100 == 2 {
			_ = w.Adopt(x, c.client) // either answer is right
		}
		return nil, nil
	case endedByAnother(ctx, w, c, x):
		return nil, nil
	}
	return mustGrant(w, x, http.StatusOK, "REF-18", c.client), nil
}

func takeSignOut(ctx context.Context, w *scene.World, m *model, c *modelled) (*divergence, error) {
	p := c.client.Pair
	if p == nil {
		return nil, nil
	}
	if err := w.MaySignOut(); err != nil {
		return nil, err
	}
	r := w.Prepare(ags.SignOut)
	w.Authorize(r, p.AccessToken)
	r.Set("parameters", talk.JSON(w.Hints()))
	x, err := w.Send(ctx, r, false)
	if err != nil {
		return nil, err
	}
	usable := m.refusal(c, "-", "-", "-", "-") == "" && !c.signedOut &&
		time.Now().Add(w.Ahead).Unix() < p.Access.Exp-int64(w.Stage.Environment.ClockSkew/time.Second)-5
	c.signedOut = true
	if usable && scene.EffectiveStatus(x) != http.StatusOK && !endedByAnother(ctx, w, c, x) {
		return &divergence{"OUT-01", "status 200 to signOut", w.Describe(x)}, nil
	}
	return nil, nil
}

func mustRefuse(w *scene.World, x *talk.Exchange, requirement string) *divergence {
	refusalWasWanted(w, x)
	if scene.EffectiveStatus(x)/100 != 4 || scene.HasTokens(x) {
		return &divergence{requirement, "a refusal of " + x.Request.Operation, w.Describe(x)}
	}
	return nil
}

func mustGrant(w *scene.World, x *talk.Exchange, status int, requirement string, c *talk.Client) *divergence {
	if scene.EffectiveStatus(x) != status {
		return &divergence{requirement, fmt.Sprintf("status %d to %s", status, x.Request.Operation), w.Describe(x)}
	}
	if err := w.Adopt(x, c); err != nil {
		return &divergence{requirement, "tokens from " + x.Request.Operation, w.Describe(x)}
	}
	return nil
}

// gates tells whether a miss of a requirement fails a run.
func gates(id string) bool {
	requirement, ok := ags.RequirementByID(id)
	return ok && requirement.Gating() == ags.Gates
}
