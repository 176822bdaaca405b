package mock

import (
	"net/http"
	"strings"

	"agstest/ags"
)

func discoveryFaults() []Fault {
	d := on(ags.ServiceDiscovery)
	body := func(name, requirement, summary string, change func(*object)) Fault {
		return spoiledBody(name, requirement, summary, d, change)
	}
	service := func(change func(*object)) func(*object) {
		return func(o *object) { eachElement(o, "availableServices", change) }
	}
	endpoint := func(change func(*object)) func(*object) {
		return service(func(s *object) { eachElement(s, "endpoints", change) })
	}
	parameter := func(change func(*object)) func(*object) {
		return endpoint(func(e *object) { eachElement(e, "parameterProperties", change) })
	}
	return []Fault{
		refused("discovery-finds-nothing", "DISC-01", "discovery answers 404 though services are configured",
			ags.ServiceDiscovery, http.StatusNotFound),
		wrongStatus("discovery-created", "DISC-01", "discovery answers 201", ags.ServiceDiscovery, http.StatusCreated),
		wrongRefusal("discovery-empty-list", "DISC-02", "a tenant without services gets 200 and an empty list", d,
			func(_ *call, r *reply) {
				*r = jsonReply(http.StatusOK, object{{"availableServices", []any{}}})
			}, ruleKnownService),
		wrongRefusal("discovery-nothing-500", "DISC-02", "a tenant without services gets 500", d,
			toStatus(http.StatusInternalServerError), ruleKnownService),
		lax("discovery-wants-token", "DISC-03", "discovery without a token is refused", d, ruleTokenFree),
		body("discovery-services-missing", "DISC-04", "availableServices is called services",
			renamed("availableServices", "services")),
		body("discovery-services-null", "DISC-04", "availableServices is null", with("availableServices", nil)),
		body("discovery-services-object", "DISC-04", "availableServices is a single object", func(o *object) {
			list, _ := o.get("availableServices")
			o.set("availableServices", list.([]any)[0])
		}),
		body("discovery-name-missing", "DISC-05", "services have no authServiceName", service(without("authServiceName"))),
		body("discovery-name-empty", "DISC-05", "authServiceName is empty", service(with("authServiceName", ""))),
		body("discovery-name-number", "DISC-05", "authServiceName is a number", service(with("authServiceName", 7))),
		body("discovery-last-name-missing", "DISC-05", "only the last service has no authServiceName", func(o *object) {
			list, _ := o.get("availableServices")
			services := list.([]any)
			last := services[len(services)-1].(object)
			last.remove("authServiceName")
			services[len(services)-1] = last
		}),
		body("discovery-name-twice", "DISC-05", "the first service is listed twice", func(o *object) {
			list, _ := o.get("availableServices")
			services := list.([]any)
			o.set("availableServices", append(services[:len(services):len(services)], services[0]))
		}),
		body("discovery-logo-object", "DISC-06", "the logo is an object",
			service(with("displayAttributes", object{{"logo", object{}}, {"name", "x"}}))),
		body("discovery-path-missing", "DISC-07", "endpoints have no path", endpoint(without("path"))),
		body("discovery-path-bare", "DISC-07", "paths do not begin with a slash", endpoint(func(e *object) {
			path, _ := e.get("path")
			e.set("path", strings.TrimPrefix(path.(string), "/"))
		})),
		body("discovery-endpoint-name-number", "DISC-07", "names of endpoints are numbers", endpoint(with("name", 1))),
		body("discovery-endpoint-name-missing", "DISC-07", "endpoints have no name", endpoint(without("name"))),
		body("discovery-mandatory-text", "DISC-08", "mandatory is the text true", parameter(with("mandatory", "true"))),
		body("discovery-password-missing", "DISC-08", "isPassword is missing", parameter(without("isPassword"))),
		body("discovery-password-unmarked", "DISC-08", "passwords are not called passwords",
			parameter(with("isPassword", false))),
		body("discovery-parameter-twice", "DISC-08", "a parameter is listed twice, each time with other properties",
			endpoint(func(e *object) {
				value, _ := e.get("parameterProperties")
				if list, _ := value.([]any); len(list) > 0 {
					again := append(object{}, list[0].(object)...)
					again.set("mandatory", false)
					e.set("parameterProperties", append(list[:len(list):len(list)], again))
				}
			})),
		body("discovery-path-dead", "DISC-07", "a path is listed that leads nowhere",
			service(listing("OLD_SIGNON", "/signOnOld"))),
		{Name: "discovery-type-dead", Requirement: "DISC-07", Summary: "a type of registration is listed that does not exist, and is not found",
			operations: on(ags.ServiceDiscovery, ags.Register), reply: func(_ *call, r *reply) {
				eachService(r, listing("TVKEY2", "/register/tvkey2"))
				if r.refused == ruleRegisterType {
					r.status = http.StatusNotFound
				}
			}},
		body("discovery-lists-ghost", "DISC-14", "a service is listed that does not exist", func(o *object) {
			list, _ := o.get("availableServices")
			services := list.([]any)
			ghost := append(object{}, services[0].(object)...)
			ghost.set("authServiceName", "Old SSO")
			o.set("availableServices", append(services[:len(services):len(services)], ghost))
		}),
		body("discovery-parameter-nameless", "DISC-08", "names of parameters are null", parameter(with("name", nil))),
		body("discovery-mandatory-number", "DISC-08", "mandatory is 0 or 1", parameter(with("mandatory", 1))),
		body("discovery-without-sign-on", "DISC-09", "no service has the endpoint /signOn", service(dropEndpoint("/signOn"))),
		body("discovery-without-session-token", "DISC-10", "no service has the endpoint /signOnWithSessionToken",
			service(dropEndpoint("/signOnWithSessionToken"))),
		body("discovery-without-parameter", "DISC-11", "the parameter sessionToken is not told", endpoint(func(e *object) {
			if path, _ := e.get("path"); path == "/signOnWithSessionToken" {
				e.set("parameterProperties", []any{})
			}
		})),
		lax("discovery-advertises-refused", "DISC-14", "only the first of the discovered services is served", nil,
			ruleDiscoveredServices),
		spoiledSuccess("discovery-html", "GW-05", "discovery says that its JSON is HTML", d,
			func(_ *call, r *reply) { r.media = "text/html" }),
	}
}

// eachElement changes the objects of an array in place.
func eachElement(o *object, name string, change func(*object)) {
	value, _ := o.get(name)
	list, _ := value.([]any)
	for i := range list {
		if element, isObject := list[i].(object); isObject {
			change(&element)
			list[i] = element
		}
	}
}

// listing adds an endpoint without parameters.
func listing(name, path string) func(*object) {
	return func(s *object) {
		value, _ := s.get("endpoints")
		list, _ := value.([]any)
		s.set("endpoints", append(list[:len(list):len(list)],
			object{{"name", name}, {"path", path}, {"parameterProperties", []any{}}}))
	}
}

func dropEndpoint(path string) func(*object) {
	return func(s *object) {
		value, _ := s.get("endpoints")
		list, _ := value.([]any)
		var kept []any
		for _, e := range list {
			if found, _ := e.(object).get("path"); found != path {
				kept = append(kept, e)
			}
		}
		s.set("endpoints", kept)
	}
}
