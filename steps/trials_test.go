package steps_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/reports"
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
var quick = steps.Options{Patience: 5 * time.Second, Timeout: 5 * time.Second, Generate: 3, Sequences: 1, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }}

func itself(s *mock.Server) http.Handler { return s }

// table makes the two tests below run the whole suite for each fault and choice and print what came of it: "make faults", "make choices".
var table = flag.Bool("table", false, "run the whole suite under each fault and choice and print the table")

// underRace: the race detector makes everything several times slower.
var underRace bool

// every tells how many trials are run of all: under the race detector and with -short a sample, because they are to find races and not
// faults then.
func every(sample int) int {
	if (underRace || testing.Short()) && !*table {
		return sample
	}
	return 1
}

// turns lets so many trials run at the same time, whatever number of tests may.
type turns struct {
	free chan struct{}
	all  sync.WaitGroup
}

// sideBySide lets as many trials run as there are processors; sixteen against a live service, where each waits for what only time shows and
// does little else.
func sideBySide(live bool) *turns {
	if live {
		return &turns{free: make(chan struct{}, 16)}
	}
	return &turns{free: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

func (s *turns) take(t *testing.T, name string, trial func(*testing.T)) {
	s.all.Go(func() {
		s.free <- struct{}{}
		defer func() { <-s.free }()
		t.Run(name, trial)
	})
}

// TestEveryFaultIsCaught runs the suite against the mock with each of its faults. Each must turn the run red at the requirement that it
// breaks. Without -table only the scenarios that cover the requirement run.
func TestEveryFaultIsCaught(t *testing.T) { catchFaults(t, "fault", nil) }

// TestEveryFaultIsCaughtLive does the same without the control interface, as a live service is met: states and times are those of the
// environment file. What only the control interface can show is listed.
func TestEveryFaultIsCaughtLive(t *testing.T) { catchFaults(t, "live", onlyWithControl) }

func catchFaults(t *testing.T, group string, unseen map[string]string) {
	var faults []mock.Fault
	for _, f := range mock.Faults() {
		if !f.UnderLoad && f.Every == 0 { // the load run finds those, and --repeat what shows now and then
			faults = append(faults, f)
		}
	}
	assert.GreaterOrEqual(t, len(faults), 150, "faults")
	results := make([]steps.TrialResult, len(faults))
	t.Run(group, func(t *testing.T) {
		turns := sideBySide(group == "live")
		defer turns.all.Wait()
		for i, f := range faults {
			if i%every(15) != 0 {
				continue
			}
			trial := steps.Trial{Name: f.Name, Summary: f.Summary, Requirement: f.Requirement, Only: []string{f.Requirement},
				Unanswered: strings.HasPrefix(f.Name, "transport-"),
				Start: func() (*environment.Environment, func(), error) {
					fresh, _ := mock.FaultByName(f.Name)
					e, end, err := started(mock.Config{Faults: []mock.Fault{fresh}}, itself)
					if e != nil && group == "live" {
						e.Mock, e.Allow.Surroundings = nil, true
					}
					return e, end, err
				}}
			fixed := strings.HasPrefix(f.Name, "odd-") // which only the fixed list of odd input shows
			if *table || !fixed && strings.HasPrefix(f.Requirement, "ERR-") || strings.HasPrefix(f.Requirement, "GW-") {
				trial.Only = nil // the judge sees errors and the gateway in any scenario
			}
			if trial.Only != nil && strings.HasPrefix(f.Name, "minds-session-") {
				trial.Only = append(trial.Only, "SOST-28") // whose scenario sends what other clients write
			}
			turns.take(t, f.Name, func(t *testing.T) {
				results[i] = steps.Try(context.Background(), []steps.Trial{trial}, quick, 1)[0]
				r := results[i]
				reason, excused := unseen[f.Name]
				switch {
				case r.Err != nil:
					t.Fatalf("%s (%s): %v", r.Summary, r.Requirement, r.Err)
				case r.Right && excused:
					t.Errorf("%s: %s is caught: take it off the list (%s)", r.Name, r.Requirement, reason)
				case !r.Right && !excused:
					t.Errorf("%s: %s is %s, the run is %s; others: %s; %s", r.Summary, r.Requirement, r.At, r.Verdict, strings.Join(r.Others, " "), r.Reason)
				}
			})
		}
	})
	if *table {
		out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintf(out, "FAULT (%s)\tBREAKS\tVERDICT\tCAUGHT BY\n", group)
		caught := 0
		for _, r := range results {
			if r.Right {
				caught++
			}
			fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", r.Name, r.Requirement, r.At, strings.Join(r.By, " "))
		}
		fmt.Fprintf(out, "%d of %d caught (%s)\n", caught, len(results), group)
		out.Flush()
	}
}

// onlyWithControl are the faults that show only where the control interface changes states or moves the clock, with what they need.
var onlyWithControl = map[string]string{
	"device-no-smart-tv":              "a device of each platform is made",
	"sign-out-never-expires":          "an hour passes",
	"account-state-frozen":            "a state changes while the scenario runs",
	"account-stays-suspended":         "a state changes while the scenario runs",
	"device-all-count":                "devices are counted",
	"device-made-on-nth":              "devices are counted",
	"device-no-reinstallation":        "the device of the scenario is lost; that of the file was never signed on for the first time",
	"discovery-advertises-refused":    "the session token cannot be had from a service that is refused: could not tell",
	"error-switches-ignored":          "a switch of the platform is turned",
	"session-location-ignored":        "the place stands in a header, which a gateway may replace: could not tell",
	"error-vpn-ignored":               "the place stands in a header, which a gateway may replace: could not tell",
	"error-location-ignored":          "the place stands in a header, which a gateway may replace: could not tell",
	"flow-device-made-on-nth":         "devices are counted",
	"flow-not-reactivated":            "a state changes while the scenario runs",
	"refresh-cancelled":               "a state changes while the scenario runs",
	"refresh-deleted":                 "a state changes while the scenario runs",
	"refresh-disabled":                "a state changes while the scenario runs",
	"refresh-disabled-code":           "a state changes while the scenario runs",
	"refresh-outlives-fixed-end":      "days pass",
	"refresh-past-fixed-end":          "days pass",
	"refresh-suspended":               "a state changes while the scenario runs",
	"refresh-suspended-401":           "a state changes while the scenario runs",
	"refresh-third-extends-fixed-end": "days pass",
	"sign-on-locked-after-expiry":     "days pass",
}

// TestEveryChoiceIsLeftInPeace runs the suite against the mock with each of its conforming choices. All must pass.
func TestEveryChoiceIsLeftInPeace(t *testing.T) { leftInPeace(t, false) }

// TestEveryChoiceIsLeftInPeaceLive is the same as a live service is met: without the control interface.
func TestEveryChoiceIsLeftInPeaceLive(t *testing.T) { leftInPeace(t, true) }

// hidesReasons tells of choices under which the refusal of a situation of the environment file looks like that of a made-up value: then it
// could not be told, which is neither a pass nor a failure. A refusal after a 503 may be due to the first sending: which request is hit
// depends on the order of calls.
func hidesReasons(name string) bool {
	return strings.HasPrefix(name, "errors-") || name == "deleted-device-404" || name == "signed-hs512" || name == "unavailable-now-and-then"
}

func leftInPeace(t *testing.T, live bool) {
	choices := mock.Choices()
	assert.GreaterOrEqual(t, len(choices), 40, "choices")
	results := make([]steps.TrialResult, len(choices))
	t.Run("choice", func(t *testing.T) {
		turns := sideBySide(live)
		defer turns.all.Wait()
		for i, h := range choices {
			if i%every(30) != 0 {
				continue
			}
			trial := steps.Trial{Name: h.Name, Summary: h.Summary, Start: func() (*environment.Environment, func(), error) {
				e, end, err := started(mock.Config{Choices: []mock.Choice{h}}, itself)
				if live && err == nil {
					e.Mock = nil
				}
				return e, end, err
			}}
			if h.Name == "slow-300ms" && !*table {
				trial.Only = []string{"SOST-01", "REF-01", "GST-13", "TOK-17"} // all of it would take a minute
			}
			turns.take(t, h.Name, func(t *testing.T) {
				o := quick
				o.Retry = 2
				results[i] = steps.Try(context.Background(), []steps.Trial{trial}, o, 1)[0]
				r := results[i]
				assert.NoError(t, r.Err)
				if r.Verdict == reports.Error && hidesReasons(h.Name) && (live || h.Name == "unavailable-now-and-then") {
					return // its refusals of real and made-up values look alike, or the first sending may have been carried out
				}
				assert.True(t, r.Right, "%s: %s; others: %s; %s", r.Summary, r.Verdict, strings.Join(r.Others, " "), r.Reason)
			})
		}
	})
	if *table {
		out := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(out, "CHOICE\tVERDICT\tSUMMARY")
		for _, r := range results {
			fmt.Fprintf(out, "%s\t%s\t%s\n", r.Name, r.Verdict, r.Summary)
		}
		out.Flush()
	}
}
