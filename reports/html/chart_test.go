package html

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"agstest/reports"
	"agstest/reports/compare"
)

func TestTicksAreRoundAndHoldTheValues(t *testing.T) {
	for name, each := range map[string]struct {
		axis   axis
		values []float64
		want   []string
	}{
		"from zero":           {axis{}, []float64{3, 42}, []string{"0", "10", "20", "30", "40", "50"}},
		"one value":           {axis{}, []float64{7}, []string{"0", "2", "4", "6", "8"}},
		"nothing":             {axis{}, nil, []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}},
		"all zero":            {axis{}, []float64{0, 0}, []string{"0", "0.2", "0.4", "0.6", "0.8", "1"}},
		"both signs":          {axis{}, []float64{-4, 12}, []string{"-5", "0", "5", "10", "15"}},
		"logarithmic":         {axis{Log: true}, []float64{3, 900}, []string{"2", "5", "10", "20", "50", "100", "200", "500", "1000"}},
		"logarithmic, a long": {axis{Log: true}, []float64{0.004, 60_000}, []string{"0.001", "0.01", "0.1", "1", "10", "100", "1000", "10000", "100000"}},
		"not numbers":         {axis{}, []float64{math.NaN(), math.Inf(1), 5}, []string{"0", "1", "2", "3", "4", "5"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, at := range each.axis.scale(each.values, 100, 0, true).ticks {
				got = append(got, each.axis.words(at))
			}
			require.Equal(t, each.want, got)
		})
	}
	minutes := axis{Time: true}
	var got []string
	for _, at := range minutes.scale([]float64{0, 599}, 0, 100, false).ticks {
		got = append(got, minutes.words(at))
	}
	require.Equal(t, []string{"0 s", "2 min", "4 min", "6 min", "8 min"}, got)
}

func TestAScaleStaysWithinItsEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(rapid.Float64()).Draw(t, "values")
		a := axis{Log: rapid.Bool().Draw(t, "log"), Time: rapid.Bool().Draw(t, "time")}
		s := a.scale(values, 240, 26, rapid.Bool().Draw(t, "rounded"))
		require.Less(t, len(s.ticks), 700)
		for _, v := range append(values, s.ticks...) {
			at := s.at(v)
			if !math.IsNaN(v) {
				require.True(t, at >= 26 && at <= 240, "%g is at %g", v, at)
			}
		}
	})
}

func TestALineBreaksWhereThereIsNoFigure(t *testing.T) {
	horizontal, vertical := scale{low: 0, high: 10, from: 0, to: 100}, scale{low: 0, high: 10, from: 100, to: 0}
	nan := math.NaN()
	require.Equal(t, "M0 100L10 90M40 60h.1M60 40L70 30", linePath(line{X: []float64{0, 1, 2, 4, 5, 6, 7}, Y: []float64{0, 1, nan, 4, nan, 6, 7}}, horizontal, vertical))
	require.Equal(t, "M0 90H10H20V50", linePath(line{Steps: true, X: []float64{0, 1, 2}, Y: []float64{1, 1, 5}}, horizontal, vertical))
	require.Equal(t, "M0 100V90L10 80V100Z", areaPath(line{X: []float64{0, 1}, Y: []float64{1, 2}}, horizontal, vertical))
}

func TestNamesOfLinesDoNotCollide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := make([]drawnLine, rapid.IntRange(1, 10).Draw(t, "lines"))
		for i := range lines {
			lines[i].valueAtRight = rapid.Float64Range(26, 240).Draw(t, "at")
		}
		spreadLabels(lines, 32, 240)
		var places []float64
		for _, l := range lines {
			at, err := strconv.ParseFloat(l.LabelY, 64)
			require.NoError(t, err)
			for _, other := range places {
				require.GreaterOrEqual(t, math.Abs(at-other), chartGutter-0.11)
			}
			places = append(places, at)
		}
	})
}

// luminance is the relative luminance of a colour such as #1d63b7 or #fff (WCAG 2.2).
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	digits := strings.TrimPrefix(colour, "#")
	if len(digits) == 3 {
		digits = digits[:1] + digits[:1] + digits[1:2] + digits[1:2] + digits[2:] + digits[2:]
	}
	value, err := strconv.ParseUint(digits, 16, 32)
	require.NoError(t, err, colour)
	channel := func(shift uint) float64 {
		c := float64(value>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*channel(16) + 0.7152*channel(8) + 0.0722*channel(0)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// TestColoursCanBeToldApart: words have a contrast of 4.5 and lines of 3 to what is behind them, in both palettes, and
// no two lines that stand in one chart share their dashes.
func TestColoursCanBeToldApart(t *testing.T) {
	palettes := regexp.MustCompile(`:root\{color-scheme:(light|dark);([^}]*)\}`).FindAllStringSubmatch(styleSheet, -1)
	require.Len(t, palettes, 2)
	names := [2][]string{}
	for i, palette := range palettes {
		colours := map[string]string{}
		for declaration := range strings.SplitSeq(palette[2], ";") {
			name, value, _ := strings.Cut(declaration, ":")
			if strings.HasPrefix(value, "#") {
				colours[name] = value
				names[i] = append(names[i], name)
			}
		}
		for _, tone := range []string{"--good", "--bad", "--odd", "--warn", "--calm", "--see", "--known"} {
			require.GreaterOrEqual(t, contrast(t, colours[tone], colours[tone+"-bg"]), 4.5, "%s %s", palette[1], tone)
			require.GreaterOrEqual(t, contrast(t, colours[tone], colours["--card"]), 4.5, "%s %s", palette[1], tone)
		}
		for _, ink := range []string{"--ink", "--soft", "--link", "--p50", "--p95", "--p99", "--max", "--grey", "--s5", "--s6", "--s7"} {
			require.GreaterOrEqual(t, contrast(t, colours[ink], colours["--card"]), 4.5, "%s %s", palette[1], ink)
		}
		for _, ink := range []string{"--head-ink", "--head-soft"} {
			require.GreaterOrEqual(t, contrast(t, colours[ink], colours["--head"]), 4.5, "%s %s", palette[1], ink)
		}
	}
	require.Equal(t, names[0], names[1], "both palettes have the same colours")
	for _, together := range [][]string{{"p50", "p95", "p99", "max", "asked"}, {"s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"}, {"asked", "s1", "s3"}, {"wrong", "s2", "s3", "s4", "s5", "s6"}} {
		dashes := map[string]bool{}
		for _, name := range together {
			require.False(t, dashes[looks[name].Dash], "%s has the dashes of another", name)
			dashes[looks[name].Dash] = true
		}
	}
	for name := range looks {
		require.Regexp(t, `\.line\.`+name+`[,{]`, styleSheet, "the look has a class")
	}
	for _, verdict := range reports.Verdicts {
		require.Regexp(t, `\.`+verdict.Class()+`[,{]`, styleSheet, "the verdict has a class")
		require.NotEmpty(t, verdictColours[verdict])
		var b bytes.Buffer
		require.NoError(t, Conformance(&b, &reports.Conformance{Verdict: verdict}, Style{}))
		require.Contains(t, b.String(), `<symbol id="`+verdict.Mark()+`"`, "the verdict has a mark")
	}
}

func TestLimitsAreLines(t *testing.T) {
	for expression, want := range map[string]float64{"refresh.p99<300ms": 300, "p95 < 1.5s": 1500, "refresh.p99.9<=2s": 2000, "errors<1%": 0, "throughput>190/s": 0, "refresh.max<50 ms": 50, "refresh.p99<0s": 0, "": 0} {
		at, _, ok := timeLimit(expression)
		require.Equal(t, want, at, expression)
		require.Equal(t, want > 0, ok, expression)
	}
}

// TestTicksHaveNoExponent: of a million, and of one in a day.
func TestTicksHaveNoExponent(t *testing.T) {
	for v, want := range map[float64]string{1e6: "1000000", 1_234_567: "1234570", 0.1: "0.1", 1.0 / 86400: "0.0000115741"} {
		require.Equal(t, want, axis{}.words(v))
	}
	require.Equal(t, "0.00001157/s", axisRate(1.0/86400))
	require.Equal(t, "0.00001 ms", axisMilliseconds(0.00001))
	require.Equal(t, "5,000 ms", axisMilliseconds(5000))
	require.Equal(t, "10 s", axisMilliseconds(10_000)) // "10,000 ms" has no room beside the axis
}

// Numbers of things have no ticks between them: 1, 1, 2, 2, 3 were those of three runs.
func TestTicksOfWholeNumbersAreWhole(t *testing.T) {
	require.Equal(t, []float64{1, 2, 3}, axis{Whole: true}.scale([]float64{1, 2, 3}, 0, 100, false).ticks)
	require.Equal(t, []float64{1, 1.5, 2, 2.5, 3}, axis{}.scale([]float64{1, 2, 3}, 0, 100, false).ticks)
	require.Equal(t, []float64{1}, axis{Whole: true}.scale([]float64{1}, 0, 100, false).ticks[:1])
}

// What a few runs let expect is anything: it is not drawn, or nothing else can be seen.
func TestAnAdvisoryHistoryHasNoBand(t *testing.T) {
	h := &compare.HistoryComparison{Runs: make([]compare.HistoryRun, 2), Metrics: []compare.HistoryMetric{
		{Operation: "refresh", Metric: "p50", Value: 5e6, Low: 1e6, High: 9e6, Gates: true, Earlier: 2}}}
	require.Equal(t, "p50 is 5.00 ms, expected 1.00 ms to 9.00 ms. Shaded: what an unchanged service stays within "+
		"in 90 of 100 runs.", historyChart(h, 0, "refresh").Description)
	h.Advisory = true
	require.Equal(t, "p50 is 5.00 ms.", historyChart(h, 0, "refresh").Description)
}
