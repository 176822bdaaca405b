package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"

	"agstest/reports"
	"agstest/reports/compare"
)

// The exit codes, as README lists them.
const (
	exitPass  = 0
	exitFail  = 1 // a check failed
	exitUsage = 2 // a flag or a file is wrong, and nothing was sent
	exitSetup = 3 // the service is not reachable, or set-up failed, so nothing was judged
	// less was judged than coverage asks for; a part of what was asked could not be told, or was not done; a comparison
	// is inconclusive or not comparable
	exitInconclusive = 4
	exitInvalid      = 5   // the generator was too slow: the figures do not speak of the service
	exitOutput       = 6   // what was found could not be written, or not all of it
	exitInternal     = 70  // our own fault
	exitInterrupted  = 130 // SIGINT
	exitTerminated   = 143 // SIGTERM, or the terminal was closed
)

// gravity orders the codes that may apply at the same time, the gravest first. A run that somebody ended says so,
// whatever the part of it that was done has found: it was not judged to its end.
var gravity = []int{exitInternal, exitUsage, exitOutput, exitTerminated, exitInterrupted, exitSetup, exitInvalid,
	exitFail, exitInconclusive, exitPass}

// end notes an exit code; the gravest of all noted ones counts.
func (p *program) end(code int) { p.codes = append(p.codes, code) }

func (p *program) exitCode() int {
	for _, code := range gravity {
		if slices.Contains(p.codes, code) {
			if p.exitZero && (code == exitFail || code == exitInconclusive || code == exitInvalid) {
				return exitPass // for callers that only collect: the run was made and is reported, whatever its result
			}
			return code
		}
	}
	return exitPass
}

// showVerdict writes the last line of what is shown, for eyes and for tail -n 1. Where the command ends with the code
// of something else that came besides, the line says so.
func (p *program) showVerdict(v reports.Verdict) {
	code := p.exitCode()
	if sig := p.signalled(); sig != 0 && slices.Index(gravity, sig) < slices.Index(gravity, code) {
		code = sig
	}
	besides := ""
	switch code {
	case exitPass, exitFail, exitInconclusive:
	case exitSetup, exitInvalid:
		if v == reports.Fail {
			besides = fmt.Sprintf("; exit code %d, since %s", code, besidesVerdicts[code])
		}
	default:
		besides = fmt.Sprintf("; exit code %d, since %s", code, besidesVerdicts[code])
	}
	fmt.Fprintf(p.stdout, "Verdict: %s%s\n", strings.ToUpper(v.Word()), besides)
}

// besidesVerdicts say what an exit code means that is not the one of the verdict.
var besidesVerdicts = map[int]string{
	exitInternal:    "agstest itself failed in a job",
	exitUsage:       "a command or a file of a job was wrong",
	exitOutput:      "not all results were written",
	exitTerminated:  "it was told to stop",
	exitInterrupted: "it was interrupted",
	exitSetup:       "something else could not be judged at all",
	exitInvalid:     "a load is not valid",
}

// signalled is the exit code of the signal that ends this run; 0: none came.
func (p *program) signalled() int {
	if p.caught == nil || p.served {
		return 0
	}
	if sig := p.caught(); sig != nil {
		return exitOf(sig)
	}
	return 0
}

func exitOf(sig os.Signal) int {
	if sig == syscall.SIGTERM || sig == syscall.SIGHUP {
		return exitTerminated
	}
	return exitInterrupted
}

// endLoad notes the exit code of a load. Strict makes warnings failures, which its record says too, so that no file
// that is made of it is greener than the exit code.
func (p *program) endLoad(l *reports.Load, strict bool) {
	if strict {
		l.FailWarnings()
	}
	p.end(exitOfRun(l.Verdict, l.Run))
}

// exitOfRun is exitOfVerdict for a run, which is never green where it was ended.
func exitOfRun(v reports.Verdict, run reports.Run) int {
	if code := exitOfVerdict(v); code != exitPass || run.Partial == "" {
		return code
	}
	return exitInconclusive
}

// exitOfAB is exitOfVerdict for a comparison by turns. A generator that was too slow ends it as it ends a load: it is
// why the two could not be compared, and must not pass as a green gate. Wrong answers that it does not excuse fail.
func exitOfAB(c *compare.Comparison) int {
	code := exitOfVerdict(c.Verdict)
	if len(c.Interleaved.Invalid) > 0 && code != exitFail {
		return exitInvalid
	}
	return code
}

// exitOfVerdict turns the verdict of a run or a comparison into an exit code. What was asked and not answered is never
// green: a load that ran out of clients, was ended, misses a shard or could not decide a limit, and a comparison that
// cannot tell.
func exitOfVerdict(v reports.Verdict) int {
	switch v {
	case reports.Pass, reports.Partly, reports.Warn, reports.Observed, reports.Known, reports.Improved:
		return exitPass
	case reports.Invalid:
		return exitInvalid
	case reports.NotEnough, reports.Inconclusive, reports.NotComparable:
		return exitInconclusive
	case reports.Error, reports.Skipped, reports.NotExercised:
		return exitSetup
	}
	return exitFail // fail, regressed, and whatever is not known here: never green by oversight
}
