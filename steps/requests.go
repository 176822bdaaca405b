package steps

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/failure"
)

// Changes to the next request, so that a scenario shows what happens when it is not as documented.
var requestPhrases = []phrase{
	given(`the next request has no header "([^"]+)"`, `the next request has no header "<name>"`, `the next request has no header "x-auth-service-id"`,
		"Leaves a header out.", changeOrMiss(func(_ *world, r *request, a arguments) error {
			name := a.words[0]
			if r.headerValue(name) == "" && !r.mayLack(name) {
				return nothingToLeaveOut("request", "header", name, names(r.header, func(f field) string { return f.name }))
			}
			r.dropHeader(name)
			return nil
		})),
	given(`the next request has the header "([^"]+)" with the value "([^"]*)"`, `the next request has the header "<name>" with the value "<value>"`,
		`the next request has the header "x-auth-service-id" with the value "nobody knows it"`,
		"Sets a header. {accessToken}, {refreshToken} and {sessionToken} in the value stand for those of the client.",
		changeOrMiss(func(w *world, r *request, a arguments) error {
			value, err := w.fill(a.words[1])
			r.setHeader(a.words[0], value)
			return err
		})),
	given(`the next request writes its header names in (upper|lower|title) case`, "the next request writes its header names in <upper|lower|title> case", "the next request writes its header names in upper case",
		"Spells every header name that way.", change(func(_ *world, r *request, a arguments) {
			for i := range r.header {
				r.header[i].name = inCase(r.header[i].name, a.words[0])
			}
		})),
	given(`the next request has ([1-9][0-9]{0,2}) kB more of (headers|body)`, "the next request has <n> kB more of <headers|body>", "the next request has 8 kB more of headers",
		"Makes x-correlation-id that long, which a service may send back, or puts spaces into the JSON body, where they mean nothing.",
		change(func(_ *world, r *request, a arguments) {
			size, _ := strconv.Atoi(a.words[0])
			if a.words[1] == "headers" {
				r.setHeader(ags.HeaderCorrelation, "agstest-"+strings.Repeat("a", size<<10))
				return
			}
			if body := r.bytes(); len(body) > 0 {
				r.body = append(append(bytes.Clone(body[:1]), bytes.Repeat([]byte(" "), size<<10)...), body[1:]...)
			}
		})),
	given(`all requests have the same correlation id`, "all requests have the same correlation id", "all requests have the same correlation id",
		"One x-correlation-id goes with every call of the scenario, as apps do that follow a whole sign-on in their logs.",
		func(_ context.Context, w *world, _ arguments) error {
			w.correlation = "agstest-" + w.invented(16)
			return nil
		}),
	given(`the next request has no member "([^"]+)"`, `the next request has no member "<name>"`, `the next request has no member "parameters"`,
		"Leaves a member of the JSON body out.", changeOrMiss(func(_ *world, r *request, a arguments) error {
			if r.get(a.words[0]) == nil {
				return nothingToLeaveOut("request", "member", a.words[0], names(r.members, func(m member) string { return m.name }))
			}
			r.drop(a.words[0])
			return nil
		})),
	given(`the next request has the member "([^"]+)" with the value (.+)`, `the next request has the member "<name>" with the value <JSON>`, `the next request has the member "parameters" with the value []`,
		"Sets a member of the JSON body. {accessToken}, {refreshToken}, {sessionToken} and {clientId} stand for those of the client.",
		func(_ context.Context, w *world, a arguments) error {
			if !json.Valid([]byte(a.words[1])) {
				return failure.Usagef("the value %s is not JSON; for a broken body write: the next request has this body:", a.words[1])
			}
			w.changes = append(w.changes, func(r *request) error {
				value, err := w.fill(a.words[1])
				r.set(a.words[0], json.RawMessage(value))
				return err
			})
			return nil
		}),
	given(`the next request has the deviceInformation:`, `the next request has the deviceInformation: (text)`, `the next request has the deviceInformation:`,
		"Adds the JSON below as deviceInformation, beside whatever else is there.",
		change(func(_ *world, r *request, a arguments) {
			r.set("deviceInformation", json.RawMessage(strings.TrimSpace(a.text)))
		})),
	given(`the next request has this body:`, `the next request has this body: (text)`, `the next request has this body:`,
		"Sends the text below as it is, JSON or not.",
		changeOrMiss(func(w *world, r *request, a arguments) error {
			body, err := w.fill(a.text)
			r.body = []byte(body)
			return err
		})),
	given(`the next request has an empty body`, `the next request has an empty body`, `the next request has an empty body`,
		"Sends no body.", change(func(_ *world, r *request, _ arguments) { r.body = []byte{} })),
	given(`the next request leaves out the parameter "([^"]+)"`, `the next request leaves out the parameter "<name>"`, `the next request leaves out the parameter "password"`,
		"Leaves one entry of parameters out.", changeOrMiss(func(_ *world, r *request, a arguments) error {
			all, kept := r.parameters(), []parameter{}
			for _, p := range all {
				if !strings.EqualFold(p.Name, a.words[0]) {
					kept = append(kept, p)
				}
			}
			if len(kept) == len(all) {
				return nothingToLeaveOut("request", "parameter", a.words[0], names(all, func(p parameter) string { return p.Name }))
			}
			r.set("parameters", rawJSON(kept))
			return nil
		})),
	given(`the next request has a wrong password`, "the next request has a wrong password", "the next request has a wrong password",
		"The password among parameters is one that nobody has. Which one that is: passwordParameter of the situation in the environment file, else isPassword of discovery, else its name.",
		changeOrMiss(func(w *world, r *request, _ arguments) error { return w.mistypePassword(r) })),
	given(`the next request has the parameter "([^"]+)" with the value "([^"]*)"`, `the next request has the parameter "<name>" with the value "<value>"`, `the next request has the parameter "password" with the value "wrong"`,
		"Sets one entry of parameters.", changeOrMiss(func(w *world, r *request, a arguments) error {
			value, err := w.fill(a.words[1])
			if err != nil {
				return err
			}
			list := r.parameters()
			at := slices.IndexFunc(list, func(p parameter) bool { return strings.EqualFold(p.Name, a.words[0]) })
			if at < 0 {
				at, list = len(list), append(list, parameter{Name: a.words[0]})
			}
			list[at].Value = value
			r.set("parameters", rawJSON(list))
			return nil
		})),
	given(`the next request uses the method (GET|PUT|DELETE|PATCH|HEAD|OPTIONS)`, "the next request uses the method <name>", "the next request uses the method GET",
		"Sends another method than POST to the same path.", change(func(_ *world, r *request, a arguments) {
			r.body = r.bytes()
			r.method, r.operation = a.words[0], "" // what comes back is not an answer of the operation
			if r.method == "GET" || r.method == "HEAD" {
				r.body = nil
			}
		})),
	given(`the next request sends the token (as a bearer token|without a scheme)`, "the next request sends the token <as a bearer token|without a scheme>", "the next request sends the token as a bearer token",
		"Writes Authorization as \"Bearer <token>\" or as the token alone, whatever the environment says.",
		change(func(_ *world, r *request, a arguments) {
			token := bearerless(r.headerValue("Authorization"))
			if a.words[0] == "as a bearer token" {
				token = "Bearer " + token
			}
			r.setHeader("Authorization", token)
		})),
	given(`the next request presents the access token instead of the refresh token`, "the next request presents the access token instead of the refresh token", "the next request presents the access token instead of the refresh token",
		"The token in Authorization is of the other kind.", changeOrMiss(func(w *world, r *request, _ arguments) error {
			if err := w.holdsTokens(); err != nil {
				return err
			}
			w.authorize(r, w.client.pair.AccessToken)
			return nil
		})),
	given(`the next request presents a token that nobody issued`, "the next request presents a token that nobody issued", "the next request presents a token that nobody issued",
		"The token in Authorization is made up and no JWT.", change(func(w *world, r *request, _ arguments) { w.authorize(r, w.invented(40)) })),
	given(`the next request presents a token whose (payload|signature) was changed`, "the next request presents a token whose <payload|signature> was changed", "the next request presents a token whose signature was changed",
		"The token in Authorization was good before it was tampered with.", changeOrMiss(func(w *world, r *request, a arguments) error {
			token := bearerless(r.headerValue(ags.HeaderAuthorization))
			if token == "" {
				return unknownf("the request has no token in Authorization that could be changed")
			}
			w.authorize(r, tampered(token, a.words[0]))
			return nil
		})),
	given(`the next request presents an unsigned token`, "the next request presents an unsigned token", "the next request presents an unsigned token",
		"The claims are those of the client's token, the header says alg none and the signature is empty.", changeOrMiss(func(w *world, r *request, _ arguments) error {
			token, ok := unsigned(bearerless(r.headerValue(ags.HeaderAuthorization)))
			if !ok {
				return unknownf("the token in Authorization is no compact JWS whose signature could be taken away")
			}
			w.authorize(r, token)
			return nil
		})),
	given(`the next request presents the refresh token that was used before`, "the next request presents the refresh token that was used before", "the next request presents the refresh token that was used before",
		"The token in Authorization is that of the answer before the last.", changeOrMiss(func(w *world, r *request, _ arguments) error {
			if w.client == nil || w.client.previous == nil {
				return unknownf("the client has no refresh token that was used before; let it refresh its tokens first")
			}
			w.authorize(r, w.client.previous.RefreshToken)
			return nil
		})),
	given(`the next request picks an account with a token that nobody issued`, "the next request picks an account with a token that nobody issued", "the next request picks an account with a token that nobody issued",
		"The header User-Token is made up.", change(func(w *world, r *request, _ arguments) { r.setHeader("User-Token", w.invented(40)) })),
}

// Changes to the OperatorAuthToken of the next call of getSessionToken.
var operatorPhrases = []phrase{
	given(`the OperatorAuthToken has the claim "([^"]+)" with the value "([^"]*)"`, `the OperatorAuthToken has the claim "<name>" with the value "<text>"`, `the OperatorAuthToken has the claim "aud" with the value "elsewhere"`,
		"Sets a claim before signing.", changeOperator(func(_ *world, t *operatorToken, a arguments) { t.set(a.words[0], a.words[1]) })),
	given(`the OperatorAuthToken has no claim "([^"]+)"`, `the OperatorAuthToken has no claim "<name>"`, `the OperatorAuthToken has no claim "exp"`,
		"Leaves a claim out before signing.", func(_ context.Context, w *world, a arguments) error {
			w.operator = append(w.operator, func(t *operatorToken) error {
				if !slices.ContainsFunc(t.claims, func(c member) bool { return c.name == a.words[0] }) {
					return nothingToLeaveOut("OperatorAuthToken", "claim", a.words[0], names(t.claims, func(c member) string { return c.name }))
				}
				t.drop(a.words[0])
				return nil
			})
			return nil
		}),
	given(`the OperatorAuthToken has expired an hour ago`, "the OperatorAuthToken has expired an hour ago", "the OperatorAuthToken has expired an hour ago",
		"Its claim exp is an hour in the past.", changeOperator(func(w *world, t *operatorToken, _ arguments) { t.set("exp", time.Now().Add(w.ahead-time.Hour).Unix()) })),
	given(`the OperatorAuthToken is signed with another secret`, "the OperatorAuthToken is signed with another secret", "the OperatorAuthToken is signed with another secret",
		"The signature does not fit: the key is another one.", changeOperatorOrMiss(func(w *world, t *operatorToken, _ arguments) (err error) {
			t.key, err = t.key.Other(w.invented(40))
			return err
		})),
	given(`the OperatorAuthToken is signed with the algorithm (none|HS512)`, "the OperatorAuthToken is signed with the algorithm <none|HS512>", "the OperatorAuthToken is signed with the algorithm none",
		"The header alg says so, and so it is signed, with the right secret. Where the operator has a private key, it is signed with HS256 and the public key as the secret (RFC 8725 section 2.1).",
		changeOperatorOrMiss(func(_ *world, t *operatorToken, a arguments) (err error) {
			switch {
			case a.words[0] == "none":
				t.algorithm = "none"
			case t.key.Public():
				t.key, err = t.key.Confused()
				t.algorithm = t.key.Algorithm
			case t.algorithm == a.words[0]: // the operator's own: another one is meant
				t.algorithm = "HS256"
			default:
				t.algorithm = a.words[0]
			}
			return err
		})),
	given(`the OperatorAuthToken names an account that nobody has`, "the OperatorAuthToken names an account that nobody has", "the OperatorAuthToken names an account that nobody has",
		"The claim OpfAccountId is made up.", changeOperator(func(w *world, t *operatorToken, _ arguments) {
			t.set(ags.OperatorToken.Account, "agstest-"+w.invented(12))
		})),
	given(`the (access|refresh) token of the client stands in place of the (OperatorAuthToken|session token|User-Token)`,
		"the <access|refresh> token of the client stands in place of the <OperatorAuthToken|session token|User-Token>", "the access token of the client stands in place of the OperatorAuthToken",
		"A token of an end user is offered where one of another kind is wanted.", changeOrMiss(func(w *world, r *request, a arguments) error {
			if err := w.holdsTokens(); err != nil {
				return err
			}
			token := w.client.pair.AccessToken
			if a.words[0] == "refresh" {
				token = w.client.pair.RefreshToken
			}
			matching[a.words[1]].put(w, r, token)
			return nil
		})),
}

func change(apply func(*world, *request, arguments)) func(context.Context, *world, arguments) error {
	return changeOrMiss(func(w *world, r *request, a arguments) error {
		apply(w, r, a)
		return nil
	})
}

// changeOrMiss is a change that does not fit every request. Where it does not, the request is not sent: as it is documented it would
// show nothing of what the scenario is about.
func changeOrMiss(apply func(*world, *request, arguments) error) func(context.Context, *world, arguments) error {
	return func(_ context.Context, w *world, a arguments) error {
		w.changes = append(w.changes, func(r *request) error { return apply(w, r, a) })
		return nil
	}
}

func nothingToLeaveOut(where, what, name string, there []string) error {
	return unknownf("the %s has no %s %q that could be left out; it has %s", where, what, name, cmp.Or(strings.Join(there, ", "), "none"))
}

func names[E any](list []E, name func(E) string) []string {
	all := make([]string, len(list))
	for i, e := range list {
		all[i] = name(e)
	}
	return all
}

func changeOperator(apply func(*world, *operatorToken, arguments)) func(context.Context, *world, arguments) error {
	return changeOperatorOrMiss(func(w *world, t *operatorToken, a arguments) error {
		apply(w, t, a)
		return nil
	})
}

// changeOperatorOrMiss is a change that may not come about.
func changeOperatorOrMiss(apply func(*world, *operatorToken, arguments) error) func(context.Context, *world, arguments) error {
	return func(_ context.Context, w *world, a arguments) error {
		w.operator = append(w.operator, func(t *operatorToken) error { return apply(w, t, a) })
		return nil
	}
}

// fill puts the values of the client into a text of a feature file. What the client does not have cannot be sent.
func (w *world) fill(text string) (string, error) {
	if !strings.Contains(text, "{") {
		return text, nil
	}
	values := map[string]string{"{sessionToken}": w.sessionToken, "{clientId}": "", "{accessToken}": "", "{refreshToken}": ""}
	if w.client != nil {
		values["{clientId}"] = w.client.id
		if w.client.pair != nil {
			values["{accessToken}"], values["{refreshToken}"] = w.client.pair.AccessToken, w.client.pair.RefreshToken
		}
	}
	for _, name := range sortedKeys(values) {
		if !strings.Contains(text, name) {
			continue
		}
		if values[name] == "" {
			return "", unknownf("%s stands for nothing: no step before gave the client one", name)
		}
		text = strings.ReplaceAll(text, name, values[name])
	}
	return text, nil
}

func inCase(name, how string) string {
	switch how {
	case "upper":
		return strings.ToUpper(name)
	case "lower":
		return strings.ToLower(name)
	}
	words := strings.Split(strings.ToLower(name), "-")
	for i, word := range words {
		if word != "" {
			words[i] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "-")
}
