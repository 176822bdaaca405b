package mock

import (
	"bytes"
	"encoding/json"
	"net/http"

	"agstest/ags"
)

// readings are the ways in which a body that is no JSON may be read all the same.
var readings = []struct {
	name, words string
	rule        rule
	read        func(raw []byte) []byte
}{
	{"trailing-comma", "a comma behind the last member", ruleTrailingComma, func(raw []byte) []byte { return bytes.ReplaceAll(raw, []byte(",}"), []byte("}")) }},
	{"text-behind", "text behind the body", ruleNothingBehind, func(raw []byte) []byte {
		var first json.RawMessage
		if json.NewDecoder(bytes.NewReader(raw)).Decode(&first) != nil {
			return raw
		}
		return first
	}},
	{"not-closed", "a body that is not closed", ruleClosed, func(raw []byte) []byte { return append(bytes.Clone(raw), '}') }},
	{"nul-behind", "a NUL behind the body", ruleNoNUL, func(raw []byte) []byte { return bytes.TrimRight(raw, "\x00") }},
	{"single-quotes", "single quotes", ruleDoubleQuotes, func(raw []byte) []byte { return bytes.ReplaceAll(raw, []byte("'"), []byte(`"`)) }},
}

// reread reads a body that is no JSON in the ways that the faults of a call allow; nil if none does.
func (c *call) reread() []byte {
	raw := c.raw
	if c.set.behaviour.MarkAccepted {
		raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	}
	for _, r := range readings {
		if !c.enforces(r.rule) {
			raw = r.read(raw)
		}
	}
	return raw
}

// jsonFaults take bodies that are no JSON.
func jsonFaults() []Fault {
	var all []Fault
	for _, at := range []struct{ name, operation, requirement string }{
		{"session-sign-on", ags.SignOnWithSessionToken, "SOST-08"}, {"sign-on", ags.SignOn, "SSO-07"},
		{"subsequent-sign-on", ags.SubsequentSignOn, "SUB-06"},
		{"get-session", ags.GetSessionToken, "GST-03"}, {"sign-out", ags.SignOut, "OUT-05"},
		{"register", ags.Register, "REG-03"},
	} {
		for _, r := range readings {
			all = append(all, lax("json-"+at.name+"-"+r.name, at.requirement, at.operation+" takes "+r.words, on(at.operation),
				r.rule))
		}
		all = append(all, lax("json-"+at.name+"-text-parameters", at.requirement,
			at.operation+" takes parameters as a text that holds JSON", on(at.operation), ruleParametersNoText),
			lax("json-"+at.name+"-map-parameters", at.requirement, at.operation+
				" takes parameters as an object of names and values", on(at.operation), ruleParametersNoMap))
	}
	all = append(all, lax("json-refresh-not-closed", "ERR-08", "refresh takes a body that is not closed", on(ags.Refresh),
		ruleClosed),
		lax("json-subsequent-register-text-behind", "ERR-08", "subsequentRegister takes text behind the body",
			on(ags.SubsequentRegister), ruleNothingBehind))
	for _, at := range []struct{ name, operation string }{{"refresh", ags.Refresh},
		{"subsequent-register", ags.SubsequentRegister}} {
		all = append(all, wrongRefusal("json-"+at.name+"-500", "ERR-08", "a body that is no JSON gives 500 at "+at.operation,
			on(at.operation), toStatus(http.StatusInternalServerError), ruleJSON))
	}
	return all
}
