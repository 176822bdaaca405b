package engine

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	vegeta "github.com/tsenart/vegeta/v12/lib"
	"github.com/tsenart/vegeta/v12/lib/plot"
)

// rawResults runs a load of two operations, of which one answers 200 with a wrong body each second time, and gives its
// raw stream.
func rawResults(t *testing.T) []byte {
	t.Helper()
	wrong := 0
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refresh" {
			if wrong++; wrong%2 == 0 {
				_, _ = w.Write([]byte("of another client"))
				return
			}
		}
		right(w, r)
	})
	var raw bytes.Buffer
	e := testEngine(t, server.URL, &twoPaths{operations: []string{"signon", "refresh"}}, asking{Rate: per(200), Duration: 200 * time.Millisecond, Workers: 1, Raw: &raw})
	_, err := e.run(context.Background())
	require.NoError(t, err)
	return raw.Bytes()
}

// TestTheRawStreamIsRedWhereAnswersAreWrong: Vegeta's success follows the answers, not their statuses, and its plots
// tell operations apart.
func TestTheRawStreamIsRedWhereAnswersAreWrong(t *testing.T) {
	raw := rawResults(t)
	var metrics vegeta.Metrics
	drawing, seqs, last := plot.New(), map[string]uint64{}, map[string]time.Time{}
	all := map[string][]uint64{}
	for decode := vegeta.NewDecoder(bytes.NewReader(raw)); ; {
		var r vegeta.Result
		if decode(&r) != nil {
			break
		}
		metrics.Add(&r)
		require.NoError(t, drawing.Add(&r))
		all[r.Attack] = append(all[r.Attack], r.Seq)
		assert.Equal(t, seqs[r.Attack], r.Seq, "with one worker answers come in the order of their sends")
		seqs[r.Attack]++
		assert.False(t, r.Timestamp.Before(last[r.Attack]))
		last[r.Attack] = r.Timestamp
	}
	metrics.Close()
	assert.Len(t, all["signon"], 20)
	assert.Len(t, all["refresh"], 20)
	assert.Equal(t, map[string]int{"200": 30, "0": 10}, metrics.StatusCodes)
	assert.InDelta(t, 0.75, metrics.Success, 1e-9)
	assert.Equal(t, []string{"shape (status 200)"}, metrics.Errors)
	drawing.Close()
	var page bytes.Buffer
	_, err := drawing.WriteTo(&page)
	require.NoError(t, err)
	for _, label := range []string{"signon: OK", "refresh: OK", "refresh: ERROR"} {
		assert.Contains(t, page.String(), label)
	}
}

// TestVegetasCommandReadsTheRawStream hands the stream to the command line of Vegeta, in the versions that VEGETA names
// (paths of binaries, separated as in PATH); make peers builds them.
func TestVegetasCommandReadsTheRawStream(t *testing.T) {
	commands := filepath.SplitList(os.Getenv("VEGETA"))
	if len(commands) == 0 {
		t.Skip("skipped: VEGETA names no binary of Vegeta; make peers does")
	}
	file := filepath.Join(t.TempDir(), "results.gob")
	require.NoError(t, os.WriteFile(file, rawResults(t), 0o600))
	for _, command := range commands {
		out, err := exec.CommandContext(t.Context(), command, "report", file).CombinedOutput()
		require.NoError(t, err, "%s: %s", command, out)
		assert.Regexp(t, `Success +\[ratio\] +75\.00%`, string(out), command)
		assert.Regexp(t, `Status Codes +\[code:count\] +0:10 +200:30`, string(out), command)
		assert.Contains(t, string(out), "shape (status 200)", command)
	}
}
