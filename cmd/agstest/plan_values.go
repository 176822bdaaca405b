package main

import (
	"cmp"
	"regexp"
	"strings"

	"agstest/ags"
	"agstest/internal/failure"
	"agstest/load/clients"
	"agstest/load/limit"
	"agstest/load/schedule"
)

// planNothing is a number or a time of nothing, which stands for no load.
var planNothing = regexp.MustCompile(`^[+-]?0+(\.0*)?[a-z]*$`)

// planValue checks the value of a flag of a plan as the command will, so that a slip in the last job is not told hours
// after the first began. What needs the environment of the job is left to the job.
func planValue(command, flag, value string) error {
	var err error
	switch flag {
	case "rate":
		_, err = schedule.ParseRate(value)
	case "limit":
		_, err = limit.ParseAll([]string{value})
	case "mix":
		_, err = clients.ParseMix(value)
	case "workload":
		return oneOf("--workload", value, clients.Workloads)
	case "reports":
		return checkFormats("--reports", strings.Split(value, ","))
	case "only":
		for id := range strings.SplitSeq(value, ",") {
			if err := planRequirement(strings.TrimPrefix(strings.TrimSpace(id), "@")); err != nil {
				return err
			}
		}
	case "duration", "population", "storm":
		return (&loadFlags{given: func(name string) bool {
			return name == flag &&
				planNothing.MatchString(value)
		}}).checkNone()
	case "profile":
		if command == "load" || command == "capacity" || command == "ab" { // the older name of --load-profile, a file
			return nil
		}
		return oneOf("--profile", value, profileNames())
	}
	if err != nil {
		return failure.Usagef("--%s: %w", flag, err)
	}
	return nil
}

func planRequirement(id string) error {
	var ids []string
	for _, r := range ags.Requirements {
		if r.ID == id {
			return nil
		}
		ids = append(ids, r.ID)
	}
	return failure.Usagef("there is no requirement %q%s", id,
		cmp.Or(failure.OrNearest(id, ids), "; agstest conform --list shows all of them"))
}
