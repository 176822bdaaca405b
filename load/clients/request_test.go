package clients

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/internal/environment"
	"agstest/load/hit"
)

// TestOperatorTokenIsTheDocumentedOne holds a whole request against a token that OpenSSL has signed. Its header and its
// claims are
//
//	{"alg":"HS256","typ":"JWT","kid":"k-1"}
//	{"typ":"GetSessionTokenAuthN","OpfAccountId":"1663","OpfTenantId":"nagra","exp":1795458300,"aud":"ags"}
func TestOperatorTokenIsTheDocumentedOne(t *testing.T) {
	const want = `{"parameters":[{"name":"OperatorAuthToken","value":"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImstMSJ9.` +
		`eyJ0eXAiOiJHZXRTZXNzaW9uVG9rZW5BdXRoTiIsIk9wZkFjY291bnRJZCI6IjE2NjMiLCJPcGZUZW5hbnRJZCI6Im5hZ3JhIiwiZXhwIjoxNzk1NDU4MzAwLCJhdWQiOiJhZ3MifQ.` +
		`VOl8ZVYRXcDkfhSX2whS0gZWamTSeWLmqRTSlWhUzaU"}]}`
	for name, accounts := range map[string]struct{ ofClient, ofEnvironment string }{
		"the client's account":                        {"1663", "another"},
		"that of the file, where the client has none": {"", "1663"},
	} {
		e := &environment.Environment{Tenant: "nagra", Operator: &environment.Operator{
			Secret: "a secret of at least thirty-two bytes!", KeyID: "k-1", Account: accounts.ofEnvironment, Parameter: environment.DefaultOperatorParameter}}
		var request hit.Request
		newRequests(e, "SSO", 1).mint(&request, []byte(accounts.ofClient), time.Unix(1795458000, 0))
		assert.Equal(t, want, string(request.Body), name)
	}
}
