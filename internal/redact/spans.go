package redact

import (
	"cmp"
	"regexp"
	"slices"
	"sort"
	"strings"
)

// span is a stretch of a text that must not be shown, with its label and the secret it stands for.
type span struct {
	start, end int
	label      string
	value      string
}

// marks matches the marks of a redaction, so that redacting twice changes nothing.
var marks = regexp.MustCompile(`«[a-z ]{1,30} [0-9a-f]{6}(: [^«»]*)?»`)

// nameSpans finds secrets by the names they stand under, and tokens by their form, in one text of any kind: JSON, whole
// or cut or inside a sentence; queries; header lines; URLs.
func nameSpans(text string) []span {
	var spans []span
	var done [][]int
	if strings.Contains(text, "«") {
		done = marks.FindAllStringIndex(text, -1)
	}
	emit := func(s span) {
		// Marks are in order and apart: only the first that ends behind the span's start can overlap it.
		i := sort.Search(len(done), func(i int) bool { return done[i][1] > s.start })
		if i < len(done) && done[i][0] < s.end {
			return
		}
		if s.end > s.start {
			spans = append(spans, s)
		}
	}
	if strings.IndexByte(text, '"') >= 0 {
		jsonNames(text, 0, emit)
	}
	for _, v := range views(text) {
		mapped := func(s span) {
			s.start, s.end = v.origin(s.start, s.end)
			emit(s)
		}
		pairNames(v.text, mapped)
		headerLines(v.text, mapped)
		encodedObjects(v.text, mapped)
		userInfo(v.text, mapped)
	}
	return spans
}

// merge sorts spans and lets no two overlap. If two do, the one that began first gives its name and the whole stretch
// goes.
func merge(spans []span) []span {
	slices.SortStableFunc(spans, func(a, b span) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	var merged []span
	for _, s := range spans {
		if s.end <= s.start {
			continue // only there to be learnt
		}
		if n := len(merged); n > 0 && s.start < merged[n-1].end {
			last := &merged[n-1]
			if s.start == last.start && s.end == last.end && vague(last.label) && !vague(s.label) {
				last.label = s.label
			}
			last.end = max(last.end, s.end)
			continue
		}
		merged = append(merged, s)
	}
	return merged
}
