package scene

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/internal/wire"
	"agstest/steps/talk"
)

// TestTimeBetweenTokensEndsWhenTheyAreAskedFor: a refresh that was answered late may still have been minted at once, so
// what lies behind its request does not count. Where nothing may wait, nothing that only time shows is looked at
// either.
func TestTimeBetweenTokensEndsWhenTheyAreAskedFor(t *testing.T) {
	came := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		patience, moved time.Duration
		want            time.Duration
	}{
		"may wait":        {patience: 5 * time.Second, want: time.Second},
		"may not wait":    {patience: latest - 1},
		"the clock moved": {moved: time.Minute, want: time.Minute + time.Second},
	} {
		e := &environment.Environment{}
		stage := &Stage{Environment: e, Options: Setting{Environment: e, Patience: c.patience}}
		w := &World{Stage: stage, Ahead: c.moved, Client: &talk.Client{ID: "TV_1", Pair: &talk.Pair{}, Since: came}}
		x := &talk.Exchange{
			Request:  &talk.Request{Operation: ags.Refresh, Method: http.MethodPost, Path: "/ags/refresh"},
			Exchange: &wire.Exchange{Sent: came.Add(time.Second), Received: came.Add(time.Minute)},
		}
		assert.Equal(t, c.want, w.knownOf(x, false).Since, name)
	}
}

// TestClientIDsAreGivenOnce: the client_id of a first-time sign-on is taken for every later one in the tenant. Whoever
// shows the same session token once more may get the same device.
func TestClientIDsAreGivenOnce(t *testing.T) {
	own := newOwnDevices()
	for _, c := range []struct {
		name, operation, tenant, token, client string
		status                                 int
		want                                   bool
	}{
		{"the first", ags.SignOnWithSessionToken, "nagra", "s-1", "TV_1", 201, false},
		{"the same token once more", ags.SignOnWithSessionToken, "nagra", "s-1", "TV_1", 201, false},
		{"another token", ags.SignOnWithSessionToken, "nagra", "s-2", "TV_1", 201, true},
		{"another device", ags.SignOnWithSessionToken, "nagra", "s-2", "TV_2", 201, false},
		{"another tenant", ags.SignOnWithSessionToken, "acme", "s-3", "TV_1", 201, false},
		{"credentials", ags.SignOn, "nagra", "dave", "TV_3", 201, false},
		{"the same credentials", ags.SignOn, "nagra", "dave", "TV_3", 201, true},
		{"a refusal", ags.SignOnWithSessionToken, "nagra", "s-4", "TV_2", 403, false},
	} {
		r := &talk.Request{Operation: c.operation, Method: http.MethodPost, Path: "/ags/" + c.operation}
		r.SetHeader(ags.HeaderTenant, c.tenant)
		r.Set("parameters", talk.JSON([]talk.Parameter{{Name: "sessionToken", Value: c.token}}))
		r.Set("deviceInformation", []byte("{}"))
		x := &talk.Exchange{Request: r, Exchange: &wire.Exchange{Status: c.status, Body: []byte(`{"access_token":"a.b.c","refresh_token":"a.b.d","client_id":"` + c.client + `"}`)}}
		assert.Equal(t, c.want, own.taken(x), c.name)
	}
}

// TestWhatStandsInAnswersAnywayIsNoSecret: a session token that is the word null is not repeated by an answer with a
// member that is null, nor is a password that is the word password, or a PIN that stands in an id. A digest of such a
// password gives it away all the same.
func TestWhatStandsInAnswersAnywayIsNoSecret(t *testing.T) {
	for value, secret := range map[string]bool{"null": false, "true": false, "undefined": false, "nullnull": true,
		"Password": false, "1234": false, "20261201": false, "a7Qz": false, "123456789": true, "Summer-2026": true} {
		w := &World{Stage: &Stage{Environment: &environment.Environment{}}, Account: &talk.Account{Situation: "credentials",
			Parameters: []talk.Parameter{{Name: "username", Value: "dave"}, {Name: "password", Value: value}}}}
		for _, r := range []*talk.Request{{Operation: ags.SignOnWithSessionToken}, {Operation: ags.SignOn}} {
			name := map[string]string{ags.SignOnWithSessionToken: "sessionToken", ags.SignOn: "password"}[r.Operation]
			r.Set("parameters", talk.JSON([]talk.Parameter{{Name: name, Value: value}}))
			assert.Equal(t, secret, slices.Contains(w.Submitted(r), value), "%s at %s", value, r.Operation)
		}
		guarded, passwords := w.Guarded()
		assert.Equal(t, secret, slices.Contains(guarded, value), value)
		assert.Contains(t, passwords, value)
	}
}

// TestDevicesThatOthersHaveTakenAreKept: a scenario that ends deletes the devices that it alone has, and nobody takes
// those from then on. One that another scenario acts as stays until the run ends.
func TestDevicesThatOthersHaveTakenAreKept(t *testing.T) {
	own := newOwnDevices()
	made := func(client string) *sharedSignOn {
		body := `{"access_token":"a.b.c","refresh_token":"a.b.d","client_id":"` + client + `"}`
		return &sharedSignOn{exchange: &talk.Exchange{Request: &talk.Request{}, Exchange: &wire.Exchange{Status: http.StatusCreated, Body: []byte(body)}}}
	}
	w := &World{Stage: &Stage{Own: own, Environment: &environment.Environment{}}, Account: &talk.Account{}}
	own.signOns[w.shareKey(ags.SignOnWithSessionToken, "{}")] = []*sharedSignOn{made("TV_1"), made("TV_2"), made("TV_3")}
	for _, n := range []int{0, 1, 1, 2} {
		_, err := w.sharedSignOn(t.Context(), ags.SignOnWithSessionToken, "{}", n)
		require.NoError(t, err)
	}
	for client, want := range map[string]bool{"TV_1": true, "TV_2": false, "TV_3": true, "of no other": true} {
		assert.Equal(t, want, own.giveUp(client), client)
		assert.Equal(t, want, own.gone[client], client)
	}
}
