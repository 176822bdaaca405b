package compare

// What the tests of the outside see beside what all see.
var (
	CompareConformance = compareConformance
	CompareShape       = compareShape
	CompareLoad        = compareLoad
	QuantilesOf        = quantilesOf
	MetricNames        = metricNames
)
