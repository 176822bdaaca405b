package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/internal/redact"
	"agstest/load"
	"agstest/load/engine"
	"agstest/load/schedule"
	"agstest/load/shards"
	"agstest/reports"
)

// shardVersion is the version that a plan and its shards must have in common: two builds of one version may differ.
func shardVersion() string {
	tool := buildInfo()
	return strings.TrimSpace(tool.Version + " " + tool.Commit)
}

// shardFlags say where a shard finds its plan and where it serves. No secret is among them.
type shardFlags struct {
	plan, secrets, out  string
	listen, termination string
	index               int
	grace, failedLinger time.Duration
}

// shardCommand runs inside each generator of a load on Kubernetes. It is made for the coordinator and not for people.
func (p *program) shardCommand() *cobra.Command {
	f := shardFlags{index: -1}
	c := &cobra.Command{
		Use:    "shard",
		Short:  "Be one generator of a load that runs on several (started by agstest load --on kubernetes).",
		Hidden: true,
		Long: `Reads the plan of a run, serves the control interface for its coordinator, does its part of the load when it is told to, and hands the
result over. Where the plan holds the instant of the start, nothing is served, and all is said and handed over on stdout. The exit code
tells whether the part was done, not what it found.`,
		Example: `  agstest shard --plan /plan --secrets /secrets --out /out --listen 127.0.0.1:6565`,
		RunE: func(c *cobra.Command, args []string) error {
			return p.shard(c.Context(), &f)
		},
	}
	flags := c.Flags()
	flags.StringVar(&f.plan, "plan", "", "folder of the plan and the files that it names")
	flags.StringVar(&f.secrets, "secrets", "", "folder of the secrets, one file for each")
	flags.StringVar(&f.out, "out", "", "folder for the result")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:"+strconv.Itoa(shards.ControlPort),
		"address of the control interface")
	flags.IntVar(&f.index, "index", -1, "which shard this is, from 0; left out: JOB_COMPLETION_INDEX")
	flags.StringVar(&f.termination, "termination", "", "file for the last words, such as /dev/termination-log")
	flags.DurationVar(&f.grace, "grace", 0, "how long to go on after SIGTERM, to hand the result over; 0: 25s")
	flags.DurationVar(&f.failedLinger, "failed-linger", 0, "how long to tell of a failure before ending; 0: 10s")
	return c
}

func (p *program) shard(ctx context.Context, f *shardFlags) error {
	for name, value := range map[string]string{"plan": f.plan, "secrets": f.secrets, "out": f.out} {
		if value == "" {
			return failure.Usagef("a shard needs --%s, a folder", name)
		}
	}
	if f.index < 0 {
		text := p.variable("JOB_COMPLETION_INDEX")
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return failure.Usagef("a shard needs --index or JOB_COMPLETION_INDEX, a number from 0 on, not %q", text)
		}
		f.index = n
	}
	text, err := os.ReadFile(filepath.Join(f.plan, shards.PlanFile))
	if err != nil {
		return failure.Usagef("cannot read the plan of the shards: %w", err)
	}
	var token []byte
	alone := shards.Alone(text)
	if !alone {
		if token, err = os.ReadFile(filepath.Join(f.secrets, shards.TokenFile)); err != nil {
			return failure.Usagef("cannot read the token of the run: %w", err)
		}
	}
	folder := filepath.Join(f.out, "run")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return failure.Usagef("cannot make the folder of the shard's result: %w", err)
	}
	agent := &shards.Agent{
		Index: f.index, Plan: text, Version: shardVersion(), Token: []byte(
			strings.TrimSpace(string(token))), Folder: folder,
		Output: trusted(p.stdout), Grace: f.grace, FailedLinger: f.failedLinger,
	}
	if plan, err := shards.ReadPlan(text, agent.Version); err == nil {
		if agent.ResultsURL, err = resultsURL(f.secrets, plan); err != nil {
			return err
		}
		agent.Load = func(ctx context.Context, barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load,
			error) {
			return p.loadOfShard(ctx, f, plan, folder, barrier, progress)
		}
	}
	if f.termination != "" {
		agent.LastWords = func(e shards.Ending) { leaveLastWords(f.termination, e) }
	}
	var listener net.Listener
	if !alone {
		if listener, err = listen("the control interface of the shard", f.listen); err != nil {
			return err
		}
	}
	err = agent.Run(ctx, listener)
	p.served = err == nil // a shard that was told to stop and has handed its part over has done its work
	return err
}

func resultsURL(secrets string, plan *shards.Plan) (string, error) {
	if plan.ResultsURL == "" {
		return "", nil
	}
	text, err := os.ReadFile(filepath.Join(secrets, filepath.Base(plan.ResultsURL)))
	if err != nil {
		return "", failure.Usagef("cannot read the results URL of the plan: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// maxLastWords is how many bytes of them Kubernetes reads.
const maxLastWords = 4096

// leaveLastWords writes them into the file that Kubernetes reads when the container has ended, which is there and
// cannot be replaced.
func leaveLastWords(path string, e shards.Ending) {
	text, err := json.Marshal(e)
	if err == nil && len(text) > maxLastWords { // a sentence of many characters that JSON escapes
		e.Error = ""
		text, err = json.Marshal(e)
	}
	if err == nil {
		_ = os.WriteFile(path, text, 0o600)
	}
}

// loadOfShard is the load command with the arguments of the plan, for one shard.
func (p *program) loadOfShard(ctx context.Context, f *shardFlags, plan *shards.Plan, folder string,
	barrier engine.Barrier, progress func(engine.Progress)) (*reports.Load, error) {
	o, raw, err := optionsOfPlan(f.plan, plan)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(f.plan, filepath.Base(plan.Env)))
	if err != nil {
		return nil, failure.Usagef("cannot read the environment of the plan: %w", err)
	}
	if o.Environment, err = environment.Parse(text, plan.Env, f.plan, environment.FolderLookup(f.secrets)); err != nil {
		return nil, err
	}
	o.Shard, o.Barrier, o.Progress, o.Record = schedule.Shard{Index: f.index + 1,
		Of: plan.Shards}, barrier, progress, folder
	o.Secrets = redactorFor(o.Environment)
	o.Run = reports.Run{ID: plan.Run, Kind: "load", Tool: buildInfo()}
	if raw {
		file, err := os.OpenFile(filepath.Join(folder, rawFile), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return nil, failure.Setupf("cannot write Vegeta's own results: %w", err)
		}
		defer file.Close()
		o.Raw = file
	}
	l, err := load.Run(ctx, o)
	if l != nil {
		redact.Texts(l, o.Secrets.Values)
		err = errors.Join(err, intoFolder(folder)(reports.LoadFile,
			func(w io.Writer) error { return reports.WriteJSON(w, l) }))
	}
	return l, err
}

// optionsOfPlan reads the arguments of a plan in the way of the load command. Files that they name lie in the folder of
// the plan.
func optionsOfPlan(folder string, plan *shards.Plan) (o load.Options, raw bool, err error) {
	var f loadFlags
	c := &cobra.Command{Use: "load"}
	f.register(c)
	f.registerSeed(c)
	c.SetFlagErrorFunc(flagError)
	if err := c.ParseFlags(plan.Arguments); err != nil {
		return o, false, failure.Usagef("the arguments of the plan are not those of a load: %w", err)
	}
	switch {
	case c.Flags().NArg() > 0:
		return o, false, failure.Usagef("the arguments of the plan are not those of a load: %q is no flag",
			c.Flags().Arg(0))
	case f.seed == 0:
		return o, false, failure.Usagef(
			"the arguments of the plan have no --seed, so that the shards would not be one run")
	case f.shard != "" || f.startAt != "":
		return o, false, failure.Usagef(
			"the arguments of the plan have --shard or --start-at, which each shard is told by itself")
	}
	if f.profile != "" {
		if path := filepath.Join(folder, filepath.Base(f.profile)); exists(path) {
			f.profile = path
		}
	}
	o, err = f.options(false)
	return o, f.raw, err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
