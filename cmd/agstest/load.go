package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/redact"
	"agstest/internal/userfile"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/limit"
	"agstest/load/schedule"
	"agstest/load/tally"
	"agstest/reports"
	"agstest/steps"
)

// The default load of the embedded mock: like most of the traffic of a real service, and small enough for any machine.
// Somebody's service only gets the load that was asked for.
const (
	mockWorkload = clients.WorkloadMixed
	mockMix      = "signon=1,refresh=9"
	mockRate     = "100/s"
	mockDuration = 10 * time.Second
)

// rawFile holds Vegeta's own results.
const rawFile = "results.gob"

// loadFlags set the requests, their times, and the limits to keep.
type loadFlags struct {
	workload, rate, mix   string
	duration              time.Duration
	clients, workers      int
	limits                []string
	profile               string
	seed                  uint64
	trace, raw            bool
	shard, startAt        string
	population            int
	accessLifetime        time.Duration
	sessionLifetime       time.Duration
	peak                  float64
	refreshes, judgeEvery int
	traceParent           string
	showIDs               bool
	reuse, ignoreRetry    bool
	timeout, maxLag       time.Duration
	overrideMaxRate       bool
	yes, yesLoad          []string
	dryRun                bool
	storm                 int
	within, patience      time.Duration
	given                 func(flag string) bool // on the command line, whatever its value; nil: nobody knows
}

// register adds all flags of a load. It registers their older names if they are free: in a gate they belong to its
// conformance run.
func (f *loadFlags) register(c *cobra.Command) {
	f.registerTraffic(c)
	flags := c.Flags()
	flags.StringVar(&f.rate, "rate", "",
		"hits on a schedule, such as 200/s or 12000/m; max: no schedule, as fast as --workers can")
	flags.DurationVar(&f.duration, "duration", 0, "how long, such as 30s or 10m")
	f.registerLimits(c, "'refresh.p99<300ms', 'errors<0.1%' or 'throughput>190/s'")
	flags.StringVar(&f.profile, loadProfileFlag, "", "load over time from a file, or one that comes with agstest: "+
		strings.Join(schedule.Profiles(), ", "))
	if flags.Lookup(olderProfileFlag) == nil {
		flags.StringVar(&f.profile, olderProfileFlag, "", "what --load-profile is called now")
		_ = flags.MarkDeprecated(olderProfileFlag, "it is --"+loadProfileFlag+" now")
	}
	flags.BoolVar(&f.trace, "trace", false, "measure the phases of exchanges: DNS, connect, TLS, wait, read")
	flags.BoolVar(&f.raw, "raw", false, "keep Vegeta's own results too ("+rawFile+
		", for vegeta report and vegeta plot)")
	flags.StringVar(&f.shard, "shard", "", "be one of several generators of one schedule, such as 2/8")
	flags.StringVar(&f.startAt, "start-at", "", "when the clock starts, for shards, such as 2026-11-23T10:15:00Z")
	flags.IntVar(&f.population, "population", 0, "users whose apps are open; gives the rates of refreshes and sign-ons")
	flags.DurationVar(&f.accessLifetime, "access-lifetime", 0, "how long access tokens of a population last; 0: 1h")
	flags.DurationVar(&f.sessionLifetime, "session-lifetime", 0,
		"after which time users of a population sign on again; 0: 30 days")
	flags.Float64Var(&f.peak, "peak", 0, "how much busier the busiest hour of a population is; 0: 1")
	flags.IntVar(&f.storm, "storm", 0, "clients that all come back after an outage, --within a time")
	flags.DurationVar(&f.within, "within", 0, "how fast the clients of a storm come back, such as 60s")
	flags.BoolVar(&f.dryRun, "dry-run", false, dryRunUsage)
	flags.DurationVar(&f.patience, "give-up-after", 0, "when a storm is given up; 0: ten times --within, 10m at least")
	if flags.Lookup("patience") == nil { // in a gate it belongs to its conformance run
		flags.DurationVar(&f.patience, "patience", 0, "what --give-up-after is called now")
		_ = flags.MarkDeprecated("patience", "it is --give-up-after now")
	}
}

// registerLimits adds the flag of the limits; examples are some that the command takes.
func (f *loadFlags) registerLimits(c *cobra.Command, examples string) {
	c.Flags().StringArrayVar(&f.limits, "limit", nil,
		"what must be kept, such as "+examples+"; may be given more than once")
}

// registerTraffic adds the flags of the requests and their senders.
func (f *loadFlags) registerTraffic(c *cobra.Command) {
	flags := c.Flags()
	f.given = flags.Changed
	flags.StringVar(&f.workload, "workload", "", "what is sent: "+strings.Join(clients.Workloads, ", "))
	flags.StringVar(&f.mix, "mix", "", "shares of the workload mixed, such as signon=1,refresh=9")
	flags.IntVar(&f.clients, "clients", 0, "virtual clients; 0: as many as the rate needs")
	flags.IntVar(&f.workers, "workers", 0, "most requests at the same time; 0: as many as the schedule needs")
	flags.IntVar(&f.refreshes, "refreshes", 0, "refreshes of one client of the workload lifecycle; 0: 5")
	flags.IntVar(&f.judgeEvery, "judge-every", 0,
		"check all token rules on the first 100 answers of each call, and then on 1 of so many; 0: 100")
	flags.BoolVar(&f.reuse, "reuse-sessions", false, "the service takes a session token more than once")
	flags.BoolVar(&f.ignoreRetry, "ignore-retry-after", false, "clients that are asked to come again later do not wait")
	flags.DurationVar(&f.timeout, "timeout", 0, "of one exchange, to the last byte; 0: 30s")
	flags.DurationVar(&f.maxLag, "max-lag", 0,
		"99 % of hits must leave within this of their time, or the figures are not valid; 0: as late as cannot change what "+
			"a limit comes to, and 100ms where no limit is about times")
	flags.StringVar(&f.traceParent, "traceparent", "",
		"begin a trace with each request (W3C Trace Context), to find a slow hit in the tracing of the service; sampled "+
			"asks it to record each of them, `unsampled` leaves that to it")
	flags.Lookup("traceparent").NoOptDefVal = clients.TraceSampled
	if flags.Lookup("show-ids") == nil { // in a gate it belongs to its conformance run
		flags.BoolVar(&f.showIDs, "show-ids", false,
			"show the ids of accounts and devices in reports; left out: they are masked")
	}
	flags.BoolVar(&f.overrideMaxRate, "override-max-rate", false, "ask for more than load.maxRate of the environment")
	flags.StringSliceVar(&f.yes, "yes", nil, yesUsage)
	flags.StringSliceVar(&f.yesLoad, "yes-load", nil, "the older way of --yes: name of the environment given back")
	_ = c.RegisterFlagCompletionFunc("mix", completeShares(clients.Mixable()))
	_ = c.RegisterFlagCompletionFunc("workload", cobra.FixedCompletions(clients.Workloads,
		cobra.ShellCompDirectiveNoFileComp))
}

func (f *loadFlags) registerSeed(c *cobra.Command) {
	c.Flags().Uint64Var(&f.seed, "seed", 0,
		"seed of everything that is invented; 0: a new one each time, printed and in the report")
}

// options turns the flags into options of load; the environment is added later. Embedded tells that no service was
// named.
func (f *loadFlags) options(embedded bool) (load.Options, error) {
	o := load.Options{
		Traffic: clients.Traffic{Workload: f.workload, Clients: f.clients, Refreshes: f.refreshes,
			JudgeEvery: f.judgeEvery, ReuseSessions: f.reuse, IgnoreRetryAfter: f.ignoreRetry,
			TraceParent: f.traceParent, ShowIDs: f.showIDs}, Duration: f.duration, Workers: f.workers, Seed: f.seed,
		Trace: f.trace, Timeout: f.timeout, MaxLag: f.maxLag,
		Consent: load.Consent{OverrideMaxRate: f.overrideMaxRate, Yes: f.yes, YesLoad: strings.Join(f.yesLoad, ",")},
	}
	if err := f.check(); err != nil {
		return o, err
	}
	rate, mix := f.rate, f.mix
	if embedded && f.profile == "" && f.population == 0 && f.storm == 0 {
		rate, mix = likeTheMock(&o, rate, mix)
	}
	var err error
	if rate != "" {
		if o.Rate, err = schedule.ParseRate(rate); err != nil {
			return o, failure.Usagef("--rate: %w", err)
		}
	}
	if mix != "" {
		if o.Mix, err = clients.ParseMix(mix); err != nil {
			return o, failure.Usagef("--mix: %w", err)
		}
	}
	if o.Limits, err = limit.ParseAll(f.limits); err != nil {
		return o, failure.Usagef("--limit: %w", err)
	}
	if f.profile != "" {
		if o.Profile, err = readProfile("", loadProfileFlag, f.profile); err != nil {
			return o, err
		}
	}
	err = f.further(&o)
	return o, err
}

// likeTheMock fills in options that the user left out if the service is the embedded mock.
func likeTheMock(o *load.Options, rate, mix string) (string, string) {
	if o.Workload == "" {
		o.Workload = mockWorkload
	}
	if mix == "" && o.Workload == clients.WorkloadMixed {
		mix = mockMix
	}
	if rate == "" {
		rate = mockRate
	}
	if o.Duration == 0 {
		o.Duration = mockDuration
	}
	return rate, mix
}

// check refuses numbers, times and names that cannot be.
func (f *loadFlags) check() error {
	if f.workload != "" {
		if err := oneOf("--workload", f.workload, clients.Workloads); err != nil {
			return err
		}
	}
	if f.traceParent != "" {
		if err := oneOf("--traceparent", f.traceParent,
			[]string{clients.TraceSampled, clients.TraceUnsampled}); err != nil {
			return err
		}
	}
	for name, value := range map[string]int{"clients": f.clients, "workers": f.workers, "population": f.population,
		"storm": f.storm, "refreshes": f.refreshes, "judge-every": f.judgeEvery} {
		if value < 0 {
			return failure.Usagef("--%s must be 0 or more, not %d", name, value)
		}
	}
	for name, value := range map[string]time.Duration{"duration": f.duration, "timeout": f.timeout, "max-lag": f.maxLag,
		"access-lifetime": f.accessLifetime, "session-lifetime": f.sessionLifetime,
		"within": f.within, "give-up-after": f.patience} {
		if value < 0 {
			return failure.Usagef("--%s must be a time such as 30s, not %s", name, value)
		}
	}
	if f.given != nil {
		return f.checkNone()
	}
	return nil
}

// checkNone refuses a load of nothing, mostly a variable of a pipeline that has no value: the load of a mock that says
// nothing would be sent in its place, and pass.
func (f *loadFlags) checkNone() error {
	switch {
	case f.given("duration") && f.duration == 0:
		return failure.Usagef("--duration must be a time such as 30s, not 0s")
	case f.given("population") && f.population == 0:
		return failure.Usagef("--population must be at least 1, not 0")
	case f.given("storm") && f.storm == 0:
		return failure.Usagef("--storm must be at least 1, not 0")
	}
	return nil
}

// further reads the flags that replace a rate, choose a part of the load, and set its start.
func (f *loadFlags) further(o *load.Options) (err error) {
	if f.population > 0 {
		o.Population = &schedule.Population{Clients: f.population, AccessLifetime: f.accessLifetime,
			SessionLifetime: f.sessionLifetime, Peak: f.peak}
	} else if f.accessLifetime != 0 || f.sessionLifetime != 0 || f.peak != 0 {
		return failure.Usagef("--access-lifetime, --session-lifetime and --peak describe a population; add --population, " +
			"or leave them out")
	}
	if f.storm > 0 {
		o.Storm = &clients.Storm{Clients: f.storm, Within: f.within, Patience: f.patience}
	} else if f.within != 0 || f.patience != 0 {
		return failure.Usagef("--within and --give-up-after describe a storm; add --storm, or leave them out")
	}
	if o.Shard, err = parseShard(f.shard); err != nil {
		return err
	}
	if o.Shard.Of > 1 && f.seed == 0 {
		return failure.Usagef("--shard: the shards of one load are parts of one schedule, so that each needs the same " +
			"seed; give all of them the same, such as --seed 7")
	}
	if f.startAt != "" {
		if o.StartAt, err = time.Parse(time.RFC3339, f.startAt); err != nil {
			return failure.Usagef("--start-at must be a time with its zone such as 2026-11-23T10:15:00Z, not %q",
				f.startAt)
		}
	}
	return nil
}

// readProfile reads a file, or a profile that comes with agstest. The path of a file starts in dir; empty: in the
// current folder.
func readProfile(dir, flag, name string) (*schedule.Profile, error) {
	text, err := userfile.Read(startingIn(dir, name), maxSmallFile)
	if errors.Is(err, os.ErrNotExist) {
		shipped, found := schedule.ShippedProfile(name)
		if !found {
			return nil, failure.Usagef("--%s: there is no file %s; %s", flag, name, failure.DidYouMean(name,
				schedule.Profiles(), "those that come with agstest are "+strings.Join(schedule.Profiles(), ", ")))
		}
		text, err = shipped, nil
	}
	if err != nil {
		return nil, failure.Usagef("--%s: cannot read the profile %s: %w", flag, name, err)
	}
	return schedule.ReadProfile(text, name)
}

func parseShard(text string) (schedule.Shard, error) {
	if text == "" {
		return schedule.Shard{}, nil
	}
	index, of, found := strings.Cut(text, "/")
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	if !found || err != nil || err2 != nil || i < 1 || n < i {
		return schedule.Shard{}, failure.Usagef("--shard must be one of several such as 2/8, not %q", text)
	}
	return schedule.Shard{Index: i, Of: n}, nil
}

func (p *program) loadCommand() *cobra.Command {
	var f loadFlags
	var s serviceFlags
	var out outputFlags
	var k kubernetesFlags
	var lf liveFlags
	c := &cobra.Command{
		Use:   "load",
		Short: "Load a service and measure it.",
		Long: `Sends hits on a schedule (open model) as virtual clients with token chains of their own, and measures response times from the intended send
time. An answer is right only with the wanted status and a right body of the right client. Whether the generator kept up is judged first.
Writes load.html, load.json, junit.xml, metrics.txt and more to a folder of the run.

With --on kubernetes several generators share the load: the pods of a Job in a namespace of yours, which start together and whose figures
are merged exactly. Report and exit codes are the same; where a part of the load is missing the run is inconclusive and ends with exit
code 4. What is made there is removed at the end.`,
		Example: `  agstest load                                        # the embedded mock, 10 s
  agstest load --env staging.yaml --workload refresh --rate 200/s --duration 60s --limit 'refresh.p99<300ms' --limit 'errors<0.1%'
  agstest load --env staging.yaml --workload mixed --mix signon=1,refresh=9 --rate 50/s --duration 5m
  agstest load --env staging.yaml --population 1000000 --access-lifetime 1h --duration 10m --yes api.staging.example.com
  agstest load --env staging.yaml --storm 50000 --within 60s --limit 'storm.recovered<90s'
  agstest load --env staging.yaml --load-profile soak --watch 127.0.0.1:0
  agstest load --env staging.yaml --workload refresh --rate 20000/s --duration 10m --on kubernetes --shards 8 --namespace load --image registry.example.com/agstest:1.0`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := lf.check(); err != nil {
				return err
			}
			if elsewhere, err := k.check(); elsewhere && err == nil {
				return p.loadOnKubernetes(c, &f, &lf, &k, &s, &out)
			} else if err != nil {
				return err
			}
			o, err := f.options(s.env == "")
			if err != nil {
				return err
			}
			p.warnOfNames(f.yesLoad)
			if f.dryRun {
				return p.dryLoad(&s, o, nil, nil, &out)
			}
			return p.withRun(c, &s, &out, "load", func(r *ongoing) error {
				ctx, err := p.goLive(c.Context(), r, &lf, lookedAt{"Load", workloadOf(&o), alone(r.run.Environment)})
				if err != nil {
					return err
				}
				_, err = p.load(ctx, r, o, f.raw)
				return err
			})
		},
	}
	f.register(c)
	f.registerSeed(c)
	s.register(c)
	out.register(c)
	out.registerBaseline(c)
	lf.register(c)
	k.register(c, true)
	return c
}

// load runs a load and puts its results into the run's folder.
func (p *program) load(ctx context.Context, r *ongoing, o load.Options, raw bool) (*reports.Load, error) {
	if err := r.findRoom(); err != nil {
		return nil, err
	}
	o = p.prepareLoad(r, o, "load")
	if raw {
		file, err := r.folder.Create(rawFile)
		if err != nil {
			return nil, failure.Usagef("%w", err)
		}
		defer file.Close()
		o.Raw = file
	}
	progress := p.newProgress()
	defer progress.end()
	o.SetUp = func(at clients.SetUp) {
		progress.show(func() string { return "load: " + at.String() })
		r.live.phase(at.String())
	}
	o.Waiting = func(left time.Duration) {
		words := fmt.Sprintf("set up, waiting for --start-at %s: %s left", o.StartAt.Format(time.RFC3339), clock(left))
		progress.show(func() string { return "load: " + words })
		r.live.phase(words)
	}
	o.Progress = func(at engine.Progress) {
		progress.showLoad("load", at)
		r.live.load(at)
	}
	p.notef("load: %s at %s, seed %d", o.Environment.Name, o.Environment.URL, o.Seed)
	if asked, err := load.Check(o, max(1, o.Shard.Of)); err == nil { // the run itself reports the error
		p.tellLoad("load", asked, o.Workload, o.Environment)
	}
	l, err := load.Run(ctx, o)
	progress.end()
	err = r.live.why(ctx, err)
	// Where the question itself was wrong and nothing was found before, there is nothing to keep.
	if l == nil && err != nil && (unsent(ctx, err) || r.conformance != nil) {
		_ = os.Remove(filepath.Join(r.folder.Path(), tally.RecordFile))
		_ = os.Remove(filepath.Join(r.folder.Path(), rawFile))
		l = load.NeverSent(o, whyNever(ctx, err))
	}
	return l, p.keepLoad(r, l, err)
}

// unsent tells that an error ended a load before its first hit, although its question was right: its set-up failed, or
// somebody ended it.
func unsent(ctx context.Context, err error) bool {
	return err != nil && (ctx.Err() != nil || clients.DuringSetUp(err) || failure.KindOf(err) == failure.Setup)
}

// whyNever says in one line why a load was never sent.
func whyNever(ctx context.Context, err error) string {
	// cut off before there was anything to say of it
	if errors.Is(err, context.Canceled) && !errors.As(err, new(interruption)) {
		err = context.Cause(ctx)
	}
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "; ")
}

// prepareLoad adds to the options what belongs to this run.
func (p *program) prepareLoad(r *ongoing, o load.Options, kind string) load.Options {
	o.Environment = r.service.environment
	o.Seed = p.seed(o.Seed)
	o.Run = r.run
	o.Run.Kind = kind
	r.stamp(&o.Run)
	o.Record = r.folder.Path()
	o.Secrets = redactorFor(o.Environment)
	return o
}

func redactorFor(environments ...*environment.Environment) *redact.Redactor {
	redactor := &redact.Redactor{}
	for _, e := range environments {
		redactor.Add(e.Secrets()...)
	}
	return redactor
}

// keepLoad writes the results of a load. It removes the record of a run that never began.
func (p *program) keepLoad(r *ongoing, l *reports.Load, err error) error {
	if l == nil {
		_ = os.Remove(filepath.Join(r.folder.Path(), tally.RecordFile))
		_ = os.Remove(filepath.Join(r.folder.Path(), rawFile))
		return err
	}
	r.stamp(&l.Run)
	r.load = l
	if r.gated != nil && r.conformance != nil {
		steps.JudgeUnderLoad(r.conformance, l, *r.gated)
		p.end(exitOfConformance(r.conformance))
	}
	p.endLoad(l, r.output.strict) // before it is shown, which says with what the command ends
	if writing := r.write(); err == nil {
		err = writing
	}
	return err
}

// clock shows a time as minutes and seconds.
func clock(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%02d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
