package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write golden files anew")

// raced tells that these tests run under the race detector.
var raced bool

// raceful are the tests for the race detector. They run in this process, or in one of this binary, what does much side
// by side: every kind of command, ends by a signal or a panic, and loads on a cluster. The other tests look at words,
// files and exit codes, which are the same with it, and take several times as long; "make test" runs them without it.
const raceful = "^Test(EveryCommandRunsItsPartsSideBySide|Signals|PanicInAnyGoroutineEndsWithOneSentence|" +
	"RunThatEndsEarlyPutsBack|GateWhoseLoadNeverRan|InterruptIsToldAboveTheTable|LoadOnKubernetes|" +
	"LoadOnKubernetesIsWatched|LoadOnAClusterThatForwardsNoPort|ALostShardMakesARunPartial|" +
	"NothingIsSentWhereAClusterCannot|ASetUpThatFailsOnAClusterIsTold|KubernetesCommands|StartOfWhatWasApplied|" +
	"CollectBringsARunHome)$|^TestScript$/^kubernetes$"

func TestMain(m *testing.M) {
	testscript.Main(suite{m}, map[string]func(){
		"agstest": main, fullProgram: mainOnFakeCluster,
		"agstest-with-broken-clock": mainWithBrokenClock, "agstest-that-breaks-down": mainThatBreaksDown,
	})
}

// suite are the tests. Most of them wait most of the time, for loads that take seconds, so that eight run side by side
// on any machine. Under the race detector it is the raceful ones, unless others are asked for; AGSTEST_RACED=1 says
// that this was done, and leaves these out without it.
type suite struct{ m *testing.M }

func (s suite) Run() int {
	debug.SetGCPercent(400) // as in seldomGarbage
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", "8")
	}
	chosen, left := flag.Lookup("test.run").Value, flag.Lookup("test.skip").Value
	switch {
	case raced && chosen.String() == "":
		_ = chosen.Set(raceful)
	case !raced && chosen.String() == "" && os.Getenv("AGSTEST_RACED") == "1":
		_ = left.Set(strings.TrimPrefix(left.String()+"|"+raceful, "|"))
	}
	program, err := exec.LookPath("agstest")
	if err == nil {
		err = answerForGo(filepath.Dir(program))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "preparing agstest: %v\n", err)
		return 1
	}
	return s.m.Run()
}

// answerForGo puts a go into folder, which stands first on the PATH. Whenever agstest starts, godog asks go for a folder
// that nothing here uses, and go takes as long to say it as agstest to start. What else is asked, go itself answers.
func answerForGo(folder string) error {
	real, err := exec.LookPath("go")
	if err != nil || runtime.GOOS == "windows" {
		return nil
	}
	text := "#!/bin/sh\n[ \"$*\" = \"env GOTOOLDIR\" ] || exec '" + real + "' \"$@\"\n"
	return os.WriteFile(filepath.Join(folder, "go"), []byte(text), 0o755)
}

// call runs the program within this process, with these variables.
func call(t *testing.T, variables map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(args, func(name string) (string, bool) { v, ok := variables[name]; return v, ok }, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestMainIsOneCall(t *testing.T) {
	text, err := os.ReadFile("main.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "func main() { os.Exit(run(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)) }\n") {
		t.Error("main does more than calling run")
	}
}
