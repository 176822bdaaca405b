package reports_test

import (
	"bytes"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"agstest/reports/export"
)

// TestMetricsPassPrometheusLinter: promtool check metrics, of which this is the library, has nothing to say to either
// file.
func TestMetricsPassPrometheusLinter(t *testing.T) {
	for name, write := range map[string]func(*bytes.Buffer) error{
		"metrics.prom": func(b *bytes.Buffer) error { return export.Prometheus(b, smallConformance(), sampleLoad(2, 20)) },
		"metrics.txt":  func(b *bytes.Buffer) error { return export.OpenMetrics(b, smallConformance(), sampleLoad(2, 20)) },
		"hostile": func(b *bytes.Buffer) error {
			return export.Prometheus(b, poisoned(smallConformance()), poisoned(sampleLoad(2, 5)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, write(&b))
			problems, err := promlint.New(&b).Lint()
			require.NoError(t, err)
			require.Empty(t, problems)
		})
	}
	problems, err := promlint.New(bytes.NewBufferString("# HELP a_seconds A.\n# TYPE a_seconds gauge\na_seconds{quantile=\"0.5\"} 1\n")).Lint()
	require.NoError(t, err)
	require.NotEmpty(t, problems, "a gauge with quantiles is found")
}
