package scene

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/internal/wire"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// TestBrokenBodiesAreOneKind: a service that never answers broken bodies is waited for at most twice, whatever is
// broken about them.
func TestBrokenBodiesAreOneKind(t *testing.T) {
	for _, body := range []string{`{"parameters":[{"name":"a","value":"b"}]} x`, `{"parameters":[]`, `[]`, `"x"`, ``, `{"parameters":[],}`, "{}{}"} {
		r := &talk.Request{Operation: ags.SignOn, Method: http.MethodPost, Path: "/ags/signOn", Body: []byte(body)}
		assert.Equal(t, "requests whose body is no JSON object", KindOf(r, true, false), body)
	}
}

// TestWhatIsToBeRefusedIsAKindOfItsOwn: a service that never answers a token which nobody issued is still asked with
// good ones.
func TestWhatIsToBeRefusedIsAKindOfItsOwn(t *testing.T) {
	r := &talk.Request{Operation: ags.SignOnWithSessionToken, Method: http.MethodPost, Path: "/ags/signOnWithSessionToken"}
	first := &talk.Request{Operation: r.Operation, Method: r.Method, Path: r.Path}
	first.Set("deviceInformation", talk.JSON(map[string]string{"playoutDeviceClass": "mobileDevice"}))
	kinds := map[string]bool{}
	for _, each := range []*talk.Request{r, first} {
		kinds[KindOf(each, false, false)], kinds[KindOf(each, false, true)] = true, true
	}
	assert.Len(t, kinds, 4)
}

// TestLostAnswersDoNotEndGoodRequests: of good requests two in a row, or many in all, end the kind; of others two.
func TestLostAnswersDoNotEndGoodRequests(t *testing.T) {
	request := &talk.Request{Operation: ags.Refresh, Method: http.MethodPost, Path: "/ags/refresh"}
	answered := &talk.Exchange{Exchange: &wire.Exchange{Status: http.StatusOK}, Request: request}
	lost := &talk.Exchange{Exchange: &wire.Exchange{Err: context.DeadlineExceeded}, Request: request}
	for _, c := range []struct {
		name   string
		refuse bool
		heard  []*talk.Exchange
		ended  bool
	}{
		{"two apart", false, []*talk.Exchange{answered, lost, answered, lost, answered}, false},
		{"two in a row", false, []*talk.Exchange{answered, lost, lost}, true},
		{"many in all", false, []*talk.Exchange{lost, answered, lost, answered, lost, answered, lost, answered, lost, answered, lost}, true},
		{"two apart that are to be refused", true, []*talk.Exchange{answered, lost, answered, lost}, true},
	} {
		stage := &Stage{asked: map[string]*asked{}}
		kind := KindOf(request, false, c.refuse)
		for _, x := range c.heard {
			assert.NoError(t, stage.Silent(t.Context(), kind), c.name)
			stage.Heard(kind, x, false)
		}
		assert.Equal(t, c.ended, stage.Silent(t.Context(), kind) != nil, c.name)
	}
}

// TestARequestThatIsEndedIsUnderWayNoMore: session tokens that are minted ahead are given up where nobody needs them.
// Two of them under way kept others of their kind waiting for good, where none had been answered.
func TestARequestThatIsEndedIsUnderWayNoMore(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		end()
		<-r.Context().Done()
	}))
	defer service.Close()
	stage, err := NewStage(Setting{Environment: &environment.Environment{URL: service.URL}}, nil)
	require.NoError(t, err)
	defer stage.Close()
	w := New(stage, &script.Scenario{ID: "ahead"})
	_, err = w.Send(ctx, w.Prepare(ags.ServiceDiscovery), false)
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, map[string]int{"documented requests of servicediscovery": 0}, underWay(stage))
	assert.NoError(t, stage.Silent(t.Context(), "documented requests of servicediscovery"))
	assert.Equal(t, map[string]int{"documented requests of servicediscovery": 1}, underWay(stage))
}

func underWay(r *Stage) map[string]int {
	pending := map[string]int{}
	for kind, a := range r.asked {
		pending[kind] = a.pending
	}
	return pending
}
