package compare

import (
	"math"
	"math/rand/v2"

	"agstest/internal/stats"
)

// series is one metric of one operation over pairs: log ratios of times, or differences of shares of wrong answers.
type series struct {
	differences []float64
	counts      [][4]int64 // of errors: wrong and sent of the old, wrong and sent of the new
	old, new    []float64
	right       []float64 // right answers of the poorer block of each pair
}

func seriesOf(pairs []Pair, operation, metric string) series {
	var s series
	for _, pair := range pairs {
		old, new := pair.Old[operation], pair.New[operation]
		if metric == "errors" {
			if old.Sent == 0 || new.Sent == 0 {
				continue
			}
			s.differences = append(s.differences,
				float64(new.Wrong)/float64(new.Sent)-float64(old.Wrong)/float64(old.Sent))
			s.counts = append(s.counts, [4]int64{old.Wrong, old.Sent, new.Wrong, new.Sent})
			continue
		}
		s.right = append(s.right, float64(min(old.Right, new.Right)))
		a, b := old.Quantile(metric), new.Quantile(metric)
		if old.Right == 0 || new.Right == 0 || a <= 0 || b <= 0 {
			continue
		}
		s.differences = append(s.differences, math.Log(float64(b)/float64(a)))
		s.old = append(s.old, float64(a))
		s.new = append(s.new, float64(b))
	}
	return s
}

// effect is the size of the change with its interval: a relative change, or a difference of shares.
func (s series) effect(random *rand.Rand) stats.Interval {
	if s.counts == nil {
		e := stats.HodgesLehmann(s.differences, intervalLevel)
		return stats.Interval{Value: math.Expm1(e.Value), Low: math.Expm1(e.Low), High: math.Expm1(e.High),
			Level: e.Level}
	}
	return stats.BlockBootstrap(random, len(s.counts), 1000, intervalLevel, func(drawn []int) float64 {
		var oldWrong, oldSent, newWrong, newSent int64
		for _, i := range drawn {
			pair := &s.counts[i]
			oldWrong, oldSent, newWrong, newSent = oldWrong+pair[0], oldSent+pair[1], newWrong+pair[2], newSent+pair[3]
		}
		return float64(newWrong)/float64(newSent) - float64(oldWrong)/float64(oldSent)
	})
}
