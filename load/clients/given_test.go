package clients

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/mock"
)

// A service that wants parameters at refresh and signOut gets those of the environment, with the ids of the client; one
// that is given none gets an empty list.
func TestParametersOfRefreshAndSignOut(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given  environment.LoadParameters
		bodies map[string]map[string]bool // by path
	}{
		"given": {
			environment.LoadParameters{
				Refresh: map[string]string{"subscriber": "{accountId}", "box": "{clientId}/{n}", "quoted": `a "b"`},
				SignOut: map[string]string{"reason": "load {n}"},
			},
			map[string]map[string]bool{
				"/ags/refresh": {
					`{"parameters":[{"name":"box","value":"LOAD_1/1"},{"name":"quoted","value":"a \"b\""},{"name":"subscriber","value":"L1"}]}`: true,
					`{"parameters":[{"name":"box","value":"LOAD_2/2"},{"name":"quoted","value":"a \"b\""},{"name":"subscriber","value":"L2"}]}`: true,
				},
				"/ags/signOut": {`{"parameters":[{"name":"reason","value":"load 1"}]}`: true, `{"parameters":[{"name":"reason","value":"load 2"}]}`: true},
			},
		},
		"none": {environment.LoadParameters{}, map[string]map[string]bool{
			"/ags/refresh": {`{"parameters":[]}`: true}, "/ags/signOut": {`{"parameters":[]}`: true},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			seen := map[string]map[string]bool{}
			s := newService(t, mock.Config{}, func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if test.bodies[r.URL.Path] != nil {
						body, _ := io.ReadAll(r.Body)
						r.Body = io.NopCloser(bytes.NewReader(body))
						mu.Lock()
						if seen[r.URL.Path] == nil {
							seen[r.URL.Path] = map[string]bool{}
						}
						seen[r.URL.Path][string(body)] = true
						mu.Unlock()
					}
					next.ServeHTTP(w, r)
				})
			})
			s.Environment.Load.Parameters = test.given
			c, _ := s.ready(t, Traffic{Workload: "lifecycle", Clients: 2, Refreshes: 2, ReuseSessions: true}, 16, 1)
			f := s.drive(t, c, 16, 1)
			assert.Empty(t, f.wrong)
			assert.Equal(t, test.bodies, seen)
		})
	}
}

func TestParametersThatClientsCannotFill(t *testing.T) {
	t.Parallel()
	s := newService(t, mock.Config{}, nil)
	s.Environment.Load.Clients.AccountID = ""
	s.Environment.Load.Parameters.Refresh = map[string]string{"subscriber": "{accountId}"}
	_, err := New(s.Environment, Traffic{Workload: "refresh"}, Part{Hits: 10, Peak: 1})
	require.ErrorContains(t, err, "load.parameters.refresh.subscriber of mock holds {accountId}, and load.clients gives none; add it")
	assert.Equal(t, failure.Usage, failure.KindOf(err))
}
