package check

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"agstest/ags"
	"agstest/internal/strictjson"
	"agstest/internal/wire"
)

// SubCode reads the numeric reason of a refusal. No page shows the body of an AGS error, so it is looked for in code,
// errorCode, error.code and the digits of resultCode, as a number or as text; of several the first in the documented
// range 20000–20999 wins.
func SubCode(x *wire.Exchange) (int, bool) {
	body, err := strictjson.Parse(x.Body)
	if err != nil && !strictjson.Recoverable(err) {
		return 0, false
	}
	code, _, ok := subCode(body)
	return code, ok
}

// subCode also tells in which member the code was found.
func subCode(body *strictjson.Value) (code int, where string, ok bool) {
	for _, place := range []struct {
		where string
		value *strictjson.Value
	}{
		{"code", body.Get("code")},
		{"errorCode", body.Get("errorCode")},
		{"error.code", body.Get("error").Get("code")},
		{"resultCode", body.Get("resultCode")},
		{"errors[0].code", firstOf(body.Get("errors")).Get("code")},
		{"errors[0].errorCode", firstOf(body.Get("errors")).Get("errorCode")},
	} {
		n, numeric := numericCode(place.value, true)
		if numeric && (!ok || n/1000 == 20 && code/1000 != 20) {
			code, where, ok = n, place.where, true
		}
	}
	return code, where, ok
}

// firstOf is the first item of an array, as JSON:API lists what was wrong.
func firstOf(v *strictjson.Value) *strictjson.Value {
	if v == nil || len(v.Items) == 0 {
		return nil
	}
	return v.Items[0]
}

// numericCode reads a number, a number that is a text, and where it is embedded a published one with a prefix such as
// AGS-20002.
func numericCode(v *strictjson.Value, embedded bool) (int, bool) {
	if v == nil {
		return 0, false
	}
	if n, ok := v.Int(); ok {
		return int(n), n >= 0 && n <= 1<<31-1
	}
	text := strings.TrimSpace(v.String())
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return int(n), true
	}
	if !embedded || gatewayRefusal(text) {
		return 0, false
	}
	for _, digits := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		if n, err := strconv.Atoi(digits); err == nil && n/1000 == 20 {
			return n, true
		}
	}
	return 0, false
}

// gatewayRefusal recognises the resultCode of the API gateway for an unusable token, 99999:403.
func gatewayRefusal(resultCode string) bool {
	prefix, _, _ := strings.Cut(ags.GatewayRefusal, ":")
	return strings.HasPrefix(resultCode, prefix+":")
}

// Account is one of the accounts that a 300 answer offers.
type Account struct {
	Information string // text that holds JSON; its members are the provider's
	Token       string // userAccountToken: the User-Token that picks this account; empty: none was offered
}

// Accounts reads the accounts of a 300 answer. The place of the userAccountToken is not documented: Accounts looks for
// it in each account, then at the top level (ambiguity 7.21).
func Accounts(x *wire.Exchange) ([]Account, error) {
	body, err := readObject(x)
	if err != nil {
		return nil, err
	}
	list := body.Get("accounts")
	if list == nil || list.Kind != ags.Array {
		return nil, fmt.Errorf("accounts is %s; it must be an array", list.KindName())
	}
	shared := first(body.Get("userAccountToken").String(), x.Header.Get(ags.HeaderUserToken))
	accounts := make([]Account, 0, len(list.Items))
	for _, item := range list.Items {
		a := Account{Information: item.Get("accountInformation").String(), Token: textBelow(item, "userAccountToken")}
		if a.Token == "" {
			a.Token = shared
		}
		accounts = append(accounts, a)
	}
	return accounts, nil
}

// textBelow finds the first text with a name, at any depth: which object holds it is the plug-in's.
func textBelow(v *strictjson.Value, name string) string {
	if v == nil {
		return ""
	}
	if found := v.Get(name).String(); found != "" {
		return found
	}
	for _, m := range v.Members {
		if found := textBelow(m.Value, name); found != "" {
			return found
		}
	}
	for _, item := range v.Items {
		if found := textBelow(item, name); found != "" {
			return found
		}
	}
	return ""
}

// ReadSessionToken reads the token that getSessionToken issued.
func ReadSessionToken(x *wire.Exchange) (string, error) {
	body, err := readObject(x)
	if err != nil {
		return "", err
	}
	token := body.Get("sessionToken").String()
	if token == "" {
		return "", fmt.Errorf("sessionToken is %s; it must be a non-empty string", body.Get("sessionToken").KindName())
	}
	return token, nil
}

// ReadPair reads the tokens of a sign-on or a refresh. Both must be there as strings. Claims and lifetimes that cannot
// be read stay zero: Judge reports them.
func ReadPair(x *wire.Exchange) (*Pair, error) {
	if x.Status/100 != 2 {
		return nil, fmt.Errorf("the answer has status %d and so no tokens", x.Status)
	}
	body, err := readObject(x)
	if err != nil {
		return nil, err
	}
	if code := body.Get("resultCode").String(); gatewayRefusal(code) {
		return nil, fmt.Errorf("the answer has status %d, but its resultCode %s says that the token was refused",
			x.Status, strictjson.Brief(code))
	}
	p := &Pair{
		AccessToken:  body.Get("access_token").String(),
		RefreshToken: body.Get("refresh_token").String(),
		ClientID:     body.Get("client_id").String(),
		AccountID:    body.Get("accountId").String(),
	}
	switch {
	case p.AccessToken == "":
		return nil, fmt.Errorf("access_token is %s; it must be a non-empty string", body.Get("access_token").KindName())
	case p.RefreshToken == "":
		return nil, fmt.Errorf("refresh_token is %s; it must be a non-empty string",
			body.Get("refresh_token").KindName())
	}
	p.ExpiresIn, _ = body.Get("expires_in").Int()
	p.RefreshExpiresIn, _ = body.Get("refresh_expires_in").Int()
	p.FixedRefreshExpiresIn, _ = body.Get("fixed_refresh_expires_in").Int()
	p.Access = ReadClaims(p.AccessToken)
	p.Refresh = ReadClaims(p.RefreshToken)
	if p.ClientID == "" {
		p.ClientID = p.Access.Device // refresh may leave client_id out
	}
	if p.Access.Exp != 0 && p.ExpiresIn != 0 {
		p.Issued = time.Unix(p.Access.Exp-p.ExpiresIn, 0)
	}
	return p, nil
}

// ReadClaims reads the claims of a token; the result is empty if they cannot be read.
func ReadClaims(token string) Claims {
	jws, err := ParseJWS(token)
	if err != nil {
		return Claims{}
	}
	claims, err := jws.Claims()
	if err != nil {
		return Claims{}
	}
	exp, _ := claims.Get("exp").Int()
	fixed, _ := claims.Get("fixed_exp").Int()
	return Claims{
		Type:     claims.Get("typ").String(),
		Tenant:   claims.Get("tenantId").String(),
		Account:  claims.Get("accountId").String(),
		User:     claims.Get("userId").String(),
		Device:   claims.Get("deviceId").String(),
		JTI:      claims.Get("jti").String(),
		Exp:      exp,
		FixedExp: fixed,
	}
}

// readObject reads the body as a JSON object, or returns an error that says what it is instead.
func readObject(x *wire.Exchange) (*strictjson.Value, error) {
	body, err := parseBody(x)
	if err != nil && !strictjson.Recoverable(err) {
		return nil, err
	}
	if body.Kind != ags.Object {
		return nil, fmt.Errorf("the body is a JSON %s, not an object", body.Kind)
	}
	return body, nil
}

// parseBody is strictjson.Parse with better words for bodies that are not whole or no JSON at all.
func parseBody(x *wire.Exchange) (*strictjson.Value, error) {
	switch {
	case x.Err != nil:
		return nil, errors.New("the body is not whole: " + wire.Explain(x.Err))
	case x.Truncated && len(x.Body) == 0:
		return nil, errors.New("the compressed body does not end and holds nothing")
	case x.Truncated:
		return nil, fmt.Errorf("the body is longer than %d bytes", len(x.Body))
	case len(x.Body) == 0:
		return nil, errors.New("the body is empty")
	}
	body, err := strictjson.Parse(x.Body)
	if err != nil && !strictjson.Recoverable(err) {
		if strings.HasPrefix(strings.TrimSpace(string(x.Body[:min(len(x.Body), 64)])), "<") {
			return nil, errors.New("the body is a page of HTML or XML, not JSON")
		}
		if looksLikeUTF16(x.Body) {
			return nil, errors.New("the body is UTF-16, and JSON is UTF-8")
		}
		return nil, fmt.Errorf("the body is not JSON: %w", err)
	}
	return body, err
}

// looksLikeUTF16 tells by the byte order mark.
func looksLikeUTF16(body []byte) bool {
	return len(body) >= 2 && (body[0] == 0xff && body[1] == 0xfe || body[0] == 0xfe && body[1] == 0xff)
}
