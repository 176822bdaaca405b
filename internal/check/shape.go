package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"agstest/internal/strictjson"
	"agstest/internal/wire"
)

// Observation is one thing about the form of an answer. Values are never part of it.
type Observation struct {
	Operation string
	Status    int
	// Place is a path into the body such as availableServices[].endpoints[].path, "access claim exp", "refresh header
	// kid", "header content-type", or "status".
	Place string
	// Kind is the kind of the JSON value, the media type at "header content-type", and "" for other headers.
	Kind string
}

// maxObservations bounds what one answer can add.
const maxObservations = 500

// Shape lists every member, claim, kind, header name and status of an answer, each once and sorted, for comparing two
// runs that both conform.
func Shape(x *wire.Exchange) []Observation {
	if x == nil || x.Status == 0 {
		return nil
	}
	s := shape{x: x, seen: map[Observation]bool{}}
	s.add("status", "")
	for name, values := range x.Header {
		kind := ""
		if strings.EqualFold(name, "Content-Type") && len(values) > 0 {
			kind, _, _ = strings.Cut(strings.ToLower(values[0]), ";")
		}
		s.add("header "+strings.ToLower(name), strings.TrimSpace(kind))
	}
	body, _ := parseBody(x)
	switch {
	case body != nil:
		s.walk("", body)
	case len(x.Body) == 0:
		s.add("body", "empty")
	default:
		s.add("body", "not JSON")
	}
	for _, t := range []struct{ member, name string }{{"access_token", "access"}, {"refresh_token", "refresh"}} {
		token := readToken(body.Get(t.member), t.name, false, takeApart)
		if token.jws != nil {
			s.walk(t.name+" header ", token.jws.Header)
		}
		if token.claims != nil {
			s.walk(t.name+" claim ", token.claims)
		}
	}
	observations := make([]Observation, 0, len(s.seen))
	for o := range s.seen {
		observations = append(observations, o)
	}
	slices.SortFunc(observations, func(a, b Observation) int {
		return cmp.Or(strings.Compare(a.Place, b.Place), strings.Compare(a.Kind, b.Kind))
	})
	return observations
}

type shape struct {
	x    *wire.Exchange
	seen map[Observation]bool
}

func (s *shape) add(place, kind string) {
	if len(s.seen) < maxObservations && len(place) <= 200 && len(kind) <= 100 {
		s.seen[Observation{s.x.Call.Operation, s.x.Status, place, kind}] = true
	}
}

func (s *shape) walk(place string, v *strictjson.Value) {
	if place != "" && !strings.HasSuffix(place, " ") {
		s.add(place, string(v.Kind))
	} else if place == "" {
		s.add("body", string(v.Kind))
	}
	for _, m := range v.Members {
		name := m.Name
		if len(name) > 60 { // perhaps a secret, certainly no member of the contract
			name = fmt.Sprintf("a member with a name of %d bytes", len(name))
		}
		under := place
		if under != "" && !strings.HasSuffix(under, " ") {
			under += "."
		}
		s.walk(under+name, m.Value)
	}
	for _, item := range v.Items {
		s.walk(place+"[]", item)
	}
}
