package compare

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// named lists the metrics of a job with a verdict, four at most.
func (job *Interleaved) named(verdict reports.Verdict) (names []string) {
	for k := range job.Metrics {
		if m := &job.Metrics[k]; m.Verdict == verdict {
			names = append(names, fmt.Sprintf("%s %s (%s)", m.Name(), m.ChangeWords(m.Change), m.IntervalWords()))
		}
	}
	if more := len(names) - 4; more > 0 {
		names = append(names[:4], fmt.Sprintf("and %d more", more))
	}
	return names
}

// settleOpen is the verdict where a worse build cannot be ruled out, or where too little was measured.
func (c *Comparison) settleOpen(open []string, needed bool) {
	c.Verdict = reports.Inconclusive
	var reasons []string
	if len(open) > 0 {
		reasons = append(reasons, "A worse build cannot be ruled out: "+strings.Join(open, "; ")+".")
	}
	if needed {
		reasons = append(reasons, "Some operations had too few answers in a block to be judged.")
	}
	c.Reason = strings.Join(reasons, " ")
	smallest := 0.0
	for _, m := range c.Interleaved.Metrics {
		if m.Metric == "p50" && len(m.Rounds) > 0 {
			smallest = math.Max(smallest, m.Smallest)
		}
	}
	if smallest > 0 {
		c.Reason += fmt.Sprintf(" The smallest change of p50 that this job could have seen is %s.",
			strings.TrimPrefix(figures.Change(smallest), "+"))
	}
	if more := c.Interleaved.moreHits(); needed && more > 1 {
		c.Advice = append(c.Advice,
			fmt.Sprintf("Send %.1f times as many hits a block: a higher --rate, or a longer --block.", more))
	}
	if len(open) > 0 || !needed {
		c.Advice = append(c.Advice, "Run more pairs or a higher rate; four times the pairs halve what can be seen.")
	}
}

// moreHits is how many times as many hits a block needs for all figures to be judged but p99, which may stay out.
func (job *Interleaved) moreHits() float64 {
	most := 0.0
	for k := range job.Metrics {
		if m := &job.Metrics[k]; m.Verdict == reports.Skipped && m.Metric != "p99" {
			most = math.Max(most, m.more)
		}
	}
	return most
}

// settleUnfit sets the verdict if the answers of the builds are wrong, or nothing can be concluded from them; false:
// the comparison can be judged.
func (c *Comparison) settleUnfit(regressed []string) bool {
	job := c.Interleaved
	judged := slices.ContainsFunc(job.Metrics, func(m MetricComparison) bool { return len(m.Rounds) > 0 })
	short := len(job.Rounds) == 0 ||
		slices.ContainsFunc(job.Rounds, func(r Round) bool { return len(r.Pairs) < job.Plan.Pairs })
	untrue, both := c.untrue()
	silent := c.silent()
	many, before := job.manyWrong()
	if uncounted, too := job.manyUncounted(); len(uncounted) > 0 {
		many, before = append(many, uncounted...), before && too
	}
	// Wrong answers are wrong whatever the two differ in, unless the generator is to blame for those of the new build.
	sound := c.sound
	switch {
	case sound && len(regressed) == 0 && len(silent) > 0:
		c.Verdict = reports.Fail
		c.Reason = "The new build gave not one right answer to " + strings.Join(silent,
			" and ") + ", and neither did the old one."
		c.Advice = append(c.Advice, "Look at the wrong answers first: what is never right cannot be compared.")
	case sound && len(untrue) > 0 && !job.Plan.AA:
		c.Verdict = reports.Regressed
		c.Reason = "The new build gave answers that were not right, and the old one gave none of that kind: " +
			strings.Join(untrue, "; ") + "."
		if len(regressed) > 0 {
			c.Reason += " It is also worse in: " + strings.Join(regressed, "; ") + "."
		}
		c.Advice = append(c.Advice,
			"Look at the wrong answers in the notes first: no response time excuses an answer that belongs to another client "+
				"or a token that breaks a rule.")
	case sound && len(regressed) == 0 && len(both) > 0 && !job.Plan.AA:
		c.Verdict = reports.Fail
		c.Reason = "Both builds gave answers that were not right: of the new one " + strings.Join(both, "; ") + "."
		c.Advice = append(c.Advice, "Look at the wrong answers first: that the old build gives them too excuses none.")
	case sound && len(many) > 0:
		c.settleMany(many, before, regressed)
	case len(c.NotComparable) > 0:
		c.Verdict = reports.NotComparable
		c.Reason = "The two builds cannot be compared by this job: " + strings.Join(c.NotComparable, " ")
		c.Advice = append(c.Advice,
			"Mend what the reason names and run the job again; lower the rate if it was the generator.")
	case !judged:
		c.Verdict, c.Reason = reports.Inconclusive, "No figure could be judged"+c.whyShort()
	case short:
		c.Verdict, c.Reason = reports.Inconclusive, "The job ended before all its pairs of blocks were measured"+c.whyShort()
	default:
		return false
	}
	return true
}

// maxWrong is the share of wrong answers from which on a build is not fit to be compared: the times of the others do
// not stand for it any more. A job has at least fewestWrong of them then.
const (
	maxWrong    = 0.05
	fewestWrong = 10
)

// manyWrong lists the operations to which the new build gave many wrong answers in every round, with the shares of
// both; before tells whether the old one did so, too, in all of them.
func (job *Interleaved) manyWrong() (found []string, before bool) {
	before = true
	for _, operation := range job.Operations() {
		var total [4]int64
		always := len(job.Rounds) > 0
		for _, round := range job.Rounds {
			sent, wrong := int64(0), int64(0)
			for _, pair := range round.Pairs {
				old, new := pair.Old[operation], pair.New[operation]
				total[0], total[1] = total[0]+old.Wrong, total[1]+old.Sent
				wrong, sent = wrong+new.Wrong, sent+new.Sent
			}
			total[2], total[3] = total[2]+wrong, total[3]+sent
			always = always && wrong >= fewestWrong && float64(wrong) > maxWrong*float64(sent)
		}
		if always {
			found = append(found, fmt.Sprintf("%s of %s (before: %s)", figures.Percent(total[2], total[3]), operation,
				figures.Percent(total[0], total[1])))
			before = before && float64(total[0]) > maxWrong*float64(total[1])
		}
	}
	return found, before
}

// manyUncounted is manyWrong for the answers that no figure counts, in any round: a service that was warm in the second
// one was wrong in the first all the same.
func (job *Interleaved) manyUncounted() (found []string, before bool) {
	before = true
	add := func(part Uncounted, when string) {
		for _, operation := range job.Operations() {
			old, new := part.Old[operation], part.New[operation]
			if new.Wrong < fewestWrong || float64(new.Wrong) <= maxWrong*float64(new.Sent) {
				continue
			}
			found = append(found, fmt.Sprintf("%s of %s %s (before: %s)", figures.Percent(new.Wrong, new.Sent),
				operation, when, figures.Percent(old.Wrong, old.Sent)))
			before = before && float64(old.Wrong) > maxWrong*float64(old.Sent)
		}
	}
	for _, round := range job.Rounds {
		add(round.WarmUp, "in the warm-up")
		add(round.Settling, "at the start of blocks")
	}
	return found, before
}

// whyShort says why the job ended early, up to the full stop.
func (c *Comparison) whyShort() string {
	if c.Run.Partial == "" {
		return "."
	}
	return ": " + strings.TrimSuffix(c.Run.Partial, ".") + "."
}

// settleMany is the verdict on a build that gave many wrong answers, with what is worse besides.
func (c *Comparison) settleMany(many []string, before bool, regressed []string) {
	c.Verdict = reports.Regressed
	c.Reason = "Many answers of the new build were wrong: " + strings.Join(many, "; ") + "."
	switch {
	case len(regressed) > 0:
		c.Reason += " Worse are: " + strings.Join(regressed, "; ") + "."
		c.sayConfirmed()
	case before:
		c.Verdict = reports.Fail
		c.Reason = "Many answers of both builds were wrong: " + strings.Join(many, "; ") + "."
	}
	c.Advice = append(c.Advice,
		"Look at the wrong answers first: the response times of the others do not stand for the build. Lower the rate if a "+
			"limiter gave them.")
}

// sayConfirmed tells that what is worse was so in a second round too.
func (c *Comparison) sayConfirmed() {
	if len(c.Interleaved.Rounds) > 1 {
		c.Reason += " A second round confirmed it."
	}
}

// timesOf are the metrics given, but none where the figures are not valid: then times tell nothing.
func (c *Comparison) timesOf(regressed []string) []string {
	if len(c.Interleaved.Invalid) > 0 {
		return nil
	}
	return regressed
}

// settleInterleaved draws the verdict of the whole job from its metrics.
func (c *Comparison) settleInterleaved() {
	job := c.Interleaved
	needed := slices.ContainsFunc(job.Metrics, func(m MetricComparison) bool {
		return m.Verdict == reports.Skipped &&
			m.Metric != "p99"
	})
	regressed, improved, open := job.named(reports.Regressed), job.named(reports.Improved), job.named(
		reports.Inconclusive)
	switch {
	case c.settleUnfit(c.timesOf(regressed)):
	case job.Plan.AA && len(regressed)+len(improved) > 0:
		c.Verdict = reports.Fail
		c.Reason = "One build was told apart from itself: " + strings.Join(append(regressed, improved...), "; ") + "."
		c.Advice = append(c.Advice,
			"Do not trust a verdict from this place until a comparison of one build with itself passes: look for what differs "+
				"between the two sides, such as their nodes, proxies or clients.")
	case job.Plan.Placement == Uncontrolled:
		c.Verdict = reports.Inconclusive
		c.Reason = "It is not known that both builds ran at the same place, and a difference of places looks like a " +
			"difference of builds."
		if len(regressed) > 0 {
			c.Reason += " Measured: " + strings.Join(regressed, "; ") + "."
		}
		c.Advice = append(c.Advice,
			"Let the two builds change places at half-time, or run them at the same place and say so.")
	case len(regressed) > 0:
		c.Verdict = reports.Regressed
		c.Reason = "The new build is worse: " + strings.Join(regressed, "; ") + "."
		c.sayConfirmed()
		c.Advice = append(c.Advice,
			"Look at the shift of response times first: a shift of all quantiles speaks of the whole path, one of the tail "+
				"alone of queues, locks or pauses.")
	case len(open) > 0 || needed:
		c.settleOpen(open, needed)
	case len(improved) > 0:
		c.Verdict = reports.Improved
		c.Reason = "The new build is better, and worse in nothing that was judged: " + strings.Join(improved,
			"; ") + "."
	case job.Plan.AA:
		c.Verdict, c.Reason = reports.Pass, "One build was not told apart from itself, as it should be."
	default:
		c.Verdict, c.Reason = reports.Pass, "The new build is not worse: every change over the tolerated one is ruled out."
	}
	c.noteSkipped()
}

// noteSkipped names the figures that could not be judged.
func (c *Comparison) noteSkipped() {
	job := c.Interleaved
	for k := range job.Metrics {
		if m := &job.Metrics[k]; m.Verdict == reports.Skipped {
			c.Notes = append(c.Notes, fmt.Sprintf("%s: %s", m.Name(), m.Reason))
		}
	}
	c.Notes = append(c.Notes, "Response times are compared over right answers only; wrong ones have their own test.")
}

// noteSides adds what the load runs of both sides remark.
func (c *Comparison) noteSides(old, new []string) {
	for _, note := range old {
		if slices.Contains(new, note) {
			c.Notes = append(c.Notes, "Both sides: "+note)
		} else {
			c.Notes = append(c.Notes, "Old side: "+note)
		}
	}
	for _, note := range new {
		if !slices.Contains(old, note) {
			c.Notes = append(c.Notes, "New side: "+note)
		}
	}
}

// untrueKinds are the kinds of wrong answers of which a single one is a defect, however rare.
var untrueKinds = []string{"identity", "duplicate", "token", "shape"}

// untrue lists the kinds of such answers that the new build gave and the old one did not, and those that both gave,
// whose shares are judged like those of other wrong answers besides.
func (c *Comparison) untrue() (found, both []string) {
	for _, o := range c.Load.Operations {
		if o.Old == nil || o.New == nil || o.Operation == allOperations {
			continue
		}
		for _, kind := range untrueKinds {
			n := o.New.Outcomes[kind]
			words := fmt.Sprintf("%s of %s (%s)", figures.Plural(n, "answer"), o.Operation, kind)
			switch {
			case n > 0 && o.Old.Outcomes[kind] == 0:
				found = append(found, words)
			case n > 0:
				both = append(both, words)
			}
		}
	}
	for _, kind := range untrueKinds {
		n := c.early[1][kind]
		words := fmt.Sprintf("%s before the clock started (%s)", figures.Plural(n, "answer"), kind)
		switch {
		case n > 0 && c.early[0][kind] == 0:
			found = append(found, words)
		case n > 0:
			both = append(both, words)
		}
	}
	return found, both
}

// silent lists the operations to which neither build gave a right answer.
func (c *Comparison) silent() []string {
	var found []string
	for _, o := range c.Load.Operations {
		if o.Operation != allOperations && o.Old != nil && o.New != nil && o.New.Wrong > 0 &&
			o.New.Right+o.Old.Right == 0 {
			found = append(found, o.Operation)
		}
	}
	return found
}
