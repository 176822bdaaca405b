// Package script reads feature files: it turns Gherkin into scenarios with their ids, tags and requirements, and
// reports the mistakes in a file, by line and with what to write instead. It knows no sentence and sends nothing.
//
// Start with [ReadSources] and [Parse]. Scenarios have godog's numbers, so that both mean the same. [Mistakes] gathers
// all mistakes, so that one reading reports them all. Gherkin itself is more patient than its users mean it to be
// (file.go): it drops a cell that is not closed, and takes a misspelt keyword for prose; both are mistakes here.
package script

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"

	"agstest/ags"
	"agstest/features"
	"agstest/internal/failure"
	"agstest/internal/userfile"
)

// The tags that mean something to the suite beside the ids of requirements.
const (
	TagSlow      = "@slow"      // waits in real time; run with Options.Slow
	TagAlone     = "@alone"     // changes what other scenarios see; runs while no other does
	TagGenerated = "@generated" // sends Options.Generate generated requests
	TagSequences = "@sequences" // walks Options.Sequences random sequences
)

// Scenario is one scenario, or one row of an outline.
type Scenario struct {
	ID           string // file:line, with the row's line for outlines
	Feature      string
	File         string
	Line         int
	Name         string
	Tags         []string
	Requirements []string
	Pickle       *messages.Pickle
	Keywords     []string // of the steps, as written: Given, When, Then, And, But
	Lines        []int    // of the steps
	Background   []bool   // steps that belong to a Background: they set up what the scenario starts from
	Order        int
	Prose        []Prose // of the whole file: the lines that Gherkin takes for descriptions
}

// Prose is a line of a description.
type Prose struct {
	Line    int
	Text    string // without white space around it
	Instead string // how lines begin that are no prose, in the language of the file
}

func (s *Scenario) Tagged(tag string) bool {
	return slices.Contains(s.Tags, tag)
}

// Source is one feature file as godog gets it.
type Source struct {
	Name    string
	Content []byte
}

// OwnPrefix begins the names of additional feature files.
const OwnPrefix = "own/"

// looksLikeRequirement tells tags that mean a requirement from the tags of people: SOST-07, TOK-3.
var looksLikeRequirement = regexp.MustCompile(`^@[A-Z]+-[0-9]+$`)

// columnInTag is a place for a value of Examples, which Gherkin leaves as it is written in tags.
var columnInTag = regexp.MustCompile(`<[^<>]+>`)

// asRequirement is the id that a tag of another spelling is probably meant for; empty: none. Other letters, dashes and
// signs that nobody sees are overlooked, and what stands beside a comma: REF-01 for @ref_01 and for @mine,REF-01.
func asRequirement(tag string) string {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r == '_', r == '\u2212', unicode.Is(unicode.Pd, r):
			return '-'
		case unicode.Is(unicode.Cf, r):
			return -1
		}
		return unicode.ToUpper(r)
	}, strings.TrimPrefix(tag, "@"))
	for _, id := range strings.FieldsFunc(plain, func(r rune) bool { return r == ',' || r == ';' }) {
		if _, known := ags.RequirementByID(id); known && "@"+id != tag {
			return id
		}
	}
	return ""
}

// ReadSources reads the feature files of the suite and of an additional folder, in the order of their names, the
// suite's first.
func ReadSources(additional fs.FS) ([]Source, error) {
	sources, err := ReadFolder(features.Files, "features")
	if err != nil {
		return nil, fmt.Errorf("reading the feature files of the suite: %w", err)
	}
	if additional == nil {
		return sources, nil
	}
	more, err := ReadFolder(additional, OwnPrefix)
	if err != nil {
		if failure.KindOf(err) == failure.Usage {
			return nil, err
		}
		return nil, failure.Usagef("reading the additional feature files: %w", err)
	}
	if len(more) == 0 {
		return nil, failure.Usagef("the folder of additional features holds no file that ends in .feature")
	}
	return append(sources, more...), nil
}

// inMarkdown ends the names of files in Gherkin's form of Markdown, which Gherkin for Go does not read.
const inMarkdown = ".feature.md"

// asText ends the names of files to which an editor has added its own ending, which many desktops do not show.
const asText = ".feature.txt"

// ReadFolder reads the feature files of a folder; case does not matter in how their names end. What begins with a dot
// is not a user's own: locks of editors, what macOS puts beside files on other disks, folders of git.
func ReadFolder(files fs.FS, prefix string) ([]Source, error) {
	var sources []Source
	var wrong Mistakes
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && name != "." && strings.HasPrefix(path.Base(name), ".") {
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if err == nil && linksToFeatures(files, name, entry) {
			wrong.At(path.Join(prefix, name), 1,
				"it is a link to a folder with feature files, which is not followed; put the folder itself there, or give it by "+
					"its own name")
			return nil
		}
		lower := strings.ToLower(name)
		if err != nil || entry.IsDir() || !strings.HasSuffix(lower, ".feature") &&
			!strings.HasSuffix(lower, inMarkdown) && !strings.HasSuffix(lower, asText) {
			return err
		}
		own := path.Join(prefix, name)
		if strings.HasSuffix(lower, asText) {
			wrong.At(own, 1,
				"its name ends in .txt, so that nothing of it would run; call it %s, or let its name not hold .feature",
				strings.TrimSuffix(path.Base(name), name[len(name)-len(".txt"):]))
			return nil
		}
		if strings.HasSuffix(lower, inMarkdown) {
			wrong.At(own, 1,
				"Gherkin in Markdown is not read; write the file in plain Gherkin, without # and * before keywords, as %s",
				strings.TrimSuffix(path.Base(name), name[len(name)-len(".md"):]))
			return nil
		}
		if entry.Type()&(fs.ModeNamedPipe|fs.ModeSocket|fs.ModeDevice) != 0 {
			wrong.At(own, 1, "it is no file: nothing can be read from it but by waiting; take it out of the folder")
			return nil
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if content, err = userfile.Text(content); err != nil {
			wrong.At(own, 1, "%s", err)
			return nil
		}
		sources = append(sources, Source{own, content})
		return nil
	})
	if err == nil {
		err = wrong.Failure()
	}
	slices.SortFunc(sources, func(a, b Source) int { return cmp.Compare(a.Name, b.Name) })
	return sources, err
}

// linksToFeatures tells of a link to a folder that holds feature files. Links are not followed: they may go round in
// circles.
func linksToFeatures(files fs.FS, name string, entry fs.DirEntry) bool {
	if entry.Type()&fs.ModeSymlink == 0 {
		return false
	}
	inside, err := fs.ReadDir(files, name) // an error: it leads to a file, or nowhere
	return err == nil && slices.ContainsFunc(inside, func(e fs.DirEntry) bool {
		return strings.HasSuffix(strings.ToLower(e.Name()), ".feature")
	})
}

// Parse turns feature files into scenarios, in file and line order, and reports all their mistakes. It numbers
// scenarios exactly as godog does, so that the ids of the pickles are the same in both.
func Parse(sources []Source) ([]*Scenario, Mistakes) {
	var all []*Scenario
	var wrong Mistakes
	number := (&messages.Incrementing{}).NewId
	for _, source := range sources {
		file, more := readFeature(source, number)
		wrong = append(wrong, more...)
		if file.document == nil {
			continue
		}
		pickles := gherkin.Pickles(*file.document, source.Name, number)
		if len(pickles) == 0 && len(more) == 0 {
			wrong.At(source.Name, int(file.document.Feature.Location.Line),
				"the feature %q holds no scenario; a line that starts with \"%s:\" begins one, and anything else below \"%s:\" "+
					"is read as its description",
				file.document.Feature.Name, file.scenarioWord(), file.document.Feature.Keyword)
		}
		for _, child := range file.document.Feature.Children {
			if rule := child.Rule; rule != nil && !slices.ContainsFunc(rule.Children,
				func(c *messages.RuleChild) bool { return c.Scenario != nil }) {
				wrong.At(source.Name, int(rule.Location.Line),
					"the rule %q holds no scenario, so nothing of it would run; write one below it, or take it away",
					rule.Name)
			}
		}
		nodes, prose := index(file.document), file.descriptions()
		for _, pickle := range pickles {
			row := nodes[pickle.AstNodeIds[len(pickle.AstNodeIds)-1]]
			s := &Scenario{
				ID: fmt.Sprintf("%s:%d", source.Name, row.line), Feature: file.document.Feature.Name, File: source.Name,
				Line: row.line, Name: pickle.Name, Pickle: pickle, Order: len(all), Prose: prose,
			}
			s.label(&wrong)
			if len(pickle.Steps) == 0 {
				wrong.At(s.File, s.Line, "%q has no steps; is the keyword of its first line spelt right?", s.Name)
			}
			for _, step := range pickle.Steps {
				node := nodes[step.AstNodeIds[0]]
				s.Keywords, s.Lines = append(s.Keywords, node.keyword), append(s.Lines, node.line)
				s.Background = append(s.Background, node.background)
			}
			all = append(all, s)
		}
	}
	return all, wrong
}

// label takes the tags of the pickle over, and the requirements among them.
func (s *Scenario) label(wrong *Mistakes) {
	for _, tag := range s.Pickle.Tags {
		if s.Tagged(tag.Name) {
			continue
		}
		s.Tags = append(s.Tags, tag.Name)
		if columnInTag.MatchString(tag.Name) {
			wrong.At(s.File, s.Line, "%q is tagged %s, and Examples fill in no tags; write the tag itself; where rows "+
				"differ, give each tag Examples of its own", s.Name, tag.Name)
			continue
		}
		if id := asRequirement(tag.Name); id != "" {
			wrong.At(s.File, s.Line, "%q is tagged %s, which is no requirement of the catalogue; the nearest is %s", s.Name,
				tag.Name, id)
			continue
		}
		if !looksLikeRequirement.MatchString(tag.Name) {
			continue
		}
		id := strings.TrimPrefix(tag.Name, "@")
		if _, known := ags.RequirementByID(id); !known {
			wrong.At(s.File, s.Line, "%q is tagged %s, which is no requirement of the catalogue%s", s.Name, tag.Name,
				failure.OrNearest(id, requirementIDs()))
			continue
		}
		s.Requirements = append(s.Requirements, id)
	}
}

func requirementIDs() []string {
	ids := make([]string, 0, len(ags.Requirements))
	for _, r := range ags.Requirements {
		ids = append(ids, r.ID)
	}
	return ids
}

// node is where something stands in a feature file.
type node struct {
	line       int
	keyword    string
	background bool
}

// index maps the ids of scenarios, example rows and steps to their places.
func index(document *messages.GherkinDocument) map[string]node {
	nodes := map[string]node{}
	steps := func(list []*messages.Step, background bool) {
		for _, s := range list {
			nodes[s.Id] = node{int(s.Location.Line), strings.TrimSpace(s.Keyword), background}
		}
	}
	one := func(background *messages.Background, s *messages.Scenario) {
		if background != nil {
			steps(background.Steps, true)
		}
		if s == nil {
			return
		}
		nodes[s.Id] = node{line: int(s.Location.Line)}
		steps(s.Steps, false)
		for _, examples := range s.Examples {
			for _, row := range examples.TableBody {
				nodes[row.Id] = node{line: int(row.Location.Line)}
			}
		}
	}
	for _, child := range document.Feature.Children {
		one(child.Background, child.Scenario)
		if child.Rule != nil {
			for _, inner := range child.Rule.Children {
				one(inner.Background, inner.Scenario)
			}
		}
	}
	return nodes
}
