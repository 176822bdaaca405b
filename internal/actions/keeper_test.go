package actions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/internal/journal"
)

func read(t *testing.T, dir, said string) *environment.Environment {
	t.Helper()
	text := "url: http://127.0.0.1:1\ntenant: nagra\nallow: {actions: true}\nsituations: {active: {accountId: A1, clientId: C1}, foreign-device: {accountId: A2}}\nactions:\n" + said
	e, err := environment.Parse([]byte(text), "env.yaml", dir, func(string) (string, bool) { return "hidden-token", true })
	require.NoError(t, err)
	return e
}

const someActions = `  suspend: {command: [x, "{accountId}"]}
  reactivate: {command: [x, "{accountId}"]}
  disable: {command: [x, "{clientId}"]}
  enable: {command: [x, "{clientId}"]}
  limit: {before: 20, command: [x, "{limit}"]}
  vpn: {command: [x, "{state}"]}
  list: {command: [x, "{accountId}"]}
`

// TestKeeperPutsBackInReverse, once each, also when the run was ended; what was put back on the way is not done again.
func TestKeeperPutsBackInReverse(t *testing.T) {
	dir := t.TempDir()
	e := read(t, dir, someActions)
	var asked []string
	var broken error
	door := func(_ context.Context, o Order) ([]string, error) {
		asked = append(asked, o.String())
		return nil, broken
	}
	file := filepath.Join(dir, "env.yaml")
	k := NewKeeper(e, door, func() (*journal.Journal, error) { return journal.Begin(filepath.Join(dir, "run"), file, false) })
	ctx, cancel := context.WithCancel(context.Background())
	do := func(o Order) error { _, err := k.Do(ctx, o); return err }
	require.NoError(t, do(Order{Kind: List, AccountID: "A1"}))
	assert.NoFileExists(t, journal.Marker(file), "nothing was changed")
	const others = "somebody else has brought it into its state"
	assert.ErrorContains(t, do(Order{Kind: Reactivate, AccountID: "A1"}), others)
	require.NoError(t, do(Order{Kind: Suspend, AccountID: "A1"}))
	assert.FileExists(t, journal.Marker(file))
	assert.ErrorContains(t, do(Order{Kind: Reactivate, AccountID: "A2"}), others)
	assert.ErrorContains(t, do(Order{Kind: Enable, AccountID: "A1", ClientID: "C1"}), others)
	require.NoError(t, do(Order{Kind: Reactivate, AccountID: "A1"}))
	assert.ErrorContains(t, do(Order{Kind: Reactivate, AccountID: "A1"}), others, "it was put back")
	require.NoError(t, do(Order{Kind: Disable, AccountID: "A1", ClientID: "C1"}))
	require.NoError(t, do(Order{Kind: Limit, AccountID: "A2", Limit: 3}))
	require.NoError(t, do(Order{Kind: VPN, State: "off"}))
	require.NoError(t, do(Order{Kind: Suspend, AccountID: "A2"}))
	require.NoError(t, do(Order{Kind: Suspend, AccountID: "A2"}))
	assert.ErrorContains(t, do(Order{Kind: Suspend, AccountID: "A3"}), "does not name")
	assert.ErrorContains(t, do(Order{Kind: Suspend}), "not known which account")
	broken = errors.New("the call failed")
	assert.ErrorContains(t, do(Order{Kind: Disable, AccountID: "A2", ClientID: "C2"}), "will be put back")
	cancel()
	asked = nil
	err := k.PutBack(ctx)
	require.ErrorContains(t, err, "could not be put back")
	assert.ErrorContains(t, err, "enable the device C2: the call failed")
	broken, asked = nil, nil
	require.NoError(t, k.Close(ctx))
	assert.Equal(t, []string{"enable the device C2", "reactivate the account A2", "switch the blocking of VPNs on", "set the limit of the account A2 to 20 devices", "enable the device C1"}, asked)
	assert.NoFileExists(t, journal.Marker(file))
	require.NoError(t, k.Close(ctx))
}

// TestAChangeIsNotGivenUpHalfWay: a run that is ended while a platform changes something waits for it, and changes
// nothing more.
func TestAChangeIsNotGivenUpHalfWay(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	asked := 0
	door := func(ctx context.Context, _ Order) ([]string, error) {
		asked++
		cancel()
		return nil, ctx.Err()
	}
	k := NewKeeper(read(t, dir, someActions), door, func() (*journal.Journal, error) {
		return journal.Begin(filepath.Join(dir, "run"), filepath.Join(dir, "env.yaml"), false)
	})
	_, err := k.Do(ctx, Order{Kind: Suspend, AccountID: "A1"})
	require.NoError(t, err)
	_, err = k.Do(ctx, Order{Kind: Suspend, AccountID: "A2"})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, 1, asked)
	require.NoError(t, k.Close(ctx))
}

// TestNoChangeOvertakesTheEnd: where a run breaks down its scenarios go on; none of them changes something between the
// last undoing and the end.
func TestNoChangeOvertakesTheEnd(t *testing.T) {
	e := read(t, t.TempDir(), someActions)
	for range 50 {
		dir := t.TempDir()
		disabled := map[string]bool{}
		door := func(_ context.Context, o Order) ([]string, error) {
			disabled[o.ClientID] = o.Kind == Disable
			return nil, nil
		}
		file := filepath.Join(dir, "env.yaml")
		k := NewKeeper(e, door, func() (*journal.Journal, error) {
			return journal.Begin(filepath.Join(dir, "run"), file, false)
		})
		var scenarios sync.WaitGroup
		for n := range 3 {
			device := Order{Kind: Disable, AccountID: "A1", ClientID: fmt.Sprint("C", n)}
			_, err := k.Do(context.Background(), device)
			require.NoError(t, err)
			scenarios.Go(func() {
				for err == nil {
					_, err = k.Do(context.Background(), device)
				}
				assert.EqualError(t, err, "the run has ended, and changes nothing any more")
			})
		}
		require.NoError(t, k.Close(context.Background()))
		scenarios.Wait()
		assert.Equal(t, map[string]bool{"C0": false, "C1": false, "C2": false}, disabled)
		assert.NoFileExists(t, journal.Marker(file))
	}
}

// TestNothingIsChangedWithoutAJournal: where it cannot be written, the call is not made.
func TestNothingIsChangedWithoutAJournal(t *testing.T) {
	e := read(t, t.TempDir(), someActions)
	asked := 0
	k := NewKeeper(e, func(context.Context, Order) ([]string, error) { asked++; return nil, nil }, func() (*journal.Journal, error) { return nil, errors.New("no room") })
	_, err := k.Do(context.Background(), Order{Kind: Suspend, AccountID: "A1"})
	require.ErrorContains(t, err, "no room")
	assert.Zero(t, asked)
}

// TestHostileDoors: whatever stands behind an action, it ends in time, is named, and gives no secret away.
func TestHostileDoors(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "never"):
			select {
			case <-stop:
			case <-r.Context().Done():
			}
		case strings.Contains(r.URL.Path, "500"):
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, r.Header.Get("Authorization"))
		case strings.Contains(r.URL.Path, "redirect"):
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		case strings.Contains(r.URL.Path, "list"):
			_, _ = io.WriteString(w, `["A1", "another"]`)
		case strings.Contains(r.URL.Path, "text"):
			_, _ = io.WriteString(w, `<html>`+r.Header.Get("Authorization"))
		case strings.Contains(r.URL.Path, "endless"):
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		case strings.Contains(r.URL.Path, "nobody"):
			if r.Method == http.MethodPut {
				_, _ = io.WriteString(w, `{"matchedCount":0}`)
				return
			}
			_, _ = io.WriteString(w, `{"status":"ACTIVE"}`)
		}
	}))
	t.Cleanup(func() { close(stop); server.Close() })
	for path, want := range map[string]string{
		"500": "status 500", "redirect": "redirects are not followed", "list": "is no JSON object", "text": "is no JSON object", "endless": "longer than 1 MiB", "nobody": "matched no account", "never": "deadline",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			e := read(t, t.TempDir(), fmt.Sprintf("  adm: {url: \"%s/%s\", token: \"${TOKEN}\"}\n", server.URL, path))
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			if path == "never" {
				ctx, cancel = context.WithTimeout(context.Background(), 100*time.Millisecond)
			}
			defer cancel()
			_, err := FromFile(e, func(...string) {})(ctx, Order{Kind: Suspend, AccountID: "A1"})
			require.Error(t, err)
			if path != "never" {
				assert.ErrorContains(t, err, want)
			}
			assert.Contains(t, err.Error(), "/adm/v1/accounts/A1")
			assert.NotContains(t, err.Error(), "hidden-token")
		})
	}
	for path, want := range map[string]string{"500": "status 500", "redirect": "redirects are not followed", "endless": "longer than 1 MiB", "never": ""} {
		t.Run("request "+path, func(t *testing.T) {
			t.Parallel()
			call := fmt.Sprintf("{request: {method: POST, url: \"%s/%s/{accountId}\", headers: {Authorization: \"${TOKEN}\"}}}", server.URL, path)
			e := read(t, t.TempDir(), "  suspend: "+call+"\n  reactivate: "+call+"\n")
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			if path == "never" {
				ctx, cancel = context.WithTimeout(context.Background(), 100*time.Millisecond)
			}
			defer cancel()
			_, err := FromFile(e, func(...string) {})(ctx, Order{Kind: Suspend, AccountID: "A1"})
			require.ErrorContains(t, err, want)
			assert.Contains(t, err.Error(), "the request POST "+server.URL+"/"+path+"/")
			assert.NotContains(t, err.Error(), "hidden-token")
		})
	}
}

// TestListsOfDevices are read out of answers and of what commands write; what is none is refused with its place.
func TestListsOfDevices(t *testing.T) {
	answer := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, answer) }))
	t.Cleanup(server.Close)
	list := func(more string) ([]string, error) {
		e := read(t, t.TempDir(), fmt.Sprintf("  list: {request: {url: \"%s/{accountId}\"}%s}\n", server.URL, more))
		return FromFile(e, func(...string) {})(context.Background(), Order{Kind: List, AccountID: "A1"})
	}
	answer = `{"devices":[{"_id":"a"},{"_id":12345678901234567890}]}`
	ids, err := list(", devices: /devices, id: /_id")
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "12345678901234567890"}, ids)
	answer = `["a","b"]`
	ids, err = list("")
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, ids)
	for said, want := range map[string]string{`{}`: "it is no list", `[{}]`: "in device 1: it is no id", `[""]`: "in device 1: it is no id", `no`: "it is no JSON"} {
		answer = said
		_, err := list("")
		assert.ErrorContains(t, err, want)
	}
	e := read(t, t.TempDir(), "  list: {command: [echo, \"{accountId}; rm\"]}\n")
	ids, err = FromFile(e, func(...string) {})(context.Background(), Order{Kind: List, AccountID: "A1"})
	require.NoError(t, err)
	assert.Equal(t, []string{"A1; rm"}, ids)
}
