package steps

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/wire"
)

// request is one call as the scenario wants it: the documented shape first, then changed by the steps that speak of "the next
// request".
type request struct {
	operation string
	method    string
	path      string
	header    []field
	members   []member // of the JSON body, in order
	body      []byte   // instead of members, where set
	proxy     *url.URL
	cookies   http.CookieJar // of the scenario; nil: none are kept
}

// field is one header line. Its name is sent as it is spelt.
type field struct{ name, value string }

// member is one member of the JSON body.
type member struct {
	name  string
	value json.RawMessage
}

// parameter is a member of parameters, the way every POST call carries what the authentication service wants to know.
type parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func rawJSON(v any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(fmt.Sprintf("a %T cannot be written as JSON: %v", v, err))
	}
	return bytes.TrimSpace(b.Bytes())
}

func (r *request) setHeader(name, value string) {
	r.dropHeader(name)
	r.header = append(r.header, field{name, value})
}

func (r *request) dropHeader(name string) {
	kept := r.header[:0]
	for _, f := range r.header {
		if !strings.EqualFold(f.name, name) {
			kept = append(kept, f)
		}
	}
	r.header = kept
}

func (r *request) headerValue(name string) string {
	for _, f := range r.header {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// mayLack tells of a header that the documented request can do without.
func (r *request) mayLack(name string) bool {
	o, ok := ags.OperationByName(r.operation)
	return ok && slices.ContainsFunc(o.Headers, func(h ags.Header) bool { return !h.Mandatory && strings.EqualFold(h.Name, name) })
}

func (r *request) set(name string, value json.RawMessage) {
	for i := range r.members {
		if r.members[i].name == name {
			r.members[i].value = value
			return
		}
	}
	r.members = append(r.members, member{name, value})
}

func (r *request) drop(name string) {
	kept := r.members[:0]
	for _, m := range r.members {
		if m.name != name {
			kept = append(kept, m)
		}
	}
	r.members = kept
}

func (r *request) get(name string) json.RawMessage {
	for _, m := range r.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// parameters are those of the body, none if they are not of the documented form.
func (r *request) parameters() []parameter {
	var list []parameter
	if json.Unmarshal(r.get("parameters"), &list) != nil {
		return nil
	}
	return list
}

func (r *request) bytes() []byte {
	if r.body != nil || r.method == http.MethodGet {
		return r.body
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range r.members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(rawJSON(m.name))
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func (r *request) call() wire.Call {
	header := http.Header{}
	for _, f := range r.header {
		header[f.name] = append(header[f.name], f.value)
	}
	return wire.Call{Operation: r.operation, Method: r.method, Path: r.path, Header: header, Body: r.bytes(), Proxy: r.proxy, Cookies: r.cookies}
}
