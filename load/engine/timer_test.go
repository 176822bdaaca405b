package engine

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/load/schedule"
)

func TestTimersSleepAsLongAsTheyAreTold(t *testing.T) {
	for name, timer := range map[string]preciseTimer{"kernel": newPreciseTimer(), "runtime": &sleepTimer{}} {
		t.Run(name, func(t *testing.T) {
			defer timer.close()
			for _, d := range []time.Duration{0, time.Nanosecond, 50 * time.Microsecond, 3 * time.Millisecond, 20 * time.Millisecond} {
				began := time.Now()
				timer.sleep(context.Background(), d)
				assert.GreaterOrEqual(t, time.Since(began), d)
			}
			ctx, cancel := context.WithCancel(context.Background())
			interrupt := time.AfterFunc(20*time.Millisecond, cancel)
			defer interrupt.Stop()
			began := time.Now()
			timer.sleep(ctx, time.Hour)
			assert.Less(t, time.Since(began), 5*time.Second)
			timer.sleep(ctx, time.Hour) // it is over at once now
		})
	}
}

// BenchmarkLag measures how late a pacer hands hits out, at 2,000 a second, with the precise timer and with the
// runtime's.
func BenchmarkLag(b *testing.B) {
	for name, make := range map[string]func() preciseTimer{"precise": newPreciseTimer, "runtime": func() preciseTimer { return &sleepTimer{} }} {
		b.Run(name, func(b *testing.B) {
			timer := make()
			defer timer.close()
			p := &schedulePacer{schedule: schedule.Constant(per(2000), time.Hour), timer: timer, ctx: context.Background(), began: time.Now()}
			cpu, began := cpuTime(), time.Now()
			lags := []int64{}
			for i := range b.N {
				p.Pace(0, uint64(i))
				lags = append(lags, int64(time.Since(p.began.Add(p.schedule.At(uint64(i))))))
			}
			slices.Sort(lags)
			b.ReportMetric(float64(nearest(lags, 0.5))/1e3, "µs-p50")
			b.ReportMetric(float64(nearest(lags, 0.99))/1e3, "µs-p99")
			b.ReportMetric(100*float64(cpuTime()-cpu)/float64(time.Since(began)), "%cpu")
		})
	}
}

// nearest is the least value that at least a share of all values do not exceed.
func nearest(sorted []int64, share float64) int64 {
	return sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
}
