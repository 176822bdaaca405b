package load

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/load/clients"
	"agstest/load/hit"
	"agstest/load/limit"
	"agstest/load/schedule"
	"agstest/mock"
	"agstest/reports"
)

// pretended is a service with a capacity: its response time grows like that of a queue, 5 ms / (1 − load).
type pretended struct {
	capacity  float64
	generator float64 // beyond this rate the generator is too slow; 0: never
	noise     float64
	random    *rand.Rand
	runs      int
	longest   time.Duration
}

func (p *pretended) run(_ context.Context, rate float64, length time.Duration) (*reports.Load, error) {
	p.runs++
	p.longest = max(p.longest, length)
	utilisation := rate / p.capacity
	if p.noise > 0 {
		utilisation *= 1 + p.noise*p.random.NormFloat64()
	}
	p99 := int64(10 * time.Second)
	if utilisation < 0.9995 {
		p99 = int64(float64(5*time.Millisecond) / (1 - utilisation))
	}
	times := reports.Percentiles{P50: p99 / 3, P90: p99 / 2, P95: p99 / 2, P99: p99, P999: p99, Max: p99}
	operation := &reports.Operation{Sent: 1000, Right: 1000, Rate: rate, Response: times, Service: times}
	r := &reports.Load{Verdict: reports.Pass, Valid: true, Total: operation, Operations: map[string]*reports.Operation{hit.OpRefresh: operation}}
	judged := reports.Limit{Expression: "refresh.p99<100ms", Verdict: reports.Pass}
	if p99 >= int64(100*time.Millisecond) {
		judged.Verdict, judged.Value, r.Verdict, r.Reason = reports.Fail, limit.ShowTime(float64(p99)), reports.Fail, "not kept: refresh.p99<100ms"
	}
	if p.generator > 0 && rate > p.generator {
		r.Verdict, r.Valid, r.Reason, r.Generator.CPUShare = reports.Invalid, false, "the generator used 99 % of its processors", 0.99
	}
	r.Limits = []reports.Limit{judged}
	return r, nil
}

func newTestSearch(t require.TestingT, p *pretended, options CapacityOptions, e *environment.Environment) *search {
	limits, err := limit.ParseAll([]string{"refresh.p99<100ms"})
	require.NoError(t, err)
	if e == nil {
		e = &environment.Environment{Name: "lab"}
	}
	s, err := newSearch(&Options{Environment: e, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh}, Limits: limits}, options)
	require.NoError(t, err)
	s.run = p.run
	return s
}

// TestAPointNamesAnswersThatWereNotRight: an answer that belongs to another client is graver than a limit that it breaks.
func TestAPointNamesAnswersThatWereNotRight(t *testing.T) {
	s := newTestSearch(t, &pretended{}, CapacityOptions{}, nil)
	limits := []reports.Limit{{Expression: "refresh.p99<100ms", Verdict: reports.Fail, Value: "–"}}
	operation := &reports.Operation{Sent: 210, Wrong: 210}
	r := &reports.Load{Verdict: reports.Fail, Valid: true, Total: operation, Operations: map[string]*reports.Operation{hit.OpRefresh: operation}, Limits: limits}
	r.Reason = "210 of 210 answers were not right: identity 210"
	assert.Equal(t, r.Reason+"; not kept: refresh.p99<100ms (it was –)", s.pointOf(10, r).Reason)
	r.Reason = "not kept: refresh.p99<100ms"
	assert.Equal(t, "not kept: refresh.p99<100ms (it was –)", s.pointOf(10, r).Reason)
}

// The rate at which 5 ms / (1 − load) reaches 100 ms is 95 % of the capacity.
func TestCapacityIsFoundWithinItsPrecision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &pretended{capacity: math.Exp(rapid.Float64Range(math.Log(5), math.Log(50000)).Draw(t, "log of the capacity"))}
		s := newTestSearch(t, p, CapacityOptions{Precision: 0.05}, nil)
		r, err := s.search(context.Background())
		require.NoError(t, err)
		truth := 0.95 * p.capacity
		require.LessOrEqual(t, r.Capacity.Rate, truth, "%+v", r.Capacity)
		require.Greater(t, r.Capacity.Rate, truth/1.08, "%+v", r.Capacity)
		require.False(t, r.Capacity.LowerBound)
		require.Equal(t, reports.Pass, r.Verdict)
		require.LessOrEqual(t, p.runs, 30)
		confirmed := 0
		for i, point := range r.Capacity.Points {
			if point.Rate == r.Capacity.Rate && point.Verdict == reports.Pass {
				confirmed++
			}
			if i > 0 {
				require.GreaterOrEqual(t, point.Rate, r.Capacity.Points[i-1].Rate)
			}
		}
		require.GreaterOrEqual(t, confirmed, 1+confirmations)
	})
}

func TestCapacityOfANoisyServiceIsNotFlattered(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		p := &pretended{capacity: 500, noise: 0.02, random: rand.New(rand.NewPCG(seed, 1))}
		r, err := newTestSearch(t, p, CapacityOptions{}, nil).search(context.Background())
		require.NoError(t, err)
		require.NotZero(t, r.Capacity.Points)
		require.Less(t, r.Capacity.Rate, 500*1.02)
		require.LessOrEqual(t, p.runs, maxPoints+1)
	})
}

// One bad moment of the service lowers no rate: it is tried again, and confirmed anew. Two at one rate do.
func TestCapacityOfAServiceThatStumbles(t *testing.T) {
	p := &pretended{capacity: 310} // 283/s, and not 295/s
	from := schedule.Rate{Hits: 100, Per: time.Second}
	stumbling := func(rate float64, tries ...int) *reports.Load {
		s := newTestSearch(t, p, CapacityOptions{From: from}, nil)
		tried := map[float64]int{}
		s.run = func(ctx context.Context, at float64, length time.Duration) (*reports.Load, error) {
			if tried[at]++; at == rate && slices.Contains(tries, tried[at]) {
				return (&pretended{capacity: 50}).run(ctx, at, length)
			}
			return p.run(ctx, at, length)
		}
		r, err := s.search(context.Background())
		require.NoError(t, err)
		return r
	}
	tries := func(r *reports.Load, rate float64) (n int) {
		for _, point := range r.Capacity.Points {
			if point.Rate == rate {
				n++
			}
		}
		return n
	}
	r := stumbling(100, 1)
	assert.Equal(t, 283.0, r.Capacity.Rate, "the first rate")
	assert.Equal(t, 2, tries(r, 100))
	assert.Contains(t, r.Reason, "283/s keeps the limits, confirmed twice; the service does not keep the limits at 29")
	r = stumbling(283, 1)
	assert.Equal(t, 283.0, r.Capacity.Rate, "the rate found")
	assert.Equal(t, 4, tries(r, 283))
	assert.Contains(t, r.Reason, "283/s keeps the limits, confirmed twice after it had missed them once; ")
	r = stumbling(283, 3)
	assert.Equal(t, 283.0, r.Capacity.Rate, "while it is confirmed")
	assert.Equal(t, 5, tries(r, 283), "confirmed anew")
	for _, twice := range [][]int{{1, 2}, {1, 3}, {2, 4}} {
		r = stumbling(283, twice...)
		assert.Less(t, r.Capacity.Rate, 283.0, twice)
		assert.Greater(t, r.Capacity.Rate, 250.0, twice)
	}
	assert.Zero(t, stumbling(100, 1, 2).Capacity.Rate, "nothing below the first is tried")
	assert.Equal(t, reports.Fail, stumbling(100, 1, 2).Verdict)
}

// The figures of the report are those of the rate that it names, not of a higher one that was kept once by luck.
func TestCapacityShowsTheFiguresOfItsRate(t *testing.T) {
	lucky := &pretended{capacity: 310} // 283/s, and not 295/s
	s := newTestSearch(t, lucky, CapacityOptions{From: schedule.Rate{Hits: 100, Per: time.Second}}, nil)
	tries := map[float64]int{}
	s.run = func(ctx context.Context, rate float64, length time.Duration) (*reports.Load, error) {
		switch tries[rate]++; {
		case rate == 283 && tries[rate] > 1:
			return (&pretended{capacity: 200}).run(ctx, rate, length)
		case rate < 283 && rate > 200:
			return (&pretended{capacity: 310, generator: 200}).run(ctx, rate, length)
		}
		return lucky.run(ctx, rate, length)
	}
	r, err := s.search(context.Background())
	require.NoError(t, err)
	assert.Equal(t, 3, tries[283])
	assert.Contains(t, r.Reason, "at least 200/s: the generator could not keep up at 238/s")
	assert.Equal(t, 200.0, r.Capacity.Rate)
	assert.Equal(t, 200.0, r.Total.Rate)
}

func TestCapacityStopsWhereTheGeneratorDoes(t *testing.T) {
	p := &pretended{capacity: 5000, generator: 700}
	r, err := newTestSearch(t, p, CapacityOptions{}, nil).search(context.Background())
	require.NoError(t, err)
	assert.True(t, r.Capacity.LowerBound)
	assert.Equal(t, 640.0, r.Capacity.Rate)
	assert.Contains(t, r.Capacity.Reason, "the generator could not keep up at 1,280/s")
	assert.Contains(t, r.Reason, "at least 640/s")
	invalid := 0
	for _, point := range r.Capacity.Points {
		if point.Verdict == reports.Invalid {
			invalid++
		}
	}
	assert.Equal(t, 2, invalid, "a machine has its moments: once more")
}

func TestCapacityKeepsToTheHighestRateThatIsAllowed(t *testing.T) {
	e := &environment.Environment{Name: "staging", Load: environment.Load{MaxRate: "100/s"}}
	p := &pretended{capacity: 5000}
	r, err := newTestSearch(t, p, CapacityOptions{}, e).search(context.Background())
	require.NoError(t, err)
	assert.Equal(t, 100.0, r.Capacity.Rate)
	assert.True(t, r.Capacity.LowerBound)
	assert.Equal(t, "load.maxRate of staging is reached and kept", r.Capacity.Reason)
	for _, point := range r.Capacity.Points {
		assert.LessOrEqual(t, point.Rate, 100.0)
	}
}

func TestCapacityOfAServiceThatKeepsNoLimitAtAll(t *testing.T) {
	p := &pretended{capacity: 0.1}
	r, err := newTestSearch(t, p, CapacityOptions{}, nil).search(context.Background())
	require.NoError(t, err)
	assert.Zero(t, r.Capacity.Rate)
	assert.Equal(t, reports.Fail, r.Verdict)
	assert.Contains(t, r.Reason, "keeps the limits: not kept: refresh.p99<100ms (it was")
}

// changed is the run of a search with reports that something else has changed.
func (p *pretended) changed(s *search, change func(rate float64, r *reports.Load)) {
	s.run = func(ctx context.Context, rate float64, length time.Duration) (*reports.Load, error) {
		r, err := p.run(ctx, rate, length)
		change(rate, r)
		return r, err
	}
}

// A lower rate at which answers are right excuses no answer that belonged to another client at a higher one.
func TestCapacityWithAnswersOfOthersFails(t *testing.T) {
	p := &pretended{capacity: 500}
	s := newTestSearch(t, p, CapacityOptions{}, nil)
	p.changed(s, func(rate float64, r *reports.Load) {
		if rate > 100 && rate < 200 {
			r.Total.Right, r.Total.Wrong, r.Total.Outcomes = 997, 3, map[string]int64{hit.KindIdentity: 3}
			r.Verdict, r.Reason = reports.Fail, "3 of 1,000 answers were not right: identity 3"
		}
	})
	r, err := s.search(context.Background())
	require.NoError(t, err)
	assert.Equal(t, reports.Fail, r.Verdict)
	assert.Contains(t, r.Reason, "at 160/s 3 of 1,000 answers were not right: identity 3, which no rate excuses; ")
	assert.NotZero(t, r.Capacity.Rate)
	assert.EqualValues(t, 3, r.Total.Outcomes[hit.KindIdentity], "the report is that of the run that had them")
}

// A search that broke off, or never settled, did not find what was asked for.
func TestCapacityThatWasNotFoundIsNoPass(t *testing.T) {
	p := &pretended{capacity: 500}
	s := newTestSearch(t, p, CapacityOptions{}, nil)
	s.run = func(ctx context.Context, rate float64, length time.Duration) (*reports.Load, error) {
		if rate > 100 {
			return nil, errors.New("client 3 could not be signed on")
		}
		return p.run(ctx, rate, length)
	}
	r, err := s.search(context.Background())
	require.NoError(t, err)
	assert.Equal(t, reports.Inconclusive, r.Verdict)
	assert.Equal(t, "at least 80/s: the search could not go on: client 3 could not be signed on", r.Reason)

	passed := map[float64]bool{} // each rate once, and then no more
	s = newTestSearch(t, p, CapacityOptions{}, nil)
	p.changed(s, func(rate float64, r *reports.Load) {
		if passed[rate] || rate > 1e4 {
			r.Verdict, r.Reason, r.Limits[0].Verdict = reports.Fail, "not kept", reports.Fail
		}
		passed[rate] = true
	})
	p.capacity = 1e9
	r, err = s.search(context.Background())
	require.NoError(t, err)
	assert.NotEqual(t, reports.Pass, r.Verdict, r.Reason)
}

// What could not be decided is no limit that was broken.
func TestCapacityThatCouldNotBeDecidedIsNoFailure(t *testing.T) {
	p := &pretended{capacity: 500}
	s := newTestSearch(t, p, CapacityOptions{}, nil)
	p.changed(s, func(_ float64, r *reports.Load) {
		r.Verdict, r.Reason = reports.Inconclusive, "not decided: refresh.p99<100ms"
	})
	r, err := s.search(context.Background())
	require.NoError(t, err)
	assert.Equal(t, reports.Inconclusive, r.Verdict)
	assert.Contains(t, r.Reason, "it could not be decided whether")
}

// A set-up that had to be patient is a remark, and no rate that the service cannot keep.
func TestCapacityIsThatOfTheRatesAndNotOfTheSetUp(t *testing.T) {
	p := &pretended{capacity: 500}
	s := newTestSearch(t, p, CapacityOptions{}, nil)
	p.changed(s, func(_ float64, r *reports.Load) {
		if r.Verdict == reports.Pass {
			r.Verdict, r.SetUp = reports.Warn, &reports.SetUp{}
		}
	})
	r, err := s.search(context.Background())
	require.NoError(t, err)
	assert.Equal(t, reports.Pass, r.Verdict)
	assert.InDelta(t, 475, r.Capacity.Rate, 40)
}

func TestCapacityPointsAreLongEnoughForTheirPercentile(t *testing.T) {
	p := &pretended{capacity: 2}
	s := newTestSearch(t, p, CapacityOptions{From: schedule.Rate{Hits: 1, Per: time.Second}}, nil)
	assert.Equal(t, 368.0, s.needs)
	assert.Equal(t, 405*time.Second, s.length(1))
	assert.Equal(t, 15*time.Second, s.length(100))
	l, err := limit.Parse("signon.p99<1s")
	require.NoError(t, err)
	assert.InDelta(t, 3682, clients.Traffic{Workload: clients.WorkloadMixed, Mix: map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 9}}.MinHits(l), 10, "one hit of ten is a sign-on")
	assert.InDelta(t, 368*8, clients.Traffic{Workload: clients.WorkloadLifecycle}.MinHits(l), 10)
}

func TestCapacityThatIsInterruptedReportsWhatItFound(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	p := &pretended{capacity: 500}
	s := newTestSearch(t, p, CapacityOptions{}, nil)
	s.run = func(ctx context.Context, rate float64, length time.Duration) (*reports.Load, error) {
		if rate > 100 {
			cancel()
			return nil, ctx.Err()
		}
		return p.run(ctx, rate, length)
	}
	r, err := s.search(ctx)
	require.NoError(t, err)
	assert.Equal(t, 80.0, r.Capacity.Rate)
	assert.True(t, r.Capacity.LowerBound)
	assert.NotEmpty(t, r.Run.Partial)
	assert.Equal(t, reports.Inconclusive, r.Verdict)

	ctx, told := context.WithCancelCause(context.Background())
	s = newTestSearch(t, p, CapacityOptions{}, nil)
	s.run = func(ctx context.Context, rate float64, length time.Duration) (*reports.Load, error) {
		told(errors.New("the run was told to stop (SIGTERM)"))
		r, err := p.run(ctx, rate, length)
		r.Run.Partial = "the run was interrupted"
		return r, err
	}
	r, err = s.search(ctx)
	require.NoError(t, err)
	assert.EqualValues(t, 1000, r.Total.Sent, "what the first point measured is kept")
	assert.Equal(t, reports.Inconclusive, r.Verdict)
	assert.Equal(t, "no rate was found that keeps the limits: the search was interrupted", r.Reason)
	assert.Equal(t, "the run was told to stop (SIGTERM)", r.Run.Partial)

	s = newTestSearch(t, p, CapacityOptions{}, nil)
	broken := errors.New("no such host")
	s.run = func(context.Context, float64, time.Duration) (*reports.Load, error) { return nil, broken }
	_, err = s.search(context.Background())
	require.ErrorIs(t, err, broken)
}

func TestOverwhelmedServiceIsNotTheGeneratorsFault(t *testing.T) {
	s := newTestSearch(t, &pretended{}, CapacityOptions{}, nil)
	slow := reports.Percentiles{P50: 2e9, P90: 2e9, P95: 2e9, P99: 2e9, P999: 2e9, Max: 2e9}
	fast := reports.Percentiles{P50: 1e6, P90: 1e6, P95: 1e6, P99: 2e6, P999: 2e6, Max: 2e6}
	run := func(service reports.Percentiles, cpu float64) *reports.Load {
		o := &reports.Operation{Sent: 100, Response: slow, Service: service}
		return &reports.Load{Verdict: reports.Invalid, Reason: "hits waited for a worker", Total: o, Operations: map[string]*reports.Operation{hit.OpRefresh: o},
			Generator: reports.Generator{CPUShare: cpu}, Limits: []reports.Limit{{Expression: "refresh.p99<100ms", Verdict: reports.Fail, Value: "2 s"}}}
	}
	assert.Equal(t, reports.Fail, s.pointOf(10, run(slow, 0.2)).Verdict)
	assert.Equal(t, reports.Invalid, s.pointOf(10, run(slow, 0.99)).Verdict)
	assert.Equal(t, reports.Invalid, s.pointOf(10, run(fast, 0.2)).Verdict, "slow response with fast service is the generator's doing")
}

// Where the service is to blame at every rate, the report says one thing: it fails, and nothing above it is called not
// valid.
func TestCapacityOfAnOverwhelmedServiceHasOneVerdict(t *testing.T) {
	p := &pretended{capacity: 0.1}
	s := newTestSearch(t, p, CapacityOptions{}, nil)
	s.run = func(ctx context.Context, rate float64, length time.Duration) (*reports.Load, error) {
		r, err := p.run(ctx, rate, length)
		r.Verdict, r.Valid, r.Invalid = reports.Invalid, false, []string{"40 hits waited for one of the 20 workers"}
		return r, err
	}
	r, err := s.search(context.Background())
	require.NoError(t, err)
	assert.Equal(t, reports.Fail, r.Verdict)
	assert.True(t, r.Valid)
	assert.Empty(t, r.Invalid)
	assert.Contains(t, r.Notes, "the service was overwhelmed, so that hits had to wait: 40 hits waited for one of the 20 workers")
}

func TestSearchStaysAboveTheRateThatWasGiven(t *testing.T) {
	limits, err := limit.ParseAll([]string{"refresh.p99<100ms"})
	require.NoError(t, err)
	o := &Options{Environment: &environment.Environment{Name: "lab"}, Limits: limits, Traffic: clients.Traffic{Workload: clients.WorkloadRefresh}}
	s, err := newSearch(o, CapacityOptions{From: schedule.Rate{Hits: 50, Per: time.Second}})
	require.NoError(t, err)
	assert.Equal(t, 50.0, s.floor(), "nothing below --from is tried")
	s, err = newSearch(o, CapacityOptions{})
	require.NoError(t, err)
	assert.Less(t, s.floor(), s.from)
}

func TestTidyRates(t *testing.T) {
	for rate, want := range map[float64]float64{95.0986: 95.1, 1234.5: 1230, 0.123456: 0.123, 10: 10, 999.6: 1000, 100: 100} {
		assert.Equal(t, want, tidy(rate))
	}
}

func TestKnee(t *testing.T) {
	curve := func(times ...int64) (points []reports.CapacityPoint) {
		for i, p99 := range times {
			points = append(points, reports.CapacityPoint{Rate: float64(100 * (i + 1)), P99: p99, Verdict: reports.Pass})
		}
		return points
	}
	assert.Equal(t, 400.0, knee(curve(10, 10, 11, 12, 60, 200)))
	assert.Zero(t, knee(curve(10, 10, 11, 12, 12)), "no turn")
	assert.Zero(t, knee(curve(10, 100, 1000)), "too few")
}

func TestCapacityThatCannotBe(t *testing.T) {
	limits, err := limit.ParseAll([]string{"refresh.p99<100ms"})
	require.NoError(t, err)
	rate, _ := limit.ParseAll([]string{"rate>5/s"})
	e := &environment.Environment{Name: "lab", Load: environment.Load{MaxRate: "5/s"}}
	for says, test := range map[string]struct {
		o       Options
		options CapacityOptions
	}{
		"give one, such as --limit":        {Options{Environment: e}, CapacityOptions{}},
		"makes no sense in a search":       {Options{Environment: e, Limits: rate}, CapacityOptions{}},
		"chooses rates and durations":      {Options{Environment: e, Limits: limits, Duration: time.Second}, CapacityOptions{}},
		"needs an environment":             {Options{Limits: limits}, CapacityOptions{}},
		"a point of 2s is too short":       {Options{Environment: e, Limits: limits}, CapacityOptions{Point: 2 * time.Second}},
		"a precision of NaN":               {Options{Environment: e, Limits: limits}, CapacityOptions{Precision: math.NaN()}},
		"a precision of 3":                 {Options{Environment: e, Limits: limits}, CapacityOptions{Precision: 3}},
		"would begin at 10/s and must not": {Options{Environment: e, Limits: limits}, CapacityOptions{From: schedule.Rate{Hits: 10, Per: time.Second}}},
	} {
		_, err := Capacity(context.Background(), test.o, test.options)
		require.ErrorContains(t, err, says)
		assert.Equal(t, failure.Usage, failure.KindOf(err))
	}
}

func TestRunsOfASearchUseNoSessionTokenTwice(t *testing.T) {
	s := newServer(t, mock.Config{Behaviour: mock.Behaviour{PopulationOnce: true}}, nil)
	taken := 0
	for range 3 {
		r, consumed, err := run(context.Background(), Options{Environment: s.Environment, Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Rate: schedule.Rate{Hits: 200, Per: time.Second},
			Duration: 200 * time.Millisecond, skip: taken})
		taken += consumed
		require.NoError(t, err)
		assert.EqualValues(t, 40, r.Total.Right)
		assert.Zero(t, r.Total.Wrong)
	}
	assert.Equal(t, 120, taken)
}
