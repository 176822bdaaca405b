package html

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// TestDatesStandOnTheAxis: runs of an hour, a month and years each get a few round dates.
func TestDatesStandOnTheAxis(t *testing.T) {
	t.Parallel()
	at := func(text string) float64 {
		moment, err := time.Parse("2006-01-02 15:04", text)
		assert.NoError(t, err)
		return float64(moment.Unix())
	}
	for _, test := range []struct {
		from, to, label string
		ticks           []string
	}{
		{"2026-11-23 09:30", "2026-11-23 09:30", "UTC", []string{"2026-11-23 09:30"}},
		{"2026-11-23 23:40", "2026-11-24 00:40", "2026, UTC", []string{"11-23 23:45", "11-24 00:00", "11-24 00:15", "11-24 00:30"}},
		{"2026-11-23 09:30", "2026-11-28 10:00", "UTC", []string{"2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27", "2026-11-28"}},
		{"2026-02-23 09:30", "2026-11-28 10:00", "UTC", []string{"2026-03", "2026-05", "2026-07", "2026-09", "2026-11"}},
		{"2001-01-01 00:00", "2026-11-28 10:00", "UTC", []string{"2001", "2005", "2009", "2013", "2017", "2021", "2025"}},
	} {
		a := dateAxis([]float64{at(test.from), at(test.to)})
		var ticks []string
		for _, tick := range a.Ticks {
			ticks = append(ticks, a.words(tick))
		}
		assert.Equal(t, test.ticks, ticks, "%s to %s", test.from, test.to)
		assert.Equal(t, test.label, a.Label)
	}
	assert.Empty(t, dateAxis(nil).Ticks)
}
