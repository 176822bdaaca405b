package scene

import (
	"cmp"
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"agstest/internal/actions"
	"agstest/internal/environment"
	"agstest/internal/redact"
	"agstest/internal/tokens"
	"agstest/internal/wire"
	"agstest/steps/script"
	"agstest/steps/talk"
)

// Setting is the part of a run's options that its stage needs.
type Setting struct {
	Environment *environment.Environment
	Seed        uint64  // of everything that is invented
	Generate    int     // generated bad requests for each operation
	Sequences   int     // random sequences of calls
	Calm        string  // consent that is missing for requests a calm client does not send; empty: it was given
	MaxRate     float64 // requests a second at most; 0: no limit
	Patience    time.Duration
	Timeout     time.Duration // for one exchange; 0: as the environment file says
	Sleep       func(context.Context, time.Duration) error
	Actions     *actions.Keeper  // nil: no states are changed on a live service
	ActionsWant string           // the consent that is missing for those of the file; empty: none is
	Secrets     *redact.Redactor // nil: one of its own
}

// Stage is shared by all scenarios of a run: the service, the means to change its states, and what the run learnt of
// it. Its fields are set before the first scenario and only read afterwards, but for those that say so.
type Stage struct {
	Options     Setting
	Environment *environment.Environment
	Client      *wire.Client
	// operatorClient calls getSessionToken, if the file gives it an address or headers of its own; nil: client does.
	operatorClient *wire.Client
	OperatorKeys   func() ([]environment.SigningKey, error) // read once
	signed         atomic.Uint64                            // OperatorAuthTokens
	Control        *talk.Control                            // nil on a live service
	Secrets        *redact.Redactor
	tokens         *tokens.Sources    // of session tokens, where the environment file names one
	values         *tokens.Values     // of headers that are renewed
	encryption     *tokens.Encryption // of passwords; nil: they are sent as they are
	Service        string             // x-auth-service-id where a scenario asks for nothing else
	Services       []talk.Service     // as discovery told at the start
	scenarios      []*script.Scenario // that were chosen
	Concurrency    int
	Repetition     int // counted from 0; a scenario that is tried again sends the same requests
	Notes          []string

	Late     *Late
	deleted  atomic.Int64 // devices that the run made
	Besides  atomic.Int64 // exchanges that belong to no step: controls, near misses and the like
	controls sync.Mutex   // held while a good request is sent only to see whether it is accepted
	// SessionsApart: a sign-on of a device leaves its other sessions alone, and those of another device.
	SessionsApart bool
	// tokensReplaced: a new session token ends the one that its account had.
	tokensReplaced atomic.Bool

	// UsersDeviceSpared: the device of the user with credentials may be signed out, and signs on with a session token.
	UsersDeviceSpared bool

	// Early is a session of the active device from before the first scenario, for scenarios that need a session that
	// has lasted; nil: there is none, or another scenario has it.
	Early atomic.Pointer[talk.Client]

	underWay gate // of requests that wait for their answers

	outage      outage
	limiter     limiter
	unreachable unreachable
	suspects    suspects
	ahead       ahead
	fresh       sync.Map // session tokens that were had for one sign-on
	fetched     sync.Map // session tokens from a source of the environment file

	mu            sync.Mutex                // guards what follows
	next          time.Time                 // when the next request may be sent, with a limited rate
	accepted      map[string]int            // how often a session token of the environment file was
	refused       map[string]*wire.Exchange // the first that refused a session token of the environment file
	wrong         map[string]int            // wrong passwords that were sent, by the other credentials of the user
	grants        map[string]int            // how often a good request of a call was accepted
	users         map[string]bool           // who was let in by credentials (userOf)
	Tried         map[string]int            // how often one was sent only to see that
	why           map[string]string         // why such a request was not accepted
	disturbed     map[string]bool           // a limiter or a lost connection was why
	Hung          map[string]bool           // scenarios, by id, that waited in vain for an answer
	guard         sync.Once
	guarded, told []string // of the environment file: see Guarded
	keys          []string // of guarded, those of the operator
	// deviceKnown: a new device was accepted that is described as agstest does.
	deviceKnown bool
	// issuedRefresh is a refresh token that the service has issued in this run.
	issuedRefresh string
	apart         map[string]string // why a situation cannot be told apart from a made-up one; empty: it can
	// by call and account, what else is refused from a blocked place; empty: nothing is
	refusedThere map[string]string
	Idle         []string                 // situations that do nothing
	AtFirst      map[string]int           // the status that refused the session token of a situation at its first use
	room         map[*talk.Exchange]error // refusals of new devices that name no reason; nil: the account is not why

	Relied map[string][]*talk.Exchange // refusals that were taken for the service's, by scenario
	Waited []*talk.Exchange            // that belong to no step, and were waited for
	asked  map[string]*asked           // by kind of request
	broken string                      // what an action has changed and could not be put back

	Own *ownDevices
}

func NewStage(o Setting, scenarios []*script.Scenario) (*Stage, error) {
	r := &Stage{
		underWay: gate{free: maxUnderWay},
		Options:  o, Environment: o.Environment, tokens: tokens.New(
			o.Environment), Secrets: o.Secrets, Service: o.Environment.Service, scenarios: scenarios,
		disturbed: map[string]bool{}, Hung: map[string]bool{}, Relied: map[string][]*talk.Exchange{},
		accepted: map[string]int{}, Own: newOwnDevices(), asked: map[string]*asked{},
		grants: map[string]int{}, users: map[string]bool{},
		Tried: map[string]int{}, why: map[string]string{}, refused: map[string]*wire.Exchange{},
		apart: map[string]string{}, refusedThere: map[string]string{}, wrong: map[string]int{}, AtFirst: map[string]int{},
		room: map[*talk.Exchange]error{}, limiter: limiter{alike: map[string]bool{}, looks: map[string]int{}},
		outage: outage{compared: map[string]int{}},
	}
	if r.Secrets == nil {
		r.Secrets = NewSecrets()
	}
	r.Keep(o.Environment.Secrets()...)
	target, err := o.Environment.Target()
	if err != nil {
		return nil, err
	}
	target.Timeout, target.Sleep = cmp.Or(o.Timeout, target.Timeout), o.Sleep
	r.values, r.encryption = tokens.NewValues(o.Environment, r.Keep), tokens.NewEncryption(o.Environment)
	target.Renewed = r.values.Headers(o.Environment.RenewedHeaders)
	if r.Client, err = wire.NewClient(target); err != nil {
		return nil, err
	}
	if err := r.useOperator(o); err != nil {
		return nil, err
	}
	r.Control = talk.NewControl(o.Environment.Mock)
	return r, nil
}

// Close closes all that a stage keeps open.
func (r *Stage) Close() {
	r.EndAhead()
	r.Client.Close()
	if r.operatorClient != nil {
		r.operatorClient.Close()
	}
	r.Control.Close()
}

// NewSecrets returns a redactor whose marks cannot be compared with those of other runs.
func NewSecrets() *redact.Redactor {
	key := make([]byte, 32)
	rand.Read(key)
	return redact.New(key)
}

// NoteOnce adds a note for the report, unless it is there already.
func (r *Stage) NoteOnce(note string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !slices.Contains(r.Notes, note) {
		r.Notes = append(r.Notes, note)
	}
}

// Keep tells the redactor values that must not be recorded. Words that programs send for a value that they do not have
// are no secrets, and stand in many sentences.
func (r *Stage) Keep(values ...string) {
	for _, value := range values {
		if value != "null" && value != "undefined" {
			r.Secrets.Add(value)
		}
	}
}

// Pace waits until the next request may be sent.
func (r *Stage) Pace(ctx context.Context) error {
	if r.Options.MaxRate <= 0 {
		return ctx.Err()
	}
	r.mu.Lock()
	now := time.Now()
	if r.next.Before(now) {
		r.next = now
	}
	wait := r.next.Sub(now)
	r.next = r.next.Add(time.Duration(float64(time.Second) / r.Options.MaxRate))
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
func (r *Stage) worked(token string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.accepted[token]++
}

func (r *Stage) TimesWorked(token string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.accepted[token]
}

// refusedBefore tells whether a session token of the environment file was refused in an earlier exchange of this run,
// and remembers the first.
func (r *Stage) refusedBefore(token string, x *talk.Exchange) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.refused[token]
	if first == nil {
		first = x.Exchange
		r.refused[token] = first
	}
	return first != x.Exchange
}

func (r *Stage) refusedAtFirst(situation string, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.AtFirst[situation] = status
}
