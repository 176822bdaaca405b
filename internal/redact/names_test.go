package redact_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/internal/redact"
	"agstest/internal/wire"
)

// TestWhatGatewaysAdd is redacted by its name: ids and keys of sessions, cookies, and authorization codes, also in
// addresses. The number of an error is none.
func TestWhatGatewaysAdd(t *testing.T) {
	r := redact.New([]byte("a key of thirty-two bytes at most"))
	record := recordOf(r, &wire.Exchange{
		Call: wire.Call{Method: "POST", Path: "/ags/signOn"}, URL: "https://ags.example/ags/signOn", Status: 302,
		Header: http.Header{"Location": {"https://portal.example/back?state=x1&code=C4nary-code-in-location&error_code=20007"}, "X-Session-Id": {"C4nary-header-1234"}, "Set-Cookie": {"JSESSIONID=C4nary-cookie-1234; Path=/"}},
		Body:   []byte(`{"code":20007,"sessionId":"C4nary-session-1234","session_key":"C4nary-key-1234","authorizationCode":"C4nary-auth-1234","next":"/x;jsessionid=C4nary-path-1234","last":"/y?code=20007"}`),
	})
	text := record.ResponseBody
	for _, h := range record.ResponseHeader {
		text += "\n" + h[0] + ": " + h[1]
	}
	assert.NotContains(t, text, "C4nary")
	assert.Contains(t, text, `"code":20007`)
	assert.Contains(t, text, "?code=20007")
	assert.Contains(t, text, "error_code=20007")
}
