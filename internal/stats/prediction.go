package stats

import "math"

// Prediction says where the next value of a series should lie, if it comes from the same normal distribution as the
// earlier ones. It widens the spread of the earlier values by √(1+1/n), since both their mean and the next value vary;
// an interval for the mean alone would call far too many next values unusual.
type Prediction struct {
	Count     int
	Mean      float64
	Deviation float64 // of one value
}

// Predict makes a prediction from earlier values; at least two are needed for it to say anything.
func Predict(earlier []float64) Prediction {
	return Prediction{Count: len(earlier), Mean: mean(earlier), Deviation: deviation(earlier)}
}

// Upper is the limit that the next value stays under with the given probability; NaN for fewer than two earlier values.
func (p Prediction) Upper(level float64) float64 {
	if p.Count < 2 {
		return math.NaN()
	}
	return p.Mean + StudentQuantile(level, float64(p.Count-1))*p.spread()
}

// Lower is the limit that the next value stays over with the given probability; NaN for fewer than two earlier values.
func (p Prediction) Lower(level float64) float64 {
	if p.Count < 2 {
		return math.NaN()
	}
	return p.Mean - StudentQuantile(level, float64(p.Count-1))*p.spread()
}

// Above is the probability of a next value at least as high as this one; NaN for fewer than two earlier values.
func (p Prediction) Above(value float64) float64 {
	if p.Count < 2 || math.IsNaN(value) {
		return math.NaN()
	}
	if p.Deviation == 0 {
		switch {
		case value > p.Mean:
			return 0
		case value < p.Mean:
			return 1
		}
		return 0.5
	}
	return studentCDF(-(value-p.Mean)/p.spread(), float64(p.Count-1))
}

func (p Prediction) spread() float64 { return p.Deviation * math.Sqrt(1+1/float64(p.Count)) }
