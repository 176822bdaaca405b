package site

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// members reads a JSON object from a stream and keeps the wanted members of it, each of at most the given number of
// bytes. It skips other members without keeping them, however large: a stored run is mostly transcripts, which a list
// of runs does not need. It checks everywhere that strings and brackets end, and all else only in what it keeps.
func members(r io.Reader, wanted map[string]int) (map[string]json.RawMessage, error) {
	s := scanner{r: r, wanted: wanted, found: map[string]json.RawMessage{}, chunk: make([]byte, 0, 128<<10)}
	if err := s.object(); err != nil {
		return nil, err
	}
	return s.found, nil
}

var errCut = errors.New("the file ends too early")

type scanner struct {
	r      io.Reader
	chunk  []byte // what was read; rest is from at on
	at     int
	wanted map[string]int
	found  map[string]json.RawMessage
	kept   []byte // of the member that is kept
	most   int    // how much may be kept; 0: nothing is
}

// next gives the next byte; io.EOF at the end.
func (s *scanner) next() (byte, error) {
	if s.at >= len(s.chunk) {
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	b := s.chunk[s.at]
	s.at++
	return b, nil
}

func (s *scanner) fill() error {
	for range 100 {
		n, err := s.r.Read(s.chunk[:cap(s.chunk)])
		s.chunk, s.at = s.chunk[:n], 0
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// space gives the next byte that is no white space.
func (s *scanner) space() (byte, error) {
	for {
		b, err := s.next()
		if err != nil {
			return 0, err
		}
		if b != ' ' && b != '\n' && b != '\r' && b != '\t' {
			return b, nil
		}
	}
}

func (s *scanner) object() error {
	b, err := s.space()
	if err == nil && b == 0xef { // the mark of UTF-8
		_, _ = s.next()
		_, _ = s.next()
		b, err = s.space()
	}
	if err != nil {
		return ended(err)
	}
	if b != '{' {
		return errors.New("it is no JSON object")
	}
	if b, err = s.space(); err != nil {
		return ended(err)
	}
	for b != '}' {
		if b != '"' {
			return errors.New("it is not JSON: a name of a member is missing")
		}
		name, err := s.name()
		if err != nil {
			return err
		}
		if b, err = s.space(); err != nil {
			return ended(err)
		}
		if b != ':' {
			return errors.New("it is not JSON: a colon is missing")
		}
		s.kept, s.most = nil, s.wanted[name]
		if b, err = s.value(); err != nil {
			return err
		}
		if s.most > 0 {
			if len(s.kept) >= s.most {
				return fmt.Errorf("its member %s is larger than %d kB", name, s.most>>10)
			}
			s.found[name] = s.kept
		}
		if b != ',' {
			continue
		}
		if b, err = s.space(); err != nil {
			return ended(err)
		}
	}
	if _, err := s.space(); err != io.EOF {
		return errors.New("text follows the JSON")
	}
	return nil
}

// name reads the rest of a member's name. Names that are wanted have no escapes.
func (s *scanner) name() (string, error) {
	s.kept, s.most = []byte{}, 256
	if err := s.text(); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(s.kept, []byte(`"`))), nil
}

// value passes over a value, and gives the byte behind it: a comma or the end of the object.
func (s *scanner) value() (byte, error) {
	depth := 0
	for {
		b, err := s.next()
		if err != nil {
			return 0, ended(err)
		}
		if depth == 0 && (b == ',' || b == '}') {
			return b, nil
		}
		s.keep(b)
		switch b {
		case '"':
			if err := s.text(); err != nil {
				return 0, err
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return 0, errors.New("it is not JSON: a bracket ends nothing")
			}
		default:
			if depth > 0 && s.most == 0 {
				s.plain()
			}
		}
	}
}

// plain skips bytes that are neither text nor bracket.
func (s *scanner) plain() {
	for s.at < len(s.chunk) {
		switch s.chunk[s.at] {
		case '"', '{', '}', '[', ']':
			return
		}
		s.at++
	}
}

// text passes over the rest of a string.
func (s *scanner) text() error {
	for {
		if s.at >= len(s.chunk) {
			if err := s.fill(); err != nil {
				return ended(err)
			}
		}
		rest := s.chunk[s.at:]
		end := bytes.IndexByte(rest, '"')
		if end < 0 {
			end = len(rest)
		}
		if escape := bytes.IndexByte(rest[:end], '\\'); escape >= 0 {
			s.keep(rest[:escape+1]...)
			s.at += escape + 1
			b, err := s.next()
			if err != nil {
				return ended(err)
			}
			s.keep(b)
			continue
		}
		if end == len(rest) {
			s.keep(rest...)
			s.at = len(s.chunk)
			continue
		}
		s.keep(rest[:end+1]...)
		s.at += end + 1
		return nil
	}
}

// keep adds bytes to those kept, up to the limit.
func (s *scanner) keep(b ...byte) {
	if room := s.most - len(s.kept); room > 0 {
		s.kept = append(s.kept, b[:min(len(b), room)]...)
	}
}

func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return errCut
	}
	return err
}
