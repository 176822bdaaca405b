package environment

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"agstest/internal/failure"
	"agstest/internal/userfile"
)

// Lookup finds the value of an environment variable, as os.LookupEnv does.
type Lookup func(name string) (string, bool)

// maxFile is far above any real file; it keeps a wrong path (a log, a device) from filling the memory.
const maxFile = 1 << 20

// Read reads the environment file at path. Its errors are of the kind failure.Usage, name file and line, and hold no
// value of the file that could be a secret. ValuelessError tells that only variables are missing.
func Read(path string, getenv func(string) (string, bool)) (*Environment, error) {
	data, err := userfile.Read(path, maxFile)
	switch {
	case errors.As(err, &userfile.TooLargeError{}):
		return nil, failure.Usagef("%s is larger than 1 MiB, so it is no environment file", path)
	case errors.Is(err, fs.ErrNotExist):
		return nil, failure.Usagef(
			"cannot read the environment file %s: %w; give --env a file that exists, or write one with: agstest init",
			path, err)
	case err != nil:
		return nil, failure.Usagef("cannot read the environment file %s: %w", path, err)
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, failure.Usagef("cannot find the folder of %s: %w", path, err)
	}
	e, err := Parse(data, path, filepath.Dir(absolute), getenv)
	if err != nil {
		return nil, err
	}
	e.File = absolute
	return e, nil
}

// Parse reads the text of an environment file. The name is for messages, dir is where its relative paths start, getenv
// gives the values of ${NAME}. Every mistake that is found is reported, one a line.
func Parse(data []byte, name string, dir string, getenv func(string) (string, bool)) (*Environment, error) {
	data, err := userfile.Text(data)
	if err != nil {
		return nil, failure.Usagef("%s: %w", name, err)
	}
	if err := userfile.PlainYAML(data); err != nil {
		return nil, failure.Usagef("%s: %w", name, err)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, failure.Usagef("%s", describe(name, err))
	}
	bodies := userfile.Documents(file)
	switch {
	case len(bodies) == 0:
		return nil, failure.Usagef(
			"%s is empty; it needs at least url: https://… (agstest init writes a commented example)", name)
	case len(bodies) > 1:
		return nil, failure.Usagef("%s:%d: a second YAML document starts here; an environment file holds one", name,
			bodies[1].GetToken().Position.Line)
	}

	r := &reader{name: name, dir: dir, getenv: getenv, lines: map[string]int{}, variables: map[string]string{},
		written: map[string]string{}, values: map[string]string{}, marked: map[string]string{}}
	e := &Environment{}
	body := r.fit(bodies[0], reflect.TypeOf(e), nil)
	if len(r.mistakes) > 0 {
		return nil, r.failure()
	}
	if err := yaml.NodeToValue(body, e, yaml.Strict()); err != nil {
		return nil, failure.Usagef("%s", describe(name, err))
	}
	r.complete(e)
	r.check(e)
	if len(r.mistakes) > 0 {
		return nil, r.failure()
	}
	e.places = places{name, r.lines}
	e.variables, e.written, e.values, e.marked = r.variables, r.written, r.values, r.marked
	e.warnings = append(r.warnings, r.inClear(e)...)
	return e, nil
}

// reader collects the mistakes in one file.
type reader struct {
	name      string
	dir       string
	getenv    Lookup
	lines     map[string]int    // line of each key and value, by dotted path
	variables map[string]string // ${NAME} that a value came from, by dotted path
	written   map[string]string // text of a value with ${NAME} in it, by dotted path
	values    map[string]string // of the ${NAME}
	marked    map[string]string // tag of a value, by dotted path
	mistakes  []string
	valueless int // mistakes that are those of a variable
	warnings  []string
}

func (r *reader) mistake(line int, format string, args ...any) {
	r.mistakes = append(r.mistakes, fmt.Sprintf("%s:%d: %s", r.name, line, fmt.Sprintf(format, args...)))
}

// wrong reports a mistake in the value at a dotted path, or at the nearest key above it.
func (r *reader) wrong(path, format string, args ...any) {
	r.mistake(r.line(path), "%s: %s", path, fmt.Sprintf(format, args...))
}

// warn warns of a value at a dotted path that works and should still be changed.
func (r *reader) warn(path, format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf("%s:%d: %s %s", r.name, r.line(path), path,
		fmt.Sprintf(format, args...)))
}

func (r *reader) line(path string) int {
	for {
		if line, ok := r.lines[path]; ok {
			return line
		}
		cut := strings.LastIndex(path, ".")
		if cut < 0 {
			return 1
		}
		path = path[:cut]
	}
}

// ValuelessError is the error of a file in which nothing is wrong, as far as can be told, but that variables it names
// have no value that can be used: another machine, or the same one later, may read it.
type ValuelessError struct{ mistakes string }

func (e ValuelessError) Error() string { return e.mistakes }

func (r *reader) failure() error {
	mistakes := strings.Join(r.mistakes, "\n")
	if r.valueless == len(r.mistakes) {
		return failure.Usagef("%w", ValuelessError{mistakes})
	}
	return failure.Usagef("%s", mistakes)
}

// describe returns the YAML reader's error and its place, without quoting the file: the line may hold a secret.
func describe(name string, err error) string {
	var located yaml.Error
	if errors.As(err, &located) {
		line := 1
		if token := located.GetToken(); token != nil && token.Position != nil {
			line = token.Position.Line
		}
		return fmt.Sprintf("%s:%d: this is not valid YAML: %s", name, line, located.GetMessage())
	}
	return fmt.Sprintf("%s: this is not valid YAML: %v", name, err)
}
