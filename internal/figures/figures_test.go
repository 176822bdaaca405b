package figures

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFiguresAreShown(t *testing.T) {
	for nanoseconds, want := range map[int64]string{
		0: "0.00 ms", 4_999: "0.00 ms", 5_000: "0.01 ms", 420_000: "0.42 ms", 9_994_999: "9.99 ms", 9_995_000: "10.0 ms", 9_999_999: "10.0 ms", 10_049_999: "10.0 ms", 10_050_000: "10.1 ms",
		342_061_000: "342.1 ms", 1_904_349_999: "1,904.3 ms", 3_600_000_000_000: "3,600,000.0 ms", -5_000: "-0.01 ms", -342_061_000: "-342.1 ms",
		math.MaxInt64: "9,223,372,036,854.7 ms", math.MinInt64: "-9,223,372,036,854.7 ms",
	} {
		require.Equal(t, want, Milliseconds(nanoseconds), "%d", nanoseconds)
	}
	for _, each := range []struct {
		part, whole int64
		want        string
	}{{0, 0, "–"}, {0, 10, "0 %"}, {10, 10, "100 %"}, {1, 10_000_000, "< 0.01 %"}, {9_999_999, 10_000_000, "> 99.99 %"}, {41, 10_000, "0.41 %"}, {9_998, 10_000, "99.98 %"}} {
		require.Equal(t, each.want, Percent(each.part, each.whole))
	}
	for value, want := range map[float64]string{200: "200/s", 199.84: "199.8/s", 12345.67: "12,345.7/s", 0: "0/s", math.Inf(1): "–"} {
		require.Equal(t, want, Rate(value))
	}
	require.Equal(t, "–", Rate(math.NaN()))
	for d, want := range map[time.Duration]string{-1: "0 s", 340 * time.Millisecond: "340.0 ms", 12*time.Second + 410*time.Millisecond: "12.4 s", 10*time.Minute + 3*time.Second: "10 min 3 s", 25*time.Hour + time.Second: "25 h 0 min 1 s", 10*365*24*time.Hour - time.Second: "3,650 days"} {
		require.Equal(t, want, Elapsed(d))
	}
	for change, want := range map[float64]string{
		0.052: "+5.2 %", -0.0001: "+0.0 %", -0.5: "-50.0 %", 9.994: "+999.4 %", 9.9996: "+1,000 %", 10: "+1,000 %",
		1234.5: "+123,450 %", -12.3: "-1,230 %", math.MaxFloat64: "+1,000,000,000,000,000,000 %", math.Inf(1): "–",
	} {
		require.Equal(t, want, Change(change), "%g", change)
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", math.MinInt64: "-9,223,372,036,854,775,808"} {
		require.Equal(t, want, Count(n))
	}
}

// TestSecondsAreWhatIsShown: the number for machines is the number for people, to the last digit.
func TestSecondsAreWhatIsShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nanoseconds := rapid.Int64Range(0, int64(time.Hour)).Draw(t, "ns")
		text := strings.ReplaceAll(strings.TrimSuffix(Milliseconds(nanoseconds), " ms"), ",", "")
		shown, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		machine, err := strconv.ParseFloat(Seconds(nanoseconds), 64)
		require.NoError(t, err)
		require.InDelta(t, shown/1e3, machine, 1e-12)
		require.InDelta(t, float64(nanoseconds), float64(rounded(nanoseconds)), 50_000)
	})
}

func TestSome(t *testing.T) {
	names := []string{"a", "b", "c"}
	for most, want := range map[int]string{1: "a and 2 more", 2: "a, b and 1 more", 3: "a, b, c", 4: "a, b, c"} {
		require.Equal(t, want, Some(names, most, ", "))
	}
	require.Empty(t, Some(nil, 3, ", "))
	require.Equal(t, "a and 1,999 more", Some(append(names, make([]string, 1997)...), 1, " "))
}

func TestVerb(t *testing.T) {
	for n, want := range map[int]string{0: "were", 1: "was", 2: "were"} {
		require.Equal(t, want, Verb(n, "was", "were"))
	}
}
