package steps

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"agstest/internal/check"
	"agstest/internal/strictjson"
)

// effectiveStatus is the status that an answer means: the gateway of legacy set-ups refuses with 200 (ambiguity 7.27).
func effectiveStatus(x *exchange) int {
	if x.Status != http.StatusOK && x.Status != http.StatusCreated {
		return x.Status
	}
	body, _ := strictjson.Parse(x.Body)
	if code := body.Get("resultCode").String(); strings.HasPrefix(code, "99999:") {
		if n, err := strconv.Atoi(strings.TrimPrefix(code, "99999:")); err == nil && n >= 400 && n < 600 {
			return n
		}
		return http.StatusForbidden
	}
	return x.Status
}

// describe says in a few words what came, without a secret.
func (w *world) describe(x *exchange) string {
	if x.Status == 0 {
		return "no answer: " + errorText(x.Err)
	}
	text := fmt.Sprintf("status %d", x.Status)
	if effective := effectiveStatus(x); effective != x.Status {
		text += fmt.Sprintf(" that means %d (resultCode)", effective)
	}
	if code, ok := check.SubCode(x.Exchange); ok && x.Status >= 400 && code != x.Status {
		text += fmt.Sprintf(" with sub-code %d", code)
	}
	if hasTokens(x) {
		text += " with tokens"
	}
	return text
}

func hasTokens(x *exchange) bool {
	body, _ := strictjson.Parse(x.Body)
	return findsTokens(body)
}

func findsTokens(v *strictjson.Value) bool {
	if v == nil {
		return false
	}
	for _, m := range v.Members {
		if m.Name == "access_token" || m.Name == "refresh_token" || findsTokens(m.Value) {
			return true
		}
	}
	for _, item := range v.Items {
		if findsTokens(item) {
			return true
		}
	}
	return false
}

func noTokens(x *exchange) error {
	if hasTokens(x) {
		return missf("no access_token and no refresh_token", "an answer with status %d that holds some", x.Status)
	}
	return nil
}

// member finds a value by its path, dots between the names.
func (w *world) member(path string) (*strictjson.Value, error) {
	x, err := w.last()
	if err != nil {
		return nil, err
	}
	v, err := strictjson.Parse(x.Body)
	if v == nil {
		return nil, missf("a JSON body", "%s whose body is no JSON: %v", w.describe(x), err)
	}
	for _, name := range strings.Split(path, ".") {
		v = v.Get(name)
	}
	return v, nil
}

func readPair(x *exchange) (*check.Pair, error) {
	if effectiveStatus(x)/100 != 2 {
		return nil, fmt.Errorf("status %d", x.Status)
	}
	return check.ReadPair(x.Exchange)
}

func readSessionToken(x *exchange) (string, error) {
	if effectiveStatus(x)/100 != 2 {
		return "", fmt.Errorf("status %d", x.Status)
	}
	return check.ReadSessionToken(x.Exchange)
}
