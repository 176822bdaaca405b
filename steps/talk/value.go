package talk

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stretchr/testify/assert"

	"agstest/ags"
	"agstest/internal/strictjson"
)

// Show describes a value, without text that may be a secret.
func Show(v *strictjson.Value) string {
	switch {
	case v == nil:
		return "nothing"
	case v.Kind == ags.Integer || v.Kind == strictjson.Number:
		return "the number " + v.Text
	case v.Kind == ags.Boolean:
		return fmt.Sprint(v.Bool)
	case v.Kind == ags.String && v.Text == "":
		return "an empty text"
	case v.Kind == ags.String:
		return "a text"
	}
	return "a JSON " + string(v.Kind)
}

// Shown is show for values that are no secrets.
func Shown(v *strictjson.Value) string {
	if v != nil && v.Kind == ags.String {
		return strconv.Quote(v.Text)
	}
	return Show(v)
}

// Canonical writes a value so that two equal ones are the same text, whatever the order of their members.
func Canonical(v *strictjson.Value) string {
	if v == nil {
		return "absent"
	}
	switch v.Kind {
	case ags.Object:
		members := map[string]string{}
		for _, m := range v.Members {
			members[m.Name] = Canonical(m.Value)
		}
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(members)) {
			fmt.Fprintf(&b, "%q:%s,", name, members[name])
		}
		return "{" + b.String() + "}"
	case ags.Array:
		var b strings.Builder
		for _, item := range v.Items {
			b.WriteString(Canonical(item) + ",")
		}
		return "[" + b.String() + "]"
	}
	return Shown(v)
}

// KindHolds compares a value with a kind as feature files write it: "string, not empty", "integer, positive", "null or
// string".
func KindHolds(e *Expectations, name string, v *strictjson.Value, wanted string) {
	kinds, more, _ := strings.Cut(wanted, ", ")
	if v == nil {
		assert.Fail(e, fmt.Sprintf("%s is absent, not %s", name, wanted))
		return
	}
	if !slices.Contains(strings.Split(kinds, " or "), string(v.Kind)) {
		assert.Fail(e, fmt.Sprintf("%s is %s, not %s", name, Show(v), wanted))
		return
	}
	switch more {
	case "":
	case "not empty":
		assert.True(e, v.Text != "" || len(v.Items) > 0, "%s is empty", name)
	case "positive":
		n, _ := v.Int()
		assert.Positive(e, n, "%s is %s", name, v.Text)
	default:
		assert.Fail(e, fmt.Sprintf("the table says %q of %s; write \"not empty\" or \"positive\" after the kind", more,
			name))
	}
}
