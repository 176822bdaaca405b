// Package steps runs the conformance suite: it selects scenarios, lets godog play them against a service, and weighs
// the findings into a report.
//
// Start with [Run]. It reads feature files (steps/script) and chooses scenarios ([Options]). It sets up a stage, which
// all scenarios share, and gives each scenario a world of its own on it (steps/scene). The sentences of a scenario act
// and look (steps/words), while internal/check judges every answer, whatever the scenario is about. Failed scenarios
// are tried again. Then the findings of all tries become a verdict for each requirement: weigh.go weighs a finding,
// verdicts.go decides about requirements and the run, causes.go finds those with one cause.
//
// A finding is held, broken, soft, observed or could not be told. A refusal proves a rule only beside a control
// (steps/scene, proof.go). Nothing passes because nobody looked: the report lists what no scenario exercised.
package steps

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/wire"
	"agstest/reports"
	"agstest/steps/scene"
	"agstest/steps/script"
)

// run is one conformance run. Its fields are set before the first scenario and only read afterwards, but for those that
// say so.
type run struct {
	*scene.Stage
	options     Options
	selection   selection
	known       map[string]KnownDeparture
	now         time.Time
	calm        map[*script.Scenario]bool // that may run while nobody said yes
	collected   *collection
	played      map[string]*entry // by id of the scenario: what all its tries came to
	proved      map[string]bool   // whose refusals are the service's, though good requests got the same words
	question    reports.Run
	turns       *turns       // of the scenarios that are played
	undisturbed sync.RWMutex // held for writing by a scenario that must be alone
}

// Run runs the selected scenarios against the service of the environment and reports its findings. Its errors are of
// the kinds failure.Usage (an unknown tag, profile or requirement, a step that means nothing, a feature file that
// cannot be read, no scenario) and failure.Setup (the service or the control interface cannot be reached). When ctx
// ends, Run returns the report so far, marked as partial. Several runs may go on at once.
func Run(ctx context.Context, o Options) (*reports.Conformance, error) {
	if o.Environment == nil {
		return nil, failure.Usagef("no environment is given, so there is no service to check")
	}
	sources, all, err := understand(o.Features)
	if err != nil {
		return nil, err
	}
	chosen, err := choose(all, o)
	if err != nil {
		return nil, err
	}
	if sources, chosen.scenarios, err = staged(sources, chosen.scenarios); err != nil {
		return nil, err
	}
	r, err := newRun(o, chosen)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	r.question = r.describe()
	reached, err := r.Client.Reach(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, r.Environment.Located(err)
	}
	if r.Client.HTTP2() {
		why := "the service speaks HTTP/2 only"
		if r.Client.Target().HTTP == wire.HTTP2 {
			why = "HTTP/2 was spoken, as the environment file says (http)"
		}
		r.Notes = append(r.Notes,
			why+
				", where the names of headers are in lower case however they are spelt: how it takes other spellings was not "+
				"checked")
	}
	if reached != nil && reached.Status == http.StatusOK && slices.ContainsFunc(reached.Attempts,
		func(a wire.Attempt) bool { return a.Status == http.StatusInternalServerError }) {
		r.Notes = append(r.Notes, "at the start servicediscovery was answered with status 500, and then as it should "+
			"be: it was waited for, as a service is that is being started")
	}
	if ctx.Err() == nil {
		if err := r.diagnose(ctx, r.Discover(ctx, reached)); err != nil && ctx.Err() == nil {
			return nil, err
		}
		r.lookAround(ctx)
		if err := r.playAll(ctx, sources, chosen.scenarios); err != nil {
			return nil, err
		}
	}
	r.EndAhead()
	r.ClearOwn(ctx)
	partial := ""
	if ctx.Err() != nil {
		partial = figures.Unbroken(context.Cause(ctx).Error())
		if r.Repetition > 0 {
			partial += fmt.Sprintf(", in repetition %d of %d", r.Repetition+1, r.repetitions())
		}
	}
	r.question.Service = r.Service
	// however the clock of this machine was set meanwhile
	r.question.End = r.question.Start.Add(r.clock().Sub(r.question.Start))
	report := r.conclude(partial)
	for _, s := range sources {
		report.Features = append(report.Features,
			reports.Feature{File: s.Name, Text: r.Secrets.Text(string(s.Content))})
	}
	return report, nil
}

func newRun(o Options, chosen selection) (*run, error) {
	stage, err := scene.NewStage(o.setting(), chosen.scenarios)
	if err != nil {
		return nil, err
	}
	r := &run{Stage: stage, options: o, selection: chosen, known: map[string]KnownDeparture{},
		played: map[string]*entry{}, proved: map[string]bool{}}
	for _, d := range o.Known {
		r.known[d.ID] = d
	}
	r.Concurrency = o.Concurrency
	if r.Concurrency <= 0 {
		switch {
		case r.Control != nil:
			r.Concurrency = 6
		case o.Calm != "":
			r.Concurrency = 1
		default:
			r.Concurrency = liveConcurrency
		}
	}
	r.calm = calmest(chosen.scenarios)
	r.Notes = append(r.Notes, chosen.noteOwn()...)
	if o.Calm != "" {
		r.Notes = append(r.Notes,
			"the environment is protected, so only what a calm client would send was sent; for the whole check say "+
				o.Calm)
	}
	r.now = r.clock()
	return r, nil
}

func (r *run) clock() time.Time {
	if r.options.Now != nil {
		return r.options.Now()
	}
	return time.Now()
}

// describe fills in what the run asks. The caller adds what only it knows: the command and the version of the tool.
func (r *run) describe() reports.Run {
	id := make([]byte, 8)
	rand.Read(id)
	o, e := r.options, r.Environment
	settings := map[string]string{"seed": fmt.Sprint(o.Seed), "strictness": o.Strictness.String(), "profile": "full"}
	if o.Profile != "" {
		settings["profile"] = o.Profile
	}
	if o.Tags != "" {
		settings["tags"] = o.Tags
	}
	if len(o.Only) > 0 {
		settings["only"] = strings.Join(o.Only, ",")
	}
	if o.Generate > 0 {
		settings["generate"] = fmt.Sprint(o.Generate)
	}
	if o.Sequences > 0 {
		settings["sequences"] = fmt.Sprint(o.Sequences)
	}
	if o.Slow {
		settings["slow"] = "true"
	}
	if n := r.repetitions(); n > 1 {
		settings["repeat"] = fmt.Sprint(n)
	}
	d := reports.Run{
		ID: hex.EncodeToString(
			id), Kind: "conform", Environment: e.Name, URL: e.URL, Tenant: e.Tenant, Service: r.Service,
		Release:  e.Release,
		Settings: settings, Tool: reports.Tool{Go: runtime.Version()},
		Machine: reports.Machine{OS: runtime.GOOS, Arch: runtime.GOARCH, CPUs: runtime.NumCPU()}, Start: r.now,
	}
	if e.Mock != nil {
		d.Mock = &reports.Mock{}
	}
	return d
}
