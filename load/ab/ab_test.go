package ab

import (
	"context"
	"encoding/base64"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/hit"
	"agstest/load/lab"
	"agstest/load/schedule"
	"agstest/mock"
	"agstest/reports"
	"agstest/reports/compare"
)

func TestTurnsAreASchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := schedule.Rate{Hits: rapid.Int64Range(1, 5000).Draw(t, "hits"), Per: time.Duration(rapid.IntRange(1, 60).Draw(t, "per")) * time.Second}
		block := time.Duration(rapid.Int64Range(int64(100*time.Millisecond), int64(20*time.Second)).Draw(t, "block"))
		pairs := rapid.IntRange(1, 20).Draw(t, "pairs")
		if rate.HitsBefore(block) == 0 {
			t.Skip("no hit in a block")
		}
		old, new, oldFirst := takeTurns(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)), rate, block, pairs)
		if len(oldFirst) != pairs {
			t.Fatalf("%d orders of %d pairs", len(oldFirst), pairs)
		}
		for _, s := range []turns{old, new} {
			if s.Hits() != s.each*uint64(pairs+1) {
				t.Fatalf("%d hits in %d blocks of %d", s.Hits(), pairs+1, s.each)
			}
			for _, n := range []uint64{0, s.each - 1, s.Hits() / 2, s.Hits() - 1, rapid.Uint64Range(0, s.Hits()-1).Draw(t, "n")} {
				at := s.At(n)
				if got := s.Count(at); got != n+1 {
					t.Fatalf("Count(At(%d)) = %d", n, got)
				}
				if at >= s.Length() {
					t.Fatalf("hit %d is due at %s, after the end at %s", n, at, s.Length())
				}
				if n > 0 && s.At(n-1) >= at {
					t.Fatalf("hits %d and %d are due at %s and %s", n-1, n, s.At(n-1), at)
				}
			}
			own := []time.Duration{s.own(0), s.own(s.starts[0] + block/2), s.own(s.Length())}
			if !slices.Equal(own, []time.Duration{0, block / 2, time.Duration(pairs+1) * block}) {
				t.Fatal("its own time is wrong")
			}
			if s.Count(s.Length()) != s.Hits() || s.Count(-1) != 0 {
				t.Fatal("the ends are wrong")
			}
		}
		for i := range old.starts {
			// Both blocks of a pair lie side by side, and no two blocks overlap.
			if min(old.starts[i], new.starts[i]) != time.Duration(2*i)*block || max(old.starts[i], new.starts[i]) != time.Duration(2*i+1)*block {
				t.Fatalf("pair %d starts at %s and %s", i, old.starts[i], new.starts[i])
			}
			if i > 0 && oldFirst[i-1] != (old.starts[i] < new.starts[i]) {
				t.Fatalf("the order of pair %d is noted wrongly", i)
			}
		}
	})
}

func TestTheOrderOfPairsIsDrawnAndRepeatable(t *testing.T) {
	order := func(seed uint64) []bool {
		_, _, oldFirst := takeTurns(rand.New(rand.NewPCG(seed, 1)), per(10), time.Second, 60)
		return oldFirst
	}
	assert.Equal(t, order(1), order(1))
	assert.NotEqual(t, order(1), order(2))
	first := 0
	for _, oldFirst := range order(1) {
		if oldFirst {
			first++
		}
	}
	assert.InDelta(t, 30, first, 15)
}

func TestBlocksAreLongEnoughForTheirQuantile(t *testing.T) {
	for rate, want := range map[float64]time.Duration{10: 10 * time.Second, 100: 5600 * time.Millisecond, 111.2: 5 * time.Second, 200: 5 * time.Second, 5000: 5 * time.Second} {
		block := blockOf(rate, 1)
		assert.Equal(t, want, block, "%v/s", rate)
		if want < longestAuto {
			assert.GreaterOrEqual(t, rate*(block-block/settleShare).Seconds()*0.01, 4.99, "%v/s", rate)
		}
	}
}

func TestBlocksAreLongEnoughForTheRarestOperation(t *testing.T) {
	assert.Equal(t, 5600*time.Millisecond, blockOf(200, clients.Traffic{Workload: clients.WorkloadMixed, Mix: map[string]int{"signon": 1, "refresh": 9, "discover": 0}}.Rarest()))
	assert.Equal(t, 0.125, clients.Traffic{Workload: clients.WorkloadLifecycle}.Rarest())
	assert.Equal(t, 0.2, clients.Traffic{Workload: clients.WorkloadLifecycle, Refreshes: 2}.Rarest())
	assert.Equal(t, 0.5, clients.Traffic{Workload: clients.WorkloadHeadEnd}.Rarest())
	assert.Equal(t, 1.0, clients.Traffic{Workload: clients.WorkloadRefresh}.Rarest())
}

func TestTheFirstTenthOfABlockIsNotCounted(t *testing.T) {
	began := time.Now()
	schedule := turns{starts: []time.Duration{0, 4 * time.Second}, rate: per(10), block: 2 * time.Second, each: 20, length: 8 * time.Second}
	r := newBlockCounter(signOns{}, schedule, 200*time.Millisecond, began)
	var request hit.Request
	for seq := range uint64(40) {
		require.True(t, r.Begin(seq, &request))
		// The first two hits of each block are slow, as on a cold cache; the last of each block is wrong.
		took := 10 * time.Millisecond
		if seq%20 < 2 {
			took = time.Second
		}
		answer := &hit.Answer{Status: 200, Body: []byte("right"), Received: began.Add(schedule.At(seq) + took)}
		if seq%20 == 19 {
			answer.Status = 500
		}
		r.End(&request, answer)
	}
	want := map[string]compare.BlockFigures{"signon": {Sent: 18, Right: 17, Wrong: 1, P50: 10e6, P95: 10e6, P99: 10e6}}
	assert.Equal(t, want, r.figures(0, []string{"signon"}))
	assert.Equal(t, want, r.figures(1, []string{"signon"}))
	warmUp, settling := map[string]compare.Answers{}, map[string]compare.Answers{}
	r.uncounted(warmUp, settling, []string{"signon"})
	assert.Equal(t, map[string]compare.Answers{"signon": {Sent: 20, Wrong: 1}}, warmUp)
	assert.Equal(t, map[string]compare.Answers{"signon": {Sent: 2}}, settling)
	assert.True(t, r.whole(1))
	assert.EqualValues(t, 17, r.totals[0].Percentiles().Count, "the block that warms up is in no total")
	assert.Nil(t, request.Client.(*turnHit).inner)
}

func TestAnswersThatAnInterruptCutOffAreNotCounted(t *testing.T) {
	schedule := turns{starts: []time.Duration{0}, rate: per(10), block: time.Second, each: 10, length: time.Second}
	r := newBlockCounter(signOns{}, schedule, 0, time.Now())
	var request hit.Request
	require.True(t, r.Begin(0, &request))
	r.End(&request, &hit.Answer{Err: hit.ErrAborted, Received: time.Now()})
	assert.Empty(t, r.figures(0, []string{"signon"}))
	assert.False(t, r.whole(0))
}

func TestNearestRank(t *testing.T) {
	values := []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for q, want := range map[float64]int64{0.5: 5, 0.95: 10, 0.9: 9, 0.1: 1, 0: 1, 1: 10} {
		assert.Equal(t, want, nearestRank(values, q), "q = %v", q)
	}
	assert.Zero(t, nearestRank(nil, 0.5))
}

// quickAB compares two services in about five seconds. The rate is low: of blocks of 20 hits it shows who sends what,
// and when; tests that are about figures raise it.
func quickAB(old, new *environment.Environment) Options {
	return Options{
		Old: old, New: new, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh}, Rate: per(100), Pairs: 10,
		Block: 200 * time.Millisecond, Seed: 3, Placement: compare.SamePlacement,
	}
}

func TestABMeasuresBothSidesByTurns(t *testing.T) {
	t.Parallel()
	var sent [2]atomic.Int64
	watch := func(side int) func(http.Handler) http.Handler {
		return func(inner http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent[side].Add(1)
				inner.ServeHTTP(w, r)
			})
		}
	}
	broken := func(inner http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/refresh") && sent[1].Load()%10 == 0 {
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
			inner.ServeHTTP(w, r)
		})
	}
	old := newServer(t, mock.Config{}, watch(0))
	new := newServer(t, mock.Config{}, func(h http.Handler) http.Handler { return watch(1)(broken(h)) })
	o := quickAB(old.Environment, new.Environment)
	o.Rate = per(500)
	swaps := 0
	o.Placement, o.Swap = "", func(context.Context) error { swaps++; return nil }
	o.Run, o.Confirm = reports.Run{ID: "ab-1"}, true
	var pairs []int
	told := int64(0)
	o.Progress = func(p Progress) { pairs, told = append(pairs, p.Pair), max(told, p.Wrong) }
	var counting sync.Mutex
	var times, right [2]int64
	var last [2]engine.Progress
	o.Side = func(newer bool, at engine.Progress) {
		counting.Lock()
		defer counting.Unlock()
		side := 0
		if newer {
			side = 1
		}
		if !at.Began.Equal(last[side].Began) { // the next leg
			last[side] = engine.Progress{}
		}
		right[side] += at.Right - last[side].Right
		last[side] = at
		for _, operation := range at.Operations {
			operation.Service.Each(func(_, count int64) { times[side] += count })
		}
	}
	c, err := Run(context.Background(), o)
	require.NoError(t, err)
	assert.Positive(t, told, "wrong answers of the new side are told while it goes on")
	for side := range times {
		assert.Positive(t, right[side])
		assert.Equal(t, right[side], times[side], "each second of each side is told once")
	}

	assert.Equal(t, compare.SideBySide, c.Method)
	assert.Equal(t, "ab", c.Run.Kind)
	assert.Empty(t, c.Run.Partial)
	job := c.Interleaved
	assert.Equal(t, compare.Swapped, job.Plan.Placement)
	assert.Equal(t, 20*time.Millisecond, job.Plan.Settle)
	assert.Equal(t, len(job.Rounds), swaps, "once half-way through each round")
	require.Len(t, job.Rounds[0].Pairs, 10)
	wrong := int64(0)
	for i, pair := range job.Rounds[0].Pairs {
		assert.EqualValues(t, 90, pair.Old[hit.OpRefresh].Sent, "pair %d: nine tenths of 500/s in 200 ms", i)
		assert.EqualValues(t, 90, pair.New[hit.OpRefresh].Sent, "pair %d: a client that met a 500 still holds its token", i)
		for _, figures := range []compare.BlockFigures{pair.Old[hit.OpRefresh], pair.New[hit.OpRefresh]} {
			assert.Equal(t, figures.Sent, figures.Right+figures.Wrong)
		}
		wrong += pair.New[hit.OpRefresh].Wrong
		assert.Zero(t, pair.Old[hit.OpRefresh].Wrong)
	}
	assert.Greater(t, wrong, int64(50), "one answer in ten of the new side is wrong")
	for _, operation := range c.Load.Operations {
		if operation.Operation == hit.OpRefresh {
			assert.InDelta(t, 500, operation.Old.Rate, 1e-6, "the other side's turns are none of its time")
			assert.Len(t, operation.Shift, 9+len(job.Rounds), "deciles and p95; the 810 answers of one round carry no p99, those of two do")
		}
	}
	for _, metric := range job.Metrics {
		assert.Equal(t, hit.OpRefresh, metric.Operation, "sign-ons that mend a chain are not judged")
	}
	for _, hits := range []*compare.KeptHits{job.OldHits, job.NewHits} {
		require.NotNil(t, hits)
		refreshes := (&reports.Load{Slowest: hits.Slowest}).SlowestOf(hit.OpRefresh, true)
		require.Len(t, refreshes, reports.KeptSlow)
		assert.NotEmpty(t, refreshes[0].CorrelationID)
	}
	assert.Empty(t, job.OldHits.Wrong)
	failed := (&reports.Load{Wrong: job.NewHits.Wrong}).ExamplesOf(hit.OpRefresh, hit.KindStatus)
	require.Len(t, failed, 3*reports.KeptWrong)
	assert.Equal(t, []int{500, 500}, []int{failed[0].Hit.Status, failed[0].Exchange.Status})
	assert.Contains(t, strings.Join(c.Notes, "\n"), "Wrong answer of the new side: refresh status: refresh was answered 500, not 200; such as ")
	assert.Contains(t, strings.Join(c.Notes, "\n"), "x-correlation-id "+failed[0].Hit.CorrelationID)
	assert.NotEmpty(t, pairs)
	var errorsJudged *compare.MetricComparison
	for i := range job.Metrics {
		if job.Metrics[i].Operation == hit.OpRefresh && job.Metrics[i].Metric == "errors" {
			errorsJudged = &job.Metrics[i]
		}
	}
	require.NotNil(t, errorsJudged)
	assert.Equal(t, reports.Regressed, errorsJudged.Rounds[0].Flagged, errorsJudged.Reason)
	if len(job.Invalid) == 0 {
		require.Len(t, job.Rounds, 2, "what the first round found was looked for again")
		assert.Len(t, job.Rounds[1].Pairs, 10)
		assert.Contains(t, c.Reason, "A second round confirmed it.")
	}
	// A busy machine may make the figures not valid: there is no second round then, and where that does not excuse the wrong
	// answers they are judged all the same. Nothing else is right.
	assert.Contains(t, []reports.Verdict{reports.Regressed, reports.NotComparable}, c.Verdict, c.Reason)
}

// A build whose first answers are wrong is worse, although no figure counts the block that warms up.
func TestABTellsOfWrongAnswersThatNoFigureCounts(t *testing.T) {
	t.Parallel()
	cold := lab.Spoiled("/refresh", 0, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if n > 18 {
			next.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	old, new := newServer(t, mock.Config{}, nil), newServer(t, mock.Config{}, cold)
	o := quickAB(old.Environment, new.Environment)
	o.MaxLag = time.Minute // the machine does other work beside tests
	c, err := Run(context.Background(), o)
	require.NoError(t, err)
	assert.Contains(t, strings.Join(c.Notes, "\n"), "identity and uniqueness were checked on every answer", "what the load of a side remarks is told")
	if len(c.Interleaved.Invalid) > 0 {
		t.Skipf("this machine was too busy: %v", c.Interleaved.Invalid)
	}
	round := c.Interleaved.Rounds[0]
	assert.Equal(t, compare.Answers{Sent: 20}, round.WarmUp.Old[hit.OpRefresh])
	// The service counts requests as they come, and some may overtake others over the border of a block.
	first, next := round.WarmUp.New[hit.OpRefresh], round.Settling.New[hit.OpRefresh]
	assert.Equal(t, []int64{20, 20}, []int64{first.Sent, next.Sent})
	assert.GreaterOrEqual(t, first.Wrong, int64(12))
	assert.Less(t, next.Wrong, first.Wrong)
	assert.Equal(t, reports.Regressed, c.Verdict, c.Reason)
	assert.Contains(t, c.Reason, "Many answers of the new build were wrong: 90.00 % of refresh in the warm-up (before: 0 %).")
}

// A side whose legs are not valid fails by its answers where each of these legs does.
func TestASideFailsByAnswersThatNoDelayExcuses(t *testing.T) {
	t.Parallel()
	kept, late := &reports.Load{Valid: true, Verdict: reports.Pass}, []string{"hits left late"}
	failed, open := &reports.Load{Invalid: late, Verdict: reports.Fail}, &reports.Load{Invalid: late, Verdict: reports.Invalid}
	for name, test := range map[string]struct {
		legs []*reports.Load
		want reports.Verdict
	}{
		"valid":       {[]*reports.Load{kept, kept}, ""},
		"by answers":  {[]*reports.Load{kept, failed}, reports.Fail},
		"one is open": {[]*reports.Load{open, failed}, reports.Invalid},
		"and later":   {[]*reports.Load{failed, open, failed}, reports.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			sum := (&side{reports: test.legs}).joined()
			assert.Equal(t, test.want, sum.Verdict)
			assert.Equal(t, test.want == "", sum.Valid)
		})
	}
}

// A build that refuses some of the accounts for good is worse, however often their clients come back.
func TestABTellsOfABuildThatRefusesSomeAccounts(t *testing.T) {
	t.Parallel()
	number := regexp.MustCompile(`"accountId":"\D*(\d+)"`)
	refusing := lab.Spoiled("/refresh", 0, func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		_, rest, _ := strings.Cut(r.Header.Get("Authorization"), ".")
		payload, _, _ := strings.Cut(rest, ".")
		claims, _ := base64.RawURLEncoding.DecodeString(payload)
		if found := number.FindSubmatch(claims); found == nil || (found[1][len(found[1])-1]-'0')/2 == 1 { // 2 or 3: a fifth
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
	old, new := newServer(t, mock.Config{}, nil), newServer(t, mock.Config{}, refusing)
	o := quickAB(old.Environment, new.Environment)
	o.MaxLag = time.Minute // the machine does other work beside tests
	c, err := Run(context.Background(), o)
	require.NoError(t, err)
	warmUp := c.Interleaved.Rounds[0].WarmUp.New[hit.OpRefresh]
	assert.InDelta(t, 0.2, float64(warmUp.Wrong)/float64(warmUp.Sent), 0.05)
	if len(c.Interleaved.Invalid) > 0 {
		t.Skipf("this machine was too busy: %v", c.Interleaved.Invalid)
	}
	assert.Equal(t, reports.Regressed, c.Verdict, c.Reason)
	assert.Contains(t, c.Reason, "Many answers of the new build were wrong: ")
}

// A side without clients measures nothing any more, and the other one alone nothing either.
func TestABEndsWhereASideHasNoClientLeft(t *testing.T) {
	t.Parallel()
	lost := lab.Spoiled("/refresh", 250, func(_ int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		answer := httptest.NewRecorder()
		if next.ServeHTTP(answer, r); answer.Code < 300 {
			panic(http.ErrAbortHandler) // the service took the token, and its client learns of it at its next try
		}
		w.WriteHeader(answer.Code)
	})
	old := newServer(t, mock.Config{Behaviour: mock.Behaviour{RevokeOnRefresh: true}}, lost)
	old.Environment.Load.Clients.Count = 30
	new := newServer(t, mock.Config{}, nil)
	o := quickAB(old.Environment, new.Environment)
	o.Rate = per(500) // so that each client soon has its turn again
	o.Clients, o.Confirm = 10, true
	c, err := Run(context.Background(), o)
	require.NoError(t, err)
	assert.Contains(t, c.Run.Partial, "the old side ended early: no virtual client is left")
	require.Len(t, c.Interleaved.Rounds, 1)
	assert.Less(t, len(c.Interleaved.Rounds[0].Pairs), 5)
	assert.Contains(t, []reports.Verdict{reports.Inconclusive, reports.NotComparable}, c.Verdict, c.Reason)
}

// TestABTellsHowFarItsSetUpIs: each side that signs clients on tells so.
func TestABTellsHowFarItsSetUpIs(t *testing.T) {
	t.Parallel()
	told := 0
	s := newServer(t, mock.Config{}, nil)
	o := quickAB(s.Environment, s.Environment)
	o.SetUp = func(clients.SetUp) { told++ }
	j, err := newJob(&o)
	require.NoError(t, err)
	for _, s := range []*side{j.old, j.new} {
		s.options().SetUp(clients.SetUp{})
	}
	assert.Equal(t, 2, told)
}

// Before the clock starts, too, an answer of another client is the new build's.
func TestABFailsForAMixUpBeforeTheClockStarts(t *testing.T) {
	t.Parallel()
	stranger := lab.Spoiled("/signOnWithSessionToken", 3, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if n > 1 {
			next.ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusCreated)
		io.WriteString(w, lab.TokenBody("L777", "LOAD_777", "L777", "LOAD_777", "one"))
	})
	old, new := newServer(t, mock.Config{}, nil), newServer(t, mock.Config{}, stranger)
	c, err := Run(context.Background(), quickAB(old.Environment, new.Environment))
	require.NoError(t, err)
	if len(c.Interleaved.Invalid) > 0 {
		t.Skipf("this machine was too busy: %v", c.Interleaved.Invalid)
	}
	assert.Equal(t, reports.Regressed, c.Verdict, c.Reason)
	assert.Contains(t, c.Reason, "1 answer before the clock started (identity)")
	assert.Contains(t, strings.Join(c.Notes, "\n"), "Wrong answer of the new side: set-up identity: the answer to the signon of client")
}

func TestABOfOneBuildSharesItsClients(t *testing.T) {
	t.Parallel()
	s := newServer(t, mock.Config{}, nil)
	o := quickAB(s.Environment, nil)
	o.AA, o.Placement, o.LastAA = true, compare.Uncontrolled, &compare.SelfComparison{}
	c, err := Run(context.Background(), o)
	require.NoError(t, err)
	assert.True(t, c.Interleaved.Plan.AA)
	assert.Equal(t, compare.SamePlacement, c.Interleaved.Plan.Placement, "one service is where it is")
	assert.Nil(t, c.Interleaved.LastAA)
	for _, operation := range c.Load.Operations {
		assert.Zero(t, operation.Old.Wrong, "no client is in two places")
		assert.Zero(t, operation.New.Wrong)
	}
	assert.NotNil(t, compare.SelfComparisonOf(c))
}

func TestABThatIsInterrupted(t *testing.T) {
	t.Parallel()
	s := newServer(t, mock.Config{}, nil)
	o := quickAB(s.Environment, nil)
	o.AA, o.Pairs = true, 500
	var kept []*compare.Comparison
	var mu sync.Mutex // guards kept
	o.Keep = func(c *compare.Comparison) {
		mu.Lock()
		defer mu.Unlock()
		kept = append(kept, c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.Progress = func(Progress) {
		mu.Lock()
		defer mu.Unlock()
		if len(kept) > 0 {
			cancel()
		}
	}
	c, err := Run(ctx, o)
	require.NoError(t, err)
	assert.Equal(t, "it was interrupted", c.Run.Partial)
	require.Len(t, c.Interleaved.Rounds, 1)
	assert.Less(t, len(c.Interleaved.Rounds[0].Pairs), 500)

	// The files that a killed process would leave.
	require.NotEmpty(t, kept)
	last := kept[len(kept)-1]
	assert.Equal(t, "it goes on, or was killed", last.Run.Partial)
	assert.Equal(t, reports.Inconclusive, last.Verdict, last.Reason)
	require.Len(t, last.Interleaved.Rounds, 1)
	assert.NotEmpty(t, last.Interleaved.Rounds[0].Pairs)
	require.NoError(t, reports.WriteJSON(io.Discard, last))
	assert.Contains(t, []reports.Verdict{reports.Inconclusive, reports.NotComparable}, c.Verdict, c.Reason)
}

// A build that answers some requests late is not kept as one that got fewer of them: what its figures would lack are its
// slowest answers.
func TestAPairIsKeptOnceAllItsAnswersAreIn(t *testing.T) {
	t.Parallel()
	answered := make(chan struct{})
	held := lab.Spoiled("/refresh", 50, func(n int64, w http.ResponseWriter, r *http.Request, next http.Handler) {
		if n <= 5 { // of the first or the second pair
			<-answered
		}
		next.ServeHTTP(w, r)
	})
	old, new := newServer(t, mock.Config{}, nil), newServer(t, mock.Config{}, held)
	o := quickAB(old.Environment, new.Environment)
	var kept []*compare.Comparison
	o.Keep = func(c *compare.Comparison) { kept = append(kept, c) }
	var letGo sync.Once
	o.Progress = func(p Progress) {
		if p.Pair >= 7 {
			letGo.Do(func() { close(answered) })
		}
	}
	_, err := Run(context.Background(), o)
	require.NoError(t, err)
	for _, c := range kept {
		for i, pair := range c.Interleaved.Rounds[0].Pairs {
			sent := []int64{pair.Old[hit.OpRefresh].Sent, pair.New[hit.OpRefresh].Sent}
			assert.Equal(t, []int64{18, 18}, sent, "pair %d of %d", i, len(c.Interleaved.Rounds[0].Pairs))
		}
	}
}

func TestABThatCannotChangePlaces(t *testing.T) {
	t.Parallel()
	s := newServer(t, mock.Config{}, nil)
	o := quickAB(s.Environment, s.Environment)
	o.Placement, o.Swap = "", func(context.Context) error { return failure.Setupf("exit status 1") }
	c, err := Run(context.Background(), o)
	require.EqualError(t, err, "the builds could not change places: exit status 1")
	assert.Equal(t, failure.Setup, failure.KindOf(err))
	require.NotNil(t, c, "what was measured is told all the same")
	assert.Equal(t, "the builds could not change places: exit status 1", c.Run.Partial)
	assert.Len(t, c.Interleaved.Rounds[0].Pairs, 5)
	assert.Contains(t, []reports.Verdict{reports.Inconclusive, reports.NotComparable}, c.Verdict, c.Reason)
}

func TestABRefusesWhatCannotBeCompared(t *testing.T) {
	s := newServer(t, mock.Config{}, nil)
	protected := *s.Environment
	protected.Name, protected.Protected = "live", true
	for name, test := range map[string]struct {
		change func(o *Options)
		says   string
	}{
		"one side":          {func(o *Options) { o.New = nil }, "a comparison by turns needs two environments"},
		"no rate":           {func(o *Options) { o.Rate = schedule.Rate{} }, "needs a rate above 0"},
		"no schedule":       {func(o *Options) { o.Rate = schedule.Rate{Max: true} }, "at one and the same rate only"},
		"many pairs":        {func(o *Options) { o.Pairs = 1_000_000_000 }, "1000000000 pairs of blocks are more than a job can hold; give --pairs 100000 or fewer"},
		"few pairs":         {func(o *Options) { o.Pairs = 5 }, "5 pairs of blocks can show nothing; give --pairs 10 or more"},
		"short blocks":      {func(o *Options) { o.Block = time.Millisecond }, "blocks of 1ms are too short"},
		"too few hits":      {func(o *Options) { o.Rate = per(1) }, "a block of 200ms at 1/s has no two hits"},
		"swapped by nobody": {func(o *Options) { o.Placement = compare.Swapped }, "nothing makes them"},
		"same and swapped":  {func(o *Options) { o.Swap = func(context.Context) error { return nil } }, "need not change places"},
		"no such workload":  {func(o *Options) { o.Workload = "signin" }, `there is no workload "signin"`},
		"protected":         {func(o *Options) { o.New = &protected }, "--yes 127.0.0.1:"},
		"another one's yes": {func(o *Options) { o.New, o.YesLoad = &protected, []string{"other"} }, `--yes-load says "other" and the environment is "live"`},
		"too fast": {func(o *Options) {
			slow := *s.Environment
			slow.Load.MaxRate = "50/s"
			o.New = &slow
		}, "load.maxRate"},
	} {
		t.Run(name, func(t *testing.T) {
			o := quickAB(s.Environment, s.Environment)
			test.change(&o)
			_, err := Run(context.Background(), o)
			require.ErrorContains(t, err, test.says)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
		})
	}
}

func TestABOfAServiceThatIsNotThere(t *testing.T) {
	s := newServer(t, mock.Config{}, nil)
	gone := *s.Environment
	gone.URL = "http://127.0.0.1:1"
	_, err := Run(context.Background(), quickAB(s.Environment, &gone))
	require.Error(t, err)
	assert.Equal(t, failure.Setup, failure.KindOf(err), err)
}

// signOns is a workload of one operation, which any answer 200 satisfies.
type signOns struct{}

func (signOns) Operations() []string            { return []string{"signon"} }
func (signOns) Begin(uint64, *hit.Request) bool { return true }
func (signOns) End(_ *hit.Request, a *hit.Answer) hit.Outcome {
	if a.Status != http.StatusOK {
		return hit.Outcome{Kind: hit.KindStatus}
	}
	return hit.Outcome{}
}

func per(n int64) schedule.Rate { return schedule.Rate{Hits: n, Per: time.Second} }

// server is a mock with virtual clients.
type server struct{ *lab.Service }

func newServer(t testing.TB, config mock.Config, middleware func(http.Handler) http.Handler) *server {
	t.Helper()
	return &server{lab.New(t, config, middleware)}
}
