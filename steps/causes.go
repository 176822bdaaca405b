package steps

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"sort"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/reports"
)

// causePrefix begins the id of a cause, so that no requirement is mistaken for one.
const causePrefix = "C-"

var (
	// saidStatus is how a finding tells which answer came: a step's "status 403 with sub-code 20001", or the reason of a scenario that
	// could not start.
	saidStatus = regexp.MustCompile(`^(?:.*\b(?:answered with |got |refused too \())?(status [0-9]{3}(?: with sub-code [0-9]+)?)`)
	// wantedStatus is how a step asks for one of the statuses of good answers, and ERR-09 for one that the page lists.
	wantedStatus = regexp.MustCompile(`^(?:one of |status 20[01]\b)`)
	// trail is what a random sequence or a moment adds to a finding.
	trail = regexp.MustCompile(`(?: after: |; request [0-9]+ of seed ).*$`)
	// particular is what differs from run to run: quoted values, places in a text, moments, marks of secrets, and words made of letters and digits.
	particular = regexp.MustCompile(`"[^"]*"|\bbyte [0-9]+|\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?|‹[^›]*›|\b[0-9]{6,}\b|\b[A-Za-z_.-]*(?:[A-Za-z_][0-9]|[0-9][A-Za-z_])[\w.-]*`)
)

// causeOf is the id of the cause of a finding: findings with the same call, the same expectation and the same answer have one cause,
// whichever requirement they miss. A good answer that was wanted and did not come is one cause however it was asked for: by the
// requirement itself, by another that starts from such an answer, or by a scenario that could not start without it. What differs from
// run to run is left out, so that the id of a cause stays the same.
func causeOf(operation string, outcome check.Outcome, expected, got string) string {
	got = trail.ReplaceAllString(got, "")
	said := saidStatus.FindStringSubmatch(got)
	if said != nil && (outcome == check.Unknown || wantedStatus.MatchString(expected)) {
		expected, got = "a good answer", said[1]
	}
	text := operation + "\n" + particular.ReplaceAllString(expected, "…") + "\n" + particular.ReplaceAllString(got, "…")
	sum := sha256.Sum256([]byte(text))
	return causePrefix + hex.EncodeToString(sum[:4])
}

// blame gives every finding that counts its cause.
func blame(findings []finding, exchanges []*exchange) {
	for i := range findings {
		f := &findings[i]
		if f.skipped || f.outcome == check.Held || f.outcome == check.Observed {
			continue
		}
		operation := ""
		if f.exchange >= 0 && f.exchange < len(exchanges) {
			operation = exchanges[f.exchange].Call.Operation
		}
		if strings.HasPrefix(f.got, strangeDevice) { // whichever call describes it
			operation = ""
		}
		f.cause = causeOf(operation, f.outcome, f.expected, f.got)
	}
}

// knownCause finds the entry of the list of known departures that names a cause.
func (r *run) knownCause(cause string) (KnownDeparture, bool) {
	if cause == "" {
		return KnownDeparture{}, false
	}
	d, ok := r.known[cause]
	return d, ok && !d.expired(r.now)
}

// causes are the causes of everything in the report that failed, warned, could not be told or is known, the gravest first and of those
// the ones with most requirements. The first finding in the order of the features that has an exchange is the evidence.
func (r *run) causes(entries []entry) []reports.Cause {
	order := map[string]int{}
	for i, requirement := range ags.Requirements {
		order[requirement.ID] = i
	}
	var list []reports.Cause
	at := map[string]int{}
	for _, e := range entries {
		if e.cut {
			continue
		}
		for _, f := range e.findings {
			verdict := r.weigh(f)
			if f.cause == "" || verdict.Rank() > reports.Warn.Rank() {
				continue
			}
			i, seen := at[f.cause]
			if !seen {
				i = len(list)
				at[f.cause] = i
				list = append(list, reports.Cause{ID: f.cause, Verdict: verdict, Exchange: -1})
			}
			c := &list[i]
			c.Times++
			c.Verdict = reports.Graver(c.Verdict, verdict)
			if d, ok := r.knownCause(f.cause); ok {
				c.Known = d.report()
			}
			if !slices.Contains(c.Requirements, f.requirement) {
				c.Requirements = append(c.Requirements, f.requirement)
			}
			if !slices.Contains(c.Scenarios, e.record.ID) {
				c.Scenarios = append(c.Scenarios, e.record.ID)
			}
			plainer := strings.HasPrefix(c.Expected, "one of ") && strings.HasPrefix(f.expected, "status ")
			if c.Scenario == "" || c.Expected == "" && f.expected != "" || plainer || c.Exchange < 0 && f.exchange >= 0 {
				c.Expected, c.Got = r.secrets.Text(f.expected), r.secrets.Text(f.got)
				c.Scenario, c.Exchange = e.record.ID, f.exchange
				if f.exchange >= 0 && f.exchange < len(e.exchanges) {
					c.Operation = e.exchanges[f.exchange].Call.Operation
				}
			}
		}
	}
	for i := range list {
		list[i].Tries = triesOf(entries, list[i].ID)
		sort.Slice(list[i].Requirements, func(a, b int) bool { return order[list[i].Requirements[a]] < order[list[i].Requirements[b]] })
	}
	sort.SliceStable(list, func(i, j int) bool {
		if a, b := list[i].Verdict.Rank(), list[j].Verdict.Rank(); a != b {
			return a < b
		}
		return len(list[i].Requirements) > len(list[j].Requirements)
	})
	return list
}

// isCause tells the id of a cause from that of a requirement.
func isCause(id string) bool { return strings.HasPrefix(id, causePrefix) }
