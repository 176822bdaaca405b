package engine

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/wire"
	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/load/transport"
	"agstest/reports"
)

// twoPaths is a workload of plain requests to two paths in turn: right is an answer 200 with the body "right".
type twoPaths struct {
	operations []string
	ready      func(seq uint64) bool
}

func (c *twoPaths) Operations() []string { return c.operations }

func (c *twoPaths) Begin(seq uint64, r *hit.Request) bool {
	if c.ready != nil && !c.ready(seq) {
		return false
	}
	r.Operation = int(seq % uint64(len(c.operations)))
	r.Method, r.Path, r.Body = "POST", "/"+c.operations[r.Operation], []byte("hello")
	r.Header = append(r.Header[:0], hit.HeaderField{Name: "X-Seq", Value: fmt.Sprint(seq)})
	return true
}

func (c *twoPaths) End(r *hit.Request, a *hit.Answer) hit.Outcome {
	switch {
	case a.Err != nil:
		return hit.Outcome{Kind: transport.WhyNone(a.Err), Message: a.Err.Error()}
	case a.Status != 200:
		return hit.Outcome{Kind: hit.KindStatus, Message: fmt.Sprintf("status %d", a.Status)}
	case string(a.Body) != "right":
		return hit.Outcome{Kind: hit.KindShape, Message: "another body"}
	}
	return hit.Outcome{}
}

// asking is the question of a test.
type asking struct {
	Rate     schedule.Rate
	Duration time.Duration
	Schedule schedule.Schedule // in place of Rate and Duration
	Max      bool
	Workers  int
	Mix      map[string]int
	Seed     uint64
	Limits   []string
	Trace    bool
	Raw      io.Writer
	Record   string
	Release  string
	Shard    schedule.Shard
	Barrier  Barrier
	StartAt  time.Time
	Progress func(Progress)
	Now      func() time.Time
}

// tested is a question that a test asks.
type tested struct{ Question }

func (e *tested) run(ctx context.Context) (*reports.Load, error) { return Send(ctx, e.Question) }

// testEngine asks a workload against a server.
func testEngine(t testing.TB, server string, w Workload, o asking) *tested {
	t.Helper()
	whole := o.Schedule
	if whole == nil && !o.Max {
		whole = schedule.Constant(o.Rate, o.Duration)
	}
	q := Question{
		Workload: w, Target: wire.Target{URL: server}, Length: o.Duration, Workers: cmp.Or(o.Workers, 10_000), Trace: o.Trace, Raw: o.Raw,
		Limits: o.Limits, Record: o.Record, Of: o.Shard.Of, Barrier: o.Barrier, StartAt: o.StartAt, Progress: o.Progress, Now: o.Now, grace: 200 * time.Millisecond,
		Asked: &reports.Load{
			Schema: reports.LoadSchema, Shard: o.Shard.String(), Run: reports.Run{Kind: "load", Environment: "test", URL: server, Release: o.Release},
			Plan: reports.Plan{Workload: "test", Mix: o.Mix, Workers: o.Workers, Seed: o.Seed, MaxLag: int64(time.Minute), Closed: o.Max}, // the machine does other work beside tests
		},
	}
	if whole != nil {
		q.Schedule, q.Length, q.Whole = schedule.ShardOf(whole, o.Shard), whole.Length(), int64(whole.Hits())
		q.Asked.Plan.Schedule, q.Asked.Plan.Hits = whole.String(), int64(q.Schedule.Hits())
	}
	q.Asked.Plan.Seconds = q.Length.Seconds()
	return &tested{q}
}

func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

func right(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "right") }

// wholeRate checks that the rate is that of the schedule, or less by as much as the last hits were late.
func wholeRate(t testing.TB, want float64, r *reports.Load) {
	t.Helper()
	assert.LessOrEqual(t, r.Total.Rate, want*1.0001)
	late := float64(r.Generator.Lag.Max) / 1e9
	assert.GreaterOrEqual(t, r.Total.Rate, want*r.Plan.Seconds/(r.Plan.Seconds+late)*0.999, "hits were late by %v s at most", late)
}

func per(n int64) schedule.Rate { return schedule.Rate{Hits: n, Per: time.Second} }

func TestEveryHitIsSentCountedAndNumbered(t *testing.T) {
	var seen, vegetaHeaders atomic.Int64
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		seen.Add(1)
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-Vegeta-Seq") != "" || r.Header.Get("X-Seq") == "" || string(body) != "hello" || r.Header.Get("Accept-Encoding") != "" || r.UserAgent() != "agstest" {
			vegetaHeaders.Add(1)
		}
		switch r.Header.Get("X-Seq") {
		case "7":
			w.WriteHeader(503)
		case "8":
			io.WriteString(w, "wrong")
		default:
			right(w, r)
		}
	})
	var told []Progress
	e := testEngine(t, server.URL, &twoPaths{operations: []string{"even", "odd"}}, asking{Rate: per(100), Duration: 1100 * time.Millisecond, Progress: func(p Progress) { told = append(told, p) }})
	report, err := e.run(context.Background())
	require.NoError(t, err)

	assert.EqualValues(t, 110, seen.Load())
	assert.Zero(t, vegetaHeaders.Load(), "requests carry what the workload gave, and nothing of Vegeta")
	total := report.Total
	assert.EqualValues(t, 110, total.Asked)
	assert.EqualValues(t, 110, total.Sent)
	assert.EqualValues(t, 108, total.Right)
	assert.EqualValues(t, 2, total.Wrong)
	assert.Equal(t, map[string]int64{"200": 109, "503": 1}, total.Statuses)
	assert.Equal(t, map[string]int64{"status": 1, "shape": 1}, total.Outcomes)
	wholeRate(t, 100, report)
	even, odd := report.Operations["even"], report.Operations["odd"]
	assert.EqualValues(t, []int64{55, 55, 54, 1}, []int64{even.Asked, even.Sent, even.Right, even.Wrong})
	assert.EqualValues(t, []int64{55, 55, 54, 1}, []int64{odd.Asked, odd.Sent, odd.Right, odd.Wrong})
	assert.EqualValues(t, 108, total.Response.Count)
	assert.EqualValues(t, 2, total.Failed.Count)
	assert.GreaterOrEqual(t, total.Response.P50, total.Service.P50)
	assert.Equal(t, reports.Fail, report.Verdict, report.Reason)
	require.Len(t, report.Wrong, 2)
	odds := report.Wrong[1]
	assert.Equal(t, []string{"odd", "status", "status 503", "first"}, []string{odds.Operation, odds.Kind, odds.Message, odds.Place})
	assert.EqualValues(t, []uint64{1, 7, 503}, []uint64{uint64(odds.Times), odds.Hit.Number, uint64(odds.Hit.Status)})
	assert.EqualValues(t, 70_000_000, odds.Hit.Due, "the eighth hit at 100 a second")
	assert.Equal(t, odds.Hit.Sent-odds.Hit.Due, odds.Hit.Response-odds.Hit.Service, "the lag")
	assert.Equal(t, [2]string{"hello", server.URL + "/odd"}, [2]string{odds.Exchange.RequestBody, odds.Exchange.URL})
	assert.Contains(t, odds.Exchange.Curl, "/odd -H 'X-Seq: 7'")
	evens := report.Wrong[0]
	assert.Equal(t, []string{"even", "shape", "another body", "wrong"}, []string{evens.Operation, evens.Kind, evens.Message, evens.Exchange.ResponseBody})
	require.Len(t, report.SlowestOf("even", true), 50)
	assert.Equal(t, report.Operations["even"].Response.Max/1e5, report.SlowestOf("even", true)[0].Response/1e5)
	assert.Equal(t, []reports.WrongKind{
		{Operation: "even", Kind: "shape", Times: 1, Statuses: map[string]int64{"200": 1}, Seconds: [][2]int64{{0, 1}}, Clients: -1, Verdict: reports.Fail},
		{Operation: "odd", Kind: "status", Times: 1, Statuses: map[string]int64{"503": 1}, Seconds: [][2]int64{{0, 1}}, Clients: -1, Verdict: reports.Fail},
	}, report.WrongKinds)

	var asked, sent, answered int64
	for _, s := range report.Seconds {
		asked, sent, answered = asked+s.Asked, sent+s.Sent, answered+s.Right+s.Wrong
	}
	assert.EqualValues(t, []int64{110, 110, 110}, []int64{asked, sent, answered})
	assert.EqualValues(t, 50, report.Seconds[0].Asked)
	assert.Equal(t, map[string]int64{"200": 1}, report.Seconds[0].Statuses, "those of wrong answers")
	assert.Equal(t, map[string]int64{"503": 1}, report.Seconds[1].Statuses)
	require.NotEmpty(t, told)
	last := told[len(told)-1]
	assert.EqualValues(t, []int64{110, 110, 108, 2}, []int64{last.Asked, last.Sent, last.Right, last.Wrong})
	assert.Zero(t, last.Left)
}
