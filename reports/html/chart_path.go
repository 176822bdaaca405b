package html

import (
	"strconv"
	"strings"
)

// linePath is the path of a line; a point that is not a number breaks it.
func linePath(l line, x, y scale) string {
	var b strings.Builder
	pen := false
	last := ""
	for i := range min(len(l.X), len(l.Y)) {
		if !isFinite(l.X[i]) || !isFinite(l.Y[i]) {
			pen = false
			continue
		}
		px, py := place(x.at(l.X[i])), place(y.at(l.Y[i]))
		switch {
		case !pen:
			alone := i+1 >= len(l.Y) || !isFinite(l.Y[i+1])
			b.WriteString("M" + px + " " + py)
			if alone {
				b.WriteString("h.1")
			}
		case l.Steps:
			b.WriteString("H" + px)
			if py != last {
				b.WriteString("V" + py)
			}
		default:
			b.WriteString("L" + px + " " + py)
		}
		pen, last = true, py
	}
	return b.String()
}

// bandPath is the outline of a shaded interval: along the upper ends and back along the lower.
func bandPath(l line, x, y scale) string {
	var there, back []string
	for i := range l.X {
		if isFinite(l.X[i]) && isFinite(l.Low[i]) && isFinite(l.High[i]) {
			there = append(there, place(x.at(l.X[i]))+" "+place(y.at(l.High[i])))
			back = append(back, place(x.at(l.X[i]))+" "+place(y.at(l.Low[i])))
		}
	}
	if len(there) == 0 {
		return ""
	}
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	return "M" + strings.Join(there, "L") + "L" + strings.Join(back, "L") + "Z"
}

// areaPath is the outline of the area under a line, one piece for each unbroken part.
func areaPath(l line, x, y scale) string {
	var b strings.Builder
	base := place(y.from)
	open, last := false, ""
	for i := range min(len(l.X), len(l.Y)) {
		if !isFinite(l.X[i]) || !isFinite(l.Y[i]) {
			if open {
				b.WriteString("V" + base + "Z")
			}
			open = false
			continue
		}
		px, py := place(x.at(l.X[i])), place(y.at(l.Y[i]))
		switch {
		case !open:
			b.WriteString("M" + px + " " + base + "V" + py)
		case l.Steps:
			b.WriteString("H" + px)
			if py != last {
				b.WriteString("V" + py)
			}
		default:
			b.WriteString("L" + px + " " + py)
		}
		open, last = true, py
	}
	if open {
		b.WriteString("V" + base + "Z")
	}
	return b.String()
}

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
