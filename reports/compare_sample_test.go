package reports_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/runs"
)

// sampleComparisons is one comparison of each method, with something of everything in it.
func sampleComparisons() map[string]*compare.Comparison {
	old := conformanceOf("a", "DISC-01 pass", "REF-02 pass", "SOST-03 pass", "TOK-05 fail", "TOK-07 pass", "GST-01 skipped")
	new := conformanceOf("b", "DISC-01 pass", "REF-02 skipped", "SOST-03 fail", "TOK-05 pass", "TOK-07 warn", "GST-01 fail")
	old.Shape = []reports.ShapeEntry{{"refresh", 200, "$.expires_in", "number", 4}, {"refresh", 200, "claim access.jti", "string", 4}, {"refresh", 403, "$.code", "number", 1}}
	new.Shape = []reports.ShapeEntry{{"refresh", 200, "$.expires_in", "string", 3}, {"refresh", 200, "$.scope", "string", 3}}
	oldLoad, newLoad := storedLoad("a", folderDay, 10*time.Millisecond), storedLoad("b", folderDay.Add(time.Hour), 12*time.Millisecond)
	newLoad.Operations["refresh"].Statuses = map[string]int64{"201": 5990, "503": 10}
	newLoad.Operations["refresh"].Right, newLoad.Operations["refresh"].Wrong = 5990, 10
	for _, load := range []*reports.Load{oldLoad, newLoad} {
		r := load.Operations["refresh"].Response
		load.Operations["refresh"].Curve = []reports.CurvePoint{{0, r.P50 / 3}, {0.25, r.P50 * 8 / 10}, {0.5, r.P50}, {0.75, r.P50 * 12 / 10}, {0.9, r.P90}}
	}
	new.Run.Environment, newLoad.Run.Environment = "production", "production"

	slower := jobOf(6, 60, 0.02, 1.1)
	slower.Rounds = append(slower.Rounds, jobOf(7, 60, 0.02, 1.1).Rounds...)
	slower.Plan.Confirm, slower.Plan.Placement = true, compare.Swapped
	slower.LastAA = &compare.SelfComparison{ID: "aa", When: folderDay.Add(-48 * time.Hour), Verdict: reports.Pass, Largest: 0.011}
	requests := sampleLoad(2, 60)
	slower.OldHits, slower.NewHits = &compare.KeptHits{Slowest: requests.Slowest}, &compare.KeptHits{Slowest: requests.Slowest, Wrong: requests.Wrong}
	aa := jobOf(1, 60, 0.02, 1)
	aa.Plan.AA = true
	run, again := storedLoad("n", folderDay, 12*time.Millisecond), storedLoad("m", folderDay, 12*time.Millisecond)
	slow := compare.CompareHistory(reports.Parts{Load: run}, history(20, 1), compare.HistoryOptions{Confirm: &reports.Parts{Load: again}})
	return map[string]*compare.Comparison{
		"runs":      compare.Compare(reports.Parts{Conformance: old, Load: oldLoad}, reports.Parts{Conformance: new, Load: newLoad}),
		"load-only": compare.Compare(reports.Parts{Load: oldLoad}, reports.Parts{Load: newLoad}),
		"not-comparable": compare.Compare(reports.Parts{Load: oldLoad}, reports.Parts{Load: func() *reports.Load {
			l := storedLoad("c", folderDay, time.Millisecond)
			l.Plan.Workload = "signon"
			return l
		}()}),
		"interleaved": comparisonOf(slower),
		"open":        comparisonOf(jobOf(5, 12, 0.15, 1)),
		"itself":      comparisonOf(aa),
		"history":     slow,
		"advisory":    compare.CompareHistory(reports.Parts{Load: run}, history(4, 1), compare.HistoryOptions{}),
	}
}

// jobOf is a job of pairs of blocks whose times differ by chance, with spread as the standard deviation of their
// logarithms. Those of the new build are multiplied by slower, and where that is above 1 some one answer of a hundred
// is wrong.
func jobOf(seed uint64, pairs int, spread, slower float64) compare.Interleaved {
	random := rand.New(rand.NewPCG(seed, 1))
	block := func(factor float64) compare.BlockFigures {
		at := func(ns float64) int64 { return int64(ns * factor * math.Exp(spread*random.NormFloat64())) }
		figures := compare.BlockFigures{Sent: 500, P50: at(18e6), P95: at(32e6), P99: at(50e6)}
		if factor > 1 {
			figures.Wrong = random.Int64N(11)
		}
		figures.Right = figures.Sent - figures.Wrong
		return figures
	}
	var round compare.Round
	for range pairs {
		pair := compare.Pair{OldFirst: random.IntN(2) == 0, Old: map[string]compare.BlockFigures{}, New: map[string]compare.BlockFigures{}}
		for _, operation := range []string{"signon", "refresh"} {
			pair.Old[operation], pair.New[operation] = block(1), block(slower)
		}
		round.Pairs = append(round.Pairs, pair)
	}
	plan := compare.InterleavedPlan{Workload: "mixed", Rate: 220, Pairs: pairs, Block: 5 * time.Second, Settle: 500 * time.Millisecond, Seed: seed, Placement: compare.SamePlacement}
	return compare.Interleaved{Plan: plan, Rounds: []compare.Round{round}}
}

func comparisonOf(job compare.Interleaved) *compare.Comparison {
	old, new := storedLoad("old", folderDay, 18*time.Millisecond), storedLoad("new", folderDay, 18*time.Millisecond)
	return compare.InterleavedComparison(reports.Run{ID: "ab", Kind: "ab", Start: folderDay}, old, new, job)
}

func sampleTrends() []compare.Trend {
	var entries []reports.Entry
	for i, stored := range history(40, 3) {
		if i >= 25 {
			stored.Load.Operations["refresh"].Response.P50 = stored.Load.Operations["refresh"].Response.P50 * 115 / 100
		}
		entries = append(entries, runs.EntryOf("20261123T093000Z-staging-load-"+stored.Load.Run.ID, runs.Stored{Parts: stored}))
	}
	entries[3].Pins = []string{"release-1"}
	return compare.Trends(entries)
}

var folderDay = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

// storedLoad is a small load run of environment staging that can be stored.
func storedLoad(id string, start time.Time, p50 time.Duration) *reports.Load {
	percentiles := reports.Percentiles{Count: 6000, P50: int64(p50), P90: int64(p50) * 15 / 10, P95: int64(p50) * 17 / 10, P99: int64(p50) * 25 / 10, P999: int64(p50) * 4, Max: int64(p50) * 5}
	operation := &reports.Operation{Asked: 6000, Sent: 6000, Right: 6000, Statuses: map[string]int64{"201": 6000}, Rate: 200, Response: percentiles, Service: percentiles}
	return &reports.Load{
		Schema: reports.LoadSchema, Verdict: reports.Pass, Valid: true,
		Run: reports.Run{ID: id, Kind: "load", Environment: "staging", URL: "http://127.0.0.1:1", Start: start, End: start.Add(30 * time.Second),
			Tool: reports.Tool{Version: "v1.2.0"}, Machine: reports.Machine{OS: "linux", Arch: "amd64", CPUs: 2}},
		Plan:       reports.Plan{Workload: "refresh", Schedule: "constant 200/s for 30 s", Hits: 6000, Seconds: 30, Clients: 100, Transport: "fasthttp"},
		Operations: map[string]*reports.Operation{"refresh": operation}, Total: operation, Seconds: []reports.Second{},
	}
}

// conformanceOf is a stored run with these verdicts, in the order given, each with a finding where it is a miss.
func conformanceOf(id string, verdicts ...string) *reports.Conformance {
	c := &reports.Conformance{Schema: reports.ConformanceSchema, Verdict: reports.Pass, Run: reports.Run{ID: id, Kind: "conform", Environment: "staging", Tool: reports.Tool{Version: "v1.2.0"}, Start: folderDay}, Profile: reports.Profile{Name: "all"}}
	for _, entry := range verdicts {
		requirement, verdict, _ := strings.Cut(entry, " ")
		r := reports.Requirement{ID: requirement, Level: "documented", Gating: "fails", Verdict: reports.Verdict(verdict), Text: "The text of " + requirement + ".", Scenario: []string{"a.feature:3"}}
		switch r.Verdict {
		case reports.Fail, reports.Warn, reports.Known:
			r.Findings = []reports.Finding{{Requirement: requirement, Verdict: r.Verdict, Expected: "201", Got: "200", Scenario: "a.feature:3", Exchange: 0, Times: 1}}
		case reports.Skipped:
			r.Reason = "The environment has no suspended account."
		}
		c.Requirements = append(c.Requirements, r)
	}
	c.Scenarios = []reports.Scenario{{ID: "a.feature:3", Transcript: []reports.Exchange{{Method: "POST", URL: "http://127.0.0.1:1/ags/signOn", Status: 200}}}}
	return c
}

// history is n runs of one question in the days before folderDay, around 10 ms with a spread of 2 % between runs.
func history(n int, seed uint64) []reports.Parts {
	random := rand.New(rand.NewPCG(seed, 2))
	var runs []reports.Parts
	for i := range n {
		start := folderDay.Add(-time.Duration(n-i) * 24 * time.Hour)
		runs = append(runs, reports.Parts{Load: storedLoad(fmt.Sprintf("run%d", i), start, time.Duration(10e6*math.Exp(0.02*random.NormFloat64())))})
	}
	return runs
}
