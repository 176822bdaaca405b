package clients

import (
	"encoding/csv"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"agstest/internal/failure"
	"agstest/internal/userfile"
)

// The columns of a clients file.
const (
	columnSession = iota
	columnDevice
	columnAccount
	columns
)

var columnNames = [columns]string{"sessionToken", "clientId", "accountId"}

// maxField is the longest value of a clients file, in bytes.
const maxField = 8192

// clientRows are the rows of a clients file, packed: one slab of length-prefixed values and where each row starts in
// it.
type clientRows struct {
	slab   []byte
	starts []uint32
	has    [columns]bool
}

func (r *clientRows) count() int { return len(r.starts) }

// field is one value of a row; it must not be written to.
func (r *clientRows) field(row uint32, column int) []byte {
	rest := r.slab[r.starts[row]:]
	for range column {
		rest = rest[2+int(rest[0])<<8+int(rest[1]):]
	}
	length := int(rest[0])<<8 + int(rest[1])
	return rest[2 : 2+length : 2+length]
}

func readClientFile(path string) (*clientRows, error) {
	file, err := userfile.Open(path)
	if err != nil {
		return nil, failure.Usagef(
			"cannot read the clients file %s: %w; load.clients.file names a CSV file with the columns %s", path, err,
			strings.Join(columnNames[:], ", "))
	}
	defer file.Close()
	return parseClients(file, path)
}

// parseClients reads a clients file (RFC 4180) strictly: a header line with known column names and in each row a value
// for every column; accountId may be empty. Devices and session tokens must not repeat. Errors are of the kind
// failure.Usage, name the line, and quote no value, since session tokens are secrets.
func parseClients(in io.Reader, name string) (*clientRows, error) {
	reader := csv.NewReader(in)
	reader.ReuseRecord = true
	rows := &clientRows{}
	position, err := rows.header(reader, name)
	if err != nil {
		return nil, err
	}
	seed := maphash.MakeSeed()
	devices, sessions := map[uint64]int{}, map[uint64]int{}
	for {
		record, err := reader.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, csvFailure(name, err)
		}
		line, _ := reader.FieldPos(0)
		if uint64(len(rows.slab)) > math.MaxUint32-columns*(maxField+2) {
			return nil, failure.Usagef("%s:%d: the clients file is larger than 4 GiB; split it", name, line)
		}
		rows.starts = append(rows.starts, uint32(len(rows.slab)))
		for column, at := range position {
			value := ""
			if at >= 0 {
				value = record[at]
			}
			if err := checkField(value, column, at >= 0); err != nil {
				return nil, failure.Usagef("%s:%d: %s %w", name, line, columnNames[column], err)
			}
			rows.slab = append(rows.slab, byte(len(value)>>8), byte(len(value)))
			rows.slab = append(rows.slab, value...)
		}
		if at := position[columnDevice]; at >= 0 {
			if earlier, again := claimLine(devices, seed, record[at], line); again {
				return nil, failure.Usagef(
					"%s:%d: this clientId is in line %d already; each row is a client of its own", name, line, earlier)
			}
		}
		if at := position[columnSession]; at >= 0 {
			if earlier, again := claimLine(sessions, seed, record[at], line); again {
				return nil, failure.Usagef("%s:%d: this sessionToken is in line %d already; each client needs its own",
					name, line, earlier)
			}
		}
	}
	if len(rows.starts) == 0 {
		return nil, failure.Usagef("the clients file %s has a header and no rows", name)
	}
	return rows, nil
}

// header reads the first line: the position of each column, -1 for one that is not there.
func (r *clientRows) header(reader *csv.Reader, name string) (position [columns]int, err error) {
	position = [columns]int{-1, -1, -1}
	header, err := reader.Read()
	if err == io.EOF {
		return position, failure.Usagef("the clients file %s is empty; its first line must name the columns %s", name,
			strings.Join(columnNames[:], ", "))
	}
	if err != nil {
		return position, csvFailure(name, err)
	}
	for i, column := range header {
		known := -1
		for k, want := range columnNames {
			if column == want {
				known = k
			}
		}
		switch {
		case known < 0:
			return position, failure.Usagef(
				"%s:1: column %d of the clients file has an unknown name; the columns are %s", name, i+1,
				strings.Join(columnNames[:], ", "))
		case position[known] >= 0:
			return position, failure.Usagef("%s:1: the column %s is there twice", name, columnNames[known])
		}
		position[known], r.has[known] = i, true
	}
	if !r.has[columnDevice] && !r.has[columnSession] {
		return position, failure.Usagef("%s:1: the clients file has neither a column clientId nor sessionToken", name)
	}
	return position, nil
}

func claimLine(lines map[uint64]int, seed maphash.Seed, value string, line int) (int, bool) {
	hash := maphash.String(seed, value)
	if earlier, again := lines[hash]; again {
		return earlier, true
	}
	lines[hash] = line
	return 0, false
}

func checkField(value string, column int, present bool) error {
	switch {
	case value == "" && present && column != columnAccount:
		return errors.New("is empty")
	case len(value) > maxField:
		return fmt.Errorf("is longer than %d bytes", maxField)
	case !utf8.ValidString(value):
		return errors.New("is not valid UTF-8")
	}
	if flaw := userfile.Flaw(value); flaw != "" {
		return errors.New(flaw)
	}
	return nil
}

func csvFailure(name string, err error) error {
	var parse *csv.ParseError
	if errors.As(err, &parse) {
		return failure.Usagef("%s:%d: the clients file is not valid CSV: %w", name, parse.Line, parse.Err)
	}
	return failure.Usagef("cannot read the clients file %s: %w", name, err)
}
