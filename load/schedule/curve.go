package schedule

import (
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"agstest/internal/userfile"
)

// curve reads a rate curve: rows of a time and a rate, such as 90s,250/s, between which the rate changes evenly. Times
// without a unit are seconds, rates without one hits a second. It skips a first row of names.
func (r *profileReader) curve(file string) (Schedule, error) {
	if file == "" {
		return nil, fmt.Errorf("file is missing; it names a CSV file with rows of time,rate")
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(r.name), file)
	}
	in, err := userfile.Open(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read the rate curve %s: %w", file, err)
	}
	defer in.Close()
	return parseCurve(in, file)
}

func parseCurve(in io.Reader, name string) (Schedule, error) {
	rows := csv.NewReader(io.LimitReader(in, 16<<20))
	rows.FieldsPerRecord = 2
	rows.TrimLeadingSpace = true
	rows.Comment = '#'
	var stages []Schedule
	var lastTime time.Duration
	var lastRate Rate
	for n := 0; ; n++ {
		fields, err := rows.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		line, _ := rows.FieldPos(0)
		at, err := parseSeconds(fields[0])
		rate, rateErr := parseCurveRate(fields[1])
		if n == 0 && err != nil && rateErr != nil {
			n-- // names of the columns
			continue
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s:%d: %q is no time; write seconds, or a time such as 5m", name, line, fields[0])
		case rateErr != nil:
			return nil, fmt.Errorf("%s:%d: %q is no rate; write hits a second, or a rate such as 200/s", name, line,
				fields[1])
		case n == 0 && at != 0:
			return nil, fmt.Errorf("%s:%d: the curve begins at %s; its first row must be at 0", name, line, at)
		case n > 0 && at <= lastTime:
			return nil, fmt.Errorf("%s:%d: %s is not after %s; times must rise", name, line, at, lastTime)
		}
		if n > 0 {
			stages = append(stages, Ramp(lastRate, rate, at-lastTime))
		}
		lastTime, lastRate = at, rate
	}
	if len(stages) == 0 {
		return nil, fmt.Errorf("%s needs two rows at least, each a time and a rate", name)
	}
	return sequence(fmt.Sprintf("the curve of %s over %s", filepath.Base(name), lastTime), stages...), nil
}

func parseSeconds(text string) (time.Duration, error) {
	text = strings.TrimSpace(text)
	value, scale, err := parseDecimal(text)
	if err == nil {
		return time.Duration(value) * time.Second / time.Duration(scale), nil
	}
	d, err := time.ParseDuration(text)
	if err == nil && d < 0 {
		err = fmt.Errorf("%s is before the start", d)
	}
	return d, err
}

func parseCurveRate(text string) (Rate, error) {
	text = strings.TrimSpace(text)
	if !strings.Contains(text, "/") {
		text += "/s"
	}
	return ParseRate(text)
}
