package script

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
)

// TestScenariosOfAbsentParts: which scenarios each part has, so that a new sentence is not forgotten and no other
// scenario is taken along.
func TestScenariosOfAbsentParts(t *testing.T) {
	sources, err := ReadSources(nil)
	require.NoError(t, err)
	all, wrong := Parse(sources)
	require.NoError(t, wrong.Failure())
	want := map[string]func(s *Scenario) bool{
		"register":      func(s *Scenario) bool { return tagsBegin(s, "@REG-") },
		"multi-account": func(s *Scenario) bool { return tagsBegin(s, "@SUB-") },
		"companion":     func(s *Scenario) bool { return tagsBegin(s, "@FLOW-09") },
		"geo":           func(s *Scenario) bool { return tagsBegin(s, "@SOST-17") },
	}
	for _, part := range environment.Parts {
		e := &environment.Environment{Absent: []string{part.Name}}
		held := 0
		for _, s := range all {
			if AbsentPart(e, s) != "" {
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

func tagsBegin(s *Scenario, start string) bool {
	for _, tag := range s.Tags {
		if len(tag) >= len(start) && tag[:len(start)] == start {
			return true
		}
	}
	return false
}
