package environment

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"agstest/internal/figures"
)

// Names that mark a header or a parameter as secret. A parameter that came from a variable is secret whatever its name.
// Values of headers are masked wherever they stand, so that a name such as x-auth-service-id, which holds a plain word,
// is not among them.
var (
	secretHeader = regexp.MustCompile(`(?i)authorization|cookie|token|secret|passw|credential|signature` +
		`|(^|[-_])auth$|^key$|(api|access|subscription|functions|private|shared|signing)[-_]?key`)
	secretParameter = regexp.MustCompile(
		`(?i)passw|pwd|secret|token|pin|code|key|challenge|otp|credential|assertion|ticket`)
)

// SecretHeader tells whether a header of that name holds a secret that its user wrote: of an environment file, or of a
// flag.
func SecretHeader(name string) bool { return secretHeader.MatchString(name) }

// Secrets returns every secret value of the environment once, the longest first, so that replacing them in turn leaves
// no piece behind: values from ${NAME}, those marked !secret, and those that are secret by their name. Of the pattern
// of load clients' session tokens it returns the part that all have in common.
func (e *Environment) Secrets() []string {
	var secrets []string
	add := func(found []string) {
		for _, s := range found {
			if s != "" && !slices.Contains(secrets, s) {
				secrets = append(secrets, s)
			}
		}
	}
	e.eachString(func(path []string, value *string) { add(e.secretsIn(path, *value)) })
	// The name of the file stands in for a name that is secret, which is in no field any more.
	if e.variables["name"] != "" && e.marked["name"] != tagPublic {
		add([]string{e.values[e.variables["name"]]})
	}
	if e.proxy != nil && e.proxy.User != nil { // of HTTPS_PROXY, which the file does not hold
		password, _ := e.proxy.User.Password()
		add([]string{password})
	}
	slices.SortFunc(secrets, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return secrets
}

// SecretVariables returns the names of the environment variables that the file takes values from, but for those marked
// !public, sorted. Processes that we start do not need them.
func (e *Environment) SecretVariables() []string {
	public := map[string]bool{secretsFolder: true}
	for path, written := range e.written {
		if e.marked[path] == tagPublic {
			for _, name := range variablesIn(written) {
				public[name] = true
			}
		}
	}
	var names []string
	for name := range e.values {
		if !public[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// secretsIn gives the secret parts of the value at a path.
func (e *Environment) secretsIn(path []string, value string) []string {
	if value == "" || e.marked[strings.Join(path, ".")] == tagPublic {
		return nil
	}
	found := e.fromVariables(path)
	if whole := e.secretIn(path, value); whole != "" && !slices.Contains(found, whole) {
		found = append(found, whole)
	}
	if path[len(path)-1] == "proxy" { // the password is escaped there
		for _, part := range slices.Clone(found) {
			if plain, err := url.PathUnescape(part); err == nil && plain != part {
				found = append(found, plain)
			}
		}
	}
	return found
}

// shape are the keys whose values are words or figures of the file's own form, such as bearer or 500/s. They are never
// secrets: searching for true or raw would tear holes into every report.
var shape = map[string]bool{"authorization": true, "http": true, "cookies": true, "load.maxRate": true,
	"operator.parameter": true, "operator.header": true, "operator.alg": true, "operator.encoding": true}

// fromVariables returns the values of the ${NAME} in the value at a path, but not the folder of a portable
// environment's secrets.
func (e *Environment) fromVariables(path []string) []string {
	dotted := strings.Join(path, ".")
	if shape[dotted] || e.marked[dotted] == tagPublic {
		return nil
	}
	var values []string
	for _, name := range variablesIn(e.written[dotted]) {
		if value := e.values[name]; value != "" && name != secretsFolder {
			values = append(values, value)
		}
	}
	return values
}

// secretIn returns the part of a value that is secret by its name or mark; empty if there is none.
func (e *Environment) secretIn(path []string, value string) string {
	last := path[len(path)-1]
	secret := false
	switch {
	case e.marked[strings.Join(path, ".")] == tagSecret, isSecretKey(path, last):
		secret = true
	case isHeader(path):
		secret = SecretHeader(last)
	case len(path) == 3 && path[1] == "parameters":
		secret = secretParameter.MatchString(last)
	case path[0] == "situations" && len(path) == 4 && path[2] == "parameters":
		secret = e.SecretParameter(path[1], last)
	case path[0] == "situations" && (last == "sessionToken" || last == "refreshToken"):
		secret = true
	case isOfRequest(path) && last == "body":
		secret = secretParameter.MatchString(value)
	case isOfRequest(path) && last == "url":
		_, value, _ = strings.Cut(value, "?")
		secret = secretParameter.MatchString(value)
	case last == "proxy":
		return passwordIn(value)
	case path[0] == "load" && last == "sessionToken":
		return longestLiteral(value)
	}
	if !secret {
		return ""
	}
	return value
}

// isSecretKey tells whether the values of a key are always secrets.
func isSecretKey(path []string, last string) bool {
	switch path[0] {
	case "actions":
		if last == "secret" || last == "token" && len(path) == 3 {
			return true
		}
	case "operator":
		if last == "secret" {
			return true
		}
	case "mock":
		if last == "token" {
			return true
		}
	}
	return len(path) > 2 && path[len(path)-2] == "keycloak" && last == "secret"
}

// isHeader tells whether a path is the value of a header: of all requests, of getSessionToken, or of a situation or an
// action.
func isHeader(path []string) bool {
	switch len(path) {
	case 1:
		return false
	case 2:
		return path[0] == "headers"
	case 3:
		return path[0] == "operator" && path[1] == "headers"
	}
	return path[len(path)-2] == "headers"
}

func isOfRequest(path []string) bool { return len(path) > 3 && path[len(path)-2] == "request" }

// passwordIn returns the password in an address; empty if there is none.
func passwordIn(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.User == nil {
		return ""
	}
	password, _ := u.User.Password()
	return password
}

// SecretParameter tells whether a credential of a user in a situation is a secret: by its name, because the file calls
// it the password, or because it came from a variable. Names are compared without regard to case, as services spell
// them differently.
func (e *Environment) SecretParameter(situation, name string) bool {
	if secretParameter.MatchString(name) || strings.EqualFold(name, e.Situations[situation].PasswordParameter) {
		return true
	}
	own := e.Situations[situation].parameter(name)
	dotted := "situations." + situation + ".parameters." + own
	return own != "" && e.marked[dotted] != tagPublic && (e.variables[dotted] != "" || e.marked[dotted] == tagSecret)
}

// parameter returns a name of Parameters as the file spells it; empty if there is none.
func (s Situation) parameter(name string) string {
	for _, own := range slices.Sorted(maps.Keys(s.Parameters)) {
		if strings.EqualFold(own, name) {
			return own
		}
	}
	return ""
}

// guessable is the length below which the common part of session tokens is a name, such as load-, and gives nothing
// away.
const guessable = 8

// longestLiteral returns the part that all session tokens of a pattern have in common: whoever knows it knows them all.
func longestLiteral(pattern string) string {
	longest := ""
	for part := range strings.SplitSeq(pattern, "{n}") {
		if len(part) > len(longest) {
			longest = part
		}
	}
	if len(longest) < guessable {
		return ""
	}
	return longest
}

// inClear warns about secrets that are written in the file itself. The environment of our own mock is made of
// throw-away values.
func (r *reader) inClear(e *Environment) []string {
	if e.Mock != nil {
		return nil
	}
	var places []string
	line := 0
	e.eachString(func(path []string, value *string) {
		dotted := strings.Join(path, ".")
		if e.secretIn(path, *value) != "" && r.variables[dotted] == "" && r.marked[dotted] == "" {
			if line == 0 {
				line = r.line(dotted)
			}
			places = append(places, fmt.Sprintf("%s (line %d)", dotted, r.line(dotted)))
		}
	})
	if len(places) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s:%d: secrets are written in clear: %s; keep them out of the file with \"${NAME}\", "+
		"or say with %s that they belong there",
		r.name, line, figures.Some(places, 3, ", "), tagSecret)}
}

// Warnings are things in the file that work and should still be changed: one sentence each, without a secret.
func (e *Environment) Warnings() []string { return e.warnings }

// redacted is a copy fit to be shown: each secret is replaced by where it came from.
func (e *Environment) redacted() *Environment {
	c := e.clone()
	c.eachString(func(path []string, value *string) {
		dotted := strings.Join(path, ".")
		if len(e.secretsIn(path, *value)) == 0 {
			return
		}
		secret, from := e.secretIn(path, *value), e.fromVariables(path)
		mark := "[secret, in clear in the file]"
		switch {
		case len(from) > 0 && (secret == "" || path[len(path)-1] == "proxy"):
			*value = shownOrigin(e.written[dotted])
			return
		case len(from) > 0:
			mark = "[secret, from ${" + e.variables[dotted] + "}]"
		case e.Mock != nil && e.marked[dotted] == "":
			mark = "[secret, made by the mock]"
		}
		if path[len(path)-1] == "proxy" && secret != *value { // the password is escaped there, in one way or another
			*value = withPassword(*value, mark)
			return
		}
		*value = strings.ReplaceAll(*value, secret, mark)
		for _, part := range from {
			*value = strings.ReplaceAll(*value, part, mark)
		}
	})
	return c
}

// Shown is the environment as YAML, redacted, without keys that say nothing.
func (e *Environment) Shown() ([]byte, error) {
	node, err := yaml.ValueToNode(e.redacted(), yaml.OmitEmpty(), yaml.Indent(2))
	if err != nil {
		return nil, err
	}
	dropEmpty(node)
	return joined([]byte(node.String() + "\n")), nil
}

// dropEmpty takes keys with an empty map out of a map, and those that are left with one by that; true: nothing is left.
func dropEmpty(node ast.Node) bool {
	mapping, ok := node.(*ast.MappingNode)
	if !ok {
		return false
	}
	mapping.Values = slices.DeleteFunc(mapping.Values,
		func(value *ast.MappingValueNode) bool { return dropEmpty(value.Value) })
	return len(mapping.Values) == 0
}

// joined shows the fields of sources under the names that they have in a file: a map of some stands behind the map of
// values that it belongs to.
func joined(text []byte) []byte {
	var out [][]byte
	before := map[string]bool{}
	for line := range bytes.Lines(text) {
		name := string(bytes.TrimRight(line, "\n"))
		if plain, found := strings.CutSuffix(name, insteadOf+":"); found {
			if before[plain+":"] {
				continue
			}
			line = []byte(plain + ":\n")
		}
		if strings.HasSuffix(name, ":") {
			indent := len(name) - len(strings.TrimLeft(name, " "))
			for other := range before {
				if len(other)-len(strings.TrimLeft(other, " ")) >= indent {
					delete(before, other)
				}
			}
			before[name] = true
		}
		out = append(out, line)
	}
	return bytes.Join(out, nil)
}

// shownOrigin returns a text as it is shown: each ${NAME} in it with the source of its value.
func shownOrigin(written string) string {
	var out strings.Builder
	for i := 0; i < len(written); i++ {
		switch {
		case strings.HasPrefix(written[i:], "$$"):
			out.WriteByte('$')
			i++
		case strings.HasPrefix(written[i:], "${"):
			end := i + strings.IndexByte(written[i:], '}')
			out.WriteString("[secret, from " + written[i:end+1] + "]")
			i = end
		default:
			out.WriteByte(written[i])
		}
	}
	return out.String()
}

// withPassword puts another password into an address that has one.
func withPassword(address, password string) string {
	scheme, rest, _ := strings.Cut(address, "//")
	host := strings.LastIndex(rest, "@")
	user, _, _ := strings.Cut(rest[:max(host, 0)], ":")
	return scheme + "//" + user + ":" + password + rest[max(host, 0):]
}

// clone copies everything that eachString can change.
func (e *Environment) clone() *Environment {
	c := *e
	c.Headers, c.RenewedHeaders, c.Absent = maps.Clone(e.Headers), cloned(e.RenewedHeaders), slices.Clone(e.Absent)
	if e.EncryptPassword != nil {
		c.EncryptPassword = &Filter{slices.Clone(e.EncryptPassword.Command)}
	}
	c.SignOn.Parameters = maps.Clone(e.SignOn.Parameters)
	if e.Operator != nil {
		operator := *e.Operator
		operator.Parameters, operator.Headers, operator.More = maps.Clone(operator.Parameters), maps.Clone(
			operator.Headers), maps.Clone(operator.More)
		operator.RenewedHeaders = cloned(operator.RenewedHeaders)
		for id, key := range operator.More {
			if key != nil {
				own := *key
				operator.More[id] = &own
			}
		}
		c.Operator = &operator
	}
	c.Actions = e.Actions.clone()
	if e.Mock != nil {
		mock := *e.Mock
		c.Mock = &mock
	}
	c.Load.Parameters = LoadParameters{maps.Clone(e.Load.Parameters.Refresh), maps.Clone(e.Load.Parameters.SignOut)}
	c.Load.Clients.SessionTokens = e.Load.Clients.SessionTokens.clone()
	c.Situations = maps.Clone(e.Situations)
	for name, s := range c.Situations {
		s.Headers, s.Parameters, s.SessionTokens = maps.Clone(s.Headers), maps.Clone(s.Parameters), s.SessionTokens.clone()
		c.Situations[name] = s
	}
	return &c
}

// eachString visits every text of the environment with its path in the file, in the order of the struct and of sorted
// keys.
func (e *Environment) eachString(visit func(path []string, value *string)) {
	visitStrings(reflect.ValueOf(e).Elem(), nil, visit)
}

func visitStrings(v reflect.Value, path []string, visit func([]string, *string)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			visitStrings(v.Elem(), path, visit)
		}
	case reflect.Struct:
		for _, field := range fieldsOf(v.Type()) {
			if key := keyOf(field); key != "" {
				visitStrings(v.FieldByIndex(field.Index), append(path[:len(path):len(path)], key), visit)
			}
		}
	case reflect.Map:
		keys := make([]string, 0, v.Len())
		for _, key := range v.MapKeys() {
			keys = append(keys, key.String())
		}
		slices.Sort(keys)
		for _, key := range keys {
			before := v.MapIndex(reflect.ValueOf(key))
			entry := reflect.New(v.Type().Elem()).Elem()
			entry.Set(before)
			visitStrings(entry, append(path[:len(path):len(path)], key), visit)
			// a map that is only read may be read by others too
			if !reflect.DeepEqual(entry.Interface(), before.Interface()) {
				v.SetMapIndex(reflect.ValueOf(key), entry)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			visitStrings(v.Index(i), append(path[:len(path):len(path)], strconv.Itoa(i)), visit)
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() && v.CanAddr() {
			visit(path, v.Addr().Interface().(*string))
		}
	}
}

// IDs are the ids of accounts, devices and users that the file names: personal data, which reports mask.
func (e *Environment) IDs() []string {
	var ids []string
	e.eachString(func(path []string, value *string) {
		last := path[len(path)-1]
		named := path[0] == "situations" && (last == "clientId" || last == "accountId") || path[0] == "operator" &&
			last == "account" || last == "operatorAccount"
		user := len(path) == 4 && path[0] == "situations" && path[2] == "parameters" &&
			!e.SecretParameter(path[1], last)
		if (named || user) && *value != "" && !slices.Contains(ids, *value) {
			ids = append(ids, *value)
		}
	})
	return ids
}
