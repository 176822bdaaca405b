package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"agstest/internal/actions"
	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/journal"
	"agstest/steps"
)

// actionFlags say whether a run may change the state of a platform.
type actionFlags struct {
	yes []string // host or name of a protected environment
}

func (f *actionFlags) register(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.yes, "yes-actions", nil,
		"host or name of a protected environment given back: its actions are used only then")
}

// pending refuses an environment whose state an earlier run has changed and not put back.
func pending(e *environment.Environment, passOver bool) error {
	if e.File == "" || passOver {
		return nil
	}
	folder, err := os.ReadFile(journal.Marker(e.File))
	if err != nil {
		return nil //nolint:nilerr // there is none
	}
	return pendingError(journal.PendingError{Folder: string(folder)})
}

func pendingError(err journal.PendingError) error {
	return failure.Usagef("%w. Put them back with: agstest restore %s (or pass over it with --ignore-journal)", err,
		err.Folder)
}

// act gives a check the actions of its environment file, if it may use them, and returns the function that ends them.
// Ending puts changed states back, also if the run is interrupted or breaks down.
func (p *program) act(r *ongoing, o *steps.Options) (end func(context.Context) error) {
	e := o.Environment
	nothing := func(context.Context) error { return nil }
	switch {
	case !e.MayAct() || e.Mock != nil:
		return nothing
	case e.File == "":
		p.warnf("actions are not used, because the environment is read from stdin: what they change is noted beside its file")
		return nothing
	case e.Protected && !e.Agreed(r.yesActions) && !slices.Contains(r.yesActions, e.Name), o.Calm != "":
		p.warnf(
			"actions are not used, because the environment %s is protected: they need --yes-actions %s, and --yes %s",
			e.Name, e.ConsentHost(), e.ConsentHost())
		if o.ActionsWant = "--yes-actions " + e.ConsentHost(); o.Calm != "" {
			o.ActionsWant += " with " + o.Calm
		}
		return nothing
	}
	keeper := actions.NewKeeper(e, actions.FromFile(e, p.secrets.Add), func() (*journal.Journal, error) {
		return journal.Begin(r.folder.Path(), e.File, r.ignoreJournal)
	})
	o.Actions = keeper
	var once sync.Once
	var ended error
	closing := func(ctx context.Context) error {
		once.Do(func() { ended = keeper.Close(ctx) })
		return ended
	}
	p.brokenDown.Store(&closing)
	return closing
}

// tellLeft says which changes of actions are left, and how to put them back.
func (r *ongoing) tellLeft(left error) error {
	if left == nil {
		return nil
	}
	r.keep, r.left = true, true
	return left
}

// moved updates the name of the run's folder in the mark beside the environment file.
func (r *ongoing) moved(from, to string) {
	if !r.left {
		return
	}
	if err := journal.Moved(r.service.environment.File, from, to); err != nil {
		r.program.warnf("%v", err)
	}
	r.program.warnf("put back what is left with: agstest restore %s", to)
}

func (p *program) restoreCommand() *cobra.Command {
	var env string
	c := &cobra.Command{
		Use:   "restore RUN",
		Short: "Put back what a run has changed on a platform and could not put back itself.",
		Long: `A run notes each change of a state (actions of an environment file) in its folder before it makes it, and puts everything back when it ends. Where it was
killed, or a call failed, this does it: RUN is the folder of the run. What was put back already is not done again.`,
		Example: `  agstest restore out/20261129T101500Z-staging-conform-77afcda635f2`,
		Args:    wantArguments(1, 1, "the folder of a run"),
		RunE: func(c *cobra.Command, args []string) error {
			j, file, err := journal.Read(args[0])
			if err != nil {
				return err
			}
			if env != "" {
				file = env
			}
			e, err := p.readEnvironment(file)
			if err != nil {
				return err
			}
			if e.Actions == nil {
				return failure.Usagef(
					"%s has no actions any more, so nothing can be put back with it; --env names a file that has", file)
			}
			open := j.Open()
			err = actions.Resumed(e, actions.FromFile(e, p.secrets.Add), j).Close(c.Context())
			if err != nil {
				return fmt.Errorf("%w. The journal stays in %s", err, args[0])
			}
			fmt.Fprintf(p.stdout, "%s put back\n", figures.Plural(int64(len(open)), "change"))
			return nil
		},
	}
	c.Flags().Var(oneEnvironment(&env), "env", "environment file to put back with; left out: that of the run")
	c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return c
}
