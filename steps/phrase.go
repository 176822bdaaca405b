package steps

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	messages "github.com/cucumber/messages/go/v34"

	"agstest/ags"
	"agstest/internal/failure"
)

// Phrase is a sentence that feature files may use, for people who write their own.
type Phrase struct {
	Keyword string // Given, When or Then: where it usually stands; And and But take its place
	Text    string // with <words> where values stand
	Example string
	Meaning string
	// Argument tells what follows on the next lines: "", "table" or "text".
	Argument string
}

// phrase is a sentence with what it does.
type phrase struct {
	Phrase
	expression *regexp.Regexp
	do         func(ctx context.Context, w *world, a arguments) error
}

// arguments are the values in a step: what the pattern captured, and the table or the text below it.
type arguments struct {
	words []string
	text  string
	table [][]string
}

// asARule may stand before a Then sentence: what does not hold then warns, since nothing public demands it.
const asARule = "as a rule, "

// Vocabulary lists every sentence that feature files may use.
func Vocabulary() []Phrase {
	var list []Phrase
	for _, p := range vocabulary() {
		list = append(list, p.Phrase)
	}
	return list
}

func vocabulary() []phrase {
	var all []phrase
	for _, group := range [][]phrase{situationPhrases, requestPhrases, callPhrases, operatorPhrases, timePhrases, answerPhrases, tokenPhrases,
		discoveryPhrases, devicePhrases, surroundingPhrases, explorationPhrases, nearMissPhrases, brokenJSONPhrases, oddityPhrases} {
		all = append(all, group...)
	}
	return all
}

// compiled are the phrases with their patterns, which take the step's whole text.
var compiled = func() []phrase {
	all := vocabulary()
	for i := range all {
		all[i].expression = regexp.MustCompile(`^(?:` + asARule + `)?` + all[i].expression.String() + `$`)
	}
	return all
}()

func given(pattern, text, example, meaning string, do func(context.Context, *world, arguments) error) phrase {
	return newPhrase("Given", pattern, text, example, meaning, do)
}

func when(pattern, text, example, meaning string, do func(context.Context, *world, arguments) error) phrase {
	return newPhrase("When", pattern, text, example, meaning, do)
}

func then(pattern, text, example, meaning string, do func(context.Context, *world, arguments) error) phrase {
	return newPhrase("Then", pattern, text, example, meaning, do)
}

func newPhrase(keyword, pattern, text, example, meaning string, do func(context.Context, *world, arguments) error) phrase {
	p := phrase{Phrase{Keyword: keyword, Text: text, Example: example, Meaning: meaning}, regexp.MustCompile(pattern), do}
	switch {
	case strings.HasSuffix(text, ": (table)"):
		p.Argument = "table"
	case strings.HasSuffix(text, ": (text)"):
		p.Argument = "text"
	}
	p.Text = strings.TrimSuffix(strings.TrimSuffix(p.Text, " (table)"), " (text)")
	return p
}

// match finds the one phrase of a step.
func match(step *messages.PickleStep) (*phrase, arguments, error) {
	var found *phrase
	var words []string
	for i := range compiled {
		if m := compiled[i].expression.FindStringSubmatch(step.Text); m != nil {
			if found != nil {
				return nil, arguments{}, failure.Usagef("%q can be read as %q and as %q; word it so that it means one thing", step.Text, found.Text, compiled[i].Text)
			}
			found, words = &compiled[i], m[1:]
		}
	}
	if found == nil {
		return nil, arguments{}, failure.Usagef("nothing is known about the step %q%s (agstest steps lists all)", step.Text, nearestPhrase(step.Text))
	}
	a := arguments{words: words}
	got := ""
	if step.Argument != nil {
		if step.Argument.DocString != nil {
			a.text, got = step.Argument.DocString.Content, "text"
		}
		if step.Argument.DataTable != nil {
			got = "table"
			for _, row := range step.Argument.DataTable.Rows {
				var cells []string
				for _, cell := range row.Cells {
					cells = append(cells, cell.Value)
				}
				a.table = append(a.table, cells)
			}
		}
	}
	if got != found.Argument {
		wants := map[string]string{"": "nothing", "table": "a table", "text": "a text between two lines of \"\"\""}
		return nil, arguments{}, failure.Usagef("the step %q is followed by %s, but wants %s below it", step.Text, wants[got], wants[found.Argument])
	}
	return found, a, nil
}

// nearestPhrase finds the sentence that was probably meant.
func nearestPhrase(text string) string {
	var texts []string
	for _, p := range compiled {
		texts = append(texts, withoutValues(p.Text))
	}
	near := failure.Nearest(withoutValues(strings.TrimPrefix(text, asARule)), texts)
	for _, p := range compiled {
		if near != "" && withoutValues(p.Text) == near {
			return fmt.Sprintf("; the nearest sentence is %q", p.Text)
		}
	}
	return ""
}

// values are the places of a sentence that differ from use to use, as the vocabulary writes them and as a feature file fills them.
var values = regexp.MustCompile(`"[^"]*"|<[^>]*>|\[[^\]]*\]|[0-9]+`)

// withoutValues leaves of a sentence what tells it from others.
func withoutValues(text string) string { return values.ReplaceAllString(text, "_") }

// matchAll finds every step that cannot be run, before anything is sent.
func matchAll(scenarios []*scenario) mistakes {
	var wrong mistakes
	for _, s := range scenarios {
		for i, step := range s.pickle.Steps {
			_, a, err := match(step)
			if err == nil && a.table != nil {
				err = checkTable(a.table)
			}
			if err != nil {
				wrong.at(s.file, s.lines[i], "%s", err)
			}
		}
	}
	return wrong
}

// checkTable wants what every table below a sentence is: rows of a name and a kind below a row of their names.
func checkTable(table [][]string) error {
	if len(table) < 2 {
		return errors.New("the table has no row below its first, so nothing would be checked; its rows are a name and a kind, such as | jti | string |, below | member | kind |")
	}
	for _, row := range table[1:] {
		if len(row) != 2 || row[0] == "" {
			return fmt.Errorf("the rows of the table are a name and a kind, such as | jti | string |, not %s", plural(len(row), "cell"))
		}
		kinds, more, _ := strings.Cut(row[1], ", ")
		for kind := range strings.SplitSeq(kinds, " or ") {
			if !slices.Contains(tableKinds, kind) {
				return fmt.Errorf("the table says that %s is %q, which is no kind; kinds are %s, joined by \" or \"", row[0], kind, strings.Join(tableKinds, ", "))
			}
		}
		if more != "" && more != "not empty" && more != "positive" {
			return fmt.Errorf("the table says %q of %s; write \"not empty\" or \"positive\" after the kind", more, row[0])
		}
	}
	return nil
}

var tableKinds = []string{string(ags.String), string(ags.Integer), string(ags.Boolean), string(ags.Object), string(ags.Array), string(ags.Null)}

func unique(list []string) []string {
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
