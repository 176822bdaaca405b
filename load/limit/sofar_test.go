package limit

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

func TestSoFar(t *testing.T) {
	t.Parallel()
	times := []ValueCount{{10e6, 98}, {300e6, 1}, {400e6, 1}}
	some := Stretch{Sent: 110, Right: 100, Wrong: 10, Throttled: 4, Response: times, ResponseSum: 1_680e6,
		Service: []ValueCount{{5e6, 100}}}
	for _, c := range []struct {
		limit   string
		s       Stretch
		value   string
		verdict reports.Verdict
	}{
		{"p98<11ms", some, "10.0 ms", reports.Pass},
		{"p99<300ms", some, "300.0 ms", reports.Fail},
		{"p99<=300ms", some, "300.0 ms", reports.Pass},
		{"service.p99<300ms", some, "5.00 ms", reports.Pass},
		{"max<400ms", some, "400.0 ms", reports.Fail},
		{"mean<17ms", some, "16.8 ms", reports.Pass},
		{"errors<9%", some, "9.09 %", reports.Fail},
		{"throttled<4%", some, "3.64 %", reports.Pass},
		{"throughput>49/s", some, "50/s", reports.Pass},
		{"rate>60/s", some, "55/s", reports.Fail},
		{"storm.recovered<90s", some, "–", reports.Inconclusive},
		{"p99<300ms", Stretch{}, "–", reports.Inconclusive},
		{"p99<300ms", Stretch{Sent: 5, Wrong: 5}, "–", reports.Inconclusive},
		{"errors<1%", Stretch{Sent: 5, Wrong: 5}, "100 %", reports.Fail},
	} {
		l, err := Parse(c.limit)
		require.NoError(t, err)
		assert.Equal(t, reports.Limit{Expression: c.limit, Value: c.value, Verdict: c.verdict}, l.SoFar(c.s, 2020*time.Millisecond), c.limit)
	}
}
