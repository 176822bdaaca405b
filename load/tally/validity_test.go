package tally

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/load/hit"
	"agstest/reports"
)

// good is a run without a fault.
func good() *reports.Load {
	times := reports.Percentiles{Count: 1000, P50: int64(20 * time.Millisecond), P99: int64(50 * time.Millisecond)}
	return &reports.Load{
		Plan: reports.Plan{Seconds: 10},
		Total: &reports.Operation{
			Asked: 1000, Sent: 1000, Right: 1000, Response: times, Service: times, Outcomes: map[string]int64{},
		},
		Generator: reports.Generator{Lag: reports.Percentiles{Count: 1000, P99: int64(100 * time.Microsecond)}, CPUShare: 0.3},
	}
}

func TestValidityComesBeforeTheVerdict(t *testing.T) {
	for _, c := range []struct {
		name    string
		spoil   func(r *reports.Load)
		reason  string
		verdict reports.Verdict
	}{
		{"good", func(*reports.Load) {}, "", reports.Pass},
		{"nothing sent", func(r *reports.Load) { r.Total.Sent, r.Total.Right = 0, 0 }, "nothing was sent", reports.Error},
		{"99 % sent", func(r *reports.Load) { r.Total.Sent, r.Total.Right = 990, 990 }, "", reports.Pass},
		{"less than 99 % sent", func(r *reports.Load) { r.Total.Sent, r.Total.Right = 989, 989 }, "only 989 of 1,000 hits that the schedule asked for were sent (98.9 %; 99 % are needed)", reports.Invalid},
		{"one not sent of a run that broke off", func(r *reports.Load) {
			r.Total.Asked, r.Total.Sent, r.Total.Right, r.Run.Partial = 81, 80, 80, brokenOff
		}, "", reports.Inconclusive},
		{"one not sent of a run that was interrupted", func(r *reports.Load) {
			r.Total.Asked, r.Total.Sent, r.Total.Right, r.Run.Partial = 66, 65, 65, "the run was interrupted (Ctrl-C)"
		}, "", reports.Inconclusive},
		{"many not sent of a run that was interrupted", func(r *reports.Load) {
			r.Total.Asked, r.Total.Sent, r.Total.Right, r.Run.Partial = 66, 60, 60, "the run was interrupted (Ctrl-C)"
		}, "only 60 of 66 hits", reports.Invalid},
		{"one not sent of a run that did not", func(r *reports.Load) { r.Total.Asked, r.Total.Sent, r.Total.Right = 81, 80, 80 }, "only 80 of 81 hits", reports.Invalid},
		{"few held", func(r *reports.Load) { r.Generator.AtCap = 10 }, "", reports.Pass},
		{"workers at the cap", func(r *reports.Load) { r.Generator.AtCap, r.Generator.MaxInFlight = 11, 64 }, "11 hits (1.1 %) waited for one of the 64 workers", reports.Invalid},
		{"starved", func(r *reports.Load) { r.Generator.Starved = 11 }, "waited for a virtual client", reports.Invalid},
		{"consumer behind", func(r *reports.Load) { r.Generator.Behind = 11 }, "11 results (1.1 %) waited to be taken up", reports.Invalid},
		{"lag of 100 ms", func(r *reports.Load) { r.Generator.Lag.P99 = int64(100 * time.Millisecond) }, "", reports.Pass},
		{"more lag", func(r *reports.Load) { r.Generator.Lag.P99 = int64(101 * time.Millisecond) }, "hits left late", reports.Invalid},
		{"more lag, and limits on other things", func(r *reports.Load) {
			r.Generator.Lag.P99, r.Limits = int64(101*time.Millisecond), []reports.Limit{{Expression: "errors<1%", Verdict: reports.Pass}, {Expression: "service.p99<1s", Verdict: reports.Pass}}
		}, "hits left late", reports.Invalid},
		{"more lag, and a limit on times that is kept", func(r *reports.Load) {
			r.Generator.Lag.P99, r.Limits = int64(101*time.Millisecond), []reports.Limit{{Expression: "p99<300ms", Verdict: reports.Pass}}
		}, "", reports.Pass},
		{"10 % of the median", func(r *reports.Load) {
			r.Generator.Lag.P99, r.Total.Response.P50 = int64(150*time.Millisecond), int64(1600*time.Millisecond)
		}, "", reports.Pass},
		{"more lag allowed", func(r *reports.Load) {
			r.Generator.Lag.P99, r.Plan.MaxLag = int64(4*time.Millisecond), int64(5*time.Millisecond)
		}, "", reports.Pass},
		{"more lag than allowed", func(r *reports.Load) {
			r.Generator.Lag.P99, r.Plan.MaxLag = int64(6*time.Millisecond), int64(5*time.Millisecond)
		}, "asked for", reports.Invalid},
		{"lag above the least that can be asked for", func(r *reports.Load) {
			r.Generator.Lag.P99, r.Plan.MaxLag = int64(2*time.Millisecond), int64(time.Microsecond)
		}, "99 % of them within 2.00 ms of their time, and 1µs was the most that was asked for", reports.Invalid},
		{"clock set", func(r *reports.Load) { r.Generator.ClockStep = -int64(time.Second) }, "the clock of this machine was set by 1s", reports.Invalid},
		{"no CPU left", func(r *reports.Load) { r.Generator.CPUShare = 0.95 }, "95 % of its processors", reports.Invalid},
		{"garbage collection", func(r *reports.Load) {
			r.Generator.GCPause = reports.Percentiles{Count: 20, Mean: int64(6 * time.Millisecond)}
		}, "the garbage collector of the generator stopped it for 120ms", reports.Invalid},
		{"garbage collection, and as much lag is allowed", func(r *reports.Load) {
			r.Generator.GCPause, r.Plan.MaxLag = reports.Percentiles{Count: 20, Mean: int64(6 * time.Millisecond)}, int64(5*time.Second)
		}, "", reports.Pass},
		{"closed loop", func(r *reports.Load) {
			r.Plan.Closed, r.Generator.CPUShare, r.Generator.AtCap, r.Generator.Lag.P99 = true, 1, 500, int64(time.Second)
		}, "", reports.Pass},
		{"another's answer", func(r *reports.Load) {
			r.Total.Right, r.Total.Wrong, r.Total.Outcomes = 999, 1, map[string]int64{hit.KindIdentity: 1}
		}, "", reports.Fail},
		{"another's answer in an invalid run", func(r *reports.Load) {
			r.Total.Right, r.Total.Wrong, r.Total.Outcomes = 999, 1, map[string]int64{hit.KindIdentity: 1}
			r.Generator.Starved = 900
		}, "waited for a virtual client", reports.Fail},
		{"another's answer within a limit", func(r *reports.Load) {
			r.Total.Right, r.Total.Wrong, r.Total.Outcomes = 999, 1, map[string]int64{hit.KindIdentity: 1}
			r.Limits = []reports.Limit{{Expression: "errors<1%", Verdict: reports.Pass}}
		}, "", reports.Fail},
		{"an error and no limit", func(r *reports.Load) {
			r.Total.Right, r.Total.Wrong, r.Total.Outcomes = 999, 1, map[string]int64{hit.KindStatus: 1}
		}, "", reports.Fail},
		{"an error within a limit", func(r *reports.Load) {
			r.Total.Right, r.Total.Wrong, r.Total.Outcomes = 999, 1, map[string]int64{hit.KindStatus: 1}
			r.Limits = []reports.Limit{{Expression: "errors<1%", Verdict: reports.Pass}}
		}, "", reports.Pass},
		{"a limit not kept", func(r *reports.Load) { r.Limits = []reports.Limit{{Expression: "p99<1ms", Verdict: reports.Fail}} }, "", reports.Fail},
		{"a limit open", func(r *reports.Load) {
			r.Limits = []reports.Limit{{Expression: "p99<1ms", Verdict: reports.Inconclusive}}
		}, "", reports.Inconclusive},
		{"a limit not kept, invalid", func(r *reports.Load) {
			r.Limits = []reports.Limit{{Expression: "p99<1ms", Verdict: reports.Fail}}
			r.Generator.Starved = 900
		}, "waited for a virtual client", reports.Invalid},
		{"partial", func(r *reports.Load) { r.Run.Partial = "it was interrupted" }, "", reports.Inconclusive},
		{"half of a load of shards, with errors", func(r *reports.Load) {
			r.Run.Partial, r.ShardRuns = "shard 2/2 is missing", make([]reports.ShardRun, 2)
			r.Total.Right, r.Total.Wrong, r.Total.Outcomes = 500, 500, map[string]int64{hit.KindStatus: 500}
		}, "", reports.Fail},
		{"half of a load of shards, with errors that are limited", func(r *reports.Load) {
			r.Run.Partial, r.ShardRuns = "shard 2/2 is missing", make([]reports.ShardRun, 2)
			r.Total.Right, r.Total.Wrong, r.Total.Outcomes = 500, 500, map[string]int64{hit.KindStatus: 500}
			r.Limits = []reports.Limit{{Expression: "errors<1%", Verdict: reports.Fail}}
		}, "", reports.Inconclusive},
		{"a closed loop that stood still", func(r *reports.Load) {
			r.Plan.Closed, r.Generator.StoodStill = true, int64(6*time.Second)
		}, "", reports.Inconclusive},
		{"a closed loop that stood still, of a service that turned clients away", func(r *reports.Load) {
			r.Plan.Closed, r.Generator.StoodStill = true, int64(6*time.Second)
			r.Total.Right, r.Total.Wrong, r.Total.Outcomes = 900, 100, map[string]int64{hit.KindThrottled: 100}
		}, "", reports.Fail},
		{"a closed loop that stood still for a moment", func(r *reports.Load) {
			r.Plan.Closed, r.Plan.Seconds, r.Generator.StoodStill = true, 100, int64(5*time.Second)
		}, "", reports.Pass},
		{"an interrupted storm", func(r *reports.Load) {
			r.Run.Partial, r.Storm = "it was interrupted", &reports.Storm{Clients: 10, Recovered: -1}
			r.Limits = []reports.Limit{{Expression: "storm.recovered<90s", Verdict: reports.Inconclusive}}
		}, "", reports.Inconclusive},
		{"no answer", func(r *reports.Load) { r.Total.Right, r.Total.Interrupted = 0, 1000 }, "", reports.Error},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := good()
			c.spoil(r)
			decide(r, nil, nil, nil)
			assert.Equal(t, c.verdict, r.Verdict, "%s %v", r.Reason, r.Invalid)
			assert.NotEmpty(t, r.Reason)
			assert.Equal(t, c.reason == "", r.Valid, r.Invalid)
			if c.reason != "" {
				assert.Contains(t, list(r.Invalid), c.reason)
			}
		})
	}
}

// A lag that may have decided a limit makes a run invalid. The lag alone does not if response times have limits.
// TestADefectNamesWhatItCounts: the reason counts the answers that no limit excuses and names their kinds alone, and has
// the limits that were not kept besides.
func TestADefectNamesWhatItCounts(t *testing.T) {
	r := good()
	r.Total.Right, r.Total.Wrong = 454, 546
	r.Total.Outcomes = map[string]int64{hit.KindStatus: 540, hit.KindToken: 6}
	r.Limits = []reports.Limit{{Expression: "errors<1%", Verdict: reports.Fail}, {Expression: "p99<1s", Verdict: reports.Pass}}
	decide(r, nil, nil, nil)
	assert.Equal(t, reports.Fail, r.Verdict)
	assert.Equal(t, "6 of 1,000 answers were not right: token 6; not kept: errors<1%", r.Reason)
}

func TestLagThatDecidedALimit(t *testing.T) {
	for name, late := range map[string][]string{"it did": {"which may be why p50<18ms was not kept"}, "it did not": nil} {
		t.Run(name, func(t *testing.T) {
			r := good()
			lag := int64(150 * time.Millisecond)
			r.Generator.Lag = reports.Percentiles{P50: lag / 10, P99: lag, P999: lag, Max: lag}
			r.Limits = []reports.Limit{{Expression: "p50<18ms", Verdict: reports.Fail, Value: "20 ms"}}
			decide(r, nil, late, nil)
			assert.Equal(t, late != nil, r.Verdict == reports.Invalid, "%s %s", r.Verdict, r.Reason)
			if late != nil {
				assert.Contains(t, r.Reason, late[0])
			}
		})
	}
}

// A service that is slower than a limit allows breaks it, however long hits waited before they were sent. A fault that
// spoils service times too leaves the limit open.
func TestServiceTimesAloneBreakALimit(t *testing.T) {
	for name, test := range map[string]struct {
		spoil   func(r *reports.Load)
		sure    []string
		verdict reports.Verdict
	}{
		"clients were waited for":      {func(r *reports.Load) { r.Generator.Starved = 750 }, []string{"p99<300ms"}, reports.Fail},
		"workers were waited for":      {func(r *reports.Load) { r.Generator.AtCap, r.Generator.MaxInFlight = 750, 8 }, []string{"p99<300ms"}, reports.Fail},
		"not by service times":         {func(r *reports.Load) { r.Generator.Starved = 750 }, nil, reports.Invalid},
		"the generator was busy":       {func(r *reports.Load) { r.Generator.Starved, r.Generator.CPUShare = 750, 0.95 }, []string{"p99<300ms"}, reports.Invalid},
		"results were taken up late":   {func(r *reports.Load) { r.Generator.Starved, r.Generator.Behind = 750, 100 }, []string{"p99<300ms"}, reports.Fail},
		"the generator was held back":  {func(r *reports.Load) { r.Generator.Starved, r.Generator.Throttled = 750, 9e9 }, []string{"p99<300ms"}, reports.Invalid},
		"the clock of it was set back": {func(r *reports.Load) { r.Generator.Starved, r.Generator.ClockStep = 750, -9e9 }, []string{"p99<300ms"}, reports.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			r := good()
			r.Limits = []reports.Limit{{Expression: "p99<300ms", Verdict: reports.Fail, Value: "3 s"}}
			test.spoil(r)
			decide(r, nil, nil, test.sure)
			assert.Equal(t, test.verdict, r.Verdict, r.Reason)
			assert.False(t, r.Valid, "response times are not shown as the service's")
		})
	}
}

// A service that turns clients away makes the hits of others wait for a client. That excuses none of its answers.
func TestWhatTheServiceAnsweredCountsThoughHitsWaited(t *testing.T) {
	for name, test := range map[string]struct {
		outcomes map[string]int64
		limits   []reports.Limit
		spoil    func(r *reports.Load)
		verdict  reports.Verdict
		reason   string
	}{
		"turned away":                   {map[string]int64{hit.KindThrottled: 300}, nil, nil, reports.Fail, "300 of 1,000 answers were wrong (throttled 300) and no limit allows any, such as errors<0.1%; else the figures are not valid: 70 hits (7.0 %) waited for a virtual client to be free (300 answers asked one to come again later)"},
		"refused":                       {map[string]int64{hit.KindStatus: 300}, nil, nil, reports.Fail, "300 of 1,000 answers were wrong (status 300) and no limit allows any"},
		"a limit not kept":              {map[string]int64{hit.KindStatus: 300}, []reports.Limit{{Expression: "errors<1%", Verdict: reports.Fail}}, nil, reports.Fail, "not kept, by what the service answered: errors<1%; else the figures are not valid: 70 hits"},
		"a limit kept":                  {map[string]int64{hit.KindStatus: 300}, []reports.Limit{{Expression: "errors<50%", Verdict: reports.Pass}}, nil, reports.Invalid, "70 hits (7.0 %) waited"},
		"no answer":                     {map[string]int64{hit.KindTimeout: 300}, nil, nil, reports.Fail, "300 of 1,000 answers were wrong (timeout 300) and no limit allows any"},
		"a limit, and none too":         {map[string]int64{hit.KindTimeout: 300, hit.KindStatus: 1}, []reports.Limit{{Expression: "errors<1%", Verdict: reports.Fail}}, nil, reports.Fail, "not kept, by what the service answered and left unanswered: errors<1%; else the figures are not valid: 70 hits"},
		"nobody listens":                {map[string]int64{hit.KindRefused: 300}, nil, nil, reports.Fail, "(refused 300) and no limit allows any"},
		"for no known reason":           {map[string]int64{hit.KindOther: 300}, nil, nil, reports.Invalid, "70 hits (7.0 %) waited"},
		"turned away, and a limit kept": {map[string]int64{hit.KindThrottled: 300}, []reports.Limit{{Expression: "throttled<50%", Verdict: reports.Pass}}, nil, reports.Inconclusive, "the load did not do what was asked, since the service asked its clients to come again later: 70 hits"},
		"a few turned away":             {map[string]int64{hit.KindThrottled: 3}, []reports.Limit{{Expression: "throttled<50%", Verdict: reports.Pass}}, nil, reports.Invalid, "70 hits (7.0 %) waited"},
		"late a little": {map[string]int64{hit.KindStatus: 300}, nil, func(r *reports.Load) {
			r.Generator.Starved, r.Generator.Lag.P99 = 0, int64(150*time.Millisecond)
		}, reports.Fail, "300 of 1,000 answers were wrong (status 300) and no limit allows any, such as errors<0.1%; else the figures are not valid: hits left late"},
		"late a little, and a limit not kept": {map[string]int64{hit.KindStatus: 300}, []reports.Limit{{Expression: "errors<1%", Verdict: reports.Fail}}, func(r *reports.Load) {
			r.Generator.Starved, r.Generator.Lag.P99 = 0, int64(150*time.Millisecond)
		}, reports.Fail, "not kept, by what the service answered: errors<1%; else the figures are not valid: hits left late"},
		"late a little, and a limit kept": {map[string]int64{hit.KindStatus: 300}, []reports.Limit{{Expression: "errors<50%", Verdict: reports.Pass}}, func(r *reports.Load) {
			r.Generator.Starved, r.Generator.Lag.P99 = 0, int64(150*time.Millisecond)
		}, reports.Invalid, "hits left late"},
		"late a little, in a storm without end": {map[string]int64{hit.KindThrottled: 300}, nil, func(r *reports.Load) {
			r.Generator.Starved, r.Generator.Lag.P99 = 0, int64(150*time.Millisecond)
			r.Storm = &reports.Storm{Clients: 100, Recovered: -1}
		}, reports.Fail, "the storm ended before every client was signed in; else the figures are not valid: hits left late"},
		"waited, in a storm without end": {map[string]int64{hit.KindThrottled: 300}, []reports.Limit{{Expression: "storm.recovered<9s", Verdict: reports.Fail}}, func(r *reports.Load) {
			r.Storm = &reports.Storm{Clients: 100, Recovered: -1}
		}, reports.Fail, "not kept, by what the service answered: storm.recovered<9s; else"},
		"too slow besides": {map[string]int64{hit.KindStatus: 300}, nil, func(r *reports.Load) { r.Generator.CPUShare = 1 }, reports.Invalid, "70 hits (7.0 %) waited"},
		"late alone": {map[string]int64{hit.KindThrottled: 300}, nil, func(r *reports.Load) {
			r.Generator.Starved, r.Generator.Lag.P99 = 0, int64(time.Second)
		}, reports.Invalid, "hits left late"},
	} {
		t.Run(name, func(t *testing.T) {
			r := good()
			r.Generator.Starved, r.Total.Outcomes, r.Limits = 70, test.outcomes, test.limits
			for _, n := range test.outcomes {
				r.Total.Right, r.Total.Wrong = r.Total.Right-n, r.Total.Wrong+n
			}
			if test.spoil != nil {
				test.spoil(r)
			}
			decide(r, nil, nil, nil)
			assert.Equal(t, test.verdict, r.Verdict, r.Reason)
			assert.Contains(t, r.Reason, test.reason)
			assert.False(t, r.Valid, "the response times are not")
		})
	}
}

// Hits that wait for a client wait for the service. The reason says so, and how much the clients can send at most.
func TestASlowServiceIsNamedWhereClientsWereWaitedFor(t *testing.T) {
	r := good()
	r.Generator.Starved, r.Plan.Clients, r.Plan.Seconds = 750, 20, 10 // 100/s were asked
	r.Total.Service.P50 = int64(2 * time.Second)
	decide(r, nil, nil, nil)
	assert.Equal(t, reports.Invalid, r.Verdict)
	assert.Contains(t, r.Reason, "give more clients (the service took 2,000.0 ms for an answer, at the median: 20 clients send 10/s at most)")
	r.Generator.Lag.P99 = int64(3 * time.Second)
	assert.Contains(t, lagNote(r), "750 hits waited for a client or a worker to be free; service times are without it")
	r.Total.Service.P50 = int64(20 * time.Millisecond)
	decide(r, nil, nil, nil)
	assert.NotContains(t, r.Reason, "the service took")
}

// A storm has a limit on when it is over, which is a time that holds the lag: a lag decides it or does not matter.
func TestLagOfAStormCountsAgainstItsLimit(t *testing.T) {
	for name, late := range map[string][]string{"it may have decided": {"which may be why storm.recovered<9s was not kept"}, "it did not": nil} {
		t.Run(name, func(t *testing.T) {
			r := good()
			r.Storm, r.Generator.Lag.P99 = &reports.Storm{Clients: 100, Recovered: int64(time.Second)}, int64(300*time.Millisecond)
			r.Limits = []reports.Limit{{Expression: "storm.recovered<9s", Verdict: reports.Pass}}
			decide(r, nil, late, nil)
			assert.Equal(t, late == nil, r.Verdict == reports.Pass, r.Reason)
		})
	}
}

func TestMuchLagIsTold(t *testing.T) {
	r := good() // p99 50 ms
	assert.Empty(t, lagNote(r))
	r.Generator.Lag.P99 = int64(6 * time.Millisecond)
	assert.Equal(t, "hits left up to 6.00 ms late (99 %), which is in the response times: of a p99 of 50.0 ms that much may be this machine's own; service times are without it", lagNote(r))
	r.Generator.Lag.P99 = int64(60 * time.Millisecond) // wrong answers left late too, and the p99 is that of the right ones
	assert.Contains(t, lagNote(r), "of a p99 of 50.0 ms all may be this machine's own")
	r.Plan.Closed = true
	assert.Empty(t, lagNote(r))
}

// A limit excuses only the answers it was decided for.
func TestLimitsExcuseTheirOwnOperationAndKind(t *testing.T) {
	wrong := func(kind string, n int64) *reports.Operation {
		return &reports.Operation{Sent: 500, Right: 500 - n, Wrong: n, Outcomes: map[string]int64{kind: n}}
	}
	kept := func(expressions ...string) (limits []reports.Limit) {
		for _, expression := range expressions {
			limits = append(limits, reports.Limit{Expression: expression, Verdict: reports.Pass})
		}
		return limits
	}
	refused := func(n int64) *reports.Operation {
		return &reports.Operation{Sent: n, Wrong: n, Outcomes: map[string]int64{hit.KindStatus: n}}
	}
	storm := &reports.Storm{Clients: 60, Recovered: 1}
	for name, test := range map[string]struct {
		signon, refresh *reports.Operation
		storm           *reports.Storm
		limits          []reports.Limit
		verdict         reports.Verdict
		reason          string
	}{
		"another operation": {wrong(hit.KindStatus, 0), wrong(hit.KindStatus, 500), nil, kept("signon.errors<5%"), reports.Fail,
			"500 of 1,000 answers were wrong (status 500) and no limit speaks of them: refresh 500 of 500"},
		"its own operation":                  {wrong(hit.KindStatus, 3), wrong(hit.KindStatus, 0), nil, kept("signon.errors<5%"), reports.Pass, "the limit was kept; 3 of 1,000 answers were wrong (status 3)"},
		"all operations":                     {wrong(hit.KindStatus, 3), wrong(hit.KindReset, 3), nil, kept("errors<5%"), reports.Pass, "the limit was kept"},
		"nothing right of an operation":      {refused(10), wrong(hit.KindStatus, 0), nil, kept("errors<2%"), reports.Fail, "10 of 1,000 answers were wrong (status 10) and no limit allows them: signon 10 of 10; not one answer to signon was right, which a limit that names no operation does not allow"},
		"and that was not decided":           {refused(10), wrong(hit.KindStatus, 0), nil, []reports.Limit{{Expression: "errors<2%", Verdict: reports.Inconclusive}}, reports.Fail, "not one answer to signon was right"},
		"hardly anything right":              {wrong(hit.KindStatus, 470), wrong(hit.KindStatus, 0), nil, kept("errors<50%"), reports.Fail, "470 of 1,000 answers were wrong (status 470) and no limit allows them: signon 470 of 500; most answers to signon were wrong, which a limit that names no operation does not allow"},
		"hardly anything right, throttled":   {wrong(hit.KindThrottled, 470), wrong(hit.KindStatus, 0), nil, kept("throttled<50%"), reports.Fail, "most answers to signon were wrong"},
		"most wrong, which the limit allows": {wrong(hit.KindStatus, 300), wrong(hit.KindStatus, 300), nil, kept("errors<70%"), reports.Pass, "the limit was kept"},
		"most wrong, and a limit of its own": {wrong(hit.KindStatus, 470), wrong(hit.KindStatus, 0), nil, kept("signon.errors<99%", "errors<50%"), reports.Pass, "all 2 limits were kept"},
		"about the half wrong":               {wrong(hit.KindStatus, 260), wrong(hit.KindStatus, 0), nil, kept("errors<50%"), reports.Pass, "the limit was kept"},
		"nothing right of a few":             {refused(2), wrong(hit.KindStatus, 0), nil, kept("errors<2%"), reports.Pass, "the limit was kept"},
		"nothing right, throttled":           {&reports.Operation{Sent: 10, Wrong: 10, Outcomes: map[string]int64{hit.KindThrottled: 10}}, wrong(hit.KindStatus, 0), nil, kept("throttled<2%"), reports.Fail, "not one answer to signon was right"},
		"nothing right, and the limit too":   {refused(10), wrong(hit.KindStatus, 0), nil, []reports.Limit{{Expression: "errors<0.1%", Verdict: reports.Fail}}, reports.Fail, "not kept: errors<0.1%"},
		"another kind":                       {wrong(hit.KindStatus, 3), wrong(hit.KindStatus, 0), nil, kept("throttled<5%"), reports.Fail, "no limit speaks of them: signon 3 of 500"},
		"throttled":                          {wrong(hit.KindThrottled, 3), wrong(hit.KindStatus, 0), nil, kept("throttled<5%"), reports.Pass, "the limit was kept"},
		"throttled, elsewhere":               {wrong(hit.KindThrottled, 3), wrong(hit.KindThrottled, 1), nil, kept("signon.throttled<5%"), reports.Fail, "refresh 1 of 500"},
		"a time says nothing of errors":      {wrong(hit.KindStatus, 1), wrong(hit.KindStatus, 0), nil, kept("refresh.p99<1s"), reports.Fail, "no limit allows any"},
		"a storm that was asked to wait":     {wrong(hit.KindThrottled, 50), wrong(hit.KindStatus, 0), storm, nil, reports.Pass, "every client was signed in; 50 of 1,000 answers asked to come again later"},
		"a storm of failures":                {wrong(hit.KindStatus, 50), wrong(hit.KindStatus, 2), storm, nil, reports.Fail, "52 of 1,000 answers were wrong (status 52); of a storm only answers that ask to come again later are allowed"},
		"a storm and its recovery":           {wrong(hit.KindReset, 1), wrong(hit.KindStatus, 0), storm, kept("storm.recovered<90s"), reports.Fail, "1 of 1,000 answers was wrong (reset 1)"},
		"a storm whose errors are limited":   {wrong(hit.KindReset, 1), wrong(hit.KindStatus, 0), storm, kept("errors<5%"), reports.Pass, "the limit was kept; 1 of 1,000"},
	} {
		t.Run(name, func(t *testing.T) {
			r := good()
			r.Operations = map[string]*reports.Operation{hit.OpSignOn: test.signon, hit.OpRefresh: test.refresh}
			r.Storm, r.Limits = test.storm, test.limits
			for _, o := range r.Operations {
				for kind, n := range o.Outcomes {
					r.Total.Outcomes[kind] += n
					r.Total.Wrong += n
				}
			}
			r.Total.Right -= r.Total.Wrong
			decide(r, nil, nil, nil)
			assert.Equal(t, test.verdict, r.Verdict, r.Reason)
			assert.Contains(t, r.Reason, test.reason)
		})
	}
}

// TestOneAnswerIsNoCrowd: the reason of a load of one hit.
func TestOneAnswerIsNoCrowd(t *testing.T) {
	r := good()
	r.Total.Right = 1
	assert.Equal(t, "the one answer was right; no limit was set", keptInWords(r))
	r.Total.Right = 2
	assert.Equal(t, "all 2 answers were right; no limit was set", keptInWords(r))
}

// Each kind of wrong answer says what it did to the run, and which limit decided that.
func TestKindsOfWrongAnswersAreJudged(t *testing.T) {
	limitOf := func(expression string, verdict reports.Verdict) reports.Limit {
		return reports.Limit{Expression: expression, Verdict: verdict}
	}
	for name, test := range map[string]struct {
		limits   []reports.Limit
		spoil    func(r *reports.Load)
		verdicts map[string]reports.Verdict // by kind
		limit    string                     // of status
	}{
		"no limit":                          {nil, nil, map[string]reports.Verdict{hit.KindStatus: reports.Fail, hit.KindIdentity: reports.Fail}, ""},
		"kept":                              {[]reports.Limit{limitOf("errors<5%", reports.Pass)}, nil, map[string]reports.Verdict{hit.KindStatus: reports.Warn, hit.KindIdentity: reports.Fail}, "errors<5%"},
		"not kept":                          {[]reports.Limit{limitOf("refresh.errors<1%", reports.Fail), limitOf("errors<90%", reports.Pass)}, nil, map[string]reports.Verdict{hit.KindStatus: reports.Fail, hit.KindIdentity: reports.Fail}, "refresh.errors<1%"},
		"open":                              {[]reports.Limit{limitOf("errors<1%", reports.Inconclusive)}, nil, map[string]reports.Verdict{hit.KindStatus: reports.Inconclusive}, "errors<1%"},
		"of another":                        {[]reports.Limit{limitOf("signon.errors<5%", reports.Pass), limitOf("refresh.p99<1s", reports.Fail)}, nil, map[string]reports.Verdict{hit.KindStatus: reports.Fail}, ""},
		"a storm":                           {nil, func(r *reports.Load) { r.Storm = &reports.Storm{} }, map[string]reports.Verdict{hit.KindThrottled: reports.Warn, hit.KindStatus: reports.Fail}, ""},
		"not valid":                         {nil, func(r *reports.Load) { r.Generator.CPUShare = 1 }, map[string]reports.Verdict{hit.KindStatus: reports.Invalid}, ""},
		"hits that waited excuse no answer": {nil, func(r *reports.Load) { r.Generator.Starved = 900 }, map[string]reports.Verdict{hit.KindStatus: reports.Fail}, ""},
		"a shard is lost": {nil, func(r *reports.Load) {
			r.Run.Partial, r.ShardRuns = "shard 2/2 is missing", make([]reports.ShardRun, 2)
		}, map[string]reports.Verdict{hit.KindStatus: reports.Fail}, ""},
		"a shard is lost, and a limit allows some": {[]reports.Limit{limitOf("errors<1%", reports.Fail)}, func(r *reports.Load) {
			r.Run.Partial, r.ShardRuns = "shard 2/2 is missing", make([]reports.ShardRun, 2)
		}, map[string]reports.Verdict{hit.KindStatus: reports.Inconclusive}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := good()
			r.Operations = map[string]*reports.Operation{hit.OpRefresh: {Sent: 1000, Right: 900, Wrong: 100, Outcomes: map[string]int64{}}}
			r.Limits = test.limits
			for kind := range test.verdicts {
				r.Operations[hit.OpRefresh].Outcomes[kind], r.Total.Outcomes[kind] = 10, 10
				r.WrongKinds = append(r.WrongKinds, reports.WrongKind{Operation: hit.OpRefresh, Kind: kind, Times: 10})
			}
			if test.spoil != nil {
				test.spoil(r)
			}
			decide(r, nil, nil, nil)
			for i := range r.WrongKinds {
				k := &r.WrongKinds[i]
				assert.Equal(t, test.verdicts[k.Kind], k.Verdict, k.Kind)
				assert.NotEmpty(t, k.Judged())
				if k.Kind == hit.KindStatus {
					assert.Equal(t, test.limit, k.Limit)
				}
			}
		})
	}
}

func TestTokensAreNotBlamedWhereTheClockWasSet(t *testing.T) {
	r := &reports.Load{Total: &reports.Operation{Asked: 100, Sent: 100, Right: 60, Wrong: 40, Outcomes: map[string]int64{hit.KindToken: 40}}}
	decide(r, nil, nil, nil)
	assert.Equal(t, reports.Fail, r.Verdict)
	r.Generator.ClockStep = int64(time.Hour)
	decide(r, nil, nil, nil)
	assert.Equal(t, reports.Invalid, r.Verdict)
	assert.Equal(t, "the clock of this machine was set by 1h0m0s during the run", r.Reason)
	r.Total.Outcomes[hit.KindIdentity] = 1
	decide(r, nil, nil, nil)
	assert.Equal(t, reports.Fail, r.Verdict, "a mix-up is one at any time")

	before := &reports.Load{Total: &reports.Operation{Asked: 100, Sent: 100, Right: 100}, Wrong: []reports.Wrong{{Operation: hit.SetUp, Kind: hit.KindToken, Times: 1, Message: "expired"}}}
	decide(before, nil, nil, nil)
	assert.Equal(t, reports.Fail, before.Verdict)
	before.Generator.ClockStep = -int64(time.Hour)
	decide(before, nil, nil, nil)
	assert.Equal(t, reports.Invalid, before.Verdict, "the set-up is by the same clock")
}

func TestHitsWithoutAConnectionAreNotOfTheService(t *testing.T) {
	r := &reports.Load{Total: &reports.Operation{Asked: 1000, Sent: 1000, Right: 999, Wrong: 1, Outcomes: map[string]int64{hit.KindMachine: 1}}}
	decide(r, nil, nil, nil)
	assert.Equal(t, reports.Invalid, r.Verdict)
	assert.Equal(t, []string{"1 hit (0.1 %) found no connection, because this machine was out of file descriptors or local ports; raise the limit (ulimit -n), or give fewer --workers"}, r.Invalid)
}
