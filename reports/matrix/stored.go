package matrix

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"agstest/reports"
)

// Read reads what was stored as File. Members that it does not know are passed over; another major version is an error.
func Read(r io.Reader) (*Matrix, error) {
	var m Matrix
	if err := json.NewDecoder(io.LimitReader(r, reports.MaxStored)).Decode(&m); err != nil {
		return nil, fmt.Errorf("the stored matrix does not have the form of %s: %w", Schema, err)
	}
	if kind, version, _ := strings.Cut(m.Schema, "/"); kind != "agstest.matrix" || !strings.HasPrefix(version, "1.") {
		return nil, fmt.Errorf("the stored matrix is %.60q; this version reads %s", m.Schema, Schema)
	}
	for _, r := range m.Requirements {
		if len(r.Cells) != len(m.Environments) {
			return nil, fmt.Errorf("the stored matrix has %d cells for %.60q and %d environments", len(r.Cells), r.ID,
				len(m.Environments))
		}
	}
	for _, o := range m.Load {
		if len(o.Cells) != len(m.Environments) {
			return nil, fmt.Errorf("the stored matrix has %d cells for %.60q and %d environments", len(o.Cells), o.Name,
				len(m.Environments))
		}
	}
	return &m, nil
}

// Relink passes every link of the matrix to a page of a run through a function, which returns the new one; empty if
// there is none any more.
func (m *Matrix) Relink(to func(link string) string) {
	change := func(link *string) {
		if *link != "" {
			*link = to(*link)
		}
	}
	for i := range m.Environments {
		for k := range m.Environments[i].Runs {
			change(&m.Environments[i].Runs[k].Page)
		}
	}
	for i := range m.Causes {
		change(&m.Causes[i].Link)
	}
	for i := range m.Requirements {
		for k := range m.Requirements[i].Cells {
			change(&m.Requirements[i].Cells[k].Link)
		}
	}
	for i := range m.Load {
		for k := range m.Load[i].Cells {
			change(&m.Load[i].Cells[k].Link)
		}
	}
}
