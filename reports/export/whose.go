package export

import (
	"cmp"
	"fmt"
	"strings"
	"unicode"

	"agstest/reports"
)

// identity returns the question and its environment, for files that lie beside those of other environments.
func identity(r reports.Run) [][2]string {
	var known [][2]string
	for _, p := range [][2]string{
		{"environment", r.Environment}, {"release", r.Release}, {"service", r.Service}, {"tenant", r.Tenant}, {"url", r.URL},
		{"run", r.ID}, {"partial", r.Partial},
	} {
		if p[1] != "" {
			known = append(known, p)
		}
	}
	return known
}

// whose tells the results of one sort of run from those of any other that may lie beside them: the environment, the
// service and its tenant, the kind of run and, of a load, its workload; what is not known is left out. It is the same
// in each such run, and over releases, so that readers see one test in all of them.
func whose(r reports.Run, workload string) [][2]string {
	var known [][2]string
	for _, p := range [][2]string{{"environment", r.Environment}, {"service", r.Service}, {"tenant", r.Tenant},
		{"kind", r.Kind}, {"workload", workload}} {
		if p[1] != "" {
			known = append(known, p)
		}
	}
	return known
}

// whoseWords are the words of whose as parts of a class name, a path or a category. Two names never become the same
// word. A part of the contract and a load are told apart by what stands below them; other kinds of run are named.
func whoseWords(r reports.Run, workload string) []string {
	var words []string
	for _, p := range whose(r, workload) {
		if p[0] != "kind" || p[1] == "gate" || p[1] == "capacity" {
			words = append(words, classWord(p[1]))
		}
	}
	return words
}

// whoseTitle names for people whose results they are; empty: nobody said.
func whoseTitle(r reports.Run) string {
	if r.Service == "" {
		return r.Environment
	}
	return cmp.Or(r.Environment, "unnamed") + ", " + r.Service
}

// classWord makes a word of a class name of a name. Two names never become the same word.
func classWord(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) || r == '-' || r == '_' {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "%%%02X", r)
		}
	}
	return b.String()
}
