package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"agstest/internal/failure"
	"agstest/internal/wholefile"
)

// journalName is the name of the journal in the folder of a plan's run.
const journalName = "plan.json"

// JournalIn is the path of the journal in the folder of a plan's run.
func JournalIn(folder string) string { return filepath.Join(folder, journalName) }

// journalSchema names the version of the form of a journal.
const journalSchema = "agstest.plan/1.0"

// maxJournal is far above any journal, in bytes.
const maxJournal = 8 << 20

// Journal is a plan in progress, with the state of its jobs. It is enough to continue after an interruption.
type Journal struct {
	Schema      string    `json:"schema"`
	Name        string    `json:"name"`
	Release     string    `json:"release,omitempty"`
	Dir         string    `json:"dir"` // where relative paths of the plan start
	Parallel    int       `json:"parallel"`
	LoadsAtOnce int       `json:"loadsAtOnce"`
	Start       time.Time `json:"start"`
	Jobs        []Entry   `json:"jobs"`
}

// Entry is one job of a journal.
type Entry struct {
	Environment string   `json:"environment"`
	Command     string   `json:"command"`
	Files       []string `json:"files"`
	Flags       []Flag   `json:"flags,omitempty"`
	State       State    `json:"state"`
	Code        int      `json:"code"`
}

// NewJournal is the journal of a plan before its first job.
func NewJournal(p *Plan, dir string, start time.Time) *Journal {
	j := &Journal{Schema: journalSchema, Name: p.Name, Release: p.Release, Dir: dir, Parallel: p.Parallel,
		LoadsAtOnce: p.LoadsAtOnce, Start: start}
	for _, job := range p.Jobs {
		j.Jobs = append(j.Jobs, Entry{Environment: job.Environment, Command: job.Command, Files: job.Files,
			Flags: job.Flags, State: Waiting})
	}
	return j
}

// Plan is the plan of a journal, and how far each of its jobs has come. One that was running when the journal was last
// written counts as waiting.
func (j *Journal) Plan() (*Plan, []Progress) {
	p := &Plan{Name: j.Name, Release: j.Release, Parallel: j.Parallel, LoadsAtOnce: j.LoadsAtOnce}
	var progress []Progress
	for _, e := range j.Jobs {
		job := Job{Environment: e.Environment, Command: e.Command, Files: e.Files, Flags: e.Flags}
		p.Jobs = append(p.Jobs, job)
		if e.State != Done {
			e.State, e.Code = Waiting, 0
		}
		progress = append(progress, Progress{Job: job, State: e.State, Code: e.Code})
	}
	return p, progress
}

// Note takes over how far the jobs have come. Jobs that are not among them keep their state.
func (j *Journal) Note(progress []Progress) {
	for _, g := range progress {
		for i := range j.Jobs {
			if e := &j.Jobs[i]; e.Environment == g.Job.Environment && e.Command == g.Job.Command {
				e.State, e.Code = g.State, g.Code
			}
		}
	}
}

// Write puts the journal into a folder, whole or not at all.
func (j *Journal) Write(folder string) error {
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	if err := wholefile.Write(JournalIn(folder), 0o600, wholefile.Text(append(text, '\n'))); err != nil {
		return failure.Usagef("cannot write the journal of the plan: %w", err)
	}
	return nil
}

// ReadJournal reads the journal of a folder. Errors are of the kind failure.Usage; one of a folder without a journal
// wraps fs.ErrNotExist.
func ReadJournal(folder string) (*Journal, error) {
	file, err := os.Open(JournalIn(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, failure.Usagef("%s holds no run of a plan: there is no %s in it: %w", folder, journalName,
			fs.ErrNotExist)
	}
	if err != nil {
		return nil, failure.Usagef("cannot read the journal of the plan: %w", err)
	}
	defer file.Close()
	var j Journal
	if err := json.NewDecoder(io.LimitReader(file, maxJournal)).Decode(&j); err != nil {
		return nil, failure.Usagef("%s is no journal of a plan: %w", file.Name(), err)
	}
	if err := j.check(); err != nil {
		return nil, failure.Usagef("%s is no journal of a plan that can be gone on with: %w", file.Name(), err)
	}
	return &j, nil
}

// check refuses what Write would not have written: the names of jobs become folders, and their commands are run.
func (j *Journal) check() error {
	if j.Schema != journalSchema {
		return fmt.Errorf("its schema is not %s", journalSchema)
	}
	if len(j.Jobs) == 0 || len(j.Jobs) > maxEnvironments*len(Commands) {
		return fmt.Errorf("it has %d jobs", len(j.Jobs))
	}
	seen := map[string]bool{}
	for _, e := range j.Jobs {
		name := e.Environment + "/" + e.Command
		known := false
		for _, command := range Commands {
			known = known || command == e.Command
		}
		if !known || seen[name] || !isEnvironmentName(e.Environment) {
			return errors.New("one of its jobs is none of a plan")
		}
		seen[name] = true
	}
	return nil
}
