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
			mistakes = append(mistakes,
				fmt.Errorf("%s must be a time above 0 and of at most 31 days, such as 30s or 5m", key))
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
			mistakes = append(mistakes,
				fmt.Errorf("the amplitude %s is above the mean %s: the rate would fall below 0", s.Amplitude, s.Mean))
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
