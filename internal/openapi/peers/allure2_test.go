package peers_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/steps"
)

// allure2 skips the test where Allure 2 cannot run.
func allure2(t *testing.T) {
	t.Helper()
	tool(t, "allure-commandline")
	if _, err := exec.LookPath("java"); err != nil {
		t.Skip("skipped: no Java on this machine (Debian: openjdk-17-jre-headless)")
	}
}

// TestAllure2ShowsWhatTheRunFound: Allure 2 comes to the counts of the run by our results, and to those of the file by
// junit.xml; it has the names of all scenarios, the reasons of what is red, and of which release and tenant it is.
func TestAllure2ShowsWhatTheRunFound(t *testing.T) {
	wide(t)
	allure2(t)
	for name, c := range readerRuns(t) {
		t.Run(name, func(t *testing.T) {
			folder, want := folderOf(t, c), scenarioCounts(c)
			exportsOf(t, folder, c, nil)
			if c.Verdict.Blocks() {
				want.Failed++
			} else {
				want.Passed++
			}
			got := read(t, "allure2-results", "allure-commandline", folder)
			texts := strings.Join(got.Texts, "\n")
			assert.Subset(t, got.Texts, []string{"release=4.12", "tenant=" + c.Run.Tenant})
			got.Texts = nil
			assert.Equal(t, want, got)
			tells(t, "allure2-results", texts, c, true)
			for _, s := range c.Scenarios {
				assert.Contains(t, texts, s.Name)
			}

			got, want = read(t, "allure2-junit", "allure-commandline", folder), junitCounts(c)
			assert.Equal(t, []int{want.Passed, want.Failed}, []int{got.Passed, got.Failed})
			for _, cause := range junitCauses(c) {
				assert.Contains(t, strings.Join(strings.Fields(strings.Join(got.Texts, "\n")), " "), strings.Join(strings.Fields(cause.Sentence()), " "))
			}
		})
	}
}

// TestAllure2KeepsEnvironmentsApart: of a red run in one environment and a green one in another Allure 2 shows both,
// and takes neither for a retry of the other.
func TestAllure2KeepsEnvironmentsApart(t *testing.T) {
	allure2(t)
	var folders []string
	var runs []*reports.Conformance
	server, _, e := service(t)
	for _, environment := range []string{"staging", "production"} {
		var faults []string
		if environment == "staging" {
			faults = []string{"refresh-201"}
		}
		require.NoError(t, server.Use(nil, faults))
		e := *e
		e.Name, e.Release = environment, "4.12-"+environment
		c := run(t, steps.Options{Environment: &e, Only: []string{"REF-02"}})
		folders, runs = append(folders, folderOf(t, c)), append(runs, c)
		exportsOf(t, folders[len(folders)-1], c, nil)
	}
	require.Equal(t, shown{Failed: 1, Passed: 1}, scenarioCounts(runs...))
	got := read(t, "allure2-results", "allure-commandline", folders...)
	assert.Equal(t, []int{2, 2}, []int{got.Failed, got.Passed}, "a scenario and a verdict each: %s", got.Texts)
	texts := strings.Join(got.Texts, "\n")
	tells(t, "allure2-results", texts, runs[0], false)
	for _, fact := range []string{"staging", "production", "4.12-staging", "4.12-production"} {
		assert.Contains(t, texts[strings.Index(texts, "environment="):], fact)
	}
	if os.Getenv("AGSTEST_PEERS_WIDE") != "1" {
		return
	}
	got = read(t, "allure2-junit", "allure-commandline", folders...)
	assert.Equal(t, []int{2, 2}, []int{got.Failed, got.Passed}, "the cause and the verdict of the red one, the scenario and the verdict of the other: %s", got.Texts)
}
