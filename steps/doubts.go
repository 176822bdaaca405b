package steps

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
	"agstest/reports"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// maxClockSet is by how much the clock of this machine may be set during a run. Time services slew it by less.
const maxClockSet = time.Second

// clockSet is by how much the clock of this machine was set from one moment to another: what passed on it, less what
// passed.
func clockSet(from, to time.Time) time.Duration {
	return to.Round(0).Sub(from.Round(0)) - to.Sub(from)
}

// doubtTimes takes back the misses of a scenario if the clock of this machine was set since the run began, because
// times are compared with that clock. The run tells of it once.
func (r *run) doubtTimes(p *play) {
	set := clockSet(r.now, r.clock())
	if set.Abs() <= maxClockSet {
		set = p.clockSet // it was set back since
	}
	if set.Abs() <= maxClockSet {
		return
	}
	note := fmt.Sprintf("the clock of this machine was set by %s during the run, so that nothing can be told of times",
		set.Round(time.Second))
	r.NoteOnce(note)
	for i, f := range p.world.Findings {
		if !f.Skipped && (f.Outcome == check.Broken || f.Outcome == check.Soft) {
			p.world.Findings[i].Outcome, p.world.Findings[i].Got = check.Unknown, note+"; found was: "+f.Got
		}
	}
	for i, step := range p.record.Steps {
		if step.Verdict == reports.Fail || step.Verdict == reports.Warn || step.Verdict == reports.Known {
			p.record.Steps[i].Verdict, p.record.Steps[i].Message = reports.Error, note+"; found was: "+step.Message
		}
	}
}

// fewestUsual is how many refusals of other calls have to look otherwise before one is a stranger among them.
const fewestUsual = 5

// refusalForm is the common form of refusals of one maker.
type refusalForm struct {
	operation string
	page      bool
	title     string   // of the page
	members   []string // of the JSON object
}

func formOf(x *talk.Exchange) refusalForm {
	form := refusalForm{operation: x.Request.Operation}
	if form.title, form.page = wire.GatewayPage(x.Exchange); form.page {
		return form
	}
	if body, _ := strictjson.Parse(x.Body); body != nil && body.Kind == ags.Object {
		for _, m := range body.Members {
			form.members = append(form.members, strings.ToLower(m.Name))
		}
	}
	return form
}

// alike tells whether two refusals may come from the same maker.
func (f refusalForm) alike(other refusalForm) bool {
	if f.page || other.page {
		return f.page == other.page
	}
	return slices.ContainsFunc(f.members, func(name string) bool { return slices.Contains(other.members, name) })
}

// doubtStrangers looks back at the refusals that scenarios took for the service's. One that looks unlike those of all
// other calls, as the page of a firewall does, is no refusal of the service: nobody knows whether the service would
// have refused.
func (r *run) doubtStrangers() {
	forms := map[*talk.Exchange]refusalForm{}
	for _, list := range r.Relied {
		for _, x := range list {
			if x.Request.Operation != "" { // a call of the platform around the service refuses in its own form
				forms[x] = formOf(x)
			}
		}
	}
	for id, list := range r.Relied {
		e := r.played[id]
		if e == nil || e.cut || e.record.Verdict == reports.Fail {
			continue
		}
		for _, x := range list {
			if x.Request.Operation == "" {
				continue
			}
			why := stranger(x, forms)
			if why == "" {
				continue
			}
			e.leavesOpen(r.Secrets.Text(why))
			break
		}
	}
}

// leavesOpen adds to the result of a scenario why it could not be told.
func (e *entry) leavesOpen(why string) {
	for _, requirement := range e.scenario.Requirements {
		e.findings = append(e.findings, talk.Finding{Requirement: requirement, Outcome: check.Unknown, Got: why,
			Exchange: -1})
	}
	e.record.Verdict, e.record.Reason = reports.Graver(e.record.Verdict, reports.Error), why
}

// doubtLimiter looks back at the refusals that came before the run knew that they are a limiter's: nothing passes or
// fails for them. What failed for something else still fails.
func (r *run) doubtLimiter() {
	for id, e := range r.played {
		if e.cut {
			continue
		}
		r.takeBack(e)
		if e.record.Verdict == reports.Fail {
			continue
		}
		for _, x := range r.Relied[id] {
			if why := r.Turned(x); why != "" {
				e.leavesOpen(why)
				break
			}
		}
	}
}

// takeBack takes back the misses that a scenario found in a limiter's refusals.
func (r *run) takeBack(e *entry) {
	why, verdict := "", reports.Pass
	for i := range e.findings {
		f := &e.findings[i]
		if (f.Outcome == check.Broken || f.Outcome == check.Soft) && !f.Skipped && f.Exchange >= 0 {
			if turned := r.Turned(e.exchanges[f.Exchange]); turned != "" {
				why, f.Outcome, f.Expected, f.Got = turned, check.Unknown, "", turned
				blame(e.findings[i:i+1], e.exchanges)
			}
		}
		verdict = reports.Graver(verdict, r.weigh(*f))
	}
	if why == "" || verdict != reports.Error {
		return
	}
	for i, step := range e.record.Steps {
		if step.Verdict == reports.Fail || step.Verdict == reports.Warn {
			e.record.Steps[i].Verdict, e.record.Steps[i].Message = reports.Error, why+"; found was: "+step.Message
		}
	}
	e.record.Verdict, e.record.Reason = reports.Error, why
}

// doubtFickle looks back at refusals in words that a good request of the same call got too, as where a limiter on the
// way spares servicediscovery, or where nodes do not share what was just made: those words tell nothing of a request,
// unless they were proved to be the service's. What failed still fails.
func (r *run) doubtFickle() {
	for _, id := range slices.Sorted(maps.Keys(r.played)) {
		if x := r.played[id].refusedAtOneTry(r); x != nil {
			r.NoteOnce(fmt.Sprintf("a good request of %s was answered with status %d at one try and not at another "+
				"(%s): a limiter on the way may refuse whatever is asked, or nodes behind a balancer may not share "+
				"what was just made, or lag, or somebody else, such as another run, may use the account at the same "+
				"time",
				x.Request.Operation, x.Status, id))
		}
	}
	for id, e := range r.played {
		if e.cut || e.record.Verdict == reports.Fail || r.proved[id] {
			continue
		}
		if x := r.suspectOf(e); x != nil {
			e.leavesOpen(fmt.Sprintf("status %d came to %s in the words in which a good request was refused too (%s): "+
				"a limiter on the way, or one of several nodes, may refuse whatever is asked, and whether the service "+
				"refuses is not known; load.maxRate in the environment file slows a run down",
				x.Status, x.Request.Operation, r.Suspect(x)))
		}
	}
}

// suspectOf is a refusal that a scenario took for the service's and that a good request of the call got too; nil: there
// is none.
func (r *run) suspectOf(e *entry) *talk.Exchange {
	for _, x := range r.Relied[e.scenario.ID] {
		if x.Request.Operation != "" && !x.Unneeded.Load() && r.Suspect(x) != "" {
			return x
		}
	}
	return nil
}

// oftenLimiters are statuses that limiters give in place of 429, and that services have for other things.
var oftenLimiters = []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden,
	http.StatusInternalServerError}

// refusedAtOneTry is a good request of a scenario that failed at one try, since it was answered so, and not at another;
// nil: there is none.
func (e *entry) refusedAtOneTry(r *run) *talk.Exchange {
	if failed := e.showed[string(reports.Fail)]; e.cut || failed == 0 || failed == e.tries {
		return nil
	}
	for _, f := range e.findings {
		if r.weigh(f) != reports.Fail || f.Exchange < 0 || !wantedStatus.MatchString(f.Expected) {
			continue
		}
		x := e.exchanges[f.Exchange]
		code, coded := check.SubCode(x.Exchange)
		switch status := scene.EffectiveStatus(x); {
		case x.Tampered != "", x.Request.Operation == "", coded && ags.IsSubCode(code):
		case slices.Contains(oftenLimiters, status):
			return x
		}
	}
	return nil
}

// stranger returns the reason why a refusal may come from something on the way; empty if it may well be the service's.
// A page with status 404 may come from its router, and JSON with another status than 403 from another part of it.
func stranger(x *talk.Exchange, forms map[*talk.Exchange]refusalForm) string {
	form, status := forms[x], scene.EffectiveStatus(x)
	_, coded := check.SubCode(x.Exchange)
	if form.page && status == http.StatusNotFound || !form.page && (status != http.StatusForbidden || coded ||
		len(form.members) == 0) {
		return ""
	}
	usual, own := 0, form.page
	for _, other := range forms {
		switch alike := form.alike(other); {
		case alike && other.operation != form.operation:
			return ""
		case alike:
		case other.operation == form.operation:
			own = true
		default:
			usual++
		}
	}
	if usual < fewestUsual || !own {
		return ""
	}
	what := "JSON with none of the members of other refusals (" + strings.Join(form.members, ", ") + ")"
	if form.page {
		what = fmt.Sprintf("a page %q", form.title)
	}
	return fmt.Sprintf("status %d came to %s with %s, which looks unlike the refusals of all other calls: a firewall or "+
		"a gateway may have given it, and whether the service refuses is not known",
		status, form.operation, what)
}
