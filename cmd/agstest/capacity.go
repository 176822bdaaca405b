package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/schedule"
	"agstest/load/watch"
	"agstest/reports"
)

func (p *program) capacityCommand() *cobra.Command {
	var f loadFlags
	var s serviceFlags
	var out outputFlags
	var from, to string
	var options load.CapacityOptions
	var dryRun bool
	var lf liveFlags
	c := &cobra.Command{
		Use:   "capacity",
		Short: "Find the highest rate that keeps the limits.",
		Long: `Doubles the rate until a limit breaks, then halves the gap, and confirms what it found twice. Each point is long enough for its
percentiles. Where the generator itself is what cannot keep up, the rate is only a lower bound, and the report says so.`,
		Example: `  agstest capacity --env staging.yaml --workload signon --limit 'signon.p99<300ms' --limit 'errors<0.1%'
  agstest capacity --env staging.yaml --workload refresh --limit 'refresh.p99<300ms' --from 50/s --to 2000/s`,
		RunE: func(c *cobra.Command, args []string) error {
			if err := lf.check(); err != nil {
				return err
			}
			o, err := f.options(false)
			if err != nil {
				return err
			}
			if s.env == "" && o.Workload == "" {
				o.Workload = clients.WorkloadRefresh
			}
			for _, bound := range []struct {
				flag, text string
				rate       *schedule.Rate
			}{{"from", from, &options.From}, {"to", to, &options.To}} {
				if bound.text == "" {
					continue
				}
				if *bound.rate, err = schedule.ParseRate(bound.text); err != nil {
					return failure.Usagef("--%s: %w", bound.flag, err)
				}
				if bound.rate.Max || bound.rate.Hits == 0 {
					return failure.Usagef("--%s must be a rate above 0 such as 200/s, not %s", bound.flag, bound.text)
				}
			}
			if options.Pause < 0 {
				return failure.Usagef("--pause must be a time such as 30s, not %s", options.Pause)
			}
			p.warnOfNames(f.yesLoad)
			if dryRun {
				if err := p.dryOutput(&out); err != nil {
					return err
				}
				service, err := p.open(&s)
				if err != nil {
					return err
				}
				defer service.close()
				o.Environment = service.environment
				asked, err := load.AskedByCapacity(o, options)
				if err != nil {
					return err
				}
				fmt.Fprintf(p.stdout, "%s; nothing was sent\n", forecast("capacity", asked, o.Workload,
					o.Environment.ConsentHost()))
				return nil
			}
			return p.withRun(c, &s, &out, "capacity", func(r *ongoing) error {
				if err := r.findRoom(); err != nil {
					return err
				}
				ctx, err := p.goLive(c.Context(), r, &lf, lookedAt{"Capacity", workloadOf(&o),
					alone(r.run.Environment)})
				if err != nil {
					return err
				}
				o := p.prepareLoad(r, o, "capacity")
				trying := "" // the point that is under way
				progress := p.newProgress()
				defer progress.end()
				o.SetUp = func(at clients.SetUp) {
					progress.show(func() string { return "capacity: " + at.String() })
					r.live.phase(at.String())
				}
				o.Progress = func(at engine.Progress) {
					progress.showLoad("capacity", at)
					r.live.tell(watch.Standing{Lead: trying, Elapsed: at.Elapsed, Left: at.Left,
						Sides: []watch.Side{{At: at}}})
				}
				options.Starting = func(rate float64, length time.Duration) {
					trying = fmt.Sprintf("trying %s for %s", figures.Rate(rate), length)
					progress.note(func() string { return "capacity: " + trying })
					r.live.note(trying)
				}
				options.Tried = func(point reports.CapacityPoint) {
					line := fmt.Sprintf("%s %s, p99 %s", figures.Rate(point.Rate), point.Verdict.Word(),
						figures.Milliseconds(point.P99))
					progress.note(func() string { return "capacity: " + line })
					r.live.note(line)
				}
				p.notef("capacity: %s at %s, seed %d", o.Environment.Name, o.Environment.URL, o.Seed)
				if asked, err := load.AskedByCapacity(o, options); err == nil { // the search itself reports the error
					p.tellLoad("capacity", asked, o.Workload, o.Environment)
				}
				l, err := load.Capacity(ctx, o, options)
				progress.end()
				err = r.live.why(ctx, err)
				if l == nil && unsent(ctx, err) {
					l = load.NeverSent(o, whyNever(ctx, err))
				}
				return p.keepLoad(r, l, err)
			})
		},
	}
	f.registerTraffic(c)
	f.registerLimits(c, "'refresh.p99<300ms' or 'errors<0.1%'")
	f.registerSeed(c)
	flags := c.Flags()
	flags.StringVar(&from, "from", "",
		"first rate, and the lowest; left out: 10/s, or more where the limits need many answers")
	flags.StringVar(&to, "to", "", "highest rate to try; left out: load.maxRate of the environment, if it has one")
	flags.DurationVar(&options.Point, "point", 0, "how long one rate is tried at least; 0: 15s")
	flags.Float64Var(&options.Precision, "precision", 0, "how near the bounds come to each other, as a share; 0: 0.05")
	flags.BoolVar(&dryRun, "dry-run", false, dryRunUsage)
	flags.DurationVar(&options.Pause, "pause", 0, "between two rates; 0: 1s")
	s.register(c)
	out.register(c)
	lf.register(c)
	return c
}
