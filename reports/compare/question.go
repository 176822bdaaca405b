package compare

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// differences lists in words how the questions of two load runs differ, and which of the runs cannot be trusted.
func differences(old, new *reports.Load) []string {
	var reasons []string
	theirs := new.Aspects()
	for i, a := range old.Aspects() {
		if b := theirs[i]; !a.Alike(b) {
			reasons = append(reasons, fmt.Sprintf("The two runs differ in %s: %s in the first, %s in the second.",
				a.Name, shownAspect(a.Value), shownAspect(b.Value)))
		}
	}
	for _, side := range []struct {
		name string
		load *reports.Load
	}{{"first", old}, {"second", new}} {
		reasons = append(reasons, untrusted("the "+side.name+" run", side.load)...)
	}
	return reasons
}

// shownAspect is the value of an aspect for people: numbers have separators.
func shownAspect(value string) string {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		return figures.Count(n)
	}
	return cmp.Or(value, "none")
}

// untrusted says why the figures of a run speak of something else than the service at the rate that was asked for.
func untrusted(name string, l *reports.Load) []string {
	var reasons []string
	if l.Run.Partial != "" {
		reasons = append(reasons, fmt.Sprintf("%s ended early: %s.", upper(name),
			strings.TrimSuffix(l.Run.Partial, ".")))
	}
	if !l.Valid {
		reasons = append(reasons, fmt.Sprintf("The figures of %s are not valid: %s.", name,
			strings.TrimSuffix(cmp.Or(strings.Join(l.Invalid, "; "), "the generator did not keep its schedule"), ".")))
	}
	asked, sent := askedAndSent(l)
	switch {
	case sent == 0:
		reasons = append(reasons, fmt.Sprintf("%s sent nothing.", upper(name)))
	case asked > 0 && sent*100 < asked*99:
		reasons = append(reasons,
			fmt.Sprintf(
				"%s sent %s of the %s hits that were asked for, so its rate was not within 1 %% of the wanted one.",
				upper(name), figures.Count(sent), figures.Count(asked)))
	}
	return reasons
}

func askedAndSent(l *reports.Load) (asked, sent int64) {
	if l.Total != nil {
		return l.Total.Asked, l.Total.Sent
	}
	for _, operation := range l.Operations {
		asked += operation.Asked
		sent += operation.Sent
	}
	return asked, sent
}

func upper(text string) string {
	if text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
