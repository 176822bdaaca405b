package load

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/reports"
)

// The workloads, by what an AGS sees of its users.
const (
	WorkloadSignOn      = "signon"       // sign-ons of known devices (n-th time)
	WorkloadSignOnFirst = "signon-first" // first-time sign-ons, each of which creates a device
	WorkloadRefresh     = "refresh"      // clients that stay signed in: each refresh uses the token of the answer before
	WorkloadMixed       = "mixed"        // sign-ons, refreshes and discoveries in given shares
	WorkloadLifecycle   = "lifecycle"    // discover, sign on, refresh several times, sign out
	WorkloadHeadEnd     = "head-end"     // getSessionToken, then sign on with it
)

// Workloads are all of them, the usual ones first.
var Workloads = []string{WorkloadSignOn, WorkloadRefresh, WorkloadMixed, WorkloadLifecycle, WorkloadHeadEnd, WorkloadSignOnFirst}

// defaultRefreshes is how often a client of the workload lifecycle refreshes before it signs out.
const defaultRefreshes = 5

// Traffic is what a run sends and as whom. The zero value of each field but Workload works.
type Traffic struct {
	Workload string
	Mix      map[string]int // of mixed; see ParseMix
	// Clients is how many virtual clients take part; 0 means as many as the rate needs.
	Clients int
	// Refreshes of one client of the workload lifecycle before it signs out; 0 means 5.
	Refreshes int
	// ReuseSessions: the service takes a session token more than once. The pages do not say, so that otherwise each sign-on uses one
	// of its own.
	ReuseSessions bool
	// IgnoreRetryAfter: a client that was asked to come again later (429, 503) does not wait.
	IgnoreRetryAfter bool
	// JudgeEvery: all token rules are checked on 1 of so many answers; 0 means 100, 1 means every one. Identity and uniqueness are
	// checked on all.
	JudgeEvery int

	skip int // clients whose session tokens an earlier run of the same search used
}

// demand is what a workload needs for a schedule.
type demand struct {
	starters int // clients that sign on, or go through a whole life
	chains   int // clients that are signed in before the clock starts
	rounds   int // session tokens of each starter that must be minted
	sessions int // all session tokens that must be minted
}

// crowd is the virtual clients of a run and the Workload they make.
type crowd struct {
	Traffic
	names    []string
	index    [stepCount]int
	mix      *mixer
	who      *roster
	requests *requests
	tenant   string
	service  string
	seal     sealer
	seen     *seenSet
	sampled  sampler

	clients []client
	access  [][]byte // sealed access tokens, for those who sign out
	fresh   queue    // clients at the start of what they do
	ongoing queue    // clients in the middle of it
	spares  atomic.Int64
	live    atomic.Int64 // clients that have not retired
	broken  atomic.Int64 // clients whose chain broke
	hits    sync.Pool

	supply   supply
	planned  demand
	accounts []uint64 // hash of the account that a client's first answer named, where the environment does not say

	sameJTI atomic.Int64 // sign-ons answered with the jti of the client's own earlier session
	judged  atomic.Int64
}

// client is what is kept of one virtual client. It is touched by the one hit that has the client, so it needs no lock.
type client struct {
	token []byte // sealed: the session token or the refresh token that the client holds
	jti   uint64 // hash of the jti of its tokens
	used  uint32 // session tokens used
	turn  uint32 // answers judged
	holds holding
	stage uint8 // of the workload lifecycle
}

type holding uint8

const (
	holdsNothing holding = iota
	holdsSession
	holdsRefresh
)

// noClient is the client of a hit that needs none.
const noClient = math.MaxUint32

// supply is where session tokens come from.
type supply struct {
	source sessionSource
	rounds int      // session tokens of each starter
	minted []string // round by round those of the starters, then one of each chain
}

type sessionSource uint8

const (
	ownOnce     sessionSource = iota // each client's own, once
	ownReusable                      // each client's own, any number of times
	mintedAhead                      // from getSessionToken
	mintedInRun                      // by hits of the workload itself
)

// newCrowd plans the clients of a run of so many hits (0: not known) with a peak rate in hits a second, and says in its error how many
// clients are needed where there are too few. Nothing is sent.
func newCrowd(e *environment.Environment, t Traffic, hits uint64, peak float64, seed uint64, shard Shard) (*crowd, error) {
	if t.Refreshes == 0 {
		t.Refreshes = defaultRefreshes
	}
	if t.Refreshes < 1 || t.Refreshes > 200 {
		return nil, failure.Usagef("a lifecycle of %d refreshes is not possible; give 1 to 200", t.Refreshes)
	}
	if t.JudgeEvery == 0 {
		t.JudgeEvery = defaultJudgeEvery
	}
	if t.JudgeEvery < 1 {
		return nil, failure.Usagef("all token rules cannot be checked on 1 of %d answers; give 1 or more", t.JudgeEvery)
	}
	if t.Clients < 0 {
		return nil, failure.Usagef("%d virtual clients are not possible; give 1 or more", t.Clients)
	}
	c := &crowd{Traffic: t, tenant: e.Tenant, seen: newSeenSet()}
	c.hits.New = func() any { return new(hit) }
	c.sampled.skew = e.ClockSkew
	if err := c.chooseSteps(e, seed); err != nil {
		return nil, err
	}
	var err error
	if c.who, err = newRoster(e); err != nil {
		return nil, err
	}
	c.who.keep(shard)
	c.who.skip(t.skip)
	if !c.who.hasDevices && c.Workload != WorkloadSignOnFirst {
		return nil, failure.Usagef("the workload %s signs known devices on, and load.clients of %s gives no clientId; add it", c.Workload, e.Name)
	}
	if err := c.chooseSessions(e); err != nil {
		return nil, err
	}
	need, err := c.demand(e, hits, peak)
	if err != nil {
		return nil, err
	}
	c.arrange(need)
	c.requests = newRequests(e, e.Service, seed)
	c.service = e.Service
	return c, nil
}

// chooseSteps says which operations the workload sends, the ones it is made for first.
func (c *crowd) chooseSteps(e *environment.Environment, seed uint64) error {
	var steps []step
	switch c.Workload {
	case WorkloadSignOn:
		steps = []step{stepSignOn}
	case WorkloadSignOnFirst:
		if !e.Allow.FirstTime {
			return failure.Usagef("the workload signon-first creates a device with every hit, and the environment %s does not allow it; where that is wanted, add allow: {first-time: true}", e.Name)
		}
		steps = []step{stepSignOnFirst}
	case WorkloadRefresh:
		steps = []step{stepRefresh}
	case WorkloadMixed:
		mix, err := newMixer(c.Mix, seed)
		if err != nil {
			return err
		}
		c.mix, steps = mix, mix.steps
	case WorkloadLifecycle:
		steps = []step{stepDiscover, stepSignOn, stepRefresh, stepSignOut}
	case WorkloadHeadEnd:
		steps = []step{stepMint, stepSignOn}
	default:
		return failure.Usagef("there is no workload %q; the workloads are %s", c.Workload, strings.Join(Workloads, ", "))
	}
	if c.Workload != WorkloadMixed && len(c.Mix) > 0 {
		return failure.Usagef("a mix belongs to the workload mixed, not to %s", c.Workload)
	}
	// A client whose chain broke signs on again, with a new session token where those are minted.
	for _, s := range []step{stepSignOn, stepMint} {
		if slices.Contains(steps, stepRefresh) && !slices.Contains(steps, s) {
			steps = append(slices.Clone(steps), s)
		}
	}
	for i, s := range steps {
		c.names = append(c.names, s.String())
		c.index[s] = i
	}
	return nil
}

// measures names the operations that the workload is made of, without those it needs only to mend a broken chain.
func (c *crowd) measures() []string {
	switch c.Workload {
	case WorkloadRefresh:
		return []string{opRefresh}
	case WorkloadMixed:
		var names []string
		for _, s := range c.mix.steps {
			names = append(names, s.String())
		}
		return names
	case WorkloadLifecycle:
		return []string{opDiscover, opSignOn, opRefresh, opSignOut}
	}
	return c.names
}

func (c *crowd) chooseSessions(e *environment.Environment) error {
	canMint := e.Operator != nil && (e.Operator.Account != "" || c.who.hasAccounts)
	switch {
	case c.Workload == WorkloadHeadEnd:
		c.supply.source = mintedInRun
		if !canMint {
			return failure.Usagef("the workload head-end asks for session tokens, which needs the secret and an account of the operator; add operator to %s", e.Name)
		}
	case c.who.hasSessions && c.ReuseSessions:
		c.supply.source = ownReusable
	case c.who.hasSessions:
		c.supply.source = ownOnce
	case canMint:
		c.supply.source = mintedAhead
	default:
		return failure.Usagef("the virtual clients of %s have no session tokens; add sessionToken to load.clients, or operator so that they can be minted", e.Name)
	}
	return nil
}

// demand works out how many clients and session tokens a schedule needs, and whether the environment has them.
func (c *crowd) demand(e *environment.Environment, hits uint64, peak float64) (demand, error) {
	var d demand
	signOns, chainRate, starterRate := hits, 0.0, peak
	switch c.Workload {
	case WorkloadRefresh:
		signOns, chainRate, starterRate = 0, peak, 0
	case WorkloadMixed:
		signOns = c.mix.most(stepSignOn, hits)
		chainRate, starterRate = peak*c.mix.part(stepRefresh), peak*c.mix.part(stepSignOn)
	case WorkloadLifecycle:
		// Lives are begun in turn; some more are under way at the end.
		life := uint64(c.Refreshes + 3)
		signOns = (hits+life-1)/life + uint64(enough(peak))
	}
	offered := c.who.count
	chains, starters := 0, 0
	if chainRate > 0 {
		chains = enough(chainRate)
	}
	if starterRate > 0 {
		starters = enough(starterRate)
	}
	if hits > 0 {
		chains = int(min(uint64(chains), hits))
		starters = int(min(uint64(starters), max(1, signOns)))
	}
	if c.Clients > 0 {
		switch {
		case chains == 0:
			starters = c.Clients
		case starters == 0:
			chains = c.Clients
		default:
			chains = max(1, int(math.Round(float64(c.Clients)*chainRate/(chainRate+starterRate))))
			starters = c.Clients - chains
		}
	}
	if c.supply.source == ownOnce && starterRate > 0 {
		starters = int(min(signOns, math.MaxInt32))
		if hits == 0 { // not known: all that are left; the run ends with them
			starters = max(0, offered-chains)
		}
		if c.Clients > 0 && chains > 0 {
			chains = max(1, c.Clients-starters)
		}
		if c.Clients > 0 && starters+chains > c.Clients {
			return d, c.tooFew(e, starters, chains, c.Clients)
		}
	}
	if starterRate > 0 && starters < 1 || chainRate > 0 && chains < 1 {
		return d, failure.Usagef("%d virtual clients cannot do the workload %s; give more", c.Clients, c.Workload)
	}
	if c.Clients > offered {
		return d, failure.Usagef("%s virtual clients were asked for and load.clients of %s offers %s; lower --clients, or add clients",
			reports.Count(int64(c.Clients)), e.Name, reports.Count(int64(offered)))
	}
	if c.Clients == 0 && starters+chains > offered && c.supply.source != ownOnce {
		// Fewer clients than wanted still make the rate, if the service answers fast; where not, it shows as starvation.
		chains = min(chains, max(1, offered-min(starters, offered/2)))
		starters = min(starters, offered-chains)
	}
	if c.Clients == 0 && c.supply.source == ownOnce && chains > 0 && starters+chains > offered && offered > starters {
		chains = offered - starters
	}
	if starters+chains > offered || starterRate > 0 && starters < 1 {
		return d, c.tooFew(e, starters, chains, offered)
	}
	d = demand{starters: starters, chains: chains}
	if c.supply.source == mintedAhead {
		if starterRate > 0 {
			// Clients take turns, so that each needs its part of the tokens; one more for those that come round early.
			d.rounds = int((signOns+uint64(starters)-1)/uint64(starters)) + 1
		}
		d.sessions = starters*d.rounds + chains
	}
	return d, nil
}

func (c *crowd) tooFew(e *environment.Environment, starters, chains, offered int) error {
	if c.supply.source == ownOnce && starters > 0 {
		return failure.Usagef("the workload %s needs %s clients, as each of its sign-ons uses a session token of its own%s, and load.clients of %s offers %s; "+
			"add clients, lower rate or duration, leave sessionToken out so that the operator mints them, or, if this service takes a session token more than once, say --reuse-sessions",
			c.Workload, reports.Count(int64(starters+max(chains, 0))), andChains(chains), e.Name, reports.Count(int64(offered)))
	}
	return failure.Usagef("the workload %s needs %s clients and load.clients of %s offers %s; add clients",
		c.Workload, reports.Count(int64(starters+chains)), e.Name, reports.Count(int64(offered)))
}

func andChains(chains int) string {
	if chains == 0 {
		return ""
	}
	return fmt.Sprintf(" and %s clients stay signed in", reports.Count(int64(chains)))
}

// enough is how many clients make a rate while the service takes two seconds for an answer (J. D. C. Little's law), 16 at least.
func enough(rate float64) int { return max(16, int(math.Ceil(2*rate))) }

// arrange puts the clients where they start: those that sign on first, then the chains, then spares.
func (c *crowd) arrange(d demand) {
	size := d.starters + d.chains
	spares := 0
	if c.supply.source == ownOnce && d.chains > 0 {
		spares = c.who.count - size
	}
	c.clients = make([]client, size+spares)
	if !c.who.hasAccounts {
		c.accounts = make([]uint64, len(c.clients))
	}
	if c.Workload == WorkloadLifecycle {
		c.access = make([][]byte, len(c.clients))
	}
	for n := range d.starters {
		c.fresh.push(uint32(n))
	}
	c.live.Store(int64(size))
	c.spares.Store(int64(size))
	c.supply.rounds = d.rounds
	c.planned = d
}

// consumed is how many clients' session tokens are used up.
func (c *crowd) consumed() int {
	if c.supply.source != ownOnce {
		return 0
	}
	return int(min(c.spares.Load(), int64(len(c.clients))))
}

// Operations is part of Workload.
func (c *crowd) Operations() []string { return c.names }

// Exhausted is part of Finite.
func (c *crowd) Exhausted() error {
	if c.live.Load() > 0 {
		return nil
	}
	if broken := c.broken.Load(); broken > 0 {
		return fmt.Errorf("no virtual client is left: the chains of %s broke and they have no unused session token to sign on again", reports.Count(broken))
	}
	return fmt.Errorf("no virtual client is left: all session tokens are used")
}

// notes are remarks for the report on what the workload did and could check.
func (c *crowd) notes() []string {
	var notes []string
	if same := c.sameJTI.Load(); same > 0 {
		notes = append(notes, fmt.Sprintf("%s sign-ons were answered with the jti of an earlier session of the same client (TOK-21 warns)", reports.Count(same)))
	}
	if watched := c.seen.watched(); watched < 1 {
		notes = append(notes, fmt.Sprintf("the run had more tokens than memory for their jti: uniqueness was watched on 1 of %.0f over the whole run", 1/watched))
	}
	if broken := c.broken.Load(); broken > 0 {
		notes = append(notes, fmt.Sprintf("%s times a chain of refreshes broke and its client signed on again or retired", reports.Count(broken)))
	}
	if judged := c.judged.Load(); judged > 0 {
		notes = append(notes, fmt.Sprintf("identity and uniqueness were checked on every answer, all token rules on %s of them (1 of %d)", reports.Count(judged), c.JudgeEvery))
	}
	if c.supply.source == ownReusable {
		notes = append(notes, "session tokens were used more than once (--reuse-sessions)")
	}
	sort.Strings(notes)
	return notes
}

// retryAfter reads a Retry-After: seconds or a date (RFC 9110 section 10.2.3).
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0
	}
	var seconds int64
	for _, digit := range text {
		if digit < '0' || digit > '9' || seconds > 1<<31 {
			seconds = -1
			break
		}
		seconds = seconds*10 + int64(digit-'0')
	}
	if seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	for _, layout := range []string{time.RFC1123, time.RFC850, time.ANSIC} {
		if at, err := time.Parse(layout, text); err == nil {
			return max(0, at.Sub(now))
		}
	}
	return 0
}
