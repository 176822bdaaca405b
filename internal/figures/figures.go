// Package figures writes figures the way all reports do, so that one figure looks the same everywhere: on the page, on
// paper, in Markdown, in JUnit and in OpenMetrics. Every renderer goes through it; none formats a figure by itself.
//
// Times of exchanges are nanoseconds (Milliseconds, Number, Seconds), times of runs are durations (Elapsed), and rates
// are per second. An unknown figure (NaN, an infinity, a share of nothing) is shown as "–". OneLine and Clip shorten
// the texts beside the figures.
package figures

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// rounded rounds nanoseconds to the digits that Milliseconds shows: to 10 µs below 10 ms, to 100 µs from there on, half
// away from zero.
func rounded(nanoseconds int64) int64 {
	unit := int64(100 * time.Microsecond)
	if magnitude(nanoseconds) < uint64(10*time.Millisecond-5*time.Microsecond) {
		unit = int64(10 * time.Microsecond)
	}
	rest := nanoseconds % unit
	down := nanoseconds - rest
	switch {
	case rest >= unit/2 && down <= math.MaxInt64-unit:
		return down + unit
	case rest <= -unit/2 && down >= math.MinInt64+unit:
		return down - unit
	}
	return down
}

// Milliseconds shows a duration of an exchange, such as "3.42 ms", "34.2 ms" or "1,904.3 ms".
func Milliseconds(nanoseconds int64) string { return Number(nanoseconds) + " ms" }

// Number is Milliseconds without the unit, for columns whose head says it.
func Number(nanoseconds int64) string {
	shown := rounded(nanoseconds)
	places := 1
	if magnitude(shown) < uint64(10*time.Millisecond) {
		places = 2
	}
	tens := shown / int64(10*time.Microsecond)
	sign := ""
	digits := strconv.FormatUint(magnitude(tens), 10)
	if tens < 0 {
		sign = "-"
	}
	for len(digits) < 3 {
		digits = "0" + digits
	}
	whole, part := digits[:len(digits)-2], digits[len(digits)-2:]
	return sign + grouped(whole) + "." + part[:places]
}

// Seconds is the value that Milliseconds shows, in seconds, as OpenMetrics wants it.
func Seconds(nanoseconds int64) string {
	return strconv.FormatFloat(float64(rounded(nanoseconds)/int64(10*time.Microsecond))/1e5, 'f', -1, 64)
}

// magnitude is the absolute value, right for the least integer too.
func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-(n + 1)) + 1
	}
	return uint64(n)
}

// Count shows a number of things, such as "12,480".
func Count(n int64) string {
	sign := ""
	if n < 0 {
		sign = "-"
	}
	return sign + grouped(strconv.FormatUint(magnitude(n), 10))
}

// grouped puts a comma before each third digit from the right.
func grouped(digits string) string {
	if len(digits) <= 3 {
		return digits
	}
	var b strings.Builder
	lead := len(digits) % 3
	b.WriteString(digits[:lead])
	for i := lead; i < len(digits); i += 3 {
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(digits[i : i+3])
	}
	return b.String()
}

// Percent shows part of whole, such as "99.98 %". It shows 0 % and 100 % only if that is exact: 1 wrong answer of 10
// million is "less than 0.01 %", never none.
func Percent(part, whole int64) string {
	if whole <= 0 {
		return "–"
	}
	share := float64(part) / float64(whole) * 100
	switch {
	case part == 0:
		return "0 %"
	case part == whole:
		return "100 %"
	case share > 0 && share < 0.01:
		return "< 0.01 %"
	case share < 100 && share > 99.99:
		return "> 99.99 %"
	}
	return strconv.FormatFloat(share, 'f', 2, 64) + " %"
}

func Share(share float64) string {
	if math.IsNaN(share) {
		return "–"
	}
	return Percent(int64(math.Round(share*1e9)), 1e9)
}

// Change shows a relative change, such as "+5.2 %". The unit is always percent, the sign always there.
func Change(change float64) string {
	switch {
	case math.IsNaN(change) || math.IsInf(change, 0):
		return "–"
	case math.Abs(change) >= 9.9995: // which is 1000.0 % with a digit
		percent := Count(int64(max(-1e18, min(1e18, math.Round(change*100)))))
		if change > 0 {
			percent = "+" + percent
		}
		return percent + " %"
	}
	text := fmt.Sprintf("%+.1f %%", change*100)
	if text == "-0.0 %" {
		return "+0.0 %"
	}
	return text
}

// Points shows a difference of two shares, such as "+0.31 points": percentage points.
func Points(difference float64) string {
	if math.IsNaN(difference) || math.IsInf(difference, 0) {
		return "–"
	}
	text := fmt.Sprintf("%+.2f points", difference*100)
	if text == "-0.00 points" {
		return "+0.00 points"
	}
	return text
}

// Probability shows a p value.
func Probability(p float64) string {
	switch {
	case math.IsNaN(p):
		return "–"
	case p < 0.001:
		return "< 0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

// Rate shows events per second, such as "199.8/s".
func Rate(perSecond float64) string {
	switch {
	case math.IsNaN(perSecond) || math.IsInf(perSecond, 0):
		return "–"
	case perSecond == math.Trunc(perSecond) && math.Abs(perSecond) < 1e15:
		return Count(int64(perSecond)) + "/s"
	}
	text := strconv.FormatFloat(perSecond, 'f', 1, 64)
	sign := ""
	if strings.HasPrefix(text, "-") {
		sign, text = "-", text[1:]
	}
	whole, part, _ := strings.Cut(text, ".")
	return sign + grouped(whole) + "." + part + "/s"
}

// Elapsed shows how long something took, such as "340 ms", "12.4 s", "10 min 3 s" or, from two days on, "3,650 days".
func Elapsed(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < time.Second:
		return Milliseconds(int64(d))
	case d < 2*time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d >= 48*time.Hour:
		return Count(int64(d.Round(24*time.Hour)/(24*time.Hour))) + " days"
	}
	d = d.Round(time.Second)
	text := strconv.Itoa(int(d/time.Minute)%60) + " min " + strconv.Itoa(int(d/time.Second)%60) + " s"
	if hours := int64(d / time.Hour); hours > 0 {
		text = Count(hours) + " h " + text
	}
	return text
}

// Moment shows a point in time, always in UTC and saying so.
func Moment(t time.Time) string {
	if t.IsZero() {
		return "not recorded"
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
}
