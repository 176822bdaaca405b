package engine

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/load/tally"
	"agstest/reports"
)

// BenchmarkTenMillionHits counts, sums up and records ten million hits of three operations at 5,000 a second, and makes
// the report of the record. Memory must not grow with hits: it reports the heap at the end.
func BenchmarkTenMillionHits(b *testing.B) {
	const rate, seconds = 5000, 2000
	operations := []string{"signon", "refresh", "discover"}
	for range b.N {
		folder := b.TempDir()
		began := time.Now().Add(-time.Hour)
		schedule := schedule.Constant(per(rate), seconds*time.Second)
		keep, err := tally.NewRecorder(folder, &tally.Head{Report: &reports.Load{Plan: reports.Plan{Seconds: seconds}}, Operations: operations, Began: began})
		require.NoError(b, err)
		a := &attack{schedule: schedule, length: schedule.Length(), began: began, tally: tally.New(operations, false, false, began)}
		s := &secondHand{attack: a, ledger: tally.NewLedger(operations, false), recorder: keep, health: newHealthWatch(began, 0)}
		random := rand.New(rand.NewPCG(1, 1))
		start, cpu := time.Now(), cpuTime()
		for n := range uint64(rate * seconds) {
			if n > 0 && n%rate == 0 {
				s.take(nil)
			}
			due := began.Add(schedule.At(n))
			sent := due.Add(time.Duration(random.IntN(100_000)))
			answer := hit.Answer{Status: 200, Sent: sent, Received: sent.Add(time.Duration(2e6 + 3e6*random.ExpFloat64()))}
			operation := int(n % 3)
			a.tally.Send(operation, due, sent)
			a.tally.End(n, due, &hit.Request{Operation: operation}, &answer, &hit.Outcome{}, &hit.Phases{})
		}
		s.take(nil)
		s.take(&tally.Ending{}) // the last answers came in the second after
		b.ReportMetric(float64(time.Since(start).Nanoseconds())/(rate*seconds), "ns/hit")
		b.ReportMetric(float64((cpuTime()-cpu).Nanoseconds())/(rate*seconds), "cpu-ns/hit")
		require.NoError(b, keep.Close())
		var memory runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&memory)
		b.ReportMetric(float64(memory.HeapAlloc)/(1<<20), "MB-held")
		b.ReportMetric(float64(memory.HeapSys)/(1<<20), "MB-heap")
		file, err := os.Stat(filepath.Join(folder, tally.RecordFile))
		require.NoError(b, err)
		b.ReportMetric(float64(file.Size())/(rate*seconds), "B/hit")
		start, cpu = time.Now(), cpuTime()
		report, err := tally.ReadRecord(folder)
		require.NoError(b, err)
		b.ReportMetric(time.Since(start).Seconds(), "s-report")
		b.ReportMetric((cpuTime() - cpu).Seconds(), "cpu-s-report")
		require.EqualValues(b, rate*seconds, report.Total.Right)
		runtime.KeepAlive(s)
	}
}

// BenchmarkHit is the engine's own cost of a hit: Vegeta, the RoundTripper, the tally, with a transport that does
// nothing.
func BenchmarkHit(b *testing.B) {
	w := &twoPaths{operations: []string{"call"}}
	began := time.Now()
	a := &attack{length: time.Hour, workload: w, transport: nothing{}, workers: 1, timeout: time.Second, tally: tally.New(w.operations, true, false, began), began: began}
	a.hits.New = func() any { return new(hitState) }
	request, err := http.NewRequest("POST", "http://hit/", nil)
	require.NoError(b, err)
	request.Header["X-Vegeta-Seq"] = []string{"7"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := a.RoundTrip(request); err != nil {
			b.Fatal(err)
		}
	}
}

// nothing is a transport that answers at once.
type nothing struct{}

var nothingBody = []byte("right")

func (nothing) Exchange(_ *hit.Request, answer *hit.Answer, _ time.Time, _ *hit.Phases) func() {
	answer.Status, answer.Body = 200, nothingBody
	return func() {}
}
func (nothing) Abort()         {}
func (nothing) Close()         {}
func (nothing) String() string { return "nothing" }
