package export

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"agstest/reports"
)

// Postman writes a collection (schema 2.1.0) with one request of each call that the run made successfully, as it was
// sent: of a scenario that passed or, where none did, of any in which nothing about the request was changed on purpose;
// with the curl command that does the same in its description. Secrets are variables, with the same names as in
// the curl command; the address of the service is the variable url. Each request checks the status that the run saw,
// and tokens of an answer become variables, so that the requests can be run one after the other, from a session token
// to the sign-out.
func Postman(w io.Writer, c *reports.Conformance) error {
	type object = map[string]any
	run := c.Run
	items, variables, seen := []object{}, map[string]bool{}, map[string]bool{}
	scenarios := slices.Clone(c.Scenarios)
	slices.SortStableFunc(scenarios,
		func(a, b reports.Scenario) int { return cmp.Compare(afterPassed(a), afterPassed(b)) })
	for _, s := range scenarios {
		for _, x := range s.Transcript {
			if x.Operation == "" || seen[x.Operation] || x.Status < 200 || x.Status >= 300 || x.Curl == "" ||
				s.Verdict != reports.Pass && x.Tampered != "" {
				continue
			}
			seen[x.Operation] = true
			names := shellVariables(x.Curl)
			named := func(text string) string {
				return redactedMark.ReplaceAllStringFunc(text, func(mark string) string {
					name := variableOf(mark, names)
					variables[name] = true
					return "{{" + name + "}}"
				})
			}
			header := []object{}
			for _, line := range x.RequestHeader {
				header = append(header, object{"key": line[0], "value": named(line[1])})
			}
			at := strings.TrimPrefix(x.URL, strings.TrimSuffix(run.URL, "/"))
			request := object{
				"method": x.Method, "header": header, "description": "The same with curl:\n\n```sh\n" + x.Curl + "\n```",
				"url": postmanURL(named(at)),
			}
			if x.RequestBody != "" {
				request["body"] = object{"mode": "raw", "raw": named(x.RequestBody),
					"options": object{"raw": object{"language": "json"}}}
			}
			check := fmt.Sprintf(`pm.test("answered %[1]d", () => pm.response.to.have.status(%[1]d));`, x.Status)
			items = append(items, object{"name": x.Operation, "request": request, "response": []object{},
				"event": []object{{"listen": "test", "script": postmanScript(check)}}})
		}
	}
	slices.SortStableFunc(items,
		func(a, b object) int { return cmp.Compare(postmanRank(a["name"]), postmanRank(b["name"])) })
	values := []object{{"key": "url", "value": strings.TrimSuffix(run.URL, "/")}}
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		values = append(values, object{"key": name, "value": ""})
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(object{
		"info": object{"_postman_id": uuid(run.ID, "postman"), "name": "AGS calls, " + run.Environment,
			"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
		"item": items, "variable": values, "event": []object{{"listen": "test", "script": postmanScript(postmanTokens...)}},
	}); err != nil {
		return fmt.Errorf("writing a Postman collection: %w", err)
	}
	return nil
}

// afterPassed puts other scenarios behind those that passed.
func afterPassed(s reports.Scenario) int {
	if s.Verdict == reports.Pass {
		return 0
	}
	return 1
}

// postmanRank puts calls in the order in which one gives the tokens of the next; calls that need something else come
// last.
func postmanRank(call any) int {
	chain := []any{"servicediscovery", "getSessionToken", "signOnWithSessionToken", "refresh", "signOut"}
	if i := slices.Index(chain, call); i >= 0 {
		return i
	}
	return len(chain)
}

// postmanTokens keeps the tokens of an answer for the requests behind it.
var postmanTokens = []string{
	"let answer = {};",
	"try { answer = pm.response.json() || {}; } catch (e) { /* an answer without a body */ }",
	`for (const [member, name] of [["sessionToken", "SESSION_TOKEN"], ["access_token", "ACCESS_TOKEN"], ["refresh_token", "REFRESH_TOKEN"]])`,
	`  if (typeof answer[member] === "string") pm.collectionVariables.set(name, answer[member]);`,
}

func postmanScript(lines ...string) map[string]any {
	return map[string]any{"type": "text/javascript", "exec": lines}
}

func postmanURL(path string) map[string]any {
	target := map[string]any{"raw": "{{url}}" + path, "host": []string{"{{url}}"}}
	path, query, _ := strings.Cut(path, "?")
	target["path"] = strings.Split(strings.TrimPrefix(path, "/"), "/")
	if query != "" {
		pairs := []map[string]string{}
		for pair := range strings.SplitSeq(query, "&") {
			key, value, _ := strings.Cut(pair, "=")
			if plain, err := url.QueryUnescape(key); err == nil {
				key = plain
			}
			pairs = append(pairs, map[string]string{"key": key, "value": value})
		}
		target["query"] = pairs
	}
	return target
}

var (
	redactedMark  = regexp.MustCompile(`«[^»]*»`)
	shellVariable = regexp.MustCompile(`\$\{?([A-Z][A-Z0-9_]*)\}?`)
)

// shellVariables are the variables of a curl command, in the order they come in.
func shellVariables(curl string) []string {
	var names []string
	for _, m := range shellVariable.FindAllStringSubmatch(curl, -1) {
		names = append(names, m[1])
	}
	return names
}

// variableOf names the variable that stands for a redacted value: «refresh token adf39e» is REFRESH_TOKEN, as in the
// curl command.
func variableOf(mark string, names []string) string {
	words := strings.Fields(strings.Trim(mark, "«»"))
	if len(words) > 1 {
		words = words[:len(words)-1] // the last is the fingerprint
	}
	name := strings.ToUpper(strings.Join(words, "_"))
	for _, known := range names {
		if known == name {
			return known
		}
	}
	if len(names) == 1 {
		return names[0]
	}
	return regexp.MustCompile(`[^A-Z0-9_]+`).ReplaceAllString(name, "_")
}
