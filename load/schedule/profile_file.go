package schedule

import (
	"bytes"
	"errors"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"agstest/internal/failure"
	"agstest/internal/userfile"
	"agstest/load/limit"
)

// profileFile is the content of the file.
type profileFile struct {
	Name     string         `yaml:"name"`
	Workload string         `yaml:"workload"`
	Mix      map[string]int `yaml:"mix"`
	Clients  int            `yaml:"clients"`
	Workers  int            `yaml:"workers"`
	Limits   []string       `yaml:"limits"`
	Stages   []stageFile    `yaml:"stages"`
}

// ReadProfile reads a profile. The name is its path, for messages; files that the profile names lie beside it. Unknown
// keys are errors. Errors are of the kind failure.Usage and name the line.
func ReadProfile(data []byte, name string) (*Profile, error) {
	data, err := userfile.Text(data)
	if err != nil {
		return nil, failure.Usagef("%s: %w", name, err)
	}
	if err := userfile.PlainYAML(data); err != nil {
		return nil, failure.Usagef("%s: %w", name, err)
	}
	p, err := readProfile(data, name)
	var panicked errYAML
	if errors.As(err, &panicked) {
		return nil, failure.Usagef("%s is no YAML that can be read", name)
	}
	return p, err
}

// errYAML is a panic of the YAML library, which some malformed texts cause.
type errYAML struct{ error }

func readProfile(data []byte, name string) (p *Profile, err error) {
	r := &profileReader{name: name}
	defer func() {
		if !r.read && recover() != nil {
			p, err = nil, errYAML{errors.New("the YAML library panicked")}
		}
	}()
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, profileFailure(name, err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil || file.Docs[0].Body.Type() == ast.NullType ||
		file.Docs[0].Body.Type() == ast.CommentType {
		return nil,
			failure.Usagef(
				"%s is empty; a profile needs stages, such as: stages: [{constant: {rate: 200/s, for: 30s}}]", name)
	}
	if len(file.Docs) > 1 {
		return nil, failure.Usagef("%s holds several YAML documents; a profile is one", name)
	}
	if err := r.keys(file.Docs[0].Body, reflect.TypeFor[profileFile](), "a profile"); err != nil {
		return nil, err
	}
	var f profileFile
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&f); err != nil {
		return nil, profileFailure(name, err)
	}
	r.read = true
	return r.profile(&f)
}

// kindWords are the kinds of values of a profile.
var kindWords = map[reflect.Kind]string{
	reflect.Int: "a whole number", reflect.String: "a text", reflect.Slice: "a list"}

// profileFailure turns an error of the YAML library into one sentence.
func profileFailure(name string, err error) error {
	var kind *yaml.TypeError
	if errors.As(err, &kind) && kind.Token != nil && kind.DstType != nil && kindWords[kind.DstType.Kind()] != "" {
		what := "a value here"
		if kind.StructFieldName != nil {
			_, field, _ := strings.Cut(*kind.StructFieldName, ".")
			what = strings.ToLower(field)
			if what == "mix" {
				what = "a share of mix"
			}
		}
		return failure.Usagef("%s:%d: %s must be %s, not %q", name, kind.Token.Position.Line, what,
			kindWords[kind.DstType.Kind()], kind.Token.Value)
	}
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		return failure.Usagef("%s:%d: %s", name, y.GetToken().Position.Line, y.GetMessage())
	}
	return failure.Usagef("%s: %w", name, err)
}

// profileReader turns a file into a profile.
type profileReader struct {
	name  string
	lines []int // of each stage
	read  bool  // the YAML is read; what panics from here on is a mistake of ours
}

// keys refuses keys that a structure does not have, with the line and the nearest one that it has, and notes the lines
// of stages.
func (r *profileReader) keys(node ast.Node, t reflect.Type, what string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := node.(type) {
	case *ast.SequenceNode:
		if t.Kind() != reflect.Slice {
			return nil // of another kind: decoding says so
		}
		for _, value := range n.Values {
			if t.Elem() == reflect.TypeFor[stageFile]() {
				r.lines = append(r.lines, value.GetToken().Position.Line)
			}
			if err := r.keys(value, t.Elem(), "a stage"); err != nil {
				return err
			}
		}
	case *ast.MappingNode:
		for _, value := range n.Values {
			if err := r.key(value, t, what); err != nil {
				return err
			}
		}
	case *ast.MappingValueNode:
		return r.key(n, t, what)
	}
	return nil
}

func (r *profileReader) key(n *ast.MappingValueNode, t reflect.Type, what string) error {
	if t.Kind() != reflect.Struct {
		return nil
	}
	token := n.Key.GetToken()
	var names []string
	for field := range t.Fields() {
		name := field.Tag.Get("yaml")
		if name == token.Value {
			return r.keys(n.Value, field.Type, name)
		}
		names = append(names, name)
	}
	return failure.Usagef("%s:%d: %s has no key%s; %s", r.name, token.Position.Line, what,
		userfile.QuotedKey(token.Value), failure.DidYouMean(token.Value, names, "its keys are "+strings.Join(names, ", ")))
}

func (r *profileReader) profile(f *profileFile) (*Profile, error) {
	p := &Profile{Name: f.Name, Workload: f.Workload, Mix: f.Mix, Clients: f.Clients, Workers: f.Workers}
	if p.Name == "" {
		p.Name = strings.TrimSuffix(filepath.Base(r.name), filepath.Ext(r.name))
	}
	for key, value := range map[string]string{"name": f.Name, "workload": f.Workload} {
		if flaw := userfile.Flaw(value); flaw != "" {
			return nil, failure.Usagef("%s: %s %s", r.name, key, flaw)
		}
	}
	if f.Clients < 0 || f.Workers < 0 {
		return nil, failure.Usagef("%s: clients and workers cannot be negative", r.name)
	}
	limits, err := limit.ParseAll(f.Limits)
	if err != nil {
		return nil, failure.Usagef("%s: %w", r.name, err)
	}
	p.Limits = limits
	if len(f.Stages) == 0 {
		return nil,
			failure.Usagef("%s has no stages; a profile needs at least one, such as: stages: [{constant: {rate: 200/s, "+
				"for: 30s}}]", r.name)
	}
	for i, stage := range f.Stages {
		line := 0
		if i < len(r.lines) {
			line = r.lines[i]
		}
		made, err := r.stage(&stage)
		if err != nil {
			return nil, failure.Usagef("%s:%d: stage %d: %w", r.name, line, i+1, err)
		}
		p.stages = append(p.stages, made)
	}
	if p.Schedule(0).Hits() == 0 {
		return nil, failure.Usagef("%s asks for no hit at all; raise a rate", r.name)
	}
	return p, nil
}
