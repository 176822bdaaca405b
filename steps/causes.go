package steps

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/reports"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// causePrefix begins the id of a cause, so that no requirement is mistaken for one.
const causePrefix = "C-"

var (
	// saidStatus is how a finding tells which answer came: a step's "status 403 with sub-code 20001", or the reason of a
	// scenario that could not start.
	saidStatus = regexp.MustCompile(
		`^(?:.*\b(?:answered with |got |refused too \())?(status [0-9]{3}(?: with sub-code [0-9]+)?)`)
	// wantedStatus matches how a step asks for one of the statuses of good answers, and ERR-09 for a status that the
	// page lists.
	wantedStatus = regexp.MustCompile(`^(?:one of |status 20[01]\b)`)
	// trail matches what a random sequence or a moment adds to a finding.
	trail = regexp.MustCompile(`(?: after: |; request [0-9]+ of seed ).*$`)
	// particular matches text that differs from run to run: quoted values, places in a text, moments, marks of secrets,
	// and words made of letters and digits.
	particular = regexp.MustCompile(
		`"[^"]*"|\bbyte [0-9]+|\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z?|‹[^›]*›|\b[0-9]{6,}\b|\b[A-Za-z_.-]*(?:[A-Za-z_][0-9]|[0-9][A-Za-z_])[\w.-]*`)
)

// causeOf returns the id of the cause of a finding: findings with the same call, expectation and answer have one cause,
// whichever requirement they miss. A good answer that did not come is one cause, whoever asked for it: the requirement
// itself, another that starts from such an answer, or a scenario that could not start without it. Text that differs
// from run to run is left out, so that the id of a cause stays the same.
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
func blame(findings []talk.Finding, exchanges []*talk.Exchange) {
	for i := range findings {
		f := &findings[i]
		if f.Skipped || f.Outcome == check.Held || f.Outcome == check.Observed {
			continue
		}
		operation := ""
		if f.Exchange >= 0 && f.Exchange < len(exchanges) {
			operation = exchanges[f.Exchange].Call.Operation
		}
		// whichever call it is
		if strings.HasPrefix(f.Got, scene.StrangeDevice) || strings.HasPrefix(f.Got, check.PassingFault) {
			operation = ""
		}
		f.Cause = causeOf(operation, f.Outcome, f.Expected, f.Got)
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

// causes are the causes of everything in the report that failed, warned, could not be told or is known, the gravest
// first and of those the ones with most requirements. The first finding in the order of the features that has an
// exchange is the evidence.
func (r *run) causes(entries []entry) []reports.Cause {
	order := orderOfCatalogue()
	var list []reports.Cause
	at := map[string]int{}
	for _, e := range entries {
		if e.cut {
			continue
		}
		for _, f := range e.findings {
			verdict := r.weigh(f)
			if f.Cause == "" || verdict.Rank() > reports.Warn.Rank() {
				continue
			}
			i, seen := at[f.Cause]
			if !seen {
				i = len(list)
				at[f.Cause] = i
				list = append(list, reports.Cause{ID: f.Cause, Verdict: verdict, Exchange: -1})
			}
			r.addTo(&list[i], f, verdict, e)
		}
	}
	for i := range list {
		list[i].Tries = triesOf(entries, list[i].ID)
		slices.SortFunc(list[i].Requirements, func(a, b string) int { return cmp.Compare(order[a], order[b]) })
	}
	slices.SortStableFunc(list, func(a, b reports.Cause) int {
		return cmp.Or(cmp.Compare(a.Verdict.Rank(), b.Verdict.Rank()), cmp.Compare(len(b.Requirements), len(a.Requirements)))
	})
	return list
}

// addTo adds a finding to its cause, which is shown by the plainest of them.
func (r *run) addTo(c *reports.Cause, f talk.Finding, verdict reports.Verdict, e entry) {
	c.Times++
	c.Verdict = reports.Graver(c.Verdict, verdict)
	if d, ok := r.known[f.Cause]; ok { // expired or not: reports say which
		c.Known = d.report()
	}
	if !slices.Contains(c.Requirements, f.Requirement) {
		c.Requirements = append(c.Requirements, f.Requirement)
	}
	if !slices.Contains(c.Scenarios, e.record.ID) {
		c.Scenarios = append(c.Scenarios, e.record.ID)
	}
	plainer := strings.HasPrefix(c.Expected, "one of ") && strings.HasPrefix(f.Expected, "status ")
	if c.Scenario == "" || c.Expected == "" && f.Expected != "" || plainer || c.Exchange < 0 && f.Exchange >= 0 {
		c.Expected, c.Got = r.Secrets.Text(f.Expected), r.Secrets.Text(f.Got)
		c.Scenario, c.Exchange = e.record.ID, f.Exchange
		if f.Exchange >= 0 && f.Exchange < len(e.exchanges) {
			c.Operation = e.exchanges[f.Exchange].Call.Operation
		}
	}
}

// orderOfCatalogue is the place of each requirement.
func orderOfCatalogue() map[string]int {
	order := map[string]int{}
	for i, requirement := range ags.Requirements {
		order[requirement.ID] = i
	}
	return order
}

// isCause tells the id of a cause from that of a requirement.
func isCause(id string) bool { return strings.HasPrefix(id, causePrefix) }
