package steps

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/ags"
)

// TestBrokenBodiesAreOneKind, whatever is broken about them: a service that never answers them is waited for twice and no more.
func TestBrokenBodiesAreOneKind(t *testing.T) {
	for _, body := range []string{`{"parameters":[{"name":"a","value":"b"}]} x`, `{"parameters":[]`, `[]`, `"x"`, ``, `{"parameters":[],}`, "{}{}"} {
		r := &request{operation: ags.SignOn, method: http.MethodPost, path: "/ags/signOn", body: []byte(body)}
		assert.Equal(t, "requests whose body is no JSON object", kindOf(r, true), body)
	}
}
