package steps

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
	"agstest/reports"
)

// fewestUsual is how many refusals of other calls have to look otherwise before one is a stranger among them.
const fewestUsual = 5

// refusalForm is what refusals of one maker have in common.
type refusalForm struct {
	operation string
	page      bool
	title     string   // of the page
	members   []string // of the JSON object
}

// rely keeps a refusal that a scenario takes for the service's.
func (r *run) rely(scenario string, x *exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.relied[scenario] = append(r.relied[scenario], x)
}

func formOf(x *exchange) refusalForm {
	form := refusalForm{operation: x.request.operation}
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

// alike tells of two refusals that may come from the same maker.
func (f refusalForm) alike(other refusalForm) bool {
	if f.page || other.page {
		return f.page == other.page
	}
	return slices.ContainsFunc(f.members, func(name string) bool { return slices.Contains(other.members, name) })
}

// doubtStrangers looks back at the refusals that scenarios took for the service's. One that looks unlike those of all other calls, as the page
// of a firewall does, is no refusal of the service: whether it would have refused is not known.
func (r *run) doubtStrangers() {
	forms := map[*exchange]refusalForm{}
	for _, list := range r.relied {
		for _, x := range list {
			forms[x] = formOf(x)
		}
	}
	for id, list := range r.relied {
		e := r.played[id]
		if e == nil || e.cut || e.record.Verdict == reports.Fail {
			continue
		}
		for _, x := range list {
			why := stranger(x, forms)
			if why == "" {
				continue
			}
			why = r.secrets.Text(why)
			for _, requirement := range e.scenario.requirements {
				e.findings = append(e.findings, finding{requirement: requirement, outcome: check.Unknown, got: why, exchange: -1})
			}
			e.record.Verdict, e.record.Reason = reports.Graver(e.record.Verdict, reports.Error), why
			break
		}
	}
}

// stranger says why a refusal may be that of something on the way, and nothing where it may well be the service's. A page with status 404 may be
// that of its router, and JSON with another status than 403 that of another part of it.
func stranger(x *exchange, forms map[*exchange]refusalForm) string {
	form, status := forms[x], effectiveStatus(x)
	_, coded := check.SubCode(x.Exchange)
	if form.page && status == http.StatusNotFound || !form.page && (status != http.StatusForbidden || coded || len(form.members) == 0) {
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
	return fmt.Sprintf("status %d came to %s with %s, which looks unlike the refusals of all other calls: a firewall or a gateway may have given it, and whether the service refuses is not known",
		status, form.operation, what)
}
