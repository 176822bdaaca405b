package scene

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/ags"
	"agstest/steps/talk"
)

// TestBrokenBodiesAreOneKind: a service that never answers broken bodies is waited for at most twice, whatever is
// broken about them.
func TestBrokenBodiesAreOneKind(t *testing.T) {
	for _, body := range []string{`{"parameters":[{"name":"a","value":"b"}]} x`, `{"parameters":[]`, `[]`, `"x"`, ``, `{"parameters":[],}`, "{}{}"} {
		r := &talk.Request{Operation: ags.SignOn, Method: http.MethodPost, Path: "/ags/signOn", Body: []byte(body)}
		assert.Equal(t, "requests whose body is no JSON object", KindOf(r, true), body)
	}
}
