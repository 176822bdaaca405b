package check

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"agstest/ags"
	"agstest/internal/wire"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// issued is when the tokens of the answers in testdata were minted; those of refresh came 20 minutes later.
var issued = time.Unix(1700000000, 0)

// answer is a recorded answer, open for one change. Nothing in testdata was made by a program of this module.
type answer struct {
	operation string
	status    int
	header    http.Header
	raw       []byte         // the body, as long as it was not opened
	body      map[string]any // numbers are json.Number
	access    *jwt
	refresh   *jwt
	request   wire.Call
	attempts  []wire.Attempt
	err       error
	truncated bool
	sent      time.Time
	took      time.Duration
}

type jwt struct {
	header, claims map[string]any
	compact        string // overrides the rest
	signature      []byte // overrides the signature
}

func recorded(t testing.TB, file, operation string) *answer {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file + ".http")
	require.NoError(t, err)
	r, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	o, ok := ags.OperationByName(operation)
	require.True(t, ok)
	sent := issued
	if operation == ags.Refresh {
		sent = issued.Add(20 * time.Minute)
	}
	return &answer{
		operation: operation, status: r.StatusCode, header: r.Header, raw: body, sent: sent, took: 50 * time.Millisecond,
		request: wire.Call{Operation: operation, Method: o.Method, Path: o.Path, Header: http.Header{"Content-Type": {"application/json"}}},
	}
}

// open makes the members of the body and the claims of its tokens changeable.
func (a *answer) open(t testing.TB) *answer {
	d := json.NewDecoder(bytes.NewReader(a.raw))
	d.UseNumber()
	require.NoError(t, d.Decode(&a.body))
	a.access, a.refresh = openJWT(t, a.body["access_token"]), openJWT(t, a.body["refresh_token"])
	a.raw = nil
	return a
}

func openJWT(t testing.TB, member any) *jwt {
	compact, ok := member.(string)
	if !ok {
		return nil
	}
	parts := strings.Split(compact, ".")
	j := &jwt{}
	for i, into := range []*map[string]any{&j.header, &j.claims} {
		text, err := base64.RawURLEncoding.DecodeString(parts[i])
		require.NoError(t, err)
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		require.NoError(t, d.Decode(into))
	}
	return j
}

// sign is this test's own JWS code.
func (j *jwt) sign() string {
	if j.compact != "" {
		return j.compact
	}
	header, _ := json.Marshal(j.header)
	claims, _ := json.Marshal(j.claims)
	return signed(string(header), string(claims), j.signature)
}

func signed(header, claims string, signature []byte) string {
	input := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	if signature == nil {
		mac := hmac.New(sha256.New, []byte("a key of this test"))
		mac.Write([]byte(input))
		signature = mac.Sum(nil)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (a *answer) exchange() *wire.Exchange {
	body := a.raw
	if body == nil {
		for name, j := range map[string]*jwt{"access_token": a.access, "refresh_token": a.refresh} {
			if j != nil {
				if _, there := a.body[name]; there {
					a.body[name] = j.sign()
				}
			}
		}
		body, _ = json.Marshal(a.body)
	}
	return &wire.Exchange{
		Call: a.request, URL: "https://api.example.com" + a.request.Path, Status: a.status, Proto: "HTTP/1.1", Header: a.header, Body: body,
		Truncated: a.truncated, Sent: a.sent, Received: a.sent.Add(a.took), Attempts: a.attempts, Err: a.err,
	}
}

// outcomes lists the findings of an outcome other than Held as "id outcome".
func outcomes(findings []Finding) (misses, held, observed []string) {
	for _, f := range findings {
		switch f.Outcome {
		case Broken:
			misses = append(misses, f.Requirement)
		case Soft:
			misses = append(misses, f.Requirement+" soft")
		case Unknown:
			misses = append(misses, f.Requirement+" unknown")
		case Held:
			held = append(held, f.Requirement)
		case Observed:
			observed = append(observed, f.Requirement)
		}
	}
	return misses, held, observed
}

func TestSubCode(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       int
		ok         bool
	}{
		{"number in code", `{"code":20002}`, 20002, true},
		{"numeric string in code", `{"code":"20002"}`, 20002, true},
		{"number with fraction zero", `{"code":20002.0}`, 20002, true},
		{"errorCode", `{"errorCode":20004}`, 20004, true},
		{"nested", `{"error":{"code":20007}}`, 20007, true},
		{"digits of resultCode", `{"resultCode":"AGS-20018"}`, 20018, true},
		{"resultCode that is a number", `{"resultCode":"20019"}`, 20019, true},
		{"code wins", `{"code":20001,"errorCode":20004}`, 20001, true},
		{"the status repeated in code gives way", `{"code":403,"errorCode":20004}`, 20004, true},
		{"code alone, outside the range", `{"code":17}`, 17, true},
		{"a string that is no number", `{"code":"SUSPENDED"}`, 0, false},
		{"negative", `{"code":-20002}`, 0, false},
		{"fraction", `{"code":20002.5}`, 0, false},
		{"the gateway's refusal is no sub-code", `{"resultCode":"99999:403"}`, 0, false},
		{"the first of errors", `{"errors":[{"code":20004},{"code":20002}]}`, 20004, true},
		{"errorCode of the first of errors", `{"errors":[{"errorCode":"20003"}]}`, 20003, true},
		{"no errors in the list", `{"errors":[]}`, 0, false},
		{"errors that are an object", `{"errors":{"code":20002}}`, 0, false},
		{"behind a prefix", `{"code":"AGS-20002"}`, 20002, true},
		{"behind a prefix, in the first of errors", `{"errors":[{"code":"ERR_20007"}]}`, 20007, true},
		{"another number behind a prefix", `{"code":"AGS-403"}`, 0, false},
		{"before a code of other sort", `{"code":"E17","errorCode":20004}`, 20004, true},
		{"other case", `{"Code":20002}`, 0, false},
		{"empty body", ``, 0, false},
		{"HTML", `<html>20002</html>`, 0, false},
		{"array", `[20002]`, 0, false},
		{"trailing text", `{"code":20002} `, 20002, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, ok := SubCode(&wire.Exchange{Status: 403, Body: []byte(c.body)})
			assert.Equal(t, c.want, code)
			assert.Equal(t, c.ok, ok)
		})
	}
}

func TestAccounts(t *testing.T) {
	each, err := Accounts(recorded(t, "signOn-300", ags.SignOn).exchange())
	require.NoError(t, err)
	assert.Equal(t, []Account{
		{`{"apellido":"Roca","cuenta":"2342","telefono":null}`, "uat-51c0ffee01"},
		{`{"apellido":"Roca","cuenta":"2343","telefono":null}`, "uat-51c0ffee02"},
	}, each)

	shared, err := Accounts(&wire.Exchange{Status: 300, Body: []byte(`{"userAccountToken":"all","accounts":[{"accountInformation":"{}"},{"userAccountToken":"own"}]}`)})
	require.NoError(t, err)
	assert.Equal(t, []Account{{"{}", "all"}, {"", "own"}}, shared)

	_, err = Accounts(&wire.Exchange{Status: 300, Body: []byte(`{"accounts":{}}`)})
	assert.EqualError(t, err, "accounts is object; it must be an array")
	_, err = Accounts(&wire.Exchange{Status: 300, Body: []byte(`<html>`)})
	assert.EqualError(t, err, "the body is a page of HTML or XML, not JSON")
}

func TestReadSessionToken(t *testing.T) {
	token, err := ReadSessionToken(recorded(t, "getSessionToken-200", ags.GetSessionToken).exchange())
	require.NoError(t, err)
	assert.Equal(t, "s7v1q9k3x5m2", token)
	_, err = ReadSessionToken(&wire.Exchange{Status: 200, Body: []byte(`{"sessionToken":7}`)})
	assert.EqualError(t, err, "sessionToken is integer; it must be a non-empty string")
	_, err = ReadSessionToken(&wire.Exchange{Status: 200})
	assert.EqualError(t, err, "the body is empty")
	_, err = ReadSessionToken(&wire.Exchange{Status: 200, Truncated: true})
	assert.EqualError(t, err, "the compressed body does not end and holds nothing")
	for _, mark := range []string{"\xff\xfe{\x00", "\xfe\xff\x00{"} {
		_, err = ReadSessionToken(&wire.Exchange{Status: 200, Body: []byte(mark)})
		assert.EqualError(t, err, "the body is UTF-16, and JSON is UTF-8")
	}
}

func TestReadPair(t *testing.T) {
	x := recorded(t, "signOnWithSessionToken-201", ags.SignOnWithSessionToken).exchange()
	p, err := ReadPair(x)
	require.NoError(t, err)
	assert.Equal(t, "TV_17", p.ClientID)
	assert.Equal(t, "2342", p.AccountID)
	assert.EqualValues(t, []int64{1800, 86400, 1209600}, []int64{p.ExpiresIn, p.RefreshExpiresIn, p.FixedRefreshExpiresIn})
	assert.True(t, p.Issued.Equal(issued), p.Issued)
	assert.Equal(t, Claims{
		Type: "DevAuthN", Tenant: "orange-tv", Account: "2342", User: "u-2342", Device: "TV_17", JTI: "6120384756102938475",
		Exp: 1700001800, FixedExp: 1701209600,
	}, p.Access)
	assert.Equal(t, "RefreshAuthN", p.Refresh.Type)
	assert.EqualValues(t, 1700086400, p.Refresh.Exp)

	for name, c := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"refused":         {403, `{"access_token":"a","refresh_token":"b"}`, "the answer has status 403 and so no tokens"},
		"legacy refusal":  {200, `{"resultCode":"99999:403"}`, `the answer has status 200, but its resultCode "99999:403" says that the token was refused`},
		"object as token": {201, `{"access_token":{},"refresh_token":"b"}`, "access_token is object; it must be a non-empty string"},
		"no refresh":      {201, `{"access_token":"a"}`, "refresh_token is absent; it must be a non-empty string"},
		"array":           {201, `[]`, "the body is a JSON array, not an object"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadPair(&wire.Exchange{Status: c.status, Body: []byte(c.body)})
			assert.EqualError(t, err, c.want)
		})
	}

	opaque, err := ReadPair(&wire.Exchange{Status: 201, Body: []byte(`{"access_token":"a","refresh_token":"b","client_id":"c"}`)})
	require.NoError(t, err, "what cannot be read stays zero")
	assert.Equal(t, &Pair{AccessToken: "a", RefreshToken: "b", ClientID: "c"}, opaque)
}
