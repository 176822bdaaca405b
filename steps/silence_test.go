package steps_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// TestSilenceIsWaitedForTwice: a service that never answers broken JSON costs two time-outs in all, whichever calls get
// it. Tries that were not sent then could not tell.
func TestSilenceIsWaitedForTwice(t *testing.T) {
	var unanswered atomic.Int64
	e, end, err := started(mock.Config{}, func(s *mock.Server) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if body := recordBody(r); r.Method == http.MethodPost && !json.Valid([]byte(body)) {
				unanswered.Add(1)
				<-r.Context().Done()
				return
			}
			s.ServeHTTP(w, r)
		})
	})
	require.NoError(t, err)
	defer end()
	e.Mock = nil
	timeout := 7500 * time.Millisecond // so that the others are answered in time on a busy machine too
	report := run(t, steps.Options{Environment: e, Timeout: timeout, Generate: 10, Retry: 2, Seed: 3})
	assert.LessOrEqual(t, unanswered.Load(), int64(2))
	assert.Equal(t, reports.Error, requirement(t, report, "SOST-08").Verdict)
	q := requirement(t, report, "OUT-05")
	assert.Equal(t, reports.Error, q.Verdict, q.Reason)
	assert.True(t, strings.Contains(q.Reason, "got no answer in time before"), q.Reason)
	q = requirement(t, report, "SOST-14")
	assert.Equal(t, reports.Pass, q.Verdict, q.Reason)
}
