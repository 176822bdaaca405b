package words

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"agstest/ags"
	"agstest/internal/figures"
	"agstest/internal/strictjson"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// discoveryPhrases are sentences about the answer of discovery.
var discoveryPhrases = []Sentence{
	then("there is at least one authentication service",
		"availableServices is an array that is not empty.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			v, err := w.Member("availableServices")
			if err != nil {
				return err
			}
			if v == nil || v.Kind != ags.Array || len(v.Items) == 0 {
				return talk.Missf("an array availableServices with a service in it", "%s", talk.Show(v))
			}
			return nil
		}),
	then("the service of the tenant is listed",
		"The service that the environment file names for the tenant is among those that discovery tells it of.",
		withAnswer(func(w *scene.World, x *talk.Exchange, _ arguments) error {
			if status := scene.EffectiveStatus(x); status/100 == 4 || status/100 == 2 && len(w.Services) == 0 {
				return talk.Unknownf("discovery tells nothing of the tenant %q (%s): it may be one that the service does not "+
					"know, and situations.other-tenant may do nothing",
					w.Tenant, w.Describe(x))
			} else if status != http.StatusOK {
				return talk.Missf("status 200", "%s", w.Describe(x))
			}
			var names []string
			nameless := 0
			for _, s := range w.Services {
				switch {
				case s.Name == w.Service:
					return nil
				case strings.TrimSpace(s.Name) == "":
					nameless++
				default:
					names = append(names, s.Name)
				}
			}
			if nameless > 0 {
				names = append(names, fmt.Sprint(nameless, " without a name"))
			}
			got := fmt.Sprintf("for the tenant %q: %s", w.Tenant, cmp.Or(strings.Join(names, ", "), "none"))
			if told := talk.FromCache(x); told != "" {
				got += "; it was answered from a cache (" + told + "), which keeps what another tenant was told"
			}
			return talk.Missf(fmt.Sprintf("the service %q", w.Service), "%s", got)
		})),
	then(`every service has a non-empty text "authServiceName"`,
		"The value that x-auth-service-id takes.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			if len(w.Services) == 0 {
				return talk.Missf("services", "none")
			}
			for i, s := range w.Services {
				if strings.TrimSpace(s.Name) == "" {
					return talk.Missf("a non-empty text authServiceName", "none in service %d", i+1)
				}
			}
			return nil
		}),
	then(`"logo" and "name" of every displayAttributes are texts where they are there`,
		"displayAttributes is optional.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			list, err := w.Member("availableServices")
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
						return talk.Missf("texts in displayAttributes", "%s of service %d is %s", name, i+1,
							talk.Show(v))
					}
				}
			}
			return nil
		}),
	then(`every endpoint has a text "name" and a "path" that starts with "/"`,
		"For all endpoints of all services.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			n := 0
			for _, s := range w.Services {
				for _, e := range s.Endpoints {
					n++
					// a value of another kind is the judge's to find
					if e.Name == "" || !strings.HasPrefix(e.Path, "/") {
						return talk.SoftMissf("a name and a path that starts with /", "name %q and path %q of %s",
							e.Name, e.Path, s.Name)
					}
				}
			}
			if n == 0 {
				return talk.SoftMissf("endpoints", "none")
			}
			return nil
		}),
	then(`every parameter has a text "name" and says true or false of "mandatory" and "isPassword"`,
		"For all parameterProperties of all endpoints.",
		func(_ context.Context, w *scene.World, _ arguments) error { return parametersAreWhole(w) }),
	then(`a service offers an endpoint with the path "<path>"`,
		"Paths count from /ags; /ags/signOn is the same as /signOn.",
		func(_ context.Context, w *scene.World, a arguments) error {
			for _, s := range w.Services {
				if _, ok := s.Endpoint(a.words[0]); ok {
					return nil
				}
			}
			return talk.Missf("an endpoint with the path "+a.words[0], "none in %s",
				figures.Plural(len(w.Services), "service"))
		}).like(`a service offers an endpoint with the path "/signOn"`),
	then(`the endpoint "<path>" lists the parameter "<name>"`,
		"In every service that offers the endpoint.",
		func(_ context.Context, w *scene.World, a arguments) error {
			found := false
			for _, s := range w.Services {
				e, ok := s.Endpoint(a.words[0])
				if !ok {
					continue
				}
				found = true
				if !slices.ContainsFunc(e.Parameters,
					func(p talk.ParameterProperty) bool { return strings.EqualFold(p.Name, a.words[1]) }) {
					return talk.Missf("the parameter "+a.words[1], "none in %s", s.Name)
				}
			}
			if !found {
				return talk.Missf("an endpoint "+a.words[0], "none")
			}
			return nil
		}).like(`the endpoint "/signOnWithSessionToken" lists the parameter "sessionToken"`),
	then("it is recorded whether both answers are the same",
		"Compares the bodies of the last two answers, whatever the order of their members.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			if len(w.Exchanges) < 2 {
				return talk.Unknownf("fewer than two calls were sent")
			}
			bodies := map[string]bool{}
			for _, x := range w.Exchanges[len(w.Exchanges)-2:] {
				v, _ := strictjson.Parse(x.Body)
				bodies[talk.Canonical(v)] = true
			}
			if len(bodies) == 1 {
				w.Observe("the same")
			} else {
				w.Observe("different")
			}
			return nil
		}),
	when("the client signs on once with each authentication service",
		"Calls signOnWithSessionToken with every authServiceName that discovery told of.",
		func(ctx context.Context, w *scene.World, _ arguments) error { return signOnEverywhere(ctx, w) }),
	then("no service was refused with 400",
		"Every discovered authServiceName is accepted as x-auth-service-id.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			for _, x := range w.Exchanges[w.AnswersOf:] {
				if x.Request.Operation == ags.SignOnWithSessionToken && x.Status == http.StatusBadRequest {
					return talk.Missf("every discovered service accepted", "%s for %q", w.Describe(x),
						x.Request.HeaderValue(ags.HeaderService))
				}
			}
			return nil
		}),
	then(`leaving out any parameter that is mandatory for "<path>" is answered with <statuses>`,
		"Signs on with the credentials once for each parameter that discovery calls mandatory, without that parameter.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return leaveOutMandatory(ctx, w, a.words[0], a.words[1])
		}).like(`leaving out any parameter that is mandatory for "/signOn" is answered with 400 or 401`),
}

func parametersAreWhole(w *scene.World) error {
	list, err := w.Member("availableServices")
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
					return talk.Missf("a text name", "%s at %s", talk.Show(p.Get("name")), e.Get("path").String())
				}
				for _, name := range []string{"mandatory", "isPassword"} {
					if v := p.Get(name); v == nil {
						soft = talk.SoftMissf("true or false for "+name, "none at %s", e.Get("path").String())
					} else if v.Kind != ags.Boolean {
						return talk.Missf("true or false for "+name, "%s at %s", talk.Show(v), e.Get("path").String())
					}
				}
			}
		}
	}
	if n == 0 {
		return talk.SoftMissf("parameterProperties", "none")
	}
	return soft
}

func signOnEverywhere(ctx context.Context, w *scene.World) error {
	if len(w.Services) == 0 {
		if x, err := w.Last(); err == nil && w.WantsToken(x) != "" {
			return talk.Unknownf("%s", w.WantsToken(x))
		}
		return talk.Missf("services", "none")
	}
	if err := w.HasClient(); err != nil {
		return err
	}
	blunt, err := strangersAreBad(ctx, w)
	if err != nil {
		return err
	}
	w.AnswersOf = len(w.Exchanges)
	first := w.Service
	defer func() { w.Service = first }()
	for _, s := range w.Services {
		if blunt && s.Name != first {
			w.Observe("%s was not tried: the session tokens of the environment file may be for another service, and strange "+
				"ones are answered with 400",
				s.Name)
			continue
		}
		if _, ok := s.Endpoint("/signOnWithSessionToken"); !ok && len(s.Endpoints) > 0 {
			continue // it does not claim to serve this call
		}
		w.Service = s.Name
		r, err := w.SignOnWithSessionToken(ctx)
		var none *talk.Unknown
		if errors.As(err, &none) && s.Name != first {
			w.Observe("%s gives the operator of the environment file no session token, so it was not tried", s.Name)
			continue
		}
		if err != nil {
			return err
		}
		r.Set("clientId", talk.JSON(w.Client.ID))
		err = w.SignOn(ctx, r, w.Client)
		if x, _ := w.Last(); errors.As(err, &none) && s.Name != first && x.Status/100 == 4 {
			w.Observe("%s refuses the session token of the environment file (%d), which may be for another service",
				s.Name, x.Status)
			continue
		}
		if err != nil {
			return err
		}
	}
	if len(w.Exchanges) == w.AnswersOf {
		return talk.Lacking("", "no authentication service offers signOnWithSessionToken")
	}
	return nil
}

// strangersAreBad tells whether a service answers 400 to a session token that it has not issued, where the tokens are
// not minted for each service: then a 400 says nothing of the service's name.
func strangersAreBad(ctx context.Context, w *scene.World) (bool, error) {
	if len(w.Services) < 2 || w.Account.Token == "" && w.Account.Source == nil {
		return false, nil
	}
	given := w.SessionToken
	w.SessionToken = w.Invented(32)
	r, err := w.SignOnWithSessionToken(ctx)
	w.SessionToken = given
	if err != nil {
		return false, err
	}
	r.Set("clientId", talk.JSON(w.Client.ID))
	x, err := w.Send(ctx, r, true)
	return err == nil && x.Status == http.StatusBadRequest, err
}

func leaveOutMandatory(ctx context.Context, w *scene.World, path, statuses string) error {
	var names []string
	for _, s := range w.Stage.Services {
		if s.Name == w.Service {
			e, _ := s.Endpoint(path)
			for _, p := range e.Parameters {
				if p.Mandatory {
					names = append(names, p.Name)
				}
			}
		}
	}
	if err := w.HasClient(); err != nil {
		return err
	}
	if len(names) == 0 {
		return talk.Lacking("", "discovery calls no parameter of %s mandatory", path)
	}
	var soft error // what lets in weighs more than another refusal of a parameter before
	for _, name := range names {
		r, err := w.CredentialRequest(ags.SignOn)
		if err != nil {
			return err
		}
		kept := []talk.Parameter{}
		for _, p := range r.Parameters() {
			if !strings.EqualFold(p.Name, name) {
				kept = append(kept, p)
			}
		}
		r.Set("parameters", talk.JSON(kept))
		r.Set("clientId", talk.JSON(w.Client.ID))
		x, err := w.Send(ctx, r, true)
		if err != nil {
			return err
		}
		expected := fmt.Sprintf("status %s without the parameter %s", statuses, name)
		switch {
		case slices.Contains(numbers(statuses), x.Status):
		case x.Status/100 != 4:
			return talk.Missf(expected, "%s", w.Describe(x))
		case soft == nil:
			soft = talk.SoftMissf(expected, "%s", w.Describe(x))
		}
	}
	return soft
}
