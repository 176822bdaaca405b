package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/reports"
	"agstest/reports/html"
)

func testOngoing(t *testing.T) (*ongoing, *bytes.Buffer) {
	var stdout bytes.Buffer
	p := &program{stdout: &stdout, stderr: io.Discard, color: "never", getenv: func(string) (string, bool) { return "", false }}
	r, err := p.newOngoing(&cobra.Command{Use: "agstest"}, nil, &outputFlags{out: filepath.Join(t.TempDir(), "run"), style: "single", annotations: "none"}, "conform", "test")
	require.NoError(t, err)
	return r, &stdout
}

func TestWhatCannotBeWrittenIsAFileError(t *testing.T) {
	r, _ := testOngoing(t)
	require.NoError(t, os.RemoveAll(r.folder.Path()))
	require.NoError(t, os.WriteFile(r.folder.Path(), nil, 0o600)) // where the folder was is a file now
	r.conformance = &reports.Conformance{Verdict: reports.Pass}
	err := r.write()
	require.Error(t, err)
	assert.Equal(t, failure.Output, failure.KindOf(err))
	assert.ErrorContains(t, err, "; nothing of what was found could be written to "+r.folder.Path())
}

func TestOneFileThatCannotBeWrittenLeavesTheOthers(t *testing.T) {
	r, _ := testOngoing(t)
	require.NoError(t, os.MkdirAll(filepath.Join(r.folder.Path(), "conformance.html", "in the way"), 0o700))
	r.conformance = &reports.Conformance{Verdict: reports.Pass}
	err := r.write()
	require.Error(t, err)
	assert.Regexp(t, `conformance\.html.*; not written: conformance\.html; written to \S+: conformance\.json, junit\.xml, summary\.md, metrics\.txt, metrics\.prom, cucumber\.json, messages\.ndjson$`, err.Error())
	for _, name := range []string{"conformance.json", "junit.xml", "summary.md", "metrics.txt"} {
		assert.FileExists(t, filepath.Join(r.folder.Path(), name))
	}
}

// TestFilesOfAnEarlierMomentAreTold: a gate writes the files of its check before its load begins. Where they cannot be
// written again, the message says that they know nothing of what came later.
func TestFilesOfAnEarlierMomentAreTold(t *testing.T) {
	folder := t.TempDir()
	full := func(string, func(io.Writer) error) error { return errors.New("no space left") }
	found := results{conformance: &reports.Conformance{Verdict: reports.Pass}}
	err := writeResults(folder, full, found, html.Style{}, "none")
	require.EqualError(t, err, "no space left; nothing of what was found could be written to "+folder)
	for _, name := range []string{"junit.xml", "conformance.json", "of somebody else"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), nil, 0o600))
	}
	err = writeResults(folder, full, found, html.Style{}, "none")
	require.EqualError(t, err, "no space left; nothing of what was found could be written to "+folder+
		"; of an earlier moment are there: conformance.json, junit.xml")
}

func TestARunThatFoundNothingLeavesNothing(t *testing.T) {
	r, stdout := testOngoing(t)
	err := r.finish(failure.Setupf("nobody is there"))
	assert.Equal(t, failure.Setup, failure.KindOf(err))
	assert.NoDirExists(t, r.folder.Path())
	assert.NoDirExists(t, r.folder.Final())
	assert.Empty(t, stdout.String())
}

func TestWhatWasFoundIsKeptAndShownWhateverFailed(t *testing.T) {
	r, stdout := testOngoing(t)
	r.conformance = &reports.Conformance{Schema: reports.ConformanceSchema, Verdict: reports.Fail, Reason: "1 requirement failed"}
	require.NoError(t, r.write())
	err := r.finish(failure.Setupf("the load could not be set up"))
	assert.Equal(t, failure.Setup, failure.KindOf(err))
	assert.FileExists(t, filepath.Join(r.folder.Final(), "conformance.html"))
	assert.Contains(t, stdout.String(), "Conformance: FAIL")
	assert.Contains(t, stdout.String(), "Report: ")
}

func TestSeedsAreKeptOrMade(t *testing.T) {
	p := &program{}
	assert.EqualValues(t, 42, p.seed(42))
	assert.NotZero(t, p.seed(0))
	assert.NotEqual(t, p.seed(0), p.seed(0))
}

// TestAStoredCommandCanBePasted: a flag with several values is not stored in the brackets of Go.
func TestAStoredCommandCanBePasted(t *testing.T) {
	t.Parallel()
	c := &cobra.Command{Use: "gate"}
	c.Flags().StringSlice("only", nil, "")
	c.Flags().StringArray("limit", nil, "")
	require.NoError(t, c.ParseFlags([]string{"--only", "REF-01,TOK-02", "--limit", "errors<1%", "--limit", "p99<1s"}))
	assert.Equal(t, []string{"--limit=errors<1%", "--limit=p99<1s", "--only=REF-01", "--only=TOK-02"}, commandLine(c))
}

// TestWhatACommandIsGivenIsNotStored: arguments of --swap may hold secrets.
func TestWhatACommandIsGivenIsNotStored(t *testing.T) {
	t.Parallel()
	c := &cobra.Command{Use: "ab"}
	c.Flags().String("swap", "", "")
	c.Flags().String("rate", "", "")
	require.NoError(t, c.ParseFlags([]string{"--swap", "./swap-nodes.sh --token tok-1234", "--rate", "5/s"}))
	line := strings.Join(commandLine(c), " ")
	assert.Contains(t, line, "--swap=./swap-nodes.sh …")
	assert.Contains(t, line, "--rate=5/s")
	assert.NotContains(t, line, "tok-1234")

	c = &cobra.Command{Use: "load"}
	c.Flags().StringArray("otlp-header", nil, "")
	require.NoError(t, c.ParseFlags([]string{"--otlp-header", "x-honeycomb-team=tok-1234", "--otlp-header", "api-key=${KEY}", "--otlp-header", "a=Bearer ${KEY}"}))
	assert.Equal(t, []string{"--otlp-header=x-honeycomb-team=…", "--otlp-header=api-key=${KEY}", "--otlp-header=a=…"}, commandLine(c))
}
