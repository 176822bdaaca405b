package stats

import "math"

// NormalCDF is the probability that a standard normal value is at most z.
func NormalCDF(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }

// NormalQuantile is the z with NormalCDF(z) = p.
func NormalQuantile(p float64) float64 { return -math.Sqrt2 * math.Erfcinv(2*p) }

// studentCDF is the probability that a value of Student's t distribution with the given degrees of freedom (> 0) is at
// most t. Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.1 and 26.5.27.
func studentCDF(t, freedom float64) float64 {
	switch {
	case math.IsNaN(t) || !(freedom > 0):
		return math.NaN()
	case math.IsInf(t, 1):
		return 1
	case math.IsInf(t, -1):
		return 0
	}
	tail := 0.5 * IncompleteBeta(freedom/2, 0.5, freedom/(freedom+t*t))
	if t > 0 {
		return 1 - tail
	}
	return tail
}

// StudentQuantile is the t with StudentCDF(t, freedom) = p, for 0 < p < 1.
func StudentQuantile(p, freedom float64) float64 {
	switch {
	case math.IsNaN(p) || p < 0 || p > 1 || !(freedom > 0):
		return math.NaN()
	case p == 0:
		return math.Inf(-1)
	case p == 1:
		return math.Inf(1)
	case p == 0.5:
		return 0
	case p < 0.5:
		return -StudentQuantile(1-p, freedom)
	}
	low, high := 0.0, 1.0
	for studentCDF(high, freedom) < p && high < 1e300 {
		low, high = high, high*2
	}
	for range 200 {
		middle := low + (high-low)/2
		if middle == low || middle == high {
			break
		}
		if studentCDF(middle, freedom) < p {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// IncompleteBeta is the regularized incomplete beta function I_x(a, b) for a, b > 0 and 0 ≤ x ≤ 1, by the continued
// fraction of Abramowitz and Stegun 26.5.8 evaluated by Lentz's method.
func IncompleteBeta(a, b, x float64) float64 {
	switch {
	case math.IsNaN(x) || !(a > 0) || !(b > 0) || x < 0 || x > 1:
		return math.NaN()
	case x == 0:
		return 0
	case x == 1:
		return 1
	}
	lab, _ := math.Lgamma(a + b)
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	front := math.Exp(lab - la - lb + a*math.Log(x) + b*math.Log1p(-x))
	// The fraction converges fast only on this side; the other one follows from the symmetry.
	if x < (a+1)/(a+b+2) {
		return front * betaFraction(a, b, x) / a
	}
	return 1 - front*betaFraction(b, a, 1-x)/b
}

func betaFraction(a, b, x float64) float64 {
	const tiny = 1e-300
	guard := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/guard(1-(a+b)*x/(a+1))
	fraction := d
	for m := 1.0; m <= 10000; m++ {
		even := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d, c = 1/guard(1+even*d), guard(1+even/c)
		fraction *= d * c
		odd := -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d, c = 1/guard(1+odd*d), guard(1+odd/c)
		fraction *= d * c
		if math.Abs(d*c-1) < 1e-16 {
			break
		}
	}
	return fraction
}
