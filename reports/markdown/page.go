// Package markdown lays out summaries for job pages and merge requests. The shown part of a page stays under 4,000
// characters, whatever it holds; the rest is folded, and a page stays under 60,000 bytes. Texts stay texts: nothing in
// them is read as Markdown or HTML.
package markdown

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"agstest/internal/figures"
)

const (
	// maxShown is how many characters of a page's source are shown at most, outside of the folded parts.
	maxShown = 4000
	// maxBytes is how many bytes a page has at most. A comment of GitHub holds 65,536 characters; Azure and GitLab take
	// more.
	maxBytes = 60_000

	forLines = 2600 // characters of lines that are never folded
	cell     = 140  // characters of a cell or an item where it is shown; folded it has up to 1,000
)

// Section is a table, or a list where it has no Head. Its rows are texts, the gravest first.
type Section struct {
	Title string // of a list: a line before it
	Head  []string
	Rows  [][]string
	One   string // the name of a row: "cause"
	Many  string // what rows are; left out: One with an s
	First int    // how many rows are shown before later sections have their turn
	Rest  string // the file that holds what does not fit
	Fold  bool   // nothing of it is shown
}

// Page is a summary under construction. It is not safe for concurrent use.
type Page struct {
	parts []part
	lines int // characters of lines so far
}

// part is a line, or a section.
type part struct {
	line    string
	section *Section
	show    int // rows that are shown
}

// Line adds a paragraph that is always shown: markup is Markdown, text is text, of which at most limit characters stand
// there.
func (p *Page) Line(markup, text string, limit int) {
	text = clipped(text, min(limit, forLines-p.lines-utf8.RuneCountInString(markup)))
	if markup == "" {
		text = opening.ReplaceAllString(text, `$1\$2$3`)
	}
	line := markup + text
	p.lines += utf8.RuneCountInString(line) + 2
	p.parts = append(p.parts, part{line: line})
}

// opening matches a beginning that would turn a paragraph into a list, a line or a heading.
var opening = regexp.MustCompile(`^(?:(\d+)([.)](?: |$))|([-+=]))`)

// Add adds a section; one without rows adds nothing.
func (p *Page) Add(s Section) {
	if len(s.Rows) > 0 {
		p.parts = append(p.parts, part{section: &s})
	}
}

// Write lays the page out and writes it.
func (p *Page) Write(w io.Writer) error {
	p.layOut()
	left := maxBytes - 1
	for _, part := range p.parts {
		left -= part.least()
	}
	var page strings.Builder
	for _, part := range p.parts {
		if part.section == nil {
			page.WriteString(part.line + "\n\n")
			continue
		}
		page.WriteString(part.section.shown(part.show))
		folded := part.section.folded(part.show, left)
		left -= len(folded)
		page.WriteString(folded)
	}
	out := bufio.NewWriter(w)
	_, err := out.WriteString(page.String())
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the Markdown summary: %w", err)
	}
	return nil
}

// least is how many bytes a part takes, without the rows that are folded.
func (p *part) least() int {
	if p.section == nil {
		return len(p.line) + 2
	}
	s := p.section
	// the text around the folded part
	return len(s.shown(p.show)) + len(s.head()) + 2*len(s.One+s.Many) + len(s.Rest) + 200
}

// layOut says how many rows of each section are shown: the first ones of each in turn, then more as long as they fit.
func (p *Page) layOut() {
	left := maxShown - p.lines
	for _, part := range p.parts {
		if part.section != nil {
			left -= len(part.section.One) + 60 // the text around the folded part
		}
	}
	for _, first := range []bool{true, false} {
		for i := range p.parts {
			part := &p.parts[i]
			s := part.section
			if s == nil || s.Fold {
				continue
			}
			for part.show < len(s.Rows) && (!first || part.show < s.First) {
				costs := utf8.RuneCountInString(s.shown(part.show+1)) - utf8.RuneCountInString(s.shown(part.show))
				if costs > left {
					break
				}
				left -= costs
				part.show++
			}
		}
	}
}

// shown is the section with its first n rows, in short.
func (s *Section) shown(n int) string {
	if n == 0 {
		return ""
	}
	var b strings.Builder
	if s.Title != "" {
		b.WriteString("**" + inOneLine(s.Title, cell) + "**\n\n")
	}
	b.WriteString(s.head())
	for _, row := range s.Rows[:n] {
		b.WriteString(s.row(row, cell))
	}
	return b.String() + "\n"
}

// folded returns the rows behind the first n, in full, as many as fit in the bytes left.
func (s *Section) folded(n, left int) string {
	rows := s.Rows[n:]
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	for i, row := range rows {
		line := s.row(row, 1000)
		if b.Len()+len(line) > left {
			if i == 0 {
				return s.count(len(rows), "more ") + " in " + s.Rest + ".\n\n"
			}
			b.WriteString("\n" + s.count(len(rows)-i, "more ") + " in " + s.Rest + ".\n")
			break
		}
		b.WriteString(line)
	}
	return "<details><summary>" + s.summary(n) + "</summary>\n\n" + s.head() + b.String() + "\n</details>\n\n"
}

// summary names the rows that are folded behind the first n.
func (s *Section) summary(n int) string {
	if n > 0 {
		return s.count(len(s.Rows)-n, "more ")
	}
	return s.count(len(s.Rows), "")
}

func (s *Section) count(n int, more string) string {
	return figures.PluralOf(int64(n), more+s.One, more+cmp.Or(s.Many, s.One+"s"))
}

func (s *Section) head() string {
	if len(s.Head) == 0 {
		return ""
	}
	return "| " + strings.Join(s.Head, " | ") + " |\n|" + strings.Repeat(" --- |", len(s.Head)) + "\n"
}

func (s *Section) row(row []string, limit int) string {
	cells := make([]string, len(row))
	for i, text := range row {
		cells[i] = inOneLine(text, limit)
	}
	if len(s.Head) == 0 {
		return "- " + strings.Join(cells, " ") + "\n"
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}
