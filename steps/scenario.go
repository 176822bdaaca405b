package steps

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"sync"

	gherkin "github.com/cucumber/gherkin/go/v42"
	messages "github.com/cucumber/messages/go/v34"

	"agstest/ags"
	"agstest/features"
	"agstest/internal/failure"
	"agstest/internal/userfile"
)

// The tags that mean something to the suite beside the ids of requirements.
const (
	tagSlow      = "@slow"      // waits in real time; run with Options.Slow
	tagAlone     = "@alone"     // changes what other scenarios see; runs while no other does
	tagGenerated = "@generated" // sends Options.Generate generated requests
	tagSequences = "@sequences" // walks Options.Sequences random sequences
)

// scenario is one scenario, or one row of an outline.
type scenario struct {
	id           string // file:line, with the row's line for outlines
	feature      string
	file         string
	line         int
	name         string
	tags         []string
	requirements []string
	pickle       *messages.Pickle
	keywords     []string // of the steps, as written: Given, When, Then, And, But
	lines        []int    // of the steps
	background   []bool   // steps that belong to a Background: they set up what the scenario starts from
	order        int
}

func (s *scenario) tagged(tag string) bool {
	for _, t := range s.tags {
		if t == tag {
			return true
		}
	}
	return false
}

// source is one feature file as it is handed to godog.
type source struct {
	name    string
	content []byte
}

// suite is the embedded suite, read and understood once.
var suite = sync.OnceValues(func() ([]*scenario, error) {
	sources, err := readSources(nil)
	if err != nil {
		return nil, err
	}
	all, err := parse(sources)
	if err != nil {
		return nil, err
	}
	return all, matchAll(all)
})

// understand reads all scenarios, the suite's and those of an additional folder, and makes sure that every step of them means something.
func understand(additional fs.FS) ([]source, []*scenario, error) {
	all, err := suite()
	if err != nil {
		return nil, nil, err
	}
	sources, err := readSources(additional)
	if err != nil || additional == nil {
		return sources, all, err
	}
	if all, err = parse(sources); err != nil {
		return nil, nil, err
	}
	return sources, all, matchAll(all)
}

// staged keeps the sources that hold a selected scenario, and gives the selected scenarios the ids that godog will number them with when
// it reads only those sources.
func staged(sources []source, selected []*scenario) ([]source, []*scenario, error) {
	needed := map[string]bool{}
	wanted := map[string]int{}
	for _, s := range selected {
		needed[s.file] = true
		wanted[s.id] = s.order
	}
	var kept []source
	for _, s := range sources {
		if needed[s.name] {
			kept = append(kept, s)
		}
	}
	again, err := parse(kept)
	if err != nil {
		return nil, nil, err
	}
	var scenarios []*scenario
	for _, s := range again {
		if order, ok := wanted[s.id]; ok {
			s.order = order
			scenarios = append(scenarios, s)
		}
	}
	return kept, scenarios, nil
}

// looksLikeRequirement tells a tag that means a requirement from the tags of people: SOST-07, TOK-3.
var looksLikeRequirement = regexp.MustCompile(`^@[A-Z]+-[0-9]+$`)

// readSources reads the feature files of the suite and of an additional folder, in the order of their names, the suite's first.
func readSources(additional fs.FS) ([]source, error) {
	sources, err := readFolder(features.Files, "features")
	if err != nil {
		return nil, fmt.Errorf("reading the feature files of the suite: %w", err)
	}
	if additional == nil {
		return sources, nil
	}
	more, err := readFolder(additional, "own")
	if err != nil {
		return nil, failure.Usagef("reading the additional feature files: %w", err)
	}
	if len(more) == 0 {
		return nil, failure.Usagef("the folder of additional features holds no file that ends in .feature")
	}
	return append(sources, more...), nil
}

func readFolder(files fs.FS, prefix string) ([]source, error) {
	var sources []source
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".feature") {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if content, err = userfile.Text(content); err != nil {
			return fmt.Errorf("%s: %w", path.Join(prefix, name), err)
		}
		sources = append(sources, source{path.Join(prefix, name), content})
		return nil
	})
	sort.Slice(sources, func(i, j int) bool { return sources[i].name < sources[j].name })
	return sources, err
}

// parse turns feature files into scenarios, in file and line order. It numbers what it parses exactly as godog does, so that the ids
// of the pickles are the same in both.
func parse(sources []source) ([]*scenario, error) {
	known := map[string]bool{}
	var ids []string
	for _, r := range ags.Requirements {
		known[r.ID] = true
		ids = append(ids, r.ID)
	}
	var all []*scenario
	number := (&messages.Incrementing{}).NewId
	for _, source := range sources {
		document, err := gherkin.ParseGherkinDocument(bytes.NewReader(source.content), number)
		if err != nil {
			return nil, failure.Usagef("the feature file %s cannot be read: %s", source.name, whereParsingEnded(err))
		}
		pickles := gherkin.Pickles(*document, source.name, number)
		if document.Feature == nil {
			return nil, failure.Usagef("the feature file %s holds no feature", source.name)
		}
		if len(pickles) == 0 {
			return nil, failure.Usagef("the feature file %s holds no scenario; a line that starts with \"Scenario:\" begins one, and anything else below \"Feature:\" is read as its description", source.name)
		}
		nodes := index(document)
		for _, pickle := range pickles {
			row := nodes[pickle.AstNodeIds[len(pickle.AstNodeIds)-1]]
			s := &scenario{
				id: fmt.Sprintf("%s:%d", source.name, row.line), feature: document.Feature.Name, file: source.name,
				line: row.line, name: pickle.Name, pickle: pickle, order: len(all),
			}
			for _, tag := range pickle.Tags {
				if s.tagged(tag.Name) {
					continue
				}
				s.tags = append(s.tags, tag.Name)
				if !looksLikeRequirement.MatchString(tag.Name) {
					continue
				}
				id := strings.TrimPrefix(tag.Name, "@")
				if !known[id] {
					return nil, failure.Usagef("%s is tagged %s, which is no requirement of the catalogue%s", s.id, tag.Name, suggest(id, ids))
				}
				s.requirements = append(s.requirements, id)
			}
			if len(pickle.Steps) == 0 {
				return nil, failure.Usagef("%s (%q) has no steps; is the keyword of its first line spelt right?", s.id, s.name)
			}
			for _, step := range pickle.Steps {
				node := nodes[step.AstNodeIds[0]]
				s.keywords, s.lines = append(s.keywords, node.keyword), append(s.lines, node.line)
				s.background = append(s.background, node.background)
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// unexpected is how the parser tells of the first line that it cannot read.
var unexpected = regexp.MustCompile(`(?s)\(([0-9]+):[0-9]+\): expected: .*?, got '(.*?)'`)

// whereParsingEnded says what the parser means without its names of tokens.
func whereParsingEnded(err error) string {
	found := unexpected.FindStringSubmatch(err.Error())
	if found == nil {
		return oneLine(err.Error())
	}
	return fmt.Sprintf("line %s, %q, stands where a keyword is expected: Feature:, Rule:, Background: and Scenario: end with a colon, steps begin with Given, When, Then, And or But",
		found[1], oneLine(found[2]))
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

// suggest ends a sentence about a word that nobody knows with the one that was probably meant.
func suggest(word string, words []string) string {
	if near := failure.Nearest(word, words); near != "" {
		return "; the nearest is " + near
	}
	return ""
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// plural is "1 scenario", "2 scenarios".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
