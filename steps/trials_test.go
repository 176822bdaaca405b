package steps_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/steps"
)

// started starts a mock behind a handler of the caller's making.
func started(config mock.Config, front func(*mock.Server) http.Handler) (*environment.Environment, func(), error) {
	server := mock.New(config)
	ctx, cancel := context.WithCancel(context.Background())
	api := httptest.NewUnstartedServer(front(server))
	api.Config.BaseContext = func(net.Listener) context.Context { return ctx } // so that a handler which never answers ends
	api.Config.ErrorLog = log.New(io.Discard, "", 0)
	api.Start()
	control := httptest.NewServer(server.Control())
	e, err := environment.Parse(server.Environment(api.URL, control.URL, ""), "mock.yaml", ".", func(string) (string, bool) { return "", false })
	return e, func() { cancel(); api.CloseClientConnections(); api.Close(); control.Close() }, err
}

// quick does not wait in real time, and not long for an answer.
var quick = steps.Options{Timeout: 5 * time.Second, Generate: 10, Sequences: 3, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}

func itself(s *mock.Server) http.Handler { return s }

// TestEveryFaultIsCaught runs the suite against the mock with each of its faults. Each must turn the run red at the requirement that it
// breaks. Only the scenarios that cover the requirement run here; the whole suite runs in "make faults".
func TestEveryFaultIsCaught(t *testing.T) {
	n := 0
	for _, f := range mock.Faults() {
		if f.UnderLoad {
			continue // the load run finds those
		}
		n++
		trial := steps.Trial{Name: f.Name, Summary: f.Summary, Requirement: f.Requirement, Only: []string{f.Requirement},
			Unanswered: strings.HasPrefix(f.Name, "transport-"),
			Start: func() (*environment.Environment, func(), error) {
				fresh, _ := mock.FaultByName(f.Name)
				return started(mock.Config{Faults: []mock.Fault{fresh}}, itself)
			}}
		if strings.HasPrefix(f.Requirement, "ERR-") || strings.HasPrefix(f.Requirement, "GW-") {
			trial.Only = nil // the judge sees these in any scenario
		}
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			r := steps.Try(context.Background(), []steps.Trial{trial}, quick, 1)[0]
			if r.Err != nil {
				t.Fatalf("%s (%s): %v", r.Summary, r.Requirement, r.Err)
			}
			if !r.Right {
				t.Errorf("%s: %s is %s, the run is %s; others: %s; %s", r.Summary, r.Requirement, r.At, r.Verdict, strings.Join(r.Others, " "), r.Reason)
			}
		})
	}
	assert.GreaterOrEqual(t, n, 150, "faults")
}

// TestEveryHabitIsLeftInPeace runs the suite against the mock with each of its conforming habits. All must pass.
func TestEveryHabitIsLeftInPeace(t *testing.T) {
	assert.GreaterOrEqual(t, len(mock.Habits()), 40, "habits")
	for _, h := range mock.Habits() {
		trial := steps.Trial{Name: h.Name, Summary: h.Summary, Start: func() (*environment.Environment, func(), error) {
			return started(mock.Config{Habits: []mock.Habit{h}}, itself)
		}}
		if h.Name == "slow-300ms" {
			trial.Only = []string{"SOST-01", "REF-01", "GST-13", "TOK-17"} // all of it would take a minute
		}
		t.Run(h.Name, func(t *testing.T) {
			t.Parallel()
			r := steps.Try(context.Background(), []steps.Trial{trial}, quick, 1)[0]
			assert.NoError(t, r.Err)
			assert.True(t, r.Right, "%s: %s; others: %s; %s", r.Summary, r.Verdict, strings.Join(r.Others, " "), r.Reason)
		})
	}
}
