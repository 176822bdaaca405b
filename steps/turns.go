package steps

import (
	"context"
	"regexp"
	"strings"
	"sync"
)

// claim is something of a live service that scenarios share. Those that only use it go on at the same time; one that changes it for others has it
// alone.
type claim struct {
	what  string
	alone bool
}

// shared says by the sentences of a scenario what it shares with others on a live service. A mock makes an account for each scenario.
var shared = []struct {
	step *regexp.Regexp
	claim
}{
	// What signs a device out, and who counts on a second device that the run made; see signsOutForReal.
	{regexp.MustCompile(`sent to signOut$|^random sequences of calls`), claim{secondDevice, true}},
	{regexp.MustCompile(`client signs out$`), claim{secondDevice, false}},
	{regexp.MustCompile(`with the credentials for the first time$`), claim{userDevice, false}},
	{regexp.MustCompile(`^a second client|clients sign on for the first time|^the second client`), claim{secondDevice, false}},
	// Wrong passwords in a row lock a user out.
	{regexp.MustCompile(`wrong password|near misses of the (password|user name)|^odd requests are sent to (signOn|register)$`), claim{"passwords", true}},
	// Who makes a device of its own takes what is left of those that a run may make.
	{regexp.MustCompile(`^random sequences of calls|^requests that are odd but right are sent to subsequentSignOn$|^the user picks account 2|clients sign on for the first time`), claim{"devices to be made", true}},
	{regexp.MustCompile(`with this deviceInformation|^the next request has the deviceInformation|no member "clientId"$`), claim{"devices to be made", true}},
	// A sign-on of a device may end the session that the device had.
	{regexp.MustCompile(`^a client that is signed on|refresh|access token|signs out$|signOut$`), claim{sessionsOfDevice, true}},
	{regexp.MustCompile(`signs on|signOnWithSessionToken|signOn$|^a device of the account`), claim{sessionsOfDevice, false}},
	// A session token of the environment file may work once.
	{regexp.MustCompile(`account in good standing|^a client that is signed on|^everything that (signOnWithSessionToken|refresh|signOut) needs|^a device of the account`), claim{fileToken, true}},
}

const (
	secondDevice     = "the second device of the run"
	userDevice       = "the device of a user"
	sessionsOfDevice = "the sessions of a device"
	fileToken        = "the session token of the environment file"
)

// claimsOf lists what a scenario shares, as far as that matters on the service at hand.
func (r *run) claimsOf(s *scenario) map[string]bool {
	made := map[string]bool{}
	for _, step := range s.pickle.Steps {
		for _, c := range shared {
			switch {
			case !c.step.MatchString(step.Text):
			case c.what == sessionsOfDevice && r.sessionsApart:
			case c.what == fileToken && r.environment.Situations["active"].SessionToken == "":
			default:
				made[c.what] = made[c.what] || c.alone
			}
		}
	}
	if s.signsOut() && s.signsOutForReal() {
		for _, what := range []string{secondDevice, userDevice} {
			if _, has := made[what]; has {
				made[what] = true
			}
		}
	}
	return made
}

// signsOutForReal tells of a scenario whose sign-out is accepted, or may be.
func (s *scenario) signsOutForReal() bool {
	refused := false
	for _, step := range s.pickle.Steps {
		refused = refused || step.Text == "the service refuses" || strings.HasPrefix(step.Text, "the status is 4") && !strings.Contains(step.Text, "200")
	}
	return !refused
}

// turns lets scenarios that do not meet play at the same time, and those that meet one after the other, in the order of their files. So it makes no
// difference to a verdict how many play at the same time.
type turns struct {
	mu     sync.Mutex
	ahead  []*turn // in order
	byName map[*scenario]*turn
}

type turn struct {
	claims map[string]bool
	ended  chan struct{}
}

// line puts scenarios in line.
func (r *run) line(scenarios []*scenario) *turns {
	t := &turns{byName: map[*scenario]*turn{}}
	for _, s := range scenarios {
		one := &turn{claims: map[string]bool{}, ended: make(chan struct{})}
		if r.control == nil {
			one.claims = r.claimsOf(s)
		}
		t.ahead = append(t.ahead, one)
		t.byName[s] = one
	}
	return t
}

// wait waits for the scenarios ahead that share something with one.
func (t *turns) wait(ctx context.Context, s *scenario) {
	own := t.byName[s]
	for _, other := range t.ahead {
		if other == own {
			return
		}
		if !meet(own.claims, other.claims) {
			continue
		}
		select {
		case <-other.ended:
		case <-ctx.Done():
			return
		}
	}
}

// end lets those go on who wait for a scenario.
func (t *turns) end(s *scenario) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.byName[s].ended:
	default:
		close(t.byName[s].ended)
	}
}

func meet(a, b map[string]bool) bool {
	for what, alone := range a {
		if other, has := b[what]; has && (alone || other) {
			return true
		}
	}
	return false
}
