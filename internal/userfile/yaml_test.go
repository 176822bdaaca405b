package userfile

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestPlainYAML(t *testing.T) {
	for _, text := range []string{"", "a: b\n", "a: {b: [1, 2]}\n- x\n", "text: 'a & b * c << d'\n", "# & *\na: |\n  &no *anchor\n", "x: !secret y\n"} {
		assert.NoError(t, PlainYAML([]byte(text)), text)
	}
	deepBlock := ""
	for i := range 100 {
		deepBlock += strings.Repeat(" ", i) + "a:\n"
	}
	for text, want := range map[string]string{
		"a: &x 1\nb: *x\n": "line 1: anchors", "a: 1\nb: *x\n": "line 2: anchors", "a:\n  <<: {b: 1}\n": "line 2: anchors",
		strings.Repeat("[", 70) + strings.Repeat("]", 70): "line 1 is nested", strings.Repeat("- ", 80) + "x": "line 1 is nested",
		deepBlock: "is nested", strings.Repeat("a: b\n", 1<<18): "larger than", strings.Repeat("a,", 150_000): "",
	} {
		err := PlainYAML([]byte(text))
		if want == "" {
			continue
		}
		assert.ErrorContains(t, err, want, "%.60q", text)
		assert.NotContains(t, fmt.Sprint(err), "x\n", "nothing is quoted")
	}
}

func TestOneDocument(t *testing.T) {
	for _, text := range []string{"", "a: b\n", "---\na: b\n", "# x\n---\n# y\na: b\n", "a: b\n...\n", "a: b\n---\n# nothing\n", "a: '---'\nb: |\n  ---\n"} {
		assert.NoError(t, OneDocument([]byte(text)), text)
	}
	for text, want := range map[string]string{"a: b\n---\nc: d\n": "line 2: a second", "---\na\n# x\n---\nb\n": "line 4: a second"} {
		assert.ErrorContains(t, OneDocument([]byte(text)), want)
	}
}

func FuzzPlainYAML(f *testing.F) {
	f.Add([]byte("a: [1, {b: c}]\n- &x\n"))
	f.Fuzz(func(t *testing.T, text []byte) { _ = PlainYAML(text) })
}
