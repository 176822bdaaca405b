package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"agstest/internal/actions"
	"agstest/internal/disarm"
	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/load"
	"agstest/load/ab"
	"agstest/load/clients"
	"agstest/reports/runs"
	"agstest/steps"
)

const (
	yesUsage = "host of the service given back, such as staging.example.com: for a protected environment, and where " +
		"a load creates devices"
	dryRunUsage = "tell what would be sent, and send nothing"
)

// calmRate is how many requests a second a protected service gets from a check that nobody said yes to.
const calmRate = 2

// warnOfNames: consent by name goes on working.
func (p *program) warnOfNames(names []string) {
	if len(names) > 0 {
		p.warnf(
			"--yes-load gives back a name, which a copied file keeps; say --yes with the host of the service instead")
	}
}

// calm limits a check to the requests of a calm client, unless the user said yes to the service.
func calm(o *steps.Options, yes, names []string) {
	e := o.Environment
	agreed := !e.Protected || e.Agreed(yes)
	for _, name := range names {
		agreed = agreed || name == e.Name
	}
	if agreed {
		return
	}
	o.Calm, o.Generate, o.Sequences, o.Slow, o.Patience, o.Concurrency = "--yes "+e.ConsentHost(), 0, 0, false, 0, 1
	if o.MaxRate == 0 || o.MaxRate > calmRate {
		o.MaxRate = calmRate
	}
}

// mistaken refuses a yes to another service than the one to check, before anything is sent.
func mistaken(e *environment.Environment, yes, yesActions []string) error {
	if err := e.Mistaken(yes); err != nil {
		return err
	}
	if len(yesActions) > 0 && !e.Agreed(yesActions) && !slices.Contains(yesActions, e.Name) {
		return failure.Usagef("--yes-actions says %q and the service of the environment %s is at %q; nothing was sent",
			strings.Join(yesActions, ","), e.Name, e.ConsentHost())
	}
	return nil
}

// tellForecast says what a check will send before it does.
func (p *program) tellForecast(e *environment.Environment, o steps.Options) error {
	text, err := checkForecast(e, o)
	if err == nil {
		p.notef("%s", text)
	}
	return err
}

// dryForecast prints on stdout what a check would send, because the user asked for that.
func (p *program) dryForecast(e *environment.Environment, o steps.Options) error {
	text, err := checkForecast(e, o)
	if err == nil {
		fmt.Fprintf(p.stdout, "%s; nothing was sent\n", text)
	}
	return err
}

func checkForecast(e *environment.Environment, o steps.Options) (string, error) {
	f, err := steps.ForecastOf(o)
	if err != nil {
		return "", err
	}
	rate := "as fast as the service answers, one scenario after the other"
	if o.MaxRate > 0 {
		rate = "at most " + figures.Rate(o.MaxRate)
	}
	text := fmt.Sprintf("conform: %s, about %s, at most %s and %s to %s; %s",
		figures.Plural(int64(f.Scenarios), "scenario"), figures.Plural(int64(f.Requests), "request"),
		figures.Plural(int64(f.Devices), "new device"), figures.Plural(int64(f.WrongPasswords), "wrong password"),
		e.ConsentHost(), rate)
	if o.Calm != "" {
		text += fmt.Sprintf(". %s is protected: %s left out, which need %s", e.Name,
			figures.Plural(int64(f.LeftOut), "scenario"), o.Calm)
	}
	return text, nil
}

// tellDevices says before a check of a live service how many devices it makes, and what becomes of them.
func (p *program) tellDevices(o steps.Options) error {
	e := o.Environment
	if e.Mock != nil || o.Calm != "" || e.DeviceBudget() == 0 {
		return nil
	}
	f, err := steps.ForecastOf(o)
	if err != nil || f.Devices == 0 {
		return err
	}
	after := "they stay there, as no action deletes them"
	if o.Actions.Can(actions.Delete) {
		after = "actions.delete takes them away again"
	}
	p.notef("conform: this run makes at most %s (devices: {budget: %d}); %s",
		figures.Plural(int64(f.Devices), "device"), e.DeviceBudget(), after)
	return nil
}

// forecast says what a load will send at most, before it does.
func forecast(kind string, asked *load.Asked, workload, host string) string {
	hits := "as many requests as the workers can send"
	if asked.Hits > 0 {
		hits = fmt.Sprintf("at most %s", figures.Plural(int64(asked.Hits), "request"))
	}
	if asked.Peak > 0 {
		hits += fmt.Sprintf(", at most %s", figures.Rate(asked.Peak))
	} else if kind == "capacity" {
		hits = "as many requests as it takes to break a limit; --to bounds them"
	}
	length, setUp := "", "of set-up"
	switch {
	case asked.Longest > asked.Length && kind != "ab":
		hits = fmt.Sprintf("%s, and what clients send again", hits[len("at most "):])
	case kind == "capacity":
		setUp = "of set-up before the first rate"
	}
	if asked.Longest > 0 {
		length = fmt.Sprintf(" within %s", asked.Longest.Round(time.Second/10))
	}
	devices := figures.Plural(int64(asked.Devices), "new device")
	if asked.Devices == 0 && asked.Hits == 0 && clients.Creates(workload) {
		devices = "a new device for each"
	}
	return fmt.Sprintf("%s: %s (%s)%s by %s, after about %s %s, %s and 0 wrong passwords to %s", kind, hits,
		strings.TrimPrefix(workload+", "+asked.Schedule, ", "), length,
		figures.Plural(int64(asked.Clients), "client"), figures.Plural(int64(asked.SetUp), "request"), setUp, devices,
		host)
}

// tellLoad says what a load will send if others may mind.
func (p *program) tellLoad(kind string, asked *load.Asked, workload string, e *environment.Environment) {
	if asked != nil && (e.Protected || !e.Local()) {
		p.notef("%s", forecast(kind, asked, workload, e.ConsentHost()))
	}
}

// askedBy returns the question of a comparison by turns in the form of a load's.
func askedBy(a *ab.Asked) *load.Asked {
	return &load.Asked{Schedule: "by turns", Hits: a.Hits, Peak: a.Peak, Longest: a.Length, Devices: a.Devices,
		Clients: a.Clients, SetUp: a.SetUp}
}

// errDryJSON refuses --json where there is no result that it could write.
var errDryJSON = failure.Usagef("--json writes the result of a run, and --dry-run makes none: leave one of them out")

// dryOutput tells which earlier run --out would replace; a folder that would be refused is refused, and --json.
func (p *program) dryOutput(out *outputFlags) error {
	if out.json {
		return errDryJSON
	}
	if out.out == "" {
		return nil
	}
	earlier, files, err := runs.Replaced(out.out)
	if err != nil {
		return failure.Usagef("--out: %w", err)
	}
	if earlier == nil {
		return nil
	}
	what := "a run of agstest that cannot be read"
	if earlier.ID != "" {
		what = fmt.Sprintf("the %s run %s of %s (%s)", earlier.Kind, earlier.ID, earlier.Environment, earlier.Verdict)
	}
	fmt.Fprintf(p.stdout, "%s holds %s, %s: it would be replaced\n", disarm.Line(out.out), disarm.Line(what),
		figures.Plural(int64(files), "file"))
	return nil
}

// dryLoad prints what a load would send, after what the check before it would send, if there is one. A load on a
// cluster has flags of it, else nil.
func (p *program) dryLoad(s *serviceFlags, o load.Options, check *steps.Options, k *kubernetesFlags,
	out *outputFlags) error {
	if err := p.dryOutput(out); err != nil {
		return err
	}
	service, err := p.open(s)
	if err != nil {
		return err
	}
	defer service.close()
	o.Environment = service.environment
	shards := max(1, o.Shard.Of)
	if k != nil {
		shards = k.shards
		if err := k.checkAddress(service.environment); err != nil {
			return err
		}
	}
	asked, err := load.Check(o, shards)
	if err != nil {
		return err
	}
	if check != nil {
		check.Environment = service.environment
		if check.MaxRate == 0 {
			check.MaxRate = check.Environment.MaxRate()
		}
		if err := p.dryForecast(service.environment, *check); err != nil {
			return err
		}
	}
	fmt.Fprintf(p.stdout, "%s; nothing was sent\n", forecast("load", asked, o.Workload, o.Environment.ConsentHost()))
	return nil
}

// dryRun prints what a check would send.
func (p *program) dryRun(s *serviceFlags, o steps.Options, yes, yesActions []string, out *outputFlags) error {
	if err := p.dryOutput(out); err != nil {
		return err
	}
	service, err := p.open(s)
	if err != nil {
		return err
	}
	defer service.close()
	if err := mistaken(service.environment, yes, yesActions); err != nil {
		return err
	}
	o.Environment = service.environment
	if o.MaxRate == 0 {
		o.MaxRate = o.Environment.MaxRate()
	}
	calm(&o, yes, nil)
	return p.dryForecast(o.Environment, o)
}
