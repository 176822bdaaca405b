package export

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

// identitiesOf are what tools know the results of a run by, in each form: tests, files, samples, findings.
func identitiesOf(t *testing.T, c *reports.Conformance, l *reports.Load) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	collect := func(form, pattern string, render func(io.Writer) error) {
		var b bytes.Buffer
		require.NoError(t, render(&b))
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(b.String(), -1) {
			require.NotContains(t, found, form+" "+match[1], "twice in one file")
			found[form+" "+match[1]] = true
		}
	}
	collect("junit.xml", `<testcase (classname="[^"]*" name="[^"]*")`, func(w io.Writer) error { return JUnit(w, c, l) })
	collect("codequality.json", `"fingerprint": "([^"]*)"`, func(w io.Writer) error { return Annotations(w, "gitlab", c, l) })
	collect("agstest.sarif", `"id": "(agstest/[^"]*)/[^/"]*"`, func(w io.Writer) error { return SARIF(w, c, l) })
	collect("metrics.prom", `(?m)^([a-z_]+\{.*\}) \S+$`, func(w io.Writer) error { return Prometheus(w, c, l) })
	if c != nil {
		collect("cucumber.json", `"uri": "([^"]*)"`, func(w io.Writer) error { return Cucumber(w, c, nil) })
		collect("messages.ndjson", `"source":\{"uri":"([^"]*)"`, func(w io.Writer) error { return Messages(w, c, nil) })
	}
	for name, text := range allureFiles(t, c, l) {
		var r allureResult
		if strings.HasSuffix(name, "-result.json") {
			require.NoError(t, json.Unmarshal([]byte(text), &r))
			found["historyId "+r.HistoryID], found["fullName "+r.FullName] = true, true
		}
	}
	return found
}

// TestRunsThatLieSideBySideAreToldApart: tools take what has one identity for tries of one, or for one sample, so that
// green would hide red. Runs of one sort keep theirs, over releases too, so that readers see what became of each.
func TestRunsThatLieSideBySideAreToldApart(t *testing.T) {
	check := func(change func(*reports.Run)) (*reports.Conformance, *reports.Load) {
		c := sample()
		change(&c.Run)
		return c, nil
	}
	load := func(workload string, change func(*reports.Run)) (*reports.Conformance, *reports.Load) {
		l := sampleLoad()
		l.Plan.Workload = workload
		change(&l.Run)
		return nil, l
	}
	gate := func() (*reports.Conformance, *reports.Load) {
		c, l := sample(), sampleLoad()
		c.Run.Kind, l.Run.Kind, l.Plan.Workload = "gate", "gate", "refresh"
		return c, l
	}
	same := func(*reports.Run) {}
	seen := map[string]string{}
	for name, of := range map[string]func() (*reports.Conformance, *reports.Load){
		"conform": func() (*reports.Conformance, *reports.Load) { return check(same) },
		"conform in production": func() (*reports.Conformance, *reports.Load) {
			return check(func(r *reports.Run) { r.Environment = "production" })
		},
		"conform of a service":       func() (*reports.Conformance, *reports.Load) { return check(func(r *reports.Run) { r.Service = "a" }) },
		"conform of another service": func() (*reports.Conformance, *reports.Load) { return check(func(r *reports.Run) { r.Service = "b" }) },
		"conform of its other tenant": func() (*reports.Conformance, *reports.Load) {
			return check(func(r *reports.Run) { r.Service, r.Tenant = "b", "t" })
		},
		"load by refresh": func() (*reports.Conformance, *reports.Load) { return load("refresh", same) },
		"load by mixed":   func() (*reports.Conformance, *reports.Load) { return load("mixed", same) },
		"load of a service": func() (*reports.Conformance, *reports.Load) {
			return load("mixed", func(r *reports.Run) { r.Service = "a" })
		},
		"capacity": func() (*reports.Conformance, *reports.Load) {
			return load("refresh", func(r *reports.Run) { r.Kind = "capacity" })
		},
		"gate": gate,
	} {
		c, l := of()
		for identity := range identitiesOf(t, c, l) {
			require.Empty(t, seen[identity], "%s and %s share %s", name, seen[identity], identity)
			seen[identity] = name
		}
	}
	before, now := sample(), sample()
	now.Run.ID, now.Run.Start = "another", now.Run.End
	assert.Equal(t, identitiesOf(t, before, nil), identitiesOf(t, now, nil))
	now.Run.Release = "4.13"
	told := identitiesOf(t, now, nil)
	for identity := range identitiesOf(t, before, nil) {
		if !strings.HasPrefix(identity, "metrics.prom") { // figures of a release are a series of their own
			assert.True(t, told[identity], identity)
		}
	}
}
