package scene

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/steps/talk"
)

// Situation finds a situation of the environment file.
func (w *World) Situation(name string) (environment.Situation, error) {
	w.Uses(name)
	s, ok := w.Stage.Environment.Situations[name]
	if ok {
		return s, nil
	}
	return s, talk.Lacking(w.Stage.Example(name), "the environment offers no situation %s", name)
}

// Example is the line of an environment file that would give a situation.
func (r *Stage) Example(name string) string {
	for _, a := range r.Environment.Abilities() {
		if a.Name == name {
			return a.Example
		}
	}
	return "situations." + name
}

// callAs adds the caller that a situation describes.
func (w *World) callAs(name string, s environment.Situation) error {
	for _, h := range slices.Sorted(maps.Keys(s.Headers)) {
		w.header = append(w.header, talk.Field{Name: h, Value: s.Headers[h]})
	}
	if s.Proxy != "" {
		proxy, err := url.Parse(s.Proxy)
		if err != nil {
			return talk.Unknownf("the proxy of situations.%s cannot be read", name)
		}
		w.proxy = proxy
	}
	return nil
}

func (w *World) CallFrom(name string) error {
	w.Refusal = true
	s, err := w.Situation(name)
	if err != nil {
		return err
	}
	if len(s.Headers) == 0 && s.Proxy == "" {
		return talk.Lacking(w.Stage.Example(name),
			"situations.%s says neither headers nor a proxy, so the requests would come from here", name)
	}
	before, proxy := slices.Clone(w.header), w.proxy
	w.Subject = &Subject{Situation: name, Unknown: "any caller", Codes: map[string][]int{"vpn": {20018, 20021},
		"geo-blocked": {20019, 20022, 20066}}[name],
		fromHere: func(r *talk.Request) {
			r.Proxy = proxy
			for h := range s.Headers {
				r.DropHeader(h)
			}
			for _, f := range before {
				r.SetHeader(f.Name, f.Value)
			}
		}}
	return w.callAs(name, s)
}

// madeUpClient puts a made-up clientId in the place of the one in a request.
func madeUpClient(w *World, r *talk.Request) bool {
	var id string
	if json.Unmarshal(r.Get("clientId"), &id) != nil || id == "" {
		return false
	}
	r.Set("clientId", talk.JSON(w.Lookalike(id)))
	return true
}

// MadeUpSession puts a made-up session token in the place of the one in a request.
func MadeUpSession(w *World, r *talk.Request) bool {
	return madeUpParameter(w, r, func(name string) bool { return name == w.Stage.SessionParameter(w.Service) })
}

// madeUpAccount makes up the value that identifies the account: the session token that the environment gives, or the
// user. If the operator has minted the session token, the service knows the account, and the device is made up instead.
func madeUpAccount(w *World, r *talk.Request) bool {
	if r.Operation == ags.SignOnWithSessionToken {
		if w.Account.Token == "" {
			return madeUpClient(w, r)
		}
		return MadeUpSession(w, r)
	}
	return madeUpParameter(w, r, func(string) bool { return true })
}

func madeUpParameter(w *World, r *talk.Request, which func(name string) bool) bool {
	list, found := r.Parameters(), false
	for i := range list {
		if which(list[i].Name) && list[i].Value != "" {
			list[i].Value, found = w.Lookalike(list[i].Value), true
		}
	}
	r.Set("parameters", talk.JSON(list))
	return found
}

// NoServiceEither says why the answer to a tenant without services may be that to a made-up one.
const NoServiceEither = "no service can be found for either, so that the service may well tell the same of both, and " +
	"whether the tenant exists is not shown"

// Uses notes that the scenario uses a situation, whether the environment file gives it or a mock makes it.
func (w *World) Uses(situation string) {
	if !w.Control && !slices.Contains(w.Situations, situation) {
		w.Situations = append(w.Situations, situation)
	}
}
