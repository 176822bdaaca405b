package mock

import (
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The states of an account (the page "Activating, suspending, restricting and cancelling accounts").
const (
	active     = "ACTIVE"
	suspended  = "SUSPENDED"
	restricted = "RESTRICTED"
	cancelled  = "CANCELLED"
)

// The states of a device (the page "Device limits").
const (
	enabled  = "ENABLED"
	disabled = "DISABLED"
	inactive = "INACTIVE"
)

// state is everything that calls change. The mutex guards all of it; tokens are signed outside of it.
type state struct {
	mutex         sync.Mutex
	random        *rand.ChaCha8
	offset        time.Duration // of the service's clock
	tenants       map[string]*tenant
	sessions      expiring[session]
	userTokens    expiring[offer]
	spent         expiring[struct{}] // signatures of refresh tokens that a refresh has ended
	registrations expiring[registration]
	activations   expiring[activation]
	operators     expiring[struct{}] // tokens of operators
	operatorJTIs  expiring[struct{}] // of OperatorAuthTokens that are good for one call
	standing      map[string]session // tokens of the fixtures, good any number of times
	serial        uint64             // of the last token pair
	serialBase    uint64
	issued        uint64 // session tokens that were counted up
	devices       int    // that take room
	maxDevices    int
	refused       int // first-time sign-ons for which there was no room
	newAccounts   int
	choices       []Choice // that Reset comes back to
	faults        []Fault
	population    string // prefix of the session tokens of the load population
}

type tenant struct {
	id       string
	services []Service
	platform platform
	accounts map[string]*account
	devices  map[string]*device
	users    map[string]user
}

// platform are a tenant's switches (the page "Network settings").
type platform struct {
	VPNBlocking  bool `json:"vpnBlocking"`
	GeoBlocking  bool `json:"geoBlocking"`
	GeoFiltering bool `json:"geoFiltering"`
}

type user struct {
	password string
	accounts []string
}

type account struct {
	id           string
	status       string
	first        string // the status it was made with
	deviceLimit  int
	groupClass   string
	groupLimit   int
	offset       time.Duration // of its own clock
	devices      []*device
	counted      int  // devices that count towards the limit
	troubled     bool // it was not active at some time
	wasCancelled bool
	provider     *string // what an operator's call must send back to keep it; nil: null
	virtual      bool
	sessions     []uint64  // the serials of its sessions, where their number is limited
	lastSession  string    // the session token that was minted last, where a new one ends it
	begins, ends time.Time // between these it is valid; zero: whenever
}

type device struct {
	id       string
	account  string
	class    string
	status   string
	activity string
	approved bool
	deleted  bool
	managed  bool
	virtual  bool
	ended    uint64 // token pairs up to this serial are signed out
}

func (d *device) counts() bool {
	return !d.deleted && !d.managed && d.status == enabled && d.activity == active
}

// session is the tenant and account of a session token.
type session struct {
	tenant, account string
	used            bool
}

// offer is the content of a userAccountToken: an account that can be picked, and the device that asked.
type offer struct {
	tenant, account, service string
	register                 bool
	argument                 deviceArgument
	used                     bool
}

// validAt tells whether a moment lies between the account's start and end dates (the page "Creating accounts").
func (a *account) validAt(now time.Time) bool {
	return !now.Before(a.begins) && (a.ends.IsZero() || now.Before(a.ends))
}

func (a *account) recount() {
	a.counted = 0
	for _, d := range a.devices {
		if d.counts() {
			a.counted++
		}
	}
}

func (a *account) inGroup(class string) int {
	n := 0
	for _, d := range a.devices {
		if d.counts() && d.class == class {
			n++
		}
	}
	return n
}

// account finds an account, one of the load population too: that is made up on the spot and kept only by keep.
func (s *state) account(t *tenant, id string) *account {
	if a, found := t.accounts[id]; found {
		return a
	}
	n, found := populationNumber(id, "L")
	if !found || t.id != firstTenant {
		return nil
	}
	number := strconv.Itoa(n)
	d := &device{id: "LOAD_" + number, account: id, status: enabled, activity: active, approved: true, virtual: true}
	return &account{id: id, status: active, first: active, deviceLimit: 20, devices: []*device{d}, counted: 1,
		virtual: true, provider: &firstProvider}
}

// device finds a device, one of the load population too.
func (s *state) device(t *tenant, id string) *device {
	if d, found := t.devices[id]; found {
		return d
	}
	n, found := populationNumber(id, "LOAD_")
	if !found || t.id != firstTenant {
		return nil
	}
	if a := s.account(t, "L"+strconv.Itoa(n)); a != nil {
		return a.devices[0]
	}
	return nil
}

// keep turns an account of the load population into one that can be changed; false if there is no room.
func (s *state) keep(t *tenant, a *account) bool {
	if !a.virtual {
		return true
	}
	if s.devices >= s.maxDevices {
		s.refused++
		return false
	}
	a.virtual = false
	t.accounts[a.id] = a
	for _, d := range a.devices {
		d.virtual = false
		t.devices[d.id] = d
		s.devices++
	}
	return true
}

// add gives an account a new device. Nil: no room.
func (s *state) add(t *tenant, a *account, id, class string) *device {
	if !s.keep(t, a) {
		return nil
	}
	if s.devices >= s.maxDevices {
		s.refused++
		return nil
	}
	s.devices++
	d := &device{id: id, account: a.id, class: class, status: enabled, activity: active, approved: true}
	a.devices = append(a.devices, d)
	a.counted++
	t.devices[id] = d
	return d
}

func (s *state) nextSerial() uint64 {
	s.serial++
	return s.serial
}

func (s *state) bytes(n int) []byte {
	b := make([]byte, n)
	_, _ = s.random.Read(b) // ChaCha8 never fails
	return b
}

func (s *state) hex(n int) string { return hex.EncodeToString(s.bytes(n)) }

// text is an opaque value of lower-case letters and digits, with a little more than 5 bits in each.
func (s *state) text(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	b := s.bytes(n)
	for i := range b {
		b[i] = letters[int(b[i])%len(letters)]
	}
	return string(b)
}

// The load population: client n has the session token <prefix>-n, the device LOAD_n and the account Ln of the first
// tenant. Nothing of it is held before something changes it.
const populationSize = 100_000_000

// populationNumber reads the n of a name such as L17.
func populationNumber(name, prefix string) (int, bool) {
	digits, found := strings.CutPrefix(name, prefix)
	if !found || len(digits) == 0 || len(digits) > 9 || digits[0] < '1' || digits[0] > '9' {
		return 0, false
	}
	n := 0
	for i := 0; i < len(digits); i++ {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, false
		}
		n = n*10 + int(digits[i]-'0')
	}
	return n, n <= populationSize
}

// session returns the session of a session token, with the time when it ends; zero: never.
func (s *state) session(t *tenant, token string) (found session, expires time.Time, standing, ok bool) {
	if kept, expires, ok := s.sessions.get(token); ok {
		return kept, expires, false, true
	}
	if kept, ok := s.standing[token]; ok {
		return kept, time.Time{}, true, true
	}
	if n, ok := populationNumber(token, s.population+"-"); ok {
		return session{tenant: firstTenant, account: "L" + strconv.Itoa(n)}, time.Time{}, true, true
	}
	return session{}, time.Time{}, false, false
}
