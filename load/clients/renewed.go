package clients

import (
	"fmt"
	"sync"
	"time"

	"agstest/internal/check"
	"agstest/internal/figures"
	"agstest/load/hit"
)

const (
	// maxWatched bounds for how many clients it is kept which access token they were given last.
	maxWatched = 1 << 12
	// sameFor is how long after an access token came a refresh that brings it again must have been sent, to count as
	// answered by a cache: tokens that were minted in the same second may be alike to the byte.
	sameFor = 1500 * time.Millisecond
)

// last is the access token that a client was given last, and how many refreshes in a row brought it again.
type last struct {
	given, earlier givenToken // earlier: the one before
	again          uint32
}

// givenToken is an access token that a client was given.
type givenToken struct {
	fingerprint uint64
	since       time.Duration // after the crowd was made, however the clock was set meanwhile
}

// freshness is what the refreshes of all clients show of how a service makes access tokens, so that one that comes
// again is told from two that are alike because they were made in the same second, on nodes whose clocks may differ.
type freshness struct {
	mu     sync.Mutex // guards what follows
	fresh  uint64     // answers with a token that was new to its client, and tells its times
	oldest time.Duration
	late   uint64 // answers with a token that its client had been given sameFor before, or longer
}

const (
	// enoughFresh is how many answers with new tokens must have come before one that is not new is held against them.
	enoughFresh = 10
	// rarely is how many of them there must be for each that is not new: two nodes that make tokens by their clocks
	// alone give many.
	rarely = 5
)

// learn takes in an answer with a new token. Age is how long before the request the service made it, by its own clock.
func (f *freshness) learn(age time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fresh == 0 || age > f.oldest {
		f.oldest = age
	}
	f.fresh++
}

// stored tells that a token which came again was not made anew for the answer that brought it: it is older than any new
// one was. Within sameFor a service may give what it has just made.
func (f *freshness) stored(same, age time.Duration, timed bool) bool {
	if same < sameFor {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.late++
	return timed && f.fresh >= max(enoughFresh, rarely*f.late) && age > f.oldest+time.Second
}

// renewed says that an answer brought tokens that are of no use: expired when they came, or those from before the
// refresh. One repeat may be of two nodes whose clocks differ; two in a row over some seconds are not, nor is one that
// the answers to the other refreshes show to be none.
func (c *Crowd) renewed(h *sender, t *check.Tokens, answer *hit.Answer) hit.Outcome {
	if answer.Received.IsZero() {
		return hit.Outcome{}
	}
	earliest := answer.Received.Add(-c.sampled.skew)
	for _, token := range []struct {
		name string
		exp  int64
	}{{"access", t.Access.Exp}, {"refresh", t.Refresh.Exp}} {
		if token.exp != 0 && token.exp <= earliest.Unix() {
			return hit.Outcome{Kind: hit.KindToken, Requirement: "TOK-17",
				Message: fmt.Sprintf("the %s token in the answer to the %s of %s had expired %s before it came",
					token.name, h.step, c.clientName(h.client),
					figures.Elapsed(answer.Received.Sub(time.Unix(token.exp, 0)).Round(time.Second)))}
		}
	}
	if int(h.client) >= len(c.last) {
		return hit.Outcome{}
	}
	before, sent := &c.last[h.client], answer.Sent.Sub(c.made)
	token := givenToken{c.seen.Fingerprint(t.AccessToken), answer.Received.Sub(c.made)}
	if h.step != stepRefresh {
		*before = last{given: token}
		return hit.Outcome{}
	}
	timed := t.Access.Exp != 0 && t.ExpiresIn != 0
	// By the clock as it was when the crowd was made, whatever it was set to since.
	age := sent - time.Unix(t.Access.Exp-t.ExpiresIn, 0).Sub(c.made.Round(0))
	var same time.Duration
	switch token.fingerprint {
	case before.given.fingerprint:
		before.again++
		same = sent - before.given.since
	case before.earlier.fingerprint:
		same = sent - before.earlier.since
		before.given, before.earlier, before.again = before.earlier, before.given, 0
	default:
		if timed {
			c.freshness.learn(age)
		}
		*before = last{given: token, earlier: before.given}
		return hit.Outcome{}
	}
	switch {
	case before.again >= 2 && same >= sameFor:
		return hit.Outcome{Kind: hit.KindToken, Requirement: "REF-02",
			Message: fmt.Sprintf("the access token in the answer to the %s of %s is the one from before: %d refreshes in %s "+
				"brought it again",
				h.step, c.clientName(h.client), before.again, same.Round(100*time.Millisecond))}
	case c.freshness.stored(same, age, timed):
		return hit.Outcome{Kind: hit.KindToken, Requirement: "REF-02",
			Message: fmt.Sprintf("the access token in the answer to the %s of %s is one that it was given %s before, "+
				"and no new one", h.step, c.clientName(h.client), same.Round(100*time.Millisecond))}
	}
	return hit.Outcome{}
}
