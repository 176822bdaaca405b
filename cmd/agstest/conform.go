package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"agstest/ags"
	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/userfile"
	"agstest/reports"
	"agstest/steps"
)

// runCommands returns the commands that talk to a service.
func (p *program) runCommands() []*cobra.Command {
	return []*cobra.Command{p.planCommand(), p.gateCommand(), p.conformCommand(), p.loadCommand(), p.capacityCommand(),
		p.abCommand(), p.kubernetesCommand()}
}

// conformFlags say what to check and how strictly.
type conformFlags struct {
	tags        string
	only        []string
	profile     string
	coverage    string
	lenient     bool
	known       string
	seed        uint64
	generate    int
	sequences   int
	concurrency int
	features    string
	slow        bool
	patience    time.Duration
	repeat      int
	retry       int
	list        bool
	yes         []string // hosts
	dryRun      bool
	showIDs     bool
	actions     actionFlags
}

// profileNames lists the parts of the contract that a run can be limited to.
func profileNames() []string {
	var names []string
	for _, profile := range steps.Profiles {
		names = append(names, profile.Name)
	}
	return names
}

func (f *conformFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.tags, "tags", "", "run the scenarios of a tag expression, such as '@refresh and not @slow'")
	flags.StringSliceVar(&f.only, "only", nil, "run what covers these requirements, such as SOST-07,TOK-11")
	flags.StringVar(&f.profile, "profile", "full", "part of the contract: "+strings.Join(profileNames(), ", "))
	flags.StringVar(&f.coverage, "coverage", "",
		"what must be judged, or the run ends with exit 4, as in the environment file: 90% of the documented requirements, "+
			"or situations such as active,vpn; none: nothing")
	flags.BoolVar(&f.lenient, "lenient", false, "misses of what only samples show are warnings")
	flags.StringVar(&f.known, "known", "", "file of known departures, which do not fail the run until their date")
	flags.IntVar(&f.generate, "generate", 10, "generated bad requests for each operation; 0 switches them off")
	flags.IntVar(&f.sequences, "sequences", 5, "random sequences of calls, held against a model; 0 switches them off")
	flags.IntVar(&f.concurrency, "concurrency", 0,
		"scenarios at the same time; 0: 6 against a mock, 32 on a live service, where those that would meet wait for each "+
			"other, 1 while it is protected")
	flags.StringVar(&f.features, "features", "",
		"folder of feature files of your own, run beside the built-in ones (reports call it own/)")
	flags.BoolVar(&f.slow, "slow", false, "run scenarios that wait in real time too")
	flags.DurationVar(&f.patience, "patience", 5*time.Second,
		"what the run may wait, once, for what only time shows on a live service; below 3.2s it does not wait")
	flags.IntVar(&f.repeat, "repeat", 1,
		"how often each scenario is played, to find what shows in one answer of many; each time something else is invented")
	flags.IntVar(&f.retry, "retry", 2,
		"how often a failing scenario is tried again, one for each cause, to tell whether it fails always or sometimes "+
			"(both fail); 0: never")
	flags.BoolVar(&f.list, "list", false, "list requirements and scenarios, and send nothing")
	f.actions.register(c)
	flags.BoolVar(&f.showIDs, "show-ids", false,
		"show the ids of accounts, devices and users in reports; left out: they are masked, but for those of a mock")
	_ = c.MarkFlagFilename("known", "yaml", "yml")
	var ids []string
	for _, r := range ags.Requirements {
		ids = append(ids, r.ID+"\t"+r.Text)
	}
	_ = c.RegisterFlagCompletionFunc("only", completeList(ids))
	_ = c.MarkFlagDirname("features")
	_ = c.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions(profileNames(),
		cobra.ShellCompDirectiveNoFileComp))
}

// options turns the flags into options of steps; the environment is added later.
func (f *conformFlags) options(c *cobra.Command, strict bool) (steps.Options, error) {
	o := steps.Options{
		Tags: f.tags, Only: f.only, Profile: f.profile, Seed: f.seed, Generate: f.generate, Sequences: f.sequences,
		Concurrency: f.concurrency, Slow: f.slow, Patience: f.patience, Repeat: f.repeat, Retry: f.retry,
	}
	switch {
	case f.lenient && strict:
		return o, failure.Usagef("--lenient and --strict exclude each other; leave one of them out")
	case f.lenient:
		o.Strictness = steps.Lenient
	case strict:
		o.Strictness = steps.Strict
	}
	if f.patience < 0 {
		return o, failure.Usagef("--patience must be 0 or more, not %s", f.patience)
	}
	for name, value := range map[string]int{"generate": f.generate, "sequences": f.sequences,
		"concurrency": f.concurrency, "retry": f.retry} {
		if value < 0 {
			return o, failure.Usagef("--%s must be 0 or more, not %d", name, value)
		}
	}
	if f.repeat < 1 || f.repeat > maxRepeats {
		return o, failure.Usagef("--repeat must be from 1 to %d, not %d", maxRepeats, f.repeat)
	}
	if f.retry > maxRetries {
		return o, failure.Usagef("--retry must be %d at most, not %d; --repeat plays every scenario several times",
			maxRetries, f.retry)
	}
	if o.Coverage = environment.Coverage(strings.TrimSpace(f.coverage)); o.Coverage != environment.NoCoverage {
		if _, err := o.Coverage.Wanted(); err != nil || o.Coverage == "" && c.Flags().Changed("coverage") {
			return o, failure.Usagef("--coverage %w",
				cmp.Or(err, errors.New("must say what must be judged, such as 90% or active,vpn; none: nothing")))
		}
	}
	if f.features != "" {
		dir, err := featureFolder(f.features)
		if err != nil {
			return o, err
		}
		// every mistake at once, with the path that was given
		if _, _, err := steps.CheckFeatures(dir, f.features); err != nil {
			return o, err
		}
		o.Features = dir
	}
	if f.known != "" {
		known, err := readKnown(f.known)
		if err != nil {
			return o, err
		}
		o.Known = known
	}
	return o, nil
}

// readKnown reads a file of known departures.
func readKnown(path string) ([]steps.KnownDeparture, error) {
	text, err := userfile.Read(path, maxSmallFile)
	if err != nil {
		return nil, failure.Usagef("cannot read the file of known departures %s: %w", path, err)
	}
	known, err := steps.ReadKnown(text)
	if err != nil {
		return nil, failure.Usagef("%s: %w", path, err)
	}
	return known, nil
}

// The maxima of repeating: a higher number is a slip of the pen.
const (
	maxRepeats = 1000
	maxRetries = 20
)

// maxSmallFile is far above any file that people write by hand, in bytes; it keeps a wrong path from filling the
// memory.
const maxSmallFile = 16 << 20

func (p *program) conformCommand() *cobra.Command {
	var f conformFlags
	var s serviceFlags
	var out outputFlags
	c := &cobra.Command{
		Use:   "conform",
		Short: "Check a service against its published documentation.",
		Long: `Runs the conformance suite and writes conformance.html, conformance.json, junit.xml and more to a folder of the run.
What a page states, what the schema of its samples shows and plain security fail the run when they are missed; what is inferred warns; what no page names
is shown. --list tells level and ground of each requirement.`,
		Example: `  agstest conform                                     # the embedded mock
  agstest conform --env staging.yaml
  agstest conform --env staging.yaml --profile signon-with-session-token --only SOST-07,SOST-14
  agstest conform --list --tags '@refresh'`,
		RunE: func(c *cobra.Command, args []string) error {
			o, err := f.options(c, out.strict)
			if err != nil {
				return err
			}
			if f.list {
				return p.listRequirements(o, out.json)
			}
			if _, err := steps.List(o); err != nil { // a wrong tag is told before a mock or a folder is made
				return err
			}
			if f.dryRun {
				return p.dryRun(&s, o, f.yes, f.actions.yes, &out)
			}
			return p.withRun(c, &s, &out, "conform", func(r *ongoing) error {
				r.yes, r.showIDs, r.yesActions, r.ignoreJournal = f.yes, f.showIDs, f.actions.yes, s.ignoreJournal
				_, err := p.conform(c.Context(), r, o)
				return err
			})
		},
	}
	f.register(c)
	c.Flags().StringSliceVar(&f.yes, "yes", nil,
		"host of the service given back, such as staging.example.com: a protected one gets the whole check only then")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, dryRunUsage)
	c.Flags().Uint64Var(&f.seed, "seed", 0,
		"seed of everything that is invented; 0: a new one each time, printed and in the report")
	s.register(c)
	out.register(c)
	return c
}

// conform runs the suite and puts its results into the run's folder.
func (p *program) conform(ctx context.Context, r *ongoing, o steps.Options) (*reports.Conformance, error) {
	o.Environment = r.service.environment
	if err := mistaken(o.Environment, r.yes, r.yesActions); err != nil {
		return nil, err
	}
	if err := p.useKept(o.Environment); err != nil {
		return nil, err
	}
	o.Seed = p.seed(o.Seed)
	if err := r.begin(); err != nil {
		return nil, err
	}
	if o.MaxRate == 0 {
		o.MaxRate = o.Environment.MaxRate()
	}
	calm(&o, r.yes, r.yesLoad)
	if o.Environment.Protected || !o.Environment.Local() {
		if err := p.tellForecast(o.Environment, o); err != nil {
			return nil, err
		}
	}
	end := p.act(r, &o)
	if err := p.tellDevices(o); err != nil {
		return nil, err
	}
	defer func() { _ = end(ctx) }() // what broke down puts back too
	progress := p.newProgress()
	defer progress.end()
	failed := 0
	o.Progress = func(done, total int, scenario string, verdict reports.Verdict) {
		if verdict == reports.Fail || verdict == reports.Error {
			failed++
		}
		line := func() string {
			return fmt.Sprintf("conform: %d of %d scenarios, %d failed: %s", done, total, failed, scenario)
		}
		progress.show(line)
		if r.live != nil {
			r.live.phase(line())
		}
	}
	p.notef("conform: %s at %s, seed %d", o.Environment.Name, o.Environment.URL, o.Seed)
	c, err := r.check(ctx, o)
	progress.end()
	if left := r.tellLeft(end(ctx)); left != nil {
		if c != nil {
			c.Notes = append(c.Notes, "what actions changed "+left.Error())
		}
		if err == nil {
			err = left
		}
	} else if c != nil && o.Actions.Done() > 0 {
		c.Notes = append(c.Notes, figures.Plural(int64(o.Actions.Done()), "state")+
			" of the platform were changed by actions and put back")
	}
	if c != nil {
		r.stamp(&c.Run)
		placeFeatures(c, o.Features)
		c.TestKeys = r.output.keys
		r.conformance = c
		if writing := r.write(); err == nil {
			err = writing
		}
		p.end(exitOfConformance(c))
	}
	return c, err
}

// check runs the suite; one that is refused before it judged anything has a report too, which says so.
func (r *ongoing) check(ctx context.Context, o steps.Options) (*reports.Conformance, error) {
	c, err := steps.Run(ctx, o)
	if c == nil && failure.KindOf(err) == failure.Setup {
		c = r.unjudged("nothing was judged: " + whyNever(ctx, err))
	}
	return c, err
}

// exitOfConformance: where some requirements could not be told but others were judged, nothing failed and nobody is to
// take the run for the whole; where nothing could be judged, the set-up failed.
func exitOfConformance(c *reports.Conformance) int {
	if c.Verdict == reports.Error {
		for _, requirement := range c.Requirements {
			switch requirement.Verdict {
			case reports.Pass, reports.Partly, reports.Warn, reports.Known:
				return exitInconclusive
			}
		}
	}
	return exitOfRun(c.Verdict, c.Run)
}

// listRequirements prints the requirements that a run would check.
func (p *program) listRequirements(o steps.Options, asJSON bool) error {
	list, err := steps.List(o)
	if err != nil {
		return err
	}
	if asJSON {
		type scenario struct {
			ID   string   `json:"id"`
			Name string   `json:"name"`
			Tags []string `json:"tags,omitempty"`
		}
		type requirement struct {
			ID        string     `json:"id"`
			Level     string     `json:"level"`
			Gating    string     `json:"gating"`
			Ground    string     `json:"ground"`
			Soft      string     `json:"soft,omitempty"` // the part of it whose miss only warns
			Text      string     `json:"text"`
			Exempt    string     `json:"exempt,omitempty"`
			Scenarios []scenario `json:"scenarios"`
		}
		out := make([]requirement, 0, len(list))
		for _, l := range list {
			r := requirement{l.Requirement.ID, string(l.Requirement.Level), string(l.Requirement.Gating()),
				string(l.Requirement.Ground), l.Requirement.SoftPart, l.Requirement.Text, l.Exempt, []scenario{}}
			for _, s := range l.Scenarios {
				r.Scenarios = append(r.Scenarios, scenario{s.ID, s.Name, s.Tags})
			}
			out = append(out, r)
		}
		return p.writeJSON(out)
	}
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, l := range list {
		text := l.Requirement.Text
		if l.Requirement.SoftPart != "" && l.Requirement.Gating() == ags.Gates {
			text += " Only a warning: " + l.Requirement.SoftPart + "."
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", l.Requirement.ID, l.Requirement.Level, l.Requirement.Ground,
			l.Requirement.Gating(), text)
		for _, s := range l.Scenarios {
			fmt.Fprintf(table, "\t\t\t\t  %s  %s\n", s.ID, s.Name)
		}
		if len(l.Scenarios) == 0 {
			reason := l.Exempt
			if reason == "" {
				reason = "not covered by a scenario of this selection"
			}
			fmt.Fprintf(table, "\t\t\t\t  none: %s\n", reason)
		}
	}
	return table.Flush()
}
