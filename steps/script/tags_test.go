package script_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/steps/script"
)

func TestTagExpressions(t *testing.T) {
	has := func(tags string) func(string) bool {
		return func(tag string) bool { return strings.Contains(" "+tags+" ", " "+tag+" ") }
	}
	for _, c := range []struct {
		expression, tags string
		want             bool
	}{
		{"", "", true}, {"@a", "@a", true}, {"@a", "@b", false}, {"not @a", "@b", true}, {"not not @a", "@a", true},
		{"@a and @b", "@a", false}, {"@a or @b", "@b", true}, {"@a or @b and @c", "@a", true}, {"(@a or @b) and @c", "@a", false},
		{"@a and not (@b or @c)", "@a", true}, {"@a and not (@b or @c)", "@a @c", false},
	} {
		expression, _, err := script.ParseTags(c.expression)
		require.NoError(t, err)
		assert.Equal(t, c.want, expression(has(c.tags)), "%s on %s", c.expression, c.tags)
	}
}
