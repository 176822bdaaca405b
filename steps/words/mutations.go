package words

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"agstest/ags"
	"agstest/steps/talk"
)

// mutation is one change of a documented request. The zero size is the smallest.
type mutation struct {
	Kind string
	At   string // member, header or parameter that it changes
	Size int
}

// mutationKinds are all kinds of changes, with the parts of a request that they change and their words.
var mutationKinds = map[string]struct {
	on    string // member, held (a member that the documented request has), parameter, header, body, method
	words string // with %s for at and %d for size
	apply func(r *talk.Request, m mutation)
}{
	"no member":    {"held", "the member %s is missing", func(r *talk.Request, m mutation) { r.Drop(m.At) }},
	"null":         {"member", "the member %s is null", set(`null`)},
	"number":       {"member", "the member %s is a number", set(`17`)},
	"text":         {"member", "the member %s is a text", set(`"text"`)},
	"boolean":      {"member", "the member %s is true", set(`true`)},
	"object":       {"member", "the member %s is an object", set(`{"a":{"b":[]}}`)},
	"array":        {"member", "the member %s is an array", set(`[null,1,"x",{}]`)},
	"empty text":   {"member", "the member %s is an empty text", set(`""`)},
	"empty array":  {"member", "the member %s is an empty array", set(`[]`)},
	"empty object": {"member", "the member %s is an empty object", set(`{}`)},
	"big number": {"member", "the member %s is a number of 400 digits",
		func(r *talk.Request, m mutation) { r.Set(m.At, json.RawMessage(strings.Repeat("9", 400))) }},
	"twice": {"held", "the member %s stands twice", func(r *talk.Request, m mutation) {
		r.Members = append(r.Members, talk.Member{Name: m.At, Value: json.RawMessage(`null`)})
	}},
	"other case": {"held", "the name of the member %s is in upper case", renamed(strings.ToUpper)},
	"blank in name": {"held", "the name of the member %s ends in a blank",
		renamed(func(s string) string { return s + " " })},
	"deep": {"member", "the member %s is nested %[2]d levels deep",
		func(r *talk.Request, m mutation) { r.Set(m.At, nested(10+m.Size*100)) }},
	"huge text": {"member", "the member %s is a text of %[2]d bytes",
		func(r *talk.Request, m mutation) { r.Set(m.At, talk.JSON(strings.Repeat("A", 1000+m.Size*1000))) }},
	"control": {"member", "the member %s holds control characters",
		set(`"a\u0000b\u001f\u007f\r\nSet-Cookie: x=y"`)},
	"raw control":    {"member", "the member %s holds an unescaped control character", set("\"a\x01b\"")},
	"lone surrogate": {"member", "the member %s holds half a surrogate pair", set(`"\ud800"`)},
	"broken UTF-8":   {"member", "the member %s holds broken UTF-8", set("\"a\xff\xfeb\"")},
	"parameter gone": {"parameter", "the parameter %s is missing",
		eachParameter(func(p map[string]json.RawMessage) bool { return false })},
	"parameter null":   {"parameter", "the value of the parameter %s is null", value(`null`)},
	"parameter number": {"parameter", "the value of the parameter %s is a number", value(`12345`)},
	"parameter array":  {"parameter", "the value of the parameter %s is an array", value(`["x"]`)},
	"parameter object": {"parameter", "the value of the parameter %s is an object", value(`{"value":"x"}`)},
	"parameter empty":  {"parameter", "the value of the parameter %s is empty", value(`""`)},
	"parameter blank":  {"parameter", "the value of the parameter %s is a blank", value(`" "`)},
	"parameter other":  {"parameter", "the value of the parameter %s is a made-up text", value(`"made-up-7f3a9c1e5d"`)},
	"parameter huge": {"parameter", "the value of the parameter %s has %[2]d bytes",
		func(r *talk.Request, m mutation) { value(`"`+strings.Repeat("B", 1000+m.Size*1000)+`"`)(r, m) }},
	"parameter NUL":   {"parameter", "the value of the parameter %s holds a NUL", value(`"x\u0000y"`)},
	"parameter UTF-8": {"parameter", "the value of the parameter %s holds broken UTF-8", value("\"x\xc3\x28\"")},
	"parameter quote": {"parameter", "the value of the parameter %s holds what SQL and templates would read",
		value(`"' OR '1'='1'; --${7*7}<x>"`)},
	"parameter twice": {"parameter", "the parameters hold something unknown as well",
		func(r *talk.Request, _ mutation) { extraParameter(r) }},
	"no header":    {"header", "the header %s is missing", func(r *talk.Request, m mutation) { r.DropHeader(m.At) }},
	"empty header": {"header", "the header %s is empty", func(r *talk.Request, m mutation) { r.SetHeader(m.At, "") }},
	"huge header": {"header", "the header %s has %[2]d bytes",
		func(r *talk.Request, m mutation) { r.SetHeader(m.At, strings.Repeat("h", hugeHeader(m.Size))) }},
	"odd header": {"header", "the header %s holds odd characters",
		func(r *talk.Request, m mutation) { r.SetHeader(m.At, "\"%00';<>\\ \u00e9") }},
	"other type": {"body", "Content-Type is application/xml",
		func(r *talk.Request, _ mutation) { r.SetHeader("Content-Type", "application/xml") }},
	"odd type": {"body", "Content-Type is no media type",
		func(r *talk.Request, _ mutation) { r.SetHeader("Content-Type", ";;json/") }},
	"form":       {"body", "the body is a form", raw(`parameters=x&clientId=y`)},
	"empty body": {"body", "the body is empty", raw(``)},
	"blank body": {"body", "the body is a blank", raw(` `)},
	"scalar":     {"body", "the body is a number", raw(`0`)},
	"null body":  {"body", "the body is null", raw(`null`)},
	"list":       {"body", "the body is a list", raw(`[[],{},[{}]]`)},
	"open brackets": {"body", "the body is %[2]d opening brackets",
		func(r *talk.Request, m mutation) { r.Body = []byte(strings.Repeat("[", 100+m.Size*1000)) }},
	"unknown member": {"body", "the body holds a member that is not documented",
		func(r *talk.Request, _ mutation) { r.Set("agstest\u2028 \u0000", json.RawMessage(`[1e400]`)) }},
	"trailing": {"body", "something stands behind the body",
		func(r *talk.Request, _ mutation) { r.Body = append(r.Bytes(), `}{"x":1}`...) }},
	"mark": {"body", "a byte order mark stands before the body",
		func(r *talk.Request, _ mutation) { r.Body = append([]byte("\ufeff"), r.Bytes()...) }},
	"cut": {"body", "the body is cut off",
		func(r *talk.Request, _ mutation) { b := r.Bytes(); r.Body = append([]byte{}, b[:len(b)*2/3]...) }},
	"UTF-16": {"body", "the body is UTF-16", func(r *talk.Request, _ mutation) { r.Body = utf16(r.Bytes()) }},
	"method": {"method", "the method is %s", func(r *talk.Request, m mutation) {
		r.Body = r.Bytes()
		if m.At == "GET" || m.At == "HEAD" {
			r.Body = nil
		}
		r.Method, r.Operation = m.At, ""
	}},
}

// mutationsOf generates changes that make sense for the documented request of an operation, of whose parameters those
// that are named may be changed.
func mutationsOf(operation string, parameters []string) *rapid.Generator[mutation] {
	places := map[string][]string{"header": {"Accept", "nv-tenant-id", "x-correlation-id"},
		"method": {"PUT", "DELETE", "PATCH", "HEAD"}, "parameter": parameters}
	if operation == ags.ServiceDiscovery {
		places["method"] = append(places["method"], "POST")
	} else {
		places["method"] = append(places["method"], "GET")
		places["header"] = append(places["header"], "x-auth-service-id", "Content-Type")
		places["held"] = []string{"parameters"}
		places["member"] = []string{"parameters"}
		places["body"] = []string{""}
	}
	switch operation {
	case ags.SignOnWithSessionToken, ags.SignOn:
		places["held"] = append(places["held"], "clientId")
		places["member"] = append(places["member"], "clientId", "deviceInformation")
	case ags.Refresh, ags.SignOut:
		places["header"] = append(places["header"], "Authorization")
	case ags.SubsequentSignOn, ags.SubsequentRegister:
		places["header"] = append(places["header"], "User-Token")
	}
	var kinds []string
	for _, kind := range slices.Sorted(maps.Keys(mutationKinds)) {
		if len(places[mutationKinds[kind].on]) > 0 {
			kinds = append(kinds, kind)
		}
	}
	return rapid.Custom(func(t *rapid.T) mutation {
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		return mutation{
			Kind: kind,
			At:   rapid.SampledFrom(places[mutationKinds[kind].on]).Draw(t, "at"),
			Size: rapid.IntRange(0, 60).Draw(t, "size"),
		}
	})
}

// hugeHeader is the length of a header of a size from 0 to 60. A service may send the x-correlation-id back: nginx has
// 4 kB of room for the headers of an answer, and sends nobody to the node that gave a longer one for 10 s.
func hugeHeader(size int) int { return min(1000+size*100, longText) }

func (m mutation) apply(r *talk.Request) { mutationKinds[m.Kind].apply(r, m) }

func (m mutation) String() string {
	words := mutationKinds[m.Kind].words
	size := map[string]int{"deep": 10 + m.Size*100, "huge text": 1000 + m.Size*1000,
		"parameter huge": 1000 + m.Size*1000, "huge header": hugeHeader(m.Size),
		"open brackets": 100 + m.Size*1000}[m.Kind]
	switch {
	case strings.Contains(words, "%[2]d") && strings.Contains(words, "%s"):
		return fmt.Sprintf(words, m.At, size)
	case strings.Contains(words, "%[2]d"):
		return strings.ReplaceAll(words, "%[2]d", fmt.Sprint(size))
	case strings.Contains(words, "%s"):
		return fmt.Sprintf(words, m.At)
	}
	return words
}

func describeAll(list []mutation) string {
	var words []string
	for _, m := range list {
		words = append(words, m.String())
	}
	return strings.Join(words, ", and ")
}

// shorter lists simpler versions of a list of mutations: one left out, then one with half its size.
func shorter(list []mutation) [][]mutation {
	var candidates [][]mutation
	if len(list) > 1 {
		for i := range list {
			candidates = append(candidates, append(append([]mutation{}, list[:i]...), list[i+1:]...))
		}
	}
	for i, m := range list {
		if m.Size > 0 && strings.Contains(mutationKinds[m.Kind].words, "%[2]d") {
			half := append([]mutation{}, list...)
			half[i].Size /= 2
			candidates = append(candidates, half)
		}
	}
	return candidates
}

func set(text string) func(*talk.Request, mutation) {
	return func(r *talk.Request, m mutation) { r.Set(m.At, json.RawMessage(text)) }
}

func raw(text string) func(*talk.Request, mutation) {
	return func(r *talk.Request, _ mutation) { r.Body = []byte(text) }
}

func renamed(how func(string) string) func(*talk.Request, mutation) {
	return func(r *talk.Request, m mutation) {
		for i := range r.Members {
			if r.Members[i].Name == m.At {
				r.Members[i].Name = how(m.At)
			}
		}
	}
}

// eachParameter changes the parameter that the mutation names and leaves it out where change says false.
func eachParameter(change func(p map[string]json.RawMessage) bool) func(*talk.Request, mutation) {
	return func(r *talk.Request, m mutation) {
		kept := []map[string]json.RawMessage{}
		for _, p := range r.Parameters() {
			one := map[string]json.RawMessage{"name": talk.JSON(p.Name), "value": talk.JSON(p.Value)}
			if !strings.EqualFold(p.Name, m.At) || change(one) {
				kept = append(kept, one)
			}
		}
		var items []string
		for _, p := range kept {
			items = append(items, fmt.Sprintf(`{"name":%s,"value":%s}`, p["name"], p["value"]))
		}
		r.Set("parameters", json.RawMessage("["+strings.Join(items, ",")+"]"))
	}
}

func value(text string) func(*talk.Request, mutation) {
	return eachParameter(func(p map[string]json.RawMessage) bool {
		p["value"] = json.RawMessage(text)
		return true
	})
}

func extraParameter(r *talk.Request) {
	list := append(r.Parameters(), talk.Parameter{Name: "agstest", Value: "x"}, talk.Parameter{Name: "", Value: ""})
	r.Set("parameters", talk.JSON(list))
}

func nested(depth int) json.RawMessage {
	return json.RawMessage(strings.Repeat(`[`, depth) + strings.Repeat(`]`, depth))
}

func utf16(text []byte) []byte {
	out := make([]byte, 0, 2*len(text)+2)
	out = append(out, 0xff, 0xfe)
	for _, b := range text {
		out = append(out, b, 0)
	}
	return out
}
