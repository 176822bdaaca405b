package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cucumber/godog"
	messages "github.com/cucumber/messages/go/v34"

	"agstest/internal/check"
	"agstest/internal/failure"
	"agstest/reports"
)

// quiet is the formatter that godog gets: it prints nothing, since what is told about a run is the ledger's.
type quiet struct{}

func (quiet) TestRunStarted()                                                                {}
func (quiet) Feature(*messages.GherkinDocument, string, []byte)                              {}
func (quiet) Pickle(*messages.Pickle)                                                        {}
func (quiet) Defined(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition)          {}
func (quiet) Failed(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition, error)    {}
func (quiet) Passed(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition)           {}
func (quiet) Skipped(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition)          {}
func (quiet) Undefined(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition)        {}
func (quiet) Pending(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition)          {}
func (quiet) Ambiguous(*messages.Pickle, *messages.PickleStep, *godog.StepDefinition, error) {}
func (quiet) Summary()                                                                       {}

const quietName = "agstest-quiet"

func init() {
	godog.Format(quietName, "prints nothing", func(string, io.Writer) godog.Formatter { return quiet{} })
}

// The keys of what travels in the context from hook to step.
type (
	playKey struct{}
	stepKey struct{}
)

// play is one scenario on the stage: its world and its record.
type play struct {
	scenario *scenario
	world    *world
	record   reports.Scenario
	start    time.Time
	clockSet time.Duration // by how much the clock of this machine was off by then
	ended    bool          // the rest is not run
	halted   bool          // a step failed or could not tell: godog is told so
	seen     bool          // what came was recorded, and nothing says whether it is right
	skipped  *notTestable
	next     int // index of the next step
}

// execute hands the scenarios to godog and collects their records. godog runs the steps; selection, verdicts and evidence are ours.
func (r *run) execute(ctx context.Context, sources []source, selected []*scenario) error {
	r.turns = r.line(selected)
	wanted := map[string]*scenario{}
	for _, s := range selected {
		wanted[s.pickle.Id] = s
	}
	var contents []godog.Feature
	for _, s := range sources {
		contents = append(contents, godog.Feature{Name: s.name, Contents: s.content})
	}
	var broken error
	status := func() (status int) {
		defer func() {
			if p := recover(); p != nil {
				broken = fmt.Errorf("running the scenarios broke off at %s", failure.PanickedAt())
			}
		}()
		return godog.TestSuite{
			Name:                 "agstest",
			TestSuiteInitializer: func(suite *godog.TestSuiteContext) { r.register(suite.ScenarioContext(), wanted) },
			Options: &godog.Options{
				FeatureContents: contents, Format: quietName, Output: io.Discard, Strict: true, Concurrency: r.concurrency, DefaultContext: ctx,
			},
		}.Run()
	}()
	if broken != nil {
		return broken
	}
	if status > 1 {
		return fmt.Errorf("godog could not start (status %d)", status)
	}
	if ctx.Err() != nil {
		return nil
	}
	if got := r.ledger.count(); got != len(selected) {
		return fmt.Errorf("%d scenarios were to run, but %d left a record", len(selected), got)
	}
	if stopped := r.ledger.stopped(); (status == 1) != stopped {
		return fmt.Errorf("godog ended with status %d, but the record says otherwise", status)
	}
	return nil
}

// register gives godog the steps and hooks. It is called once for the whole suite; everything that belongs to a scenario travels in
// the context. (Registering for each scenario as well would mix the closures of scenarios that run at the same time.)
func (r *run) register(suite *godog.ScenarioContext, wanted map[string]*scenario) {
	suite.Before(func(ctx context.Context, pickle *godog.Scenario) (context.Context, error) {
		defer failure.Guard()
		s := wanted[pickle.Id]
		if s == nil || ctx.Err() != nil {
			return ctx, godog.ErrSkip
		}
		r.turns.wait(ctx, s)
		if s.tagged(tagAlone) || r.acts(s) {
			r.stage.Lock()
		} else {
			r.stage.RLock()
		}
		p := &play{scenario: s, world: newWorld(r, s), start: time.Now(), clockSet: clockSet(r.now, r.clock())}
		return context.WithValue(ctx, playKey{}, p), nil
	})
	suite.StepContext().Before(func(ctx context.Context, step *godog.Step) (context.Context, error) {
		return context.WithValue(ctx, stepKey{}, step), nil
	})
	for i := range compiled {
		suite.Step(compiled[i].expression, step)
	}
	suite.After(func(ctx context.Context, _ *godog.Scenario, err error) (context.Context, error) {
		defer failure.Guard()
		if p, ok := ctx.Value(playKey{}).(*play); ok {
			r.finish(ctx, p)
			r.putBack(ctx, p.world)
			if p.scenario.tagged(tagAlone) || r.acts(p.scenario) {
				r.stage.Unlock()
			} else {
				r.stage.RUnlock()
			}
			r.turns.end(p.scenario)
		}
		return ctx, nil
	})
}

// step is what godog calls for every step: it finds the phrase, runs it and keeps what came of it.
func step(ctx context.Context) error {
	defer failure.Guard()
	p := ctx.Value(playKey{}).(*play)
	text := ctx.Value(stepKey{}).(*godog.Step)
	i := p.next
	p.next++
	started := time.Now()
	w := p.world
	w.observed = nil
	w.step, w.text = i, text.Text
	changes := len(w.changes)
	soft := strings.HasPrefix(text.Text, asARule)
	err := w.run.mayBegin(p.scenario)
	if err == nil {
		err = perform(ctx, w, text)
	}
	if len(w.changes) > changes {
		w.tampering = append(w.tampering, text.Text)
	}
	record := reports.Step{
		Keyword: p.scenario.keywords[i], Text: text.Text, Line: p.scenario.lines[i], Verdict: reports.Pass,
		Nanoseconds: time.Since(started).Nanoseconds(),
	}
	if len(w.observed) > 0 {
		record.Verdict = reports.Observed
		record.Message = w.run.secrets.Text(strings.Join(w.observed, "; "))
		p.find(check.Observed, "", "", record.Message)
	}
	var miss *missed
	var lack *notTestable
	var sight *seen
	outcome := check.Held
	if (w.setup || p.scenario.background[i]) && errors.As(err, &miss) {
		err = unknownf("the situation could not be set up: %v", miss)
	}
	switch {
	case err == nil:
	case errors.As(err, &miss):
		outcome = check.Broken
		if miss.soft || soft {
			outcome = check.Soft
		}
		record.Verdict, record.Message = w.run.stepVerdict(p, miss.about, outcome, miss.expected, miss.got), "expected "+miss.expected+"; got "+w.run.secrets.Text(miss.got)
		p.find(outcome, miss.about, miss.expected, w.run.secrets.Text(miss.got))
	case errors.As(err, &lack):
		record.Verdict, record.Message = reports.Skipped, lack.reason
		p.skipped = lack
	case errors.As(err, &sight):
		record.Verdict, record.Message = reports.Observed, w.run.secrets.Text(sight.what)
		p.find(check.Observed, "", "", record.Message)
		p.seen = true
	case ctx.Err() != nil:
		record.Verdict, record.Message = reports.NotExercised, "the run was ended"
	default:
		outcome = check.Unknown
		record.Verdict, record.Message = w.run.stepVerdict(p, "", outcome, "", oneLine(err.Error())), w.run.secrets.Text(oneLine(err.Error()))
		p.find(outcome, "", "", record.Message)
		p.mayPass(err)
	}
	p.record.Steps = append(p.record.Steps, record)
	switch {
	case outcome == check.Broken || outcome == check.Unknown:
		p.ended, p.halted = true, true
		return errors.New(record.Message)
	case record.Verdict == reports.Skipped || record.Verdict == reports.NotExercised || p.seen:
		p.ended = true
		return godog.ErrSkip
	}
	return nil
}

// perform runs the phrase of a step. A panic in it is our own fault and says so, without ending the run.
func perform(ctx context.Context, w *world, text *godog.Step) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a fault of the suite itself, please report it: %s at %s", mishap(r), place(debug.Stack()))
		}
	}()
	phrase, a, err := match(text)
	if err != nil {
		return err
	}
	w.setup = phrase.Keyword == "Given"
	return phrase.do(ctx, w, a)
}

// mishap is what the runtime says of a panic; any other value may hold a secret that the redactor does not know yet.
func mishap(r any) string {
	if said, ok := r.(runtime.Error); ok {
		return said.Error()
	}
	return "a panic"
}

var ownLine = regexp.MustCompile(`/steps/([a-z]+\.go:[0-9]+)`)

// place names the line of this package where a panic began, without the paths of the machine that built the program.
func place(stack []byte) string {
	for _, m := range ownLine.FindAllSubmatch(stack, -1) {
		if !strings.HasPrefix(string(m[1]), "execute.go") {
			return string(m[1])
		}
	}
	return "an unknown line"
}

// find adds a finding for every requirement of the scenario, or for the one that it is about.
func (p *play) find(outcome check.Outcome, about, expected, got string) {
	requirements := p.scenario.requirements
	if about != "" {
		requirements = []string{about}
	}
	for _, id := range requirements {
		p.world.findings = append(p.world.findings, finding{requirement: id, outcome: outcome, expected: expected, got: got, exchange: len(p.world.exchanges) - 1})
	}
}

// mayPass marks the findings of a step that could not tell, where another try may well tell.
func (p *play) mayPass(err error) {
	w := p.world
	if !passes(err) && !w.disturbed {
		return
	}
	for i := range w.findings {
		if f := &w.findings[i]; f.outcome == check.Unknown {
			f.passing = true
		}
	}
}

// finish completes the record of a scenario: the steps that were not run, the evidence, the verdict.
func (r *run) finish(ctx context.Context, p *play) {
	s, w := p.scenario, p.world
	if !p.ended && len(s.requirements) > 0 {
		for _, id := range s.requirements {
			w.findings = append(w.findings, finding{requirement: id, outcome: check.Held, exchange: -1, noted: true})
		}
	}
	if p.skipped != nil {
		for _, id := range s.requirements {
			w.findings = append(w.findings, finding{requirement: id, skipped: true, got: p.skipped.reason, needs: p.skipped.needs, exchange: -1})
		}
	}
	for i := len(p.record.Steps); i < len(s.pickle.Steps); i++ {
		p.record.Steps = append(p.record.Steps, reports.Step{Keyword: s.keywords[i], Text: s.pickle.Steps[i].Text, Line: s.lines[i], Verdict: reports.NotExercised})
	}
	r.describeSteps(&p.record, s)
	start := p.start.UTC()
	p.record.Start = &start
	p.record.ID, p.record.Feature, p.record.File, p.record.Line, p.record.Name = s.id, s.feature, s.file, s.line, s.name
	p.record.Tags, p.record.Requirements = s.tags, s.requirements
	p.record.Nanoseconds = time.Since(p.start).Nanoseconds()
	r.doubtTimes(p)
	r.ledger.add(ctx, p)
}

// describeSteps adds what stands in and below the steps of a scenario.
func (r *run) describeSteps(record *reports.Scenario, s *scenario) {
	for i := range record.Steps {
		step, pickled := &record.Steps[i], s.pickle.Steps[i]
		phrase, a, err := match(pickled)
		if err != nil {
			continue // matchAll has seen to it
		}
		step.DocString = r.secrets.Text(a.text)
		for _, row := range a.table {
			var cells []string
			for _, cell := range row {
				cells = append(cells, r.secrets.Text(cell))
			}
			step.Table = append(step.Table, cells)
		}
		places := phrase.expression.FindStringSubmatchIndex(step.Text)
		for k := 2; k+1 < len(places); k += 2 {
			if from, to := places[k], places[k+1]; from >= 0 && to > from {
				step.Values = append(step.Values, reports.StepValue{Text: step.Text[from:to], At: utf8.RuneCountInString(step.Text[:from])})
			}
		}
	}
}

// withMissing adds a record of each scenario that was chosen and never began, as in a run that was ended, at its place.
func (r *run) withMissing(began []reports.Scenario) []reports.Scenario {
	records := map[string]reports.Scenario{}
	for _, record := range began {
		records[record.ID] = record
	}
	var all []reports.Scenario
	for _, s := range r.selection.scenarios {
		record, ok := records[s.id]
		if !ok {
			record = reports.Scenario{
				ID: s.id, Feature: s.feature, File: s.file, Line: s.line, Name: s.name, Tags: s.tags, Requirements: s.requirements,
				Verdict: reports.NotExercised, Reason: "the run was ended before it began",
			}
			for i, step := range s.pickle.Steps {
				record.Steps = append(record.Steps, reports.Step{Keyword: s.keywords[i], Text: step.Text, Line: s.lines[i], Verdict: reports.NotExercised})
			}
			r.describeSteps(&record, s)
		}
		all = append(all, record)
	}
	return all
}
