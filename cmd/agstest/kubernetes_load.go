package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/userfile"
	"agstest/load"
	"agstest/load/engine"
	"agstest/load/hit"
	"agstest/load/limit"
	"agstest/load/shards"
	"agstest/load/tally"
	"agstest/load/watch"
	"agstest/reports"
)

// The names of files of a plan.
const (
	planEnvironment = "environment.yaml"
	planProfile     = "profile.yaml"
)

// drainBeyond is how long a shard may take, beyond the timeout of an exchange, to prepare its result.
const drainBeyond = 30 * time.Second

// loadOnKubernetes is the load command with --on kubernetes.
func (p *program) loadOnKubernetes(c *cobra.Command, f *loadFlags, lf *liveFlags, k *kubernetesFlags, s *serviceFlags,
	out *outputFlags) error {
	if p.kubernetes == nil {
		return p.handOver()
	}
	if err := k.checkLoad(f, s); err != nil {
		return err
	}
	if f.dryRun {
		o, err := f.options(false)
		if err != nil {
			return err
		}
		return p.dryLoad(s, o, nil, k, out)
	}
	return p.withRun(c, s, out, "load", func(r *ongoing) error {
		f.seed = p.seed(f.seed)
		job, err := p.shardsOf(c, f, k, r.service.environment, r.run.ID)
		if err != nil {
			return err
		}
		ctx, err := p.goLive(c.Context(), r, lf, lookedAt{"Load", job.workload, alone(r.run.Environment)})
		if err != nil {
			return err
		}
		progress := p.newProgress()
		defer progress.end()
		asked := p.prepareLoad(r, job.options, "load")
		engine, err := p.kubernetes.open(noticing(k.options(), progress))
		if err != nil {
			return p.keepNone(ctx, r, asked, err)
		}
		coordinator := k.coordinator(engine, r.folder.Path())
		work, err := coordinator.NewWork(job.plan, job.files, job.secrets)
		if err != nil {
			return err
		}
		p.notef("load: %s at %s, seed %d, %s, on %s in the namespace %s", r.service.environment.Name,
			r.service.environment.URL, f.seed, job.asked.Schedule, figures.Plural(int64(k.shards), "shard"),
			engine.Namespace())
		return p.conduct(ctx, r, progress, coordinator, k.shardProgress, asked,
			func() (*shards.Outcome, error) { return coordinator.Run(ctx, work) })
	})
}

// shardJob is the work of the shards.
type shardJob struct {
	plan           shards.Plan
	files, secrets map[string][]byte
	options        load.Options
	asked          *load.Asked
	workload       string
}

// shardsOf checks everything that can be checked here, and makes the plan of the shards and its files.
func (p *program) shardsOf(c *cobra.Command, f *loadFlags, k *kubernetesFlags, e *environment.Environment,
	run string) (*shardJob, error) {
	o, err := f.options(false)
	if err != nil {
		return nil, err
	}
	if err := k.checkAddress(e); err != nil {
		return nil, err
	}
	o.Environment = e
	asked, err := load.Check(o, k.shards)
	if err != nil {
		return nil, err
	}
	portable, err := e.Portable()
	if err != nil {
		return nil, err
	}
	job := &shardJob{files: portable.Files, secrets: portable.Secrets, options: o, asked: asked,
		workload: workloadOf(&o)}
	job.files[planEnvironment] = portable.Text
	address, err := k.readResultsURL()
	if err != nil {
		return nil, err
	}
	job.plan = shards.Plan{Run: run, Version: shardVersion(), Shards: k.shards, Env: planEnvironment,
		Duration: asked.Longest, Drain: asked.Timeout + drainBeyond}
	if address != nil {
		job.plan.ResultsURL, job.secrets[resultsURLFile] = resultsURLFile, address
	}
	// each shard has the built-in ones
	if profile, err := userfile.Read(f.profile, maxSmallFile); f.profile != "" && err == nil {
		job.files[planProfile] = profile
	}
	job.plan.Arguments = planArguments(c, f, job.files[planProfile] != nil)
	return job, nil
}

// planArguments returns the load's flags that were given and are about requests, in a form that gives the same flags
// again. Flags about this machine and the report stay here.
func planArguments(c *cobra.Command, f *loadFlags, ownProfile bool) []string {
	sent := &cobra.Command{}
	f2 := loadFlags{}
	f2.register(sent)
	var line []string
	c.Flags().Visit(func(flag *pflag.Flag) {
		switch {
		case sent.Flags().Lookup(flag.Name) == nil:
		case flag.Name == loadProfileFlag || flag.Name == olderProfileFlag:
			profile := flag.Value.String()
			if ownProfile {
				profile = planProfile
			}
			line = append(line, "--"+loadProfileFlag+"="+profile)
		default:
			if list, ok := flag.Value.(pflag.SliceValue); ok {
				for _, value := range list.GetSlice() {
					line = append(line, "--"+flag.Name+"="+value)
				}
				return
			}
			line = append(line, "--"+flag.Name+"="+flag.Value.String())
		}
	})
	return append(line, fmt.Sprintf("--seed=%d", f.seed))
}

// noticing makes an engine report its notices beside the progress of a run.
func noticing(o kubernetesOptions, progress *progress) kubernetesOptions {
	o.Notice = func(sentence string) { progress.note(func() string { return "kubernetes: " + sentence }) }
	return o
}

// conduct lets a coordinator do its work, tells its progress, and makes one run of the shards' records. Asked is the
// question as far as it is known here.
func (p *program) conduct(ctx context.Context, r *ongoing, progress *progress, coordinator *shards.Coordinator,
	each bool, asked load.Options, do func() (*shards.Outcome, error)) error {
	detail := &shardProgress{tell: func(line string) { progress.note(func() string { return line }) }}
	coordinator.Tell = func(sentence string) {
		progress.note(func() string { return "load: " + sentence })
		r.live.note(sentence)
	}
	coordinator.Warn = func(sentence string) {
		progress.clear()
		p.warnf("%s", sentence)
	}
	coordinator.Progress = func(w shards.Whole) {
		if each {
			detail.show(w)
		}
		at := standingOf(w, asked.Limits)
		line := func() string { return "load: " + describeWhole(w) }
		progress.showTable(progressTable(line(), line, side{at: at.Sides[0].At}), line)
		r.live.tell(at)
	}
	outcome, err := do()
	progress.end()
	if err != nil {
		return p.keepNone(ctx, r, asked, r.live.why(ctx, err))
	}
	l, err := outcome.Merge(waysHome(outcome)...)
	switch {
	case err != nil && ctx.Err() != nil: // there was not yet a second of figures
		return p.keepLoad(r, load.Lost(asked, context.Cause(ctx).Error()), ctx.Err())
	case err != nil:
		err = failure.Setupf("%w; what came home is kept in %s", err, r.folder.Final())
		return p.keepLoad(r, load.Lost(asked, err.Error()), err)
	}
	if ctx.Err() != nil && l.Run.Partial != "" {
		l.Run.Partial = context.Cause(ctx).Error() + "; " + l.Run.Partial
	}
	start := l.Run.Start
	r.stamp(&l.Run)
	l.Run.Start = start
	r.load = l
	// A load of which a part is missing is inconclusive whatever the other parts found, and says so by its exit code.
	p.endLoad(l, r.output.strict)
	return r.write()
}

// keepNone writes down that a load was never sent, where it was the service, the cluster or somebody who ended it.
func (p *program) keepNone(ctx context.Context, r *ongoing, asked load.Options, err error) error {
	if !unsent(ctx, err) {
		return err
	}
	return p.keepLoad(r, load.NeverSent(asked, whyNever(ctx, err)), err)
}

// waysHome reports results that did not come from their shard.
func waysHome(o *shards.Outcome) []string {
	var notes []string
	if o.Plan.StartAt != 0 {
		notes = append(notes,
			"no shard was connected to (--without-forward): each started by its own clock, and what it recorded came with its "+
				"log unless something else is said")
	}
	for _, s := range o.Shards {
		usual := s.Way == shards.WayForward || s.Way == shards.WayLog && o.Plan.StartAt != 0
		if !usual && s.Folder != "" {
			notes = append(notes, fmt.Sprintf("what shard %d/%d recorded came from its %s", s.Index, s.Of, s.Way))
		}
	}
	return notes
}

// standingOf returns the state of a run of several shards for its viewers.
func standingOf(w shards.Whole, limits []limit.Limit) watch.Standing {
	at := watch.Standing{Elapsed: w.Elapsed, Left: w.Left, Lead: fmt.Sprintf("%d of %d shards heard", w.Heard,
		len(w.Shards))}
	sum := w.Sum
	if len(sum.Operations) == 0 { // of shards that nobody connects to less is known
		sum = engine.Progress{Elapsed: w.Elapsed, Left: w.Left, Sent: w.Sent, Wrong: w.Wrong, Right: w.Sent - w.Wrong,
			Rate: w.Rate, P99: int64(w.P99)}
	}
	sum.Limits = limitsOfShards(limits, &sum, w.Times)
	at.Sides = []watch.Side{{At: sum}}
	for _, one := range w.Shards {
		state := string(one.State)
		if one.Phase != "" {
			state = string(one.Phase)
		}
		if one.Reason != "" {
			state += ", " + one.Reason
		}
		at.Shards = append(at.Shards, watch.Shard{
			Name: fmt.Sprintf("%d/%d", one.Index, len(w.Shards)), State: state, Sent: one.Progress.Sent,
			Wrong: one.Progress.Wrong,
			Rate:  one.Progress.Rate, P99: int64(one.Progress.P99), Heard: one.Over || one.Heard >= 0 &&
				one.Heard <= 5*time.Second,
		})
	}
	return at
}

// limitsOfShards returns the state of limits from the figures that the shards have told. Limits on times are unknown
// for shards that tell none: nobody connects to them.
func limitsOfShards(limits []limit.Limit, sum *engine.Progress, times map[string]shards.Times) []reports.Limit {
	var sofar []reports.Limit
	for _, l := range limits {
		var s limit.Stretch
		var response, service tally.Histogram
		for _, o := range sum.Operations {
			if l.Operation == "" || l.Operation == o.Name {
				s.Sent, s.Right, s.Wrong, s.Throttled = s.Sent+o.Sent, s.Right+o.Right, s.Wrong+o.Wrong,
					s.Throttled+o.Kinds[hit.KindThrottled]
				// packed a moment ago
				_, _ = response.AddPacked(times[o.Name].Response), service.AddPacked(times[o.Name].Service)
			}
		}
		s.Response, s.ResponseSum = response.Times()
		s.Service, s.ServiceSum = service.Times()
		sofar = append(sofar, l.SoFar(s, sum.Elapsed))
	}
	return sofar
}

// describeWhole is how a run of several shards stands, in one line.
func describeWhole(w shards.Whole) string {
	p99 := "p99"
	if w.Sum.P99 == 0 { // the time of the slowest shard
		p99 = "p99 up to"
	}
	return fmt.Sprintf("%s, %s, %s wrong, %s %s, %d of %d shards heard, %s left", clock(w.Elapsed),
		figures.Rate(w.Rate),
		figures.Percent(w.Wrong, w.Sent), p99, figures.Milliseconds(int64(w.P99)), w.Heard, len(w.Shards),
		clock(w.Left))
}

// shardProgress tells how each shard stands: when something about it changes, and every ten seconds.
type shardProgress struct {
	tell func(line string)
	last time.Duration
	was  map[int]string
}

func (s *shardProgress) show(w shards.Whole) {
	all := s.was == nil || w.Elapsed-s.last >= plainEvery
	if s.was == nil {
		s.was = map[int]string{}
	}
	if all {
		s.last = w.Elapsed
	}
	for _, one := range w.Shards {
		stands := fmt.Sprintf("%s %s %s %t %t", one.State, one.Reason, one.Phase, one.Heard < 0,
			one.Progress.Elapsed > 0)
		if !all && s.was[one.Index] == stands {
			continue
		}
		s.was[one.Index] = stands
		s.tell(describeShard(one, len(w.Shards)))
	}
}

func describeShard(one shards.Standing, of int) string {
	words := []string{string(one.State)}
	if one.Phase != "" && string(one.Phase) != string(one.State) {
		words = append(words, string(one.Phase))
	}
	if p := one.Progress; p.Elapsed > 0 {
		words = append(words, figures.Count(p.Sent)+" sent", figures.Count(p.Wrong)+" wrong", figures.Rate(p.Rate),
			"p99 "+figures.Milliseconds(int64(p.P99)))
	}
	switch {
	case one.Over:
	case one.Heard < 0:
		words = append(words, "not heard yet")
	case one.Heard > 5*time.Second:
		words = append(words, "last heard "+one.Heard.Round(time.Second).String()+" ago")
	}
	if one.Reason != "" {
		words = append(words, one.Reason)
	}
	on := ""
	if one.Node != "" {
		on = " on node " + one.Node
	}
	return fmt.Sprintf("  shard %d/%d%s: %s", one.Index, of, on, strings.Join(words, ", "))
}
