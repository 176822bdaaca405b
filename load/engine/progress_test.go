package engine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/redact"
	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/load/tally"
	"agstest/reports"
)

// TestProgressEndsWithTheFiguresOfTheReport: the last Progress has the figures of the report, operation by operation,
// and each time of a right answer was told once.
func TestProgressEndsWithTheFiguresOfTheReport(t *testing.T) {
	t.Parallel()
	var seen atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if seen.Add(1) == 7 {
			w.WriteHeader(503)
			return
		}
		right(w, r)
	}))
	t.Cleanup(server.Close)
	var told []Progress
	e := testEngine(t, server.URL, &twoPaths{operations: []string{"even", "odd"}}, asking{
		Rate: per(100), Duration: 1100 * time.Millisecond, Limits: []string{"errors<5%", "p99<10us", "signon.p50<1s"},
		Progress: func(p Progress) { told = append(told, p) },
	})
	report, err := e.run(context.Background())
	require.NoError(t, err)
	last := told[len(told)-1]
	require.Len(t, last.Operations, 2)
	news, times := 0, map[string]int64{}
	for _, p := range told {
		news += len(p.News)
		for _, o := range p.Operations {
			o.Response.Each(func(_, count int64) { times[o.Name] += count })
		}
	}
	wrong := map[string]int64{}
	for _, o := range last.Operations {
		whole := report.Operations[o.Name]
		assert.Equal(t, []int64{whole.Asked, whole.Sent, whole.Right, whole.Wrong}, []int64{o.Asked, o.Sent, o.Right, o.Wrong}, o.Name)
		assert.Equal(t, []int64{whole.Response.P50, whole.Response.P95, whole.Response.P99}, []int64{o.P50, o.P95, o.P99}, "all of it was recent: %s", o.Name)
		assert.Equal(t, whole.Right, times[o.Name], o.Name)
		buckets := int64(0)
		for _, n := range whole.Buckets {
			buckets += n
		}
		assert.Equal(t, whole.Right, buckets, "each right answer is in a bucket")
		for kind, n := range o.Kinds {
			wrong[kind] += n
		}
	}
	assert.Equal(t, map[string]int64{"status": 1}, wrong)
	assert.Equal(t, 1, news, "a wrong answer is told once")
	assert.Equal(t, []int64{110, 110, 109, 1}, []int64{last.Asked, last.Sent, last.Right, last.Wrong})
	assert.Equal(t, report.Generator.Lag.P99, last.Lag99)
	assert.Zero(t, last.Left)
	require.Len(t, last.Limits, 3)
	assert.Equal(t, reports.Limit{Expression: "errors<5%", Value: "0.91 %", Verdict: reports.Pass}, last.Limits[0])
	assert.Equal(t, reports.Limit{Expression: "p99<10us", Value: report.Limits[1].Value, Verdict: reports.Fail}, last.Limits[1])
	assert.Equal(t, reports.Limit{Expression: "signon.p50<1s", Value: "–", Verdict: reports.Inconclusive}, last.Limits[2])
}

// BenchmarkProgress sums up and tells seconds of 10,000 hits of three operations with four limits: the cost of a second
// with a live view. It must stay below 10 ms, 1 % of a core.
func BenchmarkProgress(b *testing.B) {
	seconds := tenThousandASecond(b)
	ledger := tally.NewLedger(threeOperations, false)
	told := 0
	v := progressView{tell: func(Progress) { told++ }, names: threeOperations, total: time.Hour, limits: []string{"p99<300ms", "refresh.p99<300ms", "errors<1%", "throughput>1/s"}, totals: make([]Operation, 3)}
	for _, f := range seconds {
		require.NoError(b, ledger.Add(f)) // which is done in any case
	}
	began := cpuTime()
	n := 0
	for ; b.Loop(); n++ {
		f := *seconds[n%len(seconds)]
		f.Second = n
		v.add(&f, nil, ledger, int64(n+1)*10_000, 10)
	}
	b.ReportMetric(float64((cpuTime()-began).Nanoseconds())/float64(n), "cpu-ns/op") // on a machine that does more besides
	require.Positive(b, told)
}

var threeOperations = []string{"signon", "refresh", "discover"}

// tenThousandASecond are some seconds of a load.
func tenThousandASecond(b *testing.B) []*tally.Frame {
	began := time.Now().Add(-time.Hour)
	counting := tally.New(threeOperations, false, false, began)
	at := schedule.Constant(per(10_000), 8*time.Second)
	random := rand.New(rand.NewPCG(1, 1))
	var seconds []*tally.Frame
	for n := range at.Hits() {
		if n > 0 && n%10_000 == 0 {
			seconds = append(seconds, counting.Take())
		}
		due := began.Add(at.At(n))
		answer := hit.Answer{Status: 200, Sent: due.Add(time.Duration(random.IntN(100_000))), Received: due.Add(time.Duration(2e6 + 3e6*random.ExpFloat64()))}
		counting.Send(int(n%3), due, answer.Sent)
		counting.End(n, due, &hit.Request{Operation: int(n % 3)}, &answer, &hit.Outcome{}, &hit.Phases{})
	}
	for _, f := range seconds {
		for i := range f.Operations {
			f.Operations[i].Asked = nil // of seconds that are told again and again
		}
	}
	return seconds
}

// TestTheLatestWrongAnswersAreTold: of many only the latest, each once and without secrets, though the report keeps the
// first ones.
func TestTheLatestWrongAnswersAreTold(t *testing.T) {
	t.Parallel()
	secrets := &redact.Redactor{}
	secrets.Add("a-secret-of-the-service")
	n := &newest{names: []string{"even", "odd"}, secrets: secrets}
	n.note(0, &hit.Outcome{})
	for i := range 12 {
		n.note(i%2, &hit.Outcome{Kind: "status", Message: fmt.Sprint("a-secret-of-the-service ", i)})
	}
	told := n.take()
	require.Len(t, told, maxNewest)
	for i, w := range told {
		assert.Equal(t, []string{"odd", "even"}[i%2], w.Operation)
		assert.True(t, strings.HasSuffix(w.Message, fmt.Sprint(" ", 7+i)), w.Message)
		assert.NotContains(t, w.Message, "a-secret-of")
	}
	assert.Empty(t, n.take())
	(*newest)(nil).note(0, &hit.Outcome{Kind: "status"})
}
