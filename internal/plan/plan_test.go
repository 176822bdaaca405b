package plan

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

// known takes the flag rate of a load, and tags and known of conform.
func known(command, flag string, values []string) error {
	if command == "load" && (flag == "rate" || flag == "limit") || command == "conform" && (flag == "tags" || flag == "known") || command == "ab" && flag == "rate" {
		return nil
	}
	return fmt.Errorf("agstest %s has no flag --%s", command, flag)
}

func TestRead(t *testing.T) {
	p, err := Read([]byte(`
name: before a release
release: 00123
parallel: 2
conform: {known: known.yaml}
load: {rate: 20/s, limit: ["refresh.p99<300ms", "errors<1%"]}
environments:
  - dev.yaml
  - {file: "env/{env}.yaml", names: [int, staging], load: {rate: 5/s}}
  - {file: prod.yaml, load: none, conform: {tags: "@refresh"}}
  - {name: both, files: [a.yaml, b.yaml], ab: {rate: 1/s}}
`), "release.yaml", known)
	require.NoError(t, err)
	assert.Equal(t, "before a release", p.Name)
	assert.Equal(t, "00123", p.Release, "an id is the text of the file")
	assert.Equal(t, 2, p.Parallel)
	assert.Equal(t, 1, p.LoadsAtOnce)
	assert.Equal(t, []string{"dev", "int", "staging", "prod", "both"}, p.Environments())
	var lines []string
	for _, job := range p.Jobs {
		lines = append(lines, job.Environment+": "+strings.Join(job.Arguments(), " "))
	}
	assert.Equal(t, []string{
		"dev: conform --env=dev.yaml --known=known.yaml",
		"dev: load --env=dev.yaml --rate=20/s --limit=refresh.p99<300ms --limit=errors<1%",
		"int: conform --env=env/int.yaml --known=known.yaml",
		"int: load --env=env/int.yaml --rate=5/s --limit=refresh.p99<300ms --limit=errors<1%",
		"staging: conform --env=env/staging.yaml --known=known.yaml",
		"staging: load --env=env/staging.yaml --rate=5/s --limit=refresh.p99<300ms --limit=errors<1%",
		"prod: conform --env=prod.yaml --known=known.yaml --tags=@refresh",
		"both: ab --env=a.yaml --env=b.yaml --rate=1/s",
	}, lines)

	require.NoError(t, p.Only([]string{"prod", "dev"}))
	assert.Equal(t, []string{"dev", "prod"}, p.Environments())
	assert.ErrorContains(t, p.Only([]string{"prd"}), "did you mean prod?")
}

// TestReadChecksWhatNobodySpeaksOf: a bare list of files is checked and not loaded.
func TestReadChecksWhatNobodySpeaksOf(t *testing.T) {
	p, err := Read([]byte("environments: [a.yaml, b.yml]\n"), "p.yaml", known)
	require.NoError(t, err)
	assert.Equal(t, "p", p.Name)
	require.Len(t, p.Jobs, 2)
	assert.Equal(t, []string{"conform", "--env=b.yml"}, p.Jobs[1].Arguments())
}

func TestReadSaysWhereAndWhat(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"nothing", "", "p.yaml is empty"},
		{"a comment", "# nothing\n", "p.yaml is empty"},
		{"no environments", "name: x\n", "a plan needs environments"},
		{"an empty list", "environments: []\n", "a plan needs environments"},
		{"an unknown key", "enviroments: [a.yaml]\n", `p.yaml:1: a plan has no key "enviroments"; did you mean environments?`},
		{"a key twice", "environments: [a.yaml]\nname: a\nname: b\n", "p.yaml"},
		{"an unknown flag", "environments:\n  - file: a.yaml\n    load: {raet: 1/s}\n", "p.yaml:3: agstest load has no flag --raet"},
		{"a flag without a value", "environments: [{file: a.yaml, load: {rate: }}]\n", "p.yaml:1: rate is one text"},
		{"two documents", "environments: [a.yaml]\n---\nname: b\n", "p.yaml:3: a second YAML document"},
		{"an anchor", "environments: [&a a.yaml, *a]\n", "p.yaml:1:"},
		{"names without a place", "environments: [{file: a.yaml, names: [x]}]\n", "{env} in file and names go together"},
		{"a place without names", "environments: ['{env}.yaml']\n", "{env} in file and names go together"},
		{"names that differ in case", "environments: [a.yaml, b/A.yaml]\n", "a and A would be one folder on Windows and macOS"},
		{"a name twice", "environments: [a.yaml, b/a.yaml]\n", "a second environment is called a"},
		{"a name that leads elsewhere", "environments: [{file: a.yaml, name: ../x}]\n", `"../x" is no name of an environment`},
		{"ab of one", "environments: [{file: a.yaml, ab: {rate: 1/s}}]\n", "ab compares two environments"},
		{"nothing to do", "load: none\nenvironments: [{file: a.yaml, conform: none}]\n", "nothing is done in a"},
		{"a count that is none", "parallel: many\nenvironments: [a.yaml]\n", "parallel is a number from 1 to 100"},
		{"text that is no YAML", "environments: [a.yaml\n", "p.yaml"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read([]byte(c.text), "p.yaml", known)
			require.ErrorContains(t, err, c.says)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("conform: {tags: a}\nenvironments: [a.yaml, {file: '{env}.yaml', names: [b]}]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Read(text, "p.yaml", known)
		if err == nil && len(p.Jobs) == 0 {
			t.Fatal("a plan that does nothing was read")
		}
	})
}

func plans(environments int, commands ...string) (*Plan, []Progress) {
	p := &Plan{Name: "p", Parallel: 2, LoadsAtOnce: 1}
	for i := range environments {
		for _, command := range commands {
			p.Jobs = append(p.Jobs, Job{Environment: fmt.Sprintf("e%d", i), Command: command, Files: []string{"x"}})
		}
	}
	_, progress := NewJournal(p, "", time.Time{}).Plan()
	return p, progress
}

// TestConductKeepsItsBounds: at most Parallel environments and LoadsAtOnce loads at a time, jobs of an environment in
// order, and a job that fails stops nobody.
func TestConductKeepsItsBounds(t *testing.T) {
	p, progress := plans(5, "conform", "load")
	var mutex sync.Mutex
	running, loads, most, mostLoads := 0, 0, 0, 0
	order := map[string][]string{}
	two := make(chan struct{}) // closed once two run at the same time: that they do is not left to chance
	start := func(_ context.Context, job Job) int {
		mutex.Lock()
		running++
		if isLoad(job.Command) {
			loads++
		}
		most, mostLoads = max(most, running), max(mostLoads, loads)
		if running == 2 && most == 2 {
			select {
			case <-two:
			default:
				close(two)
			}
		}
		order[job.Environment] = append(order[job.Environment], job.Command)
		mutex.Unlock()
		<-two
		mutex.Lock()
		defer mutex.Unlock()
		running--
		if isLoad(job.Command) {
			loads--
		}
		return 1
	}
	changes := 0
	Conduct(t.Context(), p, progress, start, time.Now, func([]Progress) { changes++ })
	assert.Equal(t, 2, most)
	assert.Equal(t, 1, mostLoads)
	assert.Equal(t, 20, changes)
	for _, g := range progress {
		assert.Equal(t, Done, g.State)
		assert.Equal(t, 1, g.Code)
	}
	for _, commands := range order {
		assert.Equal(t, []string{"conform", "load"}, commands)
	}
}

// TestConductEndsInOrder: once the context ends nothing is started, what runs is waited for, and it is not taken for
// done.
func TestConductEndsInOrder(t *testing.T) {
	p, progress := plans(3, "conform", "load")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	started := 0
	p.Parallel = 1
	Conduct(ctx, p, progress, func(ctx context.Context, job Job) int {
		started++
		cancel()
		<-ctx.Done()
		return 130
	}, time.Now, func([]Progress) {})
	assert.Equal(t, 1, started)
	states := map[State]int{}
	for _, g := range progress {
		states[g.State]++
	}
	assert.Equal(t, map[State]int{Ended: 1, Waiting: 5}, states)
}

func TestJournal(t *testing.T) {
	dir := t.TempDir()
	p, progress := plans(2, "conform", "load")
	progress[0].State, progress[0].Code = Done, 1
	progress[1].State = Running
	j := NewJournal(p, "/plans", time.Unix(1, 0).UTC())
	j.Note(progress)
	require.NoError(t, j.Write(dir))
	read, err := ReadJournal(dir)
	require.NoError(t, err)
	assert.Equal(t, j, read)
	again, states := read.Plan()
	assert.Equal(t, p.Jobs, again.Jobs)
	assert.Equal(t, Done, states[0].State)
	assert.Equal(t, 1, states[0].Code)
	assert.Equal(t, Waiting, states[1].State, "what was running when everything stopped was not done")

	var started []string
	Conduct(t.Context(), again, states, func(_ context.Context, job Job) int { started = append(started, job.Folder()); return 0 }, time.Now, func([]Progress) {})
	assert.NotContains(t, started, "e0/conform", "what is done is not done again")
	assert.Len(t, started, 3)
}

func TestJournalsOfOthersAreRefused(t *testing.T) {
	dir := t.TempDir()
	_, err := ReadJournal(dir)
	require.True(t, errors.Is(err, fs.ErrNotExist))
	for _, text := range []string{
		"", "{}", `{"schema":"agstest.plan/9.0","jobs":[{"environment":"a","command":"conform"}]}`,
		`{"schema":"agstest.plan/1.0","jobs":[]}`,
		`{"schema":"agstest.plan/1.0","jobs":[{"environment":"../../x","command":"conform"}]}`,
		`{"schema":"agstest.plan/1.0","jobs":[{"environment":"a","command":"history"}]}`,
		`{"schema":"agstest.plan/1.0","jobs":[{"environment":"a","command":"load"},{"environment":"a","command":"load"}]}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, journalName), []byte(text), 0o600))
		_, err := ReadJournal(dir)
		require.Error(t, err, text)
		assert.Equal(t, failure.Usage, failure.KindOf(err))
	}
}
