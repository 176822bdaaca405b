package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"agstest/internal/failure"
)

// fullProgram is the same program with the engine for Kubernetes in it.
const fullProgram = "agstest-kubernetes"

const howToGetIt = "take " + fullProgram + "-" + runtime.GOOS + "-" + runtime.GOARCH +
	" of the same release, or build it from the sources with make kubernetes, and put it beside agstest or on the PATH " +
	"under the name " + fullProgram

// handOver lets the program with the engine do what this one was called for. It returns only with an error, or where
// one process cannot become another with the work done.
func (p *program) handOver() error {
	path, err := p.findFullProgram()
	if err != nil {
		return err
	}
	code, err := become(path, append([]string{fullProgram}, p.args...))
	if err != nil {
		return failure.Usagef("%s cannot be run: %w", path, err)
	}
	p.end(code)
	return nil
}

// findFullProgram looks beside this program and on the PATH, and takes only one of the same version.
func (p *program) findFullProgram() (string, error) {
	name := fullProgram
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	var candidates []string
	if self, err := os.Executable(); err == nil {
		candidates = append(candidates, filepath.Join(filepath.Dir(self), name))
		if real, err := filepath.EvalSymlinks(self); err == nil && real != self {
			candidates = append(candidates, filepath.Join(filepath.Dir(real), name))
		}
	}
	if found, err := exec.LookPath(fullProgram); err == nil {
		candidates = append(candidates, found)
	}
	for _, path := range candidates {
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path, checkFullProgram(path)
		}
	}
	return "", failure.Usagef(
		"this agstest is built without Kubernetes, and %s was found neither beside it nor on the PATH; %s", fullProgram,
		howToGetIt)
}

// checkFullProgram asks a program for its name and version.
func checkFullProgram(path string) error {
	text, err := exec.Command(path, "version", "--json").Output()
	var that struct {
		Version string   `json:"version"`
		Commit  string   `json:"commit"`
		Engines []string `json:"engines"`
	}
	if err == nil {
		err = json.Unmarshal(text, &that)
	}
	own := buildInfo()
	switch {
	case err != nil:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(exit.String())
		}
		return failure.Usagef("%s does not say which version it is (%w); %s", path, err, howToGetIt)
	case that.Version != own.Version || strings.TrimSuffix(that.Commit, "+changes") != strings.TrimSuffix(own.Commit,
		"+changes"):
		return failure.Usagef("%s is version %s (%s), and this agstest is %s (%s); they must be the same: %s", path,
			that.Version, that.Commit, own.Version, own.Commit, howToGetIt)
	case !slices.Contains(that.Engines, "kubernetes"):
		return failure.Usagef("%s is built without Kubernetes as well; %s", path, howToGetIt)
	}
	return nil
}
