package schedule

import (
	"errors"
	"fmt"
	"time"
)

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

// stageReader reads one stage: its mistakes, and the schedules that its kinds make.
type stageReader struct {
	mistakes []error
	made     []func(seed uint64) Schedule
}

func (r *stageReader) mistake(err error) { r.mistakes = append(r.mistakes, err) }

func (r *stageReader) rate(key, text string) Rate {
	if text == "" {
		r.mistake(fmt.Errorf("%s is missing; give a rate such as 200/s", key))
		return Rate{}
	}
	got, err := ParseRate(text)
	if err == nil && got.Max {
		err = fmt.Errorf("a schedule cannot have the rate max")
	}
	if err != nil {
		r.mistake(fmt.Errorf("%s: %w", key, err))
	}
	return got
}

// span reads a time of min or more; with a min of 0 it may be left out.
func (r *stageReader) span(key, text string, min time.Duration) time.Duration {
	if text == "" && min == 0 {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < min || d > 31*24*time.Hour {
		r.mistake(fmt.Errorf("%s must be a time above 0 and of at most 31 days, such as 30s or 5m", key))
		return 0
	}
	return d
}

func (r *stageReader) length(text string) time.Duration { return r.span("for", text, 1) }

// fixed adds a schedule that no seed changes.
func (r *stageReader) fixed(build func() Schedule) {
	r.made = append(r.made, func(uint64) Schedule { return build() })
}

// straight reads the kinds whose rate follows straight lines.
func (r *stageReader) straight(f *stageFile) {
	if s := f.Constant; s != nil {
		at, length := r.rate("rate", s.Rate), r.length(s.For)
		r.fixed(func() Schedule { return Constant(at, length) })
	}
	if s := f.Ramp; s != nil {
		from, to, length := r.rate("from", s.From), r.rate("to", s.To), r.length(s.For)
		r.fixed(func() Schedule { return Ramp(from, to, length) })
	}
	if s := f.Steps; s != nil {
		from, to, length := r.rate("from", s.From), r.rate("to", s.To), r.length(s.For)
		if s.Steps < 2 || s.Steps > 10_000 {
			r.mistake(fmt.Errorf("steps must be from 2 to 10000"))
		}
		r.fixed(func() Schedule { return stepCurve(from, to, s.Steps, length) })
	}
	if s := f.Spike; s != nil {
		base, peak, length := r.rate("base", s.Base), r.rate("peak", s.Peak), r.length(s.For)
		rise, hold, fall := r.span("rise", s.Rise, 0), r.span("hold", s.Hold, 0), r.span("fall", s.Fall, 0)
		if whole := rise + hold + fall; whole <= 0 || whole > length {
			r.mistake(fmt.Errorf("rise, hold and fall must be above 0 together and fit into for"))
		}
		r.fixed(func() Schedule { return spikeCurve(base, peak, rise, hold, fall, length) })
	}
}

// curved reads the kinds whose rate follows a curve, or chance.
func (r *stageReader) curved(f *stageFile, read func(string) (Schedule, error)) {
	if s := f.Sine; s != nil {
		mean, amplitude := r.rate("mean", s.Mean), r.rate("amplitude", s.Amplitude)
		length, period := r.length(s.For), r.span("period", s.Period, 1)
		if amplitude.PerSecond() > mean.PerSecond() {
			r.mistake(fmt.Errorf("the amplitude %s is above the mean %s: the rate would fall below 0", s.Amplitude,
				s.Mean))
		}
		r.fixed(func() Schedule { return sineCurve(mean, amplitude, period, length) })
	}
	if s := f.Poisson; s != nil {
		at, length := r.rate("rate", s.Rate), r.length(s.For)
		if at.PerSecond()*length.Seconds() > 1e10 {
			r.mistake(fmt.Errorf("more than ten thousand million hits are not possible"))
		}
		r.made = append(r.made, func(seed uint64) Schedule { return poissonProcess(at, length, seed) })
	}
	if s := f.CSV; s != nil {
		curve, err := read(s.File)
		if err != nil {
			r.mistake(err)
		}
		r.fixed(func() Schedule { return curve })
	}
}

// stage checks one stage. Errors are plain; profile says where.
func (r *profileReader) stage(f *stageFile) (func(uint64) Schedule, error) {
	var s stageReader
	s.straight(f)
	s.curved(f, r.curve)
	switch {
	case len(s.mistakes) > 0:
		return nil, errors.Join(s.mistakes...)
	case len(s.made) == 0:
		return nil, fmt.Errorf("it has no kind; write one of constant, ramp, steps, spike, sine, poisson, csv")
	case len(s.made) > 1:
		return nil, fmt.Errorf("it has more than one kind; begin a new stage with - for each")
	}
	return s.made[0], nil
}
