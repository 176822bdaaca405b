// Package disarm takes power away from texts of others: answers of a service, stored runs, names of feature files.
// Terminals obey control sequences, and build agents obey marks in the log of a job: Azure Pipelines "##vso[" and "##["
// anywhere in a line (https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands), GitHub Actions
// "::name" and "##[" (https://docs.github.com/actions/reference/workflow-commands-for-github-actions), GitLab
// "section_start:" and "section_end:" (https://docs.gitlab.com/ci/jobs/job_logs/), TeamCity "##teamcity["
// (https://www.jetbrains.com/help/teamcity/service-messages.html), Travis "travis_fold:". People read a disarmed text
// as before, with a visible sign where it was changed.
package disarm

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// brokenBy is put inside a mark that an agent would have obeyed, replacement in place of a control character.
const (
	brokenBy    = "·"
	replacement = '\uFFFD'
)

// longest is the longest possible mark, so that one that comes in pieces is recognised.
const longest = 68

// control tells whether a character steers a terminal or turns the direction of a text. The line feed and the tab do
// not.
func control(r rune) bool {
	return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r == 0x061c || r == 0x200e || r == 0x200f ||
		r == 0x2028 || r == 0x2029 ||
		r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff
}

// Text disarms a text. Line feeds and tabs stay.
func Text(text string) string { return marks(controls(text, false), 0) }

// Line disarms a text that has to stay within one line, such as a cell of a table.
func Line(text string) string {
	return Text(strings.NewReplacer("\n", string(replacement), "\t", string(replacement)).Replace(text))
}

// style matches our own colours; no other sequence that begins with ESC is let through.
var style = regexp.MustCompile("^\x1b\\[[0-9;]{0,12}m")

// controls replaces control characters and bytes that are no UTF-8. With styles, sequences of colours stay.
func controls(text string, styles bool) string {
	clean := func(text string) bool {
		for i := 0; i < len(text); i++ {
			if c := text[i]; c < ' ' && c != '\n' && c != '\t' || c >= 0x7f {
				return false
			}
		}
		return true
	}
	if clean(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		if styles && text[i] == 0x1b {
			if n := len(style.FindString(text[i:])); n > 0 {
				b.WriteString(text[i : i+n])
				i += n
				continue
			}
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 || control(r) {
			r = replacement
		}
		b.WriteRune(r)
		i += n
	}
	return b.String()
}

// marks breaks every mark of a text. The first bytes of it are out already: a mark that begins there is broken behind
// them.
func marks(text string, out int) string {
	if !strings.ContainsAny(text, "#:") {
		return text[out:]
	}
	var b strings.Builder
	at := out
	for _, m := range marksOf(text) {
		if m.end <= out {
			continue
		}
		cut := max(m.cut, out)
		b.WriteString(text[at:cut])
		b.WriteString(brokenBy)
		at = cut
	}
	b.WriteString(text[at:])
	return b.String()
}

// JSON disarms encoded JSON with escapes, so that it still says the same to a program. It gives back the text itself
// where that is harmless.
func JSON(encoded []byte) []byte {
	return escaped(encoded, func(out []byte, r rune) []byte {
		if r > 0xffff {
			return utf8.AppendRune(out, r)
		}
		return fmt.Appendf(out, `\u%04x`, r)
	})
}

// XML disarms an XML text without CDATA sections with character references, so that it still says the same to a
// program. It gives back the text itself where that is harmless.
func XML(encoded []byte) []byte {
	return escaped(encoded, func(out []byte, r rune) []byte { return fmt.Appendf(out, "&#%d;", r) })
}

func escaped(encoded []byte, escape func([]byte, rune) []byte) []byte {
	text := string(encoded)
	found := marksOf(text)
	var out []byte
	plain := 0 // up to where the text is out
	for i := 0; i < len(text); {
		broken := len(found) > 0 && i == found[0].cut
		r, n := rune(text[i]), 1
		if r >= ' ' && r < 0x7f && !broken { // most of a report
			i++
			continue
		}
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(text[i:])
		}
		if broken {
			found = found[1:]
		}
		if broken || control(r) && r != '\r' {
			out = escape(append(out, text[plain:i]...), r)
			plain = i + n
		}
		i += n
	}
	if plain == 0 {
		return encoded
	}
	return append(out, text[plain:]...)
}

// XMLCharacters puts U+FFFD in place of characters that XML 1.0 does not allow: control characters, surrogates and
// broken UTF-8. Jenkins refuses the whole file for one of them.
func XMLCharacters(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r', r >= 0x20 && r <= 0xD7FF, r >= 0xE000 && r <= 0xFFFD &&
			r != utf8.RuneError, r >= 0x10000 && r <= 0x10FFFF:
			return r
		}
		return utf8.RuneError
	}, text)
}
