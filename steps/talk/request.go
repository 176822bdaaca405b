// Package talk holds requests to a service and their answers: requests that can be changed at each place, exchanges
// with the judge's findings, the content of discovery, and the control interface of a mock. It knows no scenario.
//
// Start with [Request], which keeps headers and members of the body in order, so that each can be left out, written
// twice or replaced, and [Exchange]. outcome.go has the ways in which a step ends other than well: [Missed] (the
// service broke what the step says), [Unknown] (nothing can be told), [NotTestable] (the environment offers no such
// situation) and [Seen] (recorded, not judged).
package talk

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

// Request is one call as the scenario wants it: the documented shape first, then changed by the steps that speak of
// "the next request".
type Request struct {
	Operation string
	Method    string
	Path      string
	Header    []Field
	Members   []Member // of the JSON body, in order
	Body      []byte   // instead of members, where set
	Proxy     *url.URL
	Cookies   http.CookieJar // of the scenario; nil: none are kept
	Ciphers   []string       // what was sent in the place of its password
	Forged    bool           // its OperatorAuthToken is another than the documented one
	Good      bool           // nothing in it was changed, and nothing is known for which it is to be refused
}

// Field is one header line. Its name is sent as it is spelt.
type Field struct{ Name, Value string }

// Member is one member of the JSON body.
type Member struct {
	Name  string
	Value json.RawMessage
}

// Parameter is a member of parameters, in which every POST call carries the input of the authentication service.
type Parameter struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func JSON(v any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(fmt.Sprintf("a %T cannot be written as JSON: %v", v, err))
	}
	return bytes.TrimSpace(b.Bytes())
}

func (r *Request) SetHeader(name, value string) {
	r.DropHeader(name)
	r.Header = append(r.Header, Field{name, value})
}

func (r *Request) DropHeader(name string) {
	kept := r.Header[:0]
	for _, f := range r.Header {
		if !strings.EqualFold(f.Name, name) {
			kept = append(kept, f)
		}
	}
	r.Header = kept
}

func (r *Request) HeaderValue(name string) string {
	for _, f := range r.Header {
		if strings.EqualFold(f.Name, name) {
			return f.Value
		}
	}
	return ""
}

// MayLack tells whether the documented request can do without a header.
func (r *Request) MayLack(name string) bool {
	o, ok := ags.OperationByName(r.Operation)
	return ok && slices.ContainsFunc(o.Headers, func(h ags.Header) bool {
		return !h.Mandatory &&
			strings.EqualFold(h.Name, name)
	})
}

func (r *Request) Set(name string, value json.RawMessage) {
	for i := range r.Members {
		if r.Members[i].Name == name {
			r.Members[i].Value = value
			return
		}
	}
	r.Members = append(r.Members, Member{name, value})
}

func (r *Request) Drop(name string) {
	kept := r.Members[:0]
	for _, m := range r.Members {
		if m.Name != name {
			kept = append(kept, m)
		}
	}
	r.Members = kept
}

func (r *Request) Get(name string) json.RawMessage {
	for _, m := range r.Members {
		if m.Name == name {
			return m.Value
		}
	}
	return nil
}

// Parameters returns the parameters in the body, none if they are not of the documented form.
func (r *Request) Parameters() []Parameter {
	var list []Parameter
	if raw := r.Get("parameters"); raw == nil || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

func (r *Request) Bytes() []byte {
	if r.Body != nil || r.Method == http.MethodGet {
		return r.Body
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range r.Members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(JSON(m.Name))
		b.WriteByte(':')
		b.Write(m.Value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func (r *Request) Call() wire.Call {
	header := http.Header{}
	for _, f := range r.Header {
		header[f.Name] = append(header[f.Name], f.Value)
	}
	return wire.Call{Operation: r.Operation, Method: r.Method, Path: r.Path, Header: header, Body: r.Bytes(),
		Proxy: r.Proxy, Cookies: r.Cookies}
}

func Names[E any](list []E, name func(E) string) []string {
	all := make([]string, len(list))
	for i, e := range list {
		all[i] = name(e)
	}
	return all
}
