package markdown

import (
	"strings"
	"unicode/utf8"

	"agstest/internal/disarm"
	"agstest/internal/figures"
	"agstest/reports"
)

// marks stand before the word of a verdict.
var marks = map[reports.Verdict]string{
	reports.Pass: "✅", reports.Partly: "🌗", reports.Improved: "✅", reports.Fail: "❌", reports.Regressed: "❌",
	reports.Warn: "⚠️", reports.NotExercised: "⚠️",
	reports.NotEnough: "❓", reports.Inconclusive: "⚠️", reports.Error: "❓", reports.Invalid: "❓",
	reports.NotComparable: "❓", reports.Skipped: "⏭️",
	reports.Known: "📌", reports.Observed: "👁️",
}

// Verdict is the word of a verdict behind its mark.
func Verdict(v reports.Verdict) string {
	return strings.TrimSpace(marks[v] + " " + v.Word())
}

// inOneLine takes the meaning from every character that Markdown or HTML would read as more than itself, in one line of
// at most limit characters before that.
func inOneLine(text string, limit int) string {
	return escapes.Replace(figures.OneLine(disarm.XMLCharacters(text), limit))
}

var escapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;", "|", `\|`,
	"#", `\#`, "!", `\!`, "~", `\~`, "@", "@\u200b")

// clipped is Text of at most limit characters after it.
func clipped(text string, limit int) string {
	if limit <= 0 {
		return ""
	}
	escaped := inOneLine(text, limit)
	for kept := limit; utf8.RuneCountInString(escaped) > limit && kept > 1; {
		kept = max(1, kept-max(1, (utf8.RuneCountInString(escaped)-limit)/6))
		escaped = inOneLine(text, kept)
	}
	return escaped
}
