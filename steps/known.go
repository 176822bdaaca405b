package steps

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/goccy/go-yaml"

	"agstest/internal/failure"
	"agstest/internal/figures"
	"agstest/internal/userfile"
	"agstest/reports"
)

// KnownDeparture is a requirement that the service is known to miss: it is shown and does not fail the run until its
// date has come.
type KnownDeparture struct {
	ID      string `yaml:"id"`
	Reason  string `yaml:"reason"`
	Owner   string `yaml:"owner"`
	Expires string `yaml:"expires"` // YYYY-MM-DD, the last day on which it counts
}

// ReadKnown reads a list of known departures in YAML: id, reason, owner and expires for each. Errors are of the kind
// failure.Usage.
func ReadKnown(data []byte) ([]KnownDeparture, error) {
	data, err := userfile.Text(data)
	if err != nil {
		return nil, failure.Usagef("the file of known departures: %w", err)
	}
	err = userfile.PlainYAML(data)
	if err == nil {
		err = userfile.OneDocument(data)
	}
	if err != nil {
		return nil, failure.Usagef("the file of known departures: %w", err)
	}
	var list []KnownDeparture
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, failure.Usagef("the file of known departures is empty; it holds a list such as: - {id: SOST-07, " +
			"reason: \"…\", owner: \"…\", expires: 2027-01-31}")
	}
	if err := yaml.UnmarshalWithOptions(data, &list, yaml.Strict()); err != nil {
		line := 0
		var located yaml.Error
		if errors.As(err, &located) && located.GetToken() != nil && located.GetToken().Position != nil {
			line = located.GetToken().Position.Line
		}
		text := err.Error()
		if located != nil {
			text = located.GetMessage()
		}
		return nil, failure.Usagef(
			"the file of known departures, line %d: %s; each entry has id, reason, owner and expires", line,
			figures.Unbroken(text))
	}
	seen := map[string]bool{}
	for i, d := range list {
		d.Reason = figures.Unbroken(d.Reason) // prose, which YAML may spread over lines
		list[i] = d
		where := fmt.Sprintf("the file of known departures, entry %d", i+1)
		for _, part := range []struct{ name, value string }{{"id", d.ID}, {"reason", d.Reason}, {"owner", d.Owner},
			{"expires", d.Expires}} {
			if part.value == "" {
				return nil, failure.Usagef("%s: %s is missing", where, part.name)
			}
			if flaw := userfile.Flaw(part.value); flaw != "" {
				return nil, failure.Usagef("%s: %s %s", where, part.name, flaw)
			}
		}
		if _, err := time.Parse(time.DateOnly, d.Expires); err != nil {
			return nil, failure.Usagef("%s: expires is no date; write one such as 2027-01-31", where)
		}
		if seen[d.ID] {
			return nil, failure.Usagef("%s: %s is listed twice", where, d.ID)
		}
		seen[d.ID] = true
	}
	return list, nil
}

// expired tells whether the last day of a departure is over.
func (d KnownDeparture) expired(now time.Time) bool {
	last, err := time.Parse(time.DateOnly, d.Expires)
	return err != nil || !now.UTC().Before(last.AddDate(0, 0, 1))
}

func (d KnownDeparture) report() *reports.KnownDeparture {
	return &reports.KnownDeparture{Reason: d.Reason, Owner: d.Owner, Expires: d.Expires}
}
