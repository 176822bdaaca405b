package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/plan"
	"agstest/internal/userfile"
	"agstest/reports/matrix"
	"agstest/reports/runs"
)

// planFlags are the flags of agstest run.
type planFlags struct {
	only     []string
	parallel int
	resume   string
	against  string
	out      string
	dryRun   bool
	json     bool
	exitZero bool
	yes      []string // hosts
}

func (p *program) planCommand() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:   "run PLAN.yaml | run --resume FOLDER",
		Short: "Check and load several environments as a plan says, with one verdict.",
		Long: `Visits the environments of a plan side by side and runs in each what the plan says: conform, gate, load, capacity or ab, each with a folder
and a verdict of its own. One that fails stops no other. At the end matrix.html shows requirements, load and the form of answers by environment;
matrix.json, summary.md and junit.xml lie beside it. The exit code is the gravest of all, in the order that README gives.
Paths in a plan are relative to it. Ctrl-C ends what runs in order; --resume goes on with what was not done.`,
		Example: `  agstest init --plan release.yaml                    # a commented plan to fill in
  agstest run release.yaml
  agstest run release.yaml --only staging --against last
  agstest run --resume out/20261123T101500Z-release-plan-1f3c9ab2`,
		Args: func(c *cobra.Command, args []string) error {
			if f.resume != "" {
				return wantArguments(0, 0, "no plan beside --resume: the folder knows it")(c, args)
			}
			return wantArguments(1, 1,
				"one plan; agstest conform checks one service, agstest load loads it, agstest gate does both")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			p.exitZero = f.exitZero
			if f.dryRun && f.json {
				return errDryJSON
			}
			if f.parallel < 0 || c.Flags().Changed("parallel") && f.parallel == 0 {
				return failure.Usagef("--parallel must be 1 or more, not %d", f.parallel)
			}
			r, err := p.openPlan(c, &f, args)
			if err != nil {
				return err
			}
			if f.dryRun {
				return r.describe(p.stdout)
			}
			return r.run(c.Context())
		},
	}
	flags := c.Flags()
	flags.StringSliceVar(&f.only, "only", nil, "only these environments, such as staging,int")
	flags.StringSliceVar(&f.yes, "yes", nil,
		"hosts of protected services given back; each is that of an environment of the plan")
	flags.IntVar(&f.parallel, "parallel", 0, "environments at the same time; 0: what the plan says, else 4")
	flags.StringVar(&f.resume, "resume", "", "folder of an earlier run of a plan: do what it did not finish")
	flags.StringVar(&f.against, "against", "",
		"hold the runs against an earlier run of a plan: its folder, its release, or last")
	flags.StringVarP(&f.out, "out", "o", "", "folder of the whole; left out: out/<utc>-<plan>-plan-<id>")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print the commands that would be run, and run none")
	flags.BoolVar(&f.json, "json", false, "write the matrix to stdout as JSON instead of a summary")
	flags.BoolVar(&f.exitZero, "exit-zero", false,
		"end with exit code 0 whatever the runs found, for those who only collect; errors keep theirs")
	_ = c.MarkFlagDirname("resume")
	_ = c.MarkFlagDirname("out")
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{"yaml", "yml"}, cobra.ShellCompDirectiveFilterFileExt
	}
	return c
}

// planRun is a plan that is carried out.
type planRun struct {
	program  *program
	flags    *planFlags
	plan     *plan.Plan
	journal  *plan.Journal
	progress []plan.Progress
	folder   string
	resumed  bool
	against  *planBefore
	releases map[string]bool     // commands that take --release
	agreed   map[string][]string // by environment file: its hosts among those that somebody said yes to
}

// openPlan reads a plan, or the folder of one to continue. It makes and sends nothing.
func (p *program) openPlan(c *cobra.Command, f *planFlags, args []string) (*planRun, error) {
	r := &planRun{program: p, flags: f, releases: map[string]bool{}}
	for _, command := range plan.Commands {
		named, _, err := c.Root().Find([]string{command})
		r.releases[command] = err == nil && named.Flags().Lookup("release") != nil
	}
	var err error
	if f.resume != "" {
		if f.out != "" {
			return nil, failure.Usagef(
				"--out and --resume exclude each other: a run that is gone on with stays in its folder")
		}
		r.folder, r.resumed = filepath.Clean(f.resume), true
		if r.journal, err = plan.ReadJournal(r.folder); err != nil {
			return nil, err
		}
		r.plan, r.progress = r.journal.Plan()
		if err := r.agree(r.journal.Dir); err != nil {
			return nil, err
		}
	} else if err := r.read(c, args[0]); err != nil {
		return nil, err
	}
	if f.parallel > 0 {
		r.plan.Parallel = f.parallel
	}
	if err := r.plan.Only(f.only); err != nil { // of a run that is gone on with, the journal keeps the others
		return nil, err
	}
	r.progress = slices.DeleteFunc(r.progress, func(g plan.Progress) bool {
		return !slices.Contains(r.plan.Environments(), g.Job.Environment)
	})
	if f.against != "" {
		if r.against, err = findPlanBefore(runsFolder, f.against, r.plan.Name, r.folder); err != nil {
			return nil, err
		}
	}
	if r.resumed {
		return r, r.checkFiles(c.Context(), plan.JournalIn(r.folder), r.journal.Dir)
	}
	return r, r.checkFiles(c.Context(), args[0], filepath.Dir(args[0]))
}

func (r *planRun) read(c *cobra.Command, path string) error {
	text, err := userfile.Read(path, maxSmallFile)
	if err != nil {
		return failure.Usagef("cannot read the plan %s: %w; write one with: agstest init --plan %s", path, err, path)
	}
	if r.plan, err = plan.Read(text, path, planFlagCheck(c.Root())); err != nil {
		return err
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return failure.Usagef("cannot find the folder of %s: %w", path, err)
	}
	if err := r.agree(filepath.Dir(absolute)); err != nil {
		return err
	}
	if err := r.plan.Only(r.flags.only); err != nil {
		return err
	}
	r.journal = plan.NewJournal(r.plan, filepath.Dir(absolute), time.Now())
	_, r.progress = r.journal.Plan()
	return nil
}

// planOwns are the flags that a plan gives itself, so that it may not be told them.
var planOwns = []string{"env", "out", "json", "list", "help", "color", "quiet", "exit-zero", "dry-run"}

// planFlagCheck checks flags in a plan: a job takes those of its command.
func planFlagCheck(root *cobra.Command) plan.Check {
	return func(command, name string, values []string) error {
		c, _, err := root.Find([]string{command})
		if err != nil {
			return err
		}
		flag := c.Flags().Lookup(name)
		if slices.Contains(planOwns, name) {
			return fmt.Errorf("--%s is what the plan itself decides; leave it out", name)
		}
		if flag == nil {
			var names []string
			c.Flags().VisitAll(func(f *pflag.Flag) {
				if !slices.Contains(planOwns, f.Name) && !f.Hidden {
					names = append(names, f.Name)
				}
			})
			if near := failure.Nearest(name, names); near != "" {
				return fmt.Errorf("agstest %s has no flag --%s; did you mean --%s?", command, name, near)
			}
			return fmt.Errorf("agstest %s has no flag --%s; see agstest help %s", command, name, command)
		}
		if _, list := flag.Value.(pflag.SliceValue); len(values) > 1 && !list {
			return fmt.Errorf("--%s of agstest %s takes one value, not %d", name, command, len(values))
		}
		for _, value := range values {
			if err := flag.Value.Set(value); err != nil {
				return flagError(c, fmt.Errorf("invalid argument %q for %q flag: %w", value, "--"+name, err))
			}
			if err := planValue(command, name, value); err != nil {
				return err
			}
		}
		return nil
	}
}

// describe prints the commands, as one would type them in the folder of the plan.
func (r *planRun) describe(w io.Writer) error {
	for _, g := range r.progress {
		if g.State == plan.Done {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s: agstest %s\n", g.Job.Environment, quoted(r.arguments(g.Job))); err != nil {
			return err
		}
	}
	return nil
}

// quoted joins arguments for a shell.
func quoted(args []string) string {
	var words []string
	for _, arg := range args {
		if strings.ContainsAny(arg, " \t'\"\\$&|;<>()*?[]{}#~`!\n") {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}

func (r *planRun) arguments(job plan.Job) []string {
	args := job.Arguments()
	given := slices.ContainsFunc(job.Flags, func(f plan.Flag) bool { return f.Name == "release" })
	if r.plan.Release != "" && r.releases[job.Command] && !given {
		args = append(args, "--release="+r.plan.Release)
	}
	if yes := r.yesTo(job); len(yes) > 0 {
		args = append(args, "--yes="+strings.Join(yes, ","))
	}
	return args
}

// run carries the plan out and shows what came of it.
func (r *planRun) run(ctx context.Context) error {
	p := r.program
	if err := r.makeFolder(); err != nil {
		return err
	}
	p.notef("run: %s, %s, %d at the same time, in %s", r.plan.Name, figures.Plural(int64(len(r.plan.Environments())),
		"environment"), min(r.plan.Parallel, len(r.plan.Environments())), r.folder)
	for _, note := range r.sharedNames() {
		p.notef("run: %s", note)
	}
	show := p.newPlanProgress(r.progress)
	defer show.end()
	var journal error
	plan.Conduct(ctx, r.plan, r.progress, r.start, time.Now, func(progress []plan.Progress) {
		r.journal.Note(progress)
		if err := r.journal.Write(r.folder); err != nil {
			journal = errors.Join(journal, err)
		}
		show.change(progress)
	})
	show.end()
	if err := r.report(); err != nil {
		return err
	}
	if journal != nil {
		return journal
	}
	return ctx.Err()
}

// makeFolder makes the folder of the whole. A name that the user chose must be free.
func (r *planRun) makeFolder() error {
	if !r.resumed {
		if r.folder = r.flags.out; r.folder == "" {
			name := time.Now().UTC().Format("20060102T150405Z") + "-" + strings.Map(folderRune,
				r.plan.Name) + "-plan-" + randomID()[:8]
			r.folder = filepath.Join(runsFolder, name)
		}
		if entries, err := os.ReadDir(r.folder); err == nil && len(entries) > 0 {
			return failure.Usagef(
				"%s is not empty: name another folder, or go on with what is in it: agstest run --resume %s", r.folder,
				r.folder)
		}
	}
	if err := os.MkdirAll(r.folder, 0o700); err != nil {
		return failure.Usagef("cannot make the folder of the plan: %w", err)
	}
	return r.journal.Write(r.folder)
}

func folderRune(c rune) rune {
	if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' {
		return c
	}
	return '-'
}

// start runs one job as a process of its own, so that none can take another with it. Its output goes to a file beside
// its folder.
func (r *planRun) start(ctx context.Context, job plan.Job) int {
	folder, err := filepath.Abs(filepath.Join(r.folder, filepath.FromSlash(job.Folder())))
	if err == nil {
		err = os.MkdirAll(filepath.Dir(folder), 0o700)
	}
	if err != nil {
		return exitUsage
	}
	said, err := os.OpenFile(folder+".txt", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return exitUsage
	}
	defer said.Close()
	self, err := os.Executable()
	if err != nil {
		return exitInternal
	}
	c := exec.CommandContext(ctx, self, append(r.arguments(job), "--out="+folder, "--color=never")...)
	c.Args[0] = "agstest"
	c.Dir = r.journal.Dir
	c.Stdout, c.Stderr = said, said
	c.Cancel = func() error {
		told := interruption{os.Interrupt}
		_ = errors.As(context.Cause(ctx), &told)
		return interruptChild(c.Process, told.signal)
	}
	c.WaitDelay = 2 * time.Minute
	ownGroup(c)
	err = c.Run()
	var ended *exec.ExitError
	switch {
	case err == nil:
		return exitPass
	case errors.As(err, &ended):
		return ended.ExitCode() // −1: a signal ended it
	case ctx.Err() != nil && c.ProcessState != nil:
		return c.ProcessState.ExitCode()
	}
	fmt.Fprintf(said, "agstest: the process could not be run: %v\n", err)
	return exitInternal
}

// report makes the matrix of all jobs of the folder, those of an earlier part of the run too, and ends with the gravest
// code.
func (r *planRun) report() error {
	p := r.program
	whole, progress := r.journal.Plan()
	m := matrix.Build(whole.Name, whole.Release, r.against.words(), buildInfo(), r.columns(progress))
	for _, g := range r.journal.Jobs {
		switch {
		case g.State == plan.Done && g.Code < 0:
			p.end(exitInternal)
		case g.State == plan.Done:
			p.end(g.Code)
		default: // not run to its end, perhaps left out this time: the whole is not green without it
			p.end(exitInconclusive)
		}
	}
	if err := writeMatrix(r.folder, m, p.style(&outputFlags{style: "auto"})); err != nil {
		return err
	}
	return p.showMatrix(m, r.folder, r.flags.json)
}

// columns are what the jobs left behind.
func (r *planRun) columns(progress []plan.Progress) []matrix.Column {
	var columns []matrix.Column
	for _, g := range progress {
		if n := len(columns); n == 0 || columns[n-1].Name != g.Job.Environment {
			columns = append(columns, matrix.Column{Name: g.Job.Environment})
		}
		part := matrix.Part{Command: g.Job.Command, Exit: g.Code}
		folder := filepath.Join(r.folder, filepath.FromSlash(g.Job.Folder()))
		if g.State != plan.Done {
			part.Exit, part.Problem = exitInterrupted, "it was not run to its end; go on with: agstest run --resume "+r.folder
		}
		if stored, err := runs.Read(folder); err == nil {
			part.Run, part.Folder = &stored, g.Job.Folder()
		} else if part.Problem == "" {
			part.Problem = lastWords(folder + ".txt")
		}
		part.Against = r.against.run(g.Job)
		last := &columns[len(columns)-1]
		last.Parts = append(last.Parts, part)
	}
	return columns
}

// lastWords is why a job left no run behind: the last thing it said.
func lastWords(path string) string {
	text, err := userfile.Read(path, maxSmallFile)
	if err != nil {
		return "it left nothing behind"
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	for _, line := range slices.Backward(lines) {
		if said, ok := bytes.CutPrefix(line, []byte("agstest: ")); ok && !bytes.HasPrefix(said, []byte("warning: ")) {
			return string(said)
		}
	}
	if last := string(bytes.TrimSpace(lines[len(lines)-1])); last != "" {
		return last
	}
	return "it said nothing"
}
