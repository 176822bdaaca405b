package scene

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/figures"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// ManyDevices are enough for every scenario that makes one.
const ManyDevices = 40

// ownDevices are the devices that a run made on a live service. They stay in the accounts, so scenarios share them:
// where several are about a first-time sign-on, all look at the same one. The mock is not spared: there each scenario
// has an account of its own.
type ownDevices struct {
	turn sync.Mutex // held while devices are made or taken over, so that each is made once

	mu        sync.Mutex // guards what follows
	made      int
	unplanned int // of those, made by requests that the service should have refused
	all       []madeDevice
	deleted   []string          // client_ids
	shared    int               // of those, made for all scenarios
	given     map[string]string // by tenant and client_id: parameters of the first-time sign-on that was given it
	signOns   map[string][]*sharedSignOn
	ofUser    *sharedSignOn   // of the user with credentials, where it is signed on with session tokens too
	signedOut map[string]bool // by client_id: a scenario has signed it out
	gone      map[string]bool // by client_id: refused since it was signed out
}

// sharedSignOn is a sign-on that made a device for all scenarios.
type sharedSignOn struct {
	exchange *talk.Exchange
	findings []talk.Finding // of the judge, without their index
	told     bool           // a scenario has taken the findings over
	taken    int            // how often a scenario has taken the device, guarded by turn
}

func newOwnDevices() *ownDevices {
	return &ownDevices{signOns: map[string][]*sharedSignOn{}, signedOut: map[string]bool{}, gone: map[string]bool{},
		given: map[string]string{}}
}

// taken tells whether the answer to a first-time sign-on has a client_id that another one was given before in this run,
// and remembers it. The same session token shown once more may well lead to the same device.
func (o *ownDevices) taken(x *talk.Exchange) bool {
	pair, err := ReadPair(x)
	if err != nil || pair.ClientID == "" || EffectiveStatus(x)/100 != 2 {
		return false
	}
	key := x.Request.HeaderValue(ags.HeaderTenant) + "\n" + pair.ClientID
	asked := string(x.Request.Get("parameters"))
	o.mu.Lock()
	defer o.mu.Unlock()
	before, was := o.given[key]
	if !was {
		o.given[key] = asked
	}
	return was && (before != asked || x.Request.Operation == ags.SignOn)
}

// Live tells that the devices of a run stay where they were made.
func (w *World) Live() bool { return w.Stage.Control == nil }

// SharesDevices tells whether a first-time sign-on of this scenario may be the one of another: on a live service, if
// nothing about the request or its sender is unusual.
func (w *World) SharesDevices() bool {
	taken := w.SessionToken != "" && w.Account != nil && w.Account.Token != "" && w.SessionToken != w.Account.Token
	return w.Live() && !w.Refusal && !w.limited && !w.Counting && len(w.Changes) == 0 && !taken && w.Account != nil &&
		w.Account.Standing == "ACTIVE"
}

func (w *World) shareKey(operation, what string) string {
	return strings.Join([]string{operation, w.Account.Situation, w.Tenant, w.Service, what}, "\n")
}

// MayMake returns an error unless n more devices may be made. Devices of one scenario leave room for those that all
// share. So do devices that the service made for requests it should have refused, which nobody could plan: otherwise
// the findings of all would depend on the order.
func (w *World) MayMake(n int, shared bool) error {
	if err := w.MayCreateDevices(); err != nil || !w.Live() {
		return err
	}
	own := w.Stage.Own
	own.mu.Lock()
	defer own.mu.Unlock()
	most := w.Stage.Environment.DeviceBudget()
	free := most - own.made
	if shared {
		free += own.unplanned
	} else {
		free -= max(0, w.Stage.sharedFirstTimes()-own.shared)
	}
	if free < n {
		return talk.Lacking(fmt.Sprintf("devices: {budget: %d} with allow: {first-time: true}", ManyDevices),
			"this needs a device more of its own, and a run makes no more than %s on a live service (devices.budget)",
			figures.Plural(most, "device"))
	}
	return nil
}

// Count counts a device that an answer made.
func (w *World) Count(x *talk.Exchange, shared bool) {
	if !w.Live() || EffectiveStatus(x)/100 != 2 || w.wasThere(x) {
		return
	}
	own := w.Stage.Own
	own.mu.Lock()
	defer own.mu.Unlock()
	own.made++
	if w.Refusal && !shared {
		own.unplanned++
	}
	own.remember(w, x, shared)
	if shared {
		own.shared++
	}
}

// sharedFirstTimes is how many devices the selected scenarios share, as far as the file offers what they need.
func (r *Stage) sharedFirstTimes() int {
	first, second, picked := false, false, false
	for _, s := range r.scenarios {
		times := 0
		for _, step := range s.Pickle.Steps {
			switch text := step.Text; {
			case text == "the client signs on with a session token for the first time", strings.HasPrefix(text,
				"a second client of the account"):
				times++
			case strings.Contains(text, "clients sign on for the first time"), strings.HasSuffix(text,
				"client signs out"), text == "everything that signOut needs":
				times = 2
			case text == "the user picks account 1", text == "everything that subsequentSignOn needs":
				picked = true
			}
		}
		first, second = first || times > 0, second || times > 1
	}
	n := 0
	situations := r.Environment.Situations
	for situation, wanted := range map[string][]bool{"active": {first, second}, "credentials": {r.usersFirstTime()},
		"multi-account": {picked}} {
		if _, offered := situations[situation]; !offered {
			continue
		}
		for _, one := range wanted {
			if one {
				n++
			}
		}
	}
	return n
}

// inPairs tells that a selected scenario needs two first-time sign-ons at the same moment; then the two that all share
// are made so.
func (r *Stage) inPairs() bool {
	for _, s := range r.scenarios {
		for _, step := range s.Pickle.Steps {
			if strings.HasPrefix(step.Text, "2 clients sign on for the first time") {
				return true
			}
		}
	}
	return false
}

// sharedSignOn is the n-th first-time sign-on, counted from 0, that all scenarios share; it is sent when it is first
// needed.
func (w *World) sharedSignOn(ctx context.Context, operation, device string, n int) (*sharedSignOn, error) {
	own := w.Stage.Own
	key := w.shareKey(operation, device)
	usual := device == w.Device()
	if w.Account.Token == "" { // one that the scenario has taken over lets a single client in
		taken := w.SessionToken
		w.SessionToken = ""
		defer func() { w.SessionToken = taken }()
	}
	for len(own.signOns[key]) <= n {
		if len(own.signOns[key]) == 0 && operation == ags.SignOnWithSessionToken && usual && w.Account.Token == "" &&
			w.Stage.inPairs() && w.Stage.NeedsTwoTokens() == nil && w.MayMake(2, true) == nil {
			if err := w.makePair(ctx, key); err != nil {
				return nil, err
			}
			continue
		}
		most := 2 // of those that all share
		if operation == ags.SignOn {
			most = 1
		}
		shared := usual && len(own.signOns[key]) < most
		if err := w.MayMake(1, shared); err != nil {
			return nil, err
		}
		r, err := w.FirstTimeRequest(ctx, operation, device)
		if err != nil {
			return nil, err
		}
		if err := w.keepSignOn(ctx, key, r, shared); err != nil {
			return nil, err
		}
	}
	own.signOns[key][n].taken++
	return own.signOns[key][n], nil
}

// giveUp tells whether a scenario that has ended may delete a device that it made: no other has taken it. None takes it
// from then on.
func (o *ownDevices) giveUp(client string) bool {
	o.turn.Lock()
	defer o.turn.Unlock()
	for _, made := range o.signOns {
		for _, s := range made {
			if pair, err := ReadPair(s.exchange); err == nil && pair.ClientID == client && s.taken > 1 {
				return false
			}
		}
	}
	o.lose(client)
	return true
}

// keepSignOn sends a sign-on that makes a device and keeps it for all scenarios.
func (w *World) keepSignOn(ctx context.Context, key string, r *talk.Request, shared bool) error {
	x, err := w.sendAside(ctx, r)
	if err != nil {
		return err
	}
	w.Count(x.exchange, shared)
	if err := w.Cautious(x.exchange, false); err != nil {
		return err
	}
	w.Stage.Own.signOns[key] = append(w.Stage.Own.signOns[key], x)
	return nil
}

// pickShared picks an account, as the other scenarios that pick it. A second time in one scenario is sent anew.
func (w *World) pickShared(ctx context.Context, r *talk.Request, n int, class string) (*talk.Client, error) {
	own := w.Stage.Own
	own.turn.Lock()
	defer own.turn.Unlock()
	key := w.shareKey(ags.SubsequentSignOn, strconv.Itoa(n))
	i := w.seen(key)
	if len(own.signOns[key]) <= i {
		shared := i == 0 && n == 1
		if err := w.MayMake(1, shared); err != nil {
			return nil, err
		}
		if err := w.keepSignOn(ctx, key, r, shared); err != nil {
			return nil, err
		}
	}
	return w.takeOver(own.signOns[key][i], ags.SubsequentSignOn, class), nil
}

// goodPick returns the good request of subsequentSignOn that all scenarios share, with its answer.
func (w *World) goodPick(ctx context.Context) (*talk.Exchange, error) {
	aside := *w
	aside.Exchanges, aside.Findings, aside.firsts, aside.Precise, aside.Sharing = nil, nil, nil, true, true
	r, _, err := aside.Documented(ctx, ags.SubsequentSignOn)
	if err != nil {
		return nil, err
	}
	if _, err := aside.pickShared(ctx, r, 1, ClassOf(r.Get("deviceInformation"))); err != nil {
		return nil, err
	}
	return aside.Last()
}

// seen counts how many of the sign-ons of a kind this scenario has looked at before.
func (w *World) seen(key string) int {
	if w.firsts == nil {
		w.firsts = map[string]int{}
	}
	w.firsts[key]++
	return w.firsts[key] - 1
}

// sendAside sends a request whose answer does not belong to this scenario alone yet.
func (w *World) sendAside(ctx context.Context, r *talk.Request) (*sharedSignOn, error) {
	aside := *w
	aside.Exchanges, aside.Findings, aside.Sharing = nil, nil, true
	x, err := aside.Send(ctx, r, false)
	if err != nil {
		w.Exchanges = append(w.Exchanges, aside.Exchanges...)
		return nil, err
	}
	return &sharedSignOn{exchange: x, findings: aside.Findings}, nil
}

// makePair makes the first two shared devices at the same moment.
func (w *World) makePair(ctx context.Context, key string) error {
	var requests []*talk.Request
	for range 2 {
		r, err := w.FirstTimeRequest(ctx, ags.SignOnWithSessionToken, w.Device())
		if err != nil {
			return err
		}
		requests = append(requests, r)
	}
	aside := *w
	aside.Exchanges, aside.Findings, aside.Sharing = nil, nil, true
	answers, err := aside.AtOnce(ctx, requests)
	if err != nil {
		w.Exchanges = append(w.Exchanges, aside.Exchanges...)
		return err
	}
	onlyLast := w.onlyLastSignedOn(ctx, answers)
	for i, x := range answers {
		if onlyLast && EffectiveStatus(x)/100 == 4 {
			w.Stage.Aside(x)
			continue
		}
		s := &sharedSignOn{exchange: x}
		for _, f := range aside.Findings {
			if f.Exchange == i {
				s.findings = append(s.findings, f)
			}
		}
		w.Count(x, true)
		w.Stage.Own.signOns[key] = append(w.Stage.Own.signOns[key], s)
	}
	return nil
}

// takeOver lets the scenario look at a shared sign-on as if it had sent it, and hold its tokens.
func (w *World) takeOver(s *sharedSignOn, operation, class string) *talk.Client {
	w.Exchanges = append(w.Exchanges, s.exchange)
	if w.tells(s) {
		for _, f := range s.findings {
			f.Exchange = len(w.Exchanges) - 1
			w.Findings = append(w.Findings, f)
		}
		w.credit(s.exchange, false)
	}
	c := &talk.Client{Class: class, Own: true, Operation: operation}
	if EffectiveStatus(s.exchange)/100 != 2 || w.Adopt(s.exchange, c) != nil {
		return nil
	}
	c.Stale = true
	return c
}

// tells reports whether the scenario is the first to look at a shared sign-on, so that it reports the judge's findings
// on it.
func (w *World) tells(s *sharedSignOn) bool {
	w.Stage.Own.mu.Lock()
	defer w.Stage.Own.mu.Unlock()
	s.exchange.Shared = true
	first := !s.told && !w.Sharing
	s.told = s.told || first
	return first
}

// firstTimeShared is a first-time sign-on that the scenario may have in common with others.
func (w *World) firstTimeShared(ctx context.Context, operation, device string) error {
	w.Stage.Own.turn.Lock()
	defer w.Stage.Own.turn.Unlock()
	for {
		s, err := w.sharedSignOn(ctx, operation, device, w.seen(w.shareKey(operation, device)))
		if err != nil {
			return err
		}
		if w.mayBeGone(s) && w.MayMake(1, false) == nil {
			continue
		}
		return w.look(ctx, s, operation, device)
	}
}

// mayBeGone tells of a device that another scenario has signed out, after all others or for good: a service may remove
// it then. Scenarios that are alone on the stage may come after those that sign out.
func (w *World) mayBeGone(s *sharedSignOn) bool {
	pair, err := ReadPair(s.exchange)
	return err == nil && (w.isGone(s) || w.Stage.Acts(w.Scenario) && w.Stage.Own.WasSignedOut(pair.ClientID))
}

// look makes a shared sign-on the last answer of the scenario.
func (w *World) look(ctx context.Context, s *sharedSignOn, operation, device string) error {
	c := w.takeOver(s, operation, ClassOf([]byte(device)))
	if err := w.RoomForDevices(ctx, s.exchange); err != nil {
		return err
	}
	if EffectiveStatus(s.exchange)/100 == 4 {
		if why, err := w.strangeUser(ctx, s.exchange, false); err != nil || why != "" {
			return cmp.Or(err, talk.Unknownf("%s", why))
		}
	}
	if c != nil {
		w.Add(c)
	}
	return nil
}

// PairShared are two first-time sign-ons at the same moment.
func (w *World) PairShared(ctx context.Context) error {
	w.Stage.Own.turn.Lock()
	defer w.Stage.Own.turn.Unlock()
	if w.Account.Token != "" {
		return talk.Lacking(w.Stage.Example("operator"),
			"only one session token can be had, and each client needs its own")
	}
	for n := range 2 {
		s, err := w.sharedSignOn(ctx, ags.SignOnWithSessionToken, w.Device(), n)
		if err == nil {
			err = w.Stage.NeedsTwoTokens()
		}
		if err != nil {
			return err
		}
		if err := w.look(ctx, s, ags.SignOnWithSessionToken, w.Device()); err != nil {
			return err
		}
	}
	return nil
}

// renew signs the acting client on again if other scenarios have seen its tokens too.
func (w *World) renew(ctx context.Context) error {
	c := w.Client
	if c == nil || !c.Stale {
		return nil
	}
	c.Stale = false
	var r *talk.Request
	var err error
	if c.Operation == ags.SignOn {
		r, err = w.CredentialRequest(ags.SignOn)
	} else {
		r, err = w.SignOnWithSessionToken(ctx)
	}
	if err != nil {
		return err
	}
	r.Set("clientId", talk.JSON(c.ID))
	err = w.setUpSignOn(ctx, r, c)
	if x, _ := w.Last(); err != nil && x != nil && x.Status/100 == 4 && w.Stage.Own.WasSignedOut(c.ID) {
		return talk.Lacking(fmt.Sprintf("devices: {budget: %d} with allow: {first-time: true}", ManyDevices),
			"this service removes a device that signs out (%s), and the scenario needs one more", w.Describe(x))
	}
	return err
}

// SignsOut tells whether a scenario signs a client out.
func SignsOut(s *script.Scenario) bool {
	for _, step := range s.Pickle.Steps {
		if strings.HasSuffix(step.Text, "client signs out") {
			return true
		}
	}
	return false
}

// UseOwnDevice makes the scenario act as a device that this run made, with fresh tokens. If none can be made, it acts
// as the one that the environment file spares. No page says for certain whether a device outlives signOut, so no other
// device is signed out on a live service.
func (w *World) UseOwnDevice(ctx context.Context) error {
	if err := w.MayCreateDevices(); err != nil {
		return w.useSpareDevice(ctx, err)
	}
	w.Clients, w.Client = nil, nil
	if d := w.Stage.DeviceToSignOut(w.Scenario); d != SecondDevice {
		return w.useShared(ctx, d)
	}
	// Other scenarios sign on with the first shared device, so it is not signed out before they have ended.
	for n := 1; ; n++ {
		s, err := w.sharedInTurn(ctx, n)
		if err != nil {
			return err
		}
		if w.isGone(s) {
			continue
		}
		if err := w.look(ctx, s, ags.SignOnWithSessionToken, w.Device()); err != nil {
			return w.useSpareDevice(ctx, err)
		}
		if w.Client == nil {
			return talk.Unknownf("the first-time sign-on that this scenario starts from was answered with %s",
				w.Describe(s.exchange))
		}
		err = w.renew(ctx)
		if x, _ := w.Last(); err != nil && w.Stage.Own.WasSignedOut(w.Client.ID) && x.Status/100 == 4 {
			w.Stage.Own.lose(w.Client.ID)
			w.Clients, w.Client = nil, nil
			continue
		}
		return err
	}
}

// sharedInTurn returns the n-th first-time sign-on with a session token that all scenarios share. Others may make
// theirs as soon as it is there.
func (w *World) sharedInTurn(ctx context.Context, n int) (*sharedSignOn, error) {
	w.Stage.Own.turn.Lock()
	defer w.Stage.Own.turn.Unlock()
	return w.sharedSignOn(ctx, ags.SignOnWithSessionToken, w.Device(), n)
}

// useSpareDevice makes the scenario act as the device that the environment file allows to be signed out. Without one it
// returns why none could be made.
func (w *World) useSpareDevice(ctx context.Context, why error) error {
	var lack *talk.NotTestable
	s, offered := w.Stage.Environment.Situations["spare-device"]
	if errors.As(why, &lack) && !offered && w.Stage.Environment.Allow.FirstTime {
		return talk.Lacking(lack.Needs+", or situations: {spare-device: {clientId: …}}", "%s", lack.Reason)
	}
	if !errors.As(why, &lack) || !offered || s.ClientID == "" || w.Account == nil || w.Account.Situation != "active" ||
		w.Stage.Options.Calm != "" {
		return why
	}
	w.Uses("spare-device")
	w.Clients, w.Client = nil, nil
	w.Add(&talk.Client{ID: s.ClientID, Own: true})
	err := w.EnsureTokens(ctx)
	if x, none := w.Last(); err != nil && !errors.As(err, &lack) && none == nil &&
		x.Request.Operation == ags.SignOnWithSessionToken && EffectiveStatus(x)/100 == 4 {
		return talk.Lacking("another clientId in situations.spare-device",
			"the device of situations.spare-device is refused (%s): it may have been removed when it was signed out",
			w.Describe(x))
	}
	return err
}

func (w *World) isGone(s *sharedSignOn) bool {
	pair, err := ReadPair(s.exchange)
	if err != nil {
		return false
	}
	w.Stage.Own.mu.Lock()
	defer w.Stage.Own.mu.Unlock()
	return w.Stage.Own.gone[pair.ClientID]
}

func (o *ownDevices) WasSignedOut(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.signedOut[id]
}

func (o *ownDevices) signOut(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.signedOut[id] = true
}

// NoteSignOut remembers which device an accepted signOut was about.
func (w *World) NoteSignOut(x *talk.Exchange) {
	if x.Request.Operation == ags.SignOut && EffectiveStatus(x)/100 == 2 && w.Client != nil {
		w.Stage.Own.signOut(w.Client.ID)
	}
}

func (o *ownDevices) lose(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.gone[id] = true
}

// MaySignOut keeps devices that somebody else made from being signed out.
func (w *World) MaySignOut() error {
	if !w.Live() || w.Client != nil && w.Client.Own {
		return nil
	}
	if w.Client != nil && w.Client.Known != "" {
		return talk.Unknownf("a first-time sign-on was answered with the device of situations.%s, which is not signed out, "+
			"because signing out may cost a device its registration", w.Client.Known)
	}
	return talk.Lacking("allow: {first-time: true}",
		"signing out may cost a device its registration, so on a live service only devices that the run made are signed out")
}

// WouldMakeDevice tells whether a service may take a request for a first-time sign-on: its credentials are good, and it
// has no clientId, or deviceInformation beside it.
func (w *World) WouldMakeDevice(r *talk.Request) bool {
	if r.Method != http.MethodPost || r.Operation != ags.SignOn && r.Operation != ags.SignOnWithSessionToken ||
		w.Account == nil {
		return false
	}
	if strings.HasPrefix(w.Account.Situation, "multi-") { // those are offered a list, and have no device yet
		return false
	}
	text := string(r.Bytes())
	var body map[string]json.RawMessage
	var id string
	if json.Unmarshal([]byte(text), &body) != nil || body == nil {
		return false
	}
	_ = json.Unmarshal(body["clientId"], &id)
	if _, told := body["deviceInformation"]; id != "" && !told {
		return false
	}
	if r.Operation == ags.SignOn {
		for _, p := range w.Account.Parameters {
			if w.IsPassword(ags.SignOn, p.Name) && !mentions(text, p.Value) {
				return false
			}
		}
		return len(w.Account.Parameters) > 0
	}
	return w.Account.Token != "" && mentions(text, w.Account.Token) || w.Account.Fetched != "" &&
		mentions(text, w.Account.Fetched) || w.minted != "" && mentions(text, w.minted)
}

func mentions(text, value string) bool {
	return value != "" && strings.Contains(text, strings.Trim(string(talk.JSON(value)), `"`))
}

// guardDevices keeps a request from making a device that nobody allowed.
func (w *World) guardDevices(r *talk.Request) (makes bool, err error) {
	if !w.Live() || w.Sharing || !w.WouldMakeDevice(r) {
		return false, nil
	}
	if w.Refusal || w.Control { // the service should refuse it, and makes a device only if it is wrong
		return true, w.MayCreateDevices()
	}
	return true, w.MayMake(1, false)
}

// isFull tells a refusal for too many devices.
func isFull(x *talk.Exchange) bool {
	code, _ := check.SubCode(x.Exchange)
	return x.Status == http.StatusForbidden && (code == 20007 || code == 20008)
}

// PickedDevice returns the client_id of the device that a pick of this run has made; empty if there is none.
func (w *World) PickedDevice() string {
	own := w.Stage.Own
	own.turn.Lock()
	defer own.turn.Unlock()
	made := own.signOns[w.shareKey(ags.SubsequentSignOn, "1")]
	if len(made) == 0 {
		return ""
	}
	pair, err := ReadPair(made[0].exchange)
	if err != nil {
		return ""
	}
	return pair.ClientID
}
