package engine

import (
	"math"
	"runtime"
	"runtime/metrics"
	"time"

	"agstest/load/tally"
)

// maxSlewed: one part in so many of a time is what a time service may slew the clock by meanwhile.
const maxSlewed = 1000

// healthWatch notes the state of the generator itself.
type healthWatch struct {
	began     time.Time // of the run, with both clocks
	cpu       time.Duration
	startLate time.Duration
	limit     cpuLimit // of the container
	throttled throttling
	pauses    *metrics.Float64Histogram
	clockOff  time.Duration // since the start
	clockStep time.Duration // the most that it was off
	wall      time.Time
	sample    []metrics.Sample
	pause     tally.Histogram
	packer    tally.Packer
}

func newHealthWatch(began time.Time, startLate time.Duration) *healthWatch {
	w := &healthWatch{began: began, startLate: startLate, limit: findCPULimit("/proc/self/cgroup", "/sys/fs/cgroup"),
		cpu: cpuTime(), sample: []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}}
	w.pauses, w.throttled = w.read(), w.limit.throttled()
	return w
}

// since lets the watch compare clocks from an earlier moment on, such as before the set-up; from now on if it is zero.
func (w *healthWatch) since(moment time.Time) *healthWatch {
	if w.wall = moment; moment.IsZero() {
		w.wall = time.Now()
	}
	return w
}

func (w *healthWatch) read() *metrics.Float64Histogram {
	metrics.Read(w.sample)
	if w.sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return nil
	}
	h := w.sample[0].Value.Float64Histogram()
	return &metrics.Float64Histogram{Counts: append([]uint64(nil), h.Counts...), Buckets: h.Buckets}
}

// look takes the state of a moment.
func (w *healthWatch) look(now time.Time) tally.Health {
	if !w.wall.IsZero() {
		w.clocks(now.Round(0).Sub(w.wall.Round(0)), now.Sub(w.wall))
	}
	w.wall = now
	h := tally.Health{Elapsed: int64(now.Sub(w.began)), CPU: int64(cpuTime() - w.cpu), CPUs: runtime.GOMAXPROCS(0),
		ClockStep: int64(w.clockStep), StartLate: int64(w.startLate)}
	if now := w.limit.throttled(); now != (throttling{}) {
		h.Throttled, h.ThrottledTimes = int64(now.time-w.throttled.time), now.times-w.throttled.times
	}
	pauses := w.read()
	if pauses != nil && w.pauses != nil {
		w.pause.Reset()
		for i, n := range pauses.Counts {
			if n -= w.pauses.Counts[i]; n > 0 {
				// A bucket stands for its upper end, so that a pause is never said to be shorter than it was.
				upper := pauses.Buckets[i+1]
				if math.IsInf(upper, 1) {
					upper = pauses.Buckets[i]
				}
				w.pause.AddTimes(int64(upper*1e9), int64(n))
			}
		}
		h.GC = w.packer.Pack(&w.pause)
	}
	w.pauses = pauses
	return h
}

// clocks compares the time that passed on the clock of the machine with that on the monotonic clock: the difference is
// by how much the clock was set. Small differences are the slewing of a time service, which is 0.05 % of the time on
// most systems. The largest one counts: a clock that was set back and forth was wrong in between.
func (w *healthWatch) clocks(wall, monotonic time.Duration) {
	step := wall - monotonic
	if step.Abs() <= tally.ClockStepCounted+monotonic/maxSlewed {
		return
	}
	w.clockOff += step
	if w.clockOff.Abs() > w.clockStep.Abs() {
		w.clockStep = w.clockOff
	}
}
