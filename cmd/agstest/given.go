package main

import (
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"agstest/internal/failure"
)

// meaningful are flags whose empty value, mostly a variable of a pipeline that is not set, would quietly mean
// something else: the embedded mock in place of a service, all in place of a part, or less than was meant.
var meaningful = map[string]string{
	"env":          "leave it out to check or load the built-in mock",
	"only":         "leave it out for all",
	"tags":         "leave it out for all scenarios",
	"profile":      "leave it out for the whole contract",
	"features":     "leave it out for the built-in scenarios alone",
	"load-profile": "leave it out for a rate that stays",
	"shard":        "leave it out where one generator sends all",
	"resume":       "leave it out for a new run",
	"against":      "leave it out where nothing is compared",
	"known":        "leave it out where no departure is known",
	"workload":     "leave it out for a load that the mock or the profile names",
	"rate":         "leave it out where the mock or the profile has one",
	"mix":          "leave it out for the one that comes along",
	"from":         "leave it out for the lowest rate that makes sense",
	"to":           "leave it out for load.maxRate of the environment, or of a site for the folder public",
	"confirm":      "leave it out where no second run confirms",
	"history":      "leave it out to compare two runs",
	"out":          "leave it out for a folder of its own",
	"mock-fault":   "leave it out for a mock that keeps the rules",
	"mock-choice":  "leave it out for the usual choices",
	"fault":        "leave it out for a mock that keeps the rules",
	"choice":       "leave it out for the usual choices",
	"environment":  "leave it out for out/mock.yaml",
	"reports":      "leave it out for the files that every run writes",
	"format":       "leave it out for the pages and files that every run writes",
	"test-keys":    "leave it out where cases have no keys",
}

// checkGiven refuses flags that were given without a value.
func checkGiven(c *cobra.Command) error {
	var err error
	c.Flags().Visit(func(flag *pflag.Flag) {
		value := flag.Value.String()
		list, isList := flag.Value.(pflag.SliceValue)
		if isList && len(list.GetSlice()) == 0 {
			value = ""
		}
		if advice, ok := meaningful[flag.Name]; ok && value == "" && err == nil {
			err = failure.Usagef("--%s is empty, perhaps a variable that is not set; %s", flag.Name, advice)
		}
	})
	return err
}

// errTwice is why a second --env is refused, which would quietly stand in the place of the first.
var errTwice = errors.New("--env is given twice, and this command is for one service; agstest run PLAN is for " +
	"several, and agstest ab tells two apart")

// oneFile is the value of a flag that names one file.
type oneFile struct {
	path  *string
	given bool
}

func (f *oneFile) String() string {
	if f.path == nil {
		return ""
	}
	return *f.path
}

func (f *oneFile) Type() string { return "string" }

func (f *oneFile) Set(path string) error {
	if f.given {
		return errTwice
	}
	*f.path, f.given = path, true
	return nil
}

// oneEnvironment is the flag --env of a command for one service.
func oneEnvironment(path *string) pflag.Value { return &oneFile{path: path} }
