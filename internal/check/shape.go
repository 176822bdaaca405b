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

// Shapes gathers every member, claim, kind, header name and status of answers, for comparing two runs that both
// conform. The zero value has none.
type Shapes struct {
	seen    map[Observation]*sightings
	answers int
	// of the answer that is looked at
	x    *wire.Exchange
	made int
}

// sightings tell in how many answers something was seen, and the number of the last.
type sightings struct{ answers, last int }

// Sighted is what some answers showed, and how many did.
type Sighted struct {
	Observation
	Times int
}

// Add looks at an answer. What it shows more than once counts once.
func (s *Shapes) Add(x *wire.Exchange) {
	if x == nil || x.Status == 0 {
		return
	}
	if s.seen == nil {
		s.seen = map[Observation]*sightings{}
	}
	s.answers++
	s.x, s.made = x, 0
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
}

// All lists what the answers showed, each once and sorted.
func (s *Shapes) All() []Sighted {
	all := make([]Sighted, 0, len(s.seen))
	for o, t := range s.seen {
		all = append(all, Sighted{o, t.answers})
	}
	slices.SortFunc(all, func(a, b Sighted) int {
		return cmp.Or(strings.Compare(a.Operation, b.Operation), cmp.Compare(a.Status, b.Status),
			strings.Compare(a.Place, b.Place), strings.Compare(a.Kind, b.Kind))
	})
	return all
}

func (s *Shapes) add(place, kind string) {
	if s.made == maxObservations || len(place) > 200 || len(kind) > 100 {
		return
	}
	o := Observation{s.x.Call.Operation, s.x.Status, place, kind}
	sighted := s.seen[o]
	if sighted == nil {
		sighted = &sightings{}
		s.seen[o] = sighted
	}
	if sighted.last == s.answers {
		return // this answer showed it before
	}
	sighted.last = s.answers
	sighted.answers++
	s.made++
}

func (s *Shapes) walk(place string, v *strictjson.Value) {
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
