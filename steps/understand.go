package steps

import (
	"io/fs"
	"sync"

	"agstest/steps/script"
	"agstest/steps/words"
)

// embedded are the feature files of the suite, read once.
var embedded = sync.OnceValues(func() ([]script.Source, error) { return script.ReadSources(nil) })

// suite is what they hold, understood once. All runs share it, and none changes it.
var suite = sync.OnceValues(func() ([]*script.Scenario, error) {
	sources, err := embedded()
	if err != nil {
		return nil, err
	}
	all, wrong := script.Parse(sources)
	return all, append(wrong, words.MatchAll(all)...).Failure()
})

// understand reads all scenarios, the suite's and those of an additional folder, and checks that every step of them
// means something.
func understand(additional fs.FS) ([]script.Source, []*script.Scenario, error) {
	all, err := suite()
	if err != nil {
		return nil, nil, err
	}
	if additional == nil {
		sources, err := embedded()
		return sources, all, err
	}
	sources, err := script.ReadSources(additional)
	if err != nil {
		return nil, nil, err
	}
	all, wrong := script.Parse(sources)
	return sources, all, append(wrong, words.MatchAll(all)...).Failure()
}

// staged keeps the sources that hold a selected scenario, and gives the selected scenarios the ids that godog will
// number them with when it reads only those sources.
func staged(sources []script.Source, selected []*script.Scenario) ([]script.Source, []*script.Scenario, error) {
	needed := map[string]bool{}
	wanted := map[string]int{}
	for _, s := range selected {
		needed[s.File] = true
		wanted[s.ID] = s.Order
	}
	var kept []script.Source
	for _, s := range sources {
		if needed[s.Name] {
			kept = append(kept, s)
		}
	}
	if len(kept) == len(sources) {
		return kept, selected, nil // they have these ids already
	}
	again, wrong := script.Parse(kept)
	if err := wrong.Failure(); err != nil {
		return nil, nil, err
	}
	var scenarios []*script.Scenario
	for _, s := range again {
		if order, ok := wanted[s.ID]; ok {
			s.Order = order
			scenarios = append(scenarios, s)
		}
	}
	return kept, scenarios, nil
}
