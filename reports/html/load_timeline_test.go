package html

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/reports"
)

// everySecond is a timeline with the given hits in each second, all of them right within 5 ms.
func everySecond(hits ...int64) timeline {
	t := timeline{seconds: make([]reports.Second, len(hits))}
	for i, n := range hits {
		t.seconds[i] = reports.Second{At: i, Asked: n, Sent: n, Right: n, P99: 5e6, Lag99: 1e6}
	}
	return t
}

func p99Of(s reports.Second) int64 { return s.P99 }

func TestASlowLoadIsReadable(t *testing.T) {
	for name, test := range map[string]struct {
		of          timeline
		at, rate    []float64
		timesAt     []float64
		steps, dots bool
	}{
		"one in two seconds": {everySecond(1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1),
			[]float64{0, 10, 18}, []float64{0.5, 0.5, 0.5}, []float64{0, 2, 4, 6, 8, 10, 12, 14, 16, 18}, true, true},
		"three hits": {everySecond(1, 0, 1, 0, 1), []float64{0, 4}, []float64{0.6, 0.6},
			[]float64{0, 2, 4}, true, true},
		"two or one": {everySecond(2, 1, 2, 1, 2, 1), []float64{0, 4, 5}, []float64{1.5, 1.5, 1.5},
			[]float64{0, 1, 2, 3, 4, 5}, true, true},
		"one second": {everySecond(10), []float64{0}, []float64{10}, []float64{0}, false, true},
		"a fast load": {everySecond(9, 12, 10, 9), []float64{0, 1, 2, 3}, []float64{9, 12, 10, 9},
			[]float64{0, 1, 2, 3}, false, false},
		// a gap in a fast load is one
		"an outage": {everySecond(90, 90, 0, 0, 90, 90), []float64{0, 1, 2, 3, 4, 5}, []float64{90, 90, 0, 0, 90, 90},
			[]float64{0, 1, -1, 4, 5}, false, false},
		"nothing": {everySecond(0, 0), []float64{0, 1}, []float64{0, 0}, nil, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			rate := test.of.rate(line{}, fullPoints, askedOf)
			assert.Equal(t, test.at, rate.X)
			assert.InDeltaSlice(t, test.rate, rate.Y, 1e-9)
			assert.Equal(t, test.steps, rate.Steps)
			for what, drawn := range map[string]line{"p99": test.of.times(line{}, fullPoints, highest(p99Of)),
				"lag": test.of.times(line{}, fullPoints, highestLag)} {
				for i, y := range drawn.Y {
					if math.IsNaN(y) {
						drawn.X[i] = -1
					}
				}
				assert.Equal(t, test.timesAt, drawn.X, what)
				assert.Equal(t, test.dots, drawn.Dots, what)
			}
		})
	}
}

// Of a slow load, too, seconds without an answer are a gap where several should have come.
func TestAnOutageOfASlowLoadIsAGap(t *testing.T) {
	slow := everySecond(1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1)
	for i := 6; i < 22; i++ {
		slow.seconds[i].Right = 0
	}
	drawn := slow.times(line{}, fullPoints, highest(p99Of))
	broken := 0
	for _, y := range drawn.Y {
		if math.IsNaN(y) {
			broken++
		}
	}
	assert.Equal(t, 1, broken)
}

// When the wrong answers of a kind came is drawn over the same windows as the other rates.
func TestTheWrongAnswersOfASlowLoadAreReadable(t *testing.T) {
	for name, test := range map[string]struct {
		of          timeline
		words, path string
	}{
		"one in two seconds": {everySecond(1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0),
			"3 wrong answers in 3 seconds. Rates are the mean of 10 seconds each.",
			"M66 26H501.8V68H894"},
		"a fast load": {everySecond(9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9),
			"3 wrong answers in 3 seconds.",
			"M66 26L109.6 110L153.2 110L196.7 110L240.3 26L283.9 110L327.5 110L371.1 110L414.6 110L458.2 110" +
				"L501.8 110L545.4 110L588.9 26L632.5 110L676.1 110L719.7 110L763.3 110L806.8 110L850.4 110L894 110"},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range test.of.seconds {
				test.of.seconds[i].Operation = "refresh"
			}
			l := &reports.Load{Seconds: test.of.seconds}
			drawn := kindChart(l, &reports.WrongKind{Operation: "refresh", Kind: "status", Times: 3,
				Seconds: [][2]int64{{0, 1}, {4, 1}, {12, 1}}}, "id")
			assert.Equal(t, test.words, drawn.Description)
			assert.Equal(t, test.path, drawn.Lines[0].Path)
		})
	}
}

// A wrong answer of the set-up fails the run, as the list of what to look at first says of it too.
func TestWrongAnswersOfTheSetUpHaveAVerdict(t *testing.T) {
	l := &reports.Load{Verdict: reports.Fail, Wrong: []reports.Wrong{{Operation: "set-up", Kind: "token", Times: 72}}}
	shown, _ := wrongsOf(l)
	assert.Len(t, shown, 1)
	assert.Equal(t, reports.Fail, shown[0].Verdict)
}
