package html

import (
	"fmt"
	"sort"
	"strings"
)

// chartReadouts is how many places of a chart answer to the pointer, at most.
const chartReadouts = 60

type readout struct{ Path, Words string }

// readouts are the strips that show the figures at their place while the pointer is over them.
func (c chart) readouts(x scale, xs []float64, height int) []readout {
	if c.Readout == nil {
		c.Readout = c.readAt
	}
	places := finite(xs)
	sort.Float64s(places)
	var strips []readout
	every := 1
	distinct := places[:0]
	for i, at := range places {
		if i == 0 || at != distinct[len(distinct)-1] {
			distinct = append(distinct, at)
		}
	}
	limit := chartReadouts
	if c.Height > 0 && c.Height <= 200 {
		limit /= 2
	}
	if len(distinct) > limit {
		every = (len(distinct) + limit - 1) / limit
	}
	var shown []float64
	for i := 0; i < len(distinct); i += every {
		shown = append(shown, distinct[i])
	}
	for i, at := range shown {
		words := c.Readout(at)
		if words == "" {
			continue
		}
		from, to := x.from, x.to
		if i > 0 {
			from = (x.at(shown[i-1]) + x.at(at)) / 2
		}
		if i+1 < len(shown) {
			to = (x.at(at) + x.at(shown[i+1])) / 2
		}
		strips = append(strips, readout{fmt.Sprintf("M%s %dH%sV%dH%sZ", place(from), chartTop, place(max(to, from+0.5)),
			height-chartBottom, place(from)), words})
	}
	return strips
}

// readAt says the values of all lines at one place.
func (c chart) readAt(at float64) string {
	parts := []string{c.X.words(at)}
	for _, l := range c.Lines {
		i := sort.SearchFloat64s(l.X, at)
		if i < len(l.X) && i < len(l.Y) && l.X[i] == at && isFinite(l.Y[i]) {
			format := c.Y
			if l.OnRight {
				format = c.Right
			}
			parts = append(parts, l.Name+" "+format.words(l.Y[i]))
		}
	}
	if len(parts) == 1 {
		return ""
	}
	return strings.Join(parts, " · ")
}
