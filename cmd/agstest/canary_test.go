package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/environments"
	"agstest/mock"
)

// keysOfSchema lists the keys of an environment file whose values are texts, by their dotted path; * stands for a name
// of the user's choice.
func keysOfSchema(t *testing.T) []string {
	t.Helper()
	var schema map[string]any
	require.NoError(t, json.Unmarshal(environments.Schema, &schema))
	definitions, _ := schema["definitions"].(map[string]any)
	var keys []string
	var walk func(path string, node map[string]any)
	walk = func(path string, node map[string]any) {
		for _, list := range []string{"anyOf", "oneOf"} { // a truth or a number, which a variable may hold too
			parts, _ := node[list].([]any)
			for _, part := range parts {
				if kind := fmt.Sprint(part.(map[string]any)["type"]); kind == "boolean" || kind == "integer" || kind == "number" {
					return
				}
			}
		}
		for _, list := range []string{"allOf", "anyOf", "oneOf"} {
			parts, _ := node[list].([]any)
			for _, part := range parts {
				walk(path, part.(map[string]any))
			}
		}
		if ref, ok := node["$ref"].(string); ok {
			if ref == "#/definitions/text" {
				keys = append(keys, path)
				return
			}
			walk(path, definitions[strings.TrimPrefix(ref, "#/definitions/")].(map[string]any))
		}
		properties, _ := node["properties"].(map[string]any)
		for name, property := range properties {
			if said, ok := property.(map[string]any); ok { // true repeats one that is said elsewhere
				walk(strings.TrimPrefix(path+"."+name, "."), said)
			}
		}
		if rest, ok := node["additionalProperties"].(map[string]any); ok {
			walk(path+".*", rest)
		}
		kinds := fmt.Sprint(node["type"])
		if strings.Contains(kinds, "string") && !strings.Contains(kinds, "boolean") && !strings.Contains(kinds, "integer") && node["enum"] == nil {
			if path != "" && !slices.Contains(keys, path) {
				keys = append(keys, path)
			}
		}
	}
	walk("", schema)
	slices.Sort(keys)
	return keys
}

// shaped are the keys that take no text of the user's choice, with what they take. Every other key gets a canary, also
// one that is new.
var shaped = map[string]string{
	"clockSkew": "a time", "coverage": "a share or names of situations", "operator.lifetime": "a time", "load.maxRate": "a rate", "timeout": "a time", "operator.parameter": "the name of a parameter, which the suite has to show", "http": "a version", "prefix": "a path of the contract",
	"mock.url": "the address of a mock", "mock.token": "only of use with mock.url", "tls.ca": "the path of a file", "tls.cert": "the path of a file", "tls.key": "the path of a file", "load.clients.sessionToken.pool": "the path of a file",
	"operator.key": "the path of a file", "operator.keys.*.key": "the path of a file", "operator.tls.ca": "the path of a file", "operator.tls.cert": "the path of a file", "operator.tls.key": "the path of a file",
	"actions.adm.token.renew": "a time", "actions.adm.token.token": "a JSON pointer", "headers.*.renew": "a time", "headers.*.token": "a JSON pointer", "operator.headers.*.renew": "a time", "operator.headers.*.token": "a JSON pointer",
	"operator.header": "the name of a header, which the suite has to show",
}

// TestNoKeyOfAnEnvironmentFileLeaks puts a canary into each key that the schema knows, from a variable and marked
// !secret, runs every command that reads environments, and searches everything that they write.
func TestNoKeyOfAnEnvironmentFileLeaks(t *testing.T) {
	t.Parallel()
	keys := keysOfSchema(t)
	require.Greater(t, len(keys), 100, "the schema was not read")
	m, err := newMock(mock.Config{}, nil, nil)
	require.NoError(t, err)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Echo", fmt.Sprint(r.Header)) // a service that says everything back
		r.URL.Path = r.URL.Path[max(strings.Index(r.URL.Path, "/ags/"), 0):]
		m.ServeHTTP(w, r)
	}))
	defer service.Close()
	seen := 0
	t.Run("batch", func(t *testing.T) { // side by side, since each waits for its loads
		for batch, group := range batches(keys) {
			for _, way := range []string{"variable", "mark"} {
				file := canaryFile(t, group, batch, way, service.URL)
				seen += len(file.canaries)
				t.Run(fmt.Sprint(batch, " ", way), func(t *testing.T) {
					t.Parallel()
					file.searchAll(t)
				})
			}
		}
	})
	assert.Greater(t, seen, len(keys), "most keys were tried, most of them in both ways")
}

// canaries are an environment file with a canary in each key of a group.
type canaries struct {
	way, dir, file, text string
	used                 []string
	canaries, variables  map[string]string // keys by canary, canaries by variable
}

func canaryFile(t *testing.T, group []string, batch int, way, address string) canaries {
	t.Helper()
	dir := t.TempDir()
	found, variables := map[string]string{}, map[string]string{}
	tree := map[string]any{"url": address, "tenant": "nagra", "service": "Operator SSO", "operator": map[string]any{"secret": "a-secret-of-at-least-32-characters", "account": "1663"}, "allow": map[string]any{"register": true}}
	var used []string
	for _, key := range group {
		if shaped[key] != "" || strings.HasSuffix(key, ".passwordParameter") || strings.HasSuffix(key, ".type") || strings.HasSuffix(key, ".sessionToken.pool") || strings.HasSuffix(key, ".request.method") || strings.HasPrefix(key, "actions.") && (strings.HasSuffix(key, ".devices") || strings.HasSuffix(key, ".id") || strings.HasSuffix(key, ".before")) { // the name of another key; a segment of a path
			continue
		}
		canary := fmt.Sprintf("C4nary%04dof%d", len(found), batch*1000+len(way))
		name := "CANARY_" + fmt.Sprint(len(found))
		value := "${" + name + "}"
		if way == "mark" {
			value = "!secret " + canary
		}
		put(t, dir, tree, key, value, canary, address, way)
		found[canary], variables[name] = key, canary
		used = append(used, key)
	}
	file := filepath.Join(dir, "staging.yaml")
	require.NoError(t, os.WriteFile(file, []byte(yamlOf(tree)), 0o600))
	return canaries{way: way, dir: dir, file: file, text: yamlOf(tree), used: used, canaries: found, variables: variables}
}

// searchAll runs every command that reads environments with the file, and searches what they write.
func (c canaries) searchAll(t *testing.T) {
	file, dir, variables := c.file, c.dir, c.variables
	code, stdout, stderr := call(t, variables, "env", file)
	require.Equal(t, exitPass, code, "%v\n%s\n%s", c.used, c.text, stderr)
	streams := stdout + stderr
	for i, args := range [][]string{
		{"env", file, "--json"}, {"conform", "--env", file, "--generate", "1", "--sequences", "0", "--dry-run"},
		{"conform", "--env", file, "--only", "SOST-01,REF-01,SSO-01,REG-01,GST-01,DEV-06,REF-13", "--generate", "1", "--sequences", "0", "--annotations", "github"},
		{"conform", "--env", file, "--only", "SOST-01", "--generate", "0", "--json"},
		{"load", "--env", file, "--workload", "head-end", "--rate", "5/s", "--duration", "1s", "--raw", "--trace"},
		{"load", "--env", file, "--workload", "signon", "--rate", "5/s", "--duration", "1s", "--json"},
		{"gate", "--env", file, "--only", "SOST-01", "--workload", "refresh", "--rate", "5/s", "--duration", "1s"},
	} {
		out := filepath.Join(dir, fmt.Sprintf("out-%d", i))
		if args[0] != "env" && args[len(args)-1] != "--dry-run" {
			args = append(args, "--out", out)
		}
		code, stdout, stderr := call(t, variables, args...)
		assert.NotEqual(t, exitInternal, code, "%v: %s", args, stderr)
		streams += stdout + stderr
		if _, err := os.Stat(out); err == nil {
			_, stdout, stderr = call(t, nil, "report", out)
			streams += stdout + stderr
		}
	}
	texts := map[string]string{"the streams": streams}
	for path, text := range allFiles(t, dir) {
		if path != file && !strings.HasPrefix(filepath.Base(path), "C4nary") {
			texts[strings.TrimPrefix(path, dir)] = text
		}
	}
	for _, hit := range search(texts, c.canaries) {
		t.Errorf("%s: %s", c.way, hit)
	}
}

// batches spreads keys over few files, so that keys that exclude each other are apart.
func batches(keys []string) [][]string {
	groups := make([][]string, 8)
	for _, key := range keys {
		at := 0
		switch {
		case strings.Contains(key, "headers.*.keycloak."): // nothing is sent, as nobody gives a value
			at = 6
		case strings.Contains(key, "headers.*.request."), strings.HasSuffix(key, "headers.*.before"):
			at = 7
		case strings.HasPrefix(key, "actions.adm.token.keycloak."), key == "actions.adm.url":
			at = 5
		case key == "actions.adm.token":
			at = 3
		case strings.HasPrefix(key, "actions.adm.token."):
			at = 2
		case strings.HasPrefix(key, "actions."):
			at = 5
		case strings.Contains(key, ".sessionToken."):
			at = 4 // in the place of a session token
		case key == "proxy", key == "noProxy", key == "sni":
			at = 3 // nobody is reached through it
		case strings.HasPrefix(key, "load.clients.") && key != "load.clients.file", strings.HasSuffix(key, ".proxy"), key == "url":
			at = 1
		case key == "load.clients.file", key == "name", key == "tenant", key == "service":
			at = 2
		}
		groups[at] = append(groups[at], key)
	}
	return groups
}

// put gives a key a value that holds the canary.
func put(t *testing.T, dir string, tree map[string]any, key, value, canary, address, way string) {
	t.Helper()
	parts := strings.Split(key, ".")
	last := parts[len(parts)-1]
	quoted := way == "variable"
	switch {
	case key == "url":
		if !quoted {
			value = "!secret " + address + "/" + canary
		} else {
			value = address + "/" + value
		}
	case parts[0] == "actions":
		tree["allow"] = merged(tree["allow"], map[string]any{"actions": true})
		tree["actions"] = merged(tree["actions"], map[string]any{"adm": merged(map[string]any{"url": address}, merged(merged(tree["actions"], nil)["adm"], nil))})
		if parts[1] == "limit" {
			tree["actions"] = merged(tree["actions"], map[string]any{"limit": merged(merged(tree["actions"], nil)["limit"], map[string]any{"before": "20"})})
		}
		if parts[1] == "adm" && parts[2] == "token" && len(parts) > 3 && parts[3] == "request" || key == "actions.adm.token.token" {
			token := merged(merged(merged(tree["actions"], nil)["adm"], nil)["token"], nil)
			if token["token"] == nil {
				token["token"] = "/token"
			}
			tree["actions"].(map[string]any)["adm"].(map[string]any)["token"] = token
		}
		if last == "url" {
			before, after, about := address+"/", "", map[string]string{"disable": "{clientId}", "enable": "{clientId}", "delete": "{clientId}", "limit": "{limit}", "vpn": "{state}", "geo": "{state}"}[parts[1]]
			if about == "" && parts[1] != "adm" {
				about = "{accountId}"
			}
			if about != "" {
				after = "/" + about
			}
			if value = before + value + after; !quoted {
				value = "!secret " + before + canary + after
			}
		}
	case strings.Contains(key, "headers.*.keycloak."), strings.Contains(key, "headers.*.request."), strings.HasSuffix(key, "headers.*.before"):
		if last == "url" {
			value = strings.Replace(address+"/"+value, address+"/!secret ", "!secret "+address+"/", 1)
		}
		if of := tree; !strings.Contains(key, "keycloak") {
			if parts[0] == "operator" {
				of = tree["operator"].(map[string]any)
			}
			source := merged(merged(merged(of["headers"], nil)["X-Any"], nil), map[string]any{"token": "/token"})
			source["request"] = merged(map[string]any{"url": address}, merged(source["request"], nil))
			of["headers"] = merged(of["headers"], map[string]any{"X-Any": source})
		}
	case key == "operator.url":
		value = strings.Replace(address+"/"+value, address+"/!secret ", "!secret "+address+"/", 1)
	case strings.Contains(key, ".sessionToken."):
		if last == "token" {
			value = strings.Replace("/"+value, "/!secret ", "!secret /", 1)
		}
		if last == "url" {
			value = strings.Replace(address+"/"+value, address+"/!secret ", "!secret "+address+"/", 1)
		}
		if parts[0] == "load" {
			tree["load"] = merged(tree["load"], map[string]any{"clients": merged(merged(tree["load"], nil)["clients"], map[string]any{"count": 20, "clientId": "LOAD_{n}"})})
		}
	case last == "proxy":
		if value = "http://user:${" + strings.Trim(value, "${}") + "}@127.0.0.1:1"; !quoted {
			value = "!secret http://user:" + canary + "@127.0.0.1:1"
		}
	case last == "file":
		require.NoError(t, os.WriteFile(filepath.Join(dir, canary), []byte("sessionToken,clientId,accountId\nst-of-a-client-1,LOAD_1,L1\nst-of-a-client-2,LOAD_2,L2\n"), 0o600))
	case parts[0] == "load" && len(parts) == 3:
		value += "-{n}"
		tree["load"] = merged(tree["load"], map[string]any{"clients": merged(merged(tree["load"], nil)["clients"], map[string]any{"count": 20})})
	}
	node := tree
	for _, part := range parts[:len(parts)-1] {
		if part == "*" {
			part = "X-Any"
		}
		child, ok := node[part].(map[string]any)
		if !ok {
			child = map[string]any{}
			node[part] = child
		}
		node = child
	}
	if last == "*" {
		last = "X-Any-Name"
	}
	node[last] = value
}

func merged(a any, b map[string]any) map[string]any {
	out, _ := a.(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	maps.Copy(out, b)
	return out
}

// yamlOf writes maps in flow style; a value that begins with a tag is written behind it.
func yamlOf(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		for key, value := range v {
			parts = append(parts, fmt.Sprintf("%q: %s", key, yamlOf(value)))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case string:
		if text, marked := strings.CutPrefix(v, "!secret "); marked {
			return fmt.Sprintf("!secret %q", text)
		}
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}

func allFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		texts[path] = string(text)
		return err
	}))
	return texts
}
