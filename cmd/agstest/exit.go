package main

import (
	"os"
	"slices"
	"syscall"

	"agstest/reports"
)

// The exit codes, as README lists them.
const (
	exitPass         = 0
	exitFail         = 1   // a check failed
	exitUsage        = 2   // a flag or a file is wrong, and nothing was sent
	exitSetup        = 3   // the service is not reachable, or set-up failed, so nothing was judged
	exitInconclusive = 4   // less was judged than coverage asks for; inconclusive or not comparable, and --strict was given; a part of what was asked could not be told, or was not done
	exitInvalid      = 5   // the generator was too slow: the figures do not speak of the service
	exitOutput       = 6   // what was found could not be written, or not all of it
	exitInternal     = 70  // our own fault
	exitInterrupted  = 130 // SIGINT
	exitTerminated   = 143 // SIGTERM, or the terminal was closed
)

// gravity orders the codes that may apply at the same time, the gravest first. A run that somebody ended says so, whatever the part of it
// that was done has found: it was not judged to its end.
var gravity = []int{exitInternal, exitUsage, exitOutput, exitTerminated, exitInterrupted, exitSetup, exitInvalid, exitFail, exitInconclusive, exitPass}

// end notes an exit code; the gravest of all noted ones counts.
func (p *program) end(code int) { p.codes = append(p.codes, code) }

func (p *program) exitCode() int {
	for _, code := range gravity {
		if slices.Contains(p.codes, code) {
			if p.exitZero && (code == exitFail || code == exitInconclusive || code == exitInvalid) {
				return exitPass // for those who only collect: the run was made and is reported, whatever it found
			}
			return code
		}
	}
	return exitPass
}

func exitOf(sig os.Signal) int {
	if sig == syscall.SIGTERM || sig == syscall.SIGHUP {
		return exitTerminated
	}
	return exitInterrupted
}

// exitOfLoad is exitOfVerdict for a load. One that did not do all that was asked, because it ran out of clients, was ended, or misses a
// shard, is inconclusive with --strict or without: nobody is to take it for the whole.
func exitOfLoad(l *reports.Load, strict bool) int {
	if strict && l.Verdict == reports.Warn {
		return exitFail
	}
	return exitOfVerdict(l.Verdict, strict || l.Run.Partial != "")
}

// exitOfAB is exitOfVerdict for a comparison by turns. A generator that was too slow ends it as it ends a load: that is why the two could not
// be compared, and nobody is to take it for a green gate.
func exitOfAB(c *reports.Comparison, strict bool) int {
	if len(c.Interleaved.Invalid) > 0 {
		return exitInvalid
	}
	return exitOfVerdict(c.Verdict, strict)
}

// exitOfVerdict turns the verdict of a run or a comparison into an exit code.
func exitOfVerdict(v reports.Verdict, strict bool) int {
	switch v {
	case reports.Pass, reports.Partly, reports.Warn, reports.Observed, reports.Known, reports.Improved:
		return exitPass
	case reports.Invalid:
		return exitInvalid
	case reports.NotEnough: // with --strict or without: it is what somebody asked for
		return exitInconclusive
	case reports.Inconclusive, reports.NotComparable:
		if strict {
			return exitInconclusive
		}
		return exitPass
	case reports.Error, reports.Skipped, reports.NotExercised:
		return exitSetup
	}
	return exitFail // fail, regressed, and whatever is not known here: never green by oversight
}
