package reports_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
	"agstest/reports/export"
	"agstest/reports/html"
	"agstest/reports/text"
)

const samplePartial = "partial: 2 of 3 shards, 93.33 % of the schedule sent; missing: shard 3/3 on n2 from 48.0 s on (told to go)"

// sampleShards is a merged run of which a part is missing.
func sampleShards() *reports.Load {
	l := sampleLoad(1, 60)
	l.Verdict, l.Reason, l.Run.Partial, l.Shards = reports.Inconclusive, samplePartial, samplePartial, []string{"1/3", "2/3", "3/3"}
	l.ShardRuns = []reports.ShardRun{
		{Shard: "1/3", State: reports.ShardComplete, Node: "n1", Pod: "agstest-r1-0", Planned: 4000, Sent: 4000, Until: 60e9, Lag99: 400_000, CPUShare: 0.25, ClockAhead: -300_000, ClockError: 200_000},
		{Shard: "2/3", State: reports.ShardComplete, Planned: 4000, Sent: 4000, Until: 60e9, StartLate: 7_000_000},
		{Shard: "3/3", State: reports.ShardPartial, Node: "n2", Planned: 4000, Sent: 3200, Until: 48e9, Throttled: 5_000_000, ThrottledTimes: 3, Reason: "told to go"},
	}
	return l
}

// Whatever shows a merged run says which part of it is missing.
func TestMissingShardsAreSaidEverywhere(t *testing.T) {
	t.Parallel()
	l := sampleShards()
	var page, junit, plain, markdown bytes.Buffer
	require.NoError(t, html.Load(&page, l, html.Style{}))
	require.NoError(t, export.JUnit(&junit, nil, l))
	require.NoError(t, text.Terminal(&plain, nil, l, false))
	require.NoError(t, text.Markdown(&markdown, nil, l))
	for name, shown := range map[string]string{"page": page.String(), "JUnit": junit.String(), "text": plain.String(), "Markdown": markdown.String()} {
		assert.Contains(t, shown, "partial: 2 of 3 shards, 93.33 % of the schedule sent", name)
	}
	assert.NotContains(t, page.String(), "Nothing needs attention")
	assert.Contains(t, page.String(), "The run is partial: 2 of 3 shards")
	assert.Contains(t, page.String(), `<a href="#l-shards">Shard 3/3</a> is missing from 48.0 s on.<p>told to go</p>`)
	assert.Contains(t, page.String(), `<h2 id="l-shards">Shards</h2>`)
	for _, cell := range []string{"from 48.0 s", "agstest-r1-0", "-0.3 ± 0.2 ms", "told to go", "3,200"} {
		assert.Contains(t, page.String(), cell)
	}
	assert.NotContains(t, page.String(), "The generator kept its schedule")
	assert.Contains(t, junit.String(), `message="partial, missing from 48.0 s: told to go"`)
	assert.Contains(t, plain.String(), "  shards       2 of 3 complete\n")
	assert.Contains(t, markdown.String(), "| 3/3 | n2 | partial | from 48.0 s | 4,000 | 3,200 |")

	alone := sampleLoad(1, 60)
	page.Reset()
	require.NoError(t, html.Load(&page, alone, html.Style{}))
	assert.NotContains(t, page.String(), "l-shards", "a run of one generator has no such table")
}
