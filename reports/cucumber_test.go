package reports_test

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	messages "github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/browser"
	"agstest/reports/export"
)

func TestCucumberJSONGolden(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, export.Cucumber(&b, smallConformance(), nil))
	golden(t, "cucumber.json", b.Bytes())
	var empty bytes.Buffer
	require.NoError(t, export.Cucumber(&empty, &reports.Conformance{Verdict: reports.Pass}, nil))
	require.Equal(t, "[]\n", empty.String())
}

func TestMessagesAreOfTheirProtocol(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, export.Messages(&b, sampleConformance(), nil))
	known := map[string]bool{} // ids that were handed out
	started, finished := map[string]int{}, 0
	decoder := json.NewDecoder(&b)
	decoder.DisallowUnknownFields()
	var last messages.Envelope
	for {
		var envelope messages.Envelope
		err := decoder.Decode(&envelope)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		last = envelope
		switch {
		case envelope.Pickle != nil:
			known[envelope.Pickle.Id] = true
			for _, step := range envelope.Pickle.Steps {
				known[step.Id] = true
			}
		case envelope.Hook != nil:
			known[envelope.Hook.Id] = true
		case envelope.TestCase != nil:
			require.True(t, known[envelope.TestCase.PickleId])
			known[envelope.TestCase.Id] = true
			for _, step := range envelope.TestCase.TestSteps {
				require.True(t, known[step.PickleStepId] || known[step.HookId])
				known[step.Id] = true
			}
		case envelope.TestCaseStarted != nil:
			require.True(t, known[envelope.TestCaseStarted.TestCaseId])
			started[envelope.TestCaseStarted.Id] = 0
		case envelope.TestStepFinished != nil:
			require.Contains(t, started, envelope.TestStepFinished.TestCaseStartedId)
			require.True(t, known[envelope.TestStepFinished.TestStepId])
		case envelope.TestCaseFinished != nil:
			finished++
		}
	}
	require.Len(t, started, len(sampleConformance().Scenarios))
	require.Equal(t, len(started), finished)
	require.NotNil(t, last.TestRunFinished)
	require.False(t, last.TestRunFinished.Success)
}

// TestMessagesAreRenderedByOthers hands our messages to @cucumber/html-formatter and looks at its page in Chromium.
func TestMessagesAreRenderedByOthers(t *testing.T) {
	node, chromium := browser.Tools(t, "browser", "playwright-core", "@cucumber/html-formatter")
	shownOf := func(c *reports.Conformance) (shown map[string]int) {
		folder := t.TempDir()
		var b bytes.Buffer
		require.NoError(t, export.Messages(&b, c, nil))
		require.NoError(t, os.WriteFile(filepath.Join(folder, "messages.ndjson"), b.Bytes(), 0o644))
		command := exec.CommandContext(t.Context(), node, "cucumber.mjs", folder, chromium)
		command.Dir = "browser"
		said, err := command.CombinedOutput()
		require.NoError(t, err, string(said))
		require.NoError(t, json.Unmarshal(said, &shown), string(said))
		return shown
	}
	c := sampleConformance()
	counts := reports.ScenarioCounts(c.Scenarios)
	passed, skipped := counts[reports.Pass]+counts[reports.Observed]+counts[reports.Warn], counts[reports.Skipped]+counts[reports.Known]
	require.Equal(t, map[string]int{"failed": counts[reports.Fail] + counts[reports.Error], "skipped": skipped, "passed": passed}, shownOf(c))

	c.Scenarios = slices.DeleteFunc(c.Scenarios, func(s reports.Scenario) bool { return s.Verdict.Outcome().Red() })
	c.Verdict, c.Reason, c.Run.Partial = reports.Error, "the run was ended", "it was interrupted"
	require.Equal(t, map[string]int{"failed": 1, "skipped": skipped, "passed": passed}, shownOf(c), "the verdict of a red run in which no scenario is red")
}

func TestCucumberKeepsHostileTextAsText(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, export.Messages(&b, poisoned(smallConformance()), nil))
	for line := range strings.SplitSeq(strings.TrimSpace(b.String()), "\n") {
		require.True(t, json.Valid([]byte(line)))
	}
}
