package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"agstest/internal/plan"
)

// checkJob has the command of a job check its flags together, as it does before it opens a service. Paths of the plan
// start in dir. It sends nothing, reads no environment file, and makes no file.
func (p *program) checkJob(ctx context.Context, job plan.Job, dir string) error {
	asked := plan.Job{Command: job.Command}
	for _, file := range job.Files {
		asked.Files = append(asked.Files, startingIn(dir, file))
	}
	for _, flag := range job.Flags {
		if flag.Name == "baseline" { // it may be the name of a run, and was read already
			continue
		}
		placed := plan.Flag{Name: flag.Name}
		for _, value := range flag.Values {
			placed.Values = append(placed.Values, pathOf(flag.Name, dir, value))
		}
		asked.Flags = append(asked.Flags, placed)
	}
	checking := &program{getenv: p.getenv, stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard,
		now: p.now, kubernetes: p.kubernetes, onlyFlags: true}
	root := checking.root()
	root.SetArgs(asked.Arguments())
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	return root.ExecuteContext(ctx)
}

// pathOf is the value of a flag, as it is said in another folder than that of the plan.
func pathOf(flag, dir, value string) string {
	switch flag {
	case "known", "test-keys", "features", "kubeconfig":
		return startingIn(dir, value)
	case "load-profile", "profile", "results-url": // each may be something else than a path
		if path := startingIn(dir, value); !errors.Is(existing(path), os.ErrNotExist) {
			return path
		}
	}
	return value
}

func existing(path string) error {
	_, err := os.Stat(path)
	return err
}

// lineOfFlag is the line of the flag that an error names, or whose value it quotes, or else that of the job.
func lineOfFlag(job plan.Job, err error) int {
	text := err.Error() + " "
	for _, flag := range job.Flags {
		named := strings.Contains(text, "--"+flag.Name+" ") || strings.Contains(text, "--"+flag.Name+":")
		if named || slices.ContainsFunc(flag.Values,
			func(value string) bool { return strings.Contains(text, strconv.Quote(value)) }) {
			return flag.Line
		}
	}
	if len(job.Lines) > 0 {
		return job.Lines[0]
	}
	return 0
}
