package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"agstest/ags"
	"agstest/internal/wire"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestScanTokensAgreesWithReadPair(t *testing.T) {
	for _, c := range []struct{ file, operation string }{
		{"signOnWithSessionToken-201", ags.SignOnWithSessionToken}, {"signOn-201", ags.SignOn}, {"refresh-200", ags.Refresh}, {"page-sample-201", ags.SignOn},
	} {
		x := recorded(t, c.file, c.operation).exchange()
		var tokens Tokens
		require.NoError(t, ScanTokens(x.Body, &tokens))
		agrees(t, x, &tokens)
	}
}

type failing interface {
	Errorf(format string, args ...any)
}

func agrees(t failing, x *wire.Exchange, tokens *Tokens) {
	p, err := ReadPair(x)
	if err != nil {
		t.Errorf("ReadPair: %v", err)
		return
	}
	assert.Equal(t, p.AccessToken, string(tokens.AccessToken))
	assert.Equal(t, p.RefreshToken, string(tokens.RefreshToken))
	if len(tokens.ClientID) > 0 {
		assert.Equal(t, p.ClientID, string(tokens.ClientID))
	}
	assert.Equal(t, p.AccountID, string(tokens.AccountID))
	assert.Equal(t, p.ExpiresIn, tokens.ExpiresIn)
	for _, c := range []struct {
		want Claims
		got  TokenClaims
	}{{p.Access, tokens.Access}, {p.Refresh, tokens.Refresh}} {
		assert.Equal(t, c.want.Type, string(c.got.Type))
		assert.Equal(t, c.want.Tenant, string(c.got.TenantID))
		assert.Equal(t, c.want.Account, string(c.got.AccountID))
		assert.Equal(t, c.want.Device, string(c.got.DeviceID))
		assert.Equal(t, c.want.JTI, string(c.got.JTI))
		assert.Equal(t, c.want.Exp, c.got.Exp)
		assert.Equal(t, c.want.FixedExp, c.got.FixedExp)
	}
}

// Whatever stands in the strings and however they are escaped, the scan reads what the tree reads; one Tokens serves
// all.
func TestScanTokensReadsAnyText(t *testing.T) {
	var tokens Tokens
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z"\\/{}\[\],:]{0,12}`))
		claims := func(typ string) map[string]any {
			return map[string]any{
				"typ": typ, "tenantId": text.Draw(t, "tenant"), "accountId": text.Draw(t, "account"), "deviceId": text.Draw(t, "device"),
				"jti": text.Draw(t, "jti"), "exp": rapid.Int64Range(1, 1<<33).Draw(t, "exp"), "fixed_exp": 7, "more": map[string]any{text.Draw(t, "name"): []any{1, "}", nil}},
			}
		}
		token := func(c map[string]any) string {
			b, _ := json.Marshal(c)
			return signed(`{"alg":"HS256"}`, string(b), nil)
		}
		body := map[string]any{
			"access_token": token(claims("DevAuthN")), "refresh_token": token(claims("RefreshAuthN")), "accountId": text.Draw(t, "id"),
			"expires_in": 3600, "zone": map[string]any{"access_token": text.Draw(t, "other")},
		}
		b, _ := json.MarshalIndent(body, "", strings.Repeat(" ", rapid.IntRange(0, 3).Draw(t, "indent")))
		if err := ScanTokens(b, &tokens); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		agrees(t, &wire.Exchange{Status: 200, Body: b}, &tokens)
	})
}

func TestScanTokensRefuses(t *testing.T) {
	good := signed(`{"alg":"HS256"}`, `{"typ":"DevAuthN"}`, nil)
	body := func(access, refresh string) string {
		return fmt.Sprintf(`{"access_token":%q,"refresh_token":%q}`, access, refresh)
	}
	for name, c := range map[string]struct{ body, want string }{
		"nothing":          {"", "the body is empty"},
		"page":             {"<html>", "the body is a page of HTML or XML, not JSON"},
		"byte order mark":  {"\xef\xbb\xbf{}", "a byte order mark stands before the JSON"},
		"UTF-16":           {"\xff\xfe{\x00}\x00", "the body is UTF-16, and JSON is UTF-8"},
		"array":            {"[]", "the body is not a JSON object"},
		"empty":            {"{}", "access_token is no non-empty string"},
		"cut":              {body(good, good)[:90], "the JSON breaks off or is malformed"},
		"trailing":         {body(good, good) + "x", "something stands after the end of the JSON"},
		"no refresh token": {body(good, ""), "refresh_token is no non-empty string"},
		"token an object":  {`{"access_token":{},"refresh_token":"x"}`, "access_token is no non-empty string"},
		"opaque":           {body("opaque", good), "access_token: it is not a compact JWS of three segments"},
		"opaque header":    {body(good, "eyJhbGciOiJIUzI1NiJ9"), "refresh_token: it is not a compact JWS of three segments"},
		"four segments":    {body(good+".x", good), "access_token: it is not a compact JWS of three segments"},
		"bad payload":      {body(good, "a.b+c.d"), "refresh_token: its payload is not a JSON object in base64url"},
		"payload no JSON":  {body(good, "a.AAAA.d"), "refresh_token: its payload is not a JSON object in base64url"},
		"twice":            {`{"access_token":"a","access_token":"b"}`, "a member is there twice"},
		"bare word":        {`{"access_token":nil}`, "the JSON breaks off or is malformed"},
		"missing comma":    {`{"a":1 "b":2}`, "the JSON breaks off or is malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.EqualError(t, ScanTokens([]byte(c.body), new(Tokens)), c.want)
		})
	}
}

func TestScanTokensSeesAResultCode(t *testing.T) {
	token := signed(`{"alg":"HS256"}`, `{"typ":"DevAuthN"}`, nil)
	for more, want := range map[string]bool{``: false, `,"resultCode":"0"`: true, `,"result\u0043ode":1`: true, `,"x":{"resultCode":1}`: false} {
		var tokens Tokens
		require.NoError(t, ScanTokens(fmt.Appendf(nil, `{"access_token":%q,"refresh_token":%q%s}`, token, token, more), &tokens))
		assert.Equal(t, want, tokens.ResultCode, more)
	}
}

// TestStringsEndWhereTheyEnd compares the way through eight bytes at a time with one byte after the other.
func TestStringsEndWhereTheyEnd(t *testing.T) {
	slowly := func(b []byte) int {
		for i := 1; i < len(b); i++ {
			switch {
			case b[i] == '"':
				return i + 1
			case b[i] == '\\':
				i++
			case b[i] < 0x20:
				return -1
			}
		}
		return -1
	}
	rapid.Check(t, func(t *rapid.T) {
		text := append([]byte{'"'}, rapid.SliceOfN(rapid.SampledFrom([]byte("aaaaaaaaz\"\\\x00\x1f\x20!#[]\x7f\x80\xa2\xdc\xff")), 0, 80).Draw(t, "text")...)
		end, plain := skipString(text, 0)
		require.Equal(t, slowly(text), end, "%q", text)
		require.Equal(t, end > 0 && !bytes.Contains(text[:end], []byte{'\\'}), plain, "%q", text)
	})
}

func FuzzScanTokens(f *testing.F) {
	data, _ := os.ReadFile("testdata/signOnWithSessionToken-201.http")
	f.Add(data[strings.Index(string(data), "{"):])
	f.Add([]byte(`{"access_token":"a.e30.c","refresh_token":"a.e30.c","x":[{"y":"\\"}]}`))
	f.Add([]byte(`{"a":"\u12"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var tokens Tokens
		_ = ScanTokens(body, &tokens)
	})
}

// The shape of an answer tells it from others without a look at its values.
func TestAnAnswerThatIsUnlikeOthersHasAnotherShape(t *testing.T) {
	access := `{"typ":"DevAuthN","deviceId":"TV_1","exp":1796131417,"parentalControl":null}`
	refresh := `{"typ":"RefreshAuthN","deviceId":"TV_1","exp":1796200000}`
	body := func(header, access, refresh, more string) []byte {
		return fmt.Appendf(nil, `{"access_token":%q,"refresh_token":%q,"client_id":"TV_1","expires_in":3600%s}`,
			signed(header, access, nil), signed(header, refresh, nil), more)
	}
	shape := func(body []byte) uint64 {
		var tokens Tokens
		assert.NoError(t, ScanTokens(body, &tokens))
		return tokens.Shape
	}
	const head = `{"alg":"HS256","kid":"1"}`
	usual := shape(body(head, access, refresh, ""))
	other := strings.NewReplacer("TV_1", "PHONE_22", "1796131417", "1796139999")
	assert.Equal(t, usual, shape(body(head, other.Replace(access), other.Replace(refresh), "")), "other values")
	for name, unlike := range map[string][]byte{
		"a member more":        body(head, access, refresh, `,"x":1`),
		"another header":       body(`{"alg":"none","kid":"1"}`, access, refresh, ""),
		"tokens changed round": body(head, refresh, access, ""),
		"one token twice":      body(head, access, access, ""),
		"a claim less":         body(head, strings.Replace(access, `,"parentalControl":null`, "", 1), refresh, ""),
		"a claim that is text": body(head, strings.Replace(access, "null", `"x"`, 1), refresh, ""),
		"exp in milliseconds":  body(head, strings.Replace(access, "1796131417", "1796131417000", 1), refresh, ""),
		"no signature": []byte(regexp.MustCompile(`\.[^.]*","refresh`).ReplaceAllString(
			string(body(head, access, refresh, "")), `.","refresh`)),
		"a number as text": []byte(strings.Replace(string(body(head, access, refresh, "")), "3600", `"3600"`, 1)),
		"zero":             []byte(strings.Replace(string(body(head, access, refresh, "")), "3600", "0", 1)),
		"below zero":       []byte(strings.Replace(string(body(head, access, refresh, "")), "3600", "-360", 1)),
		"an empty text":    []byte(strings.Replace(string(body(head, access, refresh, "")), `"TV_1"`, `""`, 1)),
	} {
		assert.NotEqual(t, usual, shape(unlike), name)
	}
}

func BenchmarkScanTokens(b *testing.B) {
	body := recorded(b, "signOnWithSessionToken-201", ags.SignOnWithSessionToken).raw
	var tokens Tokens
	b.ReportAllocs()
	for b.Loop() {
		if err := ScanTokens(body, &tokens); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	x := recorded(b, "signOnWithSessionToken-201", ags.SignOnWithSessionToken).exchange()
	b.ReportAllocs()
	for b.Loop() {
		Judge(x, who)
	}
}

// TestScanTokensLeavesAnOpaqueRefreshTokenInPeace: it does not name its client, and ScanTokens reports that.
func TestScanTokensLeavesAnOpaqueRefreshTokenInPeace(t *testing.T) {
	good := signed(`{"alg":"HS256"}`, `{"typ":"DevAuthN","deviceId":"TV_1"}`, nil)
	var tokens Tokens
	assert.NoError(t, ScanTokens([]byte(fmt.Sprintf(`{"access_token":%q,"refresh_token":"8c1d0b6fa7e94c55"}`, good)), &tokens))
	assert.True(t, tokens.Refresh.Opaque)
	assert.Equal(t, "TV_1", string(tokens.Access.DeviceID))
	assert.NoError(t, ScanTokens([]byte(fmt.Sprintf(`{"access_token":%q,"refresh_token":%q}`, good, good)), &tokens))
	assert.False(t, tokens.Refresh.Opaque)
}
