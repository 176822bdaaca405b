package script_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/steps/script"
)

// TestScenariosOfAbsentParts: which scenarios each part has, so that a new sentence is not forgotten and no other
// scenario is taken along.
func TestScenariosOfAbsentParts(t *testing.T) {
	sources, err := script.ReadSources(nil)
	require.NoError(t, err)
	all, wrong := script.Parse(sources)
	require.NoError(t, wrong.Failure())
	want := map[string]func(s *script.Scenario) bool{
		"register":      func(s *script.Scenario) bool { return tagsBegin(s, "@REG-") },
		"multi-account": func(s *script.Scenario) bool { return tagsBegin(s, "@SUB-") },
		"companion":     func(s *script.Scenario) bool { return tagsBegin(s, "@FLOW-09") },
		"geo":           func(s *script.Scenario) bool { return tagsBegin(s, "@SOST-17") },
	}
	for _, part := range environment.Parts {
		e := &environment.Environment{Absent: []string{part.Name}}
		held := 0
		for _, s := range all {
			if script.AbsentPart(e, s) != "" {
				held++
			} else {
				assert.False(t, want[part.Name](s), "%s: %s", part.Name, s.Pickle.Name)
			}
		}
		assert.Positive(t, held, part.Name)
		assert.Less(t, held, len(all)/4, part.Name)
		t.Log(part.Name, held)
	}
}

func tagsBegin(s *script.Scenario, start string) bool {
	for _, tag := range s.Tags {
		if len(tag) >= len(start) && tag[:len(start)] == start {
			return true
		}
	}
	return false
}
