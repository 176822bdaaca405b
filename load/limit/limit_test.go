package limit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"agstest/internal/failure"
	"agstest/load/hit"
	"agstest/reports"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Limit{
		"refresh.p99<300ms":     {Operation: "refresh", Metric: "p99", Quantile: 0.99, Bound: 300e6},
		"p99.9 <= 1.5s":         {Metric: "p99.9", Quantile: 0.999, Inclusive: true, Bound: 1.5e9},
		"signon.p999<2s":        {Operation: "signon", Metric: "p99.9", Quantile: 0.999, Bound: 2e9},
		"signon-first.p50<80ms": {Operation: "signon-first", Metric: "p50", Quantile: 0.5, Bound: 80e6},
		"refresh.service.p95<500us": {Operation: "refresh", Service: true, Metric: "p95", Quantile: 0.95,
			Bound: 500e3},
		"service.p99.99<1m": {Service: true, Metric: "p99.99", Quantile: 0.9999, Bound: 60e9},
		"discover.max<1s":   {Operation: "discover", Metric: "max", Bound: 1e9},
		"mean<20ms":         {Metric: "mean", Bound: 20e6},
		"errors<0.1%":       {Metric: "errors", Bound: 0.001},
		"errors<=0%":        {Metric: "errors", Inclusive: true},
		"signon.errors<1%":  {Operation: "signon", Metric: "errors", Bound: 0.01},
		"throttled<5%":      {Metric: "throttled", Bound: 0.05},
		"rate>190/s":        {Metric: "rate", Above: true, Bound: 190},
		"refresh.throughput>=6000/m": {Operation: "refresh", Metric: "throughput", Above: true, Inclusive: true,
			Bound: 100},
		"storm.recovered<90s": {Operation: "storm", Metric: "recovered", Bound: 90e9},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := Parse(text)
			require.NoError(t, err)
			assert.Equal(t, strings.ReplaceAll(text, " ", ""), got.Expression)
			got.Expression = ""
			assert.InDelta(t, want.Quantile, got.Quantile, 1e-9)
			got.Quantile = want.Quantile
			assert.InDelta(t, want.Bound, got.Bound, 1e-3)
			got.Bound = want.Bound
			assert.Equal(t, want, got)
		})
	}
}

func TestParseLimitSaysWhatWouldBeRight(t *testing.T) {
	for text, says := range map[string]string{
		"":                       "is not understood; write it like refresh.p99<300ms",
		"refresh.p99":            "is not understood",
		"refresh.p99<300":        "p99 needs a time with a unit: us, ms, s or m",
		"refresh.p99<300 hours":  `"300 hours" is not a number with a unit`,
		"refresh.p99<300h":       "p99 needs a time with a unit",
		"refresh.p99<-3ms":       `"-3ms" is not a number with a unit`,
		"refresh.p99<1e3ms":      "p99 needs a time with a unit",
		"refresh.p99<0ms":        "the time must be above 0",
		"refresh.p99<25000m":     "at most 24 hours",
		"refresh.p99>300ms":      "p99 is limited from above; use < or <=",
		"refresh.p99=300ms":      "a measured figure is never equal",
		"refresh.p0<300ms":       "p0 is not a percentile",
		"refresh.p100<300ms":     "p100 is not a metric",
		"refresh.p99.9.9<300ms":  "is not understood",
		"refreshes.p99<300ms":    `names the operation "refreshes", which there is not; the operations are signon, signon-first, refresh, discover, signout, mint`,
		"refresh.signon.p9<3ms":  "is not understood at \"signon\"",
		"refresh.latency<300ms":  "latency is not a metric; they are p50",
		"errors<0.1":             "errors needs a share in percent, such as 0.1%",
		"errors<100ms":           "errors needs a share in percent",
		"errors>1%":              "errors is limited from above",
		"errors<0%":              "no run can keep a share under 0%; for none at all write errors<=0%",
		"errors<=100%":           "every run keeps a share of 100%",
		"errors<101%":            "every run keeps a share of 101%",
		"service.errors<1%":      "service. belongs before a response time",
		"rate<200/s":             "rate is limited from below; use > or >=",
		"rate>200":               "rate needs a rate with a unit",
		"rate>0/s":               "every run keeps a rate above 0",
		"recovered<90s":          "recovered is not a metric",
		"signon.recovered<90s":   "recovered is not a metric",
		"storm.p99<90s":          "storm has one figure, storm.recovered",
		"storm.recovered<90":     "recovered needs a time with a unit",
		"storm.recovered>90s":    "recovered is limited from above",
		"storm.errors<1%":        "storm has one figure",
		"refresh.p99<300ms,p9<1": "p99 needs a time with a unit",
		"refresh..p99<300ms":     "is not understood at",
	} {
		t.Run(text, func(t *testing.T) {
			_, err := Parse(text)
			require.ErrorContains(t, err, says)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
		})
	}
}

func TestLimitsThatMakeNoSenseForTheRun(t *testing.T) {
	for name, test := range map[string]struct {
		limits        []string
		closed, storm bool
		says          string
	}{
		"other operation": {[]string{"signon.p99<300ms"}, false, false,
			"the limit signon.p99<300ms names signon, which the workload refresh does not send; it sends refresh"},
		"no storm":                {[]string{"storm.recovered<90s"}, false, false, "needs a storm"},
		"response in closed loop": {[]string{"refresh.p99<300ms"}, true, false, "limit refresh.service.p99"},
		"same figure twice":       {[]string{"errors<1%", "errors<=2%"}, false, false, "speak of the same figure"},
		"same percentile":         {[]string{"p99.9<1s", "p999<2s"}, false, false, "speak of the same figure"},
		"percentile in zeros": {[]string{"refresh.p99<1s", "refresh.p99.0<2s"}, false, false,
			"speak of the same figure"},
		"nines in closed loop": {[]string{"refresh.p999<1s"}, true, false, "; limit refresh.service.p99.9"},
		"fine": {[]string{"refresh.p99<300ms", "errors<1%", "p99<1s", "refresh.service.p99<1s",
			"storm.recovered<9s"}, false, true, ""},
		"service in closed loop": {[]string{"service.p99<300ms", "errors<1%"}, true, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			limits, err := ParseAll(test.limits)
			if err == nil {
				err = Check(limits, "refresh", []string{hit.OpRefresh}, test.closed, test.storm)
			}
			if test.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.says)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
		})
	}
}

func TestLimitExpressionsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		operation := rapid.SampledFrom([]string{"", "signon.", "refresh.", "mint."}).Draw(t, "operation")
		subject := rapid.SampledFrom([]string{"p50<%sms", "service.p99.9<=%ss", "errors<0.%s%%", "throughput>%s/s",
			"max<%ss"}).Draw(t, "subject")
		text := operation + fmt.Sprintf(subject, fmt.Sprint(rapid.IntRange(1, 9000).Draw(t, "number")))
		first, err := Parse(text)
		require.NoError(t, err)
		second, err := Parse(" " + first.Expression + " ")
		require.NoError(t, err)
		require.Equal(t, first, second)
	})
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"refresh.p99<300ms", "errors<=0%", "storm.recovered<90s", "rate>190/s", "p99.9<1µs",
		"service.p..9<1s", "p<1s", "<"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		limit, err := Parse(text)
		if err != nil {
			if failure.KindOf(err) != failure.Usage {
				t.Fatalf("not a usage error: %v", err)
			}
			return
		}
		if limit.Quantile < 0 || limit.Quantile >= 1 || limit.Bound < 0 || math.IsInf(limit.Bound, 0) ||
			math.IsNaN(limit.Bound) {
			t.Fatalf("%q gave %+v", text, limit)
		}
		if again, err := Parse(limit.Expression); err != nil || again != limit {
			t.Fatalf("%q gave %+v, read again %+v, %v", text, limit, again, err)
		}
	})
}

// simulated makes a run of the given seconds and answers a second; each second has its own level, as services have.
func simulated(seconds, perSecond int, median time.Duration, spread float64, wrongIn int, seed uint64) Run {
	random := rand.New(rand.NewPCG(seed, 1))
	type second struct {
		values       []int64
		wrong, total int64
	}
	data := make([]second, seconds)
	level, count := 0.0, 0
	for i := range data {
		level = 0.8*level + 0.6*spread*random.NormFloat64()
		for range perSecond {
			count++
			data[i].total++
			if wrongIn > 0 && count%wrongIn == 0 {
				data[i].wrong++
				continue
			}
			data[i].values = append(data[i].values, int64(float64(median)*math.Exp(level+0.3*random.NormFloat64())))
		}
	}
	return Run{Seconds: seconds, Seed: seed, Stretch: func(_ string, from, to int) Stretch {
		var s Stretch
		var values []int64
		for _, d := range data[from:to] {
			s.Sent += d.total
			s.Wrong += d.wrong
			s.Right += d.total - d.wrong
			values = append(values, d.values...)
		}
		slices.Sort(values)
		for i := 0; i < len(values); {
			j := i
			for j < len(values) && values[j] == values[i] {
				j++
			}
			s.Response = append(s.Response, ValueCount{values[i], int64(j - i)})
			i = j
		}
		return s.summed()
	}}
}

// summed gives a stretch the sum of its response times, and service times that are the same.
func (s Stretch) summed() Stretch {
	for _, v := range s.Response {
		s.ResponseSum += v.Value * v.Count
	}
	s.Service, s.ServiceSum = s.Response, s.ResponseSum
	return s
}

func judgeOne(t *testing.T, text string, run Run) reports.Limit {
	t.Helper()
	limits, err := ParseAll([]string{text})
	require.NoError(t, err)
	judged, _, _ := Judge(limits, run)
	return judged[0]
}

func TestLimitsAreJudged(t *testing.T) {
	long := simulated(300, 100, 20*time.Millisecond, 0.05, 0, 1)
	some := simulated(300, 100, 20*time.Millisecond, 0.05, 500, 1) // 0.2 % wrong
	smoke := simulated(10, 200, 5*time.Millisecond, 0.05, 0, 1)
	few := simulated(10, 5, 5*time.Millisecond, 0.05, 0, 1)
	part := some
	part.Piece = "this is shard 1/2"
	brief := simulated(4, 1000, 5*time.Millisecond, 0.05, 0, 1)
	none := simulated(10, 100, 5*time.Millisecond, 0.05, 1, 1)
	outage := simulated(12, 50, 5*time.Millisecond, 0.05, 0, 1) // 2 of 12 s nothing is right
	allWrong := Run{Seconds: 2, Stretch: func(string, int, int) Stretch { return Stretch{Sent: 40, Wrong: 40} }}
	unsteady := Run{Seconds: 6, Stretch: func(_ string, from, to int) Stretch { // one second is a thousand times as slow
		s := Stretch{Sent: 40 * int64(to-from), Right: 40 * int64(to-from), Response: []ValueCount{{1e6, 40 * int64(to-from)}}}
		if from == 3 {
			s.Response = []ValueCount{{1e9, 40}}
		}
		return s.summed()
	}}
	calm := outage.Stretch
	outage.Stretch = func(operation string, from, to int) Stretch {
		s := calm(operation, from, to)
		if from == 5 || from == 6 {
			s.Wrong, s.Right, s.Response, s.Service = s.Sent, 0, nil, nil
		}
		return s
	}
	for name, test := range map[string]struct {
		text    string
		run     Run
		verdict reports.Verdict
		reason  string
	}{
		"well below": {"p99<100ms", long, reports.Pass, ""},
		"well above": {"p99<20ms", long, reports.Fail, ""},
		"at the limit": {"p50<20.1ms", long, reports.Inconclusive,
			"the interval holds the limit itself"},
		"what would decide": {"p50<20.8ms", simulated(300, 100, 20*time.Millisecond, 0.3, 0, 3),
			reports.Inconclusive, "at this spread a run of about"},
		"mean":              {"mean<40ms", long, reports.Pass, ""},
		"service time":      {"service.p95<100ms", long, reports.Pass, ""},
		"largest, kept":     {"max<10s", long, reports.Pass, "the largest value of this run"},
		"largest, not kept": {"max<20ms", long, reports.Fail, "the largest value of this run"},
		"no errors in many": {"errors<0.1%", long, reports.Pass, ""},
		"too many errors":   {"errors<0.1%", some, reports.Fail, ""},
		"errors within":     {"errors<1%", some, reports.Pass, ""},
		"errors near": {"errors<0.22%", some, reports.Inconclusive,
			"the interval holds the limit itself"},
		"none at all, none seen": {"errors<=0%", long, reports.Pass, "counted in this run"},
		"none at all, some seen": {"errors<=0%", some, reports.Fail, "counted in this run"},
		"rate kept":              {"rate>99/s", long, reports.Pass, ""},
		"rate not kept":          {"rate>101/s", long, reports.Fail, ""},
		"throughput not kept":    {"throughput>99.9/s", some, reports.Fail, ""},
		"a part of a throughput": {"throughput>190/s", part, reports.Inconclusive,
			"this is shard 1/2"},
		"a part of a rate that is enough": {"rate>99/s", part, reports.Pass, ""},
		"too many errors of a part":       {"errors<0.1%", part, reports.Fail, ""},
		"smoke of 10 s, generous": {"p99<300ms", smoke, reports.Pass,
			"judged in blocks of 1 s, as the run took 10 s"},
		"smoke of 10 s, errors":        {"errors<1%", smoke, reports.Pass, "blocks of 1 s"},
		"smoke of 10 s, strict errors": {"errors<0.1%", smoke, reports.Inconclusive, "would decide"},
		"smoke of 10 s, p99.9": {"p99.9<300ms", smoke, reports.Inconclusive,
			"2,000 right answers are too few for p99.9; 3,688 at least are needed"},
		"few answers": {"p99<300ms", few, reports.Inconclusive,
			"50 right answers are too few for p99; 368 at least are needed"},
		"few answers that are too slow": {"p50<1ms", few, reports.Fail, ""},
		"too short": {"p99<300ms", brief, reports.Inconclusive,
			"the run took 4 s; an interval needs 5 s at least"},
		"too short, and all too slow": {"p99<1ms", brief, reports.Fail, "not one right answer came within it"},
		"unsteady, and all too slow":  {"p99<10us", unsteady, reports.Fail, "not one right answer came within it"},
		"unsteady mean, all too slow": {"mean<10us", unsteady, reports.Fail, "not one right answer came within it"},
		"unsteady, some in time": {"p99<1200us", unsteady, reports.Fail,
			"40 of 240 right answers took longer, and their number alone is too much; they came in bursts"},
		"unsteady, some more than it leaves": {"p90<1200us", unsteady, reports.Inconclusive, ""},
		"too short, and many too slow":       {"p99<5ms", brief, reports.Fail, "right answers took longer, and their number alone is too much; the run took 4 s"},
		"two answers, both too slow":         {"p50<1ms", simulated(2, 1, 5*time.Millisecond, 0, 0, 1), reports.Inconclusive, "the run took 2 s"},
		"too short, and all wrong": {"errors<10%", allWrong, reports.Fail,
			"their number alone is too much; the run took 2 s"},
		"too short, largest":  {"max<1s", brief, reports.Pass, ""},
		"no right answer":     {"p99<300ms", none, reports.Fail, "no answer was right"},
		"all wrong":           {"errors<1%", none, reports.Fail, ""},
		"errors in one burst": {"errors<10%", outage, reports.Fail, "their number alone is too much"},
		"errors in one burst, within": {"errors<25%", outage, reports.Inconclusive,
			"the interval holds the limit itself"},
		"nothing sent": {"errors<1%", simulated(10, 0, 1, 0, 0, 1), reports.Fail,
			"nothing was sent that it speaks of, so it judged nothing"},
	} {
		t.Run(name, func(t *testing.T) {
			got := judgeOne(t, test.text, test.run)
			assert.Equal(t, test.verdict, got.Verdict, "%+v", got)
			assert.Contains(t, got.Reason, test.reason)
			assert.NotEmpty(t, got.Value)
			assert.Equal(t, test.text, got.Expression)
			assert.Equal(t, got, judgeOne(t, test.text, test.run), "the same run and seed give the same verdict")
		})
	}
}

func TestStormIsJudged(t *testing.T) {
	run := func(recovered int64) Run {
		return Run{Seconds: 100, Storm: &reports.Storm{Recovered: recovered}}
	}
	assert.Equal(t, reports.Pass, judgeOne(t, "storm.recovered<90s", run(int64(80*time.Second))).Verdict)
	assert.Equal(t, reports.Fail, judgeOne(t, "storm.recovered<90s", run(int64(100*time.Second))).Verdict)
	never := judgeOne(t, "storm.recovered<90s", run(-1))
	assert.Equal(t, reports.Fail, never.Verdict)
	assert.Equal(t, "never", never.Value)
	for seconds, verdict := range map[int]reports.Verdict{5: reports.Inconclusive, 100: reports.Fail} {
		interrupted := Run{Seconds: seconds, Part: true, Storm: &reports.Storm{Recovered: -1}}
		assert.Equal(t, verdict, judgeOne(t, "storm.recovered<90s", interrupted).Verdict, "%d seconds", seconds)
	}
	assert.Equal(t, reports.Error, judgeOne(t, "storm.recovered<90s", Run{Seconds: 100}).Verdict)
}

// The answers of a storm come at once, and those that a client had to ask for again later: how they are spread over its
// seconds says nothing of another storm, and nobody chooses how long it takes.
func TestAStormIsJudgedByItsNumbers(t *testing.T) {
	run := func(seconds int, wrong int64) Run { // 100 clients in the first second, and those who try again in the last
		storm := &reports.Storm{Clients: 100}
		return Run{Seconds: seconds, Storm: storm, Stretch: func(_ string, from, to int) Stretch {
			var s Stretch
			if from == 0 {
				s = Stretch{Sent: 100, Right: 100 - wrong, Wrong: wrong}
			}
			if to == seconds {
				s.Sent, s.Right = s.Sent+wrong, s.Right+wrong
			}
			if s.Right > 0 {
				s.Response = []ValueCount{{int64(20 * time.Millisecond), s.Right}}
			}
			return s.summed()
		}}
	}
	const third, even = "25.86 % – 41.48 %", "20.0 ms – 20.0 ms" // 50 of 150, and all alike
	for text, test := range map[string]struct {
		run      Run
		want     reports.Verdict
		interval string
		reason   string
	}{
		"errors<70%":  {run(6, 50), reports.Pass, third, ""},
		"errors<41%":  {run(6, 50), reports.Inconclusive, third, "a storm of more clients would decide"},
		"errors<25%":  {run(6, 50), reports.Fail, third, ""},
		"errors<10%":  {run(1, 0), reports.Pass, "0 % – 3.62 %", ""},
		"p50<100ms":   {run(1, 0), reports.Pass, even, ""},
		"p50<10ms":    {run(1, 0), reports.Fail, even, ""},
		"mean<30ms":   {run(2, 10), reports.Pass, even, ""},
		"p99.9<100ms": {run(1, 0), reports.Inconclusive, "20.0 ms – unknown", "100 right answers are too few"},
	} {
		got := judgeOne(t, text, test.run)
		assert.Equal(t, test.want, got.Verdict, "%s: %+v", text, got)
		assert.Equal(t, test.interval, got.Interval, text)
		assert.Contains(t, got.Reason, test.reason)
		assert.NotContains(t, got.Reason, "blocks")
	}
}

// The end of a storm holds the lag of the generator, as response times do.
func TestLagIsJudgedAgainstTheEndOfAStorm(t *testing.T) {
	limits, err := ParseAll([]string{"storm.recovered<90s"})
	require.NoError(t, err)
	for name, test := range map[string]struct {
		recovered, lag time.Duration
		late           bool
	}{
		"kept":                    {80 * time.Second, 5 * time.Second, false},
		"not kept by the lag":     {92 * time.Second, 5 * time.Second, true},
		"not kept by the service": {100 * time.Second, 5 * time.Second, false},
		"never":                   {-1, 5 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			run := Run{Seconds: 100, Storm: &reports.Storm{Recovered: int64(test.recovered)}, Lag: reports.Percentiles{Max: int64(test.lag)}}
			_, late, _ := Judge(limits, run)
			assert.Equal(t, test.late, len(late) == 1, late)
		})
	}
}

// The interval must hold the truth about as often as it says, also where seconds have levels of their own; naive
// intervals do not.
func TestIntervalsHoldTheTruth(t *testing.T) {
	const runs = 50
	limit, err := Parse("p50<20ms")
	require.NoError(t, err)
	held := 0
	for seed := range uint64(runs) {
		run := simulated(300, 20, 20*time.Millisecond, 0.1, 0, seed+100)
		judged, _, _ := Judge([]Limit{limit}, run)
		if judged[0].Verdict == reports.Inconclusive { // the median of all levels is the limit itself
			held++
		}
	}
	assert.GreaterOrEqual(t, held, runs*84/100, "of %d", runs)
}

func TestBlocks(t *testing.T) {
	for seconds, want := range map[int][2]int{1: {1, 1}, 5: {1, 5}, 10: {1, 10}, 30: {3, 10}, 60: {6, 10},
		299: {29, 10}, 300: {30, 10}, 3600: {30, 120}, 7200: {60, 120}, 86400: {720, 120}} {
		length, count := blocksOf(seconds)
		assert.Equal(t, want, [2]int{length, count}, "%d s", seconds)
	}
}

func TestShareInterval(t *testing.T) {
	// Values of R: binom.test(x, n)$conf.int
	for _, test := range []struct {
		part, whole int64
		low, high   float64
	}{{0, 2000, 0, 0.001842745}, {5, 1000, 0.001625398, 0.011628915}, {10, 10, 0.6915029, 1},
		{1, 2, 0.01257912, 0.9874209}} {
		low, high := shareInterval(test.part, test.whole)
		assert.InDelta(t, test.low, low, 1e-6)
		assert.InDelta(t, test.high, high, 1e-6)
	}
}

func BenchmarkJudgeLimit(b *testing.B) {
	run := simulated(3600, 50, 20*time.Millisecond, 0.1, 0, 1)
	limit, _ := Parse("p99<100ms")
	for b.Loop() {
		Judge([]Limit{limit}, run)
	}
}

// Response times hold the lag already: it cannot have helped a limit to be kept, only have broken it or left it open.
// A limit on response times that the service times break too is broken for sure, whatever hits waited for.
func TestServiceTimesThatBreakALimit(t *testing.T) {
	slow := simulated(60, 100, 20*time.Millisecond, 0.05, 0, 1)
	waited := slow
	waited.Stretch = func(operation string, from, to int) Stretch {
		s := slow.Stretch(operation, from, to)
		s.Response = []ValueCount{{int64(3 * time.Second), s.Right}}
		return s
	}
	for name, test := range map[string]struct {
		run   Run
		limit string
		sure  bool
	}{
		"the service":      {slow, "p99<5ms", true},
		"what was waited":  {waited, "p99<300ms", false},
		"kept":             {slow, "p99<300ms", false},
		"of service times": {slow, "service.p99<5ms", false},
		"no time":          {slow, "throughput>1000/s", false},
	} {
		t.Run(name, func(t *testing.T) {
			limit, err := Parse(test.limit)
			require.NoError(t, err)
			judged, _, sure := Judge([]Limit{limit}, test.run)
			assert.Equal(t, test.sure, len(sure) == 1, "%+v", judged)
		})
	}
}

// Slow answers in one burst break a limit by their number, unless the lag may have been what made them slow.
func TestABurstOfSlowAnswersIsJudgedWithTheLag(t *testing.T) {
	burst := Run{Seconds: 10, Stretch: func(_ string, from, to int) Stretch {
		s := Stretch{Sent: 100 * int64(to-from), Right: 100 * int64(to-from), Response: []ValueCount{{1e6, 100 * int64(to-from)}}}
		if from <= 4 && to > 4 {
			s.Response = []ValueCount{{1e6, s.Right - 90}, {2e9, 90}}
		}
		s.Service = []ValueCount{{1e6, s.Right}}
		return s
	}}
	limits, err := ParseAll([]string{"p99<500ms"})
	require.NoError(t, err)
	for lag, want := range map[time.Duration]bool{100 * time.Millisecond: false, 1900 * time.Millisecond: true} {
		burst.Lag = reports.Percentiles{P99: int64(lag), P999: int64(lag), Max: int64(lag)}
		judged, late, sure := Judge(limits, burst)
		assert.Equal(t, reports.Fail, judged[0].Verdict, judged[0].Reason)
		assert.Equal(t, want, len(late) == 1, "lag %s: %v", lag, late)
		assert.Empty(t, sure, "service times keep it")
	}
}

func TestLagIsJudgedAgainstTheLimits(t *testing.T) {
	run := simulated(300, 100, 20*time.Millisecond, 0.05, 0, 1) // p50 20 ms, p99 some 22 ms
	for name, test := range map[string]struct {
		limit string
		lag   time.Duration
		late  bool
	}{
		"far within, late by 4 ms":               {"p99<300ms", 4 * time.Millisecond, false},
		"far within, late by nearly all of it":   {"p99<300ms", 19 * time.Millisecond, false},
		"beyond, and would be without the lag":   {"p50<10ms", 4 * time.Millisecond, false},
		"beyond because of the lag":              {"p50<18ms", 4 * time.Millisecond, true},
		"open because of the lag":                {"p50<20.1ms", 4 * time.Millisecond, true},
		"open, and the lag is nothing":           {"p50<20.1ms", time.Microsecond, false},
		"service times are without it":           {"service.p50<18ms", 4 * time.Millisecond, false},
		"errors do not come from it":             {"errors<0.0001%", 4 * time.Millisecond, false},
		"the largest, beyond because of the lag": {"max<60ms", 30 * time.Millisecond, true},
	} {
		t.Run(name, func(t *testing.T) {
			limit, err := Parse(test.limit)
			require.NoError(t, err)
			run := run
			all := run.Stretch
			run.Stretch = func(operation string, from, to int) Stretch { // service times are without the lag
				s := all(operation, from, to)
				s.Service = nil
				for _, v := range s.Response {
					s.Service = append(s.Service, ValueCount{max(1, v.Value-int64(test.lag)), v.Count})
				}
				return s
			}
			run.Lag = reports.Percentiles{P50: int64(test.lag) / 10, P99: int64(test.lag), P999: int64(test.lag),
				Max: int64(test.lag)}
			judged, late, _ := Judge([]Limit{limit}, run)
			assert.Equal(t, test.late, len(late) > 0, "%+v %v", judged, late)
			if test.late {
				assert.Contains(t, late[0], "which may be why "+test.limit+" was not kept")
			}
		})
	}
}

// Few blocks that differ much stretch an interval below all that was seen. It is shown from the fastest answer on.
func TestAnIntervalIsNotShownBelowWhatWasSeen(t *testing.T) {
	slowAtFirst := Run{Seconds: 20, Stretch: func(_ string, from, to int) Stretch {
		n := 60 * int64(to-from)
		s := Stretch{Sent: n, Right: n, Response: []ValueCount{{2e6, n}}}
		if from == 0 {
			s.Response = []ValueCount{{2e6, n - 20}, {2e9, 20}}
		}
		return s.summed()
	}}
	verdict := judgeOne(t, "p99<500ms", slowAtFirst)
	assert.Equal(t, reports.Inconclusive, verdict.Verdict)
	assert.Regexp(t, `^2\.00 ms – `, verdict.Interval)
}
