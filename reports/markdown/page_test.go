package markdown

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var details = regexp.MustCompile(`(?s)<details><summary>(.*?)</summary>.*?</details>`)

// visible is what is shown of a page: its source without what is folded, but for the lines that name it.
func visible(page string) string { return details.ReplaceAllString(page, "$1") }

// TestPageShowsTheFirstOfEachSection: what is grave comes first, each section has its turn, and what is left is folded,
// whole.
func TestPageShowsTheFirstOfEachSection(t *testing.T) {
	t.Parallel()
	p := &Page{}
	p.Line("## ", "A run", 100)
	long := Section{Head: []string{"Cause", "What"}, One: "cause", First: 2, Rest: "page.html"}
	for range 40 {
		long.Rows = append(long.Rows, []string{"C-1", strings.Repeat("much ", 100)})
	}
	p.Add(long)
	p.Add(Section{Title: "Notes", One: "note", First: 1, Rest: "page.html", Rows: [][]string{{"a *note*"}, {"another"}}})
	p.Add(Section{One: "nothing"})
	p.Add(Section{Head: []string{"Good"}, One: "requirement passed", Many: "requirements passed", Fold: true, Rows: [][]string{{"a"}, {"b"}}})
	var b strings.Builder
	require.NoError(t, p.Write(&b))
	shown := visible(b.String())
	assert.Equal(t, "## A run\n\n| Cause | What |\n| --- | --- |\n| C-1 |", shown[:48])
	assert.Regexp(t, `(?m)^\d+ more causes$`, shown)
	assert.Contains(t, shown, "**Notes**\n\n- a \\*note\\*\n- another\n")
	assert.Contains(t, shown, "2 requirements passed")
	assert.NotContains(t, shown, "| a |")
	assert.Contains(t, b.String(), "<details><summary>2 requirements passed</summary>\n\n| Good |\n| --- |\n| a |\n| b |\n\n</details>\n")
	assert.Contains(t, b.String(), strings.TrimSpace(strings.Repeat("much ", 100))+" |\n", "folded rows are whole")
	assert.Equal(t, 40, strings.Count(b.String(), "| C-1 |"), "no row is lost")
	assert.Greater(t, utf8.RuneCountInString(shown), maxShown-400, "what may be shown is used")
}

// TestPagesKeepTheirBounds: whatever a page holds.
func TestPagesKeepTheirBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string {
			piece := rapid.SampledFrom([]string{"a word ", "<", "|*é", "- a\n", "@世`-.1\\"}).Draw(t, label)
			return strings.Repeat(piece, rapid.IntRange(0, 300).Draw(t, "times"))
		}
		p := &Page{}
		for range rapid.IntRange(1, 12).Draw(t, "lines") {
			p.Line(rapid.SampledFrom([]string{"", "## ", "**Partial:** "}).Draw(t, "markup"), text("line"), rapid.IntRange(1, 1000).Draw(t, "limit"))
		}
		rows := 0
		for range rapid.IntRange(0, 8).Draw(t, "sections") {
			s := Section{One: "row", First: rapid.IntRange(0, 12).Draw(t, "first"), Rest: "page.html", Fold: rapid.Bool().Draw(t, "fold")}
			columns := rapid.IntRange(1, 8).Draw(t, "columns")
			if columns > 1 {
				s.Head = strings.Split(strings.Repeat("Head,", columns), ",")[:columns]
			}
			row := make([]string, columns)
			for i := range row {
				row[i] = text("cell")
			}
			for range rapid.IntRange(0, 100).Draw(t, "rows") {
				s.Rows = append(s.Rows, row)
			}
			rows += len(s.Rows)
			p.Add(s)
		}
		var b strings.Builder
		require.NoError(t, p.Write(&b))
		require.Less(t, b.Len(), maxBytes)
		require.LessOrEqual(t, utf8.RuneCountInString(visible(b.String())), maxShown)
		require.Equal(t, strings.Count(b.String(), "<details>"), strings.Count(b.String(), "</details>"))
		require.NotContains(t, visible(b.String()), "<")
	})
}

// TestParagraphsStayParagraphs: nothing at the start of a text makes a list, a heading or a line of it.
func TestParagraphsStayParagraphs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"- a": `\- a`, "1. a": `1\. a`, "12) a": `12\) a`, "+ a": `\+ a`, "===": `\===`, "# a": `\# a`, "1 of 2": "1 of 2"} {
		p := &Page{}
		p.Line("", text, 100)
		var b strings.Builder
		require.NoError(t, p.Write(&b))
		assert.Equal(t, want+"\n\n", b.String())
	}
}
