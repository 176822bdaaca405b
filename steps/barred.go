package steps

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"agstest/internal/wire"
)

// noteBarred reports calls that a gateway refused with its own page, as a firewall does: whose page it was, and of
// which calls.
func noteBarred(entries []entry) []string {
	calls := map[string]map[string]bool{}
	for _, e := range entries {
		for _, x := range slices.Concat(e.exchanges, e.others) {
			maker := wire.BarredBy(x.Exchange)
			if maker == "" {
				continue
			}
			if calls[maker] == nil {
				calls[maker] = map[string]bool{}
			}
			calls[maker][cmp.Or(x.Call.Operation, "other paths")] = true
		}
	}
	var notes []string
	for _, maker := range slices.Sorted(maps.Keys(calls)) {
		notes = append(notes, fmt.Sprintf("pages of %s came in place of the service's answers: a firewall or another rule there refused requests to %s, and nothing of that is held against the service; "+
			"ask who runs it to let them through", maker, strings.Join(slices.Sorted(maps.Keys(calls[maker])), ", ")))
	}
	return notes
}
