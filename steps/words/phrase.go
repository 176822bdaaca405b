// Package words is the language of feature files. One file for each kind of sentence holds its example, its meaning,
// and its effect in a World.
//
// A sentence is stated once, by its text, such as "the user picks account <number>"; below stands what may stand for a
// <kind>. To add one, add a row to the list of its kind (callPhrases for calls, answerPhrases for looks at an answer,
// and so on): agstest steps lists it from then on. The work of the actors belongs to steps/scene; a sentence puts it
// into words and reads its values.
//
// Given sentences set up, When sentences act, Then sentences look. A Then sentence that misses returns an error of
// package talk that says what was expected and what came.
package words

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	messages "github.com/cucumber/messages/go/v34"

	"agstest/ags"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/steps/scene"
	"agstest/steps/script"
)

// Phrase is a sentence that feature files may use, as shown to people who write their own.
type Phrase struct {
	Keyword string // Given, When or Then: where it usually stands; And and But take its place
	Text    string // with <words> where values stand
	Example string
	Meaning string
	// Argument tells what follows on the next lines: "", "table" or "text".
	Argument string
}

// Sentence is a sentence with its function.
type Sentence struct {
	Phrase
	pattern    string         // "": that of its text
	Expression *regexp.Regexp // of the step's whole text; those of All have it
	Do         func(ctx context.Context, w *scene.World, a arguments) error
}

// arguments are the values in a step: what the pattern captured, and the table or the text below it.
type arguments struct {
	words []string
	Text  string
	Table [][]string
}

// AsARule may stand before a Then sentence: what does not hold then warns, since nothing public demands it.
const AsARule = "as a rule, "

// Vocabulary lists every sentence that feature files may use.
func Vocabulary() []Phrase {
	var list []Phrase
	for _, p := range vocabulary() {
		list = append(list, p.Phrase)
	}
	return list
}

func vocabulary() []Sentence {
	var all []Sentence
	for _, group := range [][]Sentence{situationPhrases, requestPhrases, besidePhrases, callPhrases, operatorPhrases,
		timePhrases, answerPhrases, tokenPhrases,
		discoveryPhrases, listedPhrases, devicePhrases, surroundingPhrases, explorationPhrases, nearMissPhrases,
		brokenJSONPhrases, oddityPhrases} {
		all = append(all, group...)
	}
	return all
}

// All are the phrases with their expressions. They are compiled once, where one is asked for: commands that read no
// feature begin without them.
var All = sync.OnceValue(func() []Sentence {
	all := vocabulary()
	for i := range all {
		all[i].Expression = regexp.MustCompile(`^(?:` + AsARule + `)?` + cmp.Or(all[i].pattern, patternOf(all[i].Text)) + `$`)
	}
	return all
})

func given(text, meaning string, do func(context.Context, *scene.World, arguments) error) Sentence {
	return newSentence("Given", text, meaning, do)
}

func when(text, meaning string, do func(context.Context, *scene.World, arguments) error) Sentence {
	return newSentence("When", text, meaning, do)
}

func then(text, meaning string, do func(context.Context, *scene.World, arguments) error) Sentence {
	return newSentence("Then", text, meaning, do)
}

// newSentence makes a sentence of its text; "(table)" or "(text)" at its end tells what follows on the next lines.
func newSentence(keyword, text, meaning string, do func(context.Context, *scene.World, arguments) error) Sentence {
	p := Phrase{Keyword: keyword, Text: text, Meaning: meaning}
	for _, argument := range []string{"table", "text"} {
		if before, found := strings.CutSuffix(text, " ("+argument+")"); found && strings.HasSuffix(before, ":") {
			p.Text, p.Argument = before, argument
		}
	}
	p.Example = p.Text
	return Sentence{Phrase: p, Do: do}
}

// like gives a sentence an example, where values stand in its text.
func (s Sentence) like(example string) Sentence {
	s.Example = example
	return s
}

// reading lets a sentence be read in more ways, or in fewer, than its text says.
func (s Sentence) reading(pattern string) Sentence {
	s.pattern = pattern
	return s
}

// sentence is what the text of a step says: one phrase, with the values in it.
type sentence struct {
	phrase *Sentence
	values []string
}

// understood are the sentences that were read before: those of feature files, most of which stand in many scenarios.
var understood struct {
	sync.RWMutex
	sentences map[string]sentence
}

// maxUnderstood is how many sentences are kept, several times as many as the features have.
const maxUnderstood = 10000

// understand finds the one phrase of the text of a step.
func understand(text string) (sentence, error) {
	understood.RLock()
	read, known := understood.sentences[text]
	understood.RUnlock()
	if known {
		return read, nil
	}
	all := All()
	for i := range all {
		if m := all[i].Expression.FindStringSubmatch(text); m != nil {
			if read.phrase != nil {
				return sentence{}, failure.Usagef("%q can be read as %q and as %q; word it so that it means one thing",
					text, read.phrase.Text, all[i].Text)
			}
			read = sentence{&all[i], m[1:]}
		}
	}
	if read.phrase == nil {
		return sentence{}, failure.Usagef("nothing is known about the step %q%s (agstest steps lists all)", text,
			nearestPhrase(text))
	}
	understood.Lock()
	defer understood.Unlock()
	if understood.sentences == nil || len(understood.sentences) >= maxUnderstood {
		understood.sentences = map[string]sentence{}
	}
	understood.sentences[text] = read
	return read, nil
}

// Match finds the one phrase of a step.
func Match(step *messages.PickleStep) (*Sentence, arguments, error) {
	read, err := understand(step.Text)
	if err != nil {
		return nil, arguments{}, err
	}
	found, a := read.phrase, arguments{words: slices.Clone(read.values)}
	got := ""
	if step.Argument != nil {
		if step.Argument.DocString != nil {
			a.Text, got = step.Argument.DocString.Content, "text"
		}
		if step.Argument.DataTable != nil {
			got = "table"
			for _, row := range step.Argument.DataTable.Rows {
				var cells []string
				for _, cell := range row.Cells {
					cells = append(cells, cell.Value)
				}
				a.Table = append(a.Table, cells)
			}
		}
	}
	if got != found.Argument {
		wants := map[string]string{"": "nothing", "table": "a table", "text": "a text between two lines of \"\"\""}
		return nil, arguments{}, failure.Usagef("the step %q is followed by %s, but wants %s below it", step.Text,
			wants[got], wants[found.Argument])
	}
	return found, a, nil
}

// nearestPhrase finds the sentence that was probably meant.
func nearestPhrase(text string) string {
	var texts []string
	for _, p := range All() {
		texts = append(texts, withoutValues(p.Text))
	}
	near := failure.Nearest(withoutValues(strings.TrimPrefix(text, AsARule)), texts)
	for _, p := range All() {
		if near != "" && withoutValues(p.Text) == near {
			return fmt.Sprintf("; the nearest sentence is %q", p.Text)
		}
	}
	return ""
}

// values are the places of a sentence that differ from use to use, as the vocabulary writes them and as a feature file
// fills them.
var values = regexp.MustCompile(`"[^"]*"|<[^>]*>|\[[^\]]*\]|[0-9]+`)

// withoutValues leaves of a sentence what tells it from others.
func withoutValues(text string) string { return values.ReplaceAllString(text, "_") }

// MatchAll finds every step that cannot be run, and every scenario that expects nothing, before anything is sent.
func MatchAll(scenarios []*script.Scenario) script.Mistakes {
	var wrong script.Mistakes
	looked := map[string]bool{}
	for _, s := range scenarios {
		if !looked[s.File] {
			looked[s.File] = true
			stepsInProse(&wrong, s.File, s.Prose)
		}
		understood, expects := true, false
		for i, step := range s.Pickle.Steps {
			found, a, err := Match(step)
			if err == nil && a.Table != nil {
				err = checkTable(a.Table)
			}
			if err != nil {
				understood = false
				wrong.At(s.File, s.Lines[i], "%s", err)
			} else if found.Keyword == "Then" && !s.Background[i] {
				expects = true
			}
		}
		if understood && !expects && len(s.Pickle.Steps) > 0 {
			wrong.At(s.File, s.Line,
				"%q expects nothing, so that it would pass whatever the service answers; say what must come, such as: Then the "+
					"status is 200", s.Name)
		}
	}
	return wrong
}

// stepsInProse finds lines that Gherkin takes for descriptions and that hold a sentence behind a misspelt keyword,
// behind one that is followed by another blank than a space, or behind none: as prose they would be left out in
// silence.
func stepsInProse(wrong *script.Mistakes, file string, prose []script.Prose) {
	for _, told := range prose {
		sentences := []string{told.Text}
		if at := strings.IndexFunc(told.Text, unicode.IsSpace); at > 0 {
			sentences = append(sentences, strings.TrimSpace(told.Text[at:]))
		}
		said := func(p Sentence) bool { return slices.ContainsFunc(sentences, p.Expression.MatchString) }
		if slices.ContainsFunc(All(), said) {
			wrong.At(file, told.Line, "%q would be read as prose, and its step left out: %s", told.Text,
				told.Instead)
		}
	}
}

// checkTable wants what every table below a sentence is: rows of a name and a kind below a row of their names.
func checkTable(table [][]string) error {
	if len(table) < 2 {
		return errors.New("the table has no row below its first, so nothing would be checked; its rows are a name and a " +
			"kind, such as | jti | string |, below | member | kind |")
	}
	for _, row := range table[1:] {
		if len(row) != 2 || row[0] == "" {
			return fmt.Errorf("the rows of the table are a name and a kind, such as | jti | string |, not %s",
				figures.Plural(len(row), "cell"))
		}
		kinds, more, _ := strings.Cut(row[1], ", ")
		for kind := range strings.SplitSeq(kinds, " or ") {
			if !slices.Contains(tableKinds, kind) {
				return fmt.Errorf("the table says that %s is %q, which is no kind; kinds are %s, joined by \" or \"",
					row[0], kind, strings.Join(tableKinds, ", "))
			}
		}
		if more != "" && more != "not empty" && more != "positive" {
			return fmt.Errorf("the table says %q of %s; write \"not empty\" or \"positive\" after the kind", more,
				row[0])
		}
	}
	return nil
}

var tableKinds = []string{string(ags.String), string(ags.Integer), string(ags.Boolean), string(ags.Object),
	string(ags.Array), string(ags.Null)}

// number reads digits that a pattern has matched.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// aStatus is any that HTTP has, and statuses are some of them.
const aStatus = `[1-5]\d\d`

var statuses = listOf(aStatus)

// listOf reads one thing or several, as in "400, 401 or 403".
func listOf(thing string) string { return thing + `(?:(?:, ?(?:or )?| or )` + thing + `)*` }

func anOperation() string {
	var names []string
	for _, o := range ags.Operations {
		names = append(names, o.Name)
	}
	return strings.Join(names, "|")
}

// kinds are the values in the texts of sentences, with the pattern that a feature file may write for each. Besides,
// <this|that> means one of the words, and [this|that] may be left out.
var kinds = map[string]string{
	"<number>":    `([1-9]\d*)`,
	"<status>":    `(` + aStatus + `)`,
	"<statuses>":  `(` + statuses + `)`, // 400, 401 or 403
	"<codes>":     `(` + listOf(`\d+`) + `)`,
	"<operation>": `(` + anOperation() + `)`, // signOnWithSessionToken
	"<names>":     `(.+)`,                    // accountId, deviceId
	"<JSON>":      `(.+)`,
	`"<name>"`:    `"([^"]+)"`,
	`"<path>"`:    `"([^"]+)"`,
	`"<member>"`:  `"([^"]+)"`,
	`"<text>"`:    `"([^"]*)"`,
	`"<value>"`:   `"([^"]*)"`,
}

var valueOrOption = regexp.MustCompile(`"?<[^>]*>"?|\[[^\]]*\] `)

// patternOf returns the pattern that a feature file may write for the text of a sentence.
func patternOf(text string) string {
	var pattern strings.Builder
	at := 0
	for _, place := range valueOrOption.FindAllStringIndex(text, -1) {
		pattern.WriteString(regexp.QuoteMeta(text[at:place[0]]))
		word := text[place[0]:place[1]]
		at = place[1]
		switch kind, known := kinds[word]; {
		case known:
			pattern.WriteString(kind)
		case word[0] == '[':
			pattern.WriteString("(?:(" + strings.Trim(word, "[] ") + ") )?")
		default:
			pattern.WriteString("(" + strings.Trim(word, "<>") + ")")
		}
	}
	return pattern.String() + regexp.QuoteMeta(text[at:])
}
