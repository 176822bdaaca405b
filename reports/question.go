package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Aspect is one thing that must be the same for the figures of two load runs to be comparable.
type Aspect struct{ Name, Value string }

// Names of aspects. optionsAspect is what was asked for otherwise than usual. A run without it has the fingerprint
// that it had before there was such an aspect.
const (
	optionsAspect  = "options"
	scheduleAspect = "schedule"
	mixAspect      = "mix"
)

// Aspects lists the question of a load run and its circumstances, but not the seed and the times.
func (l *Load) Aspects() []Aspect {
	var mix []string
	for name, weight := range l.Plan.Mix {
		mix = append(mix, name+"="+strconv.Itoa(weight))
	}
	slices.Sort(mix)
	loop := "open"
	if l.Plan.Closed {
		loop = "closed"
	}
	transport, _, _ := strings.Cut(l.Plan.Transport, " ")
	return []Aspect{
		{"workload", l.Plan.Workload},
		{mixAspect, strings.Join(mix, ",")},
		{scheduleAspect, l.Plan.Schedule},
		{"hits", strconv.FormatInt(l.Plan.Hits, 10)},
		{"duration", strconv.FormatFloat(l.Plan.Seconds, 'f', -1, 64) + " s"},
		{"clients", strconv.Itoa(l.Plan.Clients)},
		{"cap on concurrent requests", strconv.Itoa(l.Plan.Workers)},
		{"loop", loop},
		{optionsAspect, l.Plan.Options()},
		{"transport", transport},
		{"major version of agstest", MajorOf(l.Run.Tool.Version)},
		{"machine of the generator", fmt.Sprintf("%s/%s with %d CPUs", l.Run.Machine.OS, l.Run.Machine.Arch, l.Run.Machine.CPUs)},
	}
}

// Alike tells whether two values of one aspect ask the same: a rate may be written per second, minute or hour, and the
// shares of a mix are the same where each is as many times the other.
func (a Aspect) Alike(other Aspect) bool {
	return a.Value == other.Value || a.reduced() == other.reduced()
}

// writtenRate is a rate by the minute or hour in the words of a schedule.
var writtenRate = regexp.MustCompile(`\b(\d+)/([mh])\b`)

// reduced is the value with rates by the second and the shares of a mix by their sum.
func (a Aspect) reduced() string {
	switch a.Name {
	case scheduleAspect:
		return writtenRate.ReplaceAllStringFunc(a.Value, func(rate string) string {
			number, unit, _ := strings.Cut(rate, "/")
			hits, _ := strconv.ParseFloat(number, 64)
			seconds := map[string]float64{"m": 60, "h": 3600}[unit]
			return strconv.FormatFloat(hits/seconds, 'f', -1, 64) + "/s"
		})
	case mixAspect:
		shares := strings.Split(a.Value, ",")
		weights, sum := make([]float64, len(shares)), 0.0
		for i, share := range shares {
			name, weight, _ := strings.Cut(share, "=")
			weights[i], _ = strconv.ParseFloat(weight, 64)
			shares[i], sum = name, sum+weights[i]
		}
		for i := range shares {
			shares[i] += fmt.Sprintf("=%.9f", weights[i]/sum)
		}
		return strings.Join(shares, ",")
	}
	return a.Value
}

// QuestionOf is a short fingerprint that two load runs share exactly if they asked the same of the same environment
// under the same circumstances, so that one may be judged by the other.
func QuestionOf(l *Load) string {
	hash := sha256.New()
	for _, a := range append(l.Aspects(), Aspect{"environment", l.Run.Environment}, Aspect{"tenant", l.Run.Tenant},
		Aspect{"service", l.Run.Service}) {
		if a.Name != optionsAspect || a.Value != "" {
			fmt.Fprintf(hash, "%s=%q\n", a.Name, a.Value)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))[:12]
}

// MajorOf is the part of a version before the first dot: "1" of "v1.4.0". Builds without a version stand for
// themselves.
func MajorOf(version string) string {
	number, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	return number
}
