package schedule

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

func TestShippedProfilesAreRead(t *testing.T) {
	assert.Equal(t, []string{"baseline", "capacity", "peak", "smoke", "soak", "storm"}, Profiles())
	hits := map[string]uint64{"smoke": 400, "baseline": 63_000, "storm": 20*75 + 2050 + 24_000 + 4100,
		"soak": 2_880_000, "capacity": 315_000}
	for _, name := range Profiles() {
		text, ok := ShippedProfile(name)
		require.True(t, ok)
		p, err := ReadProfile(text, name+".yaml")
		require.NoError(t, err)
		assert.Equal(t, name, p.Name)
		assert.NotEmpty(t, p.Limits)
		s := p.Schedule(1)
		if want := hits[name]; want > 0 {
			assert.InDelta(t, want, s.Hits(), 4, name)
		}
		assert.Equal(t, s.Hits(), s.Count(s.Length()))
	}
	_, ok := ShippedProfile("nothing")
	assert.False(t, ok)
}

func TestReadProfile(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "curve.csv"), []byte("time,rate\n0,0\n10,100\n20s,100/s\n"),
		0o600))
	p, err := ReadProfile([]byte(`
workload: mixed
mix: {signon: 1, refresh: 9}
clients: 50
workers: 8
limits: [errors<1%]
stages:
  - constant: {rate: 600/m, for: 1s}
  - ramp: {from: 0/s, to: 20/s, for: 2s}
  - steps: {from: 10/s, to: 20/s, steps: 2, for: 2s}
  - spike: {base: 1/s, peak: 10/s, rise: 0s, hold: 1s, fall: 0s, for: 3s}
  - sine: {mean: 10/s, amplitude: 10/s, period: 1s, for: 2s}
  - csv: {file: curve.csv}
  - poisson: {rate: 100/s, for: 10s}
`), filepath.Join(folder, "evening.yaml"))
	require.NoError(t, err)
	assert.Equal(t, "evening", p.Name)
	assert.Equal(t, 50, p.Clients)
	s := p.Schedule(3)
	assert.Equal(t, (1+2+2+3+2+20+10)*time.Second, s.Length())
	assert.InDelta(t, 10+20+30+12+20+500+10+1000-10, float64(s.Hits()), 1500-500+200)
	assert.EqualValues(t, 10+20+30+12+20+1500, p.Schedule(3).Count(30*time.Second-1), "all but the random arrivals")
	assert.Equal(t, s.Hits(), p.Schedule(3).Hits())
	assert.Contains(t, s.String(), "constant 600/m for 1s, then ramp 0/s to 20/s over 2s, then 2 steps")
	assert.Contains(t, s.String(), "the curve of curve.csv over 20s")
	assert.Equal(t, 8, p.Workers)
	assert.Equal(t, "mixed", p.Workload)
	assert.Equal(t, "errors<1%", p.Limits[0].Expression)
}

func TestProfilesThatAreWrong(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{"late.csv": "5,10\n6,10\n", "back.csv": "0,1\n5,1\n5,2\n",
		"one.csv": "0,1\n", "word.csv": "0,1\nsoon,2\n", "rate.csv": "0,1\n5,fast\n", "three.csv": "0,1,2\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	stage := func(text string) string { return "stages:\n  - " + text + "\n" }
	for name, c := range map[string]struct{ text, says string }{
		"empty":               {"", "is empty"},
		"comment only":        {"# nothing\n", "is empty"},
		"no stages":           {"name: x\n", "has no stages"},
		"not YAML":            {"stages: [\n", "p.yaml:"},
		"two documents":       {"name: a\n---\nname: b\n", "several YAML documents"},
		"unknown key":         {"nmae: x\n", `p.yaml:1: a profile has no key "nmae"; did you mean name?`},
		"unknown key of none": {"\nzzz: x\n", `p.yaml:2: a profile has no key "zzz"; its keys are name, workload`},
		"unknown kind": {stage("konstant: {rate: 1/s, for: 1s}"),
			`p.yaml:2: a stage has no key "konstant"; did you mean constant?`},
		"unknown key inside": {stage("ramp: {from: 1/s, too: 2/s, for: 1s}"),
			`p.yaml:2: ramp has no key "too"; did you mean to?`},
		"twice the same key":  {"name: a\nname: b\n", "p.yaml:2"},
		"another kind":        {"stages: 7\n", "p.yaml:1"},
		"a rate without unit": {stage("constant: {rate: 10, for: 1s}"), "stage 1: rate: the rate \"10\" has no unit"},
		"rate max":            {stage("constant: {rate: max, for: 1s}"), "cannot have the rate max"},
		"no rate":             {stage("constant: {for: 1s}"), "rate is missing"},
		"no time":             {stage("constant: {rate: 1/s}"), "for must be a time above 0"},
		"a wrong time":        {stage("constant: {rate: 1/s, for: soon}"), "p.yaml:2: stage 1: for must be a time"},
		"two kinds": {stage("{constant: {rate: 1/s, for: 1s}, poisson: {rate: 1/s, for: 1s}}"),
			"more than one kind"},
		"no kind":  {stage("{}"), "has no kind"},
		"one step": {stage("steps: {from: 1/s, to: 2/s, steps: 1, for: 1s}"), "steps must be from 2"},
		"a long spike": {stage("spike: {base: 1/s, peak: 2/s, rise: 1s, hold: 1s, fall: 1s, for: 2s}"),
			"must be above 0 together and fit"},
		"below zero":      {stage("sine: {mean: 1/s, amplitude: 2/s, period: 1s, for: 1s}"), "would fall below 0"},
		"nothing to send": {stage("constant: {rate: 0/s, for: 1s}"), "no hit at all"},
		"a share in percent": {"mix: {signon: 10%, refresh: 90%}\n" + stage("constant: {rate: 1/s, for: 1s}"),
			`p.yaml:1: a share of mix must be a whole number, not "10%"`},
		"a number as a text": {"clients: many\n" + stage("constant: {rate: 1/s, for: 1s}"),
			`p.yaml:1: clients must be a whole number, not "many"`},
		"a wrong limit":     {"limits: [refresh.p99]\n" + stage("constant: {rate: 1/s, for: 1s}"), "the limit"},
		"no curve":          {stage("csv: {}"), "file is missing"},
		"a curve not there": {stage("csv: {file: nowhere.csv}"), "nowhere.csv"},
		"a late curve":      {stage("csv: {file: late.csv}"), "late.csv:1: the curve begins at 5s"},
		"a curve back":      {stage("csv: {file: back.csv}"), "back.csv:3: 5s is not after 5s"},
		"a curve of one":    {stage("csv: {file: one.csv}"), "needs two rows"},
		"a word for a time": {stage("csv: {file: word.csv}"), `word.csv:2: "soon" is no time`},
		"a word for a rate": {stage("csv: {file: rate.csv}"), `rate.csv:2: "fast" is no rate`},
		"three columns":     {stage("csv: {file: three.csv}"), "three.csv"},
		"negative workers":  {"workers: -1\n" + stage("constant: {rate: 1/s, for: 1s}"), "cannot be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadProfile([]byte(c.text), filepath.Join(folder, "p.yaml"))
			require.Error(t, err)
			assert.ErrorContains(t, err, c.says)
			assert.Equal(t, failure.Usage, failure.KindOf(err))
		})
	}
}

func FuzzReadProfile(f *testing.F) {
	for _, name := range Profiles() {
		text, _ := ShippedProfile(name)
		f.Add(text)
	}
	f.Add([]byte("stages: [{steps: {from: 0/s, to: 0.1/s, steps: 3, for: 1ns}}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ReadProfile(text, "fuzz.yaml")
		if err != nil {
			if failure.KindOf(err) != failure.Usage {
				t.Fatal(err)
			}
			return
		}
		s := p.Schedule(0)
		if s.At(0) < 0 || s.Count(s.Length()) != s.Hits() {
			t.Fatalf("%s", s)
		}
	})
}
