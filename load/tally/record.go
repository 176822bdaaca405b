package tally

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"time"

	"agstest/internal/failure"
	"agstest/load/limit"
	"agstest/reports"
)

// RecordFile is the name of the record of a load run in the run's folder. Each finished second is appended to it and
// synced, so that a run that is killed can be reported up to its last second.
//
// It begins with a line that names the format. Then come blocks: the length of the content and its CRC-32C, each as
// four bytes, big endian, and the content, in JSON. The first block holds the question of the run, each later one a
// second. A block that is cut short or damaged ends the record. While the run goes on, a block with its newest wrong
// answers stands at the end, over which the next second is written.
const RecordFile = "load.record"

const (
	recordMagic = "agstest load record 1\n"
	maxBlock    = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Head is the question of a run.
type Head struct {
	Report     *reports.Load `json:"report"` // without figures
	Operations []string      `json:"operations"`
	Limits     []string      `json:"limits,omitempty"`
	Of         int           `json:"of,omitempty"`    // shards
	Whole      int64         `json:"whole,omitempty"` // hits of all shards, of a storm its clients
	Seen       bool          `json:"seen,omitempty"`  // what must be unique is left in unique.File when the run ends
	Began      time.Time     `json:"began"`
}

// Maxima of a head: each operation has a row in each second, each shard a row in the report.
const (
	maxOperations = 16
	maxNameBytes  = 128
	maxShards     = 10_000
	maxLimits     = 10_000
)

func (h *Head) plausible() bool {
	if len(h.Operations) > maxOperations || h.Of < 0 || h.Of > maxShards || len(h.Limits) > maxLimits {
		return false
	}
	for _, name := range h.Operations {
		if len(name) > maxNameBytes {
			return false
		}
	}
	return true
}

// Recorder appends to a record. After the first error it writes no more.
type Recorder struct {
	file      *os.File
	end, size int64 // where the next block goes, and how long the file is
	err       error
}

func NewRecorder(folder string, head *Head) (*Recorder, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, failure.Usagef("cannot make the folder %s of the run: %w", folder, err)
	}
	file, err := os.OpenFile(filepath.Join(folder, RecordFile), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, failure.Usagef("cannot write the record of the run: %w", err)
	}
	r := &Recorder{file: file}
	r.write([]byte(recordMagic), nil)
	r.Append(head)
	if r.err != nil {
		file.Close()
		return nil, failure.Usagef("cannot write the record of the run: %w", r.err)
	}
	return r, nil
}

// Append writes one block with one call, and sees that it is on the disk.
func (r *Recorder) Append(content any) { r.append(content, nil) }

// AppendWith is Append of a second of a run that goes on, and writes the newest wrong answers behind it until the next.
func (r *Recorder) AppendWith(f *Frame, newest []reports.Wrong) {
	if len(newest) == 0 {
		r.append(f, nil)
		return
	}
	r.append(f, &newestFrame{newest})
}

func (r *Recorder) append(content any, newest *newestFrame) {
	if r.err != nil {
		return
	}
	var block, behind []byte
	if block, r.err = blockOf(content); r.err == nil && newest != nil {
		behind, r.err = blockOf(newest)
	}
	if r.err != nil {
		return
	}
	if r.write(block, behind); r.err == nil {
		r.err = r.file.Sync()
	}
}

// write writes stays, and after it behind, which the next call overwrites.
func (r *Recorder) write(stays, behind []byte) {
	if _, r.err = r.file.WriteAt(append(stays, behind...), r.end); r.err != nil {
		return
	}
	r.end += int64(len(stays))
	size := r.end + int64(len(behind))
	if size < r.size {
		r.err = r.file.Truncate(size)
	}
	r.size = size
}

// blockOf is one block of a record.
func blockOf(content any) ([]byte, error) {
	block := bytes.NewBuffer(make([]byte, 8, 4096))
	if err := json.NewEncoder(block).Encode(content); err != nil {
		return nil, err
	}
	b := block.Bytes()
	binary.BigEndian.PutUint32(b, uint32(len(b)-8))
	binary.BigEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	return b, nil
}

// Failed returns the first error of a recorder; nil if there is none, or no recorder.
func (r *Recorder) Failed() error {
	if r == nil {
		return nil
	}
	return r.err
}

func (r *Recorder) Close() error {
	if err := r.file.Close(); r.err == nil {
		r.err = err
	}
	return r.err
}

// recordReader reads a record block by block.
type recordReader struct {
	in     *bufio.Reader
	head   Head
	block  bytes.Buffer // the content of the last one
	ahead  *Frame       // read already
	behind error        // what came behind ahead
}

// frame reads the next second; io.EOF marks a clean end. Newest wrong answers behind the last second of a killed run
// are among its own.
func (r *recordReader) frame() (*Frame, error) {
	f, err := r.ahead, r.behind
	if f == nil && err == nil {
		f, err = r.one(nil)
	}
	if f == nil {
		return nil, err
	}
	r.ahead, r.behind = r.one(f)
	return f, nil
}

// one reads a second, or adds what stands there to the one before and reads on.
func (r *recordReader) one(before *Frame) (*Frame, error) {
	for {
		f, newest := new(Frame), newestFrame{}
		err := r.next(func(content []byte) error {
			if bytes.HasPrefix(content, []byte(`{"newest":`)) {
				return json.Unmarshal(content, &newest)
			}
			return readFrame(content, f)
		})
		if err != nil {
			return nil, err
		}
		if newest.Newest == nil {
			return f, nil
		}
		if before != nil {
			before.Wrong = append(before.Wrong, newest.Newest...)
		}
	}
}

var errNoRecord = errors.New("it is no record of a load run")

func newRecordReader(in io.Reader) (*recordReader, error) {
	r := &recordReader{in: bufio.NewReaderSize(in, 1<<16)}
	magic := make([]byte, len(recordMagic))
	if _, err := io.ReadFull(r.in, magic); err != nil || string(magic) != recordMagic {
		return nil, errNoRecord
	}
	if err := r.next(func(content []byte) error { return json.Unmarshal(content, &r.head) }); err != nil ||
		r.head.Report == nil || len(r.head.Operations) == 0 {
		return nil, errors.New("it breaks off before the run began")
	}
	if !r.head.plausible() {
		return nil, errors.New("its head asks for more than any run has")
	}
	return r, nil
}

// errCut tells that the record ends in the middle of a block, or in a damaged one.
var errCut = errors.New("the record is cut off")

// usualBlock is how large a block may be for its room to be kept for the next one.
const usualBlock = 256 << 10

// next reads the next block, whose content is valid during read only; io.EOF marks a clean end.
func (r *recordReader) next(read func(content []byte) error) error {
	var lead [8]byte
	switch _, err := io.ReadFull(r.in, lead[:]); {
	case err == io.EOF:
		return io.EOF
	case err != nil:
		return errCut
	}
	length := binary.BigEndian.Uint32(lead[:])
	if length > maxBlock {
		return errCut
	}
	if r.block.Reset(); r.block.Cap() > usualBlock {
		r.block = bytes.Buffer{}
	}
	if n, err := io.CopyN(&r.block, r.in, int64(length)); err != nil || n != int64(length) {
		return errCut
	}
	content := r.block.Bytes()
	if crc32.Checksum(content, castagnoli) != binary.BigEndian.Uint32(lead[4:]) || read(content) != nil {
		return errCut
	}
	return nil
}

// ReadRecord makes the report of a run from the record in its folder, whether the run came to its end or was killed:
// then the report is marked partial and holds all seconds that were recorded. Errors are of the kind failure.Usage.
func ReadRecord(folder string) (*reports.Load, error) {
	path := filepath.Join(folder, RecordFile)
	file, err := os.Open(path)
	if err != nil {
		return nil, failure.Usagef("cannot read the record of a load run: %w", err)
	}
	defer file.Close()
	r, err := newRecordReader(file)
	if err != nil {
		return nil, failure.Usagef("cannot read %s: %w", path, err)
	}
	l := NewLedger(r.head.Operations, r.head.Report.Plan.Closed).Draws(&r.head.Report.Plan)
	for {
		f, err := r.frame()
		if err != nil {
			break
		}
		if err := l.Add(f); err != nil {
			break
		}
	}
	report := r.head.Report
	if l.frames == 0 {
		return nil, failure.Usagef("%s holds no second of the run: it ended before the first one was over", path)
	}
	l.Finish(report, r.head.Limits)
	return report, nil
}

// brokenOff is why a run is partial that was killed.
const brokenOff = "the run broke off; the figures are those up to its last recorded second"

// Finish writes figures, limits and verdict into the report of a run that is over or broke off.
func (l *Ledger) Finish(r *reports.Load, limits []string) {
	l.report(r)
	if l.end == nil {
		r.Run.Partial = brokenOff
	}
	if r.Run.End.IsZero() {
		r.Run.End = r.Run.Start.Add(time.Duration(l.health.Elapsed))
	}
	var late, sure []string
	// They were checked before the run began.
	if parsed, err := limit.ParseAll(limits); err == nil {
		seconds := l.scheduled(r)
		r.Limits, late, sure = limit.Judge(parsed,
			limit.Run{Lag: r.Generator.Lag, Seconds: seconds, Storm: r.Storm, Seed: r.Plan.Seed, Piece: pieceOf(r),
				Part: r.Run.Partial != "" || r.Shard != "", Stretch: func(operation string, from, to int) limit.Stretch {
					if to < seconds {
						return l.stretch(operation, from, to)
					}
					return l.lastStretch(r, operation, from, seconds)
				}})
	}
	var beyond, held []string
	if l.end != nil {
		beyond, held = l.end.Invalid, l.end.held
	}
	if r.SetUp != nil {
		r.Notes = append(r.Notes, r.SetUp.String())
	}
	if note := lagNote(r); note != "" {
		r.Notes = append(r.Notes, note)
	}
	decide(r, beyond, late, sure, held...)
	if note := riseNote(r); note != "" {
		r.Notes = append(r.Notes, note)
	}
}

// pieceOf says why a run sends only a piece of the rate that its limits speak of; empty: it sends the whole.
func pieceOf(r *reports.Load) string {
	switch {
	case r.Shard != "":
		return "this is shard " + r.Shard + ", and the limit is of all shards together; agstest merge judges it"
	case wholeIsMissing(r):
		return "a part of the load is missing, and the limit is of the whole"
	}
	return ""
}

// scheduled is how many whole seconds of the schedule were run, one at least. A storm goes on until everyone is signed
// in.
func (l *Ledger) scheduled(r *reports.Load) int {
	ran := int(time.Duration(l.health.Elapsed) / time.Second)
	if r.Storm != nil {
		return max(1, min(ran, l.upTo))
	}
	return max(1, min(int(r.Plan.Seconds), ran, l.upTo))
}
