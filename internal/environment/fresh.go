package environment

import (
	"cmp"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Fresh is the source of a value that is good for some time, such as the token of a gateway. It takes the place of a
// value. One of Command, Request and Keycloak is given.
type Fresh struct {
	// Command is a program and its arguments. The value is its output on stdout.
	Command []string `yaml:"command"`
	// Request is sent, and Token is the place of the value in the JSON of the answer (RFC 6901).
	Request *TokenRequest `yaml:"request"`
	Token   string        `yaml:"token"`
	// Keycloak gives an access token for the credentials of a client (RFC 6749 section 4.4).
	Keycloak *Keycloak `yaml:"keycloak"`
	// Renew is how long a value is used; 0: DefaultRenew, or as a token of Keycloak says.
	Renew time.Duration `yaml:"renew"`
	// Before is a word before the value and a blank, such as Bearer; empty: there is none.
	Before string `yaml:"before"`
}

// Keycloak is a client of a realm.
type Keycloak struct {
	URL    string `yaml:"url"` // of the token endpoint
	Client string `yaml:"client"`
	Secret string `yaml:"secret"`
}

// DefaultRenew is how long a value is used if nothing says so; access tokens of Keycloak are good for 5 minutes by
// default.
const DefaultRenew = 4 * time.Minute

// Life is how long a value is used; zero: what an answer of Keycloak says.
func (f *Fresh) Life() time.Duration {
	if f.Keycloak != nil {
		return f.Renew
	}
	return cmp.Or(f.Renew, DefaultRenew)
}

// Sent returns a value with the word before it.
func (f *Fresh) Sent(value string) string {
	if f.Before == "" {
		return value
	}
	return f.Before + " " + value
}

// Source is the part of it that a command or a request gives.
func (f *Fresh) Source() *TokenSource {
	return &TokenSource{Command: f.Command, Request: f.Request, Token: f.Token}
}

// checkFresh finds what cannot work in the source of a value. Given tells which of the names in braces have a value.
func (r *reader) checkFresh(path string, f *Fresh, given map[string]bool) {
	if f == nil {
		return
	}
	ways := 0
	for _, has := range []bool{len(f.Command) > 0, f.Request != nil, f.Keycloak != nil} {
		if has {
			ways++
		}
	}
	switch {
	case ways != 1:
		r.wrong(path,
			"must be a value, or say where it comes from, in one way: {command: [./token.sh]}, {request: {url: https://…}, "+
				"token: /token} or {keycloak: {url: https://…, client: …, secret: …}}")
	case f.Keycloak != nil:
		r.checkKeycloak(path+".keycloak", f.Keycloak)
	case f.Request != nil:
		r.checkRequest(path, f.Source(), given)
	default:
		r.checkCommand(path, f.Command, given)
	}
	if f.Token != "" && f.Request == nil {
		r.wrong(path+".token", "belongs to a request")
	}
	if f.Renew < 0 || f.Renew > 0 && f.Renew < time.Second || f.Renew > 24*time.Hour {
		r.wrong(path+".renew", "must be between 1s and 24h")
	}
	if strings.ContainsAny(f.Before, "\r\n") {
		r.wrong(path+".before", "holds a line break")
	}
}

func (r *reader) checkKeycloak(path string, k *Keycloak) {
	u, err := url.Parse(k.URL)
	switch {
	case k.URL == "" || k.Client == "" || k.Secret == "":
		r.wrong(path, "needs url (of the token endpoint), client and secret")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil:
		r.wrong(path+".url",
			"must be an address that starts with https:// or http://, such as "+
				"https://…/realms/REALM/protocol/openid-connect/token")
	case u.Scheme == "http" && !onLoopback(k.URL):
		r.warn(path+".url", "starts with http://, so the secret goes over the network in clear")
	}
}

// Filter is a program that makes one value of another: it reads the one from stdin and writes the other to stdout.
type Filter struct {
	// Command is the program and its arguments.
	Command []string `yaml:"command"`
}

func (r *reader) checkFilter(e *Environment) {
	const path = "encryptPassword"
	switch f := e.EncryptPassword; {
	case f == nil:
	case len(f.Command) == 0:
		r.wrong(path,
			"needs command: a program that reads a password from stdin and writes what is sent to stdout, such as {command: "+
				"[./encrypt.sh]}")
	case e.WrongPassword != "":
		r.wrong("wrongPassword",
			"is made and encrypted like every password (encryptPassword); leave one of the two out")
	default:
		r.checkCommand(path, f.Command, map[string]bool{"{tenant}": e.Tenant != ""})
	}
}

// checkRenewed finds mistakes in headers whose values are renewed. Fixed are the other headers of the same place.
func (r *reader) checkRenewed(path string, renewed map[string]*Fresh, fixed map[string]string, e *Environment) {
	names := map[string]string{}
	for name := range renewed {
		names[name] = ""
	}
	r.checkHeaders(path, names)
	for _, name := range slices.Sorted(maps.Keys(renewed)) {
		for other := range fixed {
			if strings.EqualFold(other, name) {
				r.wrong(path+"."+name, "is given twice")
			}
		}
		if renewed[name] == nil {
			r.wrong(path+"."+name, "must be a value, or say where it comes from: {command: [./token.sh], renew: 10m}")
			continue
		}
		r.checkFresh(path+"."+name, renewed[name], map[string]bool{"{tenant}": e.Tenant != ""})
	}
}

// OperatorRenewedHeaders returns the renewed headers of getSessionToken if OperatorTarget has headers of its own: those
// of all calls, unless section operator says otherwise.
func (e *Environment) OperatorRenewedHeaders() map[string]*Fresh {
	out := map[string]*Fresh{}
	for name, f := range e.RenewedHeaders {
		own := func(other string) bool { return strings.EqualFold(other, name) }
		if !slices.ContainsFunc(slices.Sorted(maps.Keys(e.Operator.Headers)), own) &&
			!slices.ContainsFunc(slices.Sorted(maps.Keys(e.Operator.RenewedHeaders)), own) {
			out[name] = f
		}
	}
	maps.Copy(out, e.Operator.RenewedHeaders)
	return out
}

func cloned(renewed map[string]*Fresh) map[string]*Fresh {
	c := maps.Clone(renewed)
	for name, f := range c {
		c[name] = f.clone()
	}
	return c
}

func (f *Fresh) clone() *Fresh {
	if f == nil {
		return nil
	}
	c := *f
	c.Command, c.Request = slices.Clone(f.Command), f.Request.clone()
	if f.Keycloak != nil {
		keycloak := *f.Keycloak
		c.Keycloak = &keycloak
	}
	return &c
}
