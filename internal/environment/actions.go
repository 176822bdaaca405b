package environment

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Actions change the state of the platform: each is a command or a request, or comes with ADM, the platform's public
// calls for operators. Names in braces, such as {accountId}, stand for the object of the change.
type Actions struct {
	ADM        *ADM    `yaml:"adm"`
	Suspend    *Action `yaml:"suspend"` // {accountId}
	Restrict   *Action `yaml:"restrict"`
	Cancel     *Action `yaml:"cancel"` // only where Reactivate undoes it: elsewhere a cancelled account stays so
	Reactivate *Action `yaml:"reactivate"`
	Disable    *Action `yaml:"disable"` // {clientId} of {accountId}
	Enable     *Action `yaml:"enable"`
	Delete     *Action `yaml:"delete"` // of devices that the run has made itself
	Limit      *Action `yaml:"limit"`  // {limit} devices for {accountId}
	VPN        *Action `yaml:"vpn"`    // {state} is on or off
	Geo        *Action `yaml:"geo"`
	List       *Action `yaml:"list"`  // the ids of the devices of {accountId}
	Clear      *Action `yaml:"clear"` // removes all devices of {accountId}
}

// Action is how one change is made. One of Command and Request is given.
type Action struct {
	Command []string      `yaml:"command"`
	Request *TokenRequest `yaml:"request"`
	// Devices is the place of the list in the answer to the request of list (RFC 6901), and ID the place of the id in
	// each entry; a command writes one id a line.
	Devices string `yaml:"devices"`
	ID      string `yaml:"id"`
	// Before is the state to which limit, vpn and geo are put back: a number of devices, or on or off.
	Before string `yaml:"before"`
}

// ADM are the public calls for operators of the Account and Device Manager (the pages "Change an account's status" and
// "Remove all devices from an account").
type ADM struct {
	URL   string `yaml:"url"`
	Token string `yaml:"token"` // bearer
	// Tokens say where it comes from.
	Tokens *Fresh `yaml:"token.from"`
}

// MayAct tells whether the file has actions and allows them.
func (e *Environment) MayAct() bool { return e.Actions != nil && e.Allow.Actions }

// ActionOf returns the file's own action of a kind, such as suspend; nil if it gives none.
func (a *Actions) ActionOf(kind string) *Action {
	if a == nil {
		return nil
	}
	switch kind {
	case "suspend":
		return a.Suspend
	case "restrict":
		return a.Restrict
	case "cancel":
		return a.Cancel
	case "reactivate":
		return a.Reactivate
	case "disable":
		return a.Disable
	case "enable":
		return a.Enable
	case "delete":
		return a.Delete
	case "limit":
		return a.Limit
	case "vpn":
		return a.VPN
	case "geo":
		return a.Geo
	case "list":
		return a.List
	case "clear":
		return a.Clear
	}
	return nil
}

// actionKinds are the kinds of actions, by their keys.
var actionKinds = []string{"suspend", "restrict", "cancel", "reactivate", "disable", "enable", "delete", "limit", "vpn",
	"geo", "list", "clear"}

// NamedAccounts are the accounts that the file names: actions touch no other.
func (e *Environment) NamedAccounts() []string {
	var named []string
	for _, name := range slices.Sorted(maps.Keys(e.Situations)) {
		if id := e.Situations[name].AccountID; id != "" && !slices.Contains(named, id) {
			named = append(named, id)
		}
	}
	return named
}

// SituationWithDevice returns a situation whose device has a clientId; empty if the file names no such device. It
// returns spare-device, which may be signed out, only if no other has the clientId.
func (e *Environment) SituationWithDevice(clientID string) string {
	found := ""
	for _, name := range slices.Sorted(maps.Keys(e.Situations)) {
		if clientID != "" && e.Situations[name].ClientID == clientID && (found == "" || found == "spare-device") {
			found = name
		}
	}
	return found
}

// checkActions finds actions that cannot work, or could not be undone.
func (r *reader) checkActions(e *Environment) {
	a := e.Actions
	if a == nil {
		if e.Allow.Actions {
			r.wrong("allow.actions", "allows actions, and the file has none (actions)")
		}
		return
	}
	if !e.Allow.Actions {
		r.warn("actions", "are not used, because the file does not allow them: allow: {actions: true}")
	}
	if a.ADM != nil {
		r.checkADM(a.ADM)
	}
	given := map[string]bool{"{tenant}": e.Tenant != "", "{accountId}": true, "{clientId}": true}
	for _, kind := range actionKinds {
		if action := a.ActionOf(kind); action != nil {
			r.checkAction(kind, action, given)
		}
	}
	for _, pair := range [][2]string{{"suspend", "reactivate"}, {"restrict", "reactivate"}, {"cancel", "reactivate"},
		{"disable", "enable"}} {
		if a.ActionOf(pair[0]) != nil && a.ActionOf(pair[1]) == nil && (a.ADM == nil || pair[1] == "enable") {
			r.wrong("actions."+pair[0], "needs %s, which puts it back", pair[1])
		}
	}
	if a.Delete != nil && !e.Allow.FirstTime {
		r.warn("actions.delete", "is not used: only devices that a run makes are deleted (allow: {first-time: true})")
	}
}

func (r *reader) checkADM(adm *ADM) {
	u, err := url.Parse(adm.URL)
	switch {
	case adm.URL == "":
		r.wrong("actions.adm",
			"needs url: the address that /adm/v1/accounts follows, such as https://operator.staging.example.com")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" ||
		u.Fragment != "":
		r.wrong("actions.adm.url",
			"must be an address that starts with https:// or http://, such as https://operator.staging.example.com")
	case strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/adm/v1"), strings.Contains(u.Path, "/adm/v1/"):
		r.wrong("actions.adm.url", "leave /adm/v1 out: it is appended to the address")
	case u.Scheme == "http" && !onLoopback(adm.URL):
		r.warn("actions.adm.url", "starts with http://, so the token of the operator goes over the network in clear")
	}
	if adm.Token == "" && adm.Tokens == nil {
		r.wrong("actions.adm",
			"needs token: the bearer token of an operator, such as \"${AGS_OPERATOR_TOKEN}\", or where it comes from: "+
				"{keycloak: {url: https://…, client: …, secret: …}}")
	}
	r.checkFresh("actions.adm.token", adm.Tokens, nil)
}

// More names in braces of actions.
const (
	limitInBraces = "{limit}"
	stateInBraces = "{state}"
)

func (r *reader) checkAction(kind string, a *Action, given map[string]bool) {
	path := "actions." + kind
	known := bracesOf(kind, given)
	switch {
	case len(a.Command) > 0 && a.Request != nil:
		r.wrong(path, "give one of command and request")
		return
	case len(a.Command) > 0:
		r.checkCommand(path, a.Command, known)
	case a.Request != nil:
		r.checkCall(path, a.Request, known)
	default:
		r.wrong(path,
			"must say what is done: {command: [./state.sh, %s, \"{accountId}\"]} or {request: {method: PUT, url: https://…}}",
			kind)
		return
	}
	isPointer := func(text string) bool { return text == "" || strings.HasPrefix(text, "/") }
	switch {
	case kind != "list" && a.Devices+a.ID != "":
		r.wrong(path, "devices and id belong to list")
	case kind == "list" && a.Request != nil && !(isPointer(a.Devices) && isPointer(a.ID)):
		r.wrong(path, "devices and id are JSON pointers, such as /devices and /_id (RFC 6901)")
	}
	r.checkBefore(path, kind, a.Before)
	about := subjectOf(kind)
	if !slices.ContainsFunc(a.texts(), func(text string) bool { return strings.Contains(text, about) }) {
		r.wrong(path, "says nowhere what is meant: put %s into it", about)
	}
}

// bracesOf are the names in braces that an action of a kind may use.
func bracesOf(kind string, given map[string]bool) map[string]bool {
	known := map[string]bool{}
	switch kind {
	case "vpn", "geo":
		return map[string]bool{"{tenant}": given["{tenant}"], stateInBraces: true}
	case "limit":
		known[limitInBraces] = true
	}
	for name, has := range given {
		if name != "{clientId}" || subjectOf(kind) == "{clientId}" {
			known[name] = has
		}
	}
	return known
}

// subjectOf returns what an action of a kind has to name.
func subjectOf(kind string) string {
	switch kind {
	case "disable", "enable", "delete":
		return "{clientId}"
	case "limit":
		return limitInBraces
	case "vpn", "geo":
		return stateInBraces
	}
	return "{accountId}"
}

func (r *reader) checkBefore(path, kind, before string) {
	switch kind {
	case "limit":
		if !isCount(before) {
			r.wrong(path, "needs before: the limit that is put back, such as 20")
		}
	case "vpn", "geo":
		if before != "" && before != "on" && before != "off" {
			r.wrong(path+".before", "must be on or off")
		}
	default:
		if before != "" {
			r.wrong(path+".before", "belongs to limit, vpn and geo")
		}
	}
}

func isCount(text string) bool {
	if text == "" || len(text) > 6 {
		return false
	}
	return strings.Trim(text, "0123456789") == ""
}

func (a *Action) texts() []string {
	texts := slices.Clone(a.Command)
	if a.Request != nil {
		texts = append(texts, a.Request.URL, a.Request.Body)
	}
	return texts
}

// String names the action in messages, without what may be secret.
func (a *Action) String() string {
	if a.Request != nil {
		return "the request " + a.Request.String()
	}
	return fmt.Sprintf("the command %s", a.Command[0])
}

func (a *Actions) clone() *Actions {
	if a == nil {
		return nil
	}
	c := *a
	if a.ADM != nil {
		adm := *a.ADM
		adm.Tokens = adm.Tokens.clone()
		c.ADM = &adm
	}
	for _, action := range []**Action{&c.Suspend, &c.Restrict, &c.Cancel, &c.Reactivate, &c.Disable, &c.Enable,
		&c.Delete, &c.Limit, &c.VPN, &c.Geo, &c.List, &c.Clear} {
		if *action != nil {
			own := **action
			own.Command, own.Request = slices.Clone(own.Command), own.Request.clone()
			*action = &own
		}
	}
	return &c
}
