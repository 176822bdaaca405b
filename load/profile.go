package load

import (
	"bytes"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"agstest/internal/failure"
)

// Profile is a load over time as a file says it: stages one after the other, and optionally what is sent and what must be kept.
type Profile struct {
	Name     string
	Workload string         // empty: the profile leaves it open
	Mix      map[string]int // of the workload mixed
	Clients  int
	Workers  int
	Limits   []Limit
	stages   []func(seed uint64) Schedule
}

// Schedule is all stages in a row. The seed is for random arrivals; the same seed gives the same arrivals.
func (p *Profile) Schedule(seed uint64) Schedule {
	stages := make([]Schedule, len(p.stages))
	for i, stage := range p.stages {
		stages[i] = stage(seed + uint64(i))
	}
	if len(stages) == 1 {
		return stages[0]
	}
	return Sequence(stages...)
}

// fillIn completes options by what the profile says; what both say must be the same.
func (p *Profile) fillIn(o *Options) error {
	switch {
	case p.Workload != "" && o.Workload != "" && p.Workload != o.Workload:
		return failure.Usagef("the profile %s is for the workload %s and the run asks for %s; leave --workload out", p.Name, p.Workload, o.Workload)
	case o.Duration != 0:
		return failure.Usagef("the profile %s says for how long; leave --duration out", p.Name)
	}
	if o.Workload == "" {
		o.Workload = p.Workload
	}
	if o.Mix == nil {
		o.Mix = p.Mix
	}
	if o.Clients == 0 {
		o.Clients = p.Clients
	}
	if o.Workers == 0 {
		o.Workers = p.Workers
	}
	given := map[string]bool{}
	for _, l := range o.Limits {
		given[l.figure()] = true
	}
	for _, l := range p.Limits {
		if !given[l.figure()] { // a limit of the command line replaces that of the profile
			o.Limits = append(o.Limits, l)
		}
	}
	return nil
}

//go:embed profiles/*.yaml
var shipped embed.FS

// Profiles names the profiles that come with the program.
func Profiles() []string {
	files, _ := fs.Glob(shipped, "profiles/*.yaml") // the pattern is right, so that there is no error
	for i, file := range files {
		files[i] = strings.TrimSuffix(path.Base(file), ".yaml")
	}
	return files
}

// ShippedProfile is the text of a profile that comes with the program.
func ShippedProfile(name string) ([]byte, bool) {
	text, err := shipped.ReadFile("profiles/" + name + ".yaml")
	return text, err == nil
}

// profileFile is the file as it is written.
type profileFile struct {
	Name     string         `yaml:"name"`
	Workload string         `yaml:"workload"`
	Mix      map[string]int `yaml:"mix"`
	Clients  int            `yaml:"clients"`
	Workers  int            `yaml:"workers"`
	Limits   []string       `yaml:"limits"`
	Stages   []stageFile    `yaml:"stages"`
}

// stageFile is one stage: exactly one of its fields is given.
type stageFile struct {
	Constant *constantStage `yaml:"constant"`
	Ramp     *rampStage     `yaml:"ramp"`
	Steps    *stepsStage    `yaml:"steps"`
	Spike    *spikeStage    `yaml:"spike"`
	Sine     *sineStage     `yaml:"sine"`
	Poisson  *poissonStage  `yaml:"poisson"`
	CSV      *csvStage      `yaml:"csv"`
}

type (
	constantStage struct {
		Rate string `yaml:"rate"`
		For  string `yaml:"for"`
	}
	rampStage struct {
		From string `yaml:"from"`
		To   string `yaml:"to"`
		For  string `yaml:"for"`
	}
	stepsStage struct {
		From  string `yaml:"from"`
		To    string `yaml:"to"`
		Steps int    `yaml:"steps"`
		For   string `yaml:"for"`
	}
	spikeStage struct {
		Base string `yaml:"base"`
		Peak string `yaml:"peak"`
		Rise string `yaml:"rise"`
		Hold string `yaml:"hold"`
		Fall string `yaml:"fall"`
		For  string `yaml:"for"`
	}
	sineStage struct {
		Mean      string `yaml:"mean"`
		Amplitude string `yaml:"amplitude"`
		Period    string `yaml:"period"`
		For       string `yaml:"for"`
	}
	poissonStage struct {
		Rate string `yaml:"rate"`
		For  string `yaml:"for"`
	}
	csvStage struct {
		File string `yaml:"file"`
	}
)

// ReadProfile reads a profile. The name is its path: it stands in messages, and files it names lie beside it. Unknown keys are errors.
// Errors are of the kind failure.Usage and name the line.
func ReadProfile(data []byte, name string) (*Profile, error) {
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
	if len(file.Docs) == 0 || file.Docs[0].Body == nil || file.Docs[0].Body.Type() == ast.NullType || file.Docs[0].Body.Type() == ast.CommentType {
		return nil, failure.Usagef("%s is empty; a profile needs stages, such as: stages: [{constant: {rate: 200/s, for: 30s}}]", name)
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

// profileFailure turns an error of the YAML library into one sentence.
func profileFailure(name string, err error) error {
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

// keys refuses keys that a structure does not have, with the line and the nearest one that it has, and notes the lines of stages.
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
	for i := range t.NumField() {
		name := t.Field(i).Tag.Get("yaml")
		if name == token.Value {
			return r.keys(n.Value, t.Field(i).Type, name)
		}
		names = append(names, name)
	}
	return failure.Usagef("%s:%d: %s has no key %q; %s", r.name, token.Position.Line, what, token.Value, nearest(token.Value, names))
}

// nearest proposes the known name that starts or sounds most like one that is not known.
func nearest(word string, names []string) string {
	best, most := "", 0
	for _, name := range names {
		if n := commonLetters(word, name); n > most {
			best, most = name, n
		}
	}
	if 2*most >= len(word) {
		return fmt.Sprintf("did you mean %s?", best)
	}
	return "its keys are " + strings.Join(names, ", ")
}

// commonLetters is the length of the longest common subsequence, less what one word has too much.
func commonLetters(a, b string) int {
	row := make([]int, len(b)+1)
	for i := range len(a) {
		diagonal := 0
		for j := range len(b) {
			above := row[j+1]
			if a[i] == b[j] {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(row[j+1], row[j])
			}
			diagonal = above
		}
	}
	return row[len(b)] - max(0, len(b)-len(a))/2
}

func (r *profileReader) profile(f *profileFile) (*Profile, error) {
	p := &Profile{Name: f.Name, Workload: f.Workload, Mix: f.Mix, Clients: f.Clients, Workers: f.Workers}
	if p.Name == "" {
		p.Name = strings.TrimSuffix(filepath.Base(r.name), filepath.Ext(r.name))
	}
	if f.Clients < 0 || f.Workers < 0 {
		return nil, failure.Usagef("%s: clients and workers cannot be negative", r.name)
	}
	limits, err := ParseLimits(f.Limits)
	if err != nil {
		return nil, failure.Usagef("%s: %w", r.name, err)
	}
	p.Limits = limits
	if len(f.Stages) == 0 {
		return nil, failure.Usagef("%s has no stages; a profile needs at least one, such as: stages: [{constant: {rate: 200/s, for: 30s}}]", r.name)
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

// stage checks one stage. Errors are plain; profile says where.
func (r *profileReader) stage(f *stageFile) (func(uint64) Schedule, error) {
	var mistakes []error
	rate := func(key, text string) Rate {
		if text == "" {
			mistakes = append(mistakes, fmt.Errorf("%s is missing; give a rate such as 200/s", key))
			return Rate{}
		}
		got, err := ParseRate(text)
		if err == nil && got.Max {
			err = fmt.Errorf("a schedule cannot have the rate max")
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", key, err))
		}
		return got
	}
	span := func(key, text string, least time.Duration) time.Duration {
		if text == "" && least == 0 {
			return 0
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < least || d > 31*24*time.Hour {
			mistakes = append(mistakes, fmt.Errorf("%s must be a time above 0 and of at most 31 days, such as 30s or 5m", key))
			return 0
		}
		return d
	}
	long := func(text string) time.Duration { return span("for", text, 1) }
	var made []func(uint64) Schedule
	fixed := func(build func() Schedule) {
		made = append(made, func(uint64) Schedule { return build() })
	}
	if s := f.Constant; s != nil {
		at := rate("rate", s.Rate)
		length := long(s.For)
		fixed(func() Schedule { return Constant(at, length) })
	}
	if s := f.Ramp; s != nil {
		from, to := rate("from", s.From), rate("to", s.To)
		length := long(s.For)
		fixed(func() Schedule { return Ramp(from, to, length) })
	}
	if s := f.Steps; s != nil {
		from, to := rate("from", s.From), rate("to", s.To)
		length := long(s.For)
		if s.Steps < 2 || s.Steps > 10_000 {
			mistakes = append(mistakes, fmt.Errorf("steps must be from 2 to 10000"))
		}
		fixed(func() Schedule { return Steps(from, to, s.Steps, length) })
	}
	if s := f.Spike; s != nil {
		base, peak := rate("base", s.Base), rate("peak", s.Peak)
		length := long(s.For)
		rise, hold, fall := span("rise", s.Rise, 0), span("hold", s.Hold, 0), span("fall", s.Fall, 0)
		if whole := rise + hold + fall; whole <= 0 || whole > length {
			mistakes = append(mistakes, fmt.Errorf("rise, hold and fall must be above 0 together and fit into for"))
		}
		fixed(func() Schedule { return Spike(base, peak, rise, hold, fall, length) })
	}
	if s := f.Sine; s != nil {
		mean, amplitude := rate("mean", s.Mean), rate("amplitude", s.Amplitude)
		length, period := long(s.For), span("period", s.Period, 1)
		if amplitude.PerSecond() > mean.PerSecond() {
			mistakes = append(mistakes, fmt.Errorf("the amplitude %s is above the mean %s: the rate would fall below 0", s.Amplitude, s.Mean))
		}
		fixed(func() Schedule { return Sine(mean, amplitude, period, length) })
	}
	if s := f.Poisson; s != nil {
		at := rate("rate", s.Rate)
		length := long(s.For)
		if at.PerSecond()*length.Seconds() > 1e10 {
			mistakes = append(mistakes, fmt.Errorf("more than ten thousand million hits are not possible"))
		}
		made = append(made, func(seed uint64) Schedule { return Poisson(at, length, seed) })
	}
	if s := f.CSV; s != nil {
		curve, err := r.curve(s.File)
		if err != nil {
			mistakes = append(mistakes, err)
		}
		fixed(func() Schedule { return curve })
	}
	switch {
	case len(mistakes) > 0:
		return nil, errors.Join(mistakes...)
	case len(made) == 0:
		return nil, fmt.Errorf("it has no kind; write one of constant, ramp, steps, spike, sine, poisson, csv")
	case len(made) > 1:
		return nil, fmt.Errorf("it has more than one kind; begin a new stage with - for each")
	}
	return made[0], nil
}

// curve reads a rate curve: rows of a time and a rate, such as 90s,250/s, between which the rate changes evenly. Times without a unit are
// seconds, rates without one hits a second. A first row of names is passed over.
func (r *profileReader) curve(file string) (Schedule, error) {
	if file == "" {
		return nil, fmt.Errorf("file is missing; it names a CSV file with rows of time,rate")
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(r.name), file)
	}
	in, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the rate curve: %w", err)
	}
	defer in.Close()
	return parseCurve(in, file)
}

func parseCurve(in io.Reader, name string) (Schedule, error) {
	rows := csv.NewReader(io.LimitReader(in, 16<<20))
	rows.FieldsPerRecord = 2
	rows.TrimLeadingSpace = true
	rows.Comment = '#'
	var stages []Schedule
	var lastTime time.Duration
	var lastRate Rate
	for n := 0; ; n++ {
		fields, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		line, _ := rows.FieldPos(0)
		at, err := parseSeconds(fields[0])
		rate, rateErr := parseCurveRate(fields[1])
		if n == 0 && err != nil && rateErr != nil {
			n-- // names of the columns
			continue
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s:%d: %q is no time; write seconds, or a time such as 5m", name, line, fields[0])
		case rateErr != nil:
			return nil, fmt.Errorf("%s:%d: %q is no rate; write hits a second, or a rate such as 200/s", name, line, fields[1])
		case n == 0 && at != 0:
			return nil, fmt.Errorf("%s:%d: the curve begins at %s; its first row must be at 0", name, line, at)
		case n > 0 && at <= lastTime:
			return nil, fmt.Errorf("%s:%d: %s is not after %s; times must rise", name, line, at, lastTime)
		}
		if n > 0 {
			stages = append(stages, Ramp(lastRate, rate, at-lastTime))
		}
		lastTime, lastRate = at, rate
	}
	if len(stages) == 0 {
		return nil, fmt.Errorf("%s needs two rows at least, each a time and a rate", name)
	}
	return sequence(fmt.Sprintf("the curve of %s over %s", filepath.Base(name), lastTime), stages...), nil
}

func parseSeconds(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	value, scale, err := parseDecimal(text)
	if err == nil {
		return time.Duration(value) * time.Second / time.Duration(scale), nil
	}
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		err = fmt.Errorf("%s is before the start", d)
	}
	return d, err
}

func parseCurveRate(text string) (Rate, error) {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "/") {
		text += "/s"
	}
	return ParseRate(text)
}
