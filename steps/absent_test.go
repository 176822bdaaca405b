package steps

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
)

// TestScenariosOfAbsentParts: which scenarios each part has, so that a new sentence is not forgotten and no other scenario is taken along.
func TestScenariosOfAbsentParts(t *testing.T) {
	_, all, err := understand(nil)
	require.NoError(t, err)
	want := map[string]func(s *scenario) bool{
		"register":      func(s *scenario) bool { return tagsBegin(s, "@REG-") },
		"multi-account": func(s *scenario) bool { return tagsBegin(s, "@SUB-") },
		"companion":     func(s *scenario) bool { return tagsBegin(s, "@FLOW-09") },
		"geo":           func(s *scenario) bool { return tagsBegin(s, "@SOST-17") },
	}
	for _, part := range environment.Parts {
		e := &environment.Environment{Absent: []string{part.Name}}
		held := 0
		for _, s := range all {
			if absentPart(e, s) != "" {
				held++
			} else {
				assert.False(t, want[part.Name](s), "%s: %s", part.Name, s.pickle.Name)
			}
		}
		assert.Positive(t, held, part.Name)
		assert.Less(t, held, len(all)/4, part.Name)
		t.Log(part.Name, held)
	}
}

func tagsBegin(s *scenario, start string) bool {
	for _, tag := range s.tags {
		if len(tag) >= len(start) && tag[:len(start)] == start {
			return true
		}
	}
	return false
}
