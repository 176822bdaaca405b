package main

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/internal/failure"
	"agstest/reports"
	"agstest/reports/compare"
)

func TestGravestExitCodeCounts(t *testing.T) {
	tests := []struct {
		name     string
		codes    []int
		exitZero bool
		want     int
	}{
		{"nothing happened", nil, false, 0},
		{"pass", []int{0}, false, 0},
		{"a check failed beside a pass", []int{0, 1, 0}, false, 1},
		{"inconclusive and failed", []int{4, 1}, false, 1},
		{"failed and generator too slow", []int{1, 5}, false, 5},
		{"generator too slow and set-up failed", []int{5, 3}, false, 3},
		{"set-up failed and wrong file", []int{3, 2}, false, 2},
		{"wrong file and our own fault", []int{2, 70}, false, 70},
		{"interrupted with a failure", []int{1, 130}, false, 130},
		{"interrupted before anything was judged", []int{130, 3}, false, 130},
		{"terminated and interrupted", []int{130, 143}, false, 143},
		{"collectors: a failure", []int{1}, true, 0},
		{"collectors: generator too slow", []int{5, 1}, true, 0},
		{"collectors: inconclusive", []int{4}, true, 0},
		{"collectors: unreachable stays", []int{3}, true, 3},
		{"collectors: wrong file stays", []int{2}, true, 2},
		{"collectors: interrupted stays", []int{130, 1}, true, 130},
		{"collectors: our own fault stays", []int{70, 1}, true, 70},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := &program{codes: test.codes, exitZero: test.exitZero}
			assert.Equal(t, test.want, p.exitCode())
		})
	}
}

func TestExitCodeOfVerdict(t *testing.T) {
	tests := []struct {
		verdict reports.Verdict
		want    int
	}{
		{reports.Pass, 0}, {reports.Warn, 0}, {reports.Known, 0}, {reports.Improved, 0}, {reports.Observed, 0},
		{reports.Fail, 1}, {reports.Regressed, 1},
		{reports.Inconclusive, 4}, {reports.NotComparable, 4}, {reports.NotEnough, 4},
		{reports.Invalid, 5},
		{reports.Error, 3}, {reports.Skipped, 3}, {reports.NotExercised, 3},
		{"", 1}, {"a verdict of a later version", 1},
	}
	for _, test := range tests {
		assert.Equal(t, test.want, exitOfVerdict(test.verdict), test.verdict)
	}
	assert.Equal(t, 130, exitOf(syscall.SIGINT))
	assert.Equal(t, 143, exitOf(syscall.SIGTERM))
}

func TestComparisonOfASlowGeneratorIsNeverGreen(t *testing.T) {
	for _, test := range []struct {
		verdict reports.Verdict
		invalid []string
		want    int
	}{
		{reports.NotComparable, []string{"hits left late"}, 5},
		{reports.Pass, []string{"hits left late"}, 5},
		{reports.Regressed, []string{"hits left late"}, 1},
		{reports.NotComparable, nil, 4},
		{reports.Inconclusive, nil, 4},
		{reports.Regressed, nil, 1},
		{reports.Pass, nil, 0},
	} {
		c := &compare.Comparison{Verdict: test.verdict, Interleaved: &compare.Interleaved{Invalid: test.invalid}}
		assert.Equal(t, test.want, exitOfAB(c), "%s %v", test.verdict, test.invalid)
	}
}

func TestConformanceThatCouldNotTellIsNeverGreen(t *testing.T) {
	judged := &reports.Conformance{Verdict: reports.Error, Requirements: []reports.Requirement{{Verdict: reports.Pass}, {Verdict: reports.Error}}}
	assert.Equal(t, exitInconclusive, exitOfConformance(judged))
	dark := &reports.Conformance{Verdict: reports.Error, Requirements: []reports.Requirement{{Verdict: reports.Error}, {Verdict: reports.NotExercised}}}
	assert.Equal(t, exitSetup, exitOfConformance(dark))
}

func TestErrorsCarryTheirExitCode(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
		says string
	}{
		{failure.Usagef("the flag is wrong"), 2, "agstest: the flag is wrong\n"},
		{failure.Setupf("nobody is there"), 3, "agstest: nobody is there\n"},
		{errors.New("a seam broke"), 70, "agstest: a seam broke\nagstest: this is a fault of agstest itself; please report it with the output of: agstest version\n"},
		{failure.Usagef("one\ntwo"), 2, "agstest: one\nagstest: two\n"},
	} {
		var stderr bytes.Buffer
		p := &program{stderr: &stderr}
		p.fail(test.err)
		assert.Equal(t, test.want, p.exitCode())
		assert.Equal(t, test.says, stderr.String())
	}
}

func TestPanicEndsWithOneSentence(t *testing.T) {
	var stderr bytes.Buffer
	broken := brokenReader{}
	code := run([]string{"env", "-"}, func(string) (string, bool) { return "", false }, broken, io.Discard, &stderr)
	assert.Equal(t, exitInternal, code)
	assert.Equal(t, 1, strings.Count(stderr.String(), "\n"), stderr.String())
	assert.Contains(t, stderr.String(), "agstest: internal error at agstest/cmd/agstest.brokenReader.Read, line ")
	assert.NotContains(t, stderr.String(), "session-token-in-a-panic")
	assert.NotContains(t, stderr.String(), "goroutine")
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { panic("session-token-in-a-panic") }

// A comparison ends no milder than its new load run did: nobody is to take it for green.
func TestComparisonEndsAsItsNewLoadRun(t *testing.T) {
	partial := reports.Run{Partial: "it ran out of clients"}
	for _, test := range []struct {
		load          *reports.Load
		plain, strict int
	}{
		{nil, 0, 0},
		{&reports.Load{Verdict: reports.Pass}, 0, 0},
		{&reports.Load{Verdict: reports.Warn}, 0, 1},
		{&reports.Load{Verdict: reports.Fail}, 1, 1},
		{&reports.Load{Verdict: reports.Invalid}, 5, 5},
		{&reports.Load{Verdict: reports.Error}, 3, 3},
		{&reports.Load{Verdict: reports.Inconclusive}, 4, 4},
		{&reports.Load{Verdict: reports.Inconclusive, Run: partial}, 4, 4},
	} {
		for _, strict := range []bool{false, true} {
			want := test.plain
			if strict {
				want = test.strict
			}
			p := &program{}
			p.endAsLoad(test.load, strict)
			assert.Equal(t, want, p.exitCode(), "%+v, strict %v", test.load, strict)
		}
	}
}
