package environment

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Coverage is how much a run must judge to count: a share of the documented requirements such as "90%", names of
// situations, or both, with commas between them; empty: it may judge anything.
type Coverage string

// Wanted is a Coverage that was understood.
type Wanted struct {
	Percent    float64  // of the documented requirements, above 0 and at most 100; 0: no share is asked
	Situations []string // names of SituationNames, in the order they were given
}

// NoCoverage asks for nothing, whatever a file says. Files leave the key out instead.
const NoCoverage Coverage = "none"

var coverageType = reflect.TypeFor[Coverage]()

const coverageForm = "must be a share of the documented requirements such as 90%, or situations such as [active, vpn]"

// Wanted reads the parts. The zero value asks for nothing.
func (c Coverage) Wanted() (Wanted, error) {
	var w Wanted
	if strings.TrimSpace(string(c)) == "" {
		return w, nil
	}
	for part := range strings.SplitSeq(string(c), ",") {
		part = strings.TrimSpace(part)
		number, isShare := strings.CutSuffix(part, "%")
		switch {
		case isShare:
			percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
			if err != nil || !(percent > 0 && percent <= 100) {
				return Wanted{}, fmt.Errorf("must be a share above 0%% and at most 100%%, such as 90%%, not %q", part)
			}
			if w.Percent > 0 {
				return Wanted{}, fmt.Errorf("gives two shares; give one")
			}
			w.Percent = percent
		case slices.Contains(w.Situations, part):
			return Wanted{}, fmt.Errorf("names %s twice", part)
		case known(part, SituationNames):
			w.Situations = append(w.Situations, part)
		default:
			near := didYouMean(part, SituationNames)
			if percent, err := strconv.ParseFloat(part, 64); err == nil && percent > 0 && percent <= 100 {
				if percent < 1 { // a share, as programs write it
					percent *= 100
				}
				near = fmt.Sprintf("; did you mean %s%%?", strconv.FormatFloat(percent, 'g', 4, 64))
			}
			return Wanted{}, fmt.Errorf("%s, not %q%s", coverageForm, part, near)
		}
	}
	return w, nil
}

// coverage fits a share, or a list of situations. The list becomes one text with commas.
func (r *reader) coverage(node ast.Node, path string) ast.Node {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		fitted := r.scalar(node, coverageType, path)
		if text, ok := fitted.(*ast.StringNode); ok && strings.TrimSpace(text.Value) == "" {
			r.mistake(lineOf(node), "%s %s", path, coverageForm)
		}
		return fitted
	}
	if len(list.Values) == 0 {
		r.mistake(lineOf(node), "%s %s", path, coverageForm)
	}
	var parts []string
	for _, value := range list.Values {
		part, ok := r.scalar(value, coverageType, path).(*ast.StringNode)
		if !ok {
			return node
		}
		if strings.TrimSpace(part.Value) == "" || strings.Contains(part.Value, ",") {
			r.mistake(lineOf(value), "%s %s", path, coverageForm)
			continue
		}
		if _, err := Coverage(part.Value).Wanted(); err != nil {
			r.mistake(lineOf(value), "%s %v", path, err)
			continue
		}
		parts = append(parts, strings.TrimSpace(part.Value))
	}
	written := ast.String(node.GetToken())
	written.Value = strings.Join(parts, ", ")
	return written
}

// Expectable returns the situations that the file makes it possible to judge: it gives them whole, allows the acts that
// they need, and gives the account in good standing without which a refusal shows nothing. A run shows whether the
// service knows them.
func (e *Environment) Expectable() []string {
	offered := map[string]bool{}
	for _, a := range e.Abilities() {
		offered[a.Name] = a.Offered
	}
	var names []string
	for _, name := range SituationNames {
		able := offered[name]
		switch name {
		case "active", "credentials", "empty-tenant":
		case "spare-device":
			able = false // scenarios on it use a new device if one can be made
		case "device-limit", "group-limit":
			able = able && offered["active"] && e.Allow.FirstTime
		case "multi-account":
			able = able && e.Allow.FirstTime
		case "registration", "multi-registration":
			able = able && e.MayRegister()
		default:
			able = able && offered["active"]
		}
		if able {
			names = append(names, name)
		}
	}
	return names
}
