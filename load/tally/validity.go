package tally

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"agstest/internal/figures"
	"agstest/load/hit"
	"agstest/load/limit"
	"agstest/load/unique"
	"agstest/reports"
)

// The rules by which the figures of a run speak of the service and not of the generator.
const (
	minSent  = 0.99 // of the hits the schedule asked for
	maxHeld  = 0.01 // of the hits waited for a worker, a client or the consumer of results
	MaxCPU   = 0.9  // of the cores that the process may use
	maxPause = 0.01
	// In a run of seconds one or two of these pass every percent; the lag of hits shows them there.
	minPause  = 50 * time.Millisecond
	minBehind = 10 // results
	// As many hits were due as a run was interrupted, or as the last recorded second of one ended that broke off, and were
	// never sent, or just after it.
	minUnsent    = 2
	maxThrottled = 0.01 // of the schedule's length
	maxStill     = 0.1  // of the time of a closed loop
	// maxBunched bounds the lag of hits that excuses no wrong answer: they came at most so much closer together than
	// asked.
	maxBunched       = time.Second
	minJudgedHits    = 1
	BehindAfter      = 10 * time.Millisecond // a result that waited for longer was held by the consumer
	ClockStepCounted = 10 * time.Millisecond
)

// invalid returns the reasons, in words, why the figures of a run do not show the service; none if they do. Closed
// marks a run without schedule: it sends when it can, so that neither lag nor load of the generator can be wrong. Late
// are the limits that the lag may have decided.
func invalid(r *reports.Load, late []string) []string {
	var reasons []string
	say := func(format string, args ...any) { reasons = append(reasons, fmt.Sprintf(format, args...)) }
	g, total := &r.Generator, r.Total
	if total.Sent < minJudgedHits {
		say("nothing was sent")
		return reasons
	}
	share := func(n int64) float64 { return float64(n) / float64(max(total.Asked, 1)) }
	if !r.Plan.Closed {
		if share(total.Sent) < minSent && !(r.Run.Partial != "" && total.Asked-total.Sent <= minUnsent) {
			say("only %s of %s hits that the schedule asked for were sent (%.1f %%; %.0f %% are needed)",
				figures.Count(total.Sent), figures.Count(total.Asked), share(total.Sent)*100, minSent*100)
		}
		if share(g.AtCap) > maxHeld {
			busy := "one of the " + figures.Count(g.MaxInFlight) + " workers, all of which were busy"
			if g.MaxInFlight == 1 {
				busy = "the one worker, which was busy"
			}
			say("%s (%.1f %%) waited for %s; their wait is in the response times; raise --workers",
				figures.Plural(g.AtCap, "hit"), share(g.AtCap)*100, busy)
		}
		if share(g.Starved) > maxHeld {
			say(
				"%s (%.1f %%) waited for a virtual client to be free%s; their wait is in the response times; give more clients%s",
				figures.Plural(g.Starved, "hit"), share(g.Starved)*100, askedAway(total), slowTurns(r))
		}
		reasons = append(reasons, lagInvalid(r, late)...)
		if g.CPUShare > MaxCPU {
			say("the generator used %.0f %% of its processors, so that its own delays are in the figures",
				g.CPUShare*100)
		}
		// The pauses together are the most by which they can delay a hit, so MaxLag allows that much.
		if paused := float64(g.GCPause.Mean) * float64(g.GCPause.Count); paused > max(maxPause*r.Plan.Seconds*1e9,
			float64(minPause), float64(r.Plan.MaxLag)) && r.Plan.Seconds > 0 {
			say("the garbage collector of the generator stopped it for %s in all",
				time.Duration(paused).Round(time.Millisecond))
		}
		if most := int64(maxThrottled * r.Plan.Seconds * 1e9); g.Throttled > most && most > 0 {
			say("the CPU limit of its container held the generator back %s, for %s in all; give it more CPU, or no limit",
				figures.Plural(g.ThrottledTimes, "time"), time.Duration(g.Throttled).Round(time.Millisecond))
		}
	}
	if n := total.Outcomes[hit.KindMachine]; n > 0 {
		say("%s (%.1f %%) found no connection, because this machine was out of file descriptors or local ports; raise the "+
			"limit (ulimit -n), or give fewer --workers",
			figures.Plural(n, "hit"), share(n)*100)
	}
	if share(g.Behind) > maxHeld && g.Behind >= minBehind {
		say("%s results (%.1f %%) waited to be taken up, as when the disk of --raw is slow", figures.Count(g.Behind),
			share(g.Behind)*100)
	}
	if step := time.Duration(g.ClockStep).Abs(); clockWasSet(r) {
		say("the clock of this machine was set by %s during the run", step.Round(time.Millisecond))
	}
	return reasons
}

// correctness are the kinds of wrong answers that no limit on errors excuses: the service gave something that is not
// right, which is worse than giving nothing.
var correctness = []string{hit.KindIdentity, hit.KindDuplicate, hit.KindToken, hit.KindShape}

// decide sets validity and verdict of a report whose figures and limits are in. Beyond are other reasons that make it
// invalid, late the limits that the lag of the generator may have decided, sure those that the service times alone
// break, held those of shards whose hits left late or waited and which are else valid. An invalid run is neither passed
// nor failed, unless that is sure.
func decide(r *reports.Load, beyond, late, sure []string, held ...string) {
	r.Invalid = append(append(invalid(r, late), held...), beyond...)
	r.Valid = len(r.Invalid) == 0
	defects := Defects(r)
	wrong := unforgivenInWords(r)
	failed, open := limitsLeft(r)
	switch {
	case r.Total.Sent == 0 && defects == "":
		r.Verdict, r.Reason = reports.Error, "nothing was sent, so nothing was tested"
	case defects != "":
		r.Verdict, r.Reason = reports.Fail, defects+brokenBesides(r, failed)
	case !r.Valid:
		r.Verdict, r.Reason = notValid(r, beyond, sure)
	case wholeIsMissing(r) && wrong != "": // whatever else came, these answers did
		r.Verdict, r.Reason = reports.Fail, wrong+"; besides, "+r.Run.Partial
	case wholeIsMissing(r):
		// Limits of a load that was not whole are neither kept nor broken.
		r.Verdict, r.Reason = reports.Inconclusive, r.Run.Partial
	case len(failed) > 0:
		r.Verdict, r.Reason = reports.Fail, "not kept: "+list(failed)
		if wrong != "" {
			r.Reason += "; " + wrong
		}
	case r.Storm != nil && r.Storm.Recovered < 0 && r.Run.Partial == "":
		r.Verdict, r.Reason = reports.Fail, stormNeverOver+r.Storm.AwayInWords()
	case wrong != "":
		r.Verdict, r.Reason = reports.Fail, wrong
	case r.Total.Right == 0 && r.Total.Wrong > 0 && r.Run.Partial == "":
		r.Verdict, r.Reason = reports.Fail, fmt.Sprintf("none of %s answers was right: %s",
			figures.Count(r.Total.Wrong), kindsInWords(r.Total.Outcomes))
	case r.Total.Right == 0:
		r.Verdict, r.Reason = reports.Error, "no answer came, so nothing was tested"
	default:
		r.Verdict, r.Reason = kept(r, open)
	}
	judgeKinds(r)
}

const stormNeverOver = "the storm ended before every client was signed in"

// brokenBesides names the limits that a valid run with a graver fault has not kept either.
func brokenBesides(r *reports.Load, failed []string) string {
	if !r.Valid || len(failed) == 0 {
		return ""
	}
	return "; not kept: " + list(failed)
}

// serviceTimesStand tells whether a run would be valid without the waits of hits before they were sent, and of results
// after their answers had been judged.
func serviceTimesStand(r *reports.Load) bool {
	sent, total := *r, *r.Total
	sent.Total, total.Asked = &total, total.Sent
	sent.Generator.AtCap, sent.Generator.Starved, sent.Generator.Lag = 0, 0, reports.Percentiles{}
	sent.Generator.Behind = 0
	return len(invalid(&sent, nil)) == 0
}

// notValid is the verdict of a run that is not valid: none, unless it fails whatever the generator did besides, or the
// service itself kept clients from sending.
func notValid(r *reports.Load, beyond, sure []string) (reports.Verdict, string) {
	failed := ""
	switch {
	case len(beyond) > 0:
	case len(sure) > 0 && serviceTimesStand(r):
		failed = "not kept, by the service times alone: " + list(sure)
	case onlyHeld(r):
		failed = spoken(r)
	}
	switch {
	case failed != "":
		return reports.Fail, failed + "; else the figures are not valid: " + r.Invalid[0]
	case len(beyond) == 0 && turnedAway(r):
		return reports.Inconclusive, "the load did not do what was asked, since the service asked its clients to come " +
			"again later: " + r.Invalid[0]
	}
	return reports.Invalid, r.Invalid[0]
}

// onlyHeld tells that a run is not valid for nothing but hits that waited for a client or a worker, or left some late.
// What the service said to others is none of their doing, as a service that asks clients to come again later, or that
// answers none, holds them itself.
func onlyHeld(r *reports.Load) bool {
	g, held := &r.Generator, maxHeld*float64(max(r.Total.Asked, 1))
	waited := float64(g.AtCap) > held || float64(g.Starved) > held
	some := g.Lag.P99 < int64(maxBunched) && float64(r.Total.Asked-r.Total.Sent) <= held
	return (waited || some) && serviceTimesStand(r)
}

// turnedAway tells that hits found no client free since the service had asked clients to come again later.
func turnedAway(r *reports.Load) bool {
	held := maxHeld * float64(max(r.Total.Asked, 1))
	return float64(r.Generator.Starved) > held && float64(r.Total.Outcomes[hit.KindThrottled]) > held &&
		serviceTimesStand(r)
}

// ofService are the kinds of wrong answers that are the service's own doing, or its gateway's, if the generator was not
// too busy to take answers up.
var ofService = []string{hit.KindStatus, hit.KindThrottled, hit.KindTimeout, hit.KindRefused, hit.KindReset,
	hit.KindTLS}

// spoken says which wrong answers of the service no limit allows, which limits they break by themselves, or that a
// storm never ended; empty: none of these.
func spoken(r *reports.Load) string {
	for _, kinds := range unforgiven(r) {
		for _, kind := range ofService {
			if kinds[kind] > 0 {
				return unforgivenInWords(r)
			}
		}
	}
	never := r.Storm != nil && r.Storm.Recovered < 0 && r.Run.Partial == ""
	var broken []string
	for _, l := range r.Limits {
		parsed, err := limit.Parse(l.Expression)
		if err != nil || l.Verdict != reports.Fail {
			continue
		}
		of := r.Total
		if parsed.Operation != "" {
			of = r.Operations[parsed.Operation]
		}
		if never && parsed.OfStorm() || parsed.OfShare() && of != nil && allOfService(of) {
			broken = append(broken, l.Expression)
		}
	}
	switch {
	case len(broken) > 0 && unanswered(r.Total):
		return "not kept, by what the service answered and left unanswered: " + list(broken)
	case len(broken) > 0:
		return "not kept, by what the service answered: " + list(broken)
	case never:
		return stormNeverOver + r.Storm.AwayInWords()
	}
	return ""
}

// unanswered tells that the service left hits without a whole answer.
func unanswered(o *reports.Operation) bool {
	for _, kind := range []string{hit.KindTimeout, hit.KindRefused, hit.KindReset, hit.KindTLS} {
		if o.Outcomes[kind] > 0 {
			return true
		}
	}
	return false
}

// allOfService tells that every wrong answer is the service's own doing.
func allOfService(o *reports.Operation) bool {
	for kind, n := range o.Outcomes {
		if n > 0 && !slices.Contains(ofService, kind) {
			return false
		}
	}
	return true
}

// wholeIsMissing tells whether a part of a load of several shards did not come home.
func wholeIsMissing(r *reports.Load) bool { return len(r.ShardRuns) > 0 && r.Run.Partial != "" }

// kept is the verdict of a run in which nothing was broken: a pass, unless something was left open.
func kept(r *reports.Load, open []string) (reports.Verdict, string) {
	switch {
	case len(open) > 0:
		return reports.Inconclusive, "not decided: " + list(open)
	case r.Run.Partial != "":
		return reports.Inconclusive, "the run ended early: " + r.Run.Partial
	case stoodStill(r) > maxStill:
		return reports.Inconclusive, fmt.Sprintf(
			"the load stood still for %.0f %% of the time, as no virtual client was free%s", stoodStill(r)*100,
			askedAway(r.Total))
	case r.SetUp != nil:
		return reports.Warn, keptInWords(r) + "; " + r.SetUp.String()
	}
	return reports.Pass, keptInWords(r)
}

// stoodStill is the share of its time for which no worker of a closed loop had a client to send for.
func stoodStill(r *reports.Load) float64 {
	return float64(r.Generator.StoodStill) / 1e9 / max(r.Plan.Seconds, 1)
}

// askedAway says in brackets how many answers asked a client to come again later, which it does not take part until;
// empty: none.
func askedAway(total *reports.Operation) string {
	if n := total.Outcomes[hit.KindThrottled]; n > 0 {
		return fmt.Sprintf(" (%s asked one to come again later)", figures.Plural(n, "answer"))
	}
	return ""
}

// slowTurns says how much the clients of a run can send at most where each waits for its answer, if that is less than
// was asked: then the service is what is slow; empty: it is not.
func slowTurns(r *reports.Load) string {
	median := r.Total.Service.P50
	if median <= 0 || r.Plan.Clients == 0 || r.Plan.Seconds <= 0 {
		return ""
	}
	most := float64(r.Plan.Clients) * 1e9 / float64(median)
	if most >= float64(r.Total.Asked)/r.Plan.Seconds {
		return ""
	}
	return fmt.Sprintf(" (the service took %s for an answer, at the median: %s send %s at most)",
		figures.Milliseconds(median), figures.Plural(int64(r.Plan.Clients), "client"), figures.Rate(most))
}

// Defects describes the wrong answers that no limit excuses; empty if there are none.
func Defects(r *reports.Load) string {
	switch bad, before, across := notRight(r); {
	case bad > 0:
		return fmt.Sprintf("%s of %s answers %s not right: %s", figures.Count(bad),
			figures.Count(r.Total.Right+r.Total.Wrong), figures.Verb(bad, "was", "were"), kindsInWords(unexcused(r)))
	case across > 0:
		return fmt.Sprintf("%s times something that must be unique came to clients of two shards",
			figures.Count(across))
	case before > 0:
		return fmt.Sprintf("%s before the clock started %s answered with something that is not right: %s",
			figures.Plural(before, "call"), figures.Verb(before, "was", "were"), firstOfSetUp(r))
	}
	return ""
}

// firstOfSetUp is what the first wrong answer before the clock started was.
func firstOfSetUp(r *reports.Load) string {
	for i := range r.Wrong {
		if r.Wrong[i].Operation == hit.SetUp {
			return r.Wrong[i].Message
		}
	}
	return ""
}

// notRight counts the wrong answers that no limit excuses: during the run, before the clock started, and
// values that came to clients of two shards.
func notRight(r *reports.Load) (bad, before, across int64) {
	for _, times := range unexcused(r) {
		bad += times
	}
	for i, w := range r.Wrong {
		if w.Operation == unique.AllShards {
			across = w.Times
		}
		told := func(other reports.Wrong) bool { return other.Operation == w.Operation && other.Kind == w.Kind }
		if w.Kind == hit.KindToken && clockWasSet(r) {
			continue
		}
		if w.Operation == hit.SetUp && !slices.ContainsFunc(r.Wrong[:i], told) {
			before += w.Times
		}
	}
	return bad, before, across
}

// clockWasSet tells that the times in tokens were compared with a clock that was wrong. Then the run is not valid.
func clockWasSet(r *reports.Load) bool {
	return r.ClockWasSet()
}

// unexcused are the wrong answers of kinds that no limit excuses, by kind.
func unexcused(r *reports.Load) map[string]int64 {
	found := map[string]int64{}
	for _, kind := range correctness {
		if kind == hit.KindToken && clockWasSet(r) {
			continue
		}
		if times := r.Total.Outcomes[kind]; times > 0 {
			found[kind] = times
		}
	}
	return found
}

// limitsLeft are the limits that were not kept, and those that were not decided.
func limitsLeft(r *reports.Load) (failed, open []string) {
	for _, l := range r.Limits {
		switch l.Verdict {
		case reports.Pass:
		case reports.Fail:
			failed = append(failed, l.Expression)
		default:
			open = append(open, l.Expression)
		}
	}
	return failed, open
}

// keptInWords says why a run passes, and how many answers were wrong all the same.
func keptInWords(r *reports.Load) string {
	wrong := ""
	if r.Total.Wrong > 0 {
		wrong = fmt.Sprintf("; %s of %s answers were wrong (%s)", figures.Count(r.Total.Wrong),
			figures.Count(r.Total.Right+r.Total.Wrong), kindsInWords(r.Total.Outcomes))
	}
	switch {
	case len(r.Limits) == 0 && wrong != "": // a storm, whose clients were asked to come again later
		return fmt.Sprintf("every client was signed in; %s of %s answers asked to come again later; no limit was set",
			figures.Count(r.Total.Wrong), figures.Count(r.Total.Right+r.Total.Wrong))
	case len(r.Limits) == 0:
		if r.Total.Right == 1 {
			return "the one answer was right; no limit was set"
		}
		return fmt.Sprintf("all %s answers were right; no limit was set", figures.Count(r.Total.Right))
	case len(r.Limits) == 1:
		return "the limit was kept" + wrong
	}
	return fmt.Sprintf("all %d limits were kept", len(r.Limits)) + wrong
}

// kindsInWords lists the kinds of wrong answers, the most frequent first.
func kindsInWords(outcomes map[string]int64) string {
	kinds := make([]string, 0, len(outcomes))
	for kind := range outcomes {
		kinds = append(kinds, kind)
	}
	slices.SortFunc(kinds, func(a, b string) int {
		if d := outcomes[b] - outcomes[a]; d != 0 {
			return int(min(max(d, -1), 1))
		}
		return strings.Compare(a, b)
	})
	for i, kind := range kinds {
		kinds[i] = fmt.Sprintf("%s %d", kind, outcomes[kind])
	}
	return list(kinds)
}

func list(words []string) string { return strings.Join(words, ", ") }
