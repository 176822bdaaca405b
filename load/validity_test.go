package load

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
		{"few held", func(r *reports.Load) { r.Generator.AtCap = 10 }, "", reports.Pass},
		{"workers at the cap", func(r *reports.Load) { r.Generator.AtCap, r.Generator.MaxInFlight = 11, 64 }, "11 hits (1.1 %) waited for one of the 64 workers", reports.Invalid},
		{"starved", func(r *reports.Load) { r.Generator.Starved = 11 }, "waited for a virtual client", reports.Invalid},
		{"consumer behind", func(r *reports.Load) { r.Generator.Behind = 11 }, "11 results (1.1 %) waited to be taken up", reports.Invalid},
		{"lag of 1 ms", func(r *reports.Load) { r.Generator.Lag.P99 = int64(time.Millisecond) }, "", reports.Pass},
		{"more lag", func(r *reports.Load) { r.Generator.Lag.P99 = int64(1001 * time.Microsecond) }, "hits left late", reports.Invalid},
		{"1 % of the median", func(r *reports.Load) {
			r.Generator.Lag.P99, r.Total.Response.P50 = int64(2*time.Millisecond), int64(200*time.Millisecond)
		}, "", reports.Pass},
		{"more lag allowed", func(r *reports.Load) {
			r.Generator.Lag.P99, r.Plan.MaxLag = int64(4*time.Millisecond), int64(5*time.Millisecond)
		}, "", reports.Pass},
		{"more lag than allowed", func(r *reports.Load) {
			r.Generator.Lag.P99, r.Plan.MaxLag = int64(6*time.Millisecond), int64(5*time.Millisecond)
		}, "asked for", reports.Invalid},
		{"clock set", func(r *reports.Load) { r.Generator.ClockStep = -int64(time.Second) }, "the clock of this machine was set by 1s", reports.Invalid},
		{"no CPU left", func(r *reports.Load) { r.Generator.CPUShare = 0.95 }, "95 % of its processors", reports.Invalid},
		{"garbage collection", func(r *reports.Load) {
			r.Generator.GCPause = reports.Percentiles{Count: 20, Mean: int64(6 * time.Millisecond)}
		}, "the garbage collector of the generator stopped it for 120ms", reports.Invalid},
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
		{"no answer", func(r *reports.Load) { r.Total.Right, r.Total.Interrupted = 0, 1000 }, "", reports.Error},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := good()
			c.spoil(r)
			decide(r, nil)
			assert.Equal(t, c.verdict, r.Verdict, "%s %v", r.Reason, r.Invalid)
			assert.NotEmpty(t, r.Reason)
			assert.Equal(t, c.reason == "", r.Valid, r.Invalid)
			if c.reason != "" {
				assert.Contains(t, list(r.Invalid), c.reason)
			}
		})
	}
}

func TestHealthSeesTheClockBeingSet(t *testing.T) {
	w := newHealthWatch(time.Now(), 0)
	w.clocks(time.Second, time.Second)
	w.clocks(time.Second+time.Millisecond, time.Second)
	assert.Zero(t, w.look(time.Now()).ClockStep)
	w.clocks(-time.Hour, time.Second)
	h := w.look(time.Now())
	assert.EqualValues(t, -time.Hour-time.Second, h.ClockStep)
	w.clocks(time.Hour+2*time.Second, time.Second)
	assert.EqualValues(t, -time.Hour-time.Second, w.look(time.Now()).ClockStep, "set back and forth, it was wrong in between")
	assert.Positive(t, h.CPUs)
	assert.Positive(t, h.Elapsed)
}
