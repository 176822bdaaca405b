package scene

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"agstest/internal/check"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
	"agstest/steps/talk"
)

// EffectiveStatus is the status that an answer means: the gateway of legacy set-ups refuses with 200 (ambiguity 7.27),
// and so do some firewalls.
func EffectiveStatus(x *talk.Exchange) int {
	if x.Status != http.StatusOK && x.Status != http.StatusCreated {
		return x.Status
	}
	if bytes.HasPrefix(bytes.TrimSpace(x.Body[:min(len(x.Body), 64)]), []byte("<")) && wire.BarredBy(x.Exchange) != "" {
		return http.StatusForbidden
	}
	if !bytes.Contains(x.Body, []byte("resultCode")) && bytes.IndexByte(x.Body, '\\') < 0 {
		return x.Status // no such member, not even one with escapes in its name
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

// Describe says in a few words what came, without a secret.
func (w *World) Describe(x *talk.Exchange) string {
	if x.Status == 0 {
		return "no answer: " + ErrorText(x.Err)
	}
	text := fmt.Sprintf("status %d", x.Status)
	if effective := EffectiveStatus(x); effective != x.Status {
		text += fmt.Sprintf(" that means %d (resultCode)", effective)
	}
	if code, ok := check.SubCode(x.Exchange); ok && x.Status >= 400 && code != x.Status {
		text += fmt.Sprintf(" with sub-code %d", code)
	}
	if HasTokens(x) {
		text += " with tokens"
	}
	return text
}

func HasTokens(x *talk.Exchange) bool {
	body, _ := strictjson.Parse(x.Body)
	return FindsTokens(body)
}

func FindsTokens(v *strictjson.Value) bool {
	if v == nil {
		return false
	}
	for _, m := range v.Members {
		if m.Name == "access_token" || m.Name == "refresh_token" || FindsTokens(m.Value) {
			return true
		}
	}
	return slices.ContainsFunc(v.Items, FindsTokens)
}

func NoTokens(x *talk.Exchange) error {
	if HasTokens(x) {
		return talk.Missf("no access_token and no refresh_token", "an answer with status %d that holds some", x.Status)
	}
	return nil
}

// Member finds a value by its path, dots between the names.
func (w *World) Member(path string) (*strictjson.Value, error) {
	x, err := w.Last()
	if err != nil {
		return nil, err
	}
	v, err := strictjson.Parse(x.Body)
	if v == nil {
		return nil, talk.Missf("a JSON body", "%s whose body is no JSON: %v", w.Describe(x), err)
	}
	for name := range strings.SplitSeq(path, ".") {
		v = v.Get(name)
	}
	return v, nil
}

func ReadPair(x *talk.Exchange) (*check.Pair, error) {
	if EffectiveStatus(x)/100 != 2 {
		return nil, fmt.Errorf("status %d", x.Status)
	}
	return check.ReadPair(x.Exchange)
}

func ReadSessionToken(x *talk.Exchange) (string, error) {
	if EffectiveStatus(x)/100 != 2 {
		return "", fmt.Errorf("status %d", x.Status)
	}
	return check.ReadSessionToken(x.Exchange)
}

func Granted(x *talk.Exchange) bool {
	status := EffectiveStatus(x)
	return status/100 == 2 || status == http.StatusMultipleChoices
}
