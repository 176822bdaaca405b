package mock

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// FuzzCalls sends anything to every call: no panic, no 5xx, no tokens and no secrets in refusals.
func FuzzCalls(f *testing.F) {
	c := newClient(f, Config{})
	paths := []string{"/ags/register/tvkey", "/ags/register/", "/ags/register/%2f", "/ags", "/"}
	for path := range routes {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for i := range paths {
		f.Add(uint8(i), true, `{"parameters":[{"name":"sessionToken","value":"x"}],"clientId":"PUB_989"}`, "Bearer a.b.c", "Operator SSO", "application/json")
		f.Add(uint8(i), true, `{"parameters":[{"name":"username","value":"dave"},{"name":"password","value":"x"}],"deviceInformation":{"device":{}}}`, "a.b.c", "", "text/plain")
	}
	f.Add(uint8(3), true, `{"parameters":[],"deviceInformation":{"playoutDeviceClass":1e308,"device":[null]}}`, "..", "\x00", "application/json; charset=latin1")
	f.Add(uint8(3), false, strings.Repeat("[", 100), "Bearer eyJhbGciOiJub25lIn0.e30.", "Operator SSO", "application/json")
	secrets := c.mock.Secrets()
	f.Fuzz(func(t *testing.T, path uint8, post bool, body, authorization, service, contentType string) {
		r := httptest.NewRequest("POST", paths[int(path)%len(paths)], strings.NewReader(body))
		found := routes[r.URL.Path]
		if !post {
			r.Method = http.MethodGet
		} else if found.method != "" {
			r.Method = found.method
		}
		for name, value := range map[string]string{"Authorization": authorization, "X-Auth-Service-Id": service, "Content-Type": contentType, "User-Token": authorization,
			"X-Forwarded-For": service, "Nv-Tenant-Id": "nagra"} {
			r.Header[name] = []string{value}
		}
		a := c.send(c.mock, r)
		assert.Less(t, a.status, 500)
		if a.status >= 300 {
			assert.NotContains(t, a.text, "access_token")
			for _, secret := range secrets {
				assert.NotContains(t, a.text, secret)
			}
		}
	})
}

// FuzzTokens verifies anything: no panic, and nothing passes that the mock has not signed.
func FuzzTokens(f *testing.F) {
	s := newSigner("HS256", "1", []byte("a key of at least thirty-two bytes"))
	f.Add(rfcToken)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	f.Fuzz(func(t *testing.T, compact string) {
		var claims tokenClaims
		assert.Error(t, s.verify(compact, &claims, overlookNothing))
	})
}
