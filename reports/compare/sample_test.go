package compare_test

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/runs"
)

var folderDay = time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)

// storedLoad is a small load run of environment staging that can be stored.
func storedLoad(id string, start time.Time, p50 time.Duration) *reports.Load {
	percentiles := reports.Percentiles{Count: 6000, P50: int64(p50), P90: int64(p50) * 15 / 10, P95: int64(p50) * 17 / 10, P99: int64(p50) * 25 / 10, P999: int64(p50) * 4, Max: int64(p50) * 5}
	operation := &reports.Operation{Asked: 6000, Sent: 6000, Right: 6000, Statuses: map[string]int64{"201": 6000}, Rate: 200, Response: percentiles, Service: percentiles}
	return &reports.Load{
		Schema: reports.LoadSchema, Verdict: reports.Pass, Valid: true,
		Run: reports.Run{ID: id, Kind: "load", Environment: "staging", URL: "http://127.0.0.1:1", Start: start, End: start.Add(30 * time.Second),
			Tool: reports.Tool{Version: "v1.2.0"}, Machine: reports.Machine{OS: "linux", Arch: "amd64", CPUs: 2}},
		Plan:       reports.Plan{Workload: "refresh", Schedule: "constant 200/s for 30 s", Hits: 6000, Seconds: 30, Clients: 100, Transport: "fasthttp"},
		Operations: map[string]*reports.Operation{"refresh": operation}, Total: operation, Seconds: []reports.Second{},
	}
}

func storeRun(t *testing.T, root string, load *reports.Load) string {
	t.Helper()
	folder, err := runs.NewFolder(root, load.Run)
	require.NoError(t, err)
	require.NoError(t, folder.Write(reports.LoadFile, func(w io.Writer) error { return reports.WriteJSON(w, load) }))
	path, err := folder.Finish()
	require.NoError(t, err)
	return path
}
