package steps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/strictjson"
)

// What discovery must tell.
var discoveryPhrases = []phrase{
	then(`there is at least one authentication service`, "there is at least one authentication service", "there is at least one authentication service",
		"availableServices is an array that is not empty.",
		func(_ context.Context, w *world, _ arguments) error {
			v, err := w.member("availableServices")
			if err != nil {
				return err
			}
			if v == nil || v.Kind != ags.Array || len(v.Items) == 0 {
				return missf("an array availableServices with a service in it", "%s", show(v))
			}
			return nil
		}),
	then(`the service of the tenant is listed`, "the service of the tenant is listed", "the service of the tenant is listed",
		"The service that the environment file names for the tenant is among those that discovery tells it of.",
		withAnswer(func(w *world, x *exchange, _ arguments) error {
			if status := effectiveStatus(x); status/100 == 4 || status/100 == 2 && len(w.services) == 0 {
				return unknownf("discovery tells nothing of the tenant %q (%s): it may be one that the service does not know, and situations.other-tenant may do nothing",
					w.tenant, w.describe(x))
			} else if status != http.StatusOK {
				return missf("status 200", "%s", w.describe(x))
			}
			var names []string
			for _, s := range w.services {
				if s.name == w.service {
					return nil
				}
				names = append(names, s.name)
			}
			got := fmt.Sprintf("for the tenant %q: %s", w.tenant, cmp.Or(strings.Join(names, ", "), "none"))
			if told := fromCache(x); told != "" {
				got += "; it was answered from a cache (" + told + "), which keeps what another tenant was told"
			}
			return missf(fmt.Sprintf("the service %q", w.service), "%s", got)
		})),
	then(`every service has a non-empty text "authServiceName"`, `every service has a non-empty text "authServiceName"`, `every service has a non-empty text "authServiceName"`,
		"The value that x-auth-service-id takes.",
		func(_ context.Context, w *world, _ arguments) error {
			if len(w.services) == 0 {
				return missf("services", "none")
			}
			for i, s := range w.services {
				if strings.TrimSpace(s.name) == "" {
					return missf("a non-empty text authServiceName", "none in service %d", i+1)
				}
			}
			return nil
		}),
	then(`"logo" and "name" of every displayAttributes are texts where they are there`, `"logo" and "name" of every displayAttributes are texts where they are there`, `"logo" and "name" of every displayAttributes are texts where they are there`,
		"displayAttributes is optional.",
		func(_ context.Context, w *world, _ arguments) error {
			list, err := w.member("availableServices")
			if err != nil || list == nil {
				return err
			}
			for i, item := range list.Items {
				display := item.Get("displayAttributes")
				if display == nil {
					continue
				}
				for _, name := range []string{"logo", "name"} {
					if v := display.Get(name); display.Kind != ags.Object || v != nil && v.Kind != ags.String {
						return missf("texts in displayAttributes", "%s of service %d is %s", name, i+1, show(v))
					}
				}
			}
			return nil
		}),
	then(`every endpoint has a text "name" and a "path" that starts with "/"`, `every endpoint has a text "name" and a "path" that starts with "/"`, `every endpoint has a text "name" and a "path" that starts with "/"`,
		"For all endpoints of all services.",
		func(_ context.Context, w *world, _ arguments) error {
			n := 0
			for _, s := range w.services {
				for _, e := range s.endpoints {
					n++
					if e.name == "" || !strings.HasPrefix(e.path, "/") { // a value of another kind is the judge's to find
						return softMissf("a name and a path that starts with /", "name %q and path %q of %s", e.name, e.path, s.name)
					}
				}
			}
			if n == 0 {
				return softMissf("endpoints", "none")
			}
			return nil
		}),
	then(`every parameter has a text "name" and says true or false of "mandatory" and "isPassword"`, `every parameter has a text "name" and says true or false of "mandatory" and "isPassword"`, `every parameter has a text "name" and says true or false of "mandatory" and "isPassword"`,
		"For all parameterProperties of all endpoints.",
		func(_ context.Context, w *world, _ arguments) error { return w.parametersAreWhole() }),
	then(`a service offers an endpoint with the path "([^"]+)"`, `a service offers an endpoint with the path "<path>"`, `a service offers an endpoint with the path "/signOn"`,
		"Paths count from /ags; /ags/signOn is the same as /signOn.",
		func(_ context.Context, w *world, a arguments) error {
			for _, s := range w.services {
				if _, ok := s.endpoint(a.words[0]); ok {
					return nil
				}
			}
			return missf("an endpoint with the path "+a.words[0], "none in %s", plural(len(w.services), "service"))
		}),
	then(`the endpoint "([^"]+)" lists the parameter "([^"]+)"`, `the endpoint "<path>" lists the parameter "<name>"`, `the endpoint "/signOnWithSessionToken" lists the parameter "sessionToken"`,
		"In every service that offers the endpoint.",
		func(_ context.Context, w *world, a arguments) error {
			found := false
			for _, s := range w.services {
				e, ok := s.endpoint(a.words[0])
				if !ok {
					continue
				}
				found = true
				if !slices.ContainsFunc(e.parameters, func(p parameterProperty) bool { return strings.EqualFold(p.name, a.words[1]) }) {
					return missf("the parameter "+a.words[1], "none in %s", s.name)
				}
			}
			if !found {
				return missf("an endpoint "+a.words[0], "none")
			}
			return nil
		}),
	then(`it is recorded whether both answers are the same`, "it is recorded whether both answers are the same", "it is recorded whether both answers are the same",
		"Compares the bodies of the last two answers, whatever the order of their members.",
		func(_ context.Context, w *world, _ arguments) error {
			if len(w.exchanges) < 2 {
				return unknownf("fewer than two calls were sent")
			}
			bodies := map[string]bool{}
			for _, x := range w.exchanges[len(w.exchanges)-2:] {
				v, _ := strictjson.Parse(x.Body)
				bodies[canonical(v)] = true
			}
			if len(bodies) == 1 {
				w.observe("the same")
			} else {
				w.observe("different")
			}
			return nil
		}),
	when(`the client signs on once with each authentication service`, "the client signs on once with each authentication service", "the client signs on once with each authentication service",
		"Calls signOnWithSessionToken with every authServiceName that discovery told of.",
		func(ctx context.Context, w *world, _ arguments) error { return w.signOnEverywhere(ctx) }),
	then(`no service was refused with 400`, "no service was refused with 400", "no service was refused with 400",
		"Every discovered authServiceName is accepted as x-auth-service-id.",
		func(_ context.Context, w *world, _ arguments) error {
			for _, x := range w.exchanges[w.answersOf:] {
				if x.request.operation == ags.SignOnWithSessionToken && x.Status == http.StatusBadRequest {
					return missf("every discovered service accepted", "%s for %q", w.describe(x), x.request.headerValue(ags.HeaderService))
				}
			}
			return nil
		}),
	then(`leaving out any parameter that is mandatory for "([^"]+)" is answered with ([0-9][0-9, or]*)`, `leaving out any parameter that is mandatory for "<path>" is answered with <statuses>`, `leaving out any parameter that is mandatory for "/signOn" is answered with 400 or 401`,
		"Signs on with the credentials once for each parameter that discovery calls mandatory, without that parameter.",
		func(ctx context.Context, w *world, a arguments) error {
			return w.leaveOutMandatory(ctx, a.words[0], a.words[1])
		}),
}

func (w *world) parametersAreWhole() error {
	list, err := w.member("availableServices")
	if err != nil || list == nil {
		return err
	}
	n := 0
	var soft error
	for _, s := range list.Items {
		endpoints := s.Get("endpoints")
		if endpoints == nil {
			continue
		}
		for _, e := range endpoints.Items {
			properties := e.Get("parameterProperties")
			if properties == nil {
				continue
			}
			for _, p := range properties.Items {
				n++
				if p.Get("name").String() == "" {
					return missf("a text name", "%s at %s", show(p.Get("name")), e.Get("path").String())
				}
				for _, name := range []string{"mandatory", "isPassword"} {
					if v := p.Get(name); v == nil {
						soft = softMissf("true or false for "+name, "none at %s", e.Get("path").String())
					} else if v.Kind != ags.Boolean {
						return missf("true or false for "+name, "%s at %s", show(v), e.Get("path").String())
					}
				}
			}
		}
	}
	if n == 0 {
		return softMissf("parameterProperties", "none")
	}
	return soft
}

func (w *world) signOnEverywhere(ctx context.Context) error {
	if len(w.services) == 0 {
		return missf("services", "none")
	}
	if err := w.hasClient(); err != nil {
		return err
	}
	w.answersOf = len(w.exchanges)
	first := w.service
	defer func() { w.service = first }()
	for _, s := range w.services {
		if _, ok := s.endpoint("/signOnWithSessionToken"); !ok && len(s.endpoints) > 0 {
			continue // it does not claim to serve this call
		}
		w.service = s.name
		r, err := w.signOnWithSessionToken(ctx)
		var none *unknown
		if errors.As(err, &none) && s.name != first {
			w.observe("%s gives the operator of the environment file no session token, so it was not tried", s.name)
			continue
		}
		if err != nil {
			return err
		}
		r.set("clientId", rawJSON(w.client.id))
		if err := w.signOn(ctx, r, w.client); err != nil {
			return err
		}
	}
	if len(w.exchanges) == w.answersOf {
		return lacking("", "no authentication service offers signOnWithSessionToken")
	}
	return nil
}

func (w *world) leaveOutMandatory(ctx context.Context, path, statuses string) error {
	var names []string
	for _, s := range w.run.services {
		if s.name == w.service {
			e, _ := s.endpoint(path)
			for _, p := range e.parameters {
				if p.mandatory {
					names = append(names, p.name)
				}
			}
		}
	}
	if err := w.hasClient(); err != nil {
		return err
	}
	if len(names) == 0 {
		return lacking("", "discovery calls no parameter of %s mandatory", path)
	}
	for _, name := range names {
		r, err := w.credentialRequest(ags.SignOn)
		if err != nil {
			return err
		}
		kept := []parameter{}
		for _, p := range r.parameters() {
			if !strings.EqualFold(p.Name, name) {
				kept = append(kept, p)
			}
		}
		r.set("parameters", rawJSON(kept))
		r.set("clientId", rawJSON(w.client.id))
		x, err := w.send(ctx, r, true)
		if err != nil {
			return err
		}
		if !slices.Contains(numbers(statuses), x.Status) {
			if x.Status/100 == 4 {
				return softMissf(fmt.Sprintf("status %s without the parameter %s", statuses, name), "%s", w.describe(x))
			}
			return missf(fmt.Sprintf("status %s without the parameter %s", statuses, name), "%s", w.describe(x))
		}
	}
	return nil
}
