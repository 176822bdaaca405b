package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write golden files anew")

// raced tells that these tests run under the race detector. AGSTEST_RACED=1 says so without it, to try what else
// differs then.
var raced = os.Getenv("AGSTEST_RACED") == "1"

// racedProgram is agstest as it is in the binary of these tests, under the race detector where they are.
const racedProgram = "agstest-raced"

func TestMain(m *testing.M) {
	testscript.Main(suite{m}, map[string]func(){
		"agstest": main, racedProgram: main, "agstest-with-broken-clock": mainWithBrokenClock, "agstest-that-breaks-down": mainThatBreaksDown, fullProgram: mainOnFakeCluster,
	})
}

// suite are the tests. Most of them wait most of the time, for loads that take seconds, so that eight run side by side
// on any machine. Under the race detector the agstest that they start is built without it: those tests look at streams
// and files, and would take several times as long. Races are looked for where run is called within this process
// (callHere), and in the processes that are killed or told to end.
type suite struct{ m *testing.M }

func (s suite) Run() int {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		_ = flag.Set("test.parallel", "8")
	}
	program, err := exec.LookPath("agstest")
	if err == nil {
		err = answerForGo(filepath.Dir(program))
	}
	if err == nil && raced && !testing.Short() {
		_ = os.Remove(program)
		err = buildProgram(".", program, "")
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

// buildProgram builds agstest from the source in folder as a release is built, with more flags for the linker and more
// variables.
func buildProgram(folder, target, stamp string, variables ...string) error {
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", flavour, "-ldflags", "-s -w -buildid= "+stamp, "-o", target, ".")
	build.Dir = folder
	build.Env = append(append(os.Environ(), "CGO_ENABLED=0"), variables...)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// call runs the program with these variables. It does so within this process; under the race detector the program is
// one without it, as most of these tests look at streams and files, and whole runs would take many times as long.
func call(t *testing.T, variables map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	if !raced || testing.Short() {
		return callHere(t, variables, args...)
	}
	var out, errs bytes.Buffer
	command := exec.Command("agstest", args...)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}
	for name, value := range variables {
		command.Env = append(command.Env, name+"="+value)
	}
	command.Stdout, command.Stderr = &out, &errs
	told, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	_, _ = told.Write([]byte{0}) // by a write the race detector knows that what was done until here comes before what the program brings about
	if err := command.Run(); command.ProcessState == nil {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), out.String(), errs.String()
}

// callHere runs the program within this process: where tests have put something else in its place, and where races are
// looked for.
func callHere(t *testing.T, variables map[string]string, args ...string) (code int, stdout, stderr string) {
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
