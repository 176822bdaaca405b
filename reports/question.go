package reports

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Aspect is one thing that must be the same for the figures of two load runs to be comparable.
type Aspect struct{ Name, Value string }

// optionsAspect names what was asked for otherwise than usual. A run without it has the fingerprint that it had before
// there was such an aspect.
const optionsAspect = "options"

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
		{"mix", strings.Join(mix, ",")},
		{"schedule", l.Plan.Schedule},
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
