package steps

import (
	"container/heap"
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"

	messages "github.com/cucumber/messages/go/v34"

	"agstest/steps/scene"
	"agstest/steps/script"
)

// claim is a part of a live service that scenarios share. Scenarios that only use it go on at the same time; one that
// changes it for others has it alone.
type claim struct {
	what  string
	alone bool
}

// shared tells by the sentences of a scenario what it shares with others on a live service. A mock makes an account for
// each scenario.
var shared = []struct {
	step *regexp.Regexp
	claim
}{
	// Scenarios that sign a device out, or need a second device that the run made; see signsOutForReal.
	{regexp.MustCompile(`sent to signOut$|^random sequences of calls`), claim{deviceToSignOut, true}},
	{regexp.MustCompile(`with a session token for the first time$|^a second client|clients sign on for the first time`), claim{firstDevice, false}},
	{regexp.MustCompile(`client signs out$`), claim{secondDevice, false}},
	{regexp.MustCompile(`with the credentials for the first time$`), claim{userDevice, false}},
	{regexp.MustCompile(`^a second client|clients sign on for the first time|^the second client`), claim{secondDevice, false}},
	// Wrong passwords in a row lock a user out.
	{regexp.MustCompile(`wrong password|near misses of the (password|user name)|^odd requests are sent to (signOn|register)$`), claim{passwords, true}},
	// A scenario that makes a device of its own takes it from those that a run may still make.
	{regexp.MustCompile(`^random sequences of calls`), claim{moreDevices, true}},
	{regexp.MustCompile(`^requests that are odd but right are sent to subsequentSignOn$|^the user picks account 2|clients sign on for the first time`), claim{moreDevices, true}},
	{regexp.MustCompile(`with this deviceInformation|^the next request has the deviceInformation|no member "clientId"$`), claim{moreDevices, true}},
	// A sign-on of a device may end the session that the device had.
	{regexp.MustCompile(`^a client that is signed on|^random sequences of calls|refresh|access token|signs out$|signOut$`), claim{sessionsOfDevice, true}},
	{regexp.MustCompile(`signs on|signOnWithSessionToken|[sS]ignOn$|^a device of the account`), claim{sessionsOfDevice, false}},
	// A session token of the environment file may work once.
	{regexp.MustCompile(`^an? (account|client) of another tenant`), claim{"the session token of another tenant", true}},
	{regexp.MustCompile(`account in good standing|^a client that is signed on|^everything that (signOnWithSessionToken|refresh|signOut) needs|^a device of the account`), claim{fileToken, true}},
}

const (
	deviceToSignOut  = "the device that the scenario signs out" // one of the three below
	firstDevice      = "the first device of the run"
	secondDevice     = "the second device of the run"
	userDevice       = "the device of a user"
	sessionsOfDevice = "the sessions of a device"
	moreDevices      = "devices to be made"
	passwords        = "the passwords of a user"
	fileToken        = "the session token of the environment file"
)

var nameOf = map[scene.OwnDevice]string{scene.FirstDevice: firstDevice, scene.SecondDevice: secondDevice,
	scene.UsersDevice: userDevice}

// claimsBy are what sentences share, as far as they were looked at before: most stand in many scenarios.
var claimsBy struct {
	sync.RWMutex
	texts map[string][]claim
}

const maxClaimsBy = 10000 // sentences

// sharedBy tells what a sentence shares.
func sharedBy(text string) []claim {
	claimsBy.RLock()
	claims, known := claimsBy.texts[text]
	claimsBy.RUnlock()
	if known {
		return claims
	}
	for _, s := range shared {
		if s.step.MatchString(text) {
			claims = append(claims, s.claim)
		}
	}
	claimsBy.Lock()
	defer claimsBy.Unlock()
	if claimsBy.texts == nil || len(claimsBy.texts) >= maxClaimsBy {
		claimsBy.texts = map[string][]claim{}
	}
	claimsBy.texts[text] = claims
	return claims
}

// claimsOf lists the claims of a scenario that matter on the service at hand.
func (r *run) claimsOf(s *script.Scenario) map[string]bool {
	made := map[string]bool{}
	for _, step := range s.Pickle.Steps {
		for _, c := range sharedBy(step.Text) {
			switch {
			case !r.matters(c.what, s):
			case c.what == deviceToSignOut:
				made[nameOf[r.DeviceToSignOut(s)]] = true
			default:
				made[c.what] = made[c.what] || c.alone
			}
		}
	}
	if scene.SignsOut(s) && signsOutForReal(s) {
		for _, what := range []string{secondDevice, userDevice} {
			if _, has := made[what]; has {
				made[what] = true
			}
		}
	}
	return made
}

// matters tells whether a scenario that claims something by its sentences meets others there, on the service at hand.
func (r *run) matters(what string, s *script.Scenario) bool {
	switch what {
	case sessionsOfDevice:
		return !r.SessionsApart
	case passwords:
		return !r.Environment.NeverLocks
	case userDevice:
		return !ofSeveralAccounts(s) // such a user picks another device
	case moreDevices:
		return r.DeviceToSignOut(s) != scene.FirstDevice
	case secondDevice:
		return !signOutByUser(s) // the device that goes is the user's
	case fileToken:
		return r.Environment.Situations["active"].SessionToken != ""
	}
	return true
}

// signOutByUser tells of a scenario whose only client is a user who signs on with credentials.
func signOutByUser(s *script.Scenario) bool {
	byUser := false
	for _, step := range s.Pickle.Steps {
		if otherClient.MatchString(step.Text) {
			return false
		}
		byUser = byUser || step.Text == "the user signs on with the credentials for the first time"
	}
	return byUser && !ofSeveralAccounts(s)
}

var otherClient = regexp.MustCompile(
	`session token|second client|clients sign|^a client that is signed on|^everything that`)

func ofSeveralAccounts(s *script.Scenario) bool {
	return slices.ContainsFunc(s.Pickle.Steps,
		func(step *messages.PickleStep) bool { return step.Text == "a user with several accounts" })
}

// signsOutForReal tells whether the sign-out of a scenario is accepted, or may be.
func signsOutForReal(s *script.Scenario) bool {
	refused := false
	for _, step := range s.Pickle.Steps {
		refused = refused || step.Text == "the service refuses" || strings.HasPrefix(step.Text, "the status is 4") &&
			!strings.Contains(step.Text, "200")
	}
	return !refused
}

// turns decides which scenario plays when. Scenarios that do not meet play at the same time, as many as there are
// seats. Those that meet play one after the other, always in the order of their files, but for those that hold two
// devices, which come first, and those that sign out a device which others sign on with, which come last. So the number
// of seats makes no difference to a verdict. Among the scenarios that may play next, the one with the longest way to
// the end of the run is first.
type turns struct {
	byName map[*script.Scenario]*turn

	mu    sync.Mutex // guards the fields below and those of each turn
	free  int        // seats
	ready turnHeap   // turns that wait only for a seat
}

type turn struct {
	place  int // in the order of the files
	claims map[string]bool
	length int     // about how many answers it waits for, one after the other
	way    int     // from its begin to the end of the run, in the same measure
	behind []*turn // turns that wait for its end

	ahead int           // for how many it waits
	given chan struct{} // closed when it may play
	ended bool
}

// takesTurns tells whether turns decide which scenario plays next: scenarios share something, and may be played in
// another order than that of their files.
func (r *run) takesTurns() bool {
	return r.Control == nil && (r.options.Calm == "" || r.Concurrency > 1)
}

// measure gives the length of a scenario, by which turns choose who plays first. Tests draw other lengths: no verdict
// may follow from them.
var measure = lengthOf

// line puts scenarios in line for the given number of seats.
func (r *run) line(scenarios []*script.Scenario, seats int) *turns {
	t := &turns{byName: map[*script.Scenario]*turn{}, free: seats}
	var two, most, last []*turn
	for i, s := range scenarios {
		one := &turn{place: i, length: measure(s), given: make(chan struct{})}
		t.byName[s] = one
		if r.takesTurns() {
			one.claims = r.claimsOf(s)
		}
		switch {
		case one.claims[firstDevice], one.claims[userDevice] && r.DeviceToSignOut(s) == scene.UsersDevice:
			last = append(last, one)
		case devicesOf(one.claims) > 1: // or all that sign out one device would wait for all that sign out the other
			two = append(two, one)
		default:
			most = append(most, one)
		}
	}
	t.begin(slices.Concat(two, most, last))
	return t
}

// devicesOf is how many of the devices of the run a scenario holds.
func devicesOf(claims map[string]bool) (devices int) {
	for _, what := range nameOf {
		if _, holds := claims[what]; holds {
			devices++
		}
	}
	return devices
}

// begin gives the first seats to the turns that wait for no other.
func (t *turns) begin(line []*turn) {
	for i, own := range slices.Backward(line) {
		longest := 0
		for _, other := range line[i+1:] {
			if meet(own.claims, other.claims) {
				longest = max(longest, other.way)
				own.behind = append(own.behind, other)
				other.ahead++
			}
		}
		own.way = own.length + longest
	}
	for _, own := range line {
		if own.ahead == 0 {
			t.ready = append(t.ready, own)
		}
	}
	heap.Init(&t.ready)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seat()
}

// seat gives free seats to turns that may play. The caller holds the lock.
func (t *turns) seat() {
	for t.free > 0 && len(t.ready) > 0 {
		t.free--
		close(heap.Pop(&t.ready).(*turn).given)
	}
}

// wayOf is the way of a scenario to the end of the run; -1: it is none of these.
func (t *turns) wayOf(s *script.Scenario) int {
	if own := t.byName[s]; own != nil {
		return own.way
	}
	return -1
}

// wait waits until a scenario may play; false: the context ended first.
func (t *turns) wait(ctx context.Context, s *script.Scenario) bool {
	select {
	case <-t.byName[s].given:
		return true
	case <-ctx.Done():
		return false
	}
}

// end releases the turns that wait for a scenario, and gives its seat to another.
func (t *turns) end(s *script.Scenario) {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.byName[s]
	if own.ended {
		return
	}
	own.ended = true
	t.free++
	for _, other := range own.behind {
		if other.ahead--; other.ahead == 0 {
			heap.Push(&t.ready, other)
		}
	}
	t.seat()
}

func meet(a, b map[string]bool) bool {
	for what, alone := range a {
		if other, has := b[what]; has && (alone || other) {
			return true
		}
	}
	return false
}

// turnHeap has the turn with the longest way at its top, and of two the one that stands first in line.
type turnHeap []*turn

func (h turnHeap) Len() int { return len(h) }
func (h turnHeap) Less(i, j int) bool {
	return h[i].way > h[j].way || h[i].way == h[j].way && h[i].place < h[j].place
}
func (h turnHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *turnHeap) Push(x any)   { *h = append(*h, x.(*turn)) }
func (h *turnHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
