package steps

import (
	"context"
	"fmt"
	"strings"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
)

// service is an authentication service as discovery tells of it.
type service struct {
	name      string
	endpoints []endpoint
}

type endpoint struct {
	name, path string
	parameters []parameterProperty
}

type parameterProperty struct {
	name                string
	mandatory, password bool
}

// readServices reads what it can of a discovery answer; whether the answer is right is the judge's to say.
func readServices(x *wire.Exchange) ([]service, error) {
	body, err := strictjson.Parse(x.Body)
	if body == nil {
		return nil, err
	}
	var services []service
	list := body.Get("availableServices")
	if list == nil {
		return nil, nil
	}
	for _, item := range list.Items {
		s := service{name: item.Get("authServiceName").String()}
		if list := item.Get("endpoints"); list != nil {
			for _, e := range list.Items {
				one := endpoint{name: e.Get("name").String(), path: e.Get("path").String()}
				if list := e.Get("parameterProperties"); list != nil {
					for _, p := range list.Items {
						one.parameters = append(one.parameters, parameterProperty{p.Get("name").String(), isTrue(p.Get("mandatory")), isTrue(p.Get("isPassword"))})
					}
				}
				s.endpoints = append(s.endpoints, one)
			}
		}
		services = append(services, s)
	}
	return services, nil
}

func isTrue(v *strictjson.Value) bool { return v != nil && v.Kind == ags.Boolean && v.Bool }

// endpoint finds a call of a service. Paths count from /ags; some services write it out (ambiguity 7.31).
func (s service) endpoint(path string) (endpoint, bool) {
	for _, e := range s.endpoints {
		if strings.TrimPrefix(e.path, "/ags") == path {
			return e, true
		}
	}
	return endpoint{}, false
}

// discover learns which authentication services there are, before the scenarios: which one to use where the environment file names
// none, and how the parameters are spelt. What is wrong with the answer is found by the scenarios about discovery.
func (r *run) discover(ctx context.Context) *exchange {
	w := newWorld(r, &scenario{id: "start"})
	request := w.prepare(ags.ServiceDiscovery)
	if r.pace(ctx) != nil {
		return nil
	}
	x := &exchange{Exchange: r.client.Do(ctx, request.call()), request: request}
	r.services, _ = readServices(x.Exchange)
	r.granted(x, false)
	defer r.lackingParameters()
	if r.service != "" {
		return x
	}
	for _, s := range r.services {
		if _, ok := s.endpoint("/signOnWithSessionToken"); ok {
			r.service = s.name
			return x
		}
	}
	if len(r.services) > 0 {
		r.service = r.services[0].name
		return x
	}
	r.notes = append(r.notes, "no authentication service is known: the environment file names none (service) and servicediscovery told of none, so x-auth-service-id was sent empty")
	return x
}

// parameterName is a parameter as discovery spells it for an endpoint, else as it was given. The session token of signOnWithSessionToken
// may have another name, which the diagnosis finds out.
func (r *run) parameterName(serviceName, path, name string) string {
	for _, p := range r.parametersOf(serviceName, path) {
		if strings.EqualFold(p.name, name) {
			return p.name
		}
	}
	if path == "/signOnWithSessionToken" && name == "sessionToken" && r.tokenParameter != "" {
		return r.tokenParameter
	}
	return name
}

// sessionParameter is the name of the parameter that carries the session token: as the environment file says, as discovery spells it, or the
// only one that discovery calls mandatory and the file does not give.
func (r *run) sessionParameter(serviceName string) string {
	if own := r.environment.SignOn.Parameter; own != "" {
		return own
	}
	return r.mandatory(serviceName, "/signOnWithSessionToken", "sessionToken", r.environment.SignOn.Parameters)
}

// operatorParameter is the same for the OperatorAuthToken.
func (r *run) operatorParameter(serviceName string) string {
	o := r.environment.Operator
	if o.Parameter != environment.DefaultOperatorParameter {
		return o.Parameter
	}
	return r.mandatory(serviceName, "/getSessionToken", o.Parameter, o.Parameters)
}

func (r *run) mandatory(serviceName, path, name string, given map[string]string) string {
	var only []string
	for _, p := range r.parametersOf(serviceName, path) {
		if strings.EqualFold(p.name, name) {
			return p.name
		}
		if p.mandatory && given[p.name] == "" {
			only = append(only, p.name)
		}
	}
	if len(only) == 1 {
		return only[0]
	}
	return name
}

// withGiven adds the parameters that the environment file gives for a call to the one that carries its token.
func withGiven(token parameter, given map[string]string) []parameter {
	list := []parameter{token}
	for _, name := range sortedKeys(given) {
		list = append(list, parameter{name, given[name]})
	}
	return list
}

// lackingParameters notes mandatory parameters of signOnWithSessionToken that discovery lists and the environment file gives no value for.
func (r *run) lackingParameters() {
	const path = "/signOnWithSessionToken"
	var lack []string
	for _, p := range r.parametersOf(r.service, path) {
		if p.mandatory && p.name != r.sessionParameter(r.service) && r.environment.SignOn.Parameters[p.name] == "" {
			lack = append(lack, p.name)
		}
	}
	if len(lack) > 0 {
		r.notes = append(r.notes, fmt.Sprintf("servicediscovery calls these parameters of %s mandatory, and the environment file gives no value for them: %s; write signOnWithSessionToken: {parameters: {%s: …}}",
			path, strings.Join(lack, ", "), lack[0]))
	}
}

// parametersOf are those that discovery tells of for an endpoint.
func (r *run) parametersOf(serviceName, path string) []parameterProperty {
	for _, s := range r.services {
		if s.name == serviceName {
			e, _ := s.endpoint(path)
			return e.parameters
		}
	}
	return nil
}
