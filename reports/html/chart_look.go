package html

import "strconv"

// look is how a line is drawn; the class of the same name gives the colour in the dark.
type look struct{ Stroke, Dash, Width string }

// looks are the series. The colours differ in brightness and hue for the three common kinds of colour blindness.
var looks = map[string]look{
	"p50":      {"#1d63b7", "", "2.2"},
	"p95":      {"#0b7a63", "8 3", "1.8"},
	"p99":      {"#b4500b", "4 2.5", "1.8"},
	"max":      {"#7b4aa6", "1.5 2.5", "1.4"},
	"asked":    {"#626a78", "6 4", "1.4"},
	"wrong":    {"#b3261e", "", "1.8"},
	"baseline": {"#626a78", "3 3", "1.6"},
	"s1":       {"#1d63b7", "", "2"},
	"s2":       {"#b4500b", "8 3", "2"},
	"s3":       {"#0b7a63", "4 2.5", "2"},
	"s4":       {"#7b4aa6", "1.5 2.5", "2"},
	"s5":       {"#8a6100", "10 3 2 3", "2"},
	"s6":       {"#a8326e", "6 2 1 2", "2"},
	"s7":       {"#2f6f8f", "2 2", "2"},
	"s8":       {"#626a78", "12 4", "2"},
}

// seriesLook is the look of the nth of several equal lines.
func seriesLook(n int) string { return "s" + strconv.Itoa(n%8+1) }

func (l line) class() string {
	if _, ok := looks[l.Look]; ok {
		return l.Look
	}
	return "s1"
}
