package site

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/internal/userfile"
	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/runs"
)

// digest is the part of a run that the site keeps: enough for all pages but its full report. Texts are as they are
// stored, without secrets.
type digest struct {
	Folder string `json:"folder"` // below the folder of runs, with slashes
	Stamp  string `json:"stamp"`  // sizes and times of the stored files; another stamp means that the run is read again

	ID          string             `json:"id"`
	Kind        string             `json:"kind"`
	Environment string             `json:"environment"`
	URL         string             `json:"url,omitempty"`
	Service     string             `json:"service,omitempty"`
	Release     string             `json:"release,omitempty"`
	Tool        string             `json:"tool,omitempty"`
	Start       time.Time          `json:"start"`
	End         time.Time          `json:"end"`
	Partial     string             `json:"partial,omitempty"`
	Verdict     reports.Verdict    `json:"verdict"`
	Reason      string             `json:"reason,omitempty"`
	Conformance *conformanceDigest `json:"conformance,omitempty"`
	Load        *loadDigest        `json:"load,omitempty"`
	// Problem says why the folder could not be read; then it is no run, and nothing else is set but its Stamp.
	Problem string `json:"problem,omitempty"`

	line []byte // as the site holds it; nil: it was just read
}

// conformanceDigest is the conformance part of a run.
type conformanceDigest struct {
	Verdict reports.Verdict `json:"verdict"`
	// Selection is what the run was limited to; empty: nothing.
	Selection string `json:"selection,omitempty"`
	// Requirements are the ids by verdict, joined by spaces.
	Requirements map[reports.Verdict]string `json:"requirements"`
	// OnTheWay are those of them that the run was not asked for and that did not fail: that they hold says something only
	// beside a run of the same selection.
	OnTheWay string        `json:"onTheWay,omitempty"`
	Causes   []causeDigest `json:"causes,omitempty"`
	Misses   []missed      `json:"misses,omitempty"`
}

// causeDigest is one thing that is wrong.
type causeDigest struct {
	Verdict      reports.Verdict `json:"verdict"`
	Text         string          `json:"text"`
	Requirements string          `json:"requirements"`
}

// missed is a requirement that is not plainly good, and why.
type missed struct {
	ID      string          `json:"id"`
	Verdict reports.Verdict `json:"verdict"`
	Why     string          `json:"why"`
}

// loadDigest is the load part of a run.
type loadDigest struct {
	Verdict  reports.Verdict `json:"verdict"`
	NotValid bool            `json:"notValid,omitempty"`
	// no response times: service times stand in their place
	Closed     bool                            `json:"closed,omitempty"`
	Question   string                          `json:"question"`
	Asked      string                          `json:"asked"`
	Operations map[string]reports.EntryFigures `json:"operations"`
	Limits     []limitDigest                   `json:"limits,omitempty"`
}

// limitDigest is a limit and its result.
type limitDigest struct {
	Verdict    reports.Verdict `json:"verdict"`
	Expression string          `json:"expression"`
	Value      string          `json:"value"`
}

// ruleText is a requirement as the newest run that lists it words it.
type ruleText struct {
	ID    string `json:"id"`
	Level string `json:"level"`
	Text  string `json:"text"`
}

// How much of a run is kept at most. The run's own report has the rest.
const (
	maxRequirements = 16 << 20 // bytes of the member requirements
	maxMember       = 4 << 20
	maxCauses       = 12
	maxMisses       = 60
	maxWords        = 240
	maxIDs          = 2000 // requirements of one run
	maxOperations   = 60
	maxLimits       = 60
)

// digestOf reads the part of a run that the site needs from its folder below root, and the rules that it lists. It
// reads only plain files.
func digestOf(root *os.Root, folder, stamp string) (*digest, []ruleText, error) {
	var conformance *reports.Conformance
	var load *reports.Load
	var comparison *compare.Comparison
	for _, part := range []struct {
		name   string
		wanted map[string]int
		into   any
		found  func()
	}{
		{reports.ConformanceFile, map[string]int{"run": maxMember, "verdict": 1 << 10, "reason": 64 << 10, "causes": maxMember, "requirements": maxRequirements}, &conformance, nil},
		{reports.LoadFile, map[string]int{"run": maxMember, "verdict": 1 << 10, "reason": 64 << 10, "valid": 16, "plan": maxMember, "operations": maxMember, "limits": maxMember}, &load, nil},
		{reports.ComparisonFile, map[string]int{"run": maxMember, "verdict": 1 << 10, "reason": 64 << 10, "new": maxMember}, &comparison, nil},
	} {
		err := readPart(root, folder+"/"+part.name, part.wanted, part.into)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, nil, fmt.Errorf("%s/%s: %w", folder, part.name, userfile.WithoutPath(err))
		}
	}
	stored := runs.Stored{Parts: reports.Parts{Conformance: conformance, Load: load}, Comparison: comparison}
	if conformance == nil && load == nil && comparison == nil {
		return nil, nil, fmt.Errorf("%s: it holds no run", folder)
	}
	run := stored.Run()
	if comparison != nil && comparison.New != nil {
		run.Environment, run.Release, run.URL = cmp.Or(run.Environment, comparison.New.Environment), cmp.Or(run.Release,
			comparison.New.Release), cmp.Or(run.URL, comparison.New.URL)
		if run.Start.IsZero() {
			run.Start, run.End = comparison.New.Start, comparison.New.End
		}
	}
	d := &digest{Folder: folder, Stamp: stamp, ID: run.ID, Kind: cmp.Or(run.Kind, "run"),
		Environment: cmp.Or(run.Environment, "unnamed"), URL: run.URL, Service: run.Service, Release: run.Release,
		Tool: run.Tool.Version, Start: run.Start.UTC(), End: run.End.UTC(), Partial: run.Partial, Verdict: stored.Verdict()}
	if d.Verdict == "" {
		return nil, nil, fmt.Errorf("%s: its run has no verdict", folder)
	}
	if strings.Contains(folder, ".partial") && d.Partial == "" {
		d.Partial = "the run has not ended, or was killed"
	}
	d.Reason = reports.Parts{Conformance: conformance, Load: load}.Reason()
	if comparison != nil {
		d.Reason = comparison.Reason
	}
	d.Reason = figures.OneLine(d.Reason, 2*maxWords)
	var rules []ruleText
	if conformance != nil {
		d.Conformance, rules = conformanceDigestOf(conformance)
	}
	if load != nil {
		d.Load = loadDigestOf(load)
	}
	return d, rules, nil
}

func conformanceDigestOf(c *reports.Conformance) (*conformanceDigest, []ruleText) {
	d := &conformanceDigest{Verdict: c.Verdict, Selection: figures.OneLine(c.Run.Selection(), maxWords),
		Requirements: map[reports.Verdict]string{}}
	var rules []ruleText
	var onTheWay []string
	ids := map[reports.Verdict][]string{}
	for _, r := range c.Requirements[:min(len(c.Requirements), maxIDs)] {
		if r.ID == "" || strings.ContainsAny(r.ID, " \n\t") || len(r.ID) > 80 {
			continue // no id of ours; joined by spaces it would read as two
		}
		ids[r.Verdict] = append(ids[r.Verdict], r.ID)
		if r.Verdict != reports.Fail && !c.AskedFor(&r) {
			onTheWay = append(onTheWay, r.ID)
		}
		rules = append(rules, ruleText{r.ID, r.Level, figures.OneLine(r.Text, 2*maxWords)})
		switch r.Verdict {
		case reports.Pass, reports.Observed, reports.NotExercised, reports.Skipped, reports.Partly:
			continue
		}
		if len(d.Misses) < maxMisses {
			d.Misses = append(d.Misses, missed{r.ID, r.Verdict, figures.OneLine(whyOf(r), maxWords)})
		}
	}
	d.OnTheWay = strings.Join(onTheWay, " ")
	for verdict, list := range ids {
		d.Requirements[verdict] = strings.Join(list, " ")
	}
	for _, cause := range c.Causes[:min(len(c.Causes), maxCauses)] {
		text := reports.FindingSentence(reports.Finding{Verdict: cause.Verdict, Expected: cause.Expected,
			Got: cause.Got})
		d.Causes = append(d.Causes, causeDigest{cause.Verdict, figures.OneLine(text, maxWords),
			figures.OneLine(strings.Join(cause.Requirements, " "), maxWords)})
	}
	return d, rules
}

func whyOf(r reports.Requirement) string {
	if r.Tries.Sometimes() {
		return r.Tries.Words(r.Verdict) + ": " + plainWhy(r)
	}
	return plainWhy(r)
}

func plainWhy(r reports.Requirement) string {
	if len(r.Findings) > 0 {
		f := r.Findings[0]
		f.Requirement = ""
		return reports.FindingSentence(f)
	}
	return cmp.Or(r.Reason, r.Needs)
}

func loadDigestOf(l *reports.Load) *loadDigest {
	entry := runs.EntryOf("", runs.Stored{Parts: reports.Parts{Load: l}})
	d := &loadDigest{Verdict: l.Verdict, NotValid: !l.Valid, Closed: l.Plan.Closed, Question: entry.Question,
		Asked: figures.OneLine(entry.Asked, maxWords), Operations: map[string]reports.EntryFigures{}}
	for name, of := range entry.Response {
		if len(d.Operations) >= maxOperations {
			break
		}
		if s := l.Operations[name].Service; l.Plan.Closed && of.P50 == 0 {
			of.P50, of.P95, of.P99 = s.P50, s.P95, s.P99
		}
		d.Operations[figures.OneLine(name, 60)] = of
	}
	for _, limit := range l.Limits[:min(len(l.Limits), maxLimits)] {
		d.Limits = append(d.Limits, limitDigest{limit.Verdict, figures.OneLine(limit.Expression, maxWords),
			figures.OneLine(limit.Value, 60)})
	}
	return d
}

// readPart reads members of a stored file into the value that the pointer points to, which stays nil if there is no
// such file.
func readPart(root *os.Root, name string, wanted map[string]int, into any) error {
	file, err := openPlain(root, name)
	if err != nil {
		return err
	}
	defer file.Close()
	wanted["schema"] = 1 << 10
	found, err := members(io.LimitReader(file, reports.MaxStored), wanted)
	if err != nil {
		return err
	}
	var schema string
	if json.Unmarshal(found["schema"], &schema) != nil || !strings.HasPrefix(schema, "agstest.") {
		return errors.New("it was not written by agstest")
	}
	if _, version, _ := strings.Cut(schema, "/"); !strings.HasPrefix(version, "1.") {
		return fmt.Errorf("it is %.60q, which this version of agstest does not read", schema)
	}
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	var joined strings.Builder
	for i, name := range names {
		joined.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		fmt.Fprintf(&joined, "%q:", name)
		joined.Write(found[name])
	}
	joined.WriteString("}")
	if err := json.Unmarshal([]byte(joined.String()), into); err != nil {
		return fmt.Errorf("it does not have the form of a run: %w", err)
	}
	return nil
}
