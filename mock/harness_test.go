package mock

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// start is when the clock of tests stands.
var start = time.Date(2030, 3, 4, 5, 6, 7, 0, time.UTC)

// client talks to a mock without a network.
type client struct {
	t    testing.TB
	mock *Server
	log  *answerLog // every answer, when not nil
}

// answerLog keeps answers, and stops with errDiffers at the first that is not the one before in right.
type answerLog struct {
	right, answers []string
}

var errDiffers = errors.New("an answer differs")

func newClient(t testing.TB, config Config) client {
	if config.Clock == nil {
		config.Clock = func() time.Time { return start }
	}
	if config.Seed == 0 {
		config.Seed = 7
	}
	return client{t, New(config), nil}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	text   string
	body   map[string]any
}

// header alternates names and values; an empty value leaves a usual header out.
func (c client) do(method, path, body string, header ...string) answer {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("nv-tenant-id", "nagra")
	r.Header.Set("x-auth-service-id", "Operator SSO")
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			r.Header.Del(header[i])
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	return c.send(c.mock, r)
}

func (c client) send(to http.Handler, r *http.Request) answer {
	w := httptest.NewRecorder()
	broken := ""
	if c.log != nil { // some faults never end, others break the connection
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Millisecond)
		defer cancel()
		r = r.WithContext(ctx)
	}
	func() {
		defer func() {
			if p := recover(); p != nil {
				require.Equal(c.t, http.ErrAbortHandler, p)
				broken = " and the connection broke"
			}
		}()
		to.ServeHTTP(w, r)
	}()
	a := answer{status: w.Code, header: w.Header(), text: w.Body.String()}
	_ = json.Unmarshal(w.Body.Bytes(), &a.body)
	if c.log != nil {
		n := len(c.log.answers)
		c.log.answers = append(c.log.answers, fmt.Sprintf("%s %s: %d%s %v %s", r.Method, r.URL, a.status, broken, a.header, a.text))
		if c.log.right != nil && (n >= len(c.log.right) || c.log.right[n] != c.log.answers[n]) {
			panic(errDiffers)
		}
	}
	return a
}

// must sends and wants a status.
func (c client) must(status int, method, path, body string, header ...string) answer {
	c.t.Helper()
	a := c.do(method, path, body, header...)
	require.Equal(c.t, status, a.status, a.text)
	return a
}

func (c client) control(method, path, body string) answer {
	r := httptest.NewRequest(method, path, bytes.NewReader([]byte(body)))
	r.Header.Set("Authorization", "Bearer "+c.mock.ControlToken())
	return c.send(c.mock.Control(), r)
}

// operatorToken makes an OperatorAuthToken with a library that the mock does not use.
func (c client) operatorToken(change func(*jwt.Token)) string {
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{"typ": "GetSessionTokenAuthN", "OpfAccountId": "1663", "OpfTenantId": "nagra",
		"aud": "ags", "exp": c.mock.Now().Add(5 * time.Minute).Unix()})
	token.Header["kid"] = c.mock.secret.operatorKeyID
	if change != nil {
		change(token)
	}
	signed, err := token.SignedString([]byte(c.mock.secret.operator))
	require.NoError(c.t, err)
	return signed
}

func parameters(pairs ...string) string {
	var list []string
	for i := 0; i+1 < len(pairs); i += 2 {
		list = append(list, fmt.Sprintf(`{"name":%q,"value":%q}`, pairs[i], pairs[i+1]))
	}
	return `"parameters":[` + strings.Join(list, ",") + `]`
}

// session mints a session token through the operator.
func (c client) session(account string) string {
	c.t.Helper()
	token := c.operatorToken(func(t *jwt.Token) { t.Claims.(jwt.MapClaims)["OpfAccountId"] = account })
	a := c.must(200, "POST", "/ags/getSessionToken", "{"+parameters("OperatorAuthToken", token)+"}")
	return a.body["sessionToken"].(string)
}

const firstTime = `"deviceInformation":{"device":{"screen":{"height":"1080","width":1920},"hardware":{"type":"Mobile"},"OS":{"type":"iOS"}},"playoutDeviceClass":"phone"}`

func nth(id string) string { return fmt.Sprintf(`"clientId":%q`, id) }

func (c client) signOn(account, device string, header ...string) answer {
	c.t.Helper()
	return c.do("POST", "/ags/signOnWithSessionToken", "{"+parameters("sessionToken", c.session(account))+","+device+"}", header...)
}

// signedOn signs the first device of an account on and wants success.
func (c client) signedOn(account, device string) answer {
	c.t.Helper()
	a := c.signOn(account, device)
	require.Equal(c.t, 201, a.status, a.text)
	return a
}

func (c client) refresh(from answer, header ...string) answer {
	c.t.Helper()
	return c.do("POST", "/ags/refresh", `{"parameters":[]}`, append([]string{"Authorization", "Bearer " + from.body["refresh_token"].(string)}, header...)...)
}

func (c client) signOut(from answer) answer {
	c.t.Helper()
	return c.do("POST", "/ags/signOut", `{"parameters":[]}`, "Authorization", "Bearer "+from.body["access_token"].(string))
}

func (a answer) code() any { return a.body["code"] }

// claims reads the payload of a token without looking at its signature.
func claims(t testing.TB, token any) map[string]any {
	t.Helper()
	parts := strings.Split(token.(string), ".")
	require.Len(t, parts, 3)
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var found map[string]any
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&found))
	return found
}

func number(t testing.TB, v any) int64 {
	t.Helper()
	switch n := v.(type) {
	case json.Number:
		i, err := n.Int64()
		require.NoError(t, err)
		return i
	case float64:
		return int64(n)
	}
	require.Failf(t, "not a number", "%v", v)
	return 0
}
