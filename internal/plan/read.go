package plan

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"agstest/internal/failure"
	"agstest/internal/userfile"
)

// Bounds of a plan; each is far above what people write by hand.
const (
	maxEnvironments = 100
	maxFlags        = 100 // of one job
	maxValues       = 100 // of one flag
)

// Check returns what is wrong with a flag of a command and its values; nil if nothing is. It knows the commands, which
// package plan does not.
type Check func(command, flag string, values []string) error

var (
	planKeys        = append([]string{"name", "release", "parallel", "loadsAtOnce", "environments"}, Commands...)
	environmentKeys = append([]string{"file", "files", "names", "name"}, Commands...)
	environmentForm = regexp.MustCompile(`^[\pL\pN][\pL\pN._-]*$`)
)

// isEnvironmentName tells whether a text can be the name of an environment, which has 64 characters at most. (A pattern
// that counts so many letters of all languages takes longer to compile than most commands run.)
func isEnvironmentName(text string) bool {
	return utf8.RuneCountInString(text) <= 64 && environmentForm.MatchString(text)
}

// Read reads a plan. The name is its path, for messages. Read checks every key and every flag, and reports mistakes
// with their lines; errors are of the kind failure.Usage. It does not open files that the plan names.
func Read(data []byte, name string, check Check) (*Plan, error) {
	data, err := userfile.Text(data)
	if err != nil {
		return nil, failure.Usagef("%s: %w", name, err)
	}
	root, err := parse(data, name)
	if err != nil {
		return nil, err
	}
	r := &reader{name: name, check: check, plan: &Plan{Parallel: 4, LoadsAtOnce: 1}}
	if err := r.read(root); err != nil {
		return nil, err
	}
	if r.plan.Name == "" {
		r.plan.Name = strings.TrimSuffix(filepath.Base(name), filepath.Ext(name))
	}
	return r.plan, nil
}

// parse gives the one mapping of the file. The YAML library panics on some malformed texts.
func parse(data []byte, name string) (root ast.Node, err error) {
	defer func() {
		if recover() != nil {
			err = failure.Usagef("%s is no YAML that can be read", name)
		}
	}()
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		var y yaml.Error
		if errors.As(err, &y) && y.GetToken() != nil {
			return nil, failure.Usagef("%s:%d: %s", name, y.GetToken().Position.Line, y.GetMessage())
		}
		return nil, failure.Usagef("%s: %w", name, err)
	}
	bodies := userfile.Documents(file)
	switch {
	case len(bodies) == 0:
		return nil, failure.Usagef(
			"%s is empty; a plan needs environments (agstest init --plan writes a commented example)", name)
	case len(bodies) > 1:
		return nil, failure.Usagef("%s:%d: a second YAML document starts here; a plan is one", name,
			bodies[1].GetToken().Position.Line)
	}
	return bodies[0], nil
}

// reader turns nodes into a plan.
type reader struct {
	name     string
	check    Check
	plan     *Plan
	defaults map[string]job // by command
}

// job is a plan's entry for one command: its flags, or that it is not run.
type job struct {
	none  bool
	flags []Flag
}

func (r *reader) wrong(n ast.Node, format string, args ...any) error {
	return failure.Usagef("%s:%d: %s", r.name, lineOf(n), fmt.Sprintf(format, args...))
}

func lineOf(n ast.Node) int { return n.GetToken().Position.Line }

// linesOf are the lines of what texts returns.
func linesOf(n ast.Node) []int {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return []int{lineOf(n)}
	}
	var lines []int
	for _, value := range list.Values {
		lines = append(lines, lineOf(value))
	}
	return lines
}

// members are the entries of a mapping; anything else is an error.
func (r *reader) members(n ast.Node, what string, known []string) ([]*ast.MappingValueNode, error) {
	var members []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		members = n.Values
	case *ast.MappingValueNode:
		members = []*ast.MappingValueNode{n}
	default:
		return nil, r.wrong(n, "%s is written as keys and values", what)
	}
	seen := map[string]bool{}
	for _, member := range members {
		key := member.Key.GetToken().Value
		if known != nil && !slices.Contains(known, key) {
			return nil, r.wrong(member.Key, "%s has no key %q; %s", what, key,
				failure.DidYouMean(key, known, "there are "+strings.Join(known, ", ")))
		}
		if seen[key] {
			return nil, r.wrong(member.Key, "%s has the key %q twice", what, key)
		}
		seen[key] = true
	}
	return members, nil
}

// text returns the value of a scalar as the file has it: an id like 00123 stays unchanged.
func (r *reader) text(n ast.Node, what string) (string, error) {
	switch n.Type() {
	case ast.StringType, ast.IntegerType, ast.FloatType, ast.BoolType, ast.LiteralType, ast.InfinityType, ast.NanType:
	default:
		return "", r.wrong(n, "%s is one text", what)
	}
	value := n.GetToken().Value
	if literal, ok := n.(*ast.LiteralNode); ok {
		value = literal.Value.Value
	}
	if value == "" {
		return "", r.wrong(n, "%s is empty", what)
	}
	if flaw := userfile.Flaw(value); flaw != "" {
		return "", r.wrong(n, "%s %s", what, flaw)
	}
	return value, nil
}

// texts are one scalar or a list of them.
func (r *reader) texts(n ast.Node, what string) ([]string, error) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		text, err := r.text(n, what)
		return []string{text}, err
	}
	if len(list.Values) == 0 || len(list.Values) > maxValues {
		return nil, r.wrong(n, "%s has %d entries; it takes 1 to %d", what, len(list.Values), maxValues)
	}
	var texts []string
	for _, value := range list.Values {
		text, err := r.text(value, "each entry of "+what)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	return texts, nil
}

func (r *reader) count(n ast.Node, what string) (int, error) {
	text, err := r.text(n, what)
	if err != nil {
		return 0, err
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 1 || count > maxEnvironments {
		return 0, r.wrong(n, "%s is a number from 1 to %d, not %q", what, maxEnvironments, text)
	}
	return count, nil
}

func (r *reader) read(root ast.Node) error {
	members, err := r.members(root, "a plan", planKeys)
	if err != nil {
		return err
	}
	r.defaults = map[string]job{}
	var environments ast.Node
	for _, member := range members {
		switch key := member.Key.GetToken().Value; key {
		case "name":
			r.plan.Name, err = r.text(member.Value, key)
		case "release":
			r.plan.Release, err = r.text(member.Value, key)
		case "parallel":
			r.plan.Parallel, err = r.count(member.Value, key)
		case "loadsAtOnce":
			r.plan.LoadsAtOnce, err = r.count(member.Value, key)
		case "environments":
			environments = member.Value
		default:
			r.defaults[key], err = r.job(member, key)
		}
		if err != nil {
			return err
		}
	}
	list, ok := environments.(*ast.SequenceNode)
	if !ok || len(list.Values) == 0 {
		return r.wrong(root, "a plan needs environments, such as: environments: [dev.yaml, staging.yaml]")
	}
	for _, value := range list.Values {
		if err := r.environment(value); err != nil {
			return err
		}
	}
	return nil
}

// job reads the entry of a plan or an environment for one command.
func (r *reader) job(member *ast.MappingValueNode, command string) (job, error) {
	if member.Value.Type() == ast.StringType && member.Value.GetToken().Value == "none" {
		return job{none: true}, nil
	}
	if m, ok := member.Value.(*ast.MappingNode); ok && len(m.Values) == 0 {
		return job{}, nil
	}
	members, err := r.members(member.Value, command+" (its keys are the flags of agstest "+command+", or it is none)",
		nil)
	if err != nil {
		return job{}, err
	}
	if len(members) > maxFlags {
		return job{}, r.wrong(member.Value, "%s has more than %d flags", command, maxFlags)
	}
	var j job
	for _, member := range members {
		name := member.Key.GetToken().Value
		values, err := r.texts(member.Value, name)
		if err != nil {
			return job{}, err
		}
		if err := r.check(command, name, values); err != nil {
			return job{}, r.wrong(member.Key, "%s", err)
		}
		j.flags = append(j.flags, Flag{name, values, lineOf(member.Key)})
	}
	return j, nil
}

// environment reads one entry of the list: a file, or the settings of one, or of one for each of several names.
func (r *reader) environment(n ast.Node) error {
	e := entry{own: map[string]job{}, lines: []int{lineOf(n)}}
	if n.Type() == ast.StringType {
		text, err := r.text(n, "an environment")
		if err != nil {
			return err
		}
		e.file = text
	} else {
		members, err := r.members(n, "an environment", environmentKeys)
		if err != nil {
			return err
		}
		for _, member := range members {
			key := member.Key.GetToken().Value
			switch key {
			case "file":
				e.file, err = r.text(member.Value, key)
			case "files":
				e.files, err = r.texts(member.Value, key)
			case "names":
				e.names, err = r.texts(member.Value, key)
			case "name":
				e.name, err = r.text(member.Value, key)
			default:
				e.own[key], err = r.job(member, key)
			}
			if err != nil {
				return err
			}
			switch {
			case key == "names", key == "files", key == "file" && len(e.names) == 0:
				e.lines = linesOf(member.Value)
			}
		}
	}
	return r.add(n, e)
}

// entry is one entry of the list of environments.
type entry struct {
	file, name   string
	files, names []string
	lines        []int // of names, of files, or of file: the first of them that there is
	own          map[string]job
}

// add puts the jobs of an entry into the plan.
func (r *reader) add(n ast.Node, e entry) error {
	placeholder := strings.Contains(e.file, "{env}")
	switch {
	case e.file == "" && len(e.files) == 0:
		return r.wrong(n, "an environment needs file (for ab: files, two of them)")
	case e.file != "" && len(e.files) > 0:
		return r.wrong(n, "an environment has file or files, not both")
	case len(e.files) > 0 && (len(e.files) != 2 || e.name == ""):
		return r.wrong(n, "files are the two environment files of a comparison (ab), which needs a name as well")
	case placeholder != (len(e.names) > 0):
		return r.wrong(n, "{env} in file and names go together: file: env/{env}.yaml with names: [dev, int]")
	case e.name != "" && len(e.names) > 0:
		return r.wrong(n, "an environment has a name, or names for {env}, not both")
	case len(e.names) == 0:
		e.names = []string{e.name}
	}
	for i, name := range e.names {
		files, lines := e.files, e.lines
		if e.file != "" {
			files, lines = []string{strings.ReplaceAll(e.file, "{env}", name)}, e.lines[i:i+1]
		}
		if name == "" {
			name = strings.TrimSuffix(filepath.Base(filepath.FromSlash(e.file)), filepath.Ext(e.file))
		}
		if !isEnvironmentName(name) {
			return r.wrong(n,
				"%q is no name of an environment: it names a folder, so it has letters, digits, '.', '_' and '-', at most 64", name)
		}
		alike := func(other string) bool { return strings.EqualFold(name, other) }
		if i := slices.IndexFunc(r.plan.Environments(), alike); i >= 0 {
			if other := r.plan.Environments()[i]; other != name {
				return r.wrong(n, "%s and %s would be one folder on Windows and macOS; give one of them another name",
					other, name)
			}
			return r.wrong(n, "a second environment is called %s; give one of them another name", name)
		}
		if err := r.jobs(n, Job{Environment: name, Files: files, Lines: lines}, e.own); err != nil {
			return err
		}
		if len(r.plan.Environments()) > maxEnvironments {
			return r.wrong(n, "a plan has at most %d environments", maxEnvironments)
		}
	}
	return nil
}

// jobs adds what is done in the environment of a job that has neither command nor flags yet.
func (r *reader) jobs(n ast.Node, in Job, own map[string]job) error {
	added := false
	for _, command := range Commands {
		asked, stated := own[command]
		usual, inherited := r.defaults[command]
		if pair := command == "ab"; pair != (len(in.Files) == 2) {
			if stated && !asked.none {
				return r.wrong(n,
					"ab compares two environments and nothing else does: files: [old.yaml, new.yaml] with ab, file with %s", command)
			}
			continue
		}
		if !stated && !inherited || asked.none || !stated && usual.none {
			continue
		}
		added = true
		in.Command, in.Flags = command, merged(usual.flags, asked.flags)
		r.plan.Jobs = append(r.plan.Jobs, in)
	}
	if !added && len(in.Files) == 1 && len(own) == 0 && len(r.defaults) == 0 { // nothing is said anywhere: check it
		in.Command = "conform"
		r.plan.Jobs = append(r.plan.Jobs, in)
		return nil
	}
	if !added {
		return r.wrong(n, "nothing is done in %s; say conform: {} or one of %s", in.Environment,
			strings.Join(Commands, ", "))
	}
	return nil
}

// merged returns the flags of the plan, replaced by those of the environment.
func merged(usual, own []Flag) []Flag {
	flags := slices.Clone(usual)
	for _, flag := range own {
		if i := slices.IndexFunc(flags, func(f Flag) bool { return f.Name == flag.Name }); i >= 0 {
			flags[i] = flag
		} else {
			flags = append(flags, flag)
		}
	}
	return flags
}
