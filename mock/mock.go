// Package mock is a stateful Authentication Gateway Service (AGS) for tests: tenants, accounts, devices, session tokens
// and signed tokens behind the nine published calls, and a few calls around them. It follows the published facts and
// shares no code with the judge, so that a mistake in one cannot hide in the other.
//
// A Server is an http.Handler. Behaviour and Choice select what the public pages leave open; Faults switch on what they
// forbid; the control interface moves the clock and changes states from outside.
package mock

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	randv2 "math/rand/v2"
)

// Version is told in the header MarkHeader of every answer, so that nobody takes the mock for the real service.
const (
	Version    = "1"
	MarkHeader = "X-Agstest-Mock"
)

// Config are the options of a mock; the zero value works.
type Config struct {
	// Clock is the time that the service starts from; time.Now when nil.
	Clock func() time.Time
	// Seed makes ids, tokens and secrets the same in every run; 0: random. A seed is for tests only, since it gives the
	// secrets away.
	Seed      uint64
	Behaviour Behaviour
	Choices   []Choice
	Faults    []Fault
	// OperatorSecret signs OperatorAuthTokens (at least 32 bytes, RFC 7518 section 3.2), SigningKey the service's own
	// tokens. Made up at start when empty.
	OperatorSecret string
	OperatorKeyID  string
	SigningKey     string
	SigningKeyID   string
	// ControlToken opens the control interface. Made up at start when empty.
	ControlToken string
	// Services are offered by the tenants nagra and acme; the tenant empty offers none.
	Services []Service
	// MaxDevices bounds the devices that are held, 500,000 by default. A first-time sign-on beyond it gets 503 and is
	// counted.
	MaxDevices int
	// MaxTokens bounds the session tokens that are held, 2,000,000 by default. Beyond it getSessionToken answers 503.
	MaxTokens int
}

// Server is the mock. All methods are safe for concurrent use.
type Server struct {
	config   Config
	clock    func() time.Time
	state    state
	secret   secrets
	operator *signer
	signers  map[string]*signer // by algorithm
	setting  atomic.Pointer[setting]
	refusals atomic.Uint64
}

// secrets are the secrets that the mock made up or was given at start.
type secrets struct {
	operator, operatorKeyID, signing, signingKeyID, control string
	password                                                string
	standing                                                map[string]string // session tokens by situation
	expiredRefresh                                          string
	population                                              string
}

// setting is the combined effect of behaviour, choices and faults. It is replaced as a whole.
type setting struct {
	behaviour       Behaviour
	choices, faults []string
	off             map[ruleKey]bool
	near            []nearness
	outcomes        map[ruleKey]outcome
	replies         []func(*call, *reply)
	drafts          []func(*call, *draft)
	compacts        []func(*call, *draft, string) string
	handler         http.Handler
}

// New makes a mock.
func New(config Config) *Server {
	s := &Server{config: config, clock: config.Clock}
	if s.clock == nil {
		s.clock = time.Now
	}
	s.state.random = source(config.Seed)
	s.state.serialBase = 1<<62 + uint64(binary.LittleEndian.Uint32(s.state.bytes(4))>>11)<<40
	s.secret = secrets{
		operator:      cmp.Or(config.OperatorSecret, s.state.text(40)),
		operatorKeyID: cmp.Or(config.OperatorKeyID, uuid(s.state.bytes(16))),
		signing:       cmp.Or(config.SigningKey, string(s.state.bytes(32))),
		signingKeyID: cmp.Or(config.SigningKeyID,
			fmt.Sprintf("%06d", 100000+int(binary.LittleEndian.Uint32(s.state.bytes(4)))%900000)),
		control:    cmp.Or(config.ControlToken, s.state.text(32)),
		password:   s.state.text(16),
		standing:   map[string]string{},
		population: s.state.text(16),
	}
	for _, situation := range standingSituations {
		s.secret.standing[situation.name] = s.state.text(24)
	}
	s.operator = newSigner("HS256", s.secret.operatorKeyID, []byte(s.secret.operator))
	s.signers = map[string]*signer{}
	for algorithm := range algorithms {
		s.signers[algorithm] = newSigner(algorithm, s.secret.signingKeyID, []byte(s.secret.signing))
	}
	s.state.choices, s.state.faults = config.Choices, config.Faults
	s.restore()
	s.apply(config.Choices, config.Faults)
	s.secret.expiredRefresh = s.expiredRefresh()
	return s
}

func source(seed uint64) *randv2.ChaCha8 {
	var key [32]byte
	if seed == 0 {
		if _, err := rand.Read(key[:]); err != nil {
			panic("mock: the machine gives no randomness: " + err.Error())
		}
	} else {
		binary.LittleEndian.PutUint64(key[:], seed)
	}
	return randv2.NewChaCha8(key)
}

func uuid(b []byte) string {
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // RFC 9562 section 5.4
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// apply replaces choices and faults; the behaviour of Config stays underneath.
func (s *Server) apply(choices []Choice, faults []Fault) {
	set := &setting{behaviour: s.config.Behaviour, off: map[ruleKey]bool{}, outcomes: map[ruleKey]outcome{},
		choices: []string{}, faults: []string{}}
	for _, h := range choices {
		set.choices = append(set.choices, h.Name)
		set.near = append(set.near, h.near...)
		if h.Apply != nil {
			h.Apply(&set.behaviour)
		}
		maps.Copy(set.outcomes, h.outcomes)
		set.spoil(h.means)
	}
	for _, f := range faults {
		set.faults = append(set.faults, f.Name)
		set.near = append(set.near, f.near...)
		set.spoil(f)
	}
	set.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(set, w, r) })
	for _, h := range choices {
		if h.Transport != nil {
			set.handler = h.Transport(set.handler)
		}
	}
	for _, f := range faults {
		if f.transport != nil {
			set.handler = f.transport(set.handler)
		}
	}
	s.setting.Store(set)
}

// spoil applies all changes of a fault but its transport.
func (set *setting) spoil(f Fault) {
	for _, r := range f.rules {
		if f.operations == nil {
			set.off[ruleKey{r, ""}] = true
		}
		for _, operation := range f.operations {
			set.off[ruleKey{r, operation}] = true
		}
	}
	if f.reply != nil {
		set.replies = append(set.replies, forOperations(f.operations, f.reply))
	}
	if f.draft != nil {
		set.drafts = append(set.drafts, forOperations(f.operations, f.draft))
	}
	if f.compact != nil {
		operations, change := f.operations, f.compact
		set.compacts = append(set.compacts, func(c *call, d *draft, compact string) string {
			if operations != nil && !slices.Contains(operations, c.operation) {
				return compact
			}
			return change(c, d, compact)
		})
	}
}

func forOperations[T any](operations []string, change func(*call, T)) func(*call, T) {
	if operations == nil {
		return change
	}
	return func(c *call, t T) {
		if slices.Contains(operations, c.operation) {
			change(c, t)
		}
	}
}

// ServeHTTP answers a call of the service.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header()[MarkHeader] = markValue
	s.setting.Load().handler.ServeHTTP(w, r)
}

var markValue = []string{Version}

// Advance moves the clock of the service.
func (s *Server) Advance(d time.Duration) {
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	s.state.offset += d
}

// Now is the time of the service.
func (s *Server) Now() time.Time {
	s.state.mutex.Lock()
	defer s.state.mutex.Unlock()
	return s.now(s.setting.Load())
}

// now is the time of the service; the caller holds the mutex.
func (s *Server) now(set *setting) time.Time {
	node := time.Duration(0)
	if set.behaviour.NodeOffset != nil {
		node = set.behaviour.NodeOffset()
	}
	return s.clock().Add(s.state.offset + set.behaviour.ClockOffset + node)
}

// Secrets are the values that must not show up in any output: keys, passwords, the control token and the standing
// tokens. The tokens of the load population all begin with one of them.
func (s *Server) Secrets() []string {
	found := []string{s.secret.operator, hex.EncodeToString([]byte(s.secret.signing)), s.secret.control,
		s.secret.password, s.secret.population, s.secret.expiredRefresh}
	if s.config.SigningKey != "" {
		found = append(found, s.config.SigningKey)
	}
	for _, token := range s.secret.standing {
		found = append(found, token)
	}
	slices.Sort(found)
	return found
}

// ControlToken opens the control interface.
func (s *Server) ControlToken() string { return s.secret.control }

// Use replaces choices and faults by those of the given names, for good: Reset comes back to them. An unknown name is
// an error and changes nothing.
func (s *Server) Use(choices, faults []string) error {
	h, f, err := named(choices, faults)
	if err != nil {
		return err
	}
	s.state.mutex.Lock()
	s.state.choices, s.state.faults = h, f
	s.state.mutex.Unlock()
	s.apply(h, f)
	return nil
}

// named finds choices and faults by their names.
func named(choices, faults []string) ([]Choice, []Fault, error) {
	var h []Choice
	var f []Fault
	for _, name := range choices {
		choice, found := ChoiceByName(name)
		if !found {
			return nil, nil, errors.New("no choice is called " + quote(name) + "; GET /control/choices lists them")
		}
		h = append(h, choice)
	}
	for _, name := range faults {
		fault, found := FaultByName(name)
		if !found {
			return nil, nil, errors.New("no fault is called " + quote(name) + "; GET /control/faults lists them")
		}
		f = append(f, fault)
	}
	return h, f, nil
}

func quote(s string) string { return fmt.Sprintf("%q", strings.ToValidUTF8(s, "?")) }
