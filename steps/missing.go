package steps

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"agstest/steps/scene"
)

// unknownClient is the step of the scenarios that ask for a client that does not exist.
const unknownClient = "a clientId that nobody has"

// noteMissing reports that a service never answers 404 to calls that name a client which does not exist. Pages document
// that status for it and another for a deleted device, and do not say which clients are which, so no requirement
// demands one of the two.
func noteMissing(entries []entry) []string {
	came := map[int]map[string]bool{}
	for _, e := range entries {
		asks := false
		for _, step := range e.scenario.Pickle.Steps {
			asks = asks || step.Text == unknownClient
		}
		if !asks || len(e.exchanges) == 0 {
			continue
		}
		x := e.exchanges[len(e.exchanges)-1]
		status := scene.EffectiveStatus(x)
		if came[status] == nil {
			came[status] = map[string]bool{}
		}
		came[status][x.Call.Operation] = true
	}
	if len(came) == 0 || came[http.StatusNotFound] != nil {
		return nil
	}
	var words []string
	for _, status := range slices.Sorted(maps.Keys(came)) {
		words = append(words, fmt.Sprintf("%d (%s)", status, strings.Join(slices.Sorted(maps.Keys(came[status])), ", ")))
	}
	return []string{"a client that does not exist is never answered with 404, which pages document for it, but with " + strings.Join(words, " and ")}
}
