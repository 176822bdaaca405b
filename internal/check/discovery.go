package check

import (
	"fmt"
	"regexp"
	"strings"

	"agstest/ags"
	"agstest/internal/figures"
	"agstest/internal/strictjson"
)

// discovery judges DISC-04 to DISC-08 on the answer of servicediscovery.
func (j *judge) discovery() {
	list := j.object().Get("availableServices")
	expected := "an array availableServices"
	switch {
	case j.object() == nil:
		j.add("DISC-04", Broken, expected, j.notObject())
		return
	case list == nil || list.Kind != ags.Array:
		j.add("DISC-04", Broken, expected, "availableServices is "+describe(list))
		return
	case j.bodyErr != nil:
		j.add("DISC-04", Broken, "one clean JSON object", j.bodyErr.Error())
	default:
		j.add("DISC-04", Held, expected, figures.Plural(len(list.Items), "service"))
	}
	if len(list.Items) == 0 {
		j.add("DISC-02", Broken, "status 404 when there is no service", fmt.Sprintf("status %d with an empty list",
			j.x.Status))
		return
	}
	j.each("DISC-05", list, "availableServices", "a non-empty string authServiceName", func(s *strictjson.Value) string {
		return nonEmpty(s, "authServiceName")
	})
	j.twice(list)
	j.display(list)
	j.endpoints(list)
}

// twice finds a name under which two services are listed: which of them x-auth-service-id means cannot be told. No page
// says that names differ.
func (j *judge) twice(list *strictjson.Value) {
	seen := map[string]bool{}
	for i, s := range list.Items {
		name := s.Get("authServiceName").String()
		if name != "" && seen[name] {
			j.add("DISC-05", Soft, "a name of its own for each service",
				fmt.Sprintf("availableServices[%d].authServiceName is %s once more", i, strictjson.Brief(name)))
			return
		}
		seen[name] = true
	}
}

// each adds one finding for a rule on all elements: the first that breaks it, or Held.
func (j *judge) each(id string, list *strictjson.Value, place, expected string,
	problem func(*strictjson.Value) string) {
	for i, item := range list.Items {
		if p := problem(item); p != "" {
			j.add(id, Broken, expected, fmt.Sprintf("%s[%d]%s", place, i, p))
			return
		}
	}
	j.add(id, Held, expected, fmt.Sprintf("all %d", len(list.Items)))
}

// nonEmpty returns what is wrong with a member that must be a non-empty string.
func nonEmpty(object *strictjson.Value, name string) string {
	if object.Kind != ags.Object {
		return " is " + describe(object)
	}
	if v := object.Get(name); v.String() == "" {
		return "." + name + " is " + describe(v)
	}
	return ""
}

func (j *judge) display(list *strictjson.Value) {
	any := false
	for i, s := range list.Items {
		d := s.Get("displayAttributes")
		if d == nil || d.Kind == ags.Null {
			continue
		}
		any = true
		if d.Kind != ags.Object {
			j.add("DISC-06", Soft, "an object displayAttributes",
				fmt.Sprintf("availableServices[%d].displayAttributes is %s", i, describe(d)))
			return
		}
		for _, name := range []string{"logo", "name"} {
			if v := d.Get(name); v != nil && v.Kind != ags.String && v.Kind != ags.Null {
				j.add("DISC-06", Soft, "strings logo and name",
					fmt.Sprintf("availableServices[%d].displayAttributes.%s is %s", i, name, describe(v)))
				return
			}
		}
	}
	if any {
		j.add("DISC-06", Held, "strings logo and name", "strings, null or absent")
	}
}

// placed is a value of a discovery answer with its place.
type placed struct {
	place string
	value *strictjson.Value
}

func (j *judge) endpoints(list *strictjson.Value) {
	var endpoints, parameters []placed
	const shape = "an array endpoints whose elements have a string name and a string path that starts with /"
	problem, soft, badParameters := "", "", ""
	for i, s := range list.Items {
		e := s.Get("endpoints")
		if e == nil || e.Kind == ags.Null {
			soft = first(soft, fmt.Sprintf("availableServices[%d].endpoints is %s", i, describe(e)))
			continue
		}
		if e.Kind != ags.Array {
			problem = first(problem, fmt.Sprintf("availableServices[%d].endpoints is %s", i, describe(e)))
			continue
		}
		for n, item := range e.Items {
			endpoints = append(endpoints, placed{fmt.Sprintf("availableServices[%d].endpoints[%d]", i, n), item})
		}
	}
	for _, e := range endpoints {
		bad, left := wrongEndpoint(e)
		problem, soft = first(problem, bad), first(soft, left)
		list := e.value.Get("parameterProperties")
		if list == nil || list.Kind == ags.Null {
			continue
		}
		if list.Kind != ags.Array {
			badParameters = first(badParameters, e.place+".parameterProperties is "+describe(list))
			continue
		}
		for n, item := range list.Items {
			parameters = append(parameters, placed{fmt.Sprintf("%s.parameterProperties[%d]", e.place, n), item})
		}
	}
	switch {
	case problem != "":
		j.add("DISC-07", Broken, shape, problem)
	case soft != "":
		j.add("DISC-07", Soft, shape, soft)
	case len(endpoints) > 0:
		j.add("DISC-07", Held, shape, fmt.Sprintf("all %d", len(endpoints)))
	}
	j.parameterProperties(parameters, badParameters)
}

// wrongEndpoint returns what is wrong with name and path of an endpoint, and as soft what may be excused: a missing
// member is not of the wrong kind.
func wrongEndpoint(e placed) (problem, soft string) {
	for _, name := range []string{"name", "path"} {
		p := nonEmpty(e.value, name)
		switch left := e.value.Get(name); {
		case p == "":
		case e.value.Kind == ags.Object && (left == nil || left.Kind == ags.Null):
			soft = first(soft, e.place+p)
		default:
			problem = first(problem, e.place+p)
		}
	}
	path := e.value.Get("path").String()
	switch {
	case path == "" || strings.HasPrefix(path, "/"):
	case strings.HasPrefix(path, "https://"), strings.HasPrefix(path, "http://"):
		soft = first(soft, e.place+".path is an absolute address")
	default:
		soft = first(soft, e.place+".path is "+strictjson.Brief(path))
	}
	return problem, soft
}

func (j *judge) parameterProperties(parameters []placed, badParameters string) {
	const properties = "an array parameterProperties whose elements have a string name and booleans mandatory and " +
		"isPassword"
	softParameters, listed := "", map[string]bool{}
	for _, p := range parameters {
		if bad := nonEmpty(p.value, "name"); bad != "" {
			badParameters = first(badParameters, p.place+bad)
			continue
		}
		name := p.value.Get("name").Text
		softParameters = first(softParameters, unmarkedPassword(p))
		within, _, _ := strings.Cut(p.place, ".parameterProperties")
		if listed[within+" "+name] {
			softParameters = first(softParameters, p.place+".name is "+strictjson.Brief(name)+" once more")
		}
		listed[within+" "+name] = true
		for _, name := range []string{"mandatory", "isPassword"} {
			if v := p.value.Get(name); v == nil {
				softParameters = first(softParameters, p.place+"."+name+" is absent")
			} else if v.Kind != ags.Boolean {
				badParameters = first(badParameters, p.place+"."+name+" is "+describe(v))
			}
		}
	}
	switch {
	case badParameters == "" && softParameters != "":
		j.add("DISC-08", Soft, properties, softParameters)
	case badParameters != "" || len(parameters) > 0:
		j.rule("DISC-08", badParameters == "", properties, first(badParameters, fmt.Sprintf("all %d", len(parameters))))
	}
}

// unmarkedPassword returns a problem if discovery gives a parameter the name of a password and says it is none: a
// client would show it while it is typed.
func unmarkedPassword(p placed) string {
	is := p.value.Get("isPassword")
	if name := p.value.Get("name").Text; is != nil && is.Kind == ags.Boolean && !is.Bool && password.MatchString(name) {
		return p.place + ".isPassword of " + strictjson.Brief(name) + " is false"
	}
	return ""
}

var password = regexp.MustCompile(
	`(?i)^(?:user|account|login|new|old)?[-_.]?(?:password|passwd|passwort|passcode|passphrase|pwd|pin|pin[-_]?code)$`)

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
