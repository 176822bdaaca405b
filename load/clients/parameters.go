package clients

import (
	"context"
	"strings"

	"agstest/internal/environment"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
	"agstest/load/hit"
)

// learnParameters asks servicediscovery for the names of the parameters that carry session token and OperatorAuthToken,
// if the environment file does not give them: a service that adapts them to its operator tells them there. Names that
// discovery does not tell stay as documented; a load does not judge discovery's answer. The error is that of the
// context.
func (r *requests) learnParameters(ctx context.Context, via *wire.Client, service string) error {
	ofOperator := r.mintAs != nil && r.mintAs.Header == "" && r.mintAs.Parameter == environment.DefaultOperatorParameter
	if r.signOnAs.Parameter != "" && !ofOperator {
		return nil
	}
	var request hit.Request
	r.begin(&request, stepDiscover)
	x := via.Do(ctx, callOf(&request, stepDiscover))
	if err := ctx.Err(); err != nil {
		return err
	}
	body, err := strictjson.Parse(x.Body)
	if x.Err != nil || err != nil {
		return nil
	}
	if r.signOnAs.Parameter == "" {
		r.nameSession(onlyMandatory(body, service, "/signOnWithSessionToken", "sessionToken", r.signOnAs.Parameters))
	}
	if ofOperator {
		r.parameter = appendJSON(nil, []byte(onlyMandatory(body, service, "/getSessionToken", r.mintAs.Parameter,
			r.mintAs.Parameters)))
	}
	return nil
}

// onlyMandatory returns the name as the service spells it, or the only mandatory parameter of an endpoint that is not
// given, else the name unchanged.
func onlyMandatory(discovery *strictjson.Value, service, path, name string, given map[string]string) string {
	var only []string
	for _, s := range items(discovery.Get("availableServices")) {
		if s.Get("authServiceName").String() != service {
			continue
		}
		for _, endpoint := range items(s.Get("endpoints")) {
			if strings.TrimPrefix(endpoint.Get("path").String(), "/ags") != path {
				continue
			}
			for _, p := range items(endpoint.Get("parameterProperties")) {
				spelt, mandatory := p.Get("name").String(), p.Get("mandatory")
				if strings.EqualFold(spelt, name) {
					return spelt
				}
				if mandatory != nil && mandatory.Bool && spelt != "" && given[spelt] == "" {
					only = append(only, spelt)
				}
			}
		}
	}
	if len(only) == 1 {
		return only[0]
	}
	return name
}

func items(v *strictjson.Value) []*strictjson.Value {
	if v == nil {
		return nil
	}
	return v.Items
}
