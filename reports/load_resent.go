package reports

import (
	"fmt"
	"slices"
	"strings"

	"agstest/internal/figures"
)

// Resent says how many requests were sent once more, of which operations; empty if none was.
func (l *Load) Resent() string {
	whole := l.Whole()
	if whole.Resent == 0 {
		return ""
	}
	var parts []string
	for name, o := range l.Operations {
		if o.Resent > 0 {
			parts = append(parts, fmt.Sprintf("%s of %s", figures.Count(o.Resent), name))
		}
	}
	slices.Sort(parts)
	return fmt.Sprintf("%s of %s resent (%s): the service, or a gateway, had closed the kept connection before it had "+
		"the whole request. Each was sent once more on a fresh connection; response times count from when it was due.",
		figures.PluralOf(whole.Resent, "request", "requests"), figures.Count(whole.Sent), strings.Join(parts, ", "))
}
