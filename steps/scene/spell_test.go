package scene

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/ags"
	"agstest/internal/wire"
	"agstest/steps/talk"
)

// TestWhatIsAnsweredSoAgainIsNotExcused: an answer in a spell says nothing of its call, unless the call got it before,
// in another spell: then it may be the reason of both.
func TestWhatIsAnsweredSoAgainIsNotExcused(t *testing.T) {
	began := time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC)
	answered := func(sent time.Duration, attempts ...wire.Attempt) *talk.Exchange {
		x := &talk.Exchange{Request: &talk.Request{Operation: ags.Refresh}, Exchange: &wire.Exchange{}}
		x.Status, x.Body, x.Attempts = http.StatusInternalServerError, []byte(`{"message":"no"}`), attempts
		x.Sent, x.Received = began.Add(sent), began.Add(sent+time.Second)
		return x
	}
	r := &Stage{}
	r.outage.spells = []spell{{from: began, to: began.Add(time.Minute), like: Likeness(answered(0), true)}}
	assert.Contains(t, r.Turned(answered(time.Second)), "status 500 came while servicediscovery")
	assert.Empty(t, r.Turned(answered(time.Second, wire.Attempt{Status: http.StatusInternalServerError})))
	assert.Empty(t, r.Turned(answered(2*time.Minute)), "after the spell")
	assert.Empty(t, r.Turned(answered(-time.Minute)), "before it")
}
