package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	vegeta "github.com/tsenart/vegeta/v12/lib"
	"github.com/tsenart/vegeta/v12/lib/plot"

	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/load/tally"
	"agstest/reports"
)

// stall is a service that stands still from the n-th request on, for so long at least. How long it truly was is known
// afterwards.
type stall struct {
	from    int64
	length  time.Duration
	arrived atomic.Int64
	over    chan struct{}
	stood   time.Duration // may be read when over is closed
}

func newStall(from int64, length time.Duration) *stall {
	return &stall{from: from, length: length, over: make(chan struct{})}
}

func (s *stall) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch n := s.arrived.Add(1); {
	case n == s.from:
		began := time.Now()
		time.Sleep(s.length)
		s.stood = time.Since(began)
		close(s.over)
	case n > s.from:
		<-s.over
	}
	right(w, r)
}

// heldBack is how long this process was kept from running, as a goroutine sees it that wants to run each millisecond,
// until the end is asked for.
func heldBack() (end func() time.Duration) {
	done, total := make(chan struct{}), make(chan time.Duration)
	go func() {
		var held time.Duration
		for last := time.Now(); ; {
			select {
			case <-done:
				total <- held
				return
			case <-time.After(time.Millisecond):
			}
			now := time.Now()
			held += max(0, now.Sub(last)-2*time.Millisecond)
			last = now
		}
	}()
	return func() time.Duration {
		close(done)
		return <-total
	}
}

// A server that stands still holds every hit that was due meanwhile. With few workers most of them are not even sent
// while it stands; they are late by the schedule all the same. Of hits due evenly over the stall of length s, a share p
// waits longer than (1−p)·s.
func TestAStallIsSeenWithFewWorkers(t *testing.T) {
	const rate, from, length = 400, 120, 500 * time.Millisecond
	for _, few := range []bool{true, false} {
		s := newStall(from, length)
		server := serve(t, s.ServeHTTP)
		asked := asking{Rate: per(rate), Duration: 1200 * time.Millisecond}
		if few {
			asked.Workers = 16
		}
		e := testEngine(t, server.URL, &twoPaths{operations: []string{"call"}}, asked)
		end := heldBack()
		report, err := e.run(context.Background())
		held := end()
		require.NoError(t, err)
		<-s.over
		total := report.Total
		require.EqualValues(t, 480, total.Right)
		// The 25 hits that were due first in the stall waited for all of it but 25/400 s, and 5 % of all are 24. A busy
		// machine makes the stall longer (the test knows by how much), and holds answers back for as long as it held
		// this process back.
		stood, own := s.stood.Seconds(), held.Seconds()+0.05
		p95, most := float64(total.Response.P95)/1e9, float64(total.Response.Max)/1e9
		t.Logf("few workers %t: stood %v, held back %v, response time 95 %% %.3f s, most %.3f s", few, s.stood, held, p95, most)
		assert.GreaterOrEqual(t, p95, 0.995*(stood-25./rate))
		assert.LessOrEqual(t, p95, stood+own)
		assert.GreaterOrEqual(t, most, 0.995*(stood-1./rate))
		assert.LessOrEqual(t, most, stood+own)
		if few {
			assert.Less(t, total.Service.P90, total.Response.P90/2+int64(held), "only those under way when it began were held, seen from their sending")
			assert.EqualValues(t, 16, report.Generator.MaxInFlight)
			assert.Greater(t, report.Generator.AtCap, int64(100))
			assert.False(t, report.Valid)
			assert.Contains(t, report.Invalid[0], "waited for one of the 16 workers")
			assert.Equal(t, reports.Invalid, report.Verdict)
			continue
		}
		// With enough workers, all hits leave in time.
		late := report.Generator.Lag.Max // the machine itself held hits back so long
		assert.Greater(t, total.Service.P95, (total.Response.P95-late)/2)
		assert.Zero(t, report.Generator.AtCap)
		assert.Greater(t, report.Generator.MaxInFlight, 150-rate*(late+int64(held))/int64(time.Second))
	}
}

// pool is a workload with few clients.
type pool struct {
	twoPaths
	free chan int
}

func (p *pool) Begin(seq uint64, r *hit.Request) bool {
	select {
	case n := <-p.free:
		p.twoPaths.Begin(seq, r)
		r.Client = n
		return true
	default:
		return false
	}
}

func (p *pool) End(r *hit.Request, a *hit.Answer) hit.Outcome {
	outcome := p.twoPaths.End(r, a)
	p.free <- r.Client.(int)
	return outcome
}

func TestWaitingForAClientIsPartOfTheResponseTime(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(20 * time.Millisecond)
		right(w, r)
	})
	w := &pool{twoPaths: twoPaths{operations: []string{"call"}}, free: make(chan int, 2)}
	w.free <- 1
	w.free <- 2
	// Two clients of 20 ms each can do 100 a second at most: the last of 60 hits in 0.3 s waits 0.3 s and more.
	e := testEngine(t, server.URL, w, asking{Rate: per(200), Duration: 300 * time.Millisecond})
	report, err := e.run(context.Background())
	require.NoError(t, err)
	assert.EqualValues(t, 60, report.Total.Right)
	assert.Greater(t, report.Total.Response.Max, int64(280*time.Millisecond))
	assert.Less(t, report.Total.Service.P50, report.Total.Response.Max/2)
	assert.Greater(t, report.Generator.Starved, int64(30))
	assert.False(t, report.Valid)
	assert.Contains(t, strings.Join(report.Invalid, ", "), "waited for a virtual client")
}

// spent is a workload that ends after some hits.
type spent struct {
	twoPaths
	left atomic.Int64
}

func (s *spent) Begin(seq uint64, r *hit.Request) bool {
	return s.left.Add(-1) >= 0 && s.twoPaths.Begin(seq, r)
}

func (s *spent) Exhausted(uint64) error {
	if s.left.Load() < 0 {
		return io.ErrNoProgress
	}
	return nil
}

// resting is a workload whose clients were all asked to come again after the run.
type resting struct {
	twoPaths
	left atomic.Int64
}

func (r *resting) Begin(seq uint64, request *hit.Request) bool {
	return r.left.Add(-1) >= 0 && r.twoPaths.Begin(seq, request)
}

// A closed loop has no schedule that tells what it should have sent: that nothing could be sent for most of its time is
// found all the same.
func TestAClosedLoopThatStandsStillDecidesNothing(t *testing.T) {
	t.Parallel()
	w := &resting{twoPaths: twoPaths{operations: []string{"call"}}}
	w.left.Store(20)
	e := testEngine(t, serve(t, right).URL, w, asking{Max: true, Workers: 4, Duration: (minStandstill + 2) * time.Second})
	e.Timeout = time.Second // a hit without a client is given up after that, and the next one stands still as well
	report, err := e.run(context.Background())
	require.NoError(t, err)
	assert.EqualValues(t, 20, report.Total.Right)
	assert.Equal(t, reports.Inconclusive, report.Verdict)
	assert.Contains(t, report.Reason, "% of the time, as no virtual client was free")
}

// A second without a hit was one, though a client came free before it was looked at; not so where a hit was under way.
func TestASecondWithoutAClient(t *testing.T) {
	began := time.Now()
	a := &attack{length: time.Minute, tally: tally.New([]string{"call"}, true, false, began)}
	stoodStill := func() bool { return a.stoodStill(a.tally.Take()) }
	a.waiting.Store(1)
	assert.True(t, stoodStill(), "nothing is under way")

	empty := a.tally.Take()
	send := func(after time.Duration) {
		a.waiting.Store(0)
		a.inFlight.Add(1)
		a.tally.Send(0, began.Add(after), began.Add(after))
	}
	send(2010 * time.Millisecond)
	assert.True(t, a.stoodStill(empty), "the client came free since then")
	assert.False(t, stoodStill(), "it was sent in this one")
	empty = a.tally.Take()
	assert.False(t, a.stoodStill(empty), "its answer is awaited")
	send(4010 * time.Millisecond)
	assert.False(t, a.stoodStill(empty), "one is awaited, and one was sent since then")
}

func TestOnlyALongStandstillCounts(t *testing.T) {
	var s standstill
	for i, second := range []struct {
		still bool
		all   int
	}{{true, 0}, {true, 0}, {true, 0}, {true, 0}, {false, 0}, {true, 0}, {true, 0}, {true, 0}, {true, 0}, {true, 5}, {true, 6}, {false, 6}, {true, 6}} {
		assert.Equal(t, time.Duration(second.all)*time.Second, s.after(second.still), i)
	}
}

func TestARunEndsWhenNoClientIsLeft(t *testing.T) {
	t.Parallel()
	server := serve(t, right)
	w := &spent{twoPaths: twoPaths{operations: []string{"call"}}}
	w.left.Store(20)
	e := testEngine(t, server.URL, w, asking{Rate: per(200), Duration: time.Minute})
	report, err := e.run(context.Background())
	require.NoError(t, err)
	assert.EqualValues(t, 20, report.Total.Sent)
	assert.Equal(t, io.ErrNoProgress.Error(), report.Run.Partial)
	assert.NotEqual(t, reports.Pass, report.Verdict)
}

func TestAnInterruptKeepsWhatWasMeasured(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	hold := make(chan struct{})
	var n atomic.Int64
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 51 {
			cancel()
			<-hold // an answer that does not come
		}
		right(w, r)
	})
	t.Cleanup(func() { close(hold) })
	folder := t.TempDir()
	// Nothing is due for a while after the hit that ends the run, so that it does not matter when the end is noticed.
	pause := must(schedule.ReadProfile([]byte("stages: [{constant: {rate: 200/s, for: 250ms}}, {constant: {rate: 1/m, for: 1h}}]"), "pause.yaml"))
	e := testEngine(t, server.URL, &twoPaths{operations: []string{"call"}}, asking{Schedule: pause.Schedule(0), Record: folder})
	began := time.Now()
	report, err := e.run(ctx)
	require.NoError(t, err)
	assert.Less(t, time.Since(began), 5*time.Second)
	assert.Equal(t, "it was interrupted", report.Run.Partial)
	assert.GreaterOrEqual(t, report.Total.Right, int64(40))
	assert.Zero(t, report.Total.Wrong, "what we cut off is not the fault of the service")
	assert.EqualValues(t, 1, report.Total.Interrupted)
	assert.Equal(t, report.Total.Sent, report.Total.Right+report.Total.Interrupted)
	assert.NotEqual(t, reports.Pass, report.Verdict, report.Invalid)
	assert.EqualValues(t, 110, report.Plan.Hits)
	assert.EqualValues(t, 51, report.Total.Asked, "what was due after the interrupt is not missing")
	assert.EqualValues(t, 51, report.Total.Sent)
	again, err := tally.ReadRecord(folder)
	require.NoError(t, err)
	assert.Equal(t, report.Total, again.Total)
	assert.Equal(t, report.Run.Partial, again.Run.Partial)
}

// The seconds in which a run that was interrupted waits for its last answers are none of its schedule.
func TestTheWaitForLastAnswersLowersNoRate(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	hold := make(chan struct{})
	var n, ended atomic.Int64
	began := time.Now()
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 51 {
			cancel()
			ended.Store(int64(time.Since(began)))
			<-hold // an answer that does not come
		}
		right(w, r)
	})
	t.Cleanup(func() { close(hold) })
	pause := must(schedule.ReadProfile([]byte("stages: [{constant: {rate: 200/s, for: 250ms}}, {constant: {rate: 1/m, for: 1h}}]"), "pause.yaml"))
	e := testEngine(t, server.URL, &twoPaths{operations: []string{"call"}}, asking{Schedule: pause.Schedule(0), Limits: []string{"throughput>40/s"}})
	e.grace = 2 * time.Second
	report, err := e.run(ctx)
	require.NoError(t, err)
	if time.Duration(ended.Load()) > 1500*time.Millisecond {
		t.Skip("this machine was too busy to send 51 hits in a second")
	}
	assert.EqualValues(t, 50, report.Total.Right)
	require.Len(t, report.Limits, 1)
	rate, err := strconv.ParseFloat(strings.TrimSuffix(report.Limits[0].Value, "/s"), 64)
	require.NoError(t, err)
	assert.Greater(t, rate*1.2, 50/time.Duration(ended.Load()).Seconds(), "the wait would lower it to 22/s")
	assert.LessOrEqual(t, rate, 201.)
}

// sleepless is a timer that runs an interrupt in the place of a wait.
type sleepless struct{ interrupt func() }

func (s sleepless) sleep(context.Context, time.Duration) { s.interrupt() }
func (s sleepless) close()                               {}

func TestTheScheduleEndsWhereThePacerMeetsTheInterrupt(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]bool{"before it waits": true, "while it waits": false} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			if before {
				cancel()
			}
			told := 0
			p := &schedulePacer{
				schedule: schedule.Constant(per(1), time.Hour), timer: sleepless{cancel}, ctx: ctx, began: time.Now(), interrupted: func() { told++ },
			}
			_, stop := p.Pace(0, 1)
			assert.True(t, stop)
			assert.Equal(t, 1, told, "whoever asks next how many hits were due must know of the end")
		})
	}
	t.Run("the end of the schedule is none", func(t *testing.T) {
		p := &schedulePacer{schedule: schedule.Constant(per(1), time.Second), ctx: t.Context(), began: time.Now()}
		_, stop := p.Pace(0, 1)
		assert.True(t, stop)
	})
	a := &attack{began: time.Now().Add(-time.Minute)}
	a.interrupted()
	first := a.stopped.Load()
	assert.GreaterOrEqual(t, first, int64(time.Minute))
	a.interrupted()
	assert.Equal(t, first, a.stopped.Load(), "who notices later changes nothing")
}

func TestClosedLoop(t *testing.T) {
	var most, now atomic.Int64
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		right(w, r)
		now.Add(-1)
	})
	e := testEngine(t, server.URL, &twoPaths{operations: []string{"call"}}, asking{Max: true, Workers: 4, Duration: 300 * time.Millisecond})
	report, err := e.run(context.Background())
	require.NoError(t, err)
	busy := time.Duration(report.Total.Service.Mean * report.Total.Right)
	assert.Greater(t, busy, 4*300*time.Millisecond/2, "whoever has an answer sends the next request at once")
	assert.LessOrEqual(t, most.Load(), int64(4))
	assert.Equal(t, report.Total.Sent, report.Total.Asked)
	assert.Zero(t, report.Total.Response, "without a schedule there is no intended time")
	assert.Equal(t, report.Total.Right, report.Total.Service.Count)
	assert.True(t, report.Plan.Closed)
	assert.Equal(t, reports.Pass, report.Verdict, report.Reason)
	assert.NotZero(t, report.Seconds[0].P99)
}

// Answers that come after the end of the schedule are the slowest ones: a limit must see them.
func TestLimitsSeeTheAnswersAfterTheEnd(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if seq := r.Header.Get("X-Seq"); len(seq) == 2 && seq >= "95" {
			time.Sleep(1200 * time.Millisecond)
		}
		right(w, r)
	})
	e := testEngine(t, server.URL, &twoPaths{operations: []string{"call"}}, asking{Rate: per(100), Duration: time.Second, Limits: []string{"max<1s"}})
	report, err := e.run(context.Background())
	require.NoError(t, err)
	require.Len(t, report.Limits, 1)
	assert.Equal(t, reports.Fail, report.Limits[0].Verdict, "%+v", report.Limits[0])
	assert.Equal(t, reports.Fail, report.Verdict, report.Reason)
	wholeRate(t, 100, report) // the wait for late answers is no part of it
}

// Vegeta's own tools read the raw stream; it holds nothing that was sent or answered but sizes and statuses.
func TestTheRawStreamIsVegetas(t *testing.T) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Seq") == "3" {
			w.WriteHeader(500)
		}
		right(w, r)
	})
	var raw bytes.Buffer
	e := testEngine(t, server.URL, &twoPaths{operations: []string{"call"}}, asking{Rate: per(100), Duration: 100 * time.Millisecond, Raw: &raw})
	report, err := e.run(context.Background())
	require.NoError(t, err)
	decode := vegeta.NewDecoder(bytes.NewReader(raw.Bytes()))
	var metrics vegeta.Metrics
	var seqs []uint64
	for {
		var r vegeta.Result
		if err := decode(&r); err == io.EOF {
			break
		} else {
			require.NoError(t, err)
		}
		assert.Equal(t, server.URL+"/call", r.URL)
		assert.Equal(t, "POST", r.Method)
		assert.EqualValues(t, 5, r.BytesIn)
		assert.EqualValues(t, 5, r.BytesOut)
		assert.Empty(t, r.Body)
		assert.Empty(t, r.Headers)
		assert.Equal(t, "call", r.Attack)
		seqs = append(seqs, r.Seq)
		metrics.Add(&r)
	}
	metrics.Close()
	var text, page bytes.Buffer
	require.NoError(t, vegeta.NewTextReporter(&metrics)(&text))
	assert.Contains(t, text.String(), "200:9  500:1")
	drawing := plot.New()
	for decode := vegeta.NewDecoder(bytes.NewReader(raw.Bytes())); ; {
		var r vegeta.Result
		if decode(&r) != nil {
			break
		}
		require.NoError(t, drawing.Add(&r))
	}
	drawing.Close()
	_, err = drawing.WriteTo(&page)
	require.NoError(t, err)
	assert.Contains(t, page.String(), "<html")
	slices.Sort(seqs)
	assert.Equal(t, []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, seqs)
	assert.Equal(t, map[string]int{"200": 9, "500": 1}, metrics.StatusCodes)
	assert.InDelta(t, float64(report.Total.Service.P50), float64(metrics.Latencies.P50), float64(20*time.Millisecond))
}

func TestADeadDiskDoesNotEndTheRun(t *testing.T) {
	server := serve(t, right)
	folder := t.TempDir()
	e := testEngine(t, server.URL, &twoPaths{operations: []string{"call"}}, asking{Rate: per(100), Duration: 100 * time.Millisecond, Record: folder, Raw: failing{}})
	report, err := e.run(context.Background())
	require.NoError(t, err)
	assert.EqualValues(t, 10, report.Total.Right)
	assert.Contains(t, strings.Join(report.Notes, ", "), "raw results could not be written")

	e = testEngine(t, server.URL, &twoPaths{operations: []string{"call"}}, asking{Rate: per(100), Duration: 100 * time.Millisecond, Record: filepath.Join(folder, tally.RecordFile)})
	_, err = e.run(context.Background())
	assert.ErrorContains(t, err, "folder")
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, os.ErrClosed }

// The data on disk after a second is enough for a report, wherever the file ends.
func TestARecordThatIsCutAnywhereIsStillReported(t *testing.T) {
	t.Parallel()
	server := serve(t, right)
	folder := t.TempDir()
	path := filepath.Join(folder, tally.RecordFile)
	var alive *reports.Load
	var told Progress
	e := testEngine(t, server.URL, &twoPaths{operations: []string{"a", "b"}}, asking{Rate: per(100), Duration: 2200 * time.Millisecond, Record: folder, Trace: true, Progress: func(p Progress) {
		if alive == nil && p.Right > 0 { // a second is over, and on disk while the run goes on
			var err error
			alive, err = tally.ReadRecord(folder)
			assert.NoError(t, err)
			told = p
		}
	}})
	report, err := e.run(context.Background())
	require.NoError(t, err)
	require.NotNil(t, alive)
	assert.Equal(t, []int64{told.Asked, told.Sent, told.Right, told.Wrong}, []int64{alive.Total.Asked, alive.Total.Sent, alive.Total.Right, alive.Total.Wrong})
	assert.Contains(t, alive.Run.Partial, "broke off")

	again, err := tally.ReadRecord(folder)
	require.NoError(t, err)
	again.Run.End = report.Run.End
	assert.JSONEq(t, inJSON(t, report), inJSON(t, again), "a whole record is the report")

	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	last, enough := int64(-1), 0 // enough: where the first second ends, which on a busy machine may hold most of all
	for cut := 0; cut < len(whole); cut += 1 + len(whole)/150 {
		require.NoError(t, os.WriteFile(path, whole[:cut], 0o600))
		part, err := tally.ReadRecord(folder)
		if err != nil {
			assert.EqualValues(t, -1, last, "cut at %d of %d: %v", cut, len(whole), err)
			continue
		}
		if last < 0 {
			enough = cut
		}
		assert.NotEmpty(t, part.Run.Partial)
		assert.NotEqual(t, reports.Pass, part.Verdict)
		assert.GreaterOrEqual(t, part.Total.Sent, last)
		last = part.Total.Sent
	}
	assert.Greater(t, last, alive.Total.Sent)

	// A damaged byte ends the record there.
	whole[max(len(whole)*2/3, enough+1)] ^= 1
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	part, err := tally.ReadRecord(folder)
	require.NoError(t, err)
	assert.NotEmpty(t, part.Run.Partial)

	for name, text := range map[string]string{"another file": "PK\x03\x04 …………………………………………………", "nothing": "", "head only": "agstest load record 1\n"} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		_, err := tally.ReadRecord(folder)
		assert.Error(t, err, name)
	}
	_, err = tally.ReadRecord(t.TempDir())
	assert.ErrorContains(t, err, tally.RecordFile)
}

func inJSON(t testing.TB, v any) string {
	text, err := json.Marshal(v)
	require.NoError(t, err)
	return string(text)
}
