package tally

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/reports"
)

// A service that becomes slower all through a run may keep its limits until the run ends. That is told.
func TestARiseOfResponseTimesIsTold(t *testing.T) {
	const millisecond = int64(1e6)
	for name, test := range map[string]struct {
		median func(second int) int64
		spoil  func(r *reports.Load)
		told   string
	}{
		"it leaks": {func(s int) int64 { return int64(10+s) * 5 * millisecond }, nil,
			"refresh became slower all through the run: at the median 60.0 ms in its first fifth, and 140.0 ms in its last; a longer run tells where that ends"},
		"steady": {func(int) int64 { return 50 * millisecond }, nil, ""},
		"a stall in the middle": {func(s int) int64 {
			if s == 10 {
				return 2000 * millisecond
			}
			return 50 * millisecond
		}, nil, ""},
		"slow at first":             {func(s int) int64 { return int64(40-s) * 5 * millisecond }, nil, ""},
		"a little":                  {func(s int) int64 { return int64(100+s) * millisecond }, nil, ""},
		"nothing that a user feels": {func(s int) int64 { return int64(1+s) * millisecond / 2 }, nil, ""},
		"the rate rose": {func(s int) int64 { return int64(10+s) * 5 * millisecond }, func(r *reports.Load) {
			for i := range r.Seconds {
				r.Seconds[i].Asked = int64(10 * i)
			}
		}, ""},
		"no schedule":  {func(s int) int64 { return int64(10+s) * 5 * millisecond }, func(r *reports.Load) { r.Plan.Closed = true }, ""},
		"not valid":    {func(s int) int64 { return int64(10+s) * 5 * millisecond }, func(r *reports.Load) { r.Valid = false }, ""},
		"four seconds": {func(s int) int64 { return int64(10+s) * 50 * millisecond }, func(r *reports.Load) { r.Seconds = r.Seconds[:4] }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := good()
			r.Valid, r.Total.Asked = true, 2000
			r.Operations = map[string]*reports.Operation{"refresh": r.Total}
			for second := range 20 {
				r.Seconds = append(r.Seconds, reports.Second{At: second, Operation: "refresh", Asked: 100, Sent: 100, Right: 100, P50: test.median(second)})
			}
			if test.spoil != nil {
				test.spoil(r)
			}
			assert.Equal(t, test.told, riseNote(r))
		})
	}
}
