package html

import (
	"strconv"
	"strings"

	"agstest/internal/figures"
	"agstest/reports"
)

// runTrust says whether the run is whole, and when the service was our own mock.
func runTrust(r reports.Run) []statement {
	var found []statement
	if r.Partial != "" {
		text := "The run ended early and is partial: " + r.Partial
		if parts, merged := strings.CutPrefix(r.Partial, "partial: "); merged {
			text = "The run is partial: " + parts
		}
		found = append(found, statement{reports.Invalid, text})
	} else {
		found = append(found, statement{reports.Pass, "The run is whole: it came to its end by itself."})
	}
	if r.Mock != nil {
		text := "The service is the built-in mock, not a live one"
		if len(r.Mock.Choices) > 0 {
			text += "; choices: " + strings.Join(r.Mock.Choices, ", ")
		}
		if len(r.Mock.Faults) > 0 {
			text += "; faults: " + strings.Join(r.Mock.Faults, ", ")
		}
		found = append(found, statement{reports.Observed, text + "."})
	}
	return found
}

// runAbout is what makes a run repeatable.
func runAbout(r reports.Run) []reports.Fact {
	var facts []reports.Fact
	add := func(name, value string, code bool) {
		if value != "" {
			facts = append(facts, reports.Fact{Name: name, Value: value, Code: code})
		}
	}
	add("Run", r.ID, true)
	add("Command", commandLine(r.Command), true)
	add("Started", figures.Moment(r.Start), false)
	add("Ended", figures.Moment(r.End), false)
	version := strings.TrimSpace("agstest " + r.Tool.Version)
	if r.Tool.Commit != "" {
		version += " (" + r.Tool.Commit + ")"
	}
	add("Tool", strings.TrimSpace(version+" "+r.Tool.Go), false)
	machine := strings.Trim(r.Machine.OS+"/"+r.Machine.Arch, "/")
	if r.Machine.CPUs > 0 {
		machine += ", " + figures.PluralOf(int64(r.Machine.CPUs), "CPU", "CPUs")
	}
	add("Machine", machine, false)
	for _, name := range reports.SortedKeys(r.Settings) {
		add(name, r.Settings[name], false)
	}
	return facts
}

// commandLine joins the words of a command so that a shell would take them apart again.
func commandLine(words []string) string {
	quoted := make([]string, len(words))
	for i, word := range words {
		quoted[i] = word
		if word == "" || strings.ContainsAny(word, " \t\n\"'\\$`<>|&;()*?[]#~!{}") {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		if strings.ContainsAny(word, "\n\r\x00") {
			quoted[i] = strconv.Quote(word)
		}
	}
	return strings.Join(quoted, " ")
}
