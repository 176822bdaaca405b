package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"agstest/internal/failure"
	"agstest/load"
	"agstest/load/schedule"
	"agstest/reports"
	"agstest/steps"
)

// A load over time has one name in every command, beside --profile, a part of the contract; it was --profile in load.
const (
	loadProfileFlag  = "load-profile"
	olderProfileFlag = "profile"
)

func (p *program) gateCommand() *cobra.Command {
	var cf conformFlags
	var lf loadFlags
	var looking liveFlags
	var s serviceFlags
	var out outputFlags
	c := &cobra.Command{
		Use:   "gate",
		Short: "Check a service, then load it, with one verdict.",
		Long: `Runs conform and then load, and ends with the graver of both exit codes. Writes gate.html beside the reports of both. The load runs also
where conformance failed, so that one pipeline run tells everything; where the service cannot be reached, it does not.

What only a load can show (ERR-12, LOAD-01 to LOAD-07) is judged by its load, and an answer under load that breaks a requirement fails it.`,
		Example: `  agstest gate                                        # the embedded mock
  agstest gate --env staging.yaml --workload mixed --mix signon=1,refresh=9 --rate 50/s --duration 60s --limit 'refresh.p99<300ms' --limit 'errors<0.1%'`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := looking.check(); err != nil {
				return err
			}
			check, err := cf.options(c, out.strict)
			if err != nil {
				return err
			}
			if slices.Contains(schedule.Profiles(), cf.profile) && !slices.Contains(profileNames(), cf.profile) {
				return failure.Usagef(
					"--profile %s of a gate would be a part of the contract; that of its load is given with --%s %s",
					cf.profile, loadProfileFlag, cf.profile)
			}
			lf.seed, lf.showIDs = cf.seed, cf.showIDs
			send, err := lf.options(s.env == "")
			if err != nil {
				return err
			}
			if cf.list {
				return p.listRequirements(check, out.json)
			}
			if _, err := steps.List(check); err != nil {
				return err
			}
			p.warnOfNames(lf.yesLoad)
			if lf.dryRun {
				return p.dryLoad(&s, send, &check, nil, &out)
			}
			return p.withRun(c, &s, &out, "gate", func(r *ongoing) error {
				r.yes, r.yesLoad, r.showIDs = lf.yes, lf.yesLoad, cf.showIDs
				r.yesActions, r.ignoreJournal = cf.actions.yes, s.ignoreJournal
				ctx, err := p.goLive(c.Context(), r, &looking,
					lookedAt{"Gate", workloadOf(&send), alone(r.run.Environment)})
				if err != nil {
					return err
				}
				return p.gate(ctx, r, check, send, cf.seed, lf.raw)
			})
		},
	}
	cf.register(c)
	lf.register(c)
	c.Flags().Uint64Var(&cf.seed, "seed", 0,
		"seed of everything that is invented; 0: a new one each time, printed and in the report")
	s.register(c)
	out.register(c)
	out.registerBaseline(c)
	looking.register(c)
	return c
}

// gate runs both parts. The results of the first are on disk before the second starts.
func (p *program) gate(ctx context.Context, r *ongoing, check steps.Options, send load.Options, seed uint64,
	raw bool) error {
	seed = p.seed(seed)
	check.Seed, send.Seed = seed, seed
	check.LoadFollows = true
	r.gated = &check
	asked := send
	asked.Environment = r.service.environment
	// a refused load is told before the first request, not after the last scenario
	if _, err := load.Check(asked, max(1, asked.Shard.Of)); err != nil {
		return err
	}
	r.expected = load.Lost(p.prepareLoad(r, send, "load"), "the run broke off before its load had ended")
	r.stamp(&r.expected.Run)
	if _, err := p.conform(ctx, r, check); err != nil {
		if r.conformance != nil {
			p.leaveLoadOut(r, send, whyNever(ctx, err))
		}
		return err
	}
	if err := ctx.Err(); err != nil {
		p.leaveLoadOut(r, send, whyNever(ctx, err))
		return err
	}
	if r.conformance.Verdict == reports.Error && exitOfConformance(r.conformance) == exitSetup {
		p.notef("load: left out, because nothing could be checked")
		return p.leaveLoadOut(r, send, "nothing could be checked")
	}
	_, err := p.load(ctx, r, send, raw)
	return err
}

// leaveLoadOut writes down that the load of a gate never ran, so that no file of the gate says less than that.
func (p *program) leaveLoadOut(r *ongoing, send load.Options, why string) error {
	return p.keepLoad(r, load.NeverSent(p.prepareLoad(r, send, "load"), why), nil)
}
