package steps

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"agstest/ags"
	"agstest/internal/check"
)

// usualDevices is how many devices a run makes at most on a live service where allow.devices of the environment file says no other
// number: one that signs on for the first time, one more with the same deviceInformation, one with credentials, one of a picked account.
const usualDevices = 4

// manyDevices are enough for every scenario that makes one.
const manyDevices = 40

// ownDevices are the devices that a run made on a live service. They stay in the accounts, so scenarios share them: where several are
// about a first-time sign-on, all look at the same one. The mock is not spared: there each scenario has an account of its own.
type ownDevices struct {
	turn sync.Mutex // held by who makes devices or takes one over, so that each is made once

	mu        sync.Mutex // guards what follows
	made      int
	all       []madeDevice
	deleted   []string // client_ids
	shared    int      // of those, made for all scenarios
	signOns   map[string][]*sharedSignOn
	signedOut map[string]bool // by client_id: a scenario has signed it out
	gone      map[string]bool // by client_id: refused since it was signed out
}

// sharedSignOn is a sign-on that made a device for all scenarios.
type sharedSignOn struct {
	exchange *exchange
	findings []finding // of the judge, without their index
	told     bool      // a scenario has taken the findings over
}

func newOwnDevices() *ownDevices {
	return &ownDevices{signOns: map[string][]*sharedSignOn{}, signedOut: map[string]bool{}, gone: map[string]bool{}}
}

// live tells that the devices of a run stay where they were made.
func (w *world) live() bool { return w.run.control == nil }

// sharesDevices tells whether a first-time sign-on of this scenario may be the one of another: on a live service, where nothing about
// the request or its sender is unusual.
func (w *world) sharesDevices() bool {
	taken := w.sessionToken != "" && w.account != nil && w.account.token != "" && w.sessionToken != w.account.token
	return w.live() && !w.refusal && !w.limited && !w.counting && len(w.changes) == 0 && !taken && w.account != nil && w.account.standing == "ACTIVE"
}

func (w *world) shareKey(operation, what string) string {
	return strings.Join([]string{operation, w.account.situation, w.tenant, w.service, what}, "\n")
}

// mayMake tells whether so many devices more may be made. What is made for one scenario leaves room for those that all share.
func (w *world) mayMake(n int, shared bool) error {
	if err := w.mayCreateDevices(); err != nil || !w.live() {
		return err
	}
	own := w.run.own
	own.mu.Lock()
	defer own.mu.Unlock()
	most := w.run.environment.Allow.Devices
	if most == 0 {
		most = usualDevices
	}
	free := most - own.made
	if !shared {
		free -= max(0, w.run.sharedFirstTimes()-own.shared)
	}
	if free < n {
		return lacking(fmt.Sprintf("allow: {first-time: true, devices: %d}", manyDevices),
			"this needs a device more of its own, and a run makes no more than %s on a live service (allow.devices)", plural(most, "device"))
	}
	return nil
}

// count counts a device that an answer made.
func (w *world) count(x *exchange, shared bool) {
	if !w.live() || effectiveStatus(x)/100 != 2 {
		return
	}
	own := w.run.own
	own.mu.Lock()
	defer own.mu.Unlock()
	own.made++
	own.remember(w, x, shared)
	if shared {
		own.shared++
	}
}

// sharedFirstTimes is how many devices the selected scenarios share, as far as the file offers what they need.
func (r *run) sharedFirstTimes() int {
	first, second, credentials, picked := false, false, false, false
	for _, s := range r.selection.scenarios {
		times, several := 0, false
		for _, step := range s.pickle.Steps {
			switch text := step.Text; {
			case text == "the client signs on with a session token for the first time", strings.HasPrefix(text, "a second client of the account"):
				times++
			case strings.Contains(text, "clients sign on for the first time"), strings.HasSuffix(text, "client signs out"):
				times = 2
			case text == "a user with several accounts":
				several = true
			case text == "the user signs on with the credentials for the first time":
				credentials = credentials || !several
			case text == "the user picks account 1":
				picked = true
			}
		}
		first, second = first || times > 0, second || times > 1
	}
	n := 0
	situations := r.environment.Situations
	for situation, wanted := range map[string][]bool{"active": {first, second}, "credentials": {credentials}, "multi-account": {picked}} {
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

// inPairs tells that a selected scenario needs two first-time sign-ons at the same moment; then the two that all share are made so.
func (r *run) inPairs() bool {
	for _, s := range r.selection.scenarios {
		for _, step := range s.pickle.Steps {
			if strings.HasPrefix(step.Text, "2 clients sign on for the first time") {
				return true
			}
		}
	}
	return false
}

// sharedSignOn is the n-th first-time sign-on, counted from 0, that all scenarios share; it is sent when it is first needed.
func (w *world) sharedSignOn(ctx context.Context, operation, device string, n int) (*sharedSignOn, error) {
	own := w.run.own
	key := w.shareKey(operation, device)
	usual := device == w.device()
	for len(own.signOns[key]) <= n {
		if len(own.signOns[key]) == 0 && operation == ags.SignOnWithSessionToken && usual && w.account.token == "" &&
			w.run.inPairs() && w.mayMake(2, true) == nil {
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
		if err := w.mayMake(1, shared); err != nil {
			return nil, err
		}
		r, err := w.firstTimeRequest(ctx, operation, device)
		if err != nil {
			return nil, err
		}
		if err := w.keepSignOn(ctx, key, r, shared); err != nil {
			return nil, err
		}
	}
	return own.signOns[key][n], nil
}

// keepSignOn sends a sign-on that makes a device and keeps it for all scenarios.
func (w *world) keepSignOn(ctx context.Context, key string, r *request, shared bool) error {
	x, err := w.sendAside(ctx, r)
	if err != nil {
		return err
	}
	w.count(x.exchange, shared)
	if err := w.cautious(x.exchange, false); err != nil {
		return err
	}
	w.run.own.signOns[key] = append(w.run.own.signOns[key], x)
	return nil
}

// pickShared picks an account, as the other scenarios that pick it. A second time in one scenario is sent anew.
func (w *world) pickShared(ctx context.Context, r *request, n int, class string) (*client, error) {
	own := w.run.own
	own.turn.Lock()
	defer own.turn.Unlock()
	key := w.shareKey(ags.SubsequentSignOn, strconv.Itoa(n))
	i := w.seen(key)
	if len(own.signOns[key]) <= i {
		shared := i == 0 && n == 1
		if err := w.mayMake(1, shared); err != nil {
			return nil, err
		}
		if err := w.keepSignOn(ctx, key, r, shared); err != nil {
			return nil, err
		}
	}
	return w.takeOver(own.signOns[key][i], ags.SubsequentSignOn, class), nil
}

// goodPick is the good request of subsequentSignOn, the one that all scenarios share.
func (w *world) goodPick(ctx context.Context) (*exchange, error) {
	aside := *w
	aside.exchanges, aside.findings, aside.firsts, aside.precise, aside.sharing = nil, nil, nil, true, true
	r, _, err := aside.documented(ctx, ags.SubsequentSignOn)
	if err != nil {
		return nil, err
	}
	if _, err := aside.pickShared(ctx, r, 1, classOf(r.get("deviceInformation"))); err != nil {
		return nil, err
	}
	return aside.last()
}

// seen counts how many of the sign-ons of a kind this scenario has looked at before.
func (w *world) seen(key string) int {
	if w.firsts == nil {
		w.firsts = map[string]int{}
	}
	w.firsts[key]++
	return w.firsts[key] - 1
}

// sendAside sends a request whose answer does not belong to this scenario alone yet.
func (w *world) sendAside(ctx context.Context, r *request) (*sharedSignOn, error) {
	aside := *w
	aside.exchanges, aside.findings, aside.sharing = nil, nil, true
	x, err := aside.send(ctx, r, false)
	if err != nil {
		w.exchanges = append(w.exchanges, aside.exchanges...)
		return nil, err
	}
	return &sharedSignOn{exchange: x, findings: aside.findings}, nil
}

// makePair makes the first two shared devices at the same moment.
func (w *world) makePair(ctx context.Context, key string) error {
	var requests []*request
	for range 2 {
		r, err := w.firstTimeRequest(ctx, ags.SignOnWithSessionToken, w.device())
		if err != nil {
			return err
		}
		requests = append(requests, r)
	}
	aside := *w
	aside.exchanges, aside.findings, aside.sharing = nil, nil, true
	answers, err := aside.atOnce(ctx, requests)
	if err != nil {
		w.exchanges = append(w.exchanges, aside.exchanges...)
		return err
	}
	for i, x := range answers {
		s := &sharedSignOn{exchange: x}
		for _, f := range aside.findings {
			if f.exchange == i {
				s.findings = append(s.findings, f)
			}
		}
		w.count(x, true)
		w.run.own.signOns[key] = append(w.run.own.signOns[key], s)
	}
	return nil
}

// takeOver lets the scenario look at a shared sign-on as if it had sent it, and hold what it gave.
func (w *world) takeOver(s *sharedSignOn, operation, class string) *client {
	s.exchange.shared = true
	w.exchanges = append(w.exchanges, s.exchange)
	if !s.told && !w.sharing {
		s.told = true
		for _, f := range s.findings {
			f.exchange = len(w.exchanges) - 1
			w.findings = append(w.findings, f)
		}
		w.credit(s.exchange, false)
	}
	c := &client{class: class, own: true, operation: operation}
	if effectiveStatus(s.exchange)/100 != 2 || w.adopt(s.exchange, c) != nil {
		return nil
	}
	c.stale = true
	return c
}

// firstTimeShared is a first-time sign-on that the scenario may have in common with others.
func (w *world) firstTimeShared(ctx context.Context, operation, device string) error {
	w.run.own.turn.Lock()
	defer w.run.own.turn.Unlock()
	s, err := w.sharedSignOn(ctx, operation, device, w.seen(w.shareKey(operation, device)))
	if err != nil {
		return err
	}
	return w.look(s, operation, device)
}

// look makes a shared sign-on the last answer of the scenario.
func (w *world) look(s *sharedSignOn, operation, device string) error {
	c := w.takeOver(s, operation, classOf([]byte(device)))
	if err := w.roomForDevices(s.exchange); err != nil {
		return err
	}
	if c != nil {
		w.add(c)
	}
	return nil
}

// pairShared are two first-time sign-ons at the same moment.
func (w *world) pairShared(ctx context.Context) error {
	w.run.own.turn.Lock()
	defer w.run.own.turn.Unlock()
	if w.account.token != "" {
		return lacking(w.run.example("operator"), "only one session token can be had, and each client needs its own")
	}
	for n := range 2 {
		s, err := w.sharedSignOn(ctx, ags.SignOnWithSessionToken, w.device(), n)
		if err != nil {
			return err
		}
		if err := w.look(s, ags.SignOnWithSessionToken, w.device()); err != nil {
			return err
		}
	}
	return nil
}

// renew signs the acting client on again where its tokens are those of a sign-on that other scenarios have seen too.
func (w *world) renew(ctx context.Context) error {
	c := w.client
	if c == nil || !c.stale {
		return nil
	}
	c.stale = false
	var r *request
	var err error
	if c.operation == ags.SignOn {
		r, err = w.credentialRequest(ags.SignOn)
	} else {
		r, err = w.signOnWithSessionToken(ctx)
	}
	if err != nil {
		return err
	}
	r.set("clientId", rawJSON(c.id))
	err = w.setUpSignOn(ctx, r, c)
	if x, _ := w.last(); err != nil && x != nil && x.Status/100 == 4 && w.run.own.wasSignedOut(c.id) {
		return lacking(fmt.Sprintf("allow: {first-time: true, devices: %d}", manyDevices), "this service removes a device that signs out (%s), and the scenario needs one more", w.describe(x))
	}
	return err
}

// signsOut tells of a scenario that signs a client out.
func (s *scenario) signsOut() bool {
	for _, step := range s.pickle.Steps {
		if strings.HasSuffix(step.Text, "client signs out") {
			return true
		}
	}
	return false
}

// useOwnDevice makes the scenario act as a device that this run made, with fresh tokens. Whether a device outlives signOut is not
// documented for certain, so no other is signed out on a live service.
func (w *world) useOwnDevice(ctx context.Context) error {
	if err := w.mayCreateDevices(); err != nil {
		return err
	}
	w.run.own.turn.Lock()
	defer w.run.own.turn.Unlock()
	w.clients, w.client = nil, nil
	// The first shared device is the one that other scenarios sign on with, so it is not signed out.
	for n := 1; ; n++ {
		s, err := w.sharedSignOn(ctx, ags.SignOnWithSessionToken, w.device(), n)
		if err != nil {
			return err
		}
		if w.isGone(s) {
			continue
		}
		if err := w.look(s, ags.SignOnWithSessionToken, w.device()); err != nil {
			return err
		}
		if w.client == nil {
			return unknownf("the first-time sign-on that this scenario starts from was answered with %s", w.describe(s.exchange))
		}
		err = w.renew(ctx)
		if x, _ := w.last(); err != nil && w.run.own.wasSignedOut(w.client.id) && x.Status/100 == 4 {
			w.run.own.lose(w.client.id)
			w.clients, w.client = nil, nil
			continue
		}
		return err
	}
}

func (w *world) isGone(s *sharedSignOn) bool {
	pair, err := readPair(s.exchange)
	if err != nil {
		return false
	}
	w.run.own.mu.Lock()
	defer w.run.own.mu.Unlock()
	return w.run.own.gone[pair.ClientID]
}

func (o *ownDevices) wasSignedOut(id string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.signedOut[id]
}

func (o *ownDevices) signOut(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.signedOut[id] = true
}

// noteSignOut remembers which device an accepted signOut was about.
func (w *world) noteSignOut(x *exchange) {
	if x.request.operation == ags.SignOut && effectiveStatus(x)/100 == 2 && w.client != nil {
		w.run.own.signOut(w.client.id)
	}
}

func (o *ownDevices) lose(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.gone[id] = true
}

// maySignOut keeps devices that somebody else made from being signed out.
func (w *world) maySignOut() error {
	if !w.live() || w.client != nil && w.client.own {
		return nil
	}
	return lacking("allow: {first-time: true}", "signing out may cost a device its registration, so on a live service only devices that the run made are signed out")
}

// wouldMakeDevice tells of a request that a service may take for a first-time sign-on: its credentials are good, and no clientId says
// which device it is, or deviceInformation stands beside it.
func (w *world) wouldMakeDevice(r *request) bool {
	if r.method != http.MethodPost || r.operation != ags.SignOn && r.operation != ags.SignOnWithSessionToken || w.account == nil {
		return false
	}
	if strings.HasPrefix(w.account.situation, "multi-") { // those are offered a list, and have no device yet
		return false
	}
	text := string(r.bytes())
	var body map[string]json.RawMessage
	var id string
	if json.Unmarshal([]byte(text), &body) != nil || body == nil {
		return false
	}
	_ = json.Unmarshal(body["clientId"], &id)
	if _, told := body["deviceInformation"]; id != "" && !told {
		return false
	}
	if r.operation == ags.SignOn {
		for _, p := range w.account.parameters {
			if w.isPassword(ags.SignOn, p.Name) && !mentions(text, p.Value) {
				return false
			}
		}
		return len(w.account.parameters) > 0
	}
	return w.account.token != "" && mentions(text, w.account.token) || w.account.fetched != "" && mentions(text, w.account.fetched) || w.minted != "" && mentions(text, w.minted)
}

func mentions(text, value string) bool {
	return value != "" && strings.Contains(text, strings.Trim(string(rawJSON(value)), `"`))
}

// guardDevices keeps a request from making a device that nobody allowed.
func (w *world) guardDevices(r *request) (makes bool, err error) {
	if !w.live() || w.sharing || !w.wouldMakeDevice(r) {
		return false, nil
	}
	if w.refusal || w.control { // it is to be refused, and only what is wrong makes a device
		return true, w.mayCreateDevices()
	}
	return true, w.mayMake(1, false)
}

// isFull tells a refusal for too many devices.
func isFull(x *exchange) bool {
	code, _ := check.SubCode(x.Exchange)
	return x.Status == http.StatusForbidden && (code == 20007 || code == 20008)
}
