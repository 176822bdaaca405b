package load

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/hit"
	"agstest/load/lab"
	"agstest/load/schedule"
	"agstest/load/tally"
	"agstest/load/unique"
	"agstest/mock"
	"agstest/reports"
)

// shardsOf runs all shards of one question at the same time, each in a folder of its own.
func (s *server) shardsOf(t *testing.T, of int, o Options) []string {
	t.Helper()
	o.Environment, o.MaxLag, o.Seed = s.Environment, time.Minute, 21
	folders := make([]string, of)
	failed := make(chan error, of)
	start := make(chan struct{})
	waiting := make(chan struct{}, of)
	var at atomic.Pointer[time.Time]
	for i := range of {
		folders[i] = t.TempDir()
		o.Shard, o.Record = schedule.Shard{Index: i + 1, Of: of}, folders[i]
		o.Barrier = func(context.Context, engine.Ready) (time.Time, error) {
			waiting <- struct{}{}
			<-start
			return *at.Load(), nil
		}
		go func(o Options) {
			_, err := Run(context.Background(), o)
			failed <- err
		}(o)
	}
	for range of {
		select {
		case <-waiting:
		case err := <-failed:
			require.NoError(t, err)
		}
	}
	now := time.Now().Add(20 * time.Millisecond)
	at.Store(&now)
	close(start)
	for range of {
		require.NoError(t, <-failed)
	}
	return folders
}

// swapped answers one request as if another client had sent it: it replaces parts of the body.
func swapped(path string, pairs ...string) func(http.Handler) http.Handler {
	replacer := strings.NewReplacer(pairs...)
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == path {
				body, _ := io.ReadAll(r.Body)
				r.Body = io.NopCloser(strings.NewReader(replacer.Replace(string(body))))
				r.ContentLength = -1
			}
			next.ServeHTTP(w, r)
		})
	}
}

func TestAnswerOfAClientOfAnotherShardIsNamed(t *testing.T) {
	t.Parallel()
	s := newServer(t, mock.Config{Behaviour: mock.Behaviour{PopulationOnce: false}}, swapped("/ags/signOnWithSessionToken", `-5"`, `-4"`, `"LOAD_5"`, `"LOAD_4"`))
	folders := s.shardsOf(t, 2, Options{Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Rate: per(100), Duration: 200 * time.Millisecond})
	merged, err := tally.Merge(folders...)
	require.NoError(t, err)
	require.EqualValues(t, 1, merged.Total.Outcomes[hit.KindIdentity], "%v", merged.Wrong)
	assert.Equal(t, reports.Fail, merged.Verdict)
	assert.Contains(t, merged.Wrong[0].Message, "the answer to the signon of client 5 (device ")
	assert.Contains(t, merged.Wrong[0].Message, "which belongs to client 4 (device ", "a client of the shard 2/2, which the shard 1/2 knows of all the same")
	assert.Contains(t, merged.Notes, "uniqueness was checked over 2 of 2 shards")
}

// A value that a service gives twice is found if its two takers are in different shards, though nothing is wrong inside
// each shard.
func TestWhatComesToTwoShardsIsFound(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options    Options
		middleware func(http.Handler) http.Handler
		change     func(*server)
		says       string
	}{
		"jti": {
			options: Options{Traffic: clients.Traffic{Workload: clients.WorkloadSignOn}, Rate: per(150), Duration: 200 * time.Millisecond},
			middleware: sameForTwo(signsOn, func(account string) string {
				device := "LOAD_" + account[1:]
				return lab.TokenBody(account, device, account, device, "7000000000000000007")
			}),
			says: "a jti came to two shards: to client ",
		},
		"session token": {
			options:    Options{Traffic: clients.Traffic{Workload: clients.WorkloadHeadEnd, Clients: 4}, Rate: per(150), Duration: 200 * time.Millisecond},
			middleware: givenAgain(),
			says:       "a session token came to two shards: to client ",
		},
		"device": {
			options:    Options{Traffic: clients.Traffic{Workload: clients.WorkloadSignOnFirst}, Rate: per(150), Duration: 200 * time.Millisecond, Consent: Consent{YesLoad: "mock"}},
			middleware: sameForTwo(signsOn, func(account string) string { return lab.TokenBody(account, "DEV_X", account, "DEV_X", "7"+account[1:]) }),
			change:     func(s *server) { s.Environment.Allow.FirstTime = true },
			says:       "the device of a first-time sign-on came to two shards: to client ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, mock.Config{}, test.middleware)
			if test.change != nil {
				test.change(s)
			}
			test.options.Consent.YesLoad = s.Environment.Name
			folders := s.shardsOf(t, 3, test.options)
			for _, folder := range folders {
				own, err := tally.ReadRecord(folder)
				require.NoError(t, err)
				assert.Zero(t, own.Total.Outcomes[hit.KindDuplicate], "inside a shard nothing came twice")
			}
			merged, err := tally.Merge(folders...)
			require.NoError(t, err)
			require.NotEmpty(t, merged.Wrong)
			wrong := merged.Wrong[0]
			assert.Equal(t, []string{unique.AllShards, hit.KindDuplicate}, []string{wrong.Operation, wrong.Kind})
			assert.Contains(t, wrong.Message, test.says)
			assert.Regexp(t, `client \d+ \(device LO….*\) in shard 1/3 and to client \d+ \(device LO….*\) in shard 3/3|in shard 3/3 and to client \d+ \(device LO….*\) in shard 1/3`, wrong.Message)
			assert.Positive(t, wrong.Times)
			assert.Equal(t, reports.Fail, merged.Verdict)
			assert.Contains(t, merged.Reason, "something that must be unique came to clients of two shards")
			for _, folder := range folders {
				text, err := os.ReadFile(filepath.Join(folder, unique.File))
				require.NoError(t, err)
				s.NoSecretsIn(t, string(text))
			}
		})
	}
}

func TestUniquenessThatCouldNotBeCheckedIsSaid(t *testing.T) {
	t.Parallel()
	s := newServer(t, mock.Config{}, nil)
	folders := s.shardsOf(t, 3, Options{Traffic: clients.Traffic{Workload: clients.WorkloadRefresh}, Rate: per(150), Duration: 200 * time.Millisecond})
	merged, err := tally.Merge(folders...)
	require.NoError(t, err)
	assert.Contains(t, merged.Notes, "uniqueness was checked over 3 of 3 shards")
	assert.Empty(t, merged.Run.Partial)

	whole, err := os.ReadFile(filepath.Join(folders[1], unique.File))
	require.NoError(t, err)
	for says, text := range map[string][]byte{
		"its load.seen is damaged": whole[:len(whole)-5],
		"it left no load.seen":     nil,
	} {
		require.NoError(t, os.Remove(filepath.Join(folders[1], unique.File)))
		if text != nil {
			require.NoError(t, os.WriteFile(filepath.Join(folders[1], unique.File), text, 0o600))
		}
		merged, err := tally.Merge(folders...)
		require.NoError(t, err)
		note := "uniqueness was checked over 2 of 3 shards (shard 2/3: " + says + ")"
		assert.Contains(t, merged.Notes, note)
		assert.Equal(t, note, merged.Run.Partial)
		if merged.Valid { // the machine was not too busy
			assert.Equal(t, reports.Inconclusive, merged.Verdict, "a check that was not made passes nothing")
			assert.Equal(t, note, merged.Reason)
		}
		require.NoError(t, os.WriteFile(filepath.Join(folders[1], unique.File), whole, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(folders[1], unique.File), bytes.Repeat([]byte("x"), 100), 0o600))
	merged, err = tally.Merge(folders...)
	require.NoError(t, err)
	assert.NotEqual(t, reports.Pass, merged.Verdict)
}

const signsOn = "/ags/signOnWithSessionToken"

// sameForTwo answers the sign-ons of the clients 4 and 6 by itself: of three shards they are in the first and the last.
func sameForTwo(path string, answer func(account string) string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			for _, n := range []string{"4", "6"} {
				if r.URL.Path == path && bytes.Contains(body, []byte("-"+n+`"`)) {
					w.Header().Set("Content-Type", "application/json")
					w.WriteHeader(http.StatusCreated)
					_, _ = io.WriteString(w, answer("L"+n))
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}

// givenAgain gives the first session token that was minted for client 4 to client 6 too, or the other way round.
func givenAgain() func(http.Handler) http.Handler {
	var mu sync.Mutex // guards what follows
	var first []byte
	given := map[string]bool{}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(body))
			mu.Lock()
			defer mu.Unlock()
			account := mintsFor(body, "L4", "L6")
			if r.URL.Path != "/ags/getSessionToken" || account == "" || given[account] {
				next.ServeHTTP(w, r)
				return
			}
			given[account] = true
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			if first == nil {
				first = answer.Body.Bytes()
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(answer.Code)
			_, _ = w.Write(first)
		})
	}
}

// mintsFor returns the account that an OperatorAuthToken names; empty if it is none of those given.
func mintsFor(body []byte, accounts ...string) string {
	parts := bytes.Split(body, []byte("."))
	if len(parts) != 3 {
		return ""
	}
	claims, err := base64.RawURLEncoding.DecodeString(string(parts[1]))
	at := slices.IndexFunc(accounts, func(account string) bool { return bytes.Contains(claims, []byte(`"`+account+`"`)) })
	if err != nil || at < 0 {
		return ""
	}
	return accounts[at]
}
