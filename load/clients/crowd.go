// Package clients holds the virtual clients of a load: their identities, their tokens, their next requests, and the
// check that each answer was the client's own.
//
// A Crowd is the clients of one run and the workload that they make. New plans it and says what is missing; SetUp mints
// session tokens and signs on clients that only refresh; Begin and End, called by many goroutines at once, make a
// request and judge its answer. A client is in one hit at most, so its state needs no lock. StormRun is a crowd that
// comes back after an outage.
//
// The workloads and their calls are those of the pages of the service; see agstest/ags.
package clients

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/tokens"
	"agstest/internal/wire"
	"agstest/load/hit"
	"agstest/load/schedule"
	"agstest/load/unique"
	"agstest/reports"
)

// DefaultRefreshes is how often a client of the workload lifecycle refreshes before it signs out.
const DefaultRefreshes = 5

// Traffic is the requests of a run and their senders. The zero value of each field but Workload works.
type Traffic struct {
	Workload string
	Mix      map[string]int // of mixed; see ParseMix
	// Clients is how many virtual clients take part; 0 means as many as the rate needs.
	Clients int
	// Refreshes of one client of the workload lifecycle before it signs out; 0 means 5.
	Refreshes int
	// ReuseSessions: the service takes a session token more than once. The pages do not say, so that otherwise each
	// sign-on uses one of its own.
	ReuseSessions bool
	// IgnoreRetryAfter: a client that was asked to come again later (429, 503) does not wait.
	IgnoreRetryAfter bool
	// TraceParent sends a traceparent (W3C Trace Context) with each request: TraceSampled or TraceUnsampled; empty: none.
	TraceParent string
	// ShowIDs names clients with their whole ids; else these are masked.
	ShowIDs bool
	// JudgeEvery sets how many answers all token rules check: the first 100 of each call, then 1 of every JudgeEvery; 0
	// means 100, 1 means every one. Identity and uniqueness are checked on all.
	JudgeEvery int
}

// Part is the clients' part of a run.
type Part struct {
	Hits  uint64  // 0: not known, in a closed loop
	Peak  float64 // highest rate in hits a second
	Seed  uint64  // of the order of mixed hits, and of values that must be unique over all shards
	Shard schedule.Shard
	// Dealt: the hits are dealt out to the shards in turn, so that a mix goes by their numbers in the whole schedule.
	Dealt bool
	// Skip are clients whose session tokens an earlier run used.
	Skip int
}

// Crowd is the virtual clients of a run and the Workload they make.
type Crowd struct {
	Traffic
	does     *workload
	names    []string // of all operations, in the order of hit.Request.Operation
	measured []string // of those that the workload is made of
	index    [stepCount]int
	mix      *mixer
	who      *roster
	requests *requests
	tenant   string
	service  string
	seal     sealer
	seen     *unique.Set
	sampled  sampler
	standing standing

	clients   []client
	access    [][]byte // sealed access tokens, for clients that sign out
	last      []last   // of the first maxWatched clients
	freshness freshness
	made      time.Time
	fresh     queue // clients at the start of their steps
	ongoing   queue // clients in the middle of it
	spares    atomic.Int64
	// starters and chains are the clients that have not retired: of those that sign on or live a whole life, and of those
	// that stay signed in.
	starters, chains atomic.Int64

	refreshes recent // those that gave a token

	broken  atomic.Int64 // times a chain of refreshes broke
	shutOut atomic.Int64 // clients whose refresh token is refused, with nothing to sign on with again
	gone    atomic.Int64 // clients that retired as their chain broke by what may be our own doing
	tooOld  atomic.Int64 // refreshes that were refused, of tokens that had expired before they were sent
	// sentAway are clients that were asked to come again after longestWait.
	sentAway atomic.Int64
	hits     sync.Pool

	supply   supply
	planned  demand
	accounts []uint64 // hash of the account that a client's first answer named, where the environment does not say

	// mintAt is the target of getSessionToken, if that is not the target of the load: session tokens are minted there,
	// before it begins. Nil: the same target.
	mintAt  *wire.Target
	cookies *cookies // nil: clients send no cookies back

	sameJTI atomic.Int64 // sign-ons answered with the jti of the client's own earlier session
	// sameSession are session tokens that a client of the same account had been given before (GST-12).
	sameSession atomic.Int64
	judged      atomic.Int64
}

// client is the state of one virtual client. Only the one hit that has the client touches it, so it needs no lock.
// With its token and its place in a queue it takes some 140 bytes (BenchmarkMillionClients).
type client struct {
	token []byte // sealed: the session token or the refresh token that the client holds
	jti   uint32 // of the hash of the jti of its tokens; a new one looks like the one before once in 4 billion answers
	used  uint32 // session tokens used
	turn  uint32 // answers judged
	holds holding
	stage uint8 // of the workload lifecycle
	// unsure: an earlier request with the token that the client holds got no answer that says whether it was taken.
	unsure bool
	// refused: its refresh token was refused, and it has nothing to sign on with; it sends the token again all the same.
	refused bool
}

type holding uint8

const (
	holdsNothing holding = iota
	holdsSession
	holdsRefresh
)

// noClient stands for the client of a hit that needs none.
const noClient = math.MaxUint32

// supply is the source of session tokens.
type supply struct {
	source sessionSource
	at     time.Time                // when minting began
	rounds int                      // session tokens of each starter
	from   *environment.TokenSource // where they come from in place of getSessionToken; nil: from there
	tokens *tokens.Sources
	minted []string // round by round the tokens of the starters, then one of each chain
}

type sessionSource uint8

const (
	ownOnce     sessionSource = iota // each client's own, once
	ownReusable                      // each client's own, any number of times
	mintedAhead                      // from getSessionToken, or from a source of the environment file
	mintedInRun                      // by hits of the workload itself
)

// New plans the clients of a part of a run, and says in its error how many clients are needed where there are too few.
// Errors are of the kind failure.Usage. Nothing is sent.
func New(e *environment.Environment, t Traffic, part Part) (*Crowd, error) {
	if t.Refreshes > 0 && t.Workload != "" && t.Workload != WorkloadLifecycle {
		return nil, failure.Usagef("a number of refreshes belongs to the workload %s, not to %s", WorkloadLifecycle,
			t.Workload)
	}
	if t.Refreshes == 0 {
		t.Refreshes = DefaultRefreshes
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
	c := &Crowd{made: time.Now(), Traffic: t, tenant: e.Tenant, seen: unique.New(unique.Key(part.Seed, part.Shard))}
	c.seen.Reserve(part.Hits)
	c.hits.New = func() any { return new(sender) }
	c.sampled.skew = e.ClockSkew
	if err := c.chooseSteps(e, part); err != nil {
		return nil, err
	}
	var err error
	if c.who, err = newRoster(e); err != nil {
		return nil, err
	}
	if err = c.who.checkGiven(e); err != nil {
		return nil, err
	}
	c.who.keep(part.Shard)
	c.who.skip(part.Skip)
	if !c.who.hasDevices && !c.does.creates {
		return nil, failure.Usagef(
			"the workload %s signs known devices on, and load.clients of %s gives no clientId; add it", c.Workload,
			e.Name)
	}
	if err := c.chooseSessions(e); err != nil {
		return nil, err
	}
	need, err := c.demand(e, part.Hits, part.Peak)
	if err != nil {
		return nil, err
	}
	if err := c.enoughInPool(e, need, part.Shard); err != nil {
		return nil, err
	}
	c.arrange(need)
	c.cookies = newCookies(e, len(c.clients))
	c.requests = newRequests(e, e.Service, part.Seed)
	if t.TraceParent != "" {
		c.requests.trace = newTraceParents(t.TraceParent)
	}
	c.who.showIDs = t.ShowIDs
	c.service = e.Service
	c.last = make([]last, min(len(c.clients), maxWatched))
	return c, nil
}

// chooseSteps says which operations the workload sends, the ones it is made for first.
func (c *Crowd) chooseSteps(e *environment.Environment, part Part) error {
	if c.Workload == "" {
		return failure.Usagef("a load needs to know what to send: give --workload, one of %s; for users who sign on now "+
			"and then, --workload mixed --mix signon=1,refresh=9",
			strings.Join(Workloads, ", "))
	}
	if c.does = workloadOf(c.Workload); c.does == nil {
		return failure.Usagef("there is no workload %q; the workloads are %s", c.Workload,
			strings.Join(Workloads, ", "))
	}
	steps := c.does.steps
	switch {
	case c.does.creates && !e.Allow.FirstTime:
		return failure.Usagef("the workload %s creates a device with every hit, and the environment %s does not allow it; "+
			"where that is wanted, add allow: {first-time: true}",
			c.Workload, e.Name)
	case steps != nil && len(c.Mix) > 0:
		return failure.Usagef("a mix belongs to the workload mixed, not to %s", c.Workload)
	case steps == nil:
		dealt := part.Shard
		if !part.Dealt {
			dealt = schedule.Shard{}
		}
		mix, err := newMixer(c.Mix, part.Seed, dealt)
		if err != nil {
			return err
		}
		c.mix, steps = mix, mix.steps
	}
	for _, s := range steps {
		c.measured = append(c.measured, s.String())
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

// mintsMore tells whether a hit of the load can ask for a session token: not where they come from elsewhere.
func (c *Crowd) mintsMore() bool { return c.supply.from == nil && c.mintAt == nil }

// Measures names the operations that the workload is made of, without those it needs only to mend a broken chain.
func (c *Crowd) Measures() []string { return c.measured }

func (c *Crowd) chooseSessions(e *environment.Environment) error {
	canMint := e.Operator != nil && (e.Operator.OwnAccount() != "" || c.who.hasAccounts)
	if target, own, err := e.OperatorTarget(); err != nil {
		return err
	} else if own && (e.Operator.URL != "" || e.Operator.TLS != (environment.TLS{})) {
		c.mintAt = &target
		if slices.Contains(c.Measures(), hit.OpMint) {
			return failure.Usagef("operator of %s has an address or certificates of its own, and a load measures one address: "+
				"for getSessionToken write a file whose url and tls are those of operator; session tokens for other workloads "+
				"are minted there before the load begins", e.Name)
		}
	}
	switch {
	case c.does.mints:
		c.supply.source = mintedInRun
		if !canMint {
			return failure.Usagef("the workload %s asks for session tokens, which needs the secret and an account of the "+
				"operator; add operator to %s", c.Workload, e.Name)
		}
	case e.Load.Clients.SessionTokens != nil:
		c.supply.source, c.supply.from, c.supply.tokens = mintedAhead, e.Load.Clients.SessionTokens, tokens.New(e)
		if c.ReuseSessions {
			return failure.Usagef("--reuse-sessions uses session tokens more than once, and those of load.clients of %s come "+
				"fresh, each for one sign-on; leave one of them out", e.Name)
		}
	case c.who.hasSessions && c.ReuseSessions:
		c.supply.source = ownReusable
	case c.who.hasSessions:
		c.supply.source = ownOnce
	case canMint:
		c.supply.source = mintedAhead
	default:
		return failure.Usagef("the virtual clients of %s have no session tokens; add sessionToken to load.clients, or "+
			"operator so that they can be minted", e.Name)
	}
	return nil
}

// Operations is part of Workload.
func (c *Crowd) Operations() []string { return c.names }

// Exhausted is part of Finite.
func (c *Crowd) Exhausted(seq uint64) error {
	left, doing := &c.starters, "signs on"
	first, second := c.queuesOf(seq)
	staysSignedIn := first == &c.ongoing && second == nil
	if staysSignedIn {
		left, doing = &c.chains, "stays signed in"
	}
	if left.Load() > 0 {
		return nil
	}
	none := "no virtual client is left"
	if c.planned.starters > 0 && c.planned.chains > 0 {
		none += " that " + doing
	}
	if away := c.sentAway.Load(); away > 0 {
		return fmt.Errorf("%s: %s were asked with Retry-After to come again later than in a day", none,
			figures.Count(away))
	}
	if staysSignedIn {
		return fmt.Errorf("%s: the chains of %s broke and they have no unused session token to sign on again", none,
			figures.Count(c.broken.Load()))
	}
	return fmt.Errorf("%s: all session tokens are used", none)
}

// Size is how many clients take part.
func (c *Crowd) Size() int { return c.planned.starters + c.planned.chains }

// SetUpCalls is about how many calls are made before the clock starts: session tokens that are minted, and clients that
// are signed on.
func (c *Crowd) SetUpCalls() int {
	if c.supply.source == mintedAhead {
		return c.planned.sessions + c.planned.chains
	}
	return c.planned.chains
}

// SetUpReport returns the report's part on the set-up; nil if no call of it had to be made again.
func (c *Crowd) SetUpReport() *reports.SetUp { return c.standing.report() }

// UsesUp tells whether each client has a session token of its own that is used once, so that the clients are used up.
func (c *Crowd) UsesUp() bool { return c.supply.source == ownOnce }

// LeaveUnique writes what must be unique over all shards of a run beside its record.
func (c *Crowd) LeaveUnique(folder string, shard schedule.Shard) error {
	return c.seen.Leave(folder, shard, c.who.number, c.who.name)
}

// Judging tells how the answers of the run were judged.
func (c *Crowd) Judging() *reports.Judging {
	return &reports.Judging{AllRules: c.judged.Load(), Every: c.JudgeEvery, Shared: c.supply.source == ownReusable,
		Broken: c.broken.Load()}
}

// Notes are remarks for the report on what the workload did and could check.
func (c *Crowd) Notes() []string {
	var notes []string
	if same := c.sameJTI.Load(); same > 0 {
		notes = append(notes,
			fmt.Sprintf(
				"%s sign-ons were answered with the jti of an earlier session of the same client (TOK-21 warns)",
				figures.Count(same)))
	}
	if same := c.sameSession.Load(); same > 0 {
		notes = append(notes,
			figures.Count(same)+
				" times getSessionToken gave an account the session token that it had given it before (GST-12 records that)")
	}
	if watched := c.seen.Watched(); watched < 1 {
		notes = append(notes,
			fmt.Sprintf(
				"the run had more tokens than memory for their jti: uniqueness was watched on 1 of %.0f over the whole run",
				1/watched))
	}
	if away := c.sentAway.Load(); away > 0 {
		notes = append(notes,
			fmt.Sprintf(
				"%s times a client was asked with Retry-After to come again later than in a day; it took no part any more",
				figures.Count(away)))
	}
	if broken := c.broken.Load(); broken > 0 {
		notes = append(notes, c.brokenInWords(broken))
	}
	if away := c.fresh.away() + c.ongoing.away(); away > 0 {
		notes = append(notes,
			fmt.Sprintf("%s of %s had been asked with Retry-After to come again after the end of the run",
				figures.PluralOf(away, "client", "clients"), figures.Count(c.starters.Load()+c.chains.Load())))
	}
	if old := c.tooOld.Load(); old > 0 {
		notes = append(notes,
			fmt.Sprintf("%s refused whose token had expired before: the turns of a client lie further apart than its refresh "+
				"token lives; give fewer --clients, or a higher rate",
				figures.PluralOf(old, "refresh was", "refreshes were")))
	}
	if judged := c.judged.Load(); judged > 0 {
		notes = append(notes,
			fmt.Sprintf("identity and uniqueness were checked on every answer, all token rules on %s of them (the first %d of "+
				"each call, and 1 of %d)",
				figures.Count(judged), judgedFirst, c.JudgeEvery))
	}
	if c.supply.source == ownReusable {
		notes = append(notes, "session tokens were used more than once (--reuse-sessions)")
	}
	slices.Sort(notes)
	return notes
}

// brokenInWords says how many chains of refreshes broke, and what became of their clients.
func (c *Crowd) brokenInWords(broken int64) string {
	words := figures.Plural(broken, "time") + " a chain of refreshes broke"
	// with the spares that took the place of others
	all := min(c.spares.Load(), int64(len(c.clients))) - int64(c.planned.starters)
	shutOut, gone := c.shutOut.Load(), c.gone.Load()
	if shutOut > 0 {
		words += fmt.Sprintf("; %s of the %s that stay signed in (%s) had nothing to sign on with again and were refused "+
			"for good, at each of their turns",
			figures.Plural(shutOut, "client"), figures.Count(all), figures.Percent(shutOut, all))
	}
	if gone > 0 {
		words += fmt.Sprintf("; %s of %s (%s) had nothing to sign on with again and took no further part, as the token may "+
			"have been used up or had expired",
			figures.Plural(gone, "client"), figures.Count(all), figures.Percent(gone, all))
	}
	if shutOut+gone == 0 {
		words += " and its client signed on again"
		if c.supply.source == ownOnce {
			words = figures.Plural(broken,
				"time") + " a chain of refreshes was refused, and taken up again at the next turn of its client"
		}
	}
	return words
}
