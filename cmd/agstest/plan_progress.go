package main

import (
	"fmt"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/internal/plan"
)

// planProgress shows how far the jobs of a plan have come: one line that is rewritten on a terminal, else a line where
// a job ends.
type planProgress struct {
	program *program
	line    *progress
	told    map[string]bool
}

func (p *program) newPlanProgress(jobs []plan.Progress) *planProgress {
	s := &planProgress{program: p, line: p.newProgress(), told: map[string]bool{}}
	for _, g := range jobs {
		s.told[g.Job.Folder()] = g.State == plan.Done // by the run that is gone on with
	}
	return s
}

// change is called one at a time.
func (s *planProgress) change(jobs []plan.Progress) {
	done := 0
	var running []string
	for _, g := range jobs {
		switch g.State {
		case plan.Done, plan.Ended:
			done++
			if name := g.Job.Folder(); !s.told[name] {
				s.told[name] = true
				s.program.notef("run: %s %s: %s after %s", g.Job.Environment, g.Job.Command, howEnded(g.Code),
					figures.Elapsed(g.Over.Sub(g.Begun).Round(time.Millisecond)))
			}
		case plan.Running:
			running = append(running, g.Job.Environment+" "+g.Job.Command)
		}
	}
	s.line.show(func() string {
		text := fmt.Sprintf("run: %d of %d done", done, len(jobs))
		if len(running) > 0 {
			text += "; " + strings.Join(running, ", ")
		}
		return text
	})
}

func (s *planProgress) end() { s.line.end() }

// howEnded says how a job did; a process that a signal ended, before it could end in order, has no exit code.
func howEnded(code int) string {
	if code < 0 {
		return "ended by a signal"
	}
	return fmt.Sprintf("exit code %d", code)
}
