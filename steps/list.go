package steps

import (
	"io/fs"
	"strings"

	"agstest/ags"
	"agstest/internal/failure"
	"agstest/steps/script"
	"agstest/steps/words"
)

// Listed is a requirement with the scenarios that cover it. The last one of a list may have no id: its scenarios, of
// people's own folders, have no requirement.
type Listed struct {
	Requirement ags.Requirement
	Scenarios   []ListedScenario
	Exempt      string // why no scenario covers it
}

// ListedScenario names a scenario.
type ListedScenario struct {
	ID, Name string
	Tags     []string
}

// List returns the requirements that a run with these options would check, without sending anything. Environment is not
// needed.
func List(o Options) ([]Listed, error) {
	_, all, err := understand(o.Features)
	if err != nil {
		return nil, err
	}
	if o.Generate == 0 {
		o.Generate = 1
	}
	if o.Sequences == 0 {
		o.Sequences = 1
	}
	o.Slow = true
	chosen, err := choose(all, o)
	if err != nil {
		return nil, err
	}
	var list []Listed
	for _, r := range ags.Requirements {
		if !chosen.asked[r.ID] {
			continue
		}
		entry := Listed{Requirement: r, Exempt: exempt[r.ID]}
		for _, s := range chosen.scenarios {
			if s.Tagged("@" + r.ID) {
				entry.Scenarios = append(entry.Scenarios, ListedScenario{s.ID, s.Name, s.Tags})
			}
		}
		list = append(list, entry)
	}
	if others := withoutRequirement(chosen.scenarios); len(others) > 0 {
		list = append(list, Listed{Requirement: ags.Requirement{Text: "scenarios without a requirement"},
			Scenarios: others})
	}
	return list, nil
}

func withoutRequirement(scenarios []*script.Scenario) []ListedScenario {
	var others []ListedScenario
	for _, s := range scenarios {
		if len(s.Requirements) == 0 && strings.HasPrefix(s.File, script.OwnPrefix) {
			others = append(others, ListedScenario{s.ID, s.Name, s.Tags})
		}
	}
	return others
}

// CheckFeatures reads the feature files of a folder as a run would, and tells how many files and scenarios there are.
// The error, of the kind failure.Usage, has every mistake of every file, one a line; the prefix stands before the names
// of files, as the path of the folder.
func CheckFeatures(files fs.FS, prefix string) (fileCount, scenarios int, err error) {
	sources, err := script.ReadFolder(files, prefix)
	if err != nil && failure.KindOf(err) != failure.Usage {
		return 0, 0, failure.Usagef("reading the feature files of %s: %w", prefix, err)
	}
	var wrong script.Mistakes
	if err != nil {
		wrong = append(wrong, err.Error())
	} else if len(sources) == 0 {
		return 0, 0, failure.Usagef("%s holds no file that ends in .feature", prefix)
	}
	all, more := script.Parse(sources)
	return len(sources), len(all), append(append(wrong, more...), words.MatchAll(all)...).Failure()
}
