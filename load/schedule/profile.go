package schedule

import (
	"embed"
	"io/fs"
	"path"
	"strings"

	"agstest/load/limit"
)

// Profile is a load over time from a file: stages one after the other, and optionally its requests and limits.
type Profile struct {
	Name     string
	Workload string         // empty: the profile leaves it open
	Mix      map[string]int // of the workload mixed
	Clients  int
	Workers  int
	Limits   []limit.Limit
	stages   []func(seed uint64) Schedule
}

// Schedule is all stages in a row. The seed is for random arrivals; the same seed gives the same arrivals.
func (p *Profile) Schedule(seed uint64) Schedule {
	stages := make([]Schedule, len(p.stages))
	for i, stage := range p.stages {
		stages[i] = stage(seed + uint64(i))
	}
	if len(stages) == 1 {
		return stages[0]
	}
	return Sequence(stages...)
}

//go:embed profiles/*.yaml
var shipped embed.FS

// Profiles names the profiles that come with the program.
func Profiles() []string {
	files, _ := fs.Glob(shipped, "profiles/*.yaml") // the pattern is right, so that there is no error
	for i, file := range files {
		files[i] = strings.TrimSuffix(path.Base(file), ".yaml")
	}
	return files
}

// ShippedProfile is the text of a profile that comes with the program.
func ShippedProfile(name string) ([]byte, bool) {
	text, err := shipped.ReadFile("profiles/" + name + ".yaml")
	return text, err == nil
}
