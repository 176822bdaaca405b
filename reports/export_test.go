package reports

// What the tests of package reports_test need of the inside.

const (
	BaselinesFile = baselinesFile
	IndexFile     = indexFile
	MarkPrefix    = markPrefix
)

var (
	EntryOf     = entryOf
	MetricNames = metricNames
	QuantilesOf = quantilesOf
	ReadIndex   = readIndex
)

func (c *Comparison) Lead(old, new *Load) { c.lead(old, new) }
