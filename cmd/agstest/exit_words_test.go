package main

import (
	"bytes"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/reports"
)

// TestTheVerdictLineAgreesWithTheExitCode: where something failed and the exit code is that of something else, the line
// says so.
func TestTheVerdictLineAgreesWithTheExitCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		verdict reports.Verdict
		codes   []int
		want    string
	}{
		{reports.Pass, []int{exitPass}, "Verdict: PASS\n"},
		{reports.Fail, []int{exitFail, exitInconclusive}, "Verdict: FAIL\n"},
		{reports.Fail, []int{exitFail, exitInvalid}, "Verdict: FAIL; exit code 5, since a load is not valid\n"},
		{reports.Fail, []int{exitInvalid, exitSetup, exitFail}, "Verdict: FAIL; exit code 3, since something else could not be judged at all\n"},
		{reports.Invalid, []int{exitInvalid}, "Verdict: NOT VALID\n"},
		{reports.Error, []int{exitSetup}, "Verdict: COULD NOT TELL\n"},
		{reports.Fail, []int{exitUsage, exitSetup, exitFail}, "Verdict: FAIL; exit code 2, since a command or a file of a job was wrong\n"},
		{reports.Error, []int{exitUsage, exitInconclusive}, "Verdict: COULD NOT TELL; exit code 2, since a command or a file of a job was wrong\n"},
		{reports.Pass, []int{exitPass, exitOutput}, "Verdict: PASS; exit code 6, since not all results were written\n"},
		{reports.Fail, []int{exitInternal, exitFail}, "Verdict: FAIL; exit code 70, since agstest itself failed in a job\n"},
		{reports.Fail, []int{exitFail, exitInterrupted}, "Verdict: FAIL; exit code 130, since it was interrupted\n"},
		{reports.Fail, []int{exitFail, exitTerminated}, "Verdict: FAIL; exit code 143, since it was told to stop\n"},
	} {
		var out bytes.Buffer
		p := &program{stdout: &out}
		for _, code := range c.codes {
			p.end(code)
		}
		p.showVerdict(c.verdict)
		assert.Equal(t, c.want, out.String())
	}
}

// TestTheVerdictLineOfARunThatIsEnded: a signal counts as soon as it has come.
func TestTheVerdictLineOfARunThatIsEnded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &program{stdout: &out, caught: func() os.Signal { return syscall.SIGTERM }}
	p.end(exitSetup)
	p.showVerdict(reports.Fail)
	p.end(exitUsage)
	p.showVerdict(reports.Fail)
	assert.Equal(t, "Verdict: FAIL; exit code 143, since it was told to stop\nVerdict: FAIL; exit code 2, since a command or a file of a job was wrong\n", out.String())
}

// TestAGateThatFailsBesideALoadThatIsNotValid: both are told in the last line.
func TestAGateThatFailsBesideALoadThatIsNotValid(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := call(t, nil, "gate", "--mock-fault", "discovery-created", "--only", "DISC-01", "--workload", "refresh", "--rate", "20/s", "--duration", "1s",
		"--max-lag", "1ns", "--out", t.TempDir()+"/run")
	assert.Equal(t, exitInvalid, code, "%s", stderr)
	assert.Regexp(t, `\nVerdict: FAIL; exit code 5, since a load is not valid\n$`, stdout)
}
