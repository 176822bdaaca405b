package scene

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/internal/wire"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// Discover asks for the authentication services, before the scenarios: which one to use if the environment file names
// none, and how the parameters are spelt. The scenarios about discovery report what is wrong with the answer. An answer
// that has told it already is taken; nil: there is none.
func (r *Stage) Discover(ctx context.Context, told *wire.Exchange) *talk.Exchange {
	w := New(r, &script.Scenario{ID: "start"})
	x := &talk.Exchange{Exchange: told, Request: w.Prepare(ags.ServiceDiscovery)}
	if told != nil && told.Err == nil && told.Status == http.StatusOK {
		r.Services, _ = talk.ReadServices(told)
	}
	if len(r.Services) == 0 {
		if r.Pace(ctx) != nil {
			return nil
		}
		x.Exchange = r.Client.Do(ctx, x.Request.Call())
		r.Services, _ = talk.ReadServices(x.Exchange)
	}
	r.granted(x, false)
	r.outage.begun = x.Status == http.StatusOK && wire.StandIn(x.Exchange) == ""
	defer r.lackingParameters()
	if r.Service != "" {
		return x
	}
	for _, s := range r.Services {
		if _, ok := s.Endpoint("/signOnWithSessionToken"); ok {
			r.Service = s.Name
			return x
		}
	}
	if len(r.Services) > 0 {
		r.Service = r.Services[0].Name
		return x
	}
	r.Notes = append(r.Notes,
		"no authentication service is known: the environment file names none (service) and servicediscovery told of none, "+
			"so x-auth-service-id was sent empty")
	return x
}

// ParameterName returns a parameter as discovery spells it for an endpoint, else as it was given.
func (r *Stage) ParameterName(serviceName, path, name string) string {
	for _, p := range r.ParametersOf(serviceName, path) {
		if strings.EqualFold(p.Name, name) {
			return p.Name
		}
	}
	return name
}

// SessionParameter returns the name of the parameter that carries the session token: as the environment file says, as
// discovery spells it, or the only one that discovery calls mandatory and the file does not give.
func (r *Stage) SessionParameter(serviceName string) string {
	if own := r.Environment.SignOn.Parameter; own != "" {
		return own
	}
	return r.mandatory(serviceName, "/signOnWithSessionToken", "sessionToken", r.Environment.SignOn.Parameters)
}

// OperatorParameter is the same for the OperatorAuthToken.
func (r *Stage) OperatorParameter(serviceName string) string {
	o := r.Environment.Operator
	if o.Parameter != environment.DefaultOperatorParameter {
		return o.Parameter
	}
	return r.mandatory(serviceName, "/getSessionToken", o.Parameter, o.Parameters)
}

func (r *Stage) mandatory(serviceName, path, name string, given map[string]string) string {
	var only []string
	for _, p := range r.ParametersOf(serviceName, path) {
		if strings.EqualFold(p.Name, name) {
			return p.Name
		}
		if p.Mandatory && given[p.Name] == "" {
			only = append(only, p.Name)
		}
	}
	if len(only) == 1 {
		return only[0]
	}
	return name
}

// lackingParameters notes mandatory parameters of signOnWithSessionToken that discovery lists and the environment file
// gives no value for.
func (r *Stage) lackingParameters() {
	const path = "/signOnWithSessionToken"
	var lack []string
	for _, p := range r.ParametersOf(r.Service, path) {
		if p.Mandatory && p.Name != r.SessionParameter(r.Service) && r.Environment.SignOn.Parameters[p.Name] == "" {
			lack = append(lack, p.Name)
		}
	}
	if len(lack) > 0 {
		r.Notes = append(r.Notes,
			fmt.Sprintf("servicediscovery calls these parameters of %s mandatory, and the environment file gives no value for "+
				"them: %s; write signOnWithSessionToken: {parameters: {%s: …}}",
				path, strings.Join(lack, ", "), lack[0]))
	}
}

// ParametersOf returns the parameters that discovery lists for an endpoint.
func (r *Stage) ParametersOf(serviceName, path string) []talk.ParameterProperty {
	for _, s := range r.Services {
		if s.Name == serviceName {
			e, _ := s.Endpoint(path)
			return e.Parameters
		}
	}
	return nil
}

// AskPath sends a request with made-up parameters to a path below /ags. They are nobody's, so the request can grant
// nothing. The path may be one that does not exist.
func (w *World) AskPath(ctx context.Context, method, below string, names ...string) (*talk.Exchange, error) {
	r := w.Prepare(ags.SignOnWithSessionToken)
	r.Operation, r.Method, r.Path = "", method, "/ags"+below
	if method == http.MethodPost {
		list := []talk.Parameter{}
		for _, name := range names {
			list = append(list, talk.Parameter{Name: name, Value: "made-up-" + w.Invented(9)})
		}
		r.Set("parameters", talk.JSON(list))
	}
	return w.Send(ctx, r, true)
}

// LikeNowhere tells whether an answer is that of a path which does not exist, apart from the path itself.
func LikeNowhere(x, nowhere *talk.Exchange) bool {
	switch EffectiveStatus(nowhere) {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented:
		return Likeness(withoutPath(x), true) == Likeness(withoutPath(nowhere), true)
	}
	return false
}

func withoutPath(x *talk.Exchange) *talk.Exchange {
	inner := wire.Exchange{Call: x.Call, Status: x.Status, Header: x.Header, Body: x.Body}
	for _, part := range []string{x.Request.Path, path.Base(x.Request.Path)} {
		inner.Body = bytes.ReplaceAll(inner.Body, []byte(part), []byte("#"))
	}
	return &talk.Exchange{Exchange: &inner, Request: x.Request}
}
