// Package steps is what the scenarios of the conformance suite mean: it selects them, lets godog execute them against a service, judges
// every exchange, and weighs what was found into a report.
package steps

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/tokens"
	"agstest/internal/wire"
	"agstest/reports"
)

// run is one conformance run. Its fields are set before the first scenario and only read afterwards, but for those that say so.
type run struct {
	options     Options
	environment *environment.Environment
	client      *wire.Client
	// operatorClient is what getSessionToken is called with, where the file gives it an address or headers of its own; nil: client.
	operatorClient *wire.Client
	operatorKeys   func() ([]environment.SigningKey, error) // read once
	signed         atomic.Uint64                            // OperatorAuthTokens
	control        *control                                 // nil on a live service
	secrets        *wire.Redactor
	tokens         *tokens.Sources // of session tokens, where the environment file names one
	service        string          // x-auth-service-id where a scenario asks for nothing else
	services       []service       // as discovery told at the start
	// tokenParameter is what the service calls the session token of signOnWithSessionToken, where that is not sessionToken.
	tokenParameter string
	selection      selection
	known          map[string]KnownDeparture
	now            time.Time
	calm           map[*scenario]bool // that may run while nobody said yes
	concurrency    int
	ledger         *ledger
	played         map[string]*entry // by id of the scenario: what all its tries came to
	repetition     int               // counted from 0; a scenario that is tried again sends what it sent before
	notes          []string
	question       reports.Run

	late     *late
	deleted  atomic.Int64 // devices that the run made
	besides  atomic.Int64 // exchanges that belong to no step: controls, near misses and the like
	controls sync.Mutex   // held while a good request is sent only to see whether it is accepted
	turns    *turns       // of the scenarios that are played
	// sessionsApart: a sign-on of a device leaves its other sessions alone.
	sessionsApart bool
	stage         sync.RWMutex // held for writing by a scenario that must be alone

	fresh   sync.Map // session tokens that were had for one sign-on
	fetched sync.Map // session tokens from a source of the environment file

	mu        sync.Mutex                // guards what follows
	next      time.Time                 // when the next request may be sent, with a limited rate
	accepted  map[string]int            // how often a session token of the environment file was
	refused   map[string]*wire.Exchange // the first that refused a session token of the environment file
	wrong     map[string]int            // wrong passwords that were sent, by what else a user signs on with
	grants    map[string]int            // how often a good request of a call was accepted
	tried     map[string]int            // how often one was sent only to see that
	why       map[string]string         // why such a one was not accepted
	disturbed map[string]bool           // a limiter or a lost connection was why
	hung      map[string]bool           // scenarios, by id, that waited in vain for an answer
	// deviceKnown: a new device was accepted that is described as agstest does.
	deviceKnown bool
	apart       map[string]string // why a situation cannot be told apart from a made-up one; empty: it can
	idle        []string          // situations that do nothing

	relied map[string][]*exchange // refusals that were taken for the service's, by scenario
	waited []*exchange            // that belong to no step, and were waited for
	asked  map[string]*asked      // by kind of request
	broken string                 // what an action has changed and could not be put back

	own *ownDevices
}

// Run runs the selected scenarios against the service of the environment and reports what was found. Its errors are of the kinds
// failure.Usage (an unknown tag, profile or requirement, a step that means nothing, a feature file that cannot be read, no scenario) and
// failure.Setup (the service or the control interface cannot be reached). When ctx ends, the report of what was done so far is
// returned, marked as partial. Several runs may go on at once.
func Run(ctx context.Context, o Options) (*reports.Conformance, error) {
	if o.Environment == nil {
		return nil, failure.Usagef("no environment is given, so there is no service to check")
	}
	sources, all, err := understand(o.Features)
	if err != nil {
		return nil, err
	}
	chosen, err := choose(all, o)
	if err != nil {
		return nil, err
	}
	if sources, chosen.scenarios, err = staged(sources, chosen.scenarios); err != nil {
		return nil, err
	}
	r, err := newRun(o, chosen)
	if err != nil {
		return nil, err
	}
	defer r.client.Close()
	if r.operatorClient != nil {
		defer r.operatorClient.Close()
	}
	defer r.control.close()
	r.question = r.describe()
	if err := r.client.Reach(ctx); err != nil && ctx.Err() == nil {
		return nil, r.environment.Located(err)
	}
	if r.client.HTTP2() {
		r.notes = append(r.notes, "the service speaks HTTP/2 only, where the names of headers are in lower case however they are spelt: how it takes other spellings was not checked")
	}
	if ctx.Err() == nil {
		if err := r.diagnose(ctx, r.discover(ctx)); err != nil && ctx.Err() == nil {
			return nil, err
		}
		r.lookAtSessions(ctx)
		if err := r.playAll(ctx, sources, chosen.scenarios); err != nil {
			return nil, err
		}
	}
	r.clearOwn(ctx)
	partial := ""
	if ctx.Err() != nil {
		partial = oneLine(context.Cause(ctx).Error())
		if r.repetition > 0 {
			partial += fmt.Sprintf(" (in repetition %d of %d)", r.repetition+1, r.repetitions())
		}
	}
	r.question.Service = r.service
	r.question.End = r.question.Start.Add(r.clock().Sub(r.question.Start)) // however the clock of this machine was set meanwhile
	report := r.conclude(partial)
	for _, s := range sources {
		report.Features = append(report.Features, reports.Feature{File: s.name, Text: r.secrets.Text(string(s.content))})
	}
	return report, nil
}

func newRun(o Options, chosen selection) (*run, error) {
	r := &run{
		options: o, environment: o.Environment, tokens: tokens.New(o.Environment), selection: chosen, secrets: o.Secrets, known: map[string]KnownDeparture{},
		service: o.Environment.Service, concurrency: o.Concurrency, played: map[string]*entry{}, disturbed: map[string]bool{}, hung: map[string]bool{}, relied: map[string][]*exchange{}, accepted: map[string]int{}, own: newOwnDevices(), asked: map[string]*asked{},
		grants: map[string]int{}, tried: map[string]int{}, why: map[string]string{}, refused: map[string]*wire.Exchange{}, apart: map[string]string{}, wrong: map[string]int{},
	}
	if r.secrets == nil {
		r.secrets = newSecrets()
	}
	r.keep(o.Environment.Secrets()...)
	for _, d := range o.Known {
		r.known[d.ID] = d
	}
	target, err := o.Environment.Target()
	if err != nil {
		return nil, err
	}
	target.Timeout, target.Sleep = cmp.Or(o.Timeout, target.Timeout), o.Sleep
	if r.client, err = wire.NewClient(target); err != nil {
		return nil, err
	}
	if err := r.useOperator(o); err != nil {
		return nil, err
	}
	r.control = newControl(o.Environment.Mock)
	if r.concurrency <= 0 {
		switch {
		case r.control != nil:
			r.concurrency = 6
		case o.Calm != "":
			r.concurrency = 1
		default:
			r.concurrency = liveConcurrency
		}
	}
	r.calm = calmest(chosen.scenarios)
	if o.Calm != "" {
		r.notes = append(r.notes, "the environment is protected, so only what a calm client would send was sent; for the whole check say "+o.Calm)
	}
	r.now = r.clock()
	return r, nil
}

// newSecrets makes a redactor whose marks cannot be compared with those of other runs.
func newSecrets() *wire.Redactor {
	key := make([]byte, 32)
	rand.Read(key)
	return wire.NewRedactor(key)
}

func (r *run) clock() time.Time {
	if r.options.Now != nil {
		return r.options.Now()
	}
	return time.Now()
}

// keep tells the redactor values that must not be recorded.
func (r *run) keep(values ...string) { r.secrets.Add(values...) }

// describe says what the run asks. The caller completes what only it knows: the command and the version of the tool.
func (r *run) describe() reports.Run {
	id := make([]byte, 8)
	rand.Read(id)
	o, e := r.options, r.environment
	settings := map[string]string{"seed": fmt.Sprint(o.Seed), "strictness": o.Strictness.String(), "profile": "full"}
	if o.Profile != "" {
		settings["profile"] = o.Profile
	}
	if o.Tags != "" {
		settings["tags"] = o.Tags
	}
	if len(o.Only) > 0 {
		settings["only"] = strings.Join(o.Only, ",")
	}
	if o.Generate > 0 {
		settings["generate"] = fmt.Sprint(o.Generate)
	}
	if o.Sequences > 0 {
		settings["sequences"] = fmt.Sprint(o.Sequences)
	}
	if o.Slow {
		settings["slow"] = "true"
	}
	if n := r.repetitions(); n > 1 {
		settings["repeat"] = fmt.Sprint(n)
	}
	d := reports.Run{
		ID: hex.EncodeToString(id), Kind: "conform", Environment: e.Name, URL: e.URL, Tenant: e.Tenant, Service: r.service, Release: e.Release,
		Settings: settings, Tool: reports.Tool{Go: runtime.Version()},
		Machine: reports.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}, Start: r.now,
	}
	if e.Mock != nil {
		d.Mock = &reports.Mock{}
	}
	return d
}

// pace waits until the next request may be sent.
func (r *run) pace(ctx context.Context) error {
	if r.options.MaxRate <= 0 {
		return ctx.Err()
	}
	r.mu.Lock()
	now := time.Now()
	if r.next.Before(now) {
		r.next = now
	}
	wait := r.next.Sub(now)
	r.next = r.next.Add(time.Duration(float64(time.Second) / r.options.MaxRate))
	r.mu.Unlock()
	return pause(ctx, wait)
}

func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// worked counts how often a session token of the environment file was accepted in this run.
func (r *run) worked(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accepted[token]++
}

func (r *run) timesWorked(token string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.accepted[token]
}

// refusedBefore tells whether a session token of the environment file was refused in an earlier exchange of this run, and remembers the first.
func (r *run) refusedBefore(token string, x *exchange) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.refused[token]
	if first == nil {
		first = x.Exchange
		r.refused[token] = first
	}
	return first != x.Exchange
}
