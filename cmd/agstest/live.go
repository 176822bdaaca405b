package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/wire"
	"agstest/load"
	"agstest/load/clients"
	"agstest/load/engine"
	"agstest/load/metrics"
	"agstest/load/watch"
	"agstest/reports"
)

// liveFlags choose the viewers of a load while it runs.
type liveFlags struct {
	watch       string
	control     bool
	open        bool
	metrics     string
	otlp        string
	otlpHeaders []string
	otlpDelta   bool
}

// watchToken is the variable with the token of --watch-control; without it one is made up and told.
const watchToken = "AGSTEST_WATCH_TOKEN"

// minToken is how long a token is at least, so that nobody guesses it.
const minToken = 16

func (f *liveFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.watch, "watch", "",
		"serve a page that shows the run while it goes on, such as 127.0.0.1:0; port 0 takes a free one and tells it")
	flags.BoolVar(&f.control, "watch-control", false,
		"let who knows the token stop the run on that page; the token is that of "+watchToken+", or made up and told")
	flags.StringVar(&f.metrics, "metrics", "",
		"serve the figures at /metrics for Prometheus while the run goes on, such as 127.0.0.1:9464; port 0 takes a free "+
			"one and tells it")
	flags.BoolVar(&f.open, "open-to-network", false,
		"allow an address of --watch or --metrics that other machines reach")
	flags.StringVar(&f.otlp, "otlp", "",
		"send the figures by OTLP over HTTP while the run goes on, such as http://127.0.0.1:4318")
	flags.StringArrayVar(&f.otlpHeaders, "otlp-header", nil,
		"header of --otlp, such as 'api-key=${NAME}' with the value of a variable; may be given more than once")
	flags.BoolVar(&f.otlpDelta, "otlp-delta", false,
		"send by --otlp what was counted since the time before, as Datadog wants it, and not since the start")
}

// check refuses what cannot be, before anything is made.
func (f *liveFlags) check() error {
	switch {
	case f.control && f.watch == "":
		return failure.Usagef(
			"--watch-control puts a button on the page of --watch; add --watch 127.0.0.1:0, or leave it out")
	case f.open && f.watch == "" && f.metrics == "":
		return failure.Usagef("--open-to-network speaks of --watch and --metrics; add one of them, or leave it out")
	case f.otlp == "" && (len(f.otlpHeaders) > 0 || f.otlpDelta):
		return failure.Usagef("--otlp-header and --otlp-delta speak of --otlp; add that, or leave them out")
	}
	for flag, address := range map[string]string{"--watch": f.watch, "--metrics": f.metrics} {
		if err := f.checkAddress(flag, address); address != "" && err != nil {
			return err
		}
	}
	if f.otlp != "" {
		if _, err := metrics.Endpoint(f.otlp); err != nil {
			return failure.Usagef("--otlp: %w", err)
		}
	}
	return nil
}

// checkAddress refuses a text that is no address, and an address that other machines reach unless the user asked for
// that.
func (f *liveFlags) checkAddress(flag, address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil || port == "" {
		return failure.Usagef("%s must be an address and a port such as 127.0.0.1:0, not %q", flag, address)
	}
	if f.open || wire.OnLoopback(host) {
		return nil
	}
	return failure.Usagef("%s %s can be reached from other machines, and what is shown there needs no password; use "+
		"127.0.0.1:%s, or add --open-to-network if that is meant", flag, address, port)
}

// stoppedOnPage is why a run ended that was stopped on its page.
type stoppedOnPage struct{}

func (stoppedOnPage) Error() string { return "the run was stopped on its page (--watch-control)" }

// live is the viewers of a run while it goes on. The nil one has none.
type live struct {
	program *program
	ctx     context.Context // of the whole program; waits for viewers stop when it ends
	cancel  context.CancelCauseFunc

	page   *watch.Page // nil: there is no page; the same for the others
	server *watch.Server

	count  []func(engine.Progress) // by side
	scrape *metrics.Server
	sender *metrics.Sender
}

// lookedAt describes a run to its viewers.
type lookedAt struct {
	title    string // such as Load
	workload string
	sides    []watchedSide
}

// watchedSide is one engine of a run, and the environment that it loads.
type watchedSide struct{ name, environment string }

// alone is a run with one engine.
func alone(environment string) []watchedSide { return []watchedSide{{"", environment}} }

// workloadOf returns the name of a load's workload.
func workloadOf(o *load.Options) string {
	switch {
	case o.Workload != "":
		return o.Workload
	case o.Storm != nil:
		return "storm"
	case o.Profile != nil && o.Profile.Workload != "":
		return o.Profile.Workload
	}
	return clients.WorkloadMixed
}

// goLive opens the run to the viewers asked for, and returns the context of the run, which a button may end. The
// run closes it.
func (p *program) goLive(ctx context.Context, r *ongoing, f *liveFlags, at lookedAt) (context.Context, error) {
	if f.watch == "" && f.metrics == "" && f.otlp == "" {
		return ctx, nil
	}
	l := &live{program: p, ctx: ctx}
	ctx, l.cancel = context.WithCancelCause(ctx)
	r.live = l
	if f.watch != "" {
		if err := l.openPage(r, f, at.title); err != nil {
			return ctx, err
		}
	}
	if f.metrics == "" && f.otlp == "" {
		return ctx, nil
	}
	sums := metrics.NewSums(at.workload, time.Now())
	for _, s := range at.sides {
		l.count = append(l.count, sums.Side(s.name, p.secrets.Values(s.environment)))
	}
	if f.metrics != "" {
		listener, err := listen("--metrics", f.metrics)
		if err != nil {
			return ctx, err
		}
		l.scrape = metrics.Serve(sums, listener)
		fmt.Fprintf(p.stderr, "metrics: http://%s/metrics\n", reachable(listener.Addr()))
	}
	if f.otlp != "" {
		to, err := p.destination(r, f)
		if err != nil {
			return ctx, err
		}
		l.sender = metrics.Send(sums, to)
	}
	return ctx, nil
}

// openPage serves the page of --watch.
func (l *live) openPage(r *ongoing, f *liveFlags, title string) error {
	p := l.program
	options := watch.Options{
		Kind: title, Title: title + " on " + r.run.Environment, Facts: liveFacts(
			r), Conceal: p.secrets.Values, Now: p.now,
		Stop: func() { l.cancel(stoppedOnPage{}) },
	}
	told := ""
	if f.control {
		options.Token = p.variable(watchToken)
		switch {
		case options.Token == "":
			options.Token = rand.Text()
			told = "#stop=" + options.Token // browsers keep that part of an address to themselves
		case len(options.Token) < minToken:
			return failure.Usagef("%s must have %d characters at least, so that nobody guesses it", watchToken,
				minToken)
		default:
			p.secrets.Add(options.Token)
			p.withheld = append(p.withheld, watchToken)
		}
	}
	host, _, _ := net.SplitHostPort(f.watch)
	options.Hosts = []string{host}
	if name, err := os.Hostname(); err == nil && f.open {
		options.Hosts = append(options.Hosts, name)
	}
	listener, err := listen("--watch", f.watch)
	if err != nil {
		return err
	}
	l.page = watch.New(options)
	l.server = watch.Serve(l.page, listener)
	// with --quiet too: nobody could find it
	fmt.Fprintf(p.stderr, "watch: http://%s/%s\n", reachable(listener.Addr()), told)
	return nil
}

var (
	headerName     = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	headerVariable = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)
)

// destination returns the address of --otlp. A value from a variable is a secret.
func (p *program) destination(r *ongoing, f *liveFlags) (metrics.Destination, error) {
	tool := buildInfo()
	to := metrics.Destination{Header: http.Header{}, Resource: metrics.Resource{Version: tool.Version, Run: r.run.ID}}
	var err error
	if to.URL, err = metrics.Endpoint(f.otlp); err != nil {
		return to, failure.Usagef("--otlp: %w", err)
	}
	if f.otlpDelta {
		to.Temporality = metrics.Delta
	}
	secret := false
	for _, given := range f.otlpHeaders {
		name, value, found := strings.Cut(given, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !found || !headerName.MatchString(name):
			return to, failure.Usagef("--otlp-header must be a name and a value such as 'api-key=${NAME}'")
		case environment.SecretHeader(name) && !headerVariable.MatchString(value):
			return to, failure.Usagef("--otlp-header %s holds a secret, which process lists and the report would show; write "+
				"'%s=${NAME}' and set that variable", name, name)
		}
		missing := ""
		value = headerVariable.ReplaceAllStringFunc(value, func(reference string) string {
			variable := headerVariable.FindStringSubmatch(reference)[1]
			content := p.variable(variable)
			if content == "" {
				missing = variable
			}
			secret = true
			p.secrets.Add(content)
			p.withheld = append(p.withheld, variable)
			return content
		})
		switch {
		case missing != "":
			return to, failure.Usagef("--otlp-header %s: the variable %s is not set", name, missing)
		case strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
			return to, failure.Usagef(
				"--otlp-header %s: a value of a header has no line break and no control character", name)
		}
		to.Header.Add(name, value)
	}
	if u, err := url.Parse(to.URL); err == nil && secret && u.Scheme == "http" && !wire.OnLoopback(u.Hostname()) {
		p.warnf("--otlp sends what --otlp-header holds over http, which others on the way can read")
	}
	return to, nil
}

// phase says what is done where there are no figures.
func (l *live) phase(words string) {
	if l != nil && l.page != nil {
		l.page.Phase(words)
	}
}

// note says what has happened.
func (l *live) note(words string) {
	if l != nil && l.page != nil {
		l.page.Note(words)
	}
}

// load says how a load stands.
func (l *live) load(at engine.Progress) {
	l.tell(watch.Standing{Elapsed: at.Elapsed, Left: at.Left, Sides: []watch.Side{{At: at}}})
}

func (l *live) tell(at watch.Standing) {
	if l == nil {
		return
	}
	if len(at.Sides) == 1 { // those of a comparison tell by themselves
		l.add(0, at.Sides[0].At)
	}
	if l.page != nil {
		l.page.Tell(at)
	}
}

// add counts a second of one side. Each must be told once.
func (l *live) add(side int, at engine.Progress) {
	if l != nil && side < len(l.count) {
		l.count[side](at)
	}
}

// why is the error of a run: where a button ended it before there was anything to report, that.
func (l *live) why(ctx context.Context, err error) error {
	if l != nil && err != nil && errors.As(context.Cause(ctx), new(stoppedOnPage)) &&
		(errors.Is(err, context.Canceled) || errors.As(err, new(stoppedOnPage))) {
		return failure.Setupf("%w", stoppedOnPage{})
	}
	return err
}

// over says the verdict, and where the report is.
func (l *live) over(at watch.Verdict) {
	if l != nil && l.page != nil {
		l.page.Over(at)
	}
}

// close ends what looks on, and waits for it.
func (l *live) close() {
	if l == nil {
		return
	}
	p := l.program
	if l.scrape != nil {
		if most := l.scrape.Final(); most > 0 && l.ctx.Err() == nil {
			p.notef("metrics: waiting up to %s for the last scrape", most.Round(time.Second))
			l.scrape.WaitForScrape(l.ctx, most)
		}
		l.scrape.Close()
	}
	if l.sender != nil {
		if err := l.sender.Close(); err != nil {
			p.warnf("--otlp: %v; the run is not touched by that", err)
		}
	}
	if l.server != nil {
		l.server.Close()
	}
	l.cancel(nil)
}

// liveFacts are what the page of a run says of it.
func liveFacts(r *ongoing) []reports.Fact {
	var facts []reports.Fact
	if r.service != nil {
		facts = append(facts, reports.Fact{Name: "Service", Value: r.program.secrets.Values(r.service.environment.URL),
			Code: true})
	}
	return append(facts, reports.Fact{Name: "Command", Value: r.program.secrets.Values(strings.Join(r.command, " ")),
		Code: true})
}
