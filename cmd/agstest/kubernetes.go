package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"agstest/internal/failure"
	"agstest/load"
	"agstest/load/shards"
)

// kubernetesCommand holds the commands around loads on a cluster.
func (p *program) kubernetesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "kubernetes",
		Short: "Look after loads on a Kubernetes cluster (agstest load --on kubernetes).",
		Long: `A load on Kubernetes is a Job in a namespace of yours, with a ConfigMap and a Secret that belong to it; nothing is installed on the cluster.
These commands say what would be created and which rights that needs, and look after runs whose coordinator is gone.`,
		Example: `  agstest kubernetes check --namespace load --image registry.example.com/agstest:1.0
  agstest kubernetes list --namespace load`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return refuseArguments(c, args)
			}
			return c.Help()
		},
	}
	for _, sub := range []*cobra.Command{
		p.kubernetesCheckCommand(), p.kubernetesManifestCommand(), p.kubernetesRBACCommand(),
		p.kubernetesStartCommand(), p.kubernetesListCommand(), p.kubernetesCollectCommand(), p.kubernetesCleanCommand(),
	} {
		if sub.Args == nil {
			sub.Args = refuseArguments
		}
		sub.ValidArgsFunction = cobra.NoFileCompletions
		c.AddCommand(sub)
	}
	return c
}

// needsKubernetes does a command in the program that has the engine.
func (p *program) needsKubernetes(do func() error) error {
	if p.kubernetes == nil {
		return p.handOver()
	}
	return do()
}

func (p *program) kubernetesCheckCommand() *cobra.Command {
	var f podFlags
	c := &cobra.Command{
		Use:     "check",
		Short:   "See whether the cluster, its version, the namespace and your rights allow a load.",
		Long:    `Looks at the cluster and creates nothing. What is missing is named, rights as the rules that a role would need.`,
		Example: `  agstest kubernetes check --namespace load --image registry.example.com/agstest:1.0`,
		RunE: func(c *cobra.Command, args []string) error {
			return p.needsKubernetes(func() error {
				engine, err := p.kubernetes.open(noticing(f.options(), p.newProgress()))
				if err != nil {
					return err
				}
				if err := engine.Check(c.Context()); err != nil {
					return err
				}
				fmt.Fprintf(p.stdout, "The namespace %s takes a load.\n", engine.Namespace())
				return nil
			})
		},
	}
	f.register(c.Flags())
	return c
}

func (p *program) kubernetesManifestCommand() *cobra.Command {
	var f loadFlags
	var s serviceFlags
	var k kubernetesFlags
	c := &cobra.Command{
		Use:   "manifest",
		Short: "Print what a load would create.",
		Long: `Takes the flags of a load, checks them as a load does, creates nothing, and prints the Job and the ConfigMap as YAML. The Secret is told by
its name and the names of its files alone. Who applies all three by other means, lets the Job run (spec.suspend: false) and gives the
Secret a control-token of at least 20 random characters, has the load started with: agstest kubernetes start RUN.`,
		Example: `  agstest kubernetes manifest --env staging.yaml --workload refresh --rate 20000/s --duration 10m --shards 8 --image registry.example.com/agstest:1.0`,
		RunE: func(c *cobra.Command, args []string) error {
			return p.needsKubernetes(func() error {
				if err := k.checkLoad(&f, &s); err != nil {
					return err
				}
				if k.withoutForward {
					return failure.Usagef("with --without-forward the instant of the start is part of what is created, and when a " +
						"manifest is applied is not known; leave it out, or have agstest create the load")
				}
				service, err := p.open(&s)
				if err != nil {
					return err
				}
				defer service.close()
				f.seed = p.seed(f.seed)
				job, err := p.shardsOf(c, &f, &k, service.environment, randomID())
				if err != nil {
					return err
				}
				work, err := k.coordinator(nil, "").NewWork(job.plan, job.files, job.secrets)
				if err != nil {
					return err
				}
				text, err := p.kubernetes.manifest(k.options(), work)
				if err != nil {
					return err
				}
				_, err = p.stdout.Write(text)
				return err
			})
		},
	}
	f.register(c)
	f.registerSeed(c)
	s.register(c)
	k.register(c, false)
	return c
}

func (p *program) kubernetesRBACCommand() *cobra.Command {
	var o kubernetesOptions
	c := &cobra.Command{
		Use:     "rbac",
		Aliases: []string{"rules"},
		Short:   "Print the least rights that a load needs.",
		Long:    `Prints roles and their bindings as YAML, for one namespace. Nothing of it is for the whole cluster, and the pods of a load need none of it.`,
		Example: `  agstest kubernetes rbac --namespace load | kubectl apply -f -`,
		RunE: func(c *cobra.Command, args []string) error {
			return p.needsKubernetes(func() error {
				text, err := p.kubernetes.rules(o)
				if err != nil {
					return err
				}
				_, err = p.stdout.Write(text)
				return err
			})
		},
	}
	c.Flags().StringVar(&o.Namespace, "namespace", "", "namespace that the rights are for; left out: agstest")
	c.Flags().BoolVar(&o.WithoutForward, "without-forward", false,
		"the rights of loads with --without-forward, which forward no port")
	c.Flags().StringVar(&o.SecretRef, "secret-ref", "",
		"name of a Secret that loads are given, so that they need not create one")
	return c
}

func (p *program) kubernetesListCommand() *cobra.Command {
	var f clusterFlags
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the loads of a namespace.",
		Long:  `Lists what the namespace holds of loads, the youngest first: those under way, and those that ended and were kept or left behind.`,
		Example: `  agstest kubernetes list --namespace load
  agstest kubernetes list --namespace load --json | jq -r '.[].run'`,
		RunE: func(c *cobra.Command, args []string) error {
			return p.needsKubernetes(func() error {
				engine, err := p.kubernetes.open(noticing(f.options(), p.newProgress()))
				if err != nil {
					return err
				}
				runs, err := engine.Runs(c.Context())
				if err != nil {
					return err
				}
				if asJSON {
					return p.writeJSON(append([]clusterRun{}, runs...))
				}
				if len(runs) == 0 {
					fmt.Fprintf(p.stdout, "The namespace %s holds no load.\n", engine.Namespace())
					return nil
				}
				table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
				fmt.Fprintln(table, "RUN\tCREATED\tSTATE\tSHARDS\tACTIVE\tSUCCEEDED\tFAILED\tREASON")
				for _, r := range runs {
					fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%d\t%d\t%s\n", r.Run, r.Created.UTC().Format(time.RFC3339),
						r.State, r.Shards, r.Active, r.Succeeded, r.Failed, r.Reason)
				}
				return table.Flush()
			})
		},
	}
	f.register(c.Flags())
	c.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	return c
}

func (p *program) kubernetesStartCommand() *cobra.Command {
	var f clusterFlags
	var start startFlags
	var keep bool
	var out outputFlags
	c := &cobra.Command{
		Use:   "start RUN",
		Short: "Start a load that was applied by other means.",
		Long: `Does all that agstest load --on kubernetes does but creating: waits for the shards of a load that somebody has applied (agstest kubernetes
manifest), starts them together, brings their results home, merges them, and removes the Job with its pods. The
ConfigMap and the Secret that were applied stay: they do not belong to the Job. This needs the right to read both (agstest kubernetes rbac).`,
		Example: `  agstest kubernetes start 3f2a9c1b04de --namespace load`,
		Args:    wantArguments(1, 1, "the id of one run (agstest kubernetes list)"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.needsKubernetes(func() error {
				return p.takeOver(c, args[0], &f, start.shardProgress, &out,
					func(engine shards.Engine, folder string) (*shards.Coordinator, func() (*shards.Outcome, error)) {
						coordinator := start.coordinator(engine, folder)
						coordinator.Keep = keep
						return coordinator,
							func() (*shards.Outcome, error) { return coordinator.Adopt(c.Context(), args[0]) }
					})
			})
		},
	}
	f.register(c.Flags())
	start.register(c.Flags())
	c.Flags().BoolVar(&keep, "keep", false, "remove nothing at the end")
	out.register(c)
	out.registerBaseline(c)
	return c
}

func (p *program) kubernetesCollectCommand() *cobra.Command {
	var f clusterFlags
	var keep, each bool
	var out outputFlags
	c := &cobra.Command{
		Use:   "collect RUN",
		Short: "Bring home a load whose coordinator is gone.",
		Long: `Waits until the shards of a load are done, if they are not, brings their results home, merges them, and removes the load from the cluster.
A shard keeps its result for 15 minutes after its load (agstest load --linger); a small one stands in its log as long as the Job is there.
This needs the right to read the ConfigMap and the Secret of the load (agstest kubernetes rbac).`,
		Example: `  agstest kubernetes collect 3f2a9c1b04de --namespace load`,
		Args:    wantArguments(1, 1, "the id of one run (agstest kubernetes list)"),
		RunE: func(c *cobra.Command, args []string) error {
			return p.needsKubernetes(func() error {
				return p.takeOver(c, args[0], &f, each, &out,
					func(engine shards.Engine, folder string) (*shards.Coordinator, func() (*shards.Outcome, error)) {
						coordinator := &shards.Coordinator{Engine: engine, Folder: folder, Keep: keep}
						return coordinator, func() (*shards.Outcome, error) {
							return coordinator.Collect(c.Context(),
								args[0])
						}
					})
			})
		},
	}
	f.register(c.Flags())
	c.Flags().BoolVar(&keep, "keep", false, "remove nothing at the end")
	c.Flags().BoolVar(&each, "shard-progress", false, "tell how each shard stands too")
	out.register(c)
	out.registerBaseline(c)
	return c
}

// takeOver makes a run of one that somebody else has begun on a cluster.
func (p *program) takeOver(c *cobra.Command, run string, f *clusterFlags, each bool, out *outputFlags,
	by func(shards.Engine, string) (*shards.Coordinator, func() (*shards.Outcome, error))) error {
	if err := p.checkOutput(out); err != nil {
		return err
	}
	progress := p.newProgress()
	defer progress.end()
	engine, err := p.kubernetes.open(noticing(f.options(), progress))
	if err != nil {
		return err
	}
	name, err := environmentOf(c.Context(), engine, run)
	if err != nil {
		return err
	}
	r, err := p.newOngoing(c, nil, out, "load", name)
	if err != nil {
		return err
	}
	r.run.ID = run // of the load, wherever it was begun
	coordinator, do := by(engine, r.folder.Path())
	return r.finish(p.conduct(c.Context(), r, progress, coordinator, each, load.Options{Run: r.run}, do))
}

// environmentOf is the name of the environment of a run on a cluster.
func environmentOf(ctx context.Context, engine cluster, run string) (string, error) {
	work, err := engine.Find(ctx, run)
	if err != nil {
		return "", err
	}
	var e struct{ Name string }
	if json.Unmarshal(work.Files[planEnvironment], &e) != nil || e.Name == "" {
		return "", failure.Setupf("the run %s holds no environment of agstest, so that it cannot be taken over", run)
	}
	return e.Name, nil
}

func (p *program) kubernetesCleanCommand() *cobra.Command {
	var f clusterFlags
	var all bool
	c := &cobra.Command{
		Use:   "clean [RUN]",
		Short: "Remove a load from the cluster, or all that have ended.",
		Long: `Removes the Job of a run and everything that belongs to it; shards that are sending are stopped. Without RUN the loads of the namespace go
that have ended, with --all also those under way. What was not collected is lost.`,
		Example: `  agstest kubernetes clean 3f2a9c1b04de --namespace load
  agstest kubernetes clean --namespace load           # those that have ended`,
		Args: wantArguments(0, 1, "at most the id of one run (agstest kubernetes list)"),
		RunE: func(c *cobra.Command, args []string) error {
			if all && len(args) > 0 {
				return failure.Usagef("--all and the id of one run exclude each other; leave one of them out")
			}
			return p.needsKubernetes(func() error { return p.clean(c.Context(), args, &f, all) })
		},
	}
	f.register(c.Flags())
	c.Flags().BoolVar(&all, "all", false, "also loads that are under way, whoever began them")
	return c
}

func (p *program) clean(ctx context.Context, named []string, f *clusterFlags, all bool) error {
	engine, err := p.kubernetes.open(noticing(f.options(), p.newProgress()))
	if err != nil {
		return err
	}
	runs, err := engine.Runs(ctx)
	if err != nil {
		return err
	}
	var gone []string
	for _, r := range runs {
		ended := r.State == "complete" || r.State == "failed"
		if len(named) == 0 && (all || ended) || len(named) == 1 && r.Run == named[0] {
			gone = append(gone, r.Run)
		}
	}
	switch {
	case len(gone) == 0 && len(named) == 1:
		return failure.Setupf("there is no run %s in the namespace %s; agstest kubernetes list shows what there is",
			named[0], engine.Namespace())
	case len(gone) == 0:
		p.notef("there is nothing to remove in the namespace %s", engine.Namespace())
	}
	var errs []error
	for _, run := range gone {
		if err := engine.Remove(ctx, run); err != nil {
			errs = append(errs, err)
			continue
		}
		fmt.Fprintln(p.stdout, run)
	}
	return errors.Join(errs...)
}
