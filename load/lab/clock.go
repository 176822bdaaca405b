package lab

import (
	"testing"
	"time"
	"unsafe"
)

// WithClockSet returns a moment as it reads after the clock of the machine was set: another time of day at the same
// monotonic reading.
func WithClockSet(t testing.TB, moment time.Time, by time.Duration) time.Time {
	t.Helper()
	if by%time.Second != 0 {
		t.Fatal("a clock is set by whole seconds")
	}
	fields := (*struct {
		wall      uint64
		monotonic int64
		// see time.Time: the topmost bit tells of a monotonic reading, then come 33 bits of seconds
	})(unsafe.Pointer(&moment))
	if fields.wall>>63 == 0 {
		t.Fatal("the moment has no monotonic reading")
	}
	before := moment
	fields.wall += uint64(by/time.Second) << 30
	if moment.Round(0).Sub(before.Round(0)) != by || moment.Sub(before) != 0 {
		t.Fatal("time.Time is made in another way than this knows")
	}
	return moment
}
