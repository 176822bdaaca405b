package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/redact"
)

// program is one call of agstest: its input and its results.
type program struct {
	getenv environment.Lookup
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	now    func() time.Time // of the output while a run goes on

	args  []string // of the command line
	color string   // --color
	quiet bool     // --quiet

	onlyFlags bool // a command that does a job of a plan checks its flags, and ends before it opens a service

	kubernetes *kubernetesEngine // nil: this program has no engine

	progress atomic.Pointer[progress] // the newest; nil: none yet

	// brokenDown puts back the changes of a run that breaks down.
	brokenDown atomic.Pointer[func(context.Context) error]
	secrets    redact.Redactor // of the environments that were read
	withheld   []string        // environment variables with secrets, which no process that is started gets

	codes    []int // exit codes that apply; the gravest ends the process
	exitZero bool
	served   bool             // a server that was asked to stop has done its work
	caught   func() os.Signal // the signal that ends the run; nil: none yet
}

// run is the whole program: it reads nothing but its arguments and returns the exit code.
func run(args []string, getenv func(string) (string, bool), stdin io.Reader, stdout, stderr io.Writer) int {
	p := &program{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now, kubernetes: onKubernetes}
	return p.run(args)
}

func (p *program) run(args []string) (code int) {
	p.args, p.color = args, "auto"
	stdout := p.guardStreams()
	defer func() {
		if r := recover(); r != nil {
			p.tellOfPanic(failure.PanickedAt())
			code = exitInternal
		}
	}()
	keepPrivate()
	outliveReaders()
	log.SetOutput(io.Discard) // net/http tells the standard logger of stray bytes in answers, and they can hold secrets
	p.guardGoroutines()
	ctx, caught, stop := p.untilSignal()
	defer stop()
	p.caught = caught

	root := p.root()
	root.SetArgs(args)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	err := root.ExecuteContext(ctx)
	sig := caught()
	var ended interruption
	switch {
	case err == nil:
	case sig != nil && (errors.Is(err, context.Canceled) || errors.As(err, &ended)): // told by the exit code
	case stdout.err != nil && errors.Is(err, stdout.err): // told below
	default:
		p.fail(err)
	}
	if err := stdout.fault(); err != nil {
		p.fail(err)
	}
	if code := p.signalled(); code != 0 {
		p.end(code)
	}
	return p.exitCode()
}

// fail tells an error on stderr and notes its exit code. Each line of an error is a sentence of its own.
func (p *program) fail(err error) {
	kind := failure.KindOf(err)
	for line := range strings.SplitSeq(strings.TrimRight(err.Error(), "\n"), "\n") {
		fmt.Fprintf(p.stderr, "agstest: %s\n", line)
	}
	if kind == failure.Internal {
		fmt.Fprintln(p.stderr,
			"agstest: this is a fault of agstest itself; please report it with the output of: agstest version")
	}
	p.end(int(kind))
}

// tellOfPanic says in one sentence that agstest itself is broken and where. The value of a panic and the stack are not
// shown: they may hold a secret of the run.
func (p *program) tellOfPanic(place string) {
	fmt.Fprintf(p.stderr, "agstest: internal error at %s; please report it with the output of: agstest version\n",
		place)
}

// guardGoroutines ends the process in the same way at a panic in any other goroutine. The files of the run so far can
// be rendered. A developer who asks for stacks with GOTRACEBACK gets the panics of Go; so do tests that run commands in
// their own process.
func (p *program) guardGoroutines() {
	if trusted(p.stderr) != io.Writer(os.Stderr) || p.variable("GOTRACEBACK") != "" {
		return
	}
	failure.OnPanic(func(place string) {
		if isTerminal(p.stderr) {
			fmt.Fprintln(p.stderr) // below the line of progress
		}
		p.tellOfPanic(place)
		if end := p.brokenDown.Load(); end != nil {
			if err := (*end)(context.Background()); err != nil {
				fmt.Fprintf(p.stderr, "agstest: %v\n", err)
			}
		}
		os.Exit(exitInternal)
	})
}

// interruption is why a run ended early, in the words of its report.
type interruption struct{ signal os.Signal }

func (i interruption) Error() string {
	switch i.signal {
	case syscall.SIGTERM:
		return "the run was told to stop (SIGTERM)"
	case syscall.SIGHUP:
		return "the terminal of the run was closed (SIGHUP)"
	}
	return "the run was interrupted (Ctrl-C)"
}

// untilSignal ends the context at the first SIGINT or SIGTERM, so that a run is ended and reported in order. The second
// one ends the process at once.
func (p *program) untilSignal() (ctx context.Context, caught func() os.Signal, stop func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	// a terminal that is closed ends a run in order too
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	first := make(chan os.Signal, 1)
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		defer failure.Guard()
		select {
		case sig := <-signals:
			first <- sig
			p.noteAbove("ending in order; once more ends at once")
			cancel(interruption{sig})
		case <-done:
			return
		}
		select {
		case sig := <-signals:
			p.leaveClean()
			os.Exit(exitOf(sig))
		case <-done:
		}
	}()
	return ctx,
		func() os.Signal {
			select {
			case sig := <-first:
				first <- sig
				return sig
			default:
				return nil
			}
		},
		func() {
			signal.Stop(signals)
			close(done)
			<-finished
			cancel(nil)
		}
}

// root is the tree of commands.
func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "agstest",
		Short: "Checks and loads an Authentication Gateway Service (AGS), and reports what it found.",
		Long: `agstest checks a running Authentication Gateway Service (AGS) against its published documentation, loads its calls, and writes reports.
Without --env it does so against a mock that it starts itself.`,
		Example: `  agstest gate                                        # check and load the embedded mock
  agstest conform --env staging.yaml                  # check a service
  agstest load --env staging.yaml --workload refresh --rate 200/s --duration 60s --limit 'refresh.p99<300ms'
  agstest init staging.yaml && agstest env staging.yaml`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              refuseArguments,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		RunE: func(c *cobra.Command, args []string) error {
			return c.Help()
		},
		PersistentPreRunE: func(c *cobra.Command, args []string) error {
			if err := p.checkColor(); err != nil {
				return err
			}
			p.letColours()
			return checkGiven(c)
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&p.color, "color", "auto",
		"colour the output: always, never or auto (NO_COLOR and FORCE_COLOR are heeded)")
	flags.BoolVarP(&p.quiet, "quiet", "q", false, "no progress on stderr, only warnings and errors")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.AddGroup(&cobra.Group{ID: "run", Title: "Run:"}, &cobra.Group{ID: "read", Title: "Read what runs found:"},
		&cobra.Group{ID: "prepare", Title: "Prepare and look up:"})
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			if c.Args == nil {
				c.Args = refuseArguments
			}
			c.ValidArgsFunction = orNoFiles(c.ValidArgsFunction)
			root.AddCommand(c)
		}
	}
	add("run", p.runCommands()...)
	add("read", p.readCommands()...)
	add("prepare", p.prepareCommands()...)
	root.SetHelpCommand(&cobra.Command{
		Use: "help [COMMAND]", Short: "Show the help of a command.", GroupID: "prepare",
		Long:    "The same as COMMAND --help.",
		Example: "  agstest help load",
		RunE: func(c *cobra.Command, args []string) error {
			named, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return refuseArguments(root, args)
			}
			return named.Help()
		},
	})
	return root
}
