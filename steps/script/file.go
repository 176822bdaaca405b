package script

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"

	"agstest/internal/failure"
	"agstest/internal/figures"
)

// Mistakes are the mistakes in feature files: sentences that begin with file and line.
type Mistakes []string

func (m *Mistakes) At(file string, line int, format string, args ...any) {
	*m = append(*m, fmt.Sprintf("%s:%d: %s", file, line, fmt.Sprintf(format, args...)))
}

// Failure returns an error of the kind failure.Usage with each mistake once, one a line; nil if there are none.
func (m Mistakes) Failure() error {
	if len(m) == 0 {
		return nil
	}
	return failure.Usagef("%s", strings.Join(Unique(m), "\n"))
}

// featureFile is a feature file while it is read.
type featureFile struct {
	Source
	lines    []string
	document *messages.GherkinDocument // nil: it cannot be read
	language *gherkin.Dialect
}

// line is the text of a line; lines count from 1.
func (f *featureFile) line(n int) string {
	if n < 1 || n > len(f.lines) {
		return ""
	}
	return strings.TrimSpace(f.lines[n-1])
}

// readFeature reads one file and reports its mistakes: those that Gherkin finds, and those that Gherkin overlooks.
// Gherkin drops text behind the last | of a row, runs nothing for an outline without rows, and takes a keyword that it
// does not know for prose; each of these is hardly meant so.
func readFeature(s Source, number func() string) (*featureFile, Mistakes) {
	var wrong Mistakes
	f := &featureFile{Source: s, lines: strings.Split(string(s.Content), "\n")}
	provider := gherkin.DialectsBuiltin()
	f.language = provider.GetDialect(languageOf(f.lines))
	if f.language == nil {
		f.language = provider.GetDialect("en")
	}
	document, err := parseGherkin(s.Content, number)
	if err != nil {
		f.unreadable(&wrong, err)
		return f, wrong
	}
	if document.Feature == nil {
		what := "the file is empty"
		if len(document.Comments) > 0 {
			what = "every line of the file is a comment"
		}
		wrong.At(s.Name, 1,
			"%s; begin it with a line such as \"Feature: What our apps rely on\", or let its name not end in .feature",
			what)
		return f, wrong
	}
	f.document = document
	f.each(func(_ *messages.Background, scenario *messages.Scenario, steps []*messages.Step) {
		for _, step := range steps {
			if step.DataTable != nil {
				f.closed(&wrong, step.DataTable.Rows)
			}
		}
		if scenario != nil {
			f.outline(&wrong, scenario)
		}
	})
	f.prose(&wrong)
	return f, wrong
}

// parseGherkin parses, and turns a panic of the library into an error: whatever is in the file, it is the file that has
// to be mended.
func parseGherkin(content []byte, number func() string) (document *messages.GherkinDocument, err error) {
	defer func() {
		if recover() != nil {
			document, err = nil, fmt.Errorf("(1:1): Gherkin's reader cannot make sense of the file; look for tables, texts "+
				"and Examples that are not whole")
		}
	}()
	return gherkin.ParseGherkinDocument(bytes.NewReader(content), number)
}

var languageLine = regexp.MustCompile(`^\s*#\s*language\s*:\s*([a-zA-Z\-_]+)\s*$`)

// languageOf returns the language in the comment at the top of a file.
func languageOf(lines []string) string {
	for _, line := range lines {
		if found := languageLine.FindStringSubmatch(line); found != nil {
			return found[1]
		}
		if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "#") {
			break
		}
	}
	return "en"
}

// each visits every background and scenario with its steps.
func (f *featureFile) each(visit func(*messages.Background, *messages.Scenario, []*messages.Step)) {
	one := func(b *messages.Background, s *messages.Scenario) {
		if b != nil {
			visit(b, nil, b.Steps)
		}
		if s != nil {
			visit(nil, s, s.Steps)
		}
	}
	for _, child := range f.document.Feature.Children {
		one(child.Background, child.Scenario)
		if child.Rule != nil {
			for _, inner := range child.Rule.Children {
				one(inner.Background, inner.Scenario)
			}
		}
	}
}

// closed wants a | at the end of each row.
func (f *featureFile) closed(wrong *Mistakes, rows []*messages.TableRow) {
	for _, row := range rows {
		if line := int(row.Location.Line); !closedRow(f.line(line)) {
			wrong.At(f.Name, line, "%s", unclosedRow)
		}
	}
}

const unclosedRow = "the row of the table does not end in |, so its last cell would be left out; write | behind each " +
	"cell, and \\| for the character itself within one"

// closedRow tells whether nothing but a comment follows the last | of a row. A backslash takes the next character's
// meaning away.
func closedRow(row string) bool {
	after := 0
	for i := 0; i < len(row); i++ {
		switch row[i] {
		case '\\':
			i++
		case '|':
			after = i + 1
		}
	}
	rest := strings.TrimSpace(row[after:])
	return after > 1 && (rest == "" || strings.HasPrefix(rest, "#"))
}

// outline wants Examples with rows where they are announced, and a name of its own for each of their columns.
func (f *featureFile) outline(wrong *Mistakes, s *messages.Scenario) {
	place := int(s.Location.Line)
	if len(s.Examples) == 0 && slices.Contains(f.language.ScenarioOutlineKeywords(), s.Keyword) {
		wrong.At(f.Name, place,
			"the outline %q has no %s, so nothing of it would run; write a table of them below its steps", s.Name,
			f.language.ExamplesKeywords()[0])
	}
	for _, examples := range s.Examples {
		if examples.TableHeader != nil {
			f.closed(wrong, append([]*messages.TableRow{examples.TableHeader}, examples.TableBody...))
			f.columns(wrong, examples)
		}
		if len(examples.TableBody) == 0 {
			wrong.At(f.Name, place,
				"the outline %q has %s without a row (line %d), so nothing of it would run; write a row below their names, or "+
					"take them away",
				s.Name, examples.Keyword, examples.Location.Line)
		}
	}
}

// columns wants each column of Examples to have a name of its own: of two with one name a row fills in one alone.
func (f *featureFile) columns(wrong *Mistakes, examples *messages.Examples) {
	seen := map[string]bool{}
	for _, cell := range examples.TableHeader.Cells {
		if seen[cell.Value] {
			wrong.At(f.Name, int(cell.Location.Line),
				"two columns of the %s are called %q, so one of them would be left out; give each a name of its own",
				examples.Keyword, cell.Value)
		}
		seen[cell.Value] = true
	}
}

// announced is a line that looks as if it began something.
var announced = regexp.MustCompile(`^([\p{L}\p{M} ]+):`)

// prose looks into descriptions for lines that were meant to begin a scenario, a rule or the like.
func (f *featureFile) prose(wrong *Mistakes) {
	for _, told := range f.descriptions() {
		if found := announced.FindStringSubmatch(told.Text); found != nil {
			if meant := f.meant(found[1]); meant != "" {
				wrong.At(f.Name, told.Line, "%q would be read as prose: %s", figures.Unbroken(told.Text), meant)
			}
		}
	}
}

// descriptions are the lines that Gherkin takes for prose, without white space around them.
func (f *featureFile) descriptions() []Prose {
	var all []Prose
	add := func(from int, description string) {
		for i, text := range strings.Split(description, "\n") {
			text = strings.TrimSpace(text)
			if text == "" {
				continue
			}
			line := from + 1 + i
			for n := from + 1; n <= len(f.lines); n++ { // a description begins behind empty lines and comments
				if f.line(n) == text {
					line = n
					break
				}
			}
			all = append(all, Prose{Line: line, Text: text, Instead: f.words()})
		}
	}
	feature := f.document.Feature
	add(int(feature.Location.Line), feature.Description)
	for _, child := range feature.Children {
		if child.Rule != nil {
			add(int(child.Rule.Location.Line), child.Rule.Description)
		}
	}
	f.each(func(b *messages.Background, s *messages.Scenario, _ []*messages.Step) {
		if b != nil {
			add(int(b.Location.Line), b.Description)
		}
		if s != nil {
			add(int(s.Location.Line), s.Description)
		}
	})
	return all
}

// meant returns the keyword that a word before a colon was probably meant for; empty if it is prose.
func (f *featureFile) meant(word string) string {
	own := f.structure()
	is := func(keyword string) bool { return strings.EqualFold(keyword, word) }
	switch {
	case slices.ContainsFunc(f.language.ExamplesKeywords(), is):
		return "Examples stand below the steps of an outline, and a scenario begins with \"" + f.scenarioWord() + ":\""
	case slices.ContainsFunc(own, is):
		return "it cannot stand here, or its letters differ; " + f.words()
	case slices.ContainsFunc([]string{"Feature", "Rule", "Background", "Scenario", "Example", "Scenario Outline",
		"Scenario Template"}, is):
		return f.words()
	}
	for _, keyword := range f.language.ScenarioKeywords() {
		if misspelt(word, keyword) {
			return "a scenario begins with \"" + keyword + ":\""
		}
	}
	return ""
}

// misspelt tells whether a word begins like a keyword and is about as long: Scenaro, Scenarios.
func misspelt(word, keyword string) bool {
	a, b := []rune(strings.ToLower(word)), []rune(strings.ToLower(keyword))
	return len(b) > 5 && len(a) >= len(b)-2 && len(a) <= len(b)+2 && string(a[:3]) == string(b[:3])
}

// structure are the keywords that end with a colon.
func (f *featureFile) structure() []string {
	return slices.Concat(f.language.FeatureKeywords(), f.language.RuleKeywords(), f.language.BackgroundKeywords(),
		f.language.ScenarioKeywords(), f.language.ScenarioOutlineKeywords())
}

// scenarioWord is the usual one of the words that begin a scenario; the others mean Example.
func (f *featureFile) scenarioWord() string {
	words := f.language.ScenarioKeywords()
	return words[len(words)-1]
}

// words lists the keywords of the file's language.
func (f *featureFile) words() string {
	if f.language.Language == "en" {
		return "Feature:, Rule:, Background: and Scenario: end with a colon, steps begin with Given, When, Then, And or But"
	}
	var structure, steps []string
	for _, words := range [][]string{f.language.FeatureKeywords(), f.language.RuleKeywords(),
		f.language.BackgroundKeywords(), {f.scenarioWord()}} {
		structure = append(structure, words[0]+":")
	}
	for _, kind := range []string{"given", "when", "then", "and", "but"} {
		for _, word := range f.language.Keywords[kind] {
			if word != "* " {
				steps = append(steps, strings.TrimSpace(word))
				break
			}
		}
	}
	return fmt.Sprintf("the words of the language %q are %s, and steps begin with %s", f.language.Language,
		strings.Join(structure, ", "), strings.Join(steps, ", "))
}

// located matches a place in the parser's words.
var (
	located    = regexp.MustCompile(`(?m)^\(([0-9]+):[0-9]+\): `)
	unexpected = regexp.MustCompile(`(?s)^expected: .*?, got '(.*)'$`)
)

// unreadable adds the parser's error in words, without its names of tokens.
func (f *featureFile) unreadable(wrong *Mistakes, err error) {
	text := err.Error()
	places := located.FindAllStringSubmatchIndex(text, -1)
	if places == nil {
		wrong.At(f.Name, 1, "%s", figures.Unbroken(text))
	}
	for i, place := range places {
		end := len(text)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		line, _ := strconv.Atoi(text[place[2]:place[3]])
		said := strings.TrimSpace(text[place[1]:end])
		found := unexpected.FindStringSubmatch(said)
		row := strings.HasPrefix(f.line(line), "|")
		switch {
		case row && !closedRow(f.line(line)):
			wrong.At(f.Name, line, "%s", unclosedRow)
		case found != nil:
			wrong.At(f.Name, line, "%q %s", figures.Unbroken(found[1]), f.misplaced(strings.TrimSpace(found[1]), said))
			if strings.Contains(said, "#FeatureLine") { // nothing below a feature that has not begun says anything
				return
			}
		case strings.HasPrefix(said, "unexpected end of file"):
			wrong.At(f.Name, line,
				"the file ends too early: a text that begins with \"\"\" ends with one, and tags stand before a scenario")
		case strings.HasPrefix(said, "inconsistent cell count"):
			wrong.At(f.Name, line,
				"the row has another number of cells than the first row of its table; write as many | in each")
		case strings.HasPrefix(said, "Language not supported: "):
			wrong.At(f.Name, line,
				"Gherkin does not know the language %q; write one of https://cucumber.io/docs/gherkin/languages, such as \"# "+
					"language: de\", or none for English",
				strings.TrimPrefix(said, "Language not supported: "))
		default:
			wrong.At(f.Name, line, "%s", figures.Unbroken(said))
		}
	}
}

// misplaced says what is wrong with a line that Gherkin did not expect, of what it said it expected.
func (f *featureFile) misplaced(line, said string) string {
	begins := func(keywords []string) bool {
		return slices.ContainsFunc(keywords, func(word string) bool { return strings.HasPrefix(line, word+":") })
	}
	unbegun := strings.Contains(said, "#FeatureLine")
	switch {
	case !unbegun && begins(f.language.FeatureKeywords()):
		return "begins a second feature; write it into a file of its own"
	case !unbegun && begins(f.language.BackgroundKeywords()):
		return "cannot stand here: a feature has one of them, and so has a rule, before its first scenario"
	case unbegun && (begins(f.language.ScenarioKeywords()) || begins(f.language.BackgroundKeywords()) ||
		begins(f.language.RuleKeywords())):
		return fmt.Sprintf(
			"stands before the feature; begin the file with a line such as \"%s: What our apps rely on\"",
			f.language.FeatureKeywords()[0])
	}
	return "stands where a keyword is expected: " + f.words()
}

// Unique returns a list without repeated entries.
func Unique(list []string) []string {
	seen := map[string]bool{}
	var kept []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			kept = append(kept, s)
		}
	}
	return kept
}
