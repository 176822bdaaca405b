package clients

import (
	"fmt"
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

// last is the access token that a client was given last, since when, and how many refreshes in a row brought it again.
type last struct {
	token uint64
	since time.Duration // after the crowd was made, however the clock was set meanwhile
	again uint32
}

// renewed says that an answer brought tokens that are of no use: expired when they came, or those from before the
// refresh. One repeat may be of two nodes whose clocks differ; two in a row over some seconds are not.
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
	before, now := &c.last[h.client], answer.Received.Sub(c.made)
	token := c.seen.Fingerprint(t.AccessToken)
	if token != before.token || h.step != stepRefresh {
		*before = last{token: token, since: now}
		return hit.Outcome{}
	}
	before.again++
	if same := answer.Sent.Sub(c.made) - before.since; before.again >= 2 && same >= sameFor {
		return hit.Outcome{Kind: hit.KindToken, Requirement: "REF-02",
			Message: fmt.Sprintf("the access token in the answer to the %s of %s is the one from before: %d refreshes in %s "+
				"brought it again",
				h.step, c.clientName(h.client), before.again, same.Round(100*time.Millisecond))}
	}
	return hit.Outcome{}
}
