package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/plan"
	"agstest/internal/userfile"
	"agstest/steps"
)

// startingIn is the path of a file that is named in a folder; an empty folder is the current one.
func startingIn(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// checkFiles reads every file that the jobs yet to be done name, before the first of them begins, and has the commands
// check their flags. What is wrong is told at once, one mistake a line, with the line of the plan; from is where the
// plan was read, and its paths start in dir. Variables without a value are left to the jobs that want them: they are no
// mistake of a file.
func (r *planRun) checkFiles(ctx context.Context, from, dir string) error {
	found := mistakes{from: from, seen: map[string]bool{}}
	for _, job := range r.plan.Jobs {
		if slices.ContainsFunc(r.progress,
			func(g plan.Progress) bool { return g.State == plan.Done && g.Job.Folder() == job.Folder() }) {
			continue
		}
		before := len(found.told)
		for i, file := range job.Files {
			line := 0
			if i < len(job.Lines) {
				line = job.Lines[i]
			}
			what := fmt.Sprintf("the environment file %s of %s: ", file, job.Environment)
			found.add(line, what, r.checkEnvironment(from, startingIn(dir, file)))
		}
		wrong := false
		for _, flag := range job.Flags {
			for _, value := range flag.Values {
				err := r.program.checkPlanFile(job.Command, flag.Name, dir, value)
				wrong = wrong || err != nil
				found.add(flag.Line, job.Command+": ", err)
			}
		}
		if len(found.told) > before || wrong {
			continue
		}
		if err := r.program.checkJob(ctx, job, dir); err != nil {
			found.add(lineOfFlag(job, err), job.Command+": ", err)
		}
	}
	if len(found.told) == 0 {
		return nil
	}
	return failure.Usagef("%s", strings.Join(found.told, "\n"))
}

// mistakes are those of a plan, each with its place.
type mistakes struct {
	from string
	told []string
	seen map[string]bool // what jobs share is told once
}

// add adds a mistake in a line of the plan; 0: no line is known.
func (m *mistakes) add(line int, what string, err error) {
	if err == nil {
		return
	}
	place := m.from
	if line > 0 {
		place = fmt.Sprintf("%s:%d", m.from, line)
	}
	text := err.Error()
	if strings.Contains(text, "\n") {
		text = "it has mistakes:\n" + text
	}
	if text = place + ": " + what + text; !m.seen[text] {
		m.seen[text] = true
		m.told = append(m.told, text)
	}
}

// checkEnvironment tells whether a file can be the environment of a job. From is the file of the plan.
func (r *planRun) checkEnvironment(from, path string) error {
	info, err := os.Stat(path)
	switch own, err := os.Stat(from); {
	case info == nil || err != nil:
	case os.SameFile(own, info):
		return errors.New(
			"it is the plan itself; an environment file holds the url of a service (agstest init writes one)")
	case info.IsDir():
		return errors.New("it is a folder")
	}
	if err != nil { // the path is told as it is written in the plan
		return fmt.Errorf("it cannot be read: %w", userfile.WithoutPath(err))
	}
	_, err = environment.Read(path, r.program.getenv)
	if errors.As(err, &environment.ValuelessError{}) {
		return nil
	}
	return err
}

// sharedNames tells which environments of the plan have files with one name: their results cannot be told apart where
// they lie together, as a pipeline collects those of JUnit. Files that cannot be read are left to their jobs.
func (r *planRun) sharedNames() (notes []string) {
	var names []string
	of := map[string][]string{}
	for _, job := range r.plan.Jobs {
		if len(job.Files) == 0 {
			continue
		}
		e, err := environment.Read(startingIn(r.journal.Dir, job.Files[0]), r.program.getenv)
		if err != nil || slices.Contains(of[e.Name], job.Environment) {
			continue
		}
		if of[e.Name] == nil {
			names = append(names, e.Name)
		}
		of[e.Name] = append(of[e.Name], job.Environment)
	}
	for _, name := range names {
		if len(of[name]) > 1 {
			notes = append(notes, fmt.Sprintf("the files of %s all have the name %s, so that their results "+
				"share names, such as those in junit.xml: give each a name of its own",
				strings.Join(of[name], ", "), name))
		}
	}
	return notes
}

// checkPlanFile reads the file that a value of a flag names, as the command will. The values of other flags are none.
func (p *program) checkPlanFile(command, flag, dir, value string) (err error) {
	path := startingIn(dir, value)
	switch flag {
	case "known":
		_, err = readKnown(path)
	case "test-keys":
		_, err = readTestKeys(path)
	case "features":
		folder, missing := featureFolder(path)
		if missing != nil {
			return missing
		}
		_, _, err = steps.CheckFeatures(folder, path)
	case "load-profile":
		_, err = readProfile(dir, flag, value)
	case "profile": // the older name of --load-profile; of conform and gate, part of the contract
		if command == "load" {
			_, err = readProfile(dir, flag, value)
		}
	case "baseline":
		_, err = p.readBaseline(dir, value)
	case "kubeconfig":
		if _, err = userfile.Read(path, maxSmallFile); err != nil {
			err = failure.Usagef("--%s: cannot read %s: %w", flag, path, err)
		}
	case "results-url":
		if !strings.Contains(value, "://") { // else it is no path
			value = path
		}
		_, err = (&podFlags{resultsURL: value}).readResultsURL()
	}
	return err
}
