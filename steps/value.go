package steps

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/stretchr/testify/assert"

	"agstest/ags"
	"agstest/internal/strictjson"
)

// show says what a value is, without text that may be a secret.
func show(v *strictjson.Value) string {
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

// shown is show for values that are no secrets.
func shown(v *strictjson.Value) string {
	if v != nil && v.Kind == ags.String {
		return strconv.Quote(v.Text)
	}
	return show(v)
}

// canonical writes a value so that two equal ones are the same text, whatever the order of their members.
func canonical(v *strictjson.Value) string {
	if v == nil {
		return "absent"
	}
	switch v.Kind {
	case ags.Object:
		members := map[string]string{}
		for _, m := range v.Members {
			members[m.Name] = canonical(m.Value)
		}
		var b strings.Builder
		for _, name := range sortedKeys(members) {
			fmt.Fprintf(&b, "%q:%s,", name, members[name])
		}
		return "{" + b.String() + "}"
	case ags.Array:
		var b strings.Builder
		for _, item := range v.Items {
			b.WriteString(canonical(item) + ",")
		}
		return "[" + b.String() + "]"
	}
	return shown(v)
}

// kindHolds compares a value with a kind as feature files write it: "string, not empty", "integer, positive", "null or string".
func kindHolds(e *expectations, name string, v *strictjson.Value, wanted string) {
	kinds, more, _ := strings.Cut(wanted, ", ")
	if v == nil {
		assert.Fail(e, fmt.Sprintf("%s is absent, not %s", name, wanted))
		return
	}
	if !slices.Contains(strings.Split(kinds, " or "), string(v.Kind)) {
		assert.Fail(e, fmt.Sprintf("%s is %s, not %s", name, show(v), wanted))
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
		assert.Fail(e, fmt.Sprintf("the table says %q of %s; write \"not empty\" or \"positive\" after the kind", more, name))
	}
}
