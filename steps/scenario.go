package steps

import (
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
	all, wrong := parse(sources)
	return all, append(wrong, matchAll(all)...).failure()
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
	all, wrong := parse(sources)
	return sources, all, append(wrong, matchAll(all)...).failure()
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
	again, wrong := parse(kept)
	if err := wrong.failure(); err != nil {
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

// ownPrefix begins the names of additional feature files.
const ownPrefix = "own/"

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
	more, err := readFolder(additional, ownPrefix)
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

// readFolder reads the feature files of a folder; case does not matter in how their names end.
func readFolder(files fs.FS, prefix string) ([]source, error) {
	var sources []source
	var wrong mistakes
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		lower := strings.ToLower(name)
		if err != nil || entry.IsDir() || !strings.HasSuffix(lower, ".feature") && !strings.HasSuffix(lower, inMarkdown) {
			return err
		}
		own := path.Join(prefix, name)
		if strings.HasSuffix(lower, inMarkdown) {
			wrong.at(own, 1, "Gherkin in Markdown is not read; write the file in plain Gherkin, without # and * before keywords, as %s", strings.TrimSuffix(path.Base(name), name[len(name)-len(".md"):]))
			return nil
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if content, err = userfile.Text(content); err != nil {
			wrong.at(own, 1, "%s", err)
			return nil
		}
		sources = append(sources, source{own, content})
		return nil
	})
	if err == nil {
		err = wrong.failure()
	}
	sort.Slice(sources, func(i, j int) bool { return sources[i].name < sources[j].name })
	return sources, err
}

// parse turns feature files into scenarios, in file and line order, and says everything that is wrong with them. It numbers what it parses
// exactly as godog does, so that the ids of the pickles are the same in both.
func parse(sources []source) ([]*scenario, mistakes) {
	var all []*scenario
	var wrong mistakes
	number := (&messages.Incrementing{}).NewId
	for _, source := range sources {
		file, more := readFeature(source, number)
		wrong = append(wrong, more...)
		if file.document == nil {
			continue
		}
		pickles := gherkin.Pickles(*file.document, source.name, number)
		if len(pickles) == 0 && len(more) == 0 {
			wrong.at(source.name, int(file.document.Feature.Location.Line), "the feature %q holds no scenario; a line that starts with \"%s:\" begins one, and anything else below \"%s:\" is read as its description",
				file.document.Feature.Name, file.scenarioWord(), file.document.Feature.Keyword)
		}
		nodes := index(file.document)
		for _, pickle := range pickles {
			row := nodes[pickle.AstNodeIds[len(pickle.AstNodeIds)-1]]
			s := &scenario{
				id: fmt.Sprintf("%s:%d", source.name, row.line), feature: file.document.Feature.Name, file: source.name,
				line: row.line, name: pickle.Name, pickle: pickle, order: len(all),
			}
			s.label(&wrong)
			if len(pickle.Steps) == 0 {
				wrong.at(s.file, s.line, "%q has no steps; is the keyword of its first line spelt right?", s.name)
			}
			for _, step := range pickle.Steps {
				node := nodes[step.AstNodeIds[0]]
				s.keywords, s.lines = append(s.keywords, node.keyword), append(s.lines, node.line)
				s.background = append(s.background, node.background)
			}
			all = append(all, s)
		}
	}
	return all, wrong
}

// label takes the tags of the pickle over, and the requirements among them.
func (s *scenario) label(wrong *mistakes) {
	for _, tag := range s.pickle.Tags {
		if s.tagged(tag.Name) {
			continue
		}
		s.tags = append(s.tags, tag.Name)
		if !looksLikeRequirement.MatchString(tag.Name) {
			continue
		}
		id := strings.TrimPrefix(tag.Name, "@")
		if _, known := catalogue[id]; !known {
			wrong.at(s.file, s.line, "%q is tagged %s, which is no requirement of the catalogue%s", s.name, tag.Name, suggest(id, requirementIDs()))
			continue
		}
		s.requirements = append(s.requirements, id)
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
