// Package site makes a static site of all stored runs: the last verdict of each environment, a calendar, trends of
// conformance and load, the story of each requirement from release to release, each run beside the one before, and a
// search. It needs no server, no network and no script but for the search. It builds the site anew from the folder of
// runs each time, and keeps a digest of each run in the site, so that a further run costs little.
//
// It reads runs through os.Root and follows no links. It copies no page of a run, but makes full reports anew from the
// stored data. It replaces or deletes only files that the mark of the site lists.
package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"agstest/internal/disarm"
	"agstest/internal/failure"
	"agstest/internal/userfile"
	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/html"
)

// Options say how a site is built. The zero value works.
type Options struct {
	// Name is the title of the site; empty: Test history.
	Name string
	// Reports is of how many of the newest runs of each environment and kind the site holds the full report; pinned runs
	// have theirs too.
	Reports int
	// DryRun changes nothing, and reports what a build would do.
	DryRun bool
	// Tool is the version that builds; another one makes all pages anew.
	Tool string
}

// Result is what a build did, or would do.
type Result struct {
	Runs, Environments int
	Files              int      // of the whole site
	Bytes              int64    // of all of them
	Read               int      // runs that the site did not know yet, or not as they are now
	Written, Removed   []string // paths below the site
	// Left was of the site, is no more, and was changed by others: it stays.
	Left    []string
	Damaged []string // folders that look like runs and could not be read, and why
}

const (
	digestsFile = "runs.ndjson" // the digest of each run, a line each
	defaultName = "Test history"
)

type builder struct {
	options  Options
	root     *os.Root
	target   *target
	history  *history
	trends   map[*environment][]compare.Trend
	verdicts map[*digest]map[string]reports.Verdict
	guard    sync.Mutex
	plans    []page
	making   string // of the templates and the program
	rulesKey string
}

// Build makes the site of the runs below the folder from in the folder to.
func Build(from, to string, options Options) (*Result, error) {
	if options.Name == "" {
		options.Name = defaultName
	}
	here, _ := filepath.Abs(from)
	there, _ := filepath.Abs(to)
	if here == there {
		return nil, fmt.Errorf("%s holds the runs: build the site into another folder", to)
	}
	root, err := os.OpenRoot(from)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no folder %s: name the one that runs write to", from)
		}
		return nil, fmt.Errorf("opening the folder of runs %s: %w", from, userfile.WithoutPath(err))
	}
	defer root.Close()
	t, err := openTarget(to, options.DryRun)
	if err != nil {
		return nil, err
	}
	defer t.close()
	b := &builder{options: options, root: root, target: t, trends: map[*environment][]compare.Trend{},
		verdicts: map[*digest]map[string]reports.Verdict{}}
	b.making = shortSum(pageTemplates + sheet + searchScript + options.Tool)
	result, err := b.build()
	if err != nil {
		return nil, fmt.Errorf("building the site in %s: %w", to, err)
	}
	return result, nil
}

func (b *builder) build() (*Result, error) {
	places, matrices, err := scan(b.root)
	if err != nil {
		return nil, fmt.Errorf("listing the runs: %w", err)
	}
	known, rules := b.known()
	all, newRules, read := b.read(places, known)
	var runs []*digest
	var damaged []string
	for _, d := range all {
		if d.Problem == "" {
			runs = append(runs, d)
		} else {
			damaged = append(damaged, d.Problem)
		}
	}
	apart(b.root, runs)
	rules = mergeRules(rules, newRules, runs)
	if err := b.keepDigests(all, rules); err != nil {
		return nil, err
	}
	h := newHistory(runs, rules, pins(b.root))
	h.damaged = damaged
	b.history = h
	text, err := json.Marshal(h.rules)
	if err != nil {
		return nil, fmt.Errorf("describing the requirements: %w", err)
	}
	b.rulesKey = shortSum(string(text))
	for _, d := range h.runs {
		if d.Conformance != nil && (h.before[d] != nil || d.Release != "") {
			b.verdicts[d] = nil // made when asked for
		}
	}
	if err := b.fullReports(); err != nil {
		return nil, err
	}
	if err := b.planPages(matrices); err != nil {
		return nil, err
	}
	if err := b.target.put("site.css", "", []byte(sheet)); err != nil {
		return nil, err
	}
	var jobs []func() error
	var mutex sync.Mutex
	err = inParallel(len(h.environments), func(i int) error {
		trends := h.environments[i].trends(h.pins, trendRuns)
		mutex.Lock()
		defer mutex.Unlock()
		b.trends[h.environments[i]] = trends
		return nil
	})
	if err != nil {
		return nil, err
	}
	jobs = append(jobs, b.index, b.requirements, b.releases, b.calendar, b.monthPages, b.searchPage)
	for _, e := range h.environments {
		jobs = append(jobs, func() error { return b.environment(e) })
	}
	for _, s := range h.stories {
		jobs = append(jobs, func() error { return b.requirement(s) })
	}
	for _, d := range h.runs {
		jobs = append(jobs, func() error { return b.run(d) })
	}
	if err := inParallel(len(jobs), func(i int) error { return jobs[i]() }); err != nil {
		return nil, err
	}
	removed, left, err := b.target.finish()
	if err != nil {
		return nil, err
	}
	result := &Result{Runs: len(runs), Environments: len(h.environments), Files: len(b.target.now), Read: read,
		Written: b.target.changed, Removed: removed, Left: left, Damaged: damaged}
	for _, w := range b.target.now {
		result.Bytes += w.Size
	}
	return result, nil
}

// inParallel does n things, a few at a time, and gives the first error.
func inParallel(n int, do func(i int) error) error {
	var group sync.WaitGroup
	var mutex sync.Mutex
	var first error
	next := 0
	for range min(n, runtime.GOMAXPROCS(0)) {
		group.Go(func() {
			defer failure.Guard()
			for {
				mutex.Lock()
				i := next
				next++
				stop := i >= n || first != nil
				mutex.Unlock()
				if stop {
					return
				}
				if err := do(i); err != nil {
					mutex.Lock()
					if first == nil {
						first = err
					}
					mutex.Unlock()
				}
			}
		})
	}
	group.Wait()
	return first
}

// verdictsOf are the verdicts of single requirements of a run, made once.
func (b *builder) verdictsOf(d *digest) map[string]reports.Verdict {
	b.guard.Lock()
	defer b.guard.Unlock()
	of := b.verdicts[d]
	if of == nil {
		of = d.Conformance.verdicts()
		b.verdicts[d] = of
	}
	return of
}

// kept is a line of the file of digests: the rules first, then a run each.
type kept struct {
	Making string     `json:"making,omitempty"`
	Rules  []ruleText `json:"rules,omitempty"`
	Run    *digest    `json:"run,omitempty"`
}

// known reads the site's digests of runs. Damaged digests, or those of another version, are read from the runs again.
func (b *builder) known() (map[string]*digest, []ruleText) {
	digests := map[string]*digest{}
	data, err := b.target.read(digestsFile, reports.MaxStored)
	if err != nil {
		return digests, nil
	}
	texts := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	var head kept
	if json.Unmarshal(texts[0], &head) != nil || head.Making != digestForm {
		return digests, nil
	}
	texts = texts[1:]
	all := make([]*digest, len(texts))
	_ = inParallel(len(texts), func(i int) error {
		var line kept
		if json.Unmarshal(texts[i], &line) == nil && line.Run != nil && line.Run.Folder != "" {
			line.Run.line = texts[i]
			all[i] = line.Run
		}
		return nil
	})
	for _, d := range all {
		if d != nil {
			digests[d.Folder] = d
		}
	}
	return digests, head.Rules
}

// digestForm names the form of a Digest; another one makes the site read all runs again.
const digestForm = "2"

func (b *builder) keepDigests(runs []*digest, rules []ruleText) error {
	head, err := json.Marshal(kept{Making: digestForm, Rules: rules})
	if err != nil {
		return fmt.Errorf("writing what is known of the runs: %w", err)
	}
	lines := make([][]byte, len(runs)+1)
	lines[0] = disarm.JSON(head)
	err = inParallel(len(runs), func(i int) error {
		lines[i+1] = runs[i].line
		if lines[i+1] != nil {
			return nil
		}
		text, err := json.Marshal(kept{Run: runs[i]})
		lines[i+1] = disarm.JSON(text)
		return err
	})
	if err != nil {
		return fmt.Errorf("writing what is known of the runs: %w", err)
	}
	return b.target.put(digestsFile, "", append(bytes.Join(lines, []byte("\n")), '\n'))
}

// read gives the digests of all folders, from the site where it knows them as they are, and how many were read.
func (b *builder) read(places []place, known map[string]*digest) (all []*digest, rules [][]ruleText, fresh int) {
	all, rules = make([]*digest, len(places)), make([][]ruleText, len(places))
	_ = inParallel(len(places), func(i int) error {
		at := places[i]
		if d := known[at.folder]; d != nil && d.Stamp == at.stamp {
			all[i] = d
			return nil
		}
		var err error
		if all[i], rules[i], err = digestOf(b.root, at.folder, at.stamp); err != nil {
			all[i] = &digest{Folder: at.folder, Stamp: at.stamp, Problem: disarm.Line(err.Error())}
		}
		return nil
	})
	for _, d := range all {
		if known[d.Folder] != d && d.Problem == "" {
			fresh++
		}
	}
	return all, rules, fresh
}

// mergeRules keeps the order in which the rules are known, puts new ones behind, and takes the newest wording. Rules
// that no run lists any more go.
func mergeRules(known []ruleText, lists [][]ruleText, runs []*digest) []ruleText {
	index := map[string]int{}
	merged := slices.Clone(known)
	for i, rule := range merged {
		index[rule.ID] = i
	}
	for _, list := range lists {
		for _, rule := range list {
			if i, found := index[rule.ID]; found {
				merged[i] = rule
				continue
			}
			index[rule.ID] = len(merged)
			merged = append(merged, rule)
		}
	}
	listed := map[string]bool{}
	for _, d := range runs {
		if d.Conformance != nil {
			for _, ids := range d.Conformance.Requirements {
				for id := range strings.FieldsSeq(ids) {
					listed[id] = true
				}
			}
		}
	}
	return slices.DeleteFunc(merged, func(r ruleText) bool { return !listed[r.ID] })
}

func shortSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// reportStyle is the style of the full reports: with a style sheet beside them and without script, as hosts with a
// policy of their own want it.
var reportStyle = html.Style{Folder: true}
