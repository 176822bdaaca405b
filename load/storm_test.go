package load

import (
	"context"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/hit"
	"agstest/load/limit"
	"agstest/load/tally"
	"agstest/mock"
	"agstest/reports"
)

func (s *server) storm(t *testing.T, o Options) *reports.Load {
	t.Helper()
	o.Environment, o.Seed = s.Environment, 9
	r, err := Run(context.Background(), o)
	require.NoError(t, err)
	return r
}

func TestStormEndsWhenEveryoneIsSignedIn(t *testing.T) {
	s := newServer(t, mock.Config{Behaviour: mock.Behaviour{PopulationOnce: true, RevokeOnRefresh: true}}, nil)
	limits, err := limit.ParseAll([]string{"storm.recovered<90s"})
	require.NoError(t, err)
	r := s.storm(t, Options{Storm: &clients.Storm{Clients: 300, Within: 400 * time.Millisecond}, Limits: limits, Traffic: clients.Traffic{JudgeEvery: 1}})
	require.NotNil(t, r.Storm)
	assert.Equal(t, 300, r.Storm.Clients)
	assert.Zero(t, r.Storm.Retries)
	assert.Greater(t, time.Duration(r.Storm.Recovered), 300*time.Millisecond)
	assert.Less(t, time.Duration(r.Storm.Recovered), 30*time.Second)
	assert.EqualValues(t, 300, r.Total.Sent)
	assert.EqualValues(t, 300, r.Total.Right)
	assert.EqualValues(t, 30, r.Operations[hit.OpSignOn].Sent)
	assert.EqualValues(t, 270, r.Operations[hit.OpRefresh].Sent)
	assert.Equal(t, reports.Pass, r.Limits[0].Verdict)
	if r.Valid {
		assert.Equal(t, reports.Pass, r.Verdict, r.Reason)
	}
}

func TestStormTriesAgainLikeARealClient(t *testing.T) {
	var refused atomic.Int64
	s := newServer(t, mock.Config{Behaviour: mock.Behaviour{RevokeOnRefresh: true}}, func(next http.Handler) http.Handler {
		storming := atomic.Int64{}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ags/refresh" && storming.Add(1) <= 20 {
				refused.Add(1)
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(503)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	r := s.storm(t, Options{Storm: &clients.Storm{Clients: 50, Within: 100 * time.Millisecond}})
	assert.EqualValues(t, 20, r.Storm.Retries)
	assert.Greater(t, time.Duration(r.Storm.Recovered), time.Second, "they waited as they were told")
	assert.EqualValues(t, 70, r.Total.Sent)
	assert.EqualValues(t, 50, r.Total.Right)
	assert.EqualValues(t, 20, r.Operations[hit.OpRefresh].Outcomes[hit.KindThrottled])
	assert.EqualValues(t, 50, r.Total.Response.Count, "throttled answers are not in the response times")
}

// refreshesAnswered is in front of a service that answers all refreshes with a status.
func refreshesAnswered(status int) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ags/refresh" {
				w.WriteHeader(status)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func TestStormClientWhoseRefreshIsRefusedSignsOn(t *testing.T) {
	s := newServer(t, mock.Config{}, refreshesAnswered(401))
	s.Environment.Load.Clients.SessionToken = "" // minted, then
	r := s.storm(t, Options{Storm: &clients.Storm{Clients: 20, Within: 50 * time.Millisecond}, Traffic: clients.Traffic{Mix: map[string]int{hit.OpRefresh: 1}}})
	assert.Positive(t, r.Storm.Recovered)
	assert.EqualValues(t, 20, r.Operations[hit.OpRefresh].Outcomes[hit.KindStatus])
	assert.EqualValues(t, 20, r.Operations[hit.OpMint].Right)
	assert.EqualValues(t, 20, r.Operations[hit.OpSignOn].Right)
}

func TestStormThatIsNeverOverFails(t *testing.T) {
	s := newServer(t, mock.Config{}, refreshesAnswered(500))
	r := s.storm(t, Options{Storm: &clients.Storm{Clients: 20, Within: 50 * time.Millisecond, Patience: 1500 * time.Millisecond}})
	assert.EqualValues(t, -1, r.Storm.Recovered)
	if r.Valid {
		assert.Equal(t, reports.Fail, r.Verdict)
		assert.Contains(t, r.Reason, "before every client was signed in")
	}
}

// A user who is asked to come again in hours is not in again: the storm fails, and says why.
func TestStormOfAServiceThatAsksToComeAgainInHours(t *testing.T) {
	var refreshes atomic.Int64
	s := newServer(t, mock.Config{}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/ags/refresh" && refreshes.Add(1) > 10 {
				w.Header().Set("Retry-After", "7200")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	limits, err := limit.ParseAll([]string{"storm.recovered<30s"})
	require.NoError(t, err)
	r := s.storm(t, Options{Storm: &clients.Storm{Clients: 20, Within: 50 * time.Millisecond}, Traffic: clients.Traffic{Mix: map[string]int{hit.OpRefresh: 1}}, Limits: limits})
	assert.EqualValues(t, -1, r.Storm.Recovered)
	assert.Equal(t, 10, r.Storm.Away)
	assert.Equal(t, reports.Fail, r.Verdict, r.Reason)
	assert.Equal(t, "not every client was signed in when the run ended; 10 clients were asked with Retry-After to come again only after the storm was given up", r.Limits[0].Reason)
	assert.Equal(t, "not all of 20 clients were signed in again; 0 retries; 10 clients were asked with Retry-After to come again only after the storm was given up", reports.StormSentence(r.Storm))
}

func TestStormThatIsInterruptedIsPartial(t *testing.T) {
	s := newServer(t, mock.Config{}, nil)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := Run(ctx, Options{Environment: s.Environment, Storm: &clients.Storm{Clients: 50, Within: time.Hour}, Progress: func(engine.Progress) { cancel() }})
	require.NoError(t, err)
	assert.NotEmpty(t, r.Run.Partial)
	assert.EqualValues(t, -1, r.Storm.Recovered)
}

func TestStormThatCannotBe(t *testing.T) {
	s := newServer(t, mock.Config{}, nil)
	few := *s.Environment
	few.Load.Clients.Count = 10
	for says, o := range map[string]Options{
		"a storm of 0 clients is none":                            {Storm: &clients.Storm{Within: time.Second}},
		"how fast everyone comes back":                            {Storm: &clients.Storm{Clients: 5}},
		"cannot come within":                                      {Storm: &clients.Storm{Clients: 5, Within: time.Minute, Patience: time.Second}},
		"a storm says what is sent when":                          {Storm: &clients.Storm{Clients: 5, Within: time.Second}, Duration: time.Second},
		"leave --workload lifecycle out":                          {Storm: &clients.Storm{Clients: 5, Within: time.Second}, Traffic: clients.Traffic{Workload: clients.WorkloadLifecycle}},
		"leave --clients out":                                     {Storm: &clients.Storm{Clients: 5, Within: time.Second}, Traffic: clients.Traffic{Clients: 3}},
		"a storm is a mix of signon and refresh":                  {Storm: &clients.Storm{Clients: 5, Within: time.Second}, Traffic: clients.Traffic{Mix: map[string]int{hit.OpDiscover: 1, hit.OpRefresh: 1}}},
		"11 virtual clients were asked for":                       {Environment: &few, Storm: &clients.Storm{Clients: 11, Within: time.Second}},
		"a storm of 11 clients needs as many":                     {Environment: &few, Storm: &clients.Storm{Clients: 11, Within: time.Second}, Traffic: clients.Traffic{Mix: map[string]int{hit.OpRefresh: 1}}},
		"names signout, which the workload of the storm does not": {Storm: &clients.Storm{Clients: 5, Within: time.Second}, Limits: []limit.Limit{{Expression: "signout.p99<1s", Operation: hit.OpSignOut, Metric: "p99"}}},
	} {
		t.Run(says, func(t *testing.T) {
			if o.Environment == nil {
				o.Environment = s.Environment
			}
			_, err := Run(context.Background(), o)
			require.ErrorContains(t, err, says)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
		})
	}
}

// A storm of two shards is one: they start at the instant that the barrier gives, and everyone is back when both are.
func TestStormOfTwoShards(t *testing.T) {
	t.Parallel()
	s := newServer(t, mock.Config{}, nil)
	folders := s.shardsOf(t, 2, Options{Storm: &clients.Storm{Clients: 61, Within: 200 * time.Millisecond}})
	merged, err := tally.Merge(folders...)
	require.NoError(t, err)
	require.NotNil(t, merged.Storm)
	assert.Equal(t, 61, merged.Storm.Clients)
	assert.Greater(t, time.Duration(merged.Storm.Recovered), 100*time.Millisecond, "from the start that was agreed")
	assert.EqualValues(t, []int64{61, 61, 61}, []int64{merged.Plan.Hits, merged.Total.Sent, merged.Total.Right}, "%v", merged.Wrong)
	assert.Empty(t, merged.Run.Partial)

	one, err := tally.Merge(folders[1])
	require.NoError(t, err)
	assert.Contains(t, one.Run.Partial, "partial: 1 of 2 shards, 49.18 % of the schedule sent; missing: shard 1/2 from the start on")
}
