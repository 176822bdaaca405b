package reports

// What the tests of package reports_test need of the inside.

var (
	MetricNames = metricNames
	QuantilesOf = quantilesOf
)

func (c *Comparison) Lead(old, new *Load) { c.lead(old, new) }
