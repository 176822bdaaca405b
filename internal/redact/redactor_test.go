package redact_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/redact"
	"agstest/internal/wire"
)

// jwtOf makes a token of no service.
func jwtOf(claims string) string {
	e := base64.RawURLEncoding.EncodeToString
	return e([]byte(`{"kid":"481516","alg":"HS256","typ":"JWT"}`)) + "." + e([]byte(claims)) + "." + e([]byte("a signature of thirty-two bytes!"))
}

var (
	accessToken  = jwtOf(`{"typ":"DevAuthN","tenantId":"orange-tv","accountId":"2342","exp":1700001800,"fixed_exp":1701209600,"jti":"61203847561029384"}`)
	refreshToken = jwtOf(`{"typ":"RefreshAuthN","tenantId":"orange-tv","exp":1700086400,"jti":"61203847561029384"}`)
)

const testKey = "key of a test"

func testRedactor() *redact.Redactor { return redact.New([]byte(testKey)) }

// recordOf is where all that the redactor does comes together.
func recordOf(r *redact.Redactor, x *wire.Exchange) wire.Record { return x.Record(r) }

func TestTextRedactsByName(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":              {`the answer has status 403, expected 201; token_type is "bearer", expires_in 3600`, `the answer has status 403, expected 201; token_type is "bearer", expires_in 3600`},
		"discovery":            {`{"name":"password","mandatory":true,"isPassword":true}`, `{"name":"password","mandatory":true,"isPassword":true}`},
		"member":               {`{"sessionToken":"abc3fj6s","accountId":"1663"}`, `{"sessionToken":"«session token 1»","accountId":"1663"}`},
		"spaces":               {"{ \"password\" :\n \"hunter2\" }", "{ \"password\" :\n \"«password 1»\" }"},
		"other case":           {`{"Access-Token":"abc"}`, `{"Access-Token":"«access token 1»"}`},
		"number":               {`{"pin":1234,"code":20002}`, `{"pin":«password 1»,"code":20002}`},
		"object":               {`{"userAccountToken":{"v":["a",{"w":"b"}]},"x":"c"}`, `{"userAccountToken":{"v":["«user account token 1»",{"w":"«user account token 2»"}]},"x":"c"}`},
		"parameter":            {`{"parameters":[{"name":"sessionToken","value":"abc"},{"name":"username","value":"dave"}]}`, `{"parameters":[{"name":"sessionToken","value":"«session token 1»"},{"name":"username","value":"dave"}]}`},
		"value before name":    {`[{"value":"abc","name":"OperatorAuthToken"}]`, `[{"value":"«operator token 1»","name":"OperatorAuthToken"}]`},
		"cut in the value":     {`{"refresh_token":"abcdef`, `{"refresh_token":"«refresh token 1»`},
		"cut parameter":        {`{"parameters":[{"name":"password","value":"abc`, `{"parameters":[{"name":"password","value":"«password 1»`},
		"broken":               {`{"a":'x',"secret":"abc",}`, `{"a":'x',"secret":"«secret 1»",}`},
		"JSON in a string":     {`{"accountInformation":"{\"token\":\"abc\",\"a\":1}"}`, `{"accountInformation":"{\"token\":\"«token 1»\",\"a\":1}"}`},
		"query":                {`https://api.example.com/x?access_token=abc&lang=de`, `https://api.example.com/x?access_token=«access token 1»&lang=de`},
		"escaped query":        {`next=%2Fx%3Ftoken%3Dabc%26lang%3Dde`, `next=%2Fx%3Ftoken%3D«token 1»%26lang%3Dde`},
		"form":                 {`username=dave&password=a%20b`, `username=dave&password=«password 1»`},
		"header line":          {"Authorization: Bearer abcdefgh12\nAccept: */*", "Authorization: Bearer «credentials 1»\nAccept: */*"},
		"header line, raw":     {"user-token: abcdefgh12", "user-token: «user account token 1»"},
		"scheme in a sentence": {"sent Bearer abcdefgh12 to it", "sent Bearer «credentials 1» to it"},
		"scheme as a word":     {"Bearer authentication is used", "Bearer authentication is used"},
		"address of a proxy":   {"http://user:word@proxy.example.com:3128", "http://«credentials 1»@proxy.example.com:3128"},
		"a token alone":        {"cannot use " + accessToken + ".", "cannot use «access token 1»."},
		"a token cut":          {"cannot use " + accessToken[:60], "cannot use «token 1»"},
		"a payload":            {"claims " + strings.Split(accessToken, ".")[1], "claims «token 1»"},
		"a token in base64":    {base64.StdEncoding.EncodeToString([]byte(accessToken)), "«token 1»"},
		"a path":               {"/ags/register/tvkey/eyJob", "/ags/register/tvkey/eyJob"},
		"a token in a path":    {"/x/" + accessToken + "/y", "/x/«access token 1»"},
	} {
		t.Run(name, func(t *testing.T) {
			r := testRedactor()
			once := r.Text(c.text)
			assert.Equal(t, c.want, numbered(once))
			assert.Equal(t, once, r.Text(once), "redacting twice changes nothing")
		})
	}
}

// numbered replaces the hashes of marks by their number.
func numbered(text string) string {
	seen := map[string]int{}
	return regexp.MustCompile(`«([a-z ]+) ([0-9a-f]{6})`).ReplaceAllStringFunc(text, func(mark string) string {
		i := strings.LastIndexByte(mark, ' ')
		if seen[mark[i:]] == 0 {
			seen[mark[i:]] = len(seen) + 1
		}
		return fmt.Sprintf("%s %d", mark[:i], seen[mark[i:]])
	})
}

// encodings are the ways in which a secret can come back.
func encodings(secret string) map[string]string {
	quoted, _ := json.Marshal(secret)
	unicode := ""
	percent := ""
	for _, r := range secret {
		unicode += fmt.Sprintf(`\u%04x`, r)
	}
	for i := 0; i < len(secret); i++ {
		percent += fmt.Sprintf(`%%%02x`, secret[i])
	}
	twice, _ := json.Marshal(string(quoted))
	e := map[string]string{
		"plain": secret, "JSON": string(quoted[1 : len(quoted)-1]), "JSON in JSON": strings.Trim(string(twice), `"`), "JSON, all escaped": unicode,
		"query": url.QueryEscape(secret), "path": url.PathEscape(secret), "URL, all escaped": percent, "HTML": html.EscapeString(secret),
		"base64": base64.StdEncoding.EncodeToString([]byte(secret)), "base64url": base64.RawURLEncoding.EncodeToString([]byte(secret)),
	}
	for i := 1; i < 3; i++ {
		inside := strings.Repeat("x", i) + secret + "yz"
		e[fmt.Sprintf("base64 at %d", i)] = base64.StdEncoding.EncodeToString([]byte(inside))
		e[fmt.Sprintf("base64url at %d", i)] = base64.URLEncoding.EncodeToString([]byte(inside))
	}
	e["query in a query"] = url.QueryEscape(url.QueryEscape(secret))
	e["base64 in a URL"] = url.QueryEscape(e["base64 at 1"])
	return e
}

func TestTextRedactsByValueInEveryEncoding(t *testing.T) {
	for name, secret := range map[string]string{
		"letters": "correct-horse-battery", "signs": `p"a\ss/w+ö=r&d?<'>`, "short": "ab1!", "blanks": "two words here", "token": accessToken, "binary": "\x00\x01\xfe\xffab",
	} {
		r := testRedactor()
		r.Add(secret)
		for encoding, text := range encodings(secret) {
			if name == "binary" && strings.HasPrefix(encoding, "JSON") || name == "binary" && encoding == "HTML" {
				continue // bytes that are no text have no such form
			}
			t.Run(name+" "+encoding, func(t *testing.T) {
				require.True(t, redact.Mentions("before "+text+" after", secret), text)
				got := r.Text("before " + text + " after")
				assert.NotContains(t, got, text)
				assert.Regexp(t, `^before .*«[a-z ]+ [0-9a-f]{6}».* after$`, got)
				assert.False(t, redact.Mentions(got, secret), got)
			})
		}
	}
	assert.False(t, redact.Mentions("a pin", "pin"), "too short to search for")
	assert.False(t, redact.Mentions("nothing here", "correct-horse-battery"))
}

func TestMarksShowWhereASecretComesBack(t *testing.T) {
	r := testRedactor()
	r.Add(refreshToken)
	a := r.Text(`{"refresh_token":"` + refreshToken + `"}`)
	b := r.Text("Authorization: Bearer " + refreshToken)
	other := r.Text("Authorization: Bearer " + accessToken)
	mark := regexp.MustCompile(`«.*?»`)
	assert.Equal(t, mark.FindString(a), mark.FindString(b))
	assert.NotEqual(t, mark.FindString(b), mark.FindString(other))
	assert.NotEqual(t, (&redact.Redactor{}).Text(refreshToken), (&redact.Redactor{}).Text(refreshToken), "another run has another key")
}

func TestRecord(t *testing.T) {
	r := testRedactor()
	r.Add("operator-secret")
	sent := time.Unix(1700000000, 0)
	record := recordOf(r, &wire.Exchange{
		Call: wire.Call{Operation: "refresh", Method: "POST", Path: "/ags/refresh?lang=de", Header: http.Header{
			"Authorization": {"Bearer " + refreshToken}, "x-auth-service-id": {"Operator SSO"}, "nv-tenant-id": {"orange-tv"}, "Cookie": {"SID=abc; lang=de"},
		}, Body: []byte(`{"parameters":[{"name":"password","value":"it's"}]}`)},
		URL: "https://api.example.com/ags/refresh?lang=de", Status: 200,
		Header: http.Header{"Content-Type": {"application/json"}, "Set-Cookie": {"SID=abc; Path=/; HttpOnly"}, "X-Echo": {"operator-secret"}},
		Body:   []byte(`{"access_token":"` + accessToken + `","token_type":"bearer"}`),
		Sent:   sent, Received: sent.Add(1500 * time.Microsecond),
	})
	hash := func(s string) string {
		mac := hmac.New(sha256.New, []byte(testKey))
		mac.Write([]byte(s))
		return hex.EncodeToString(mac.Sum(nil))[:6]
	}
	assert.Equal(t, wire.Record{
		Operation: "refresh", Method: "POST", URL: "https://api.example.com/ags/refresh?lang=de",
		RequestHeader: [][2]string{
			{"Authorization", "Bearer «refresh token " + hash(refreshToken) + "»"},
			{"Cookie", "SID=«cookie " + hash("abc") + "»; lang=«cookie " + hash("de") + "»"},
			{"nv-tenant-id", "orange-tv"}, {"x-auth-service-id", "Operator SSO"},
		},
		RequestBody: `{"parameters":[{"name":"password","value":"«password ` + hash("it's") + `»"}]}`,
		Status:      200,
		ResponseHeader: [][2]string{
			{"Content-Type", "application/json"}, {"Set-Cookie", "SID=«cookie " + hash("abc") + "»; Path=/; HttpOnly"},
			{"X-Echo", "«secret " + hash("operator-secret") + "»"},
		},
		ResponseBody: `{"access_token":"«access token ` + hash(accessToken) +
			`: alg HS256, kid 481516, typ DevAuthN, tenantId orange-tv, exp 1700001800 (2023-11-14T22:43:20Z), fixed_exp 1701209600 (2023-11-28T22:13:20Z), and accountId, jti»","token_type":"bearer"}`,
		Nanoseconds: 1500000,
		Curl: `curl -sS -i --path-as-is -X POST 'https://api.example.com/ags/refresh?lang=de' -H 'Authorization: Bearer '"$REFRESH_TOKEN"` +
			` -H 'Cookie: SID='"$COOKIE"'; lang='"$COOKIE_2" -H 'nv-tenant-id: orange-tv' -H 'x-auth-service-id: Operator SSO'` +
			` -H 'Content-Type:' --data-binary '{"parameters":[{"name":"password","value":"'"$PASSWORD"'"}]}'`,
	}, record)
}

func TestRecordCutsBodies(t *testing.T) {
	r := testRedactor()
	record := recordOf(r, &wire.Exchange{Status: 200, Body: []byte(strings.Repeat("ä", 20000)), Truncated: true})
	assert.Less(t, len(record.ResponseBody), 17<<10)
	assert.Contains(t, record.ResponseBody, "[cut here: 40000 bytes in all]\n[the answer is longer than 40000 bytes; the rest was not read]")

	secret := "a-secret-of-some-length-0123456789"
	for at := 16<<10 - 40; at < 16<<10+2; at++ { // no half secret at the cut
		r := testRedactor()
		r.Add(secret)
		record := recordOf(r, &wire.Exchange{Status: 200, Body: []byte(strings.Repeat("x", at) + secret + strings.Repeat("y", 100))})
		assert.NotContains(t, record.ResponseBody, secret[:8])
	}
	assert.Equal(t, "\uFFFDa", recordOf(r, &wire.Exchange{Status: 200, Body: []byte("\xff\xfea")}).ResponseBody)
}

// Secrets planted in every place of an exchange, in every encoding, are in no part of its record.
func TestRecordHoldsNoSecret(t *testing.T) {
	var secrets []string
	n := 0
	secret := func() string {
		n++
		s := fmt.Sprintf("S3cr/et+%04d\"ö value", n)
		secrets = append(secrets, s)
		return s
	}
	for encoding := range encodings("x") {
		put := func(s string) string { return encodings(s)[encoding] }
		clean := func(s string) string {
			return strings.Map(func(r rune) rune { return map[bool]rune{true: r, false: -1}[r >= ' ' && r != 0x7f] }, s)
		}
		r := &redact.Redactor{}
		secrets = nil
		x := &wire.Exchange{
			Call: wire.Call{Operation: "signOn", Method: "POST", Path: "/ags/signOn?q=" + url.QueryEscape(put(secret())), Header: http.Header{
				"X-Any": {clean(put(secret()))}, "Authorization": {"Custom " + clean(put(secret()))},
			}, Body: []byte(`{"free":"` + put(secret()) + `","parameters":[{"name":"x","value":"` + put(secret()) + `"}]}`)},
			Status: 403, Header: http.Header{"Location": {"https://example.com/?x=" + put(secret())}, "Set-Cookie": {"a=" + put(secret())}, put(secret()): {"v"}},
			Body: []byte("<p>" + put(secret()) + "</p>" + jwtOf(`{"typ":"DevAuthN","kid":"`+put(secret())+`","tenantId":"`+secret()+`"}`)),
			Err:  errors.New("strange: " + put(secret())),
		}
		x.URL = "https://api.example.com" + x.Call.Path
		r.Add(secrets...)
		text, err := json.Marshal(recordOf(r, x))
		require.NoError(t, err)
		for i, s := range secrets {
			assert.False(t, redact.Mentions(string(text), s), "%s: secret %d of %d is in %s", encoding, i, len(secrets), text)
			for e, form := range encodings(s) {
				assert.NotContains(t, string(text), form, "%s as %s", encoding, e)
			}
		}
	}
}

// A token of one exchange is known when another repeats it.
func TestRedactorLearnsFromExchanges(t *testing.T) {
	r := testRedactor()
	recordOf(r, &wire.Exchange{Status: 200, Body: []byte(`{"sessionToken":"s7v1q9k3x5m2","note":"hello"}`)})
	recordOf(r, &wire.Exchange{Call: wire.Call{Header: http.Header{"user-token": {"uat-51c0ffee01"}}, Body: []byte(`{"parameters":[{"name":"password","value":"password"}]}`)}})
	assert.Regexp(t, `^no such «session token [0-9a-f]{6}»$`, r.Text("no such s7v1q9k3x5m2"))
	assert.Regexp(t, `^no such «user account token [0-9a-f]{6}»$`, r.Text("no such uat-51c0ffee01"))
	assert.Equal(t, "hello password", r.Text("hello password"), "a word is not learnt")

	basic := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("dave:pass-word-99"))}}
	record := recordOf(r, &wire.Exchange{Call: wire.Call{Header: basic}})
	assert.Regexp(t, `^Basic «credentials [0-9a-f]{6}»$`, record.RequestHeader[0][1])
	assert.Regexp(t, `^not «password [0-9a-f]{6}»$`, r.Text("not pass-word-99"))
}

// The line does in a shell what the exchange did.
func TestCurlReproducesTheRequest(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("there is no shell")
	}
	for name, c := range map[string]struct {
		call wire.Call
		env  []string
		want []string // arguments of curl
		body string   // on standard input
	}{
		"secrets": {wire.Call{Method: "POST", Path: "/ags/signOn", Header: http.Header{"Authorization": {"Bearer " + refreshToken}, "X-Empty": {""}, "Content-Type": {"application/json"}},
			Body: []byte(`{"parameters":[{"name":"password","value":"p1'$x"}],"say":"it's $HOME ` + "`id`" + `"}`)},
			[]string{"REFRESH_TOKEN=" + refreshToken, "PASSWORD=p1'$x"},
			[]string{"-sS", "-i", "--path-as-is", "-X", "POST", "https://api.example.com/ags/signOn", "-H", "Authorization: Bearer " + refreshToken, "-H", "Content-Type: application/json",
				"-H", "X-Empty;", "--data-binary", `{"parameters":[{"name":"password","value":"p1'$x"}],"say":"it's $HOME ` + "`id`" + `"}`}, ""},
		"bytes": {wire.Call{Method: "POST", Path: "/ags/signOn?a=b;c&d=*", Body: []byte("{\"a%s\\n\x00\xff'\":1,\"token\":\"abc\"}")},
			[]string{"TOKEN=abc"},
			[]string{"-sS", "-i", "--path-as-is", "-X", "POST", "https://api.example.com/ags/signOn?a=b;c&d=*", "-H", "Content-Type:", "--data-binary", "@-"},
			"{\"a%s\\n\x00\xff'\":1,\"token\":\"abc\"}"},
		"proxy": {wire.Call{Method: "GET", Path: "/ags/servicediscovery", Proxy: &url.URL{Scheme: "http", Host: "proxy:3128", User: url.UserPassword("u", "pw123")}},
			[]string{"CREDENTIALS=u:pw123"},
			[]string{"-sS", "-i", "--path-as-is", "-X", "GET", "https://api.example.com/ags/servicediscovery", "-x", "http://u:pw123@proxy:3128"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			line := recordOf(testRedactor(), &wire.Exchange{Call: c.call, URL: "https://api.example.com" + c.call.Path}).Curl
			for _, e := range c.env {
				_, value, _ := strings.Cut(e, "=")
				assert.NotContains(t, line, value)
			}
			command := exec.Command(shell, "-c", `curl() { printf '%s\036' "$@"; case "$*" in *@-*) cat;; esac; }`+"\n"+line)
			command.Env = c.env
			out, err := command.Output()
			require.NoError(t, err, line)
			fields := strings.Split(string(out), "\036")
			assert.Equal(t, c.want, fields[:len(fields)-1], line)
			assert.Equal(t, c.body, fields[len(fields)-1], line)
		})
	}
}

func TestRedactorServesManyGoroutines(t *testing.T) {
	r := &redact.Redactor{}
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 100 {
				s := fmt.Sprintf("secret-%d-%d", g, i)
				r.Add(s)
				text := r.Text("a " + s + " b")
				if strings.Contains(text, s) || text != r.Text("a "+s+" b") {
					t.Errorf("%q", text)
				}
			}
		})
	}
	group.Wait()
}

// However an answer is made, redacting it takes a bounded time.
func TestRecordIsQuickOnHostileBodies(t *testing.T) {
	for _, piece := range []string{`"`, `\\`, `\"`, "=", "token=", "token=&", `"token":"a",`, `{"a":`, `{"token":[`, "«token 123456»", "«token 123456»token=a&", "%41", "&amp;", "Bearer a1b2c3d4 ",
		"Cookie: abcdefgh ", "://a:b@", "eyJ", "eyJhbGciOiJI.", "secret-0", `\u0041`, `"{\"a\":\"`} {
		r := testRedactor()
		r.Add("secret-0", "ccccc", "=====", `\\\\`)
		started := time.Now()
		recordOf(r, &wire.Exchange{Status: 200, Body: []byte(strings.Repeat(piece, 1<<15/len(piece)))})
		assert.Less(t, time.Since(started), 10*time.Second, piece)
		if d := time.Since(started); d > time.Second {
			t.Logf("%q took %s", piece, d)
		}
	}
}

func FuzzRedactorText(f *testing.F) {
	f.Add(`{"sessionToken":"abc","parameters":[{"name":"password","value":"x"}]}`, "seed-Secret-42")
	f.Add("Authorization: Bearer eyJhbGciOiJub25lIn0.eyJ0eXAiOiJEZXZBdXRoTiJ9.", `q"u\o`)
	f.Add(`a%22b\u0041&#65;&amp;=token=%`, "%41\\u0041&lt;")
	f.Add(`{"a":{"token":[1,{"b":"«token 123456»"`, "«token")
	f.Fuzz(func(t *testing.T, text, secret string) {
		r := testRedactor()
		r.Add(secret)
		for _, s := range []string{text, text + secret, secret + text + secret, `"` + secret + `":"` + text} {
			got := r.Text(s)
			for _, shown := range regexp.MustCompile(`«[a-z ]{1,30} [0-9a-f]{6}(: [^«»]*)?»`).Split(got, -1) {
				if len(secret) >= redact.MinSecret && strings.Contains(shown, secret) {
					t.Fatalf("%q is in %q", secret, got)
				}
			}
		}
		recordOf(r, &wire.Exchange{URL: text, Status: 200, Body: []byte(text), Call: wire.Call{Method: "POST", Body: []byte(secret), Header: http.Header{"Cookie": {text}, text: {secret}}}})
	})
}

func BenchmarkRecord(b *testing.B) {
	r := testRedactor()
	for i := range 1000 {
		r.Add(fmt.Sprintf("%s%04d", strings.TrimSuffix(accessToken, "!"), i))
	}
	x := &wire.Exchange{Call: wire.Call{Method: "POST", Header: http.Header{"Authorization": {"Bearer " + refreshToken}}, Body: []byte(`{"parameters":[{"name":"sessionToken","value":"abc3fj6s"}]}`)},
		Status: 200, Body: []byte(`{"access_token":"` + accessToken + `","refresh_token":"` + refreshToken + `"}`)}
	b.ReportAllocs()
	for b.Loop() {
		recordOf(r, x)
	}
}
