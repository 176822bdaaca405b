package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"agstest/internal/failure"
	"agstest/internal/redact"
	"agstest/load/watch"
	"agstest/reports"
	"agstest/reports/compare"
	"agstest/reports/html"
	"agstest/reports/runs"
	"agstest/reports/text"
	"agstest/steps"
)

// outputFlags say where results go.
type outputFlags struct {
	out         string
	json        bool
	style       string
	annotations string
	strict      bool
	exitZero    bool
	baseline    string
	before      *reports.Load // of baseline
	reports     []string      // further forms to write
	testKeys    string
	keys        map[string]string // of testKeys
}

const runsFolder = "out"

var (
	annotationKinds = []string{"auto", "github", "gitlab", "azure", "none"}
	reportStyles    = []string{"auto", "single", "folder"}
)

func (f *outputFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVarP(&f.out, "out", "o", "", "the run's folder; left out: out/<utc>-<environment>-<kind>-<id>")
	flags.BoolVar(&f.json, "json", false, "write the result to stdout as JSON instead of a summary")
	flags.BoolVar(&f.strict, "strict", false, "warnings fail")
	flags.BoolVar(&f.exitZero, "exit-zero", false,
		"end with exit code 0 whatever the run found, for those who only collect; errors keep theirs")
	f.registerRendering(c)
	_ = c.MarkFlagDirname("out")
}

// registerRendering is for commands that only render.
func (f *outputFlags) registerRendering(c *cobra.Command) {
	f.registerStyle(c)
	flags := c.Flags()
	flags.StringVar(&f.annotations, "annotations", "auto",
		"mark failures for github, gitlab or azure pipelines; auto: by where it runs; none")
	flags.StringSliceVar(&f.reports, "reports", nil, "write these files too: "+strings.Join(exportNames, ", "))
	flags.StringVar(&f.testKeys, "test-keys", "",
		"file that names a key of a test management for requirements (REF-01: AGS-123), for junit.xml")
	_ = c.RegisterFlagCompletionFunc("reports", completeList(exportMeanings))
	_ = c.MarkFlagFilename("test-keys", "yaml", "yml")
	_ = c.RegisterFlagCompletionFunc("annotations", cobra.FixedCompletions(annotationKinds,
		cobra.ShellCompDirectiveNoFileComp))
}

func (f *outputFlags) registerBaseline(c *cobra.Command) {
	c.Flags().StringVar(&f.baseline, "baseline", "",
		"earlier load run, by folder, id or pinned name, drawn beside this one")
}

func (f *outputFlags) registerStyle(c *cobra.Command) {
	c.Flags().StringVar(&f.style, "report-style", "auto",
		"pages as one file (single) or with report.css beside them (folder, for Jenkins); auto: folder where JENKINS_URL is "+
			"set")
	_ = c.RegisterFlagCompletionFunc("report-style", cobra.FixedCompletions(reportStyles,
		cobra.ShellCompDirectiveNoFileComp))
}

func (p *program) checkOutput(f *outputFlags) error {
	p.exitZero = f.exitZero
	if f.baseline != "" {
		before, err := p.readBaseline("", f.baseline)
		if err != nil {
			return err
		}
		f.before = before
	}
	if err := checkFormats("--reports", f.reports); err != nil {
		return err
	}
	if f.testKeys != "" {
		keys, err := readTestKeys(f.testKeys)
		if err != nil {
			return err
		}
		f.keys = keys
	}
	if err := oneOf("--report-style", f.style, reportStyles); err != nil {
		return err
	}
	return oneOf("--annotations", f.annotations, annotationKinds)
}

// readBaseline reads the load of --baseline. The path of a folder starts in dir; empty: in the current folder.
func (p *program) readBaseline(dir, name string) (*reports.Load, error) {
	stored, err := p.readRunIn(dir, name)
	if err != nil {
		return nil, failure.Usagef("--baseline: %w", err)
	}
	if stored.Load == nil {
		return nil, failure.Usagef("--baseline: %s has no load part to be drawn beside this one", name)
	}
	return stored.Load, nil
}

func oneOf(flag, value string, allowed []string) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	return failure.Usagef("%s must be one of %s, not %q", flag, strings.Join(allowed, ", "), value)
}

// style of the pages: Jenkins shows pages only with their style sheet beside them.
func (p *program) style(f *outputFlags) html.Style {
	folder := f.style == "folder" || f.style == "auto" && p.variable("JENKINS_URL") != ""
	return html.Style{Folder: folder, Baseline: f.before}
}

// dialect returns the pipeline that annotations are for; empty: none.
func (p *program) dialect(f *outputFlags) string {
	switch f.annotations {
	case "none":
		return ""
	case "auto":
		for _, known := range [][2]string{{"GITHUB_ACTIONS", "github"}, {"GITLAB_CI", "gitlab"},
			{"TF_BUILD", "azure"}} {
			if v := p.variable(known[0]); v != "" && v != "false" {
				return known[1]
			}
		}
		return ""
	}
	return f.annotations
}

// ongoing is one run: its service, its folder, and its results so far.
type ongoing struct {
	program *program
	service *service
	folder  *runs.Folder
	output  *outputFlags
	run     reports.Run // the question, as the folder is named after it
	command []string
	showIDs bool
	yes     []string // hosts that somebody said yes to
	yesLoad []string // names of environments, the older way

	yesActions    []string // hosts or names whose actions may be used
	ignoreJournal bool
	left          bool // what actions changed could not be put back

	gated       *steps.Options // of the check of a gate, whose load judges too
	expected    *reports.Load  // of a gate: what stands in the files of its check until its load has ended
	conformance *reports.Conformance
	load        *reports.Load
	comparison  *compare.Comparison
	live        *live
	keep        bool // the folder stays even without results: its content cannot be made again
}

// withRun opens the service and the run's folder, lets work fill it, and shows the results. It keeps all written files
// whatever happens, and removes a folder without any.
func (p *program) withRun(c *cobra.Command, s *serviceFlags, out *outputFlags, kind string,
	work func(*ongoing) error) error {
	if err := p.checkOutput(out); err != nil || p.onlyFlags {
		return err
	}
	service, err := p.open(s)
	if err != nil {
		return err
	}
	defer service.close()
	r, err := p.newOngoing(c, service, out, kind, service.environment.Name)
	if err != nil {
		return err
	}
	if service.environment.Mock != nil {
		r.run.Mock = &reports.Mock{Choices: s.choices, Faults: s.faults}
	}
	return r.finish(work(r))
}

func (p *program) newOngoing(c *cobra.Command, service *service, out *outputFlags, kind,
	environment string) (*ongoing, error) {
	r := &ongoing{program: p, service: service, output: out, command: append([]string{c.Root().Name()},
		commandLine(c)...)}
	r.run = reports.Run{ID: randomID(), Kind: kind, Environment: environment, Start: time.Now()}
	var err error
	if out.out != "" {
		r.folder, err = runs.NewFolderAt(out.out, r.run)
	} else {
		r.folder, err = runs.NewFolder(runsFolder, r.run)
	}
	if err != nil {
		return nil, failure.Usagef("%w", err)
	}
	return r, nil
}

func randomID() string {
	id := make([]byte, 6)
	_, _ = rand.Read(id)
	return hex.EncodeToString(id)
}

// seed gives the seed that was asked for, or a new one, small enough to be typed.
func (p *program) seed(asked uint64) uint64 {
	if asked != 0 {
		return asked
	}
	b := make([]byte, 4)
	_, _ = rand.Read(b)
	return uint64(binary.LittleEndian.Uint32(b)>>1) + 1
}

// shownCommand is the program of a command, without its arguments.
func shownCommand(command string) string {
	parts := strings.Fields(command)
	if len(parts) < 2 {
		return command
	}
	return parts[0] + " …"
}

// shownHeader is a header of --otlp-header without its value, unless that is from variables alone: what stands in the
// command may be a secret under any name.
func shownHeader(header string) string {
	name, value, _ := strings.Cut(header, "=")
	if headerVariable.ReplaceAllString(value, "") == "" {
		return header
	}
	return name + "=…"
}

// commandLine is the command with the flags that were given, in their order in the help. No flag takes a secret.
func commandLine(c *cobra.Command) []string {
	line := strings.Fields(strings.TrimPrefix(c.CommandPath(), c.Root().Name()))
	c.Flags().Visit(func(f *pflag.Flag) {
		if list, ok := f.Value.(pflag.SliceValue); ok {
			for _, value := range list.GetSlice() {
				if f.Name == "otlp-header" {
					value = shownHeader(value)
				}
				line = append(line, "--"+f.Name+"="+value)
			}
			return
		}
		value := f.Value.String()
		if f.Name == "swap" { // a command of the user's; its arguments may be secret
			value = shownCommand(value)
		}
		line = append(line, "--"+f.Name+"="+value)
	})
	return append(line, c.Flags().Args()...)
}

// stamp writes what only the command knows into the record of a run.
func (r *ongoing) stamp(run *reports.Run) {
	run.ID = r.run.ID
	if r.run.Kind == "gate" { // of both its parts, which are not to be taken for runs of their own
		run.Kind = r.run.Kind
	}
	if r.output.strict && !run.Strict() {
		run.Settings = maps.Clone(run.Settings)
		if run.Settings == nil {
			run.Settings = map[string]string{}
		}
		run.Settings["strictness"] = "strict"
	}
	run.Command = r.command
	run.Tool = buildInfo()
	if r.run.Mock != nil {
		run.Mock = r.run.Mock
	}
}

// begin leaves a mark that renders if the process is killed before it has found anything.
func (r *ongoing) begin() error {
	mark := r.unjudged("the run broke off before it had anything to report")
	redact.Texts(mark, r.program.secrets.Values)
	if err := r.folder.Write(reports.ConformanceFile,
		func(w io.Writer) error { return reports.WriteJSON(w, mark) }); err != nil {
		return failure.Usagef("%w", err)
	}
	return nil
}

// unjudged is the report of a check that judged nothing, for the reason given, so that no file that a pipeline reads is
// left out, or is that of an earlier run.
func (r *ongoing) unjudged(why string) *reports.Conformance {
	c := &reports.Conformance{Schema: reports.ConformanceSchema, Run: r.run, Verdict: reports.Error, Reason: why}
	r.stamp(&c.Run)
	e := r.service.environment
	c.Run.URL, c.Run.Tenant, c.Run.Service, c.Run.Release, c.Run.Partial = e.URL, e.Tenant, e.Service, e.Release, why
	c.Run.End = time.Now()
	return c
}

// findRoom checks that files can be written before anything is sent: a load writes its results while it runs and after
// it.
func (r *ongoing) findRoom() error {
	const room = "room"
	if err := r.folder.Write(room,
		func(w io.Writer) error { _, err := w.Write(make([]byte, 4096)); return err }); err != nil {
		return failure.Usagef("the folder of the run cannot be written: %w", err)
	}
	_ = os.Remove(filepath.Join(r.folder.Path(), room))
	return nil
}

// write renders all results so far into the folder.
func (r *ongoing) write() error {
	if r.conformance != nil && r.service != nil && r.service.environment.Mock == nil && !r.showIDs {
		redact.IDs(r.conformance, r.service.environment.IDs()) // the ids of a mock belong to nobody
	}
	load, write := r.load, r.folder.Write
	if load == nil && r.expected != nil {
		load = r.expected
		write = func(name string, render func(io.Writer) error) error {
			if name == reports.LoadFile { // the record of what was sent tells more of a run that is killed
				return nil
			}
			return r.folder.Write(name, render)
		}
	}
	for _, found := range []any{r.conformance, load, r.comparison} {
		redact.Texts(found, r.program.secrets.Values)
	}
	return writeResults(r.folder.Path(), write, r.output.results(r.conformance, load, r.comparison),
		r.program.style(r.output), r.program.dialect(r.output))
}

// finish gives the folder its final name and shows the result. The error of the work comes first.
func (r *ongoing) finish(worked error) error {
	defer r.live.close()
	p := r.program
	if r.conformance == nil && r.load == nil && r.comparison == nil {
		if worked != nil {
			r.live.over(watch.Verdict{Verdict: reports.Error, Reason: worked.Error()})
		}
		if r.keep {
			return worked
		}
		// a folder of our own making, under its temporary name, with nothing that was found
		_ = os.RemoveAll(r.folder.Path())
		return worked
	}
	before := r.folder.Path()
	path, err := r.folder.Finish()
	r.moved(before, path)
	if err != nil {
		err = failure.Outputf("%w", err)
		if worked != nil {
			p.fail(worked)
		}
		worked = err
	}
	if worked != nil && failure.KindOf(worked) == failure.Output {
		p.end(exitOutput) // before it is shown, which says with what the command ends
		if before != path {
			worked = failure.Outputf("%s", strings.ReplaceAll(worked.Error(), before, path))
		}
	}
	found := runs.Stored{Parts: reports.Parts{Conformance: r.conformance, Load: r.load}, Comparison: r.comparison}
	ended := watch.Verdict{Verdict: found.Verdict(), Reason: r.reason(),
		Report: filepath.Join(path, mainPage(r.output.results(r.conformance, r.load, r.comparison)))}
	if r.load != nil {
		ended.Limits = r.load.Limits
	}
	r.live.over(ended)
	if err := p.show(r.output.results(r.conformance, r.load, r.comparison), path, r.output); err != nil &&
		worked == nil {
		worked = err
	}
	return worked
}

// reason returns the reason for the verdict on the whole.
func (r *ongoing) reason() string {
	results := r.output.results(r.conformance, r.load, r.comparison)
	switch {
	case r.comparison != nil:
		return r.comparison.Reason
	case r.conformance != nil && r.load != nil:
		return results.gate().Reason
	case r.load != nil:
		return r.load.Reason
	}
	return r.conformance.Reason
}

// results are the results of a run; parts that were not run are nil.
type results struct {
	conformance *reports.Conformance
	load        *reports.Load
	comparison  *compare.Comparison
	formats     []string // further forms to write
	only        bool     // nothing but these
}

// results returns the results with the settings of the flags for writing them.
func (f *outputFlags) results(c *reports.Conformance, l *reports.Load, comparison *compare.Comparison) results {
	return results{conformance: c, load: l, comparison: comparison, formats: f.reports}
}

// gate is both parts with one verdict.
func (r results) gate() *reports.Gate {
	stored := reports.Parts{Conformance: r.conformance, Load: r.load}
	gate := &reports.Gate{Schema: reports.GateSchema, Run: stored.Run(), Verdict: stored.Verdict(),
		Conformance: r.conformance, Load: r.load}
	gate.Run.Kind = "gate"
	gate.Reason = stored.Reason()
	return gate
}

// show writes the result to stdout: a summary for people, or JSON; and annotations where a pipeline reads them. The
// last line is the path of the report.
func (p *program) show(r results, path string, out *outputFlags) error {
	if err := p.annotate(r, p.dialect(out), out); err != nil {
		return err
	}
	if none := r.unwritten(); len(none) > 0 && !r.only {
		what := "a load alone has none"
		if r.comparison != nil {
			what = "a comparison has none"
		}
		p.warnf("--reports: no file was written for %s: %s", strings.Join(none, ", "), what)
	}
	if out.json {
		var v any
		switch {
		case r.comparison != nil:
			v = r.comparison
		case r.conformance != nil && r.load != nil:
			v = r.gate()
		case r.load != nil:
			v = r.load
		default:
			v = r.conformance
		}
		return reports.WriteJSON(trusted(p.stdout), v) // concealed and escaped already; a figure may look like a secret
	}
	if r.comparison != nil {
		if err := text.Comparison(p.stdout, r.comparison, p.colored(p.stdout)); err != nil {
			return err
		}
	} else if err := text.Terminal(p.stdout, r.conformance, r.load, p.colored(p.stdout)); err != nil {
		return err
	}
	if r.only {
		fmt.Fprintf(p.stdout, "\nWritten: %s\n", strings.Join(exportedTo(path, r), ", "))
	} else if page := filepath.Join(path, mainPage(r)); isFile(page) {
		fmt.Fprintf(p.stdout, "\nReport: %s\n", page)
	} else {
		fmt.Fprintf(p.stdout, "\nReport: not written; what could be is in %s\n", path)
	}
	stored := runs.Stored{Parts: reports.Parts{Conformance: r.conformance, Load: r.load}, Comparison: r.comparison}
	p.showVerdict(stored.Verdict())
	return nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// rendered makes a file in memory first, so that a renderer that fails leaves no half file. Before is called when it is
// made, before it is written.
func rendered(render func(io.Writer) error, before func()) func(io.Writer) error {
	return func(w io.Writer) error {
		var text bytes.Buffer
		if err := render(&text); err != nil {
			return err
		}
		before()
		_, err := w.Write(text.Bytes())
		return err
	}
}
