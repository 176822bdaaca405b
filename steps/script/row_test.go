package script_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"agstest/steps/script"
)

// TestClosedRow: whatever its cells hold, a row that ends in | is taken, and one with more behind it is not.
func TestClosedRow(t *testing.T) {
	closed := func(row string) bool {
		_, wrong := script.Parse([]script.Source{{Name: "own/a.feature", Content: []byte(fine + claims + "      " + row + "\n")}})
		return wrong == nil || !strings.Contains(wrong.Failure().Error(), "does not end in |")
	}
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(rapid.StringMatching(`[a-z \\|#]{0,6}`), 1, 4).Draw(t, "cells")
		row := "|"
		for _, cell := range cells {
			row += strings.ReplaceAll(strings.ReplaceAll(cell, `\`, `\\`), "|", `\|`) + "|"
		}
		assert.True(t, closed(row), row)
		assert.False(t, closed(row+" x"), row)
		assert.False(t, closed(row+` \|`), row)
	})
}
