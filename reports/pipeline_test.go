package reports_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/export"
	"agstest/reports/text"
)

func TestTextGolden(t *testing.T) {
	for name, color := range map[string]bool{"summary.txt": false, "summary-color.txt": true} {
		var b bytes.Buffer
		require.NoError(t, text.Terminal(&b, smallConformance(), sampleLoad(2, 20), color))
		golden(t, name, b.Bytes())
	}
}

func TestTextLetsNobodySteerTheTerminal(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, text.Terminal(&b, poisoned(smallConformance()), poisoned(sampleLoad(2, 5)), false))
	require.NotContains(t, b.String(), "\x1b")
	require.NotContains(t, b.String(), "\u202e")
}

func TestMarkdownGolden(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, text.Markdown(&b, smallConformance(), sampleLoad(2, 20)))
	golden(t, "summary.md", b.Bytes())
}

func TestMarkdownKeepsHostileTextAsText(t *testing.T) {
	c, l := poisoned(smallConformance()), poisoned(sampleLoad(2, 5))
	c.Requirements[0].Text = "| [link](https://evil.example) @everyone ![x](y) `code` </details>\x00"
	var b bytes.Buffer
	require.NoError(t, text.Markdown(&b, c, l))
	require.NotContains(t, b.String(), "<script")
	require.NotContains(t, b.String(), "[link]")
	require.NotContains(t, b.String(), "@everyone")
	require.Contains(t, b.String(), `\| \[link\](https://evil.example) @`+"\u200b"+`everyone \!\[x\](y) \`+"`code\\` &lt;/details&gt;")
	for line := range strings.SplitSeq(b.String(), "\n") {
		if strings.HasPrefix(line, "| Requirement") {
			require.Equal(t, 6, strings.Count(line, "|"))
		}
	}
}

// TestSummariesFitAMergeRequest: of the summary of every command at most 4,000 characters are shown, however much was
// found, the failed first, and nothing that is folded is lost before 60,000 bytes. (That of a plan is in
// reports/matrix.)
func TestSummariesFitAMergeRequest(t *testing.T) {
	t.Parallel()
	c, l := sampleConformance(), sampleLoad(9, 5)
	c.Causes = nil
	for i := range 300 {
		id := fmt.Sprintf("X-%d", i)
		c.Requirements = append(c.Requirements, reports.Requirement{ID: id, Text: strings.Repeat("é|", 300), Verdict: reports.Fail})
		c.Causes = append(c.Causes, reports.Cause{ID: fmt.Sprintf("C-%08x", i), Verdict: reports.Warn, Expected: strings.Repeat("<b>", 100), Requirements: []string{id}})
		c.Scenarios = append(c.Scenarios, reports.Scenario{ID: id, Name: strings.Repeat("name ", 90), Verdict: reports.Fail})
		l.Limits = append(l.Limits, reports.Limit{Expression: "refresh.p99<1s", Verdict: reports.Pass, Value: "3 ms", Reason: strings.Repeat("because ", 60)})
		l.Wrong = append(l.Wrong, reports.Wrong{Operation: "refresh", Kind: fmt.Sprint("kind ", i), Times: int64(i), Message: strings.Repeat("wrong ", 60)})
	}
	c.Causes[290].Verdict = reports.Fail
	l.Limits[len(l.Limits)-1].Verdict = reports.Fail
	l.Limits[len(l.Limits)-1].Expression = "errors<1%"
	c.Reason, l.Reason = strings.Repeat("much failed, ", 200), strings.Repeat("limits were broken, ", 200)
	l.Valid, l.Invalid = false, []string{strings.Repeat("late ", 300)}
	summaries := map[string]func(io.Writer) error{
		"conform": func(w io.Writer) error { return text.Markdown(w, c, nil) },
		"load":    func(w io.Writer) error { return text.Markdown(w, nil, l) },
		"gate":    func(w io.Writer) error { return text.Markdown(w, c, l) },
	}
	for name, comparison := range sampleComparisons() {
		for i := range 300 {
			comparison.Notes = append(comparison.Notes, strings.Repeat("a note ", 50))
			comparison.Advice = append(comparison.Advice, strings.Repeat("do it ", 50))
			comparison.Wrong = append(comparison.Wrong, compare.WrongAnswers{Operation: fmt.Sprint("operation", i), Kind: "status", Count: 3, Sent: 9})
		}
		summaries["comparison "+name] = func(w io.Writer) error { return text.MarkdownOfComparison(w, comparison) }
	}
	for name, write := range summaries {
		page := render(t, write)
		shown := folded.ReplaceAllString(page, "$1")
		assert.LessOrEqual(t, utf8.RuneCountInString(shown), 4000, name)
		assert.Less(t, len(page), 60_000, name)
		assert.Contains(t, page, "<details>", name)
		if c, found := map[string]string{"conform": "| C-00000122 | ❌ fail |", "load": "| errors&lt;1% | ❌ fail |", "gate": "| C-00000122 | ❌ fail |"}[name]; found {
			assert.Contains(t, shown, c, name)
		}
	}
	page := render(t, summaries["gate"])
	assert.Contains(t, page, "## Load of staging", "the load part is still there")
	assert.Regexp(t, `[0-9,]+ more requirements in conformance\.html\.`, page)
}

// folded is what a page folds, with the line that is shown of it.
var folded = regexp.MustCompile(`(?s)<details><summary>(.*?)</summary>.*?</details>`)

// openMetricsForm checks the grammar of OpenMetrics text as far as we use it.
func openMetricsForm(text string) error {
	sample := regexp.MustCompile(`^([a-z_]+)(\{([a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? -?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$`)
	family, seen, samples := "", map[string]bool{}, map[string]bool{}
	if !strings.HasSuffix(text, "\n# EOF\n") {
		return fmt.Errorf("does not end with # EOF")
	}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n# EOF\n"), "\n") {
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			family, _, _ = strings.Cut(rest, " ")
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			if name, _, _ := strings.Cut(rest, " "); name != family {
				return fmt.Errorf("line %d: %q", i+1, line)
			}
			if seen[family] || !strings.HasSuffix(rest, " gauge") && !strings.HasSuffix(rest, " summary") {
				return fmt.Errorf("line %d: %q", i+1, line)
			}
			seen[family] = true
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# UNIT "); ok {
			name, unit, _ := strings.Cut(rest, " ")
			if name != family || !strings.HasSuffix(name, "_"+unit) {
				return fmt.Errorf("line %d: %q", i+1, line)
			}
			continue
		}
		parts := sample.FindStringSubmatch(line)
		if parts == nil || strings.TrimSuffix(strings.TrimSuffix(parts[1], "_count"), "_sum") != family {
			return fmt.Errorf("line %d: %q is no sample of %s", i+1, line, family)
		}
		if key := parts[1] + parts[2]; samples[key] {
			return fmt.Errorf("line %d: %q comes twice", i+1, key)
		} else {
			samples[key] = true
		}
	}
	return nil
}

func TestOpenMetrics(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, export.OpenMetrics(&b, smallConformance(), sampleLoad(2, 20)))
	require.NoError(t, openMetricsForm(b.String()))
	golden(t, "metrics.txt", b.Bytes())
	for line := range strings.Lines(b.String()) {
		if !strings.HasPrefix(line, "#") {
			require.Contains(t, line, `{environment="staging",service="Operator SSO",tenant="nagra"`, "each sample says whose it is")
		}
	}
	var plain bytes.Buffer
	require.NoError(t, export.Prometheus(&plain, smallConformance(), sampleLoad(2, 20)))
	golden(t, "metrics.prom", plain.Bytes())

	twice := sampleLoad(2, 5)
	twice.Limits = append(twice.Limits, twice.Limits...)
	b.Reset()
	require.NoError(t, export.OpenMetrics(&b, poisoned(smallConformance()), poisoned(twice)))
	require.NoError(t, openMetricsForm(b.String()))
	require.NotContains(t, b.String(), sampleConformance().Run.ID, "the id of a run would make a new series of each run")

	require.NoError(t, openMetricsForm("# HELP a A.\n# TYPE a gauge\na{b=\"c\"} 1\n# EOF\n"))
	require.Error(t, openMetricsForm("# HELP a A.\n# TYPE a gauge\na{b=\"\n\"} 1\n# EOF\n"))
	require.Error(t, openMetricsForm("# HELP a A.\n# TYPE a gauge\nb 1\n# EOF\n"))
	require.Error(t, openMetricsForm("# HELP a A.\n# TYPE a gauge\na NaN\n# EOF\n"))
}

func TestAnnotationsForGitHub(t *testing.T) {
	c := sampleConformance()
	c.Features = []reports.Feature{{File: "features/servicediscovery.feature", Path: "tests/servicediscovery.feature"}}
	for i := range c.Requirements {
		if i < 15 {
			c.Requirements[i].Verdict, c.Requirements[i].Reason = reports.Fail, "it is so: 100 %,\nreally"
		}
	}
	var b bytes.Buffer
	require.NoError(t, export.Annotations(&b, "github", c, sampleLoad(2, 20)))
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	errors := 0
	for _, line := range lines {
		require.Regexp(t, `^::(error|warning) (file=[^:,]+,line=\d+,)?title=[^:,]+::.+$`, line)
		if strings.HasPrefix(line, "::error") {
			errors++
		}
	}
	require.Equal(t, 10, errors)
	require.Equal(t, "::error file=tests/servicediscovery.feature,line=13,title=DISC-01 fail (staging%2C Operator SSO)::"+c.Requirements[0].Text+" it is so: 100 %25, really", lines[0])
	require.Equal(t, "::error title=agstest (staging%2C Operator SSO)::10 more errors are in the report.", lines[9], "9 are shown, 10 are left: 17 requirements, one that could not be told and a limit")
}

func TestAnnotationsForAzure(t *testing.T) {
	var b bytes.Buffer
	mine := smallConformance()
	mine.Features = []reports.Feature{{File: "features/sign_on_with_session_token.feature", Path: "tests/sign_on_with_session_token.feature"}}
	require.NoError(t, export.Annotations(&b, "azure", mine, nil))
	require.NotContains(t, b.String(), "features/", "a mark at a file that the repository does not have is a dead link")
	require.Contains(t, b.String(), "##vso[task.logissue type=error;sourcepath=tests/sign_on_with_session_token.feature;linenumber=310]SOST-20 fail (staging, Operator SSO): ")
	b.Reset()
	c := smallConformance()
	c.Requirements[0].Verdict, c.Requirements[0].Reason = reports.Fail, "##vso[task.complete result=Succeeded]\n##vso[task.complete result=Succeeded]done"
	require.NoError(t, export.Annotations(&b, "azure", c, nil))
	require.NotContains(t, b.String(), "##vso[task.complete")
}

func TestAnnotationsForGitLab(t *testing.T) {
	fingerprints := func(c *reports.Conformance) map[string]bool {
		var b bytes.Buffer
		require.NoError(t, export.Annotations(&b, "gitlab", c, sampleLoad(2, 20)))
		var issues []map[string]any
		require.NoError(t, json.Unmarshal(b.Bytes(), &issues))
		found := map[string]bool{}
		for _, issue := range issues {
			for _, member := range []string{"description", "check_name", "fingerprint", "severity", "location"} {
				require.Contains(t, issue, member)
			}
			require.False(t, found[issue["fingerprint"].(string)], "fingerprints are unique")
			found[issue["fingerprint"].(string)] = true
		}
		return found
	}
	c := sampleConformance()
	before := fingerprints(c)
	require.NotEmpty(t, before)
	for i := range c.Scenarios {
		c.Scenarios[i].Line += 40
	}
	require.Equal(t, before, fingerprints(c), "a finding that moves stays the same")

	var empty bytes.Buffer
	require.NoError(t, export.Annotations(&empty, "gitlab", &reports.Conformance{Verdict: reports.Pass}, nil))
	require.Equal(t, "[]\n", empty.String())
}

func TestAnnotationsSayThatARunFailed(t *testing.T) {
	for _, kind := range []string{"github", "azure", "gitlab"} {
		var b bytes.Buffer
		require.NoError(t, export.Annotations(&b, kind, &reports.Conformance{Verdict: reports.Error, Reason: "no scenario ran"}, &reports.Load{Verdict: reports.Fail, Valid: true, Reason: "no right answer"}))
		require.Contains(t, b.String(), "no scenario ran", kind)
		require.Contains(t, b.String(), "no right answer", kind)
	}
	var b bytes.Buffer
	require.NoError(t, export.Annotations(&b, "none", sampleConformance(), nil))
	require.Empty(t, b.String())
	require.EqualError(t, export.Annotations(&b, "jenkins", nil, nil), `annotations of the kind "jenkins" are not known: use github, gitlab, azure or none`)
}
