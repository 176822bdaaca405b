package runs

import "agstest/reports"

// EntryOf returns the entry of a stored run for a list of runs.
func EntryOf(folder string, stored Stored) reports.Entry {
	run := stored.Run()
	entry := reports.Entry{
		Folder: folder, ID: run.ID, Kind: run.Kind, Environment: run.Environment,
		Host: run.Host(), Start: run.Start, End: run.End,
		Verdict: stored.Verdict(), Partial: run.Partial,
	}
	if l := stored.Load; l != nil {
		entry.NotValid = !l.Valid
		entry.Question, entry.Asked, entry.Response = reports.QuestionOf(l), l.Asked(), reports.FiguresOf(l)
	}
	return entry
}
