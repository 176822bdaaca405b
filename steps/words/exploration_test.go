package words

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
	"agstest/steps/scene"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// TestEveryMutationChangesTheRequest: a generated request that is the documented one shows nothing, and its good answer
// counts for nothing. Each kind of change, at each place where it may be drawn, changes what is sent.
func TestEveryMutationChangesTheRequest(t *testing.T) {
	t.Parallel()
	service := mock.New(mock.Config{})
	api, control := httptest.NewServer(service), httptest.NewServer(service.Control())
	defer api.Close()
	defer control.Close()
	e, err := environment.Parse(service.Environment(api.URL, control.URL, ""), "mock.yaml", ".", func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	ctx := context.Background()
	r, err := scene.NewStage(scene.Setting{Environment: e}, nil)
	require.NoError(t, err)
	defer r.Close()
	r.Discover(ctx, nil)
	for _, o := range ags.Operations {
		t.Run(o.Name, func(t *testing.T) {
			w := scene.New(r, &script.Scenario{ID: o.Name})
			require.NoError(t, w.Equip(ctx, o.Name))
			documented, _, err := w.Documented(ctx, o.Name)
			require.NoError(t, err)
			before := onTheWire(documented)
			seen := map[string]bool{}
			generator := mutationsOf(o.Name, changeable(w, o.Name))
			for seed := range 3000 {
				m := generator.Example(seed)
				if name := m.Kind + " of " + m.At; !seen[name] {
					seen[name] = true
					changed := *documented
					changed.Header, changed.Members = append([]talk.Field{}, documented.Header...), append([]talk.Member{}, documented.Members...)
					m.apply(&changed)
					assert.NotEqual(t, before, onTheWire(&changed), "%s", m)
				}
			}
			assert.Greater(t, len(seen), 12, "changes that were tried")
		})
	}
}

// onTheWire is all of a request that a service sees.
func onTheWire(r *talk.Request) string {
	call := r.Call()
	var text strings.Builder
	_ = call.Header.Write(&text)
	return call.Method + " " + call.Path + "\n" + text.String() + "\n" + string(call.Body)
}
