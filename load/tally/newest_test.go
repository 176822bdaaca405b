package tally

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/hit"
	"agstest/reports"
)

// recordOfWrongs records seconds of 100 wrong answers each, as a run in progress does. It returns the folder and a
// count of the exchanges that were prepared for a report.
func recordOfWrongs(t *testing.T, seconds int, finish bool) (folder string, shown int) {
	t.Helper()
	folder = t.TempDir()
	began := time.Unix(1_800_000_000, 0)
	counting := New(keptOperations, false, false, began)
	counting.Keep(Keeping{Seed: 1, Length: time.Duration(seconds) * time.Second, Show: func(x *Exchange) *reports.Exchange {
		shown++
		return &reports.Exchange{Method: "POST", RequestBody: string(x.Body)}
	}})
	keep, err := NewRecorder(folder, &Head{
		Report: &reports.Load{Run: reports.Run{Start: began}, Plan: reports.Plan{Seed: 1, Seconds: float64(seconds)}}, Operations: keptOperations, Began: began,
	})
	require.NoError(t, err)
	for second := range seconds {
		for n := range 100 {
			number := second*100 + n
			sent := began.Add(time.Duration(number) * 10 * time.Millisecond)
			counting.Send(0, sent, sent)
			counting.End(uint64(number), sent, &hit.Request{Who: 3, Body: []byte(strconv.Itoa(number))}, &hit.Answer{Status: 500, Sent: sent, Received: sent.Add(1e6)}, &hit.Outcome{Kind: "status"}, &hit.Phases{})
		}
		f := counting.Take()
		if finish && second == seconds-1 {
			counting.Complete(f)
			f.End = &Ending{}
			keep.Append(f)
			continue
		}
		keep.AppendWith(f, counting.Newest())
	}
	require.NoError(t, keep.Close())
	return folder, shown
}

// exchanged are the bodies of the wrong answers that a record has with their exchanges.
func exchanged(t *testing.T, folder string) (bodies []string) {
	t.Helper()
	r, err := ReadRecord(folder)
	require.NoError(t, err)
	for _, w := range r.Wrong {
		if w.Exchange != nil {
			bodies = append(bodies, w.Exchange.RequestBody)
		}
	}
	return bodies
}

// A run that is killed at any time has the exchanges of its first wrong answers and of its newest ones.
func TestARecordThatGoesOnHasTheNewestWrongAnswers(t *testing.T) {
	t.Parallel()
	folder, shown := recordOfWrongs(t, 30, false)
	bodies := exchanged(t, folder)
	require.Len(t, bodies, reports.KeptWrong+keptNewest)
	assert.Equal(t, []string{"0", "1", "2"}, bodies[:3])
	assert.Equal(t, []string{"2995", "2996", "2997", "2998", "2999"}, bodies[reports.KeptWrong:])
	assert.Equal(t, reports.KeptWrong+30*keptNewest, shown, "each once")

	long, _ := recordOfWrongs(t, 300, false)
	assert.Len(t, exchanged(t, long), reports.KeptWrong+keptNewest, "what was the newest before is not kept")
}

// However far the last write came, the seconds before it are there; and a run that ended has nothing behind its end.
func TestARecordIsWholeUpToItsLastSecond(t *testing.T) {
	t.Parallel()
	folder, _ := recordOfWrongs(t, 5, false)
	path := filepath.Join(folder, RecordFile)
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for cut := range 200 {
		require.NoError(t, os.WriteFile(path, whole[:len(whole)-cut*5], 0o644))
		r, err := ReadRecord(folder)
		require.NoError(t, err)
		assert.Equal(t, int64(500), r.Total.Wrong, "cut by %d", cut*5)
	}
	ended, _ := recordOfWrongs(t, 5, true)
	assert.Len(t, exchanged(t, ended), 3*reports.KeptWrong)
	data, err := os.ReadFile(filepath.Join(ended, RecordFile))
	require.NoError(t, err)
	assert.NotContains(t, string(data), `{"newest":`)
}
