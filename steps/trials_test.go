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
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/stretchr/testify/assert"

	"agstest/ags"
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

// patient does not wait in real time either, but for each answer as long as a machine may take that does other things
// beside: where every call is answered, a short wait would only find the machine slow.
var patient = func() steps.Options { o := quick; o.Timeout = time.Minute; return o }()

func itself(s *mock.Server) http.Handler { return s }

// table makes the tests below print the result of each fault and choice; whole makes them run the whole suite for each
// fault, not only the scenarios that cover what it breaks: "make faults", "make choices".
var (
	table = flag.Bool("table", false, "print what came of each fault and choice")
	whole = flag.Bool("whole", false, "run the whole suite under each fault and choice, each alone in a service")
)

// underRace: the race detector makes everything several times slower.
var underRace bool

// every tells how many trials are run of all: under the race detector and with -short a sample, because they are to
// find races and not faults then.
func every(sample int) int {
	if (underRace || testing.Short()) && !*table {
		return sample
	}
	return 1
}

// tried tells whether the trial with this number is run in one of two modes, with the control interface or as on a live
// service. With -table, and where trials are named (-run with a slash), each is run in both; else in one of them, by
// turns. Of a sample the numbers are the same in both.
func tried(number, sample int, live bool) bool {
	switch {
	case *table || strings.Contains(flag.Lookup("test.run").Value.String(), "/"):
		return true
	case every(sample) != 1:
		return number%every(sample) == 0
	}
	return (number%2 == 1) == live
}

// turns lets a number of trials run at the same time, whatever number of tests may.
type turns struct {
	free chan struct{}
	all  sync.WaitGroup
}

// sideBySide lets as many trials run as there are processors; some more against a live service, where scenarios take
// turns and each waits for another. Each takes 40 MB and more.
func sideBySide(live bool) *turns {
	if live {
		return &turns{free: make(chan struct{}, 3*runtime.GOMAXPROCS(0))}
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

// TestEveryFaultIsCaught runs the suite against the mock with each of its faults. Each must turn the run red at the
// requirement that it breaks. Without -whole only the scenarios that cover the requirement run, but under those of
// everywhere; tried says which are.
func TestEveryFaultIsCaught(t *testing.T) { catchFaults(t, "fault", nil) }

// TestEveryFaultIsCaughtLive does the same without the control interface, as on a live service: states and times are
// those of the environment file. Faults that only the control interface can show are listed.
func TestEveryFaultIsCaughtLive(t *testing.T) { catchFaults(t, "live", onlyWithControl) }

func catchFaults(t *testing.T, group string, unseen map[string]string) {
	var faults []mock.Fault
	for _, f := range mock.Faults() {
		if !f.UnderLoad && f.Every == 0 { // the load run finds those, and --repeat what shows now and then
			faults = append(faults, f)
		}
	}
	assert.GreaterOrEqual(t, len(faults), 150, "faults")
	for name := range everywhere {
		there := slices.ContainsFunc(faults, func(f mock.Fault) bool { return f.Name == name })
		assert.True(t, there, "there is no fault %s", name)
	}
	results := make([]steps.TrialResult, len(faults))
	t.Run(group, func(t *testing.T) {
		turns := sideBySide(group == "live")
		defer turns.all.Wait()
		for i, f := range faults {
			number := i
			if _, control := onlyWithControl[f.Name]; control {
				number -= number % 2 // where there is one, so that it is caught
			}
			if !tried(number, 90, group == "live") {
				continue
			}
			trial := steps.Trial{Name: f.Name, Summary: f.Summary, Requirement: f.Requirement,
				Only: append(shownBeside(f.Name), f.Requirement), Unanswered: strings.HasPrefix(f.Name, "transport-"),
				Start: func() (*environment.Environment, func(), error) {
					e, end, err := started(mock.Config{Faults: []mock.Fault{f}}, itself) // f is of this trial alone
					if e != nil && group == "live" {
						e.Mock, e.Allow.Surroundings = nil, true
					}
					return e, end, err
				}}
			if *whole || everywhere[f.Name] {
				trial.Only = nil
			}
			turns.take(t, f.Name, func(t *testing.T) {
				o := patient
				if trial.Unanswered {
					o = quick
				}
				if strings.HasPrefix(f.Name, "sometimes-") { // the first sending may have been carried out: another try tells
					o.Retry = 2
				}
				results[i] = steps.Try(context.Background(), []steps.Trial{trial}, o, 1)[0]
				r := results[i]
				reason, excused := unseen[f.Name]
				assert.Empty(t, r.Odd)
				if requirement, _ := ags.RequirementByID(f.Requirement); r.At == reports.Warn && requirement.Gating() == ags.Gates {
					assert.Contains(t, onlyWarned, f.Name, "%s only warns, and no page leaves that open", f.Requirement)
				}
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

// onlyWarned are the faults that break a requirement in the part that only warns, with why that is so. All others of a
// requirement that gates fail it.
var onlyWarned = map[string]string{
	"near-operator-key-cut-short": "the signature is good", "near-operator-key-longer": "the signature is good", "near-operator-key-first-character": "the signature is good",
	"near-operator-key-middle-character": "the signature is good", "near-operator-key-last-character": "the signature is good", "near-operator-key-doubled": "the signature is good",
	"near-operator-key-other-case": "the signature is good", "near-operator-key-padded": "the signature is good",
	"discovery-endpoint-name-missing": "a member is left out", "discovery-password-missing": "a member is left out", "discovery-path-missing": "a member is left out",
	"discovery-password-unmarked": "no sentence says which parameters are passwords", "discovery-parameter-twice": "no page says that names differ",
	"discovery-path-dead": "the path may be of another place", "discovery-type-dead": "the path may be of another place", "discovery-lists-ghost": "the service may be one of another place",
	"discovery-advertises-refused": "without its session token the service may be one of another place",
	"discovery-path-bare":          "a path without a slash", "discovery-name-twice": "no page says that names differ",
	"error-undocumented-409": "which 4xx", "error-undocumented-418": "which 4xx", "get-session-signature-404": "which 4xx", "session-no-parameters-401": "which 4xx",
	"session-parameter-half-403": "which 4xx", "session-unknown-client-400": "which 4xx", "sign-on-unknown-client-401": "which 4xx",
	"sign-on-wrong-password-403": "which 4xx", "subsequent-invented-404": "which 4xx",
	"get-session-account-list": "the operator has signed it", "get-session-key-ignored": "the signature is good", "refresh-gives-the-same": "the token is good", "refresh-any-service": "the token is of this service",
	"refresh-service-not-needed": "the token is of this service", "sign-out-service-not-needed": "the token is of this service", "sign-out-bad-body-accepted": "signOut may not read its body",
	"sometimes-503": "what comes once may be a limit on the rate", "json-sign-out-map-parameters": "signOut may not read its body",
	"json-sign-out-not-closed": "signOut may not read its body", "json-sign-out-nul-behind": "signOut may not read its body", "json-sign-out-single-quotes": "signOut may not read its body",
	"json-sign-out-text-behind": "signOut may not read its body", "json-sign-out-text-parameters": "signOut may not read its body", "json-sign-out-trailing-comma": "signOut may not read its body",
	"json-refresh-not-closed": "refresh may not read its body", "json-subsequent-register-text-behind": "subsequentRegister may not read its body",
	"tenant-unknown-refresh": "the token names its tenant", "tenant-unknown-sign-out": "the token names its tenant", "tenant-unknown-register": "no tokens are given out",
	"tenant-unknown-subsequent-register": "no tokens are given out", "near-client-id-other-case": "an id of hexadecimal digits", "near-client-id-with-credentials-other-case": "an id of hexadecimal digits",
	"refresh-inactive": "no page speaks of inactive devices at refresh", "token-access-flag-text": "claims of one sample", "token-access-no-fixed-exp": "claims of one sample",
	"token-access-no-profile": "claims of one sample", "token-jti-differs": "claims of one sample", "token-kid-number": "claims of one sample", "token-sessions-missing": "claims of one sample",
	"token-sessions-negative": "claims of one sample",
}

// shownBeside are requirements whose scenarios make the calls that show a fault, where those of the broken one do not.
func shownBeside(fault string) []string {
	switch fault {
	case "device-given-twice":
		return []string{"DEV-17"} // many devices are signed on
	case "discovery-html":
		return []string{"DISC-01"}
	case "error-undocumented-418":
		return []string{"SSO-10"}
	case "operator-key-in-refusal":
		return []string{"GST-04"}
	}
	if strings.HasPrefix(fault, "minds-session-") {
		return []string{"SOST-28"} // what other clients write is sent
	}
	return nil
}

// everywhere are faults that change answers in most scenarios, each in its own way: under them the whole suite runs
// also without -whole, and nobody may read an odd sentence in a report that is red all over.
var everywhere = map[string]bool{
	"error-500": true, "error-message-number": true, "error-stack-trace": true, "gateway-refusal-as-200": true,
	"content-type-missing": true, "sometimes-503": true,
}

// onlyWithControl are the faults that show only if the control interface changes states or moves the clock, with what
// they need.
var onlyWithControl = map[string]string{
	"device-no-smart-tv":              "a device of each platform is made",
	"sign-out-never-expires":          "an hour passes",
	"account-state-frozen":            "a state changes while the scenario runs",
	"account-stays-suspended":         "a state changes while the scenario runs",
	"device-all-count":                "devices are counted",
	"device-made-on-nth":              "devices are counted",
	"device-limit-only-at":            "the limit of an account is lowered",
	"device-no-reinstallation":        "the device of the scenario is lost; that of the file was never signed on for the first time",
	"error-switches-ignored":          "a switch of the platform is turned",
	"error-vpn-ignored":               "the place stands in a header, which a gateway may replace: could not tell",
	"error-location-ignored":          "the place stands in a header, which a gateway may replace: could not tell",
	"flow-device-made-on-nth":         "devices are counted",
	"flow-not-reactivated":            "a state changes while the scenario runs",
	"refresh-cancelled":               "a state changes while the scenario runs",
	"refresh-deleted":                 "a state changes while the scenario runs",
	"refresh-inactive":                "a state changes while the scenario runs",
	"refresh-disabled":                "a state changes while the scenario runs",
	"refresh-disabled-code":           "a state changes while the scenario runs",
	"refresh-outlives-fixed-end":      "days pass",
	"refresh-past-fixed-end":          "days pass",
	"refresh-suspended":               "a state changes while the scenario runs",
	"refresh-suspended-401":           "a state changes while the scenario runs",
	"refresh-third-extends-fixed-end": "days pass",
}

// TestEveryChoiceIsLeftInPeace runs the suite against the mock with each of its conforming choices. All must pass.
func TestEveryChoiceIsLeftInPeace(t *testing.T) { leftInPeace(t, false) }

// TestEveryChoiceIsLeftInPeaceLive is the same as a live service is met: without the control interface.
func TestEveryChoiceIsLeftInPeaceLive(t *testing.T) { leftInPeace(t, true) }

// hidesReasons tells of choices under which the refusal of a situation of the environment file looks like that of a
// made-up value: then it could not be told, which is neither a pass nor a failure. A refusal after a 503 may be due to
// the first sending: which request is hit depends on the order of calls.
func hidesReasons(name string) bool {
	return name == "deleted-device-404" || name == "signed-hs512" || name == "unavailable-now-and-then"
}

// kinds are choices that change one small thing each, and things that have nothing to do with each other: the status of
// one refusal, one more way of writing one value that is taken, one side of the form of answers. Those of one kind are
// about the same thing. All others change more, or something that decides what others show.
var kinds = func() (kinds []*regexp.Regexp) {
	for _, kind := range []string{
		// statuses of refusals
		"no-service-[0-9]{3}", "(strange|unknown)-service-[0-9]{3}", "no-parameters-[0-9]{3}",
		"odd-parameters-[0-9]{3}", "half-parameter-[0-9]{3}", "empty-parameters-[0-9]{3}", "no-device-[0-9]{3}",
		"(strange|unknown)-client-[0-9]+", "foreign-client-[0-9]{3}", "wrong-password-[0-9]{3}",
		"no-user-token-sent-[0-9]{3}", "strange-user-token-[0-9]{3}",
		"strange-account-[0-9]{3}|operator-refusals-(400|404|422)", "(strange|register)-type-[0-9]{3}",
		"no-token-[0-9]{3}", "strange-token-[0-9]{3}", "spoiled-token-[0-9]{3}",
		"(strange|unknown)-session-[0-9]{3}", "unknown-tenant-[0-9]{3}", "wrong-method-[0-9]{3}",
		"content-type-[0-9]{3}", "second-sign-out-[0-9]{3}",
		"odd-headers-400|long-headers-431|quotes-403|long-values-413|parameters-once",
		// ways of writing what is sent
		"user-name-.*", "register-type-any-case", "tenant-any-case", "operator-account-(any-case|trimmed)",
		"operator-tenant-any-case", "client-id-hex-any-case",
		"operator-(end-in-text|account-number|leeway|any-hmac)", "byte-order-mark",
		// the form of answers
		"chunked|gzip|connection-close|early-hints|trailers",
		"no-date|extra-headers|caches-of-the-client|lower-case-headers|no-store", "charset(-quoted)?",
		"extra-members|member-order|pretty|escaped|numbers-with-fraction",
		"extra-claims|extra-jose|claim-order|jose-typ-lower-case|profile-features",
		"no-display-attributes|discovery-reversed|absolute-paths|nameless-endpoints|is-password-only-when-true",
		"register-gives-.*", "sign-out-gives-object", "companion-seconds", "token-type-capital",
		"no-client-id-on-refresh", "challenge", "first-time-codes|geo-filter-code|group-limit-code",
		"sessions-unlimited-.*|session-control-null|no-session-control", "jti-(uuid|per-device)|keep-jti",
		"(session|user)-token-jwt", "listed-path-template|parameters-about-passwords",
		// what of a signed token is not looked at
		"operator-(audience|type|claims|key)-ignored",
	} {
		kinds = append(kinds, regexp.MustCompile("^("+kind+")$"))
	}
	return kinds
}()

// kindOf is the number of the kind of a choice; -1: it is of none.
func kindOf(c mock.Choice) int {
	return slices.IndexFunc(kinds, func(kind *regexp.Regexp) bool { return kind.MatchString(c.Name) })
}

// inTurn puts choices that do not touch each other into one service: one of each kind. All others, and all with -whole,
// have a service of their own. It gives indexes of the choices.
func inTurn(choices []mock.Choice) (services [][]int) {
	shared := make([][]int, 5) // no kind has more choices
	seen := make([]int, len(kinds))
	for i, c := range choices {
		kind := kindOf(c)
		if kind < 0 || *whole {
			services = append(services, []int{i})
			continue
		}
		place := (kind + seen[kind]) % len(shared) // each kind begins elsewhere, so that statuses differ in a service
		seen[kind]++
		shared[place] = append(shared[place], i)
	}
	return append(services, slices.DeleteFunc(shared, func(s []int) bool { return len(s) == 0 })...)
}

func TestChoicesOfOneServiceDoNotTouch(t *testing.T) {
	choices := mock.Choices()
	alone, together := map[string]bool{}, 0
	used := make([]int, len(kinds))
	for _, service := range inTurn(choices) {
		here := map[int]bool{}
		for _, i := range service {
			name := choices[i].Name
			assert.False(t, alone[name], "%s is tried twice", name)
			alone[name] = true
			kind := kindOf(choices[i])
			if kind < 0 {
				assert.Len(t, service, 1, name)
				continue
			}
			assert.False(t, here[kind], "two of %s", kinds[kind])
			here[kind], together = true, together+1
			used[kind]++
			for _, other := range kinds[kind+1:] {
				assert.NotRegexp(t, other, name, "it is of two kinds")
			}
		}
	}
	assert.NotContains(t, used, 0, "a kind without choices")
	assert.Len(t, alone, len(choices), "each is tried")
	assert.GreaterOrEqual(t, together, 120)
}

func leftInPeace(t *testing.T, live bool) {
	choices := mock.Choices()
	assert.GreaterOrEqual(t, len(choices), 40, "choices")
	results := make([]steps.TrialResult, len(choices))
	try := func(service []int) steps.TrialResult {
		var these []mock.Choice
		for _, i := range service {
			these = append(these, choices[i])
		}
		first := these[0]
		trial := steps.Trial{Name: first.Name, Summary: first.Summary, Start: func() (*environment.Environment, func(), error) {
			e, end, err := started(mock.Config{Choices: these}, itself)
			if live && err == nil {
				e.Mock = nil
			}
			return e, end, err
		}}
		if first.Name == "slow-300ms" && !*whole {
			trial.Only = []string{"SOST-01", "REF-01", "GST-13", "TOK-17"} // all of it would take a minute
		}
		o := patient
		o.Retry = 2
		return steps.Try(context.Background(), []steps.Trial{trial}, o, 1)[0]
	}
	peaceful := func(t *testing.T, r steps.TrialResult) {
		assert.NoError(t, r.Err)
		assert.Empty(t, r.Odd)
		if r.Verdict == reports.Error && strings.HasPrefix(r.Name, "errors-") && live && strings.Join(r.Others, " ") == "SOST-15" {
			return // that a session token was good once shows nowhere where its refusal is that of a made-up one
		}
		if r.Verdict == reports.Error && hidesReasons(r.Name) && (live || r.Name == "unavailable-now-and-then") {
			return // its refusals of real and made-up values look alike, or the first sending may have been carried out
		}
		assert.True(t, r.Right, "%s: %s; others: %s; %s", r.Summary, r.Verdict, strings.Join(r.Others, " "), r.Reason)
	}
	t.Run("choice", func(t *testing.T) {
		turns := sideBySide(live)
		defer turns.all.Wait()
		for n, service := range inTurn(choices) {
			if !tried(n, 60, live) {
				continue
			}
			turns.take(t, choices[service[0]].Name, func(t *testing.T) {
				together := try(service)
				calm := together.Right && together.Err == nil && len(together.Odd) == 0
				for _, i := range service {
					results[i] = together
					if !calm && len(service) > 1 {
						results[i] = try([]int{i}) // which of them it was shows when each is alone
					}
					results[i].Name, results[i].Summary = choices[i].Name, choices[i].Summary
					peaceful(t, results[i])
				}
				if len(service) > 1 {
					assert.True(t, calm, "together: %s; others: %s; %s", together.Verdict, strings.Join(together.Others, " "), together.Reason)
				}
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
