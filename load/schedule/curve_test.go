package schedule

import (
	"bytes"
	"testing"
)

// FuzzCurve reads rate curves.
func FuzzCurve(f *testing.F) {
	for _, text := range []string{"time,rate\n0,10\n60,200/s\n5m,0\n", "0,1\n1,1\n", "0s,12000/m\n# later\n1e3,1e3\n",
		"0,99999999999\n99999999999,1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseCurve(bytes.NewReader([]byte(text)), "curve.csv")
		if err != nil {
			return
		}
		if hits := s.Hits(); s.Count(s.Length()) != hits || hits > 0 && (s.At(0) < 0 || s.At(hits-1) > s.Length()) {
			t.Fatalf("%s: %d hits", s, hits)
		}
	})
}
