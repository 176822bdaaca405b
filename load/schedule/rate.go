package schedule

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"

	"agstest/internal/failure"
)

// Rate is a number of hits in a time, kept as the two whole numbers it was given as, so that a schedule made of it
// never drifts. The zero value means that no rate was given.
type Rate struct {
	Hits int64
	Per  time.Duration
	// Max asks for no schedule at all: as many hits as the workers can send, one after the other (closed loop).
	Max bool
}

// maxRate keeps due times of neighbouring hits at least 100 ns apart; no generator comes near it.
const maxRate = 10_000_000

// rateUnits are the times that a rate may be given for.
var rateUnits = map[string]time.Duration{"s": time.Second, "m": time.Minute, "min": time.Minute, "h": time.Hour}

// ParseRate reads a rate: 200/s, 12000/m, 7200/h, 0.5/s, or max. Its errors are of the kind failure.Usage.
func ParseRate(text string) (Rate, error) {
	text = strings.TrimSpace(text)
	if text == "max" {
		return Rate{Max: true}, nil
	}
	number, unit, found := strings.Cut(text, "/")
	if !found {
		return Rate{},
			failure.Usagef("the rate %q has no unit: write 200/s, 12000/m or 7200/h, or max for no schedule", text)
	}
	per, known := rateUnits[strings.TrimSpace(unit)]
	if !known {
		return Rate{}, failure.Usagef("the rate %q counts per %q: write it per s, m or h, such as 200/s", text, unit)
	}
	hits, scale, err := parseDecimal(strings.TrimSpace(number))
	if err != nil {
		return Rate{}, failure.Usagef("the rate %q does not start with a number: write it like 200/s or 0.5/s", text)
	}
	rate := Rate{Hits: hits, Per: per * time.Duration(scale)}
	if rate.PerSecond() > maxRate {
		return Rate{}, failure.Usagef("the rate %q is above %d/s, more than any generator can send", text, maxRate)
	}
	return rate, nil
}

// parseDecimal reads a number that is not negative, with at most six decimals, as a whole number and the power of ten
// it was multiplied with.
func parseDecimal(text string) (value, scale int64, err error) {
	whole, fraction, _ := strings.Cut(text, ".")
	if len(fraction) > 6 || len(whole) > 9 {
		return 0, 0, fmt.Errorf("%q is too long", text)
	}
	value, err = strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil || value < 0 || strings.ContainsAny(text, "+-") {
		return 0, 0, fmt.Errorf("%q is not a number", text)
	}
	scale = 1
	for range fraction {
		scale *= 10
	}
	for scale > 1 && value%10 == 0 {
		value, scale = value/10, scale/10
	}
	return value, scale, nil
}

// PerSecond is the rate in hits a second; 0 for max and for the zero value.
func (r Rate) PerSecond() float64 {
	if r.Per == 0 {
		return 0
	}
	return float64(r.Hits) * float64(time.Second) / float64(r.Per)
}

// String writes the rate as ParseRate reads it.
func (r Rate) String() string {
	switch {
	case r.Max:
		return "max"
	case r.Per == 0:
		return ""
	}
	for _, unit := range []string{"s", "m", "h"} {
		if r.Per == rateUnits[unit] {
			return fmt.Sprintf("%d/%s", r.Hits, unit)
		}
	}
	return strconv.FormatFloat(r.PerSecond(), 'f', -1, 64) + "/s"
}

// Due is when hit n of this rate is due, counted from the first: n·Per/Hits, rounded down to a nanosecond.
func (r Rate) Due(n uint64) time.Duration {
	high, low := bits.Mul64(n, uint64(r.Per))
	if high >= uint64(r.Hits) {
		return math.MaxInt64
	}
	quotient, _ := bits.Div64(high, low, uint64(r.Hits))
	return time.Duration(min(quotient, math.MaxInt64))
}

// HitsBefore is how many hits are due before the time t: the smallest n with due(n) ≥ t.
func (r Rate) HitsBefore(t time.Duration) uint64 {
	if t <= 0 || r.Hits == 0 {
		return 0
	}
	high, low := bits.Mul64(uint64(t), uint64(r.Hits))
	if high >= uint64(r.Per) {
		return math.MaxUint64
	}
	quotient, rest := bits.Div64(high, low, uint64(r.Per))
	if rest > 0 {
		quotient++
	}
	return quotient
}
