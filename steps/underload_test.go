package steps_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// loaded is a load of 600 hits in 3 s by 420 clients, all right.
func loaded() *reports.Load {
	operation := func(n int64) *reports.Operation {
		return &reports.Operation{Asked: n, Sent: n, Right: n, Rate: float64(n) / 3, Statuses: map[string]int64{"200": n}, Outcomes: map[string]int64{},
			Response: reports.Percentiles{Count: n, P50: 250_000, P99: 1_310_000}}
	}
	return &reports.Load{
		Verdict: reports.Pass, Valid: true, Plan: reports.Plan{Workload: "mixed", Seconds: 3, Clients: 420}, Total: operation(600),
		Operations: map[string]*reports.Operation{"signon": operation(60), "refresh": operation(540)}, Judging: &reports.Judging{AllRules: 6, Every: 100},
	}
}

// TestLoadJudgesWhatOnlyItCanShow: each requirement has the evidence of the load, or the reason why there is none.
func TestLoadJudgesWhatOnlyItCanShow(t *testing.T) {
	t.Parallel()
	e := service(t, mock.Config{})
	o := steps.Options{Environment: e, Only: []string{"REF-01"}, Seed: 3}
	checked := run(t, o)
	lean := func(change func(*reports.Load)) func(*reports.Load) { return change }
	for _, test := range []struct {
		name, id string
		change   func(*reports.Load)
		verdict  reports.Verdict
		reason   string
	}{
		{"none was throttled", "ERR-12", nil, reports.Observed, "under load: none of 600 answers was 429 or 503"},
		{"some were", "ERR-12", func(l *reports.Load) {
			l.Total.Statuses["429"], l.Total.Statuses["503"], l.Total.Outcomes["throttled"] = 12, 1, 12
			l.Wrong = []reports.Wrong{{Operation: "refresh", Kind: "throttled", Times: 12, Message: "refresh was answered 429 with Retry-After"}}
		}, reports.Observed, "under load: 429 came 12 times, 503 came 1 time; 12 of these say so to callers that may come again (429, or 503 with Retry-After), such as: refresh was answered 429 with Retry-After"},
		{"known devices", "LOAD-01", nil, reports.Observed, "under load: 60 sign-ons named the clientId of their clients, and 60 were answered with that device, so none was made"},
		{"new devices", "LOAD-01", func(l *reports.Load) {
			l.Operations = map[string]*reports.Operation{"signon-first": {Sent: 60, Right: 60}}
		}, reports.Observed, "under load: 60 were first-time sign-ons, as was asked: each right one made a device"},
		{"no sign-on", "LOAD-01", lean(func(l *reports.Load) { delete(l.Operations, "signon") }), reports.NotExercised, "its load cannot tell: no sign-on was in it; take the workload signon, or signon into the mix"},
		{"no right sign-on", "LOAD-01", lean(func(l *reports.Load) { l.Operations["signon"].Right = 0 }), reports.NotExercised, "its load cannot tell: no sign-on was right"},
		{"session tokens", "LOAD-02", nil, reports.Observed, "under load: each of 60 sign-ons had a session token of its own"},
		{"session tokens used again", "LOAD-02", func(l *reports.Load) { l.Judging.Shared = true }, reports.Observed, "under load: 60 sign-ons used session tokens more than once, as --reuse-sessions asks"},
		{"an old report", "LOAD-02", lean(func(l *reports.Load) { l.Judging = nil }), reports.NotExercised, "its load cannot tell: its report does not say where the session tokens came from"},
		{"chains", "LOAD-03", nil, reports.Observed, "under load: 540 right refreshes of 420 clients: at least 120 carried the token that a refresh had given"},
		{"broken chains", "LOAD-03", func(l *reports.Load) { l.Judging.Broken = 2 }, reports.Observed, "under load: 540 right refreshes of 420 clients: at least 120 carried the token that a refresh had given; 2 chains broke"},
		{"no chain", "LOAD-03", lean(func(l *reports.Load) { l.Plan.Clients = 540 }), reports.NotExercised, "its load cannot tell: 540 right refreshes of 540 clients are too few for a second one of any to be sure; let it last longer, or take fewer --clients"},
		{"no refresh", "LOAD-03", lean(func(l *reports.Load) { delete(l.Operations, "refresh") }), reports.NotExercised, "its load cannot tell: no refresh was in it; take the workload refresh, or refresh into the mix"},
		{"figures", "LOAD-04", nil, reports.Observed, "under load: refresh 180/s, 0 % wrong, p50 0.25 ms, p99 1.31 ms; signon 20/s, 0 % wrong, p50 0.25 ms, p99 1.31 ms"},
		{"answers", "LOAD-05", func(l *reports.Load) {
			l.Total.Right, l.Total.Wrong, l.Total.Outcomes["status"] = 598, 2, 2
		}, reports.Observed, "under load: 598 of 600 answers had the wanted status and a right body of the right client; wrong: status 2"},
		{"a sample", "LOAD-06", nil, reports.Observed, "under load: all rules of tokens were checked on 6 answers (the first of each call, then one of 100), of which 0 broke one"},
		{"a sample by a clock that was wrong", "LOAD-06", lean(func(l *reports.Load) { l.Generator.ClockStep = -int64(time.Hour) }), reports.NotExercised, "its load cannot tell: the clock of the generator was set while it ran, so that the times in tokens say nothing"},
		{"no sample", "LOAD-06", lean(func(l *reports.Load) { l.Judging.AllRules = 0 }), reports.NotExercised, "its load cannot tell: no answer came that holds tokens"},
		{"a population", "LOAD-07", func(l *reports.Load) {
			l.Plan.Population = &reports.PlannedPopulation{Clients: 648000, AccessLifetime: 3600, Refreshes: 180, Peak: 1}
		}, reports.Observed, "under load: 648,000 clients with access tokens of 3600 s refresh 180 times a second; 540 were due in 3 s"},
		{"another rate", "LOAD-07", func(l *reports.Load) {
			l.Plan.Population = &reports.PlannedPopulation{Clients: 648000, AccessLifetime: 1800, Refreshes: 360, Peak: 1}
		}, reports.Observed, "under load: 648,000 clients with access tokens of 1800 s refresh 360 times a second; 540 were due in 3 s, which is further away than chance explains"},
		{"a rate", "LOAD-07", nil, reports.NotExercised, "its load cannot tell: its rate was given and does not follow from clients and lifetimes; say --population and --access-lifetime"},
		{"nothing", "LOAD-05", lean(func(l *reports.Load) { l.Total.Sent = 0 }), reports.NotExercised, "its load cannot tell: the load sent nothing"},
	} {
		t.Run(test.id+" "+test.name, func(t *testing.T) {
			report := *checked
			report.Requirements = append([]reports.Requirement{}, checked.Requirements...)
			for _, q := range report.Requirements {
				require.NotEqual(t, test.id, q.ID, "a conformance run lists it")
			}
			l := loaded()
			if test.change != nil {
				test.change(l)
			}
			steps.JudgeUnderLoad(&report, l, o)
			q := requirement(t, &report, test.id)
			assert.Equal(t, test.verdict, q.Verdict)
			assert.Equal(t, test.reason, q.Reason)
			assert.Equal(t, reports.Pass, report.Verdict, "a probe fails nothing")
			assert.Equal(t, len(report.Requirements), sum(report.Counts.Requirements))
		})
	}
}

func sum(counts map[reports.Verdict]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

// TestWhatIsWrongUnderLoadFailsItsRequirement, as far as a page states it; statuses are for the limits of the load.
func TestWhatIsWrongUnderLoadFailsItsRequirement(t *testing.T) {
	t.Parallel()
	o := steps.Options{Environment: service(t, mock.Config{}), Only: []string{"REF-01"}, Seed: 3}
	wrong := func(kind, id string) *reports.Load {
		l := loaded()
		l.Wrong = []reports.Wrong{{Operation: "signon", Kind: kind, Times: 2, Message: "the answer to the signon of client 4 is not its own", Requirement: id}}
		return l
	}
	report := run(t, o)
	steps.JudgeUnderLoad(report, wrong("identity", "SOST-22"), o)
	assert.Equal(t, reports.Fail, report.Verdict)
	assert.Equal(t, "1 requirement failed: SOST-22", report.Reason)
	q := requirement(t, report, "SOST-22")
	assert.Equal(t, reports.Fail, q.Verdict)
	assert.Equal(t, "expected an answer that belongs to the client that asked; got under load 2 answers did not, such as: the answer to the signon of client 4 is not its own", q.Reason)
	require.Len(t, report.Causes, 1)
	assert.Equal(t, q.Findings[0].Cause, report.Causes[0].ID)

	known := o
	known.Known = []steps.KnownDeparture{{ID: report.Causes[0].ID, Owner: "o", Reason: "r", Expires: "2999-01-01"}}
	again := run(t, o)
	steps.JudgeUnderLoad(again, wrong("identity", "SOST-22"), known)
	assert.Equal(t, reports.Known, requirement(t, again, "SOST-22").Verdict)
	assert.Equal(t, reports.Pass, again.Verdict, again.Reason)

	known.Only, known.LoadFollows, known.Profile = nil, true, "head-end"
	again = run(t, known)
	assert.Equal(t, reports.Pass, again.Verdict, "the load may have it: %s", again.Reason)
	steps.JudgeUnderLoad(again, loaded(), known)
	assert.Equal(t, reports.Pass, again.Verdict, "of a part of the contract nobody can say that nothing has it")
	known.Profile = ""
	steps.JudgeUnderLoad(again, loaded(), known)
	assert.Equal(t, reports.Fail, again.Verdict)
	assert.Contains(t, again.Reason, "but nothing has it any more")

	// Times in tokens that were read by a clock that was wrong are no fault of the service; whose they are shows all the same.
	o.Only = []string{"REF-01", "TOK-17"}
	for kind, id := range map[string]string{"token": "TOK-17", "identity": "SOST-22"} {
		for step, verdict := range map[time.Duration]reports.Verdict{0: reports.Fail, time.Hour: map[string]reports.Verdict{"token": reports.Pass, "identity": reports.Fail}[kind]} {
			l := wrong(kind, id)
			l.Generator.ClockStep = int64(step)
			again = run(t, o)
			steps.JudgeUnderLoad(again, l, o)
			assert.Equal(t, verdict, again.Verdict, "%s, the clock was set by %s: %s", kind, step, again.Reason)
			assert.Equal(t, verdict == reports.Fail, len(again.Causes) > 0, "%s, the clock was set by %s", kind, step)
		}
	}
	o.Only = []string{"REF-01"}

	again = run(t, o)
	steps.JudgeUnderLoad(again, wrong("duplicate", "TOK-21"), o)
	assert.Equal(t, reports.Pass, again.Verdict, "a probe fails nothing: %s", again.Reason)
	again = run(t, o)
	steps.JudgeUnderLoad(again, wrong("status", ""), o)
	assert.Equal(t, reports.Pass, again.Verdict)
	assert.Empty(t, again.Causes)
}
