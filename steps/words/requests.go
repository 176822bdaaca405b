package words

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/check"
	"agstest/internal/failure"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// Changes to the next request, so that a scenario shows what happens when it is not as documented.
var requestPhrases = []Sentence{
	given(`the next request has no header "<name>"`,
		"Leaves a header out.", changeOrMiss(func(_ *scene.World, r *talk.Request, a arguments) error {
			name := a.words[0]
			if r.HeaderValue(name) == "" && !r.MayLack(name) {
				return nothingToLeaveOut("request", "header", name,
					talk.Names(r.Header, func(f talk.Field) string { return f.Name }))
			}
			r.DropHeader(name)
			return nil
		})).like(`the next request has no header "x-auth-service-id"`),
	given(`the next request has the header "<name>" with the value "<value>"`,
		"Sets a header. {accessToken}, {refreshToken} and {sessionToken} in the value stand for those of the client.",
		changeOrMiss(func(w *scene.World, r *talk.Request, a arguments) error {
			value, err := fill(w, a.words[1])
			r.SetHeader(a.words[0], value)
			return err
		})).like(`the next request has the header "x-auth-service-id" with the value "nobody knows it"`),
	given("the next request writes its header names in <upper|lower|title> case",
		"Spells every header name that way.", change(func(_ *scene.World, r *talk.Request, a arguments) {
			for i := range r.Header {
				r.Header[i].Name = inCase(r.Header[i].Name, a.words[0])
			}
		})).like("the next request writes its header names in upper case"),
	given("the next request has <n> kB more of <headers|body>",
		"Adds a header that long, which no service knows or sends back, or puts spaces into the JSON body, where they "+
			"mean nothing.",
		change(func(_ *scene.World, r *talk.Request, a arguments) {
			size, _ := strconv.Atoi(a.words[0])
			if a.words[1] == "headers" {
				// What is sent back makes an answer that nginx has no room for. It takes that for a failure of the node that
				// gave it, to which it sends nobody for 10 s where it has others.
				r.SetHeader("x-agstest-more", strings.Repeat("a", size<<10))
				return
			}
			if body := r.Bytes(); len(body) > 0 {
				r.Body = append(append(bytes.Clone(body[:1]), bytes.Repeat([]byte(" "), size<<10)...), body[1:]...)
			}
		})).like("the next request has 8 kB more of headers").reading(
		`the next request has ([1-9][0-9]{0,2}) kB more of (headers|body)`),
	given("all requests have the same correlation id",
		"One x-correlation-id goes with every call of the scenario, as apps do that follow a whole sign-on in their logs.",
		func(_ context.Context, w *scene.World, _ arguments) error {
			w.Correlation = "agstest-" + w.Invented(16)
			return nil
		}),
	given(`the next request has no member "<name>"`,
		"Leaves a member of the JSON body out.", changeOrMiss(func(_ *scene.World, r *talk.Request, a arguments) error {
			if r.Get(a.words[0]) == nil {
				return nothingToLeaveOut("request", "member", a.words[0],
					talk.Names(r.Members, func(m talk.Member) string { return m.Name }))
			}
			r.Drop(a.words[0])
			return nil
		})).like(`the next request has no member "parameters"`),
	given(`the next request has the member "<name>" with the value <JSON>`,
		"Sets a member of the JSON body. {accessToken}, {refreshToken}, {sessionToken} and {clientId} stand for those of "+
			"the client.",
		func(_ context.Context, w *scene.World, a arguments) error {
			if !json.Valid([]byte(a.words[1])) {
				return failure.Usagef(
					"the value %s is not JSON; for a broken body write: the next request has this body:", a.words[1])
			}
			w.Changes = append(w.Changes, func(r *talk.Request) error {
				value, err := fill(w, a.words[1])
				r.Set(a.words[0], json.RawMessage(value))
				return err
			})
			return nil
		}).like(`the next request has the member "parameters" with the value []`),
	given("the next request has the deviceInformation: (text)",
		"Adds the JSON below as deviceInformation, beside whatever else is there.",
		change(func(_ *scene.World, r *talk.Request, a arguments) {
			r.Set("deviceInformation", json.RawMessage(strings.TrimSpace(a.Text)))
		})),
	given("the next request has this body: (text)",
		"Sends the text below as it is, JSON or not.",
		changeOrMiss(func(w *scene.World, r *talk.Request, a arguments) error {
			body, err := fill(w, a.Text)
			r.Body = []byte(body)
			return err
		})),
	given("the next request has an empty body",
		"Sends no body.", change(func(_ *scene.World, r *talk.Request, _ arguments) { r.Body = []byte{} })),
	given(`the next request leaves out the parameter "<name>"`,
		"Leaves one entry of parameters out.", changeOrMiss(func(_ *scene.World, r *talk.Request, a arguments) error {
			all, kept := r.Parameters(), []talk.Parameter{}
			for _, p := range all {
				if !strings.EqualFold(p.Name, a.words[0]) {
					kept = append(kept, p)
				}
			}
			if len(kept) == len(all) {
				return nothingToLeaveOut("request", "parameter", a.words[0],
					talk.Names(all, func(p talk.Parameter) string { return p.Name }))
			}
			r.Set("parameters", talk.JSON(kept))
			return nil
		})).like(`the next request leaves out the parameter "password"`),
	given("the next request has a wrong password",
		"The password among parameters is one that nobody has. Which one that is: passwordParameter of the situation in "+
			"the environment file, else isPassword of discovery, else its name.",
		changeOrMiss(func(w *scene.World, r *talk.Request, _ arguments) error { return w.MistypePassword(r) })),
	given("the next request names a user whom nobody knows",
		"The name of the user among parameters is one that nobody has, and the password is wrong.",
		changeOrMiss(func(w *scene.World, r *talk.Request, _ arguments) error { return unknownUser(w, r) })),
	given("the next request is the preflight that a browser sends for a page of another origin",
		"OPTIONS to the same path, with Origin and what the page would send, and nothing else (the Fetch standard).",
		change(func(_ *scene.World, r *talk.Request, _ arguments) { preflight(r) })),
	given(`the next request has the parameter "<name>" with the value "<value>"`,
		"Sets one entry of parameters.", changeOrMiss(func(w *scene.World, r *talk.Request, a arguments) error {
			value, err := fill(w, a.words[1])
			if err != nil {
				return err
			}
			list := r.Parameters()
			at := slices.IndexFunc(list, func(p talk.Parameter) bool { return strings.EqualFold(p.Name, a.words[0]) })
			if at < 0 {
				at, list = len(list), append(list, talk.Parameter{Name: a.words[0]})
			}
			list[at].Value = value
			r.Set("parameters", talk.JSON(list))
			return nil
		})).like(`the next request has the parameter "password" with the value "wrong"`),
	given("the next request uses the method <name>",
		"Sends another method than POST to the same path.", change(func(_ *scene.World, r *talk.Request, a arguments) {
			r.Body = r.Bytes()
			r.Method, r.Operation = a.words[0], "" // what comes back is not an answer of the operation
			if r.Method == "GET" || r.Method == "HEAD" {
				r.Body = nil
			}
		})).like("the next request uses the method GET").reading(
		`the next request uses the method (GET|PUT|DELETE|PATCH|HEAD|OPTIONS)`),
	given("the next request sends the token <as a bearer token|without a scheme>",
		"Writes Authorization as \"Bearer <token>\" or as the token alone, whatever the environment says.",
		change(func(_ *scene.World, r *talk.Request, a arguments) {
			token := scene.Bearerless(r.HeaderValue("Authorization"))
			if a.words[0] == "as a bearer token" {
				token = "Bearer " + token
			}
			r.SetHeader("Authorization", token)
		})).like("the next request sends the token as a bearer token"),
	given("the next request presents the access token instead of the refresh token",
		"The token in Authorization is of the other kind.",
		changeOrMiss(func(w *scene.World, r *talk.Request, _ arguments) error {
			if err := w.HoldsTokens(); err != nil {
				return err
			}
			w.Authorize(r, w.Client.Pair.AccessToken)
			return nil
		})),
	given("the next request presents a token that nobody issued",
		"The token in Authorization is made up and no JWT.",
		change(func(w *scene.World, r *talk.Request, _ arguments) { w.Authorize(r, w.Invented(40)) })),
	given("the next request presents a token whose <payload|signature> was changed",
		"The token in Authorization was good before it was tampered with.",
		changeOrMiss(func(w *scene.World, r *talk.Request, a arguments) error {
			token := scene.Bearerless(r.HeaderValue(ags.HeaderAuthorization))
			if token == "" {
				return talk.Unknownf("the request has no token in Authorization that could be changed")
			}
			w.Authorize(r, talk.Tampered(token, a.words[0]))
			return nil
		})).like("the next request presents a token whose signature was changed"),
	given("the next request presents an unsigned token",
		"The claims are those of the client's token, the header says alg none and the signature is empty.",
		changeOrMiss(func(w *scene.World, r *talk.Request, _ arguments) error {
			before := scene.Bearerless(r.HeaderValue(ags.HeaderAuthorization))
			token, ok := talk.Unsigned(before)
			if !ok && check.Opaque(before) {
				return talk.Lacking("",
					"the token in Authorization is opaque: it has no signature that could be taken away")
			}
			if !ok {
				return talk.Unknownf("the token in Authorization is no compact JWS whose signature could be taken away")
			}
			w.Authorize(r, token)
			return nil
		})),
	given("the next request presents the refresh token that was used before",
		"The token in Authorization is that of the answer before the last.",
		changeOrMiss(func(w *scene.World, r *talk.Request, _ arguments) error {
			if w.Client == nil || w.Client.Previous == nil {
				return talk.Unknownf(
					"the client has no refresh token that was used before; let it refresh its tokens first")
			}
			w.Authorize(r, w.Client.Previous.RefreshToken)
			return nil
		})),
	given("the next request picks an account with a token that nobody issued",
		"The header User-Token is made up.",
		change(func(w *scene.World, r *talk.Request, _ arguments) { r.SetHeader("User-Token", w.Invented(40)) })),
}

// Changes to the OperatorAuthToken of the next call of getSessionToken.
var operatorPhrases = []Sentence{
	given(`the OperatorAuthToken has the claim "<name>" with the value "<text>"`,
		"Sets a claim before signing.",
		changeOperator(func(_ *scene.World, t *talk.OperatorToken, a arguments) { t.Set(a.words[0], a.words[1]) })).like(
		`the OperatorAuthToken has the claim "aud" with the value "elsewhere"`),
	given(`the OperatorAuthToken has no claim "<name>"`,
		"Leaves a claim out before signing.", func(_ context.Context, w *scene.World, a arguments) error {
			w.Operator = append(w.Operator, func(t *talk.OperatorToken) error {
				if !slices.ContainsFunc(t.Claims, func(c talk.Member) bool { return c.Name == a.words[0] }) {
					return nothingToLeaveOut("OperatorAuthToken", "claim", a.words[0],
						talk.Names(t.Claims, func(c talk.Member) string { return c.Name }))
				}
				t.Drop(a.words[0])
				return nil
			})
			return nil
		}).like(`the OperatorAuthToken has no claim "exp"`),
	given("the OperatorAuthToken has expired an hour ago",
		"Its claim exp is an hour in the past.", changeOperator(func(w *scene.World, t *talk.OperatorToken, _ arguments) {
			t.Set("exp", time.Now().Add(w.Ahead-time.Hour).Unix())
		})),
	given("the OperatorAuthToken is good only in an hour",
		"Its claim nbf is an hour ahead, and its exp later still.",
		changeOperator(func(w *scene.World, t *talk.OperatorToken, _ arguments) {
			t.Set("nbf", time.Now().Add(w.Ahead+time.Hour).Unix())
			t.Set("exp", time.Now().Add(w.Ahead+2*time.Hour).Unix())
		})),
	given("the OperatorAuthToken marks as critical what nobody knows",
		"The header crit of the token names a member that stands beside it and means nothing (RFC 7515 section 4.1.11).",
		changeOperator(func(_ *scene.World, t *talk.OperatorToken, _ arguments) {
			t.Header = append(t.Header, talk.Member{Name: "crit", Value: talk.JSON([]string{"agstest"})},
				talk.Member{Name: "agstest", Value: talk.JSON("x")})
		})),
	given("the OperatorAuthToken is signed with another secret",
		"The signature does not fit: the key is another one.",
		changeOperatorOrMiss(func(w *scene.World, t *talk.OperatorToken, _ arguments) (err error) {
			t.Key, err = t.Key.Other(w.Invented(40))
			return err
		})),
	given("the OperatorAuthToken is signed with the algorithm <none|HS512>",
		"The header alg says so, and so it is signed, with the right key: where the operator has HS512, with HS256; where "+
			"it has a private RSA key, with RS512. A private key of a curve signs with one algorithm alone.",
		changeOperatorOrMiss(func(_ *scene.World, t *talk.OperatorToken, a arguments) error {
			switch {
			case a.words[0] == "none":
				t.Algorithm = "none"
			case t.Algorithm == "ES256":
				return talk.Lacking("", "the operator's key is one of ES256, which signs with no other algorithm")
			case t.Key.Public():
				t.Key.Algorithm, t.Algorithm = "RS512", "RS512"
			case t.Algorithm == a.words[0]: // the operator's own: another one is meant
				t.Algorithm = "HS256"
			default:
				t.Algorithm = a.words[0]
			}
			return nil
		})).like("the OperatorAuthToken is signed with the algorithm none"),
	given("the OperatorAuthToken is forged with what everybody knows",
		"Where the operator has a private key, it is signed with HS256 and the public key as the secret; else its header "+
			"alg is none in other letters, and it has no signature (RFC 8725 sections 2.1 and 3.1).",
		changeOperatorOrMiss(func(_ *scene.World, t *talk.OperatorToken, _ arguments) (err error) {
			if !t.Key.Public() {
				t.Algorithm = "None"
				return nil
			}
			t.Key, err = t.Key.Confused()
			t.Algorithm = t.Key.Algorithm
			return err
		})),
	given("the OperatorAuthToken names an account that nobody has",
		"The claim OpfAccountId is made up.", changeOperator(func(w *scene.World, t *talk.OperatorToken, _ arguments) {
			t.Set(ags.OperatorToken.Account, "agstest-"+w.Invented(12))
		})),
	given("a session token stands in place of the <User-Token|token|OperatorAuthToken>",
		"A good session token of the account in good standing is offered where a token of another kind is wanted.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			own := scene.New(w.Stage, w.Scenario)
			own.Control = true
			if err := own.UseAccount(ctx, "active", 0); err != nil {
				return err
			}
			token, err := own.FreshSessionToken(ctx)
			if err != nil {
				return err
			}
			w.Refusal = true
			w.Changes = append(w.Changes,
				func(r *talk.Request) error { matching[a.words[0]].put(w, r, token); return nil })
			return nil
		}).like("a session token stands in place of the User-Token"),
	given("the userAccountToken of the list stands in place of the <session token|token|OperatorAuthToken>",
		"A token with which an account is picked from the last list is offered where one of another kind is wanted.",
		func(_ context.Context, w *scene.World, a arguments) error {
			offer, err := w.Offer(1)
			if err != nil {
				return err
			}
			w.Refusal = true
			w.Changes = append(w.Changes,
				func(r *talk.Request) error { matching[a.words[0]].put(w, r, offer.Token); return nil })
			return nil
		}).like("the userAccountToken of the list stands in place of the session token"),
	given("an OperatorAuthToken stands in place of the <session token|User-Token|token>",
		"A good OperatorAuthToken for the account in good standing is offered where a token of another kind is wanted.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			if w.Stage.Environment.Operator == nil {
				return talk.Lacking(w.Stage.Example("operator"),
					"the environment does not say how to act as a head-end system (operator)")
			}
			own := scene.New(w.Stage, w.Scenario)
			own.Control = true
			if err := own.UseAccount(ctx, "active", 0); err != nil {
				return err
			}
			ask, err := own.HeadEndRequest()
			if err != nil {
				return err
			}
			token := own.PresentedOperator(ask)
			w.Stage.Keep(token)
			w.Refusal = true
			w.Changes = append(w.Changes,
				func(r *talk.Request) error { matching[a.words[0]].put(w, r, token); return nil })
			return nil
		}).like("an OperatorAuthToken stands in place of the session token"),
	given(
		"the <access|refresh> token of the client stands in place of the <OperatorAuthToken|session token|User-Token>",
		"A token of an end user is offered where one of another kind is wanted.",
		changeOrMiss(func(w *scene.World, r *talk.Request, a arguments) error {
			if err := w.HoldsTokens(); err != nil {
				return err
			}
			token := w.Client.Pair.AccessToken
			if a.words[0] == "refresh" {
				token = w.Client.Pair.RefreshToken
			}
			w.Refusal = true
			matching[a.words[1]].put(w, r, token)
			return nil
		})).like("the access token of the client stands in place of the OperatorAuthToken"),
}

func change(apply func(*scene.World, *talk.Request, arguments)) func(context.Context, *scene.World, arguments) error {
	return changeOrMiss(func(w *scene.World, r *talk.Request, a arguments) error {
		apply(w, r, a)
		return nil
	})
}

// changeOrMiss makes a change that does not fit every request. If it does not fit, the request is not sent: as
// documented it would show nothing about the scenario.
func changeOrMiss(apply func(*scene.World, *talk.Request, arguments) error) func(context.Context, *scene.World,
	arguments) error {
	return func(_ context.Context, w *scene.World, a arguments) error {
		w.Changes = append(w.Changes, func(r *talk.Request) error { return apply(w, r, a) })
		return nil
	}
}

func nothingToLeaveOut(where, what, name string, there []string) error {
	return talk.Unknownf("the %s has no %s %q that could be left out; it has %s", where, what, name,
		cmp.Or(strings.Join(there, ", "), "none"))
}

func changeOperator(apply func(*scene.World, *talk.OperatorToken, arguments)) func(context.Context, *scene.World,
	arguments) error {
	return changeOperatorOrMiss(func(w *scene.World, t *talk.OperatorToken, a arguments) error {
		apply(w, t, a)
		return nil
	})
}

// changeOperatorOrMiss is a change that may not come about.
func changeOperatorOrMiss(apply func(*scene.World, *talk.OperatorToken, arguments) error) func(context.Context,
	*scene.World, arguments) error {
	return func(_ context.Context, w *scene.World, a arguments) error {
		w.Operator = append(w.Operator, func(t *talk.OperatorToken) error { return apply(w, t, a) })
		return nil
	}
}

// fill puts the values of the client into a text of a feature file. A value that the client does not have is an error.
func fill(w *scene.World, text string) (string, error) {
	if !strings.Contains(text, "{") {
		return text, nil
	}
	values := map[string]string{"{sessionToken}": w.SessionToken, "{clientId}": "", "{accessToken}": "",
		"{refreshToken}": ""}
	if w.Client != nil {
		values["{clientId}"] = w.Client.ID
		if w.Client.Pair != nil {
			values["{accessToken}"], values["{refreshToken}"] = w.Client.Pair.AccessToken, w.Client.Pair.RefreshToken
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !strings.Contains(text, name) {
			continue
		}
		if values[name] == "" {
			return "", talk.Unknownf("%s stands for nothing: no step before gave the client one", name)
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
