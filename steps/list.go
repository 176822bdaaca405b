package steps

import (
	"agstest/ags"
)

// Listed is a requirement with the scenarios that cover it.
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

// List tells what a run with these options would check, without sending anything. Environment is not needed.
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
			if s.tagged("@" + r.ID) {
				entry.Scenarios = append(entry.Scenarios, ListedScenario{s.id, s.name, s.tags})
			}
		}
		list = append(list, entry)
	}
	return list, nil
}
