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
	"agstest/internal/figures"
	"agstest/reports"
	"agstest/steps/scene"
	"agstest/steps/script"
	"agstest/steps/talk"
	"agstest/steps/words"
)

// quiet is the formatter that godog gets. It prints nothing: a collection reports the run.
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

// The keys of the values that travel in the context from hook to step.
type (
	playKey struct{}
	stepKey struct{}
)

// play is one scenario on the stage: its world and its record.
type play struct {
	run      *run
	scenario *script.Scenario
	world    *scene.World
	record   reports.Scenario
	start    time.Time
	clockSet time.Duration // by how much the clock of this machine was off by then
	ended    bool          // the rest is not run
	halted   bool          // a step failed or could not tell: godog is told so
	seen     bool          // what came was recorded, and nothing says whether it is right
	skipped  *talk.NotTestable
	next     int // index of the next step
}

// execute hands the scenarios to godog and collects their records. godog runs the steps; selection, verdicts and
// evidence are ours.
func (r *run) execute(ctx context.Context, sources []script.Source, selected []*script.Scenario) error {
	atOnce, seats := r.Concurrency, max(1, len(selected))
	if r.takesTurns() {
		atOnce, seats = seats, r.Concurrency
	}
	r.turns = r.line(selected, seats)
	r.Ways(r.turns.wayOf)
	wanted := map[string]*script.Scenario{}
	for _, s := range selected {
		wanted[s.Pickle.Id] = s
	}
	var contents []godog.Feature
	for _, s := range sources {
		contents = append(contents, godog.Feature{Name: s.Name, Contents: s.Content})
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
				FeatureContents: contents, Format: quietName, Output: io.Discard, Strict: true, Concurrency: atOnce,
				DefaultContext: ctx, Tags: tagsFor(selected),
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
	if got := r.collected.count(); got != len(selected) {
		return fmt.Errorf("%d scenarios were to run, but %d left a record", len(selected), got)
	}
	if stopped := r.collected.stopped(); (status == 1) != stopped {
		return fmt.Errorf("godog ended with status %d, but the record says otherwise", status)
	}
	return nil
}

// mostByTags is up to how many scenarios are picked by their tags: godog compares the tags of each scenario with all.
const mostByTags = 50

// tagsFor lets godog leave out scenarios of the same files that were not selected: it keeps records of each step, even
// where it is skipped. Scenarios with the same requirements as a selected one stay, and are skipped. Empty: all stay.
func tagsFor(selected []*script.Scenario) string {
	if len(selected) > mostByTags {
		return ""
	}
	var tags []string
	for _, s := range selected {
		if len(s.Requirements) == 0 {
			return ""
		}
		tags = append(tags, "@"+strings.Join(s.Requirements, "&&@"))
	}
	return strings.Join(script.Unique(tags), ",")
}

var anyStep = regexp.MustCompile(`(?s).*`)

// register gives godog the steps and hooks. It is called once for the whole suite; everything that belongs to a
// scenario travels in the context. (Registering for each scenario as well would mix the closures of scenarios that run
// at the same time.)
func (r *run) register(suite *godog.ScenarioContext, wanted map[string]*script.Scenario) {
	suite.Before(func(ctx context.Context, pickle *godog.Scenario) (context.Context, error) {
		defer failure.Guard()
		s := wanted[pickle.Id]
		if s == nil || ctx.Err() != nil {
			return ctx, godog.ErrSkip
		}
		if !r.turns.wait(ctx, s) {
			return ctx, godog.ErrSkip
		}
		if r.alone(s) {
			r.undisturbed.Lock()
		} else {
			r.undisturbed.RLock()
		}
		p := &play{run: r, scenario: s, world: scene.New(r.Stage, s), start: time.Now(),
			clockSet: clockSet(r.now, r.clock())}
		return context.WithValue(ctx, playKey{}, p), nil
	})
	suite.StepContext().Before(func(ctx context.Context, step *godog.Step) (context.Context, error) {
		return context.WithValue(ctx, stepKey{}, step), nil
	})
	suite.Step(anyStep, step) // which finds the sentence itself; that there is one was seen before the run
	suite.After(func(ctx context.Context, _ *godog.Scenario, err error) (context.Context, error) {
		defer failure.Guard()
		if p, ok := ctx.Value(playKey{}).(*play); ok {
			r.finish(ctx, p)
			r.PutBack(ctx, p.world)
			if r.alone(p.scenario) {
				r.undisturbed.Unlock()
			} else {
				r.undisturbed.RUnlock()
			}
			r.turns.end(p.scenario)
		}
		return ctx, nil
	})
}

// alone tells whether no other scenario may play during this one: it says so, or it changes a state that others use. If
// nothing can change that state, the scenario is skipped before it could disturb anybody.
func (r *run) alone(s *script.Scenario) bool {
	return r.Acts(s) || s.Tagged(script.TagAlone) && !(r.Control == nil && r.options.Actions == nil &&
		scene.ChangesState(s))
}

// step is the function that godog calls for every step: it finds the phrase, runs it and keeps the result.
func step(ctx context.Context) error {
	defer failure.Guard()
	p := ctx.Value(playKey{}).(*play)
	text := ctx.Value(stepKey{}).(*godog.Step)
	i := p.next
	p.next++
	started := time.Now()
	w := p.world
	w.Observed = nil
	w.Step, w.Text = i, text.Text
	changes := len(w.Changes)
	soft := strings.HasPrefix(text.Text, words.AsARule)
	err := p.run.mayBegin(p.scenario)
	if err == nil {
		err = perform(ctx, w, text)
	}
	if len(w.Changes) > changes {
		w.Tampering = append(w.Tampering, text.Text)
	}
	record := reports.Step{
		Keyword: p.scenario.Keywords[i], Text: text.Text, Line: p.scenario.Lines[i], Verdict: reports.Pass,
		Nanoseconds: time.Since(started).Nanoseconds(),
	}
	if len(w.Observed) > 0 {
		record.Verdict = reports.Observed
		record.Message = w.Stage.Secrets.Text(strings.Join(w.Observed, "; "))
		p.find(check.Observed, "", "", record.Message)
	}
	var miss *talk.Missed
	var lack *talk.NotTestable
	var sight *talk.Seen
	outcome := check.Held
	if (w.Setup || p.scenario.Background[i] || leadsToRefusal(p.scenario, i)) && errors.As(err, &miss) {
		err = talk.Unknownf("the situation could not be set up: %v", miss)
	}
	switch {
	case err == nil:
	case errors.As(err, &miss):
		outcome = check.Broken
		if miss.Soft || soft {
			outcome = check.Soft
		}
		record.Verdict, record.Message = p.run.stepVerdict(p, miss.About, outcome, miss.Expected,
			miss.Got), "expected "+miss.Expected+"; got "+w.Stage.Secrets.Text(miss.Got)
		p.find(outcome, miss.About, miss.Expected, w.Stage.Secrets.Text(miss.Got))
	case errors.As(err, &lack):
		record.Verdict, record.Message = reports.Skipped, lack.Reason
		p.skipped = lack
	case errors.As(err, &sight):
		record.Verdict, record.Message = reports.Observed, w.Stage.Secrets.Text(sight.What)
		p.find(check.Observed, "", "", record.Message)
		p.seen = true
	case ctx.Err() != nil:
		record.Verdict, record.Message = reports.NotExercised, "the run was ended"
	default:
		outcome = check.Unknown
		record.Verdict, record.Message = p.run.stepVerdict(p, "", outcome, "",
			figures.Unbroken(err.Error())), w.Stage.Secrets.Text(figures.Unbroken(err.Error()))
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

var (
	wantsAccepted = regexp.MustCompile(`^the status is (?:2[0-9]{2}|300)$`)
	wantsRefused  = regexp.MustCompile(
		`^(?:the service refuses|the status is 4[0-9]{2}\b.*|no tokens of that account or device come)$`)
)

// leadsToRefusal tells of a step that a call is accepted, in a scenario that ends with the refusal of another call:
// other scenarios are about the first.
func leadsToRefusal(s *script.Scenario, i int) bool {
	if !wantsAccepted.MatchString(s.Pickle.Steps[i].Text) {
		return false
	}
	var call, before, behind string // before the step, and before the last that wants a status
	ends := false
	for k, step := range s.Pickle.Steps {
		switch {
		case step.Type == messages.PickleStepType_ACTION:
			call = step.Text
		case k == i:
			before = call
		case wantsRefused.MatchString(step.Text):
			behind, ends = call, k > i
		case wantsAccepted.MatchString(step.Text):
			ends = false
		}
	}
	return ends && before != behind
}

// perform runs the phrase of a step. A panic in it is our own fault and says so, without ending the run.
func perform(ctx context.Context, w *scene.World, text *godog.Step) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("a fault of the suite itself, please report it: %s at %s", mishap(r), place(debug.Stack()))
		}
	}()
	phrase, a, err := words.Match(text)
	if err != nil {
		return err
	}
	w.Setup = phrase.Keyword == "Given"
	return phrase.Do(ctx, w, a)
}

// mishap returns the runtime's words for a panic; any other value may hold a secret that the redactor does not know
// yet.
func mishap(r any) string {
	if said, ok := r.(runtime.Error); ok {
		return said.Error()
	}
	return "a panic"
}

var ownLine = regexp.MustCompile(`/steps/((?:[a-z]+/)?[a-z]+\.go:[0-9]+)`)

// place names the line of this package and its rooms where a panic began, without the paths of the machine that built
// the program.
func place(stack []byte) string {
	for _, m := range ownLine.FindAllSubmatch(stack, -1) {
		if !strings.HasPrefix(string(m[1]), "execute.go") {
			return string(m[1])
		}
	}
	return "an unknown line"
}

// find adds a finding for every requirement of the scenario, or for the requirement it is about.
func (p *play) find(outcome check.Outcome, about, expected, got string) {
	requirements := p.scenario.Requirements
	if about != "" {
		requirements = []string{about}
	}
	for _, id := range requirements {
		p.world.Findings = append(p.world.Findings, talk.Finding{Requirement: id, Outcome: outcome, Expected: expected,
			Got: got, Exchange: len(p.world.Exchanges) - 1})
	}
}

// mayPass marks the findings of a step that could not tell, where another try may well tell.
func (p *play) mayPass(err error) {
	w := p.world
	if !scene.Passes(err) && !w.Disturbed {
		return
	}
	for i := range w.Findings {
		if f := &w.Findings[i]; f.Outcome == check.Unknown {
			f.Passing = true
		}
	}
}

// finish completes the record of a scenario: the steps that were not run, the evidence, the verdict.
func (r *run) finish(ctx context.Context, p *play) {
	s, w := p.scenario, p.world
	if !p.ended && len(s.Requirements) > 0 {
		for _, id := range s.Requirements {
			w.Findings = append(w.Findings, talk.Finding{Requirement: id, Outcome: check.Held, Got: w.Came,
				Exchange: -1, Noted: true})
		}
	}
	if p.skipped != nil {
		for _, id := range s.Requirements {
			w.Findings = append(w.Findings, talk.Finding{Requirement: id, Skipped: true, Got: p.skipped.Reason,
				Needs: p.skipped.Needs, Exchange: -1})
		}
	}
	for i := len(p.record.Steps); i < len(s.Pickle.Steps); i++ {
		p.record.Steps = append(p.record.Steps, reports.Step{Keyword: s.Keywords[i], Text: s.Pickle.Steps[i].Text,
			Line: s.Lines[i], Verdict: reports.NotExercised})
	}
	r.describeSteps(&p.record, s)
	start := p.start.UTC()
	p.record.Start = &start
	p.record.ID, p.record.Feature, p.record.File, p.record.Line, p.record.Name = s.ID, s.Feature, s.File, s.Line, s.Name
	p.record.Tags, p.record.Requirements = s.Tags, s.Requirements
	p.record.Nanoseconds = time.Since(p.start).Nanoseconds()
	r.doubtTimes(p)
	r.collected.add(ctx, p)
}

// describeSteps adds what stands in and below the steps of a scenario.
func (r *run) describeSteps(record *reports.Scenario, s *script.Scenario) {
	for i := range record.Steps {
		step, pickled := &record.Steps[i], s.Pickle.Steps[i]
		phrase, a, err := words.Match(pickled)
		if err != nil {
			continue // matchAll has seen to it
		}
		step.DocString = r.Secrets.Text(a.Text)
		for _, row := range a.Table {
			var cells []string
			for _, cell := range row {
				cells = append(cells, r.Secrets.Text(cell))
			}
			step.Table = append(step.Table, cells)
		}
		places := phrase.Expression.FindStringSubmatchIndex(step.Text)
		for k := 2; k+1 < len(places); k += 2 {
			if from, to := places[k], places[k+1]; from >= 0 && to > from {
				step.Values = append(step.Values, reports.StepValue{Text: step.Text[from:to],
					At: utf8.RuneCountInString(step.Text[:from])})
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
		record, ok := records[s.ID]
		if !ok {
			record = reports.Scenario{
				ID: s.ID, Feature: s.Feature, File: s.File, Line: s.Line, Name: s.Name, Tags: s.Tags, Requirements: s.Requirements,
				Verdict: reports.NotExercised, Reason: "the run was ended before it began",
			}
			for i, step := range s.Pickle.Steps {
				record.Steps = append(record.Steps, reports.Step{Keyword: s.Keywords[i], Text: step.Text,
					Line: s.Lines[i], Verdict: reports.NotExercised})
			}
			r.describeSteps(&record, s)
		}
		all = append(all, record)
	}
	return all
}
