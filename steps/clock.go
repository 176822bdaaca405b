package steps

import (
	"fmt"
	"time"

	"agstest/internal/check"
	"agstest/reports"
)

// mostClockSet is by how much the clock of this machine may be set during a run. Time services slew it by less.
const mostClockSet = time.Second

// clockSet is by how much the clock of this machine was set from one moment to another: what passed on it, less what
// passed.
func clockSet(from, to time.Time) time.Duration {
	return to.Round(0).Sub(from.Round(0)) - to.Sub(from)
}

// doubtTimes takes back the misses of a scenario if the clock of this machine was set since the run began, because
// times are compared with that clock. The run tells of it once.
func (r *run) doubtTimes(p *play) {
	set := clockSet(r.now, r.clock())
	if set.Abs() <= mostClockSet {
		set = p.clockSet // it was set back since
	}
	if set.Abs() <= mostClockSet {
		return
	}
	note := fmt.Sprintf("the clock of this machine was set by %s during the run, so that nothing can be told of times", set.Round(time.Second))
	r.NoteOnce(note)
	for i, f := range p.world.Findings {
		if !f.Skipped && (f.Outcome == check.Broken || f.Outcome == check.Soft) {
			p.world.Findings[i].Outcome, p.world.Findings[i].Got = check.Unknown, note+"; found was: "+f.Got
		}
	}
	for i, step := range p.record.Steps {
		if step.Verdict == reports.Fail || step.Verdict == reports.Warn || step.Verdict == reports.Known {
			p.record.Steps[i].Verdict, p.record.Steps[i].Message = reports.Error, note+"; found was: "+step.Message
		}
	}
}
