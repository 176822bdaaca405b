package site

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"time"

	"agstest/reports"
	"agstest/reports/compare"
)

// history is all runs, in the order of their start, with the data derived from them.
type history struct {
	runs         []*digest
	rules        []ruleText
	environments []*environment
	releases     []*release
	pins         map[string][]string
	damaged      []string // folders that could not be read, and why

	slugs   map[*digest]string
	before  map[*digest]*digest // the run before, of the same environment and question
	release map[*digest]*digest // the last run of the release before
	pages   map[*digest][]page  // of the full report that the site holds
	stories []*story            // in the order of rules
}

// environment is all runs under one name.
type environment struct {
	Name, Slug  string
	Runs        []*digest
	Conformance *digest // the newest whole run with this part; nil: none
	Load        *digest
	Verdict     reports.Verdict // the graver of both
	Broken      *digest         // the newest run, where it did not come to its end; nil: it did
}

// release is all runs of one build.
type release struct {
	Name  string
	First time.Time
	Last  time.Time
	// Newest are the newest whole runs by environment and part.
	Conformance, Load map[string]*digest
}

// page is one page of a full report in the site.
type page struct{ Name, Path string }

func newHistory(runs []*digest, rules []ruleText, pinned map[string][]string) *history {
	h := &history{runs: runs, rules: rules, pins: pinned, slugs: map[*digest]string{}, before: map[*digest]*digest{},
		release: map[*digest]*digest{}, pages: map[*digest][]page{}}
	slices.SortStableFunc(h.runs, func(a, b *digest) int {
		return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.Folder, b.Folder))
	})
	byName, releases := map[string]*environment{}, map[string]*release{}
	last := map[[5]string][]*digest{} // runs of one environment, kind, question, selection and host, up to here
	for _, d := range h.runs {
		h.slugs[d] = fileName(d.Folder)
		e := byName[d.Environment]
		if e == nil {
			e = &environment{Name: d.Environment, Slug: fileName(d.Environment)}
			byName[d.Environment] = e
			h.environments = append(h.environments, e)
		}
		e.Runs = append(e.Runs, d)
		if d.Partial != "" {
			e.Broken = d
			continue
		}
		e.Broken = nil
		key := [5]string{d.Environment, d.Kind, "", "", d.host()}
		if d.Load != nil {
			key[2] = d.Load.Question
		}
		if d.Conformance != nil {
			key[3] = d.Conformance.Selection
		}
		h.follow(d, last[key])
		last[key] = append(last[key], d)
		if d.Conformance != nil {
			e.Conformance = d
		}
		if d.Load != nil {
			e.Load = d
		}
		if d.Release != "" && (d.Conformance != nil || d.Load != nil) {
			r := releases[d.Release]
			if r == nil {
				r = &release{Name: d.Release, First: d.Start, Conformance: map[string]*digest{},
					Load: map[string]*digest{}}
				releases[d.Release] = r
				h.releases = append(h.releases, r)
			}
			r.add(d)
		}
	}
	for _, e := range h.environments {
		if e.Verdict = e.graver(); e.Verdict == "" && e.Broken != nil {
			e.Verdict = e.Broken.Verdict
		}
	}
	slices.SortFunc(h.environments, func(a, b *environment) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(h.releases, func(a, b *release) int { return b.First.Compare(a.First) })
	h.tell()
	return h
}

// follow keeps which of the earlier runs of its kind a run is compared with.
func (h *history) follow(d *digest, earlier []*digest) {
	if n := len(earlier); n > 0 {
		h.before[d] = earlier[n-1]
	}
	if d.Release == "" {
		return
	}
	for _, one := range slices.Backward(earlier) {
		if one.Release != "" && one.Release != d.Release {
			h.release[d] = one
			return
		}
	}
}

// add adds a run that is newer than those the release has.
func (r *release) add(d *digest) {
	r.Last = d.Start
	if d.Conformance != nil {
		r.Conformance[d.Environment] = d
	}
	if d.Load != nil {
		r.Load[d.Environment] = d
	}
}

// graver returns the graver verdict of the two newest runs; empty if there are none.
func (e *environment) graver() (v reports.Verdict) {
	if e.Conformance != nil {
		v = e.Conformance.Conformance.Verdict
	}
	if e.Load != nil && (v == "" || e.Load.Load.Verdict.Rank() < v.Rank()) {
		v = e.Load.Load.Verdict
	}
	return v
}

// plainSafe matches names that may stay, unless madeName takes them for made ones.
var plainSafe, madeName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`), regexp.MustCompile(`(^|-)[0-9a-f]{8}$`)

var stampedName = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-[a-z0-9-]{1,80}$`)
var plainName = regexp.MustCompile(`[^a-z0-9]+`)

// fileName makes a file name from any name: lower-case ASCII letters, digits and hyphens, and different for different
// names.
func fileName(name string) string {
	if stampedName.MatchString(name) || plainSafe.MatchString(name) && !madeName.MatchString(name) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	plain := strings.Trim(plainName.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if len(plain) > 60 {
		plain = plain[:60]
	}
	return strings.TrimPrefix(plain+"-"+hex.EncodeToString(sum[:4]), "-")
}

// judged tells that a requirement was looked at.
func judged(v reports.Verdict) bool {
	switch v {
	case "", reports.Skipped, reports.NotExercised, reports.Error:
		return false
	}
	return true
}

// host is that of the run's service.
func (d *digest) host() string {
	run := reports.Run{URL: d.URL}
	return run.Host()
}

// broken tells that a service broke a requirement, known or not.
func broken(v reports.Verdict) bool { return v == reports.Fail || v == reports.Known }

// held tells that a service kept all of a requirement. What holds in part may have failed in the other.
func held(v reports.Verdict) bool { return v == reports.Pass || v == reports.Observed }

// asked are the requirements of a run by verdict, without those that were judged on the way.
func (c *conformanceDigest) asked() map[reports.Verdict][]string {
	onTheWay := map[string]bool{}
	for id := range strings.FieldsSeq(c.OnTheWay) {
		onTheWay[id] = true
	}
	of := map[reports.Verdict][]string{}
	for verdict, ids := range c.Requirements {
		of[verdict] = slices.DeleteFunc(strings.Fields(ids), func(id string) bool { return onTheWay[id] })
	}
	return of
}

// counts sums the requirements of a run up.
type counts struct{ Held, Failed, Warned, NotJudged, Shown int }

func (c *conformanceDigest) counts() counts {
	var n counts
	for verdict, ids := range c.asked() {
		here := len(ids)
		switch verdict {
		case reports.Pass, reports.Partly:
			n.Held += here
		case reports.Fail:
			n.Failed += here
		case reports.Observed:
			n.Shown += here
		case reports.Skipped, reports.NotExercised, reports.Error:
			n.NotJudged += here
		default:
			n.Warned += here
		}
	}
	return n
}

// verdicts returns the verdicts of single requirements.
func (c *conformanceDigest) verdicts() map[string]reports.Verdict {
	of := map[string]reports.Verdict{}
	for verdict, ids := range c.Requirements {
		for id := range strings.FieldsSeq(ids) {
			of[id] = verdict
		}
	}
	return of
}

// story is how one requirement fared.
type story struct {
	Rule    ruleText
	Tracks  []track // by environment, those that judged it
	Failing []string
}

// track is one requirement in one environment.
type track struct {
	Environment *environment
	Spans       []span // the newest first
	Judged      int    // in how many runs
	Of          int    // whole conformance runs
	Turns       int    // how often it came to fail or was mended among the last ten that judged it
}

// span is a row of runs with one verdict.
type span struct {
	Verdict     reports.Verdict
	First, Last *digest
	Runs        int
}

// tell makes the stories.
func (h *history) tell() {
	index := map[string]int{}
	for i, rule := range h.rules {
		index[rule.ID] = i
		h.stories = append(h.stories, &story{Rule: rule})
	}
	for _, e := range h.environments {
		tracks := make([]track, len(h.rules))
		recent := make([][]bool, len(h.rules))
		whole := 0
		for _, d := range e.Runs {
			if d.Conformance == nil || d.Partial != "" {
				continue
			}
			whole++
			for verdict, ids := range d.Conformance.asked() {
				if !judged(verdict) {
					continue
				}
				for _, id := range ids {
					i, known := index[id]
					if !known {
						continue
					}
					t := &tracks[i]
					t.Judged++
					recent[i] = append(recent[i], broken(verdict))
					if n := len(t.Spans); n > 0 && t.Spans[n-1].Verdict == verdict {
						t.Spans[n-1].Last = d
						t.Spans[n-1].Runs++
						continue
					}
					t.Spans = append(t.Spans, span{verdict, d, d, 1})
				}
			}
		}
		for i := range tracks {
			t := &tracks[i]
			if t.Judged == 0 {
				continue
			}
			t.Environment, t.Of = e, whole
			slices.Reverse(t.Spans)
			last := recent[i][max(0, len(recent[i])-10):]
			for k := 1; k < len(last); k++ {
				if last[k] != last[k-1] {
					t.Turns++
				}
			}
			h.stories[i].Tracks = append(h.stories[i].Tracks, *t)
			if t.Spans[0].Verdict == reports.Fail {
				h.stories[i].Failing = append(h.stories[i].Failing, e.Name)
			}
		}
	}
}

// trends are the load runs of one environment, question by question; only the newest runs of each.
func (e *environment) trends(pinned map[string][]string, most int) []compare.Trend {
	byQuestion := map[string]int{}
	var entries []reports.Entry
	for i := len(e.Runs) - 1; i >= 0; i-- {
		d := e.Runs[i]
		if d.Load == nil || d.Partial != "" || byQuestion[d.Load.Question] >= most {
			continue
		}
		byQuestion[d.Load.Question]++
		entries = append(entries, reports.Entry{Folder: d.Folder, ID: d.ID, Kind: d.Kind, Environment: d.Environment,
			Host: d.host(), Start: d.Start, End: d.End, Verdict: d.Load.Verdict,
			NotValid: d.Load.NotValid, Question: d.Load.Question, Asked: d.Load.Asked, Response: d.Load.Operations,
			Pins: pinned[d.Folder]})
	}
	slices.Reverse(entries)
	return compare.Trends(entries)
}
