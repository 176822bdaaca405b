package scene

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/internal/wire"
	"agstest/steps/talk"
)

// TestTimeBetweenTokensEndsWhenTheyAreAskedFor: a refresh that was answered late may still have been minted at once, so
// what lies behind its request does not count. Where nothing may wait, nothing that only time shows is looked at
// either.
func TestTimeBetweenTokensEndsWhenTheyAreAskedFor(t *testing.T) {
	came := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		patience, moved time.Duration
		want            time.Duration
	}{
		"may wait":        {patience: 5 * time.Second, want: time.Second},
		"may not wait":    {patience: latest - 1},
		"the clock moved": {moved: time.Minute, want: time.Minute + time.Second},
	} {
		e := &environment.Environment{}
		stage := &Stage{Environment: e, Options: Setting{Environment: e, Patience: c.patience}}
		w := &World{Stage: stage, Ahead: c.moved, Client: &talk.Client{ID: "TV_1", Pair: &talk.Pair{}, Since: came}}
		x := &talk.Exchange{
			Request:  &talk.Request{Operation: ags.Refresh, Method: http.MethodPost, Path: "/ags/refresh"},
			Exchange: &wire.Exchange{Sent: came.Add(time.Second), Received: came.Add(time.Minute)},
		}
		assert.Equal(t, c.want, w.knownOf(x, false).Since, name)
	}
}
