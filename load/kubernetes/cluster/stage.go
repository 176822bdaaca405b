//go:build linux

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Options of Run; the zero value is fine.
type Options struct {
	// Required makes it an error that the machine cannot run a cluster; otherwise Run says why on stderr and returns 0.
	Required bool
	// Logs is a folder that gets the output of every component when the run has ended; empty: it is thrown away.
	Logs string
}

// stageVariable tells a process of ours where it stands: "init:FOLDER" or "inside:FOLDER"; unset outside of the
// namespaces.
const stageVariable = "AGSTEST_CLUSTER_STAGE"

// Run starts the calling program again inside namespaces of its own, with a running cluster, and calls inside there.
// The result of inside is the exit code. It is for TestMain.
func Run(options Options, inside func(*Cluster) int) int {
	stage, folder, _ := strings.Cut(os.Getenv(stageVariable), ":")
	var code int
	var err error
	switch stage {
	case "":
		code, err = outside(options)
	case "init":
		code, err = initialise(folder)
	case "inside":
		code, err = withCluster(folder, inside)
	default:
		err = fmt.Errorf("%s=%s is none of its stages", stageVariable, stage)
	}
	var missing *missingError
	switch {
	case errors.As(err, &missing) && !options.Required:
		fmt.Fprintf(os.Stderr, "\nSKIPPED, NOTHING WAS TESTED: %s\n\n", err)
		return 0
	case err != nil:
		fmt.Fprintf(os.Stderr, "cluster: %s\n", err)
		return max(code, 1)
	}
	return code
}

// missingError says that this machine cannot run a cluster, and why.
type missingError struct{ what string }

func (e *missingError) Error() string { return e.what }

func missing(format string, arguments ...any) error {
	return &missingError{fmt.Sprintf(format, arguments...)}
}

// outside prepares everything that needs the machine's own network. At the end it asserts that the machine is as it
// was.
func outside(options Options) (code int, err error) {
	if os.Geteuid() != 0 {
		return 0, missing("a cluster needs root, for namespaces, mounts and control groups; this is user %d",
			os.Geteuid())
	}
	interrupted, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	groups, err := controlGroups()
	if err != nil {
		return 0, err
	}
	if err := groups.removeStale(10 * time.Second); err != nil {
		return 0, fmt.Errorf("removing what an earlier run left that was killed: %w", err)
	}
	parts, err := gather(interrupted)
	if err != nil {
		return 0, err
	}
	before, err := look()
	if err != nil {
		return 0, err
	}
	folder := filepath.Join(os.TempDir(), scratchPrefix+strconv.Itoa(os.Getpid()))
	for _, private := range privateFolders {
		if strings.HasPrefix(folder+"/", private+"/") {
			return 0, missing("the folder for temporary files is %s, which the cluster replaces by one of its own; set TMPDIR "+
				"to another one", os.TempDir())
		}
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return 0, err
	}
	defer func() {
		if options.Logs != "" {
			err = errors.Join(err, os.CopyFS(options.Logs, os.DirFS(filepath.Join(folder, "logs"))))
		}
		err = errors.Join(err, groups.remove(10*time.Second), os.RemoveAll(folder))
		after, lookErr := look()
		err = errors.Join(err, lookErr, before.same(after, folder))
	}()
	told, err := json.Marshal(parts)
	if err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(folder, "parts.json"), told, 0o600); err != nil {
		return 0, err
	}
	if err := os.Mkdir(filepath.Join(folder, "logs"), 0o700); err != nil {
		return 0, err
	}
	began := time.Now()
	code, err = groups.start(interrupted, again("init", folder))
	memory, processor := groups.used()
	fmt.Fprintf(os.Stderr,
		"cluster: ended after %s; at most %d MiB of memory with the page cache, %s of processor time\n",
		time.Since(began).Round(time.Second), memory>>20, processor.Round(time.Second))
	return code, err
}

// again is the command that starts this program again, with the same arguments, at another stage.
func again(stage, folder string) *exec.Cmd {
	c := exec.Command("/proc/self/exe", os.Args[1:]...)
	c.Args[0] = os.Args[0]
	c.Env = append(os.Environ(), stageVariable+"="+stage+":"+folder)
	c.Stdin, c.Stdout, c.Stderr = nil, os.Stdout, os.Stderr
	return c
}

// start runs init in new namespaces, inside the groups made for it, and waits for its end. Ending ctx kills it, and the
// kernel everything below it.
func (g groups) start(ctx context.Context, init *exec.Cmd) (int, error) {
	init.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWCGROUP,
		Pdeathsig:  syscall.SIGKILL,
	}
	// The signal of Pdeathsig comes when the thread ends that started the process, not only when the program does.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// A new cgroup namespace has its root where its maker is, so we go there and come back.
	if err := g.enter(); err != nil {
		return 0, errors.Join(err, g.leave())
	}
	startErr := init.Start()
	if err := errors.Join(startErr, g.leave()); err != nil {
		if startErr == nil {
			_ = init.Process.Kill()
			_ = init.Wait()
		}
		return 0, fmt.Errorf("starting the namespaces of the cluster: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- init.Wait() }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = init.Process.Kill()
		<-ended
		return 130, errors.New("interrupted")
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() < 0 {
			return 1, fmt.Errorf("the first process of the cluster: %w", err)
		}
		return exit.ExitCode(), nil
	}
	return 0, err
}
