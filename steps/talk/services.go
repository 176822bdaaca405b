package talk

import (
	"maps"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
)

// Service is an authentication service in the words of discovery.
type Service struct {
	Name      string
	Endpoints []endpoint
}

type endpoint struct {
	Name, Path string
	Parameters []ParameterProperty
}

type ParameterProperty struct {
	Name                string
	Mandatory, Password bool
}

// ReadServices reads the readable part of a discovery answer; the judge decides whether the answer is right.
func ReadServices(x *wire.Exchange) ([]Service, error) {
	body, err := strictjson.Parse(x.Body)
	if body == nil {
		return nil, err
	}
	var services []Service
	list := body.Get("availableServices")
	if list == nil {
		return nil, nil
	}
	for _, item := range list.Items {
		s := Service{Name: item.Get("authServiceName").String()}
		if list := item.Get("endpoints"); list != nil {
			for _, e := range list.Items {
				one := endpoint{Name: e.Get("name").String(), Path: e.Get("path").String()}
				if list := e.Get("parameterProperties"); list != nil {
					for _, p := range list.Items {
						one.Parameters = append(one.Parameters, ParameterProperty{p.Get("name").String(),
							IsTrue(p.Get("mandatory")), IsTrue(p.Get("isPassword"))})
					}
				}
				s.Endpoints = append(s.Endpoints, one)
			}
		}
		services = append(services, s)
	}
	return services, nil
}

func IsTrue(v *strictjson.Value) bool { return v != nil && v.Kind == ags.Boolean && v.Bool }

// Endpoint finds a call of a service. Paths count from /ags; some services write it out (ambiguity 7.31).
func (s Service) Endpoint(path string) (endpoint, bool) {
	for _, e := range s.Endpoints {
		if strings.TrimPrefix(e.Path, "/ags") == path {
			return e, true
		}
	}
	return endpoint{}, false
}

// WithGiven adds the parameters that the environment file gives for a call to the one that carries its token.
func WithGiven(token Parameter, given map[string]string) []Parameter {
	list := []Parameter{token}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		list = append(list, Parameter{name, given[name]})
	}
	return list
}
