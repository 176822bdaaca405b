package reports

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cucumber/messages/go/v34"
	"github.com/stretchr/testify/require"
)

// cucumberStatus is the status that Cucumber's tools give a scenario: that of its worst step.
func cucumberStatus(statuses []string) string {
	for _, bad := range []string{"failed", "skipped"} {
		for _, status := range statuses {
			if status == bad {
				return bad
			}
		}
	}
	return "passed"
}

func TestCucumberComesToOurVerdict(t *testing.T) {
	want := map[Verdict]string{Pass: "passed", Observed: "passed", Warn: "passed", Fail: "failed", Error: "failed", Skipped: "skipped", Known: "skipped", NotExercised: "skipped"}
	for verdict, status := range want {
		for _, steps := range [][]Verdict{{}, {Pass}, {Pass, Fail}, {Pass, Error, Skipped}, {Skipped}, {Pass, Warn}, {Pass, Observed}} {
			s := Scenario{ID: "f:1", Feature: "f", File: "f", Name: "n", Verdict: verdict}
			for _, step := range steps {
				s.Steps = append(s.Steps, Step{Keyword: "Then ", Text: "it is", Verdict: step})
			}
			view := cucumberView(s)
			var statuses []string
			for _, step := range view.steps {
				statuses = append(statuses, step.status)
			}
			if view.verdict != nil {
				statuses = append(statuses, view.verdict.status)
			}
			require.Equal(t, status, cucumberStatus(statuses), "%s with %v", verdict, steps)
		}
	}
}

func TestCucumberJSONGolden(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Cucumber(&b, smallConformance()))
	golden(t, "cucumber.json", b.Bytes())
	var empty bytes.Buffer
	require.NoError(t, Cucumber(&empty, &Conformance{}))
	require.Equal(t, "[]\n", empty.String())
}

func TestMessagesAreOfTheirProtocol(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Messages(&b, sampleConformance()))
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
	node, chromium := browserTools(t, "playwright-core", "@cucumber/html-formatter")
	folder := t.TempDir()
	var b bytes.Buffer
	require.NoError(t, Messages(&b, sampleConformance()))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "messages.ndjson"), b.Bytes(), 0o644))
	command := exec.CommandContext(t.Context(), node, "cucumber.mjs", folder, chromium)
	command.Dir = "browser"
	said, err := command.CombinedOutput()
	require.NoError(t, err, string(said))
	counts := scenarioCounts(sampleConformance().Scenarios)
	var shown map[string]int
	require.NoError(t, json.Unmarshal(said, &shown), string(said))
	require.Equal(t, map[string]int{"failed": counts[Fail] + counts[Error], "skipped": counts[Skipped] + counts[Known], "passed": counts[Pass] + counts[Observed] + counts[Warn]}, shown)
}

func TestCucumberKeepsHostileTextAsText(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Messages(&b, poisoned(smallConformance())))
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		require.True(t, json.Valid([]byte(line)))
	}
}
