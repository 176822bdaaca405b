package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/redact"
	"agstest/load/ab"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/watch"
	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/runs"
)

// placements as they are written at the command line.
var placements = map[string]compare.Placement{"unknown": compare.Uncontrolled, "same": compare.SamePlacement}

func (p *program) abCommand() *cobra.Command {
	var (
		f         loadFlags
		out       outputFlags
		envs      []string
		o         ab.Options
		placement string
		swap      string
		dryRun    bool
		lf        liveFlags
	)
	c := &cobra.Command{
		Use:   "ab",
		Short: "Let two services answer by turns and tell whether the new one is slower.",
		Long: `The release gate: in one process, short blocks of both services in random order, compared pair by pair, so that whatever else happens on the
network meets both. The verdict is pass, regressed, improved, inconclusive (with the smallest change it could have seen) or not comparable;
both of the last end with exit code 4.
Where the generator was too slow its figures are not valid: the two are not comparable then, and the exit code is 5.
Where the two run matters: say --placement same if both run in the same place, or let --swap move them half-way; without either there
is no verdict but inconclusive. --aa compares one service with itself, which shows what this place finds by chance.`,
		Example: `  agstest ab --env production-like.yaml --env candidate.yaml --workload refresh --rate 100/s --placement same --confirm
  agstest ab --aa --env candidate.yaml --workload refresh --rate 100/s
  agstest ab --env a.yaml --env b.yaml --workload refresh --rate 100/s --swap ./swap-nodes.sh`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := p.checkOutput(&out); err != nil {
				return err
			}
			if err := lf.check(); err != nil {
				return err
			}
			switch {
			case o.AA && len(envs) > 1:
				return failure.Usagef("--aa compares one service with itself; give --env once")
			case !o.AA && len(envs) != 2:
				return failure.Usagef(
					"a comparison needs two services: give --env twice, the old one first, or --aa for one with itself")
			}
			known := placements[placement]
			if known == "" {
				return failure.Usagef("--placement must be same or unknown, not %q", placement)
			}
			if strings.TrimSpace(swap) != "" {
				if placement == "same" {
					return failure.Usagef("--swap and --placement same exclude each other; leave one of them out")
				}
				known, o.Swap = compare.Swapped, p.swapper(swap)
			}
			o.Placement = known
			asked, err := f.options(o.AA && len(envs) == 0)
			if err != nil {
				return err
			}
			asked.Duration = 0
			o.Workload, o.Mix, o.Rate, o.Clients, o.Workers = asked.Workload, asked.Mix, asked.Rate, asked.Clients, asked.Workers
			o.Refreshes, o.ReuseSessions, o.IgnoreRetryAfter, o.JudgeEvery = asked.Refreshes, asked.ReuseSessions,
				asked.IgnoreRetryAfter, asked.JudgeEvery
			o.Timeout, o.MaxLag = asked.Timeout, asked.MaxLag
			o.OverrideMaxRate, o.YesLoad, o.Yes = f.overrideMaxRate, f.yesLoad, f.yes
			p.warnOfNames(f.yesLoad)
			if p.onlyFlags {
				return nil
			}
			return p.ab(c, envs, o, f.seed, dryRun, &lf, &out)
		},
	}
	flags := c.Flags()
	flags.StringArrayVar(&envs, "env", nil, "environment file of a service; given twice, the old one first")
	flags.StringVar(&f.rate, "rate", "", "hits of each side in its blocks, such as 100/s")
	f.registerTraffic(c)
	f.registerSeed(c)
	flags.BoolVar(&dryRun, "dry-run", false, dryRunUsage)
	flags.BoolVar(&o.AA, "aa", false, "compare one service with itself; without --env the embedded mock")
	flags.IntVar(&o.Pairs, "pairs", 0, "pairs of blocks; 0: 60")
	flags.DurationVar(&o.Block, "block", 0,
		"how long one side sends before the other takes over; 0: 5s, or longer at low rates")
	flags.BoolVar(&o.Confirm, "confirm", false, "repeat a round that found a regression; only what both found counts")
	flags.StringVar(&placement, "placement", "unknown",
		"same: both run in the same place; unknown: no verdict but inconclusive")
	flags.StringVar(&swap, "swap", "", "command that makes both change places, run half-way through each round")
	_ = c.MarkFlagFilename("env", "yaml", "yml")
	_ = c.RegisterFlagCompletionFunc("placement", cobra.FixedCompletions([]string{"same", "unknown"},
		cobra.ShellCompDirectiveNoFileComp))
	out.register(c)
	lf.register(c)
	return c
}

func (p *program) ab(c *cobra.Command, envs []string, o ab.Options, seed uint64, dryRun bool, lf *liveFlags,
	out *outputFlags) error {
	services, end, err := p.openSides(envs)
	defer end()
	if err != nil {
		return err
	}
	o.Old = services[0].environment
	name := o.Old.Name
	o.Secrets = redactorFor(o.Old)
	if !o.AA {
		o.New = services[1].environment
		o.Secrets.Add(o.New.Secrets()...)
		if o.New.Name != o.Old.Name {
			name += "-" + o.New.Name
		}
	}
	hosts := hostsOf(services)
	if dryRun {
		if err := p.dryOutput(out); err != nil {
			return err
		}
		asked, err := ab.Check(o)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stdout, "%s; nothing was sent\n", forecast("ab", askedBy(asked), o.Workload,
			strings.Join(hosts, " and ")))
		return nil
	}
	r, err := p.newOngoing(c, nil, out, "ab", name)
	if err != nil {
		return err
	}
	if err := r.findRoom(); err != nil {
		return r.finish(err)
	}
	ctx, err := p.goLive(c.Context(), r, lf,
		lookedAt{"Comparison", o.Workload, []watchedSide{{"old", o.Old.Name}, {"new", cmp.Or(o.New, o.Old).Name}}})
	if err != nil {
		return r.finish(err)
	}
	o.Seed = p.seed(seed)
	o.Run = r.run
	r.stamp(&o.Run)
	o.LastAA = lastSelfComparison(filepath.Dir(r.folder.Final()), o.Old.Name)
	progress := p.newProgress()
	defer progress.end()
	o.SetUp = func(at clients.SetUp) {
		progress.show(func() string { return "ab: " + at.String() })
		r.live.phase(at.String())
	}
	o.Progress = func(at ab.Progress) {
		lead := fmt.Sprintf("round %d, pair %d of %d", at.Round, at.Pair, at.Pairs)
		line := fmt.Sprintf("ab: %s, %d wrong, %s left", lead, at.Wrong, clock(at.Left))
		r.live.tell(watch.Standing{Lead: lead, Elapsed: at.Elapsed, Left: at.Left,
			Sides: []watch.Side{{Name: "old", At: at.Old}, {Name: "new", At: at.New}}})
		progress.showTable(progressTable(line, func() string { return line }, side{"old", at.Old}, side{"new", at.New}),
			func() string { return line })
	}
	o.Side = func(newer bool, at engine.Progress) {
		if newer {
			r.live.add(1, at)
		} else {
			r.live.add(0, at)
		}
	}
	o.Keep = func(sofar *compare.Comparison) {
		r.stamp(&sofar.Run)
		redact.Texts(sofar, p.secrets.Values)
		// told when the whole is written
		_ = r.folder.Write(reports.ComparisonFile, func(w io.Writer) error { return reports.WriteJSON(w, sofar) })
	}
	p.notef("ab: %s, seed %d", name, o.Seed)
	if asked, err := ab.Check(o); err == nil { // the run itself reports the error
		for _, s := range services {
			if s.environment.Protected || !s.environment.Local() {
				p.notef("%s", forecast("ab", askedBy(asked), o.Workload, strings.Join(hosts, " and ")))
				break
			}
		}
	}
	comparison, err := ab.Run(ctx, o)
	progress.end()
	err = r.live.why(ctx, err)
	if comparison == nil {
		comparison = neverMeasured(ctx, o, err)
	}
	if comparison != nil {
		r.stamp(&comparison.Run)
		r.comparison = comparison
		if writing := r.write(); err == nil {
			err = writing
		}
		p.end(exitOfAB(comparison))
	}
	return r.finish(err)
}

// neverMeasured is what is kept of a comparison whose set-up failed, so that no file of an earlier one stands for it;
// nil where the question itself was wrong.
func neverMeasured(ctx context.Context, o ab.Options, err error) *compare.Comparison {
	if !unsent(ctx, err) {
		return nil
	}
	side := func(e *environment.Environment) reports.Run {
		return reports.Run{Kind: "ab", Environment: e.Name, URL: e.URL, Tenant: e.Tenant, Service: e.Service,
			Start: o.Run.Start, Tool: o.Run.Tool, Machine: o.Run.Machine}
	}
	run := o.Run
	run.End = time.Now()
	return compare.NeverMeasured(run, side(o.Old), side(cmp.Or(o.New, o.Old)), whyNever(ctx, err))
}

// openSides opens one service, or two. It returns the function that closes them, even with an error.
func (p *program) openSides(envs []string) (services []*service, end func(), err error) {
	end = func() {
		for _, s := range services {
			s.close()
		}
	}
	if len(envs) == 0 {
		envs = []string{""}
	}
	for _, env := range envs {
		s, err := p.open(&serviceFlags{env: env})
		if err != nil {
			return services, end, err
		}
		services = append(services, s)
		p.withheld = append(p.withheld, s.environment.SecretVariables()...)
	}
	return services, end, nil
}

// hostsOf are the hosts that a job sends to, each once.
func hostsOf(services []*service) []string {
	var hosts []string
	for i, s := range services {
		if i == 0 || s.environment.ConsentHost() != services[0].environment.ConsentHost() {
			hosts = append(hosts, s.environment.ConsentHost())
		}
	}
	return hosts
}

// lastSelfComparison finds the newest comparison of the environment with itself among stored runs; nil if there is
// none.
func lastSelfComparison(root, environment string) *compare.SelfComparison {
	entries, err := runs.List(root)
	if err != nil {
		return nil
	}
	for i := len(entries) - 1; i >= 0; i-- {
		if entries[i].Kind != "ab" || entries[i].Environment != environment {
			continue
		}
		if stored, err := runs.Read(filepath.Join(root, entries[i].Folder)); err == nil {
			if self := compare.SelfComparisonOf(stored.Comparison); self != nil {
				return self
			}
		}
	}
	return nil
}

// swapper runs a command that makes two builds change places.
func (p *program) swapper(command string) func(context.Context) error {
	return func(ctx context.Context) error {
		p.notef("ab: changing places: %s", shownCommand(command))
		ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
		defer cancel()
		parts := strings.Fields(command)
		run := exec.CommandContext(ctx, parts[0], parts[1:]...)
		run.Stdout, run.Stderr = p.stderr, p.stderr
		run.Env = slices.DeleteFunc(os.Environ(), func(variable string) bool {
			name, _, _ := strings.Cut(variable, "=")
			return slices.Contains(p.withheld, name)
		})
		run.WaitDelay = 5 * time.Second // a process that the command leaves behind may hold its streams
		if err := run.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) {
			return failure.Setupf("the command that changes places (%s) failed: %w", shownCommand(command), err)
		}
		return nil
	}
}
