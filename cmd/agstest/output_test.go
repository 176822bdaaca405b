package main

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever the verdict, stdout of --json is one JSON document, as a pipeline pipes it into jq.
func TestJSONIsAllThatStdoutHolds(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, test := range []struct {
		name, verdict string
		code          int
		args          []string
	}{
		{"pass", "pass", exitPass, []string{"conform", "--only", "SOST-01"}},
		{"fail", "fail", exitFail, []string{"conform", "--only", "SOST-01", "--mock-fault", "session-nth-refused"}},
		{"fail, in a pipeline", "fail", exitFail, []string{"conform", "--only", "SOST-01", "--mock-fault", "session-nth-refused", "--annotations", "github"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, _ := call(t, nil, append(test.args, "--json")...)
			assert.Equal(t, test.code, code)
			var document struct {
				Verdict string `json:"verdict"`
				Run     struct {
					Command []string `json:"command"`
					Tool    struct {
						Version string `json:"version"`
					} `json:"tool"`
				} `json:"run"`
			}
			require.NoError(t, json.Unmarshal([]byte(stdout), &document))
			assert.Equal(t, test.verdict, document.Verdict)
			assert.Equal(t, "conform", document.Run.Command[1])
			assert.NotEmpty(t, document.Run.Tool.Version)
		})
	}
	entries, err := os.ReadDir(runsFolder)
	require.NoError(t, err)
	assert.Len(t, entries, 4, "three runs and their index")
}
