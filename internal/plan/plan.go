// Package plan says what one call of agstest does in several environments: which it visits, what it does in each, and
// in which order.
//
// A plan is a file of its own. Each of its jobs is one command of agstest with the flags that the plan gives, so a plan
// can do whatever a command can, and a job that failed can be run again by hand. Package plan reads the file and
// conducts the jobs; the caller brings the function that starts one.
package plan

import (
	"strings"
	"time"

	"agstest/internal/failure"
)

// Commands are the possible jobs, in the order in which the jobs of one environment run: judging first, loading last.
var Commands = []string{"conform", "gate", "load", "capacity", "ab"}

// isLoad tells that a command sends a load, which wants the machine for itself.
func isLoad(command string) bool { return command != "conform" }

// Plan is the content of a file.
type Plan struct {
	Name    string
	Release string // the build under test, recorded in every run; empty: the environment files say it
	// Parallel is how many environments are visited at the same time, LoadsAtOnce how many of them may send a load.
	Parallel, LoadsAtOnce int
	Jobs                  []Job // environment by environment
}

// Job is one command in one environment.
type Job struct {
	Environment string   // name, unique together with Command
	Command     string   // one of Commands
	Files       []string // environment files: one, for ab two
	Flags       []Flag   // in the order of the file
	// Lines are those of the plan where Files stand, one for each; a job of a journal has none.
	Lines []int
}

// Flag is one flag of a command and its values; a flag with several is given several times.
type Flag struct {
	Name   string
	Values []string
	Line   int `json:"-"` // of the plan; 0 if it came from a journal
}

// Arguments are the command line of a job, without the folder that its run goes to.
func (j Job) Arguments() []string {
	line := []string{j.Command}
	for _, file := range j.Files {
		line = append(line, "--env="+file)
	}
	for _, flag := range j.Flags {
		for _, value := range flag.Values {
			line = append(line, "--"+flag.Name+"="+value)
		}
	}
	return line
}

// Folder is the folder of the job's run, below the folder of the plan.
func (j Job) Folder() string { return j.Environment + "/" + j.Command }

// Environments are the names of all environments, in the order of the file.
func (p *Plan) Environments() []string {
	var names []string
	for _, job := range p.Jobs {
		if n := len(names); n == 0 || names[n-1] != job.Environment {
			names = append(names, job.Environment)
		}
	}
	return names
}

// Only leaves the jobs of the named environments. A name that the plan does not have is an error of the kind
// failure.Usage.
func (p *Plan) Only(names []string) error {
	if len(names) == 0 {
		return nil
	}
	wanted := map[string]bool{}
	known := p.Environments()
	for _, name := range names {
		found := false
		for _, k := range known {
			found = found || k == name
		}
		if !found {
			return failure.Usagef("the plan has no environment %q; %s", name,
				failure.DidYouMean(name, known, "there are "+strings.Join(known, ", ")))
		}
		wanted[name] = true
	}
	var jobs []Job
	for _, job := range p.Jobs {
		if wanted[job.Environment] {
			jobs = append(jobs, job)
		}
	}
	p.Jobs = jobs
	return nil
}

// State is how far a job has come.
type State string

// The states. A job that is Running in a folder that nobody works in any more was cut off.
const (
	Waiting State = "waiting"
	Running State = "running"
	Done    State = "done"
	Ended   State = "ended" // by an interrupt, before it was done
)

// Progress is a job and its state.
type Progress struct {
	Job   Job
	State State
	Code  int // exit code, where Done or Ended
	Begun time.Time
	Over  time.Time
}
