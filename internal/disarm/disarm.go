// Package disarm takes power away from texts of others: what a service answers, what a stored run says, what a feature file is called.
// Terminals obey control sequences, and build agents obey marks in the log of a job: Azure Pipelines "##vso[" and "##[" anywhere in a
// line (https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands), GitHub Actions "::name" and "##["
// (https://docs.github.com/actions/reference/workflow-commands-for-github-actions), GitLab "section_start:" and "section_end:"
// (https://docs.gitlab.com/ci/jobs/job_logs/), TeamCity "##teamcity[" (https://www.jetbrains.com/help/teamcity/service-messages.html),
// Travis "travis_fold:". A disarmed text is read by people as before, with a visible sign where it was changed.
package disarm

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Sign stands inside a mark that an agent would have obeyed. Replacement stands for a control character.
const (
	Sign        = "·"
	Replacement = '\uFFFD'
)

// mark matches what some agent obeys. A bracketed IPv6 address is matched whole, so that it is left alone.
var mark = regexp.MustCompile(`\[[0-9A-Fa-f:.]*::[0-9A-Fa-f:.]*(?:%[0-9A-Za-z]+)?\]|##[A-Za-z][A-Za-z._-]{0,63}\[|##\[|::[A-Za-z]|(?i:section_(?:start|end):|travis_(?:fold|time):)`)

// longest is how long a mark can be, so that one that comes in pieces is known.
const longest = 68

// inside is where in a match the mark is cut: behind its first sign, or before the underscore. 0: it is no mark.
func inside(match string) int {
	switch match[0] {
	case '[':
		return 0
	case '#', ':':
		return 1
	}
	return strings.IndexByte(match, '_')
}

// control tells characters that steer a terminal or turn the direction of a text. The line feed and the tab are none.
func control(r rune) bool {
	return r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r == 0x061c || r == 0x200e || r == 0x200f || r == 0x2028 || r == 0x2029 ||
		r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff
}

// Text disarms a text. Line feeds and tabs stay.
func Text(text string) string { return marks(controls(text, false), 0) }

// Line disarms a text that has to stay within one line, such as a cell of a table.
func Line(text string) string {
	return Text(strings.NewReplacer("\n", string(Replacement), "\t", string(Replacement)).Replace(text))
}

// style is what our own colours look like; nothing else that begins with ESC is let through.
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
			r = Replacement
		}
		b.WriteRune(r)
		i += n
	}
	return b.String()
}

// marks breaks every mark of a text. The first bytes of it are out already: a mark that begins there is broken behind them.
func marks(text string, out int) string {
	if !strings.ContainsAny(text, "#:") {
		return text[out:]
	}
	var b strings.Builder
	at := out
	for _, m := range mark.FindAllStringIndex(text, -1) {
		cut := inside(text[m[0]:m[1]])
		if cut == 0 || m[1] <= out {
			continue
		}
		cut = max(m[0]+cut, out)
		b.WriteString(text[at:cut])
		b.WriteString(Sign)
		at = cut
	}
	b.WriteString(text[at:])
	return b.String()
}

// JSON disarms encoded JSON with escapes, so that it still says the same to a program.
func JSON(encoded []byte) []byte {
	return escaped(encoded, func(b *strings.Builder, r rune) {
		if r > 0xffff {
			b.WriteRune(r)
			return
		}
		fmt.Fprintf(b, `\u%04x`, r)
	})
}

// XML disarms an XML text without CDATA sections with character references, so that it still says the same to a program.
func XML(encoded []byte) []byte {
	return escaped(encoded, func(b *strings.Builder, r rune) { fmt.Fprintf(b, "&#%d;", r) })
}

func escaped(encoded []byte, escape func(*strings.Builder, rune)) []byte {
	text := string(encoded)
	found := mark.FindAllStringIndex(text, -1)
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; i < len(text); {
		for len(found) > 0 && found[0][1] <= i {
			found = found[1:]
		}
		r, n := utf8.DecodeRuneInString(text[i:])
		broken := false
		if len(found) > 0 && i >= found[0][0] {
			cut := inside(text[found[0][0]:found[0][1]])
			broken = cut > 0 && i == found[0][0]+cut
		}
		switch {
		case broken, control(r) && r != '\r':
			escape(&b, r)
		default:
			b.WriteString(text[i : i+n])
		}
		i += n
	}
	return []byte(b.String())
}

// XMLCharacters puts U+FFFD for what XML 1.0 does not allow: control characters, surrogates and broken UTF-8. Jenkins refuses the whole
// file for one of them.
func XMLCharacters(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r', r >= 0x20 && r <= 0xD7FF, r >= 0xE000 && r <= 0xFFFD && r != utf8.RuneError, r >= 0x10000 && r <= 0x10FFFF:
			return r
		}
		return utf8.RuneError
	}, text)
}
