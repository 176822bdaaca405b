package shards

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"agstest/load/tally"
)

// A result in a frame is for the case that nobody has come for it: gzip of the packed result in base64, between two
// lines that name its index, its SHA-256 and its size. Lines are long, because a container's runtime adds some forty
// bytes to each.
const (
	frameBegin = "-----BEGIN AGSTEST SHARD RESULT-----"
	frameEnd   = "-----END AGSTEST SHARD RESULT-----"
	frameLine  = 4096
	maxFramed  = 256 << 20 // of a result, unpacked
)

// logResult writes the result in a frame to the output, if it is small enough; of a larger one only the record, which a
// merge needs.
func (a *Agent) logResult(s *standing) error {
	now := s.status()
	if a.Output == nil || now.Result == nil {
		return nil
	}
	file, err := os.Open(filepath.Join(a.Folder, resultFile))
	if err != nil {
		return err
	}
	defer file.Close()
	most := cmp.Or(a.MostLogged, defaultMostLogged)
	written, err := writeFrame(a.Output, a.Index, now.Result, file, most)
	if !written && err == nil {
		var record bytes.Buffer
		if err = writeTar(&record, a.Folder, func(name string) bool { return name == tally.RecordFile }); err == nil {
			part := &Result{Bytes: int64(record.Len()), SHA256: HashOf(record.Bytes())}
			written, err = writeFrame(a.Output, a.Index, part, &record, most)
		}
	}
	if written {
		s.logged()
	}
	return err
}

// writeFrame writes nothing if the packed result is larger than most.
func writeFrame(w io.Writer, index int, result *Result, content io.Reader, most int) (written bool, err error) {
	var small bytes.Buffer
	zip := gzip.NewWriter(&small)
	if _, err := io.Copy(zip, content); err != nil {
		return false, err
	}
	if err := zip.Close(); err != nil {
		return false, err
	}
	if small.Len() > most {
		return false, nil
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s %d %s %d\n", frameBegin, index, result.SHA256, result.Bytes)
	for text := base64.StdEncoding.EncodeToString(small.Bytes()); text != ""; {
		line := text[:min(frameLine, len(text))]
		text = text[len(line):]
		fmt.Fprintln(out, line)
	}
	fmt.Fprintf(out, "%s %s\n", frameEnd, result.SHA256)
	return true, out.Flush()
}

// errNoFrame tells that a log holds no result.
var errNoFrame = errors.New("the log holds no result")

// readFrame finds the result of a shard in its log, the last one of several, and returns it without its frame. It
// refuses a result that was cut or changed on its way: the SHA-256 must be right.
func readFrame(log io.Reader, index int) ([]byte, *Result, error) {
	lines := bufio.NewReaderSize(log, 1<<16)
	var open *Result
	var content []byte
	var found []byte
	var result *Result
	failed := errNoFrame
	for {
		line, err := lines.ReadString('\n')
		switch text := strings.TrimRight(line, "\r\n"); {
		case strings.HasPrefix(text, frameBegin):
			r, i := new(Result), 0
			if n, _ := fmt.Sscanf(text[len(frameBegin):], "%d %s %d", &i, &r.SHA256, &r.Bytes); n == 3 && i == index &&
				r.Bytes <= maxFramed {
				open, content, failed = r, nil, errors.New("the result in the log is cut off")
			}
		case open == nil:
		case strings.HasPrefix(text, frameEnd):
			if unpacked, bad := unframed(content, open); bad != nil {
				failed = bad
			} else {
				found, result = unpacked, open
			}
			open = nil
		case len(content) > 2*defaultMostLogged:
			open, failed = nil, errors.New("the result in the log has no end")
		default:
			content = append(content, text...)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("the log of the shard cannot be read: %w", err)
		}
	}
	if result == nil {
		return nil, nil, failed
	}
	return found, result, nil
}

func unframed(content []byte, want *Result) ([]byte, error) {
	garbled := errors.New("the result in the log is garbled")
	zip, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(content)))
	if err != nil {
		return nil, garbled
	}
	text, err := io.ReadAll(io.LimitReader(zip, want.Bytes+1))
	if err != nil || int64(len(text)) != want.Bytes || HashOf(text) != want.SHA256 {
		return nil, garbled
	}
	return text, nil
}

// announcement is a line in the output of a shard that nobody can ask.
type announcement struct {
	Turn     int       `json:"turn"`  // counts the lines, from 1
	Clock    int64     `json:"clock"` // the wall clock when it was written, in nanoseconds since 1970
	Status   *Status   `json:"status,omitempty"`
	Progress *Progress `json:"progress,omitempty"` // while it sends
}

const announced = "agstest-shard "

func (n announcement) write(w io.Writer) error {
	text, err := json.Marshal(n)
	if err == nil {
		_, err = fmt.Fprintf(w, "%s%s\n", announced, text)
	}
	return err
}

// readAnnouncement reads a line; false if it is no announcement.
func readAnnouncement(line string) (n announcement, ok bool) {
	text, ok := strings.CutPrefix(line, announced)
	return n, ok && json.Unmarshal([]byte(text), &n) == nil && n.Turn > 0
}
