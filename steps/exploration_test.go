package steps

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/mock"
)

// TestEveryMutationChangesTheRequest: a generated request that is the documented one shows nothing, and its good answer counts for nothing.
// Each kind of change, at each place where it may be drawn, changes what is sent.
func TestEveryMutationChangesTheRequest(t *testing.T) {
	t.Parallel()
	service := mock.New(mock.Config{})
	api, control := httptest.NewServer(service), httptest.NewServer(service.Control())
	defer api.Close()
	defer control.Close()
	e, err := environment.Parse(service.Environment(api.URL, control.URL, ""), "mock.yaml", ".", func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	ctx := context.Background()
	r, err := newRun(Options{Environment: e}, selection{})
	require.NoError(t, err)
	defer r.client.Close()
	defer r.control.close()
	r.discover(ctx)
	for _, o := range ags.Operations {
		t.Run(o.Name, func(t *testing.T) {
			w := newWorld(r, &scenario{id: o.Name})
			require.NoError(t, w.equip(ctx, o.Name))
			documented, _, err := w.documented(ctx, o.Name)
			require.NoError(t, err)
			before := onTheWire(documented)
			seen := map[string]bool{}
			generator := mutationsOf(o.Name, w.changeable(o.Name))
			for seed := range 3000 {
				m := generator.Example(seed)
				if name := m.kind + " of " + m.at; !seen[name] {
					seen[name] = true
					changed := *documented
					changed.header, changed.members = append([]field{}, documented.header...), append([]member{}, documented.members...)
					m.apply(&changed)
					assert.NotEqual(t, before, onTheWire(&changed), "%s", m)
				}
			}
			assert.Greater(t, len(seen), 12, "changes that were tried")
		})
	}
}

// onTheWire is all of a request that a service sees.
func onTheWire(r *request) string {
	call := r.call()
	var text strings.Builder
	_ = call.Header.Write(&text)
	return call.Method + " " + call.Path + "\n" + text.String() + "\n" + string(call.Body)
}
