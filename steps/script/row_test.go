package script

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestClosedRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(rapid.StringMatching(`[a-z \\|#]{0,6}`), 1, 4).Draw(t, "cells")
		row := "|"
		for _, cell := range cells {
			row += strings.ReplaceAll(strings.ReplaceAll(cell, `\`, `\\`), "|", `\|`) + "|"
		}
		assert.True(t, closedRow(row), row)
		assert.False(t, closedRow(row+" x"), row)
		assert.False(t, closedRow(row+` \|`), row)
	})
}
