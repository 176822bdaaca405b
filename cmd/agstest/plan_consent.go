package main

import (
	"slices"
	"strings"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/plan"
)

// agree finds for each environment file of a plan the hosts of its own that the user said yes to. A host that no
// environment has is a mistake, unless a file cannot be read here: then its own command reports what is wrong with it.
// Files of the plan are relative to dir.
func (r *planRun) agree(dir string) error {
	if len(r.flags.yes) == 0 {
		return nil
	}
	r.agreed = map[string][]string{}
	var hosts []string // of the environments
	unread := false
	for _, job := range r.plan.Jobs {
		for _, file := range job.Files {
			if r.agreed[file] != nil {
				continue
			}
			e, err := environment.Read(startingIn(dir, file), r.program.getenv)
			if err != nil {
				unread, r.agreed[file] = true, r.flags.yes
				continue
			}
			hosts = append(hosts, e.ConsentHost())
			r.agreed[file] = []string{}
			for _, yes := range r.flags.yes {
				if e.Agreed([]string{yes}) {
					r.agreed[file] = append(r.agreed[file], yes)
				}
			}
		}
	}
	for _, yes := range r.flags.yes {
		if !unread && !slices.ContainsFunc(r.plan.Jobs,
			func(job plan.Job) bool { return slices.Contains(r.yesTo(job), yes) }) {
			slices.Sort(hosts)
			return failure.Usagef("--yes says %q and the services of the plan are at %s; nothing was sent", yes,
				strings.Join(slices.Compact(hosts), ", "))
		}
	}
	return nil
}

// yesTo returns the hosts of a job that the user said yes to, each once; of an ab job those of both sides.
func (r *planRun) yesTo(job plan.Job) []string {
	var yes []string
	for _, file := range job.Files {
		for _, host := range r.agreed[file] {
			if !slices.Contains(yes, host) {
				yes = append(yes, host)
			}
		}
	}
	return yes
}
