package reports

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"agstest/internal/figures"
)

// aspect is one thing that must be the same for the figures of two load runs to be comparable.
type aspect struct{ name, value string }

// aspects lists what a load run asked and under which circumstances. The seed and the times are not among it.
func (l *Load) aspects() []aspect {
	var mix []string
	for name, weight := range l.Plan.Mix {
		mix = append(mix, name+"="+strconv.Itoa(weight))
	}
	sort.Strings(mix)
	loop := "open"
	if l.Plan.Closed {
		loop = "closed"
	}
	transport, _, _ := strings.Cut(l.Plan.Transport, " ")
	return []aspect{
		{"workload", l.Plan.Workload},
		{"mix", strings.Join(mix, ",")},
		{"schedule", l.Plan.Schedule},
		{"hits", strconv.FormatInt(l.Plan.Hits, 10)},
		{"duration", strconv.FormatFloat(l.Plan.Seconds, 'g', -1, 64) + " s"},
		{"clients", strconv.Itoa(l.Plan.Clients)},
		{"cap on concurrent requests", strconv.Itoa(l.Plan.Workers)},
		{"loop", loop},
		{"transport", transport},
		{"major version of agstest", major(l.Run.Tool.Version)},
		{"machine of the generator", fmt.Sprintf("%s/%s with %d CPUs", l.Run.Machine.OS, l.Run.Machine.Arch, l.Run.Machine.CPUs)},
	}
}

// QuestionOf is a short fingerprint that two load runs share exactly if they asked the same of the same environment under the same
// circumstances, so that one may be judged by the other.
func QuestionOf(l *Load) string {
	hash := sha256.New()
	for _, a := range append(l.aspects(), aspect{"environment", l.Run.Environment}, aspect{"tenant", l.Run.Tenant}, aspect{"service", l.Run.Service}) {
		fmt.Fprintf(hash, "%s=%q\n", a.name, a.value)
	}
	return hex.EncodeToString(hash.Sum(nil))[:12]
}

// differences says in words in what two load runs asked different things, and which of them cannot be trusted.
func differences(old, new *Load) []string {
	var reasons []string
	theirs := new.aspects()
	for i, a := range old.aspects() {
		if b := theirs[i]; a.value != b.value {
			reasons = append(reasons, fmt.Sprintf("The two runs differ in %s: %s in the first, %s in the second.", a.name, cmp.Or(a.value, "none"), cmp.Or(b.value, "none")))
		}
	}
	for _, side := range []struct {
		name string
		load *Load
	}{{"first", old}, {"second", new}} {
		reasons = append(reasons, untrusted("the "+side.name+" run", side.load)...)
	}
	return reasons
}

// untrusted says why the figures of a run speak of something else than the service at the rate that was asked for.
func untrusted(name string, l *Load) []string {
	var reasons []string
	if l.Run.Partial != "" {
		reasons = append(reasons, fmt.Sprintf("%s ended early: %s.", upper(name), strings.TrimSuffix(l.Run.Partial, ".")))
	}
	if !l.Valid {
		reasons = append(reasons, fmt.Sprintf("The figures of %s are not valid: %s.", name, strings.TrimSuffix(cmp.Or(strings.Join(l.Invalid, "; "), "the generator did not keep its schedule"), ".")))
	}
	asked, sent := l.askedAndSent()
	switch {
	case sent == 0:
		reasons = append(reasons, fmt.Sprintf("%s sent nothing.", upper(name)))
	case asked > 0 && sent*100 < asked*99:
		reasons = append(reasons, fmt.Sprintf("%s sent %s of the %s hits that were asked for, so its rate was not within 1 %% of the wanted one.", upper(name), figures.Count(sent), figures.Count(asked)))
	}
	return reasons
}

func (l *Load) askedAndSent() (asked, sent int64) {
	if l.Total != nil {
		return l.Total.Asked, l.Total.Sent
	}
	for _, operation := range l.Operations {
		asked += operation.Asked
		sent += operation.Sent
	}
	return asked, sent
}

// major is the part of a version before the first dot: "1" of "v1.4.0". Builds without a version stand for themselves.
func major(version string) string {
	number, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	return number
}

func upper(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
