package unique

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"os"
	"path/filepath"
	"slices"

	"agstest/internal/wholefile"
	"agstest/load/schedule"
)

// File is the file that a shard leaves beside its record so that a merge can see whether a jti, a session token or a
// device came to clients of two shards: hashes of the watched values, and the owner of each. It is there only when the
// shard came to its end.
//
// It is gzip of a line of JSON (seenHead), then the values, 16 bytes each, big endian, in ascending order: the hash,
// whose bits 56 and 57 name the kind of value, the check, and the number of the client; then the clients, each as its
// number in four bytes, the length of its name in two, and the name, masked.
const File = "load.seen"

const (
	seenSchema = "agstest load seen 1"
	seenValue  = 16
	maxLeft    = 1 << 19 // values that a shard leaves, 8 MiB; beyond, each second one, and so on
	maxName    = 1 << 10
)

type seenHead struct {
	Schema  string `json:"schema"`
	Shard   string `json:"shard"`
	Level   int    `json:"level"` // values whose hash ends in fewer zero bits are left out
	Values  int    `json:"values"`
	Clients int    `json:"clients"`
}

// Leave writes the file of a shard. Number gives the number of a client in the whole run, and name its name, masked.
func (s *Set) Leave(folder string, shard schedule.Shard, number func(uint32) uint32, name func(uint32) string) error {
	values, level := s.left(maxLeft)
	for i := range values {
		values[i].owner = number(values[i].owner)
	}
	owners := make([]uint32, len(values))
	for i, v := range values {
		owners[i] = v.owner
	}
	slices.Sort(owners)
	owners = slices.Compact(owners)
	return wholefile.Write(filepath.Join(folder, File), 0o600, func(file *os.File) error {
		out := bufio.NewWriterSize(file, 1<<16)
		// Hashes hardly get smaller, and taking them apart again costs a merge more than all else; names do. A file of
		// gzip may be of several members, which are read as one (RFC 1952 section 2.2).
		stored, _ := gzip.NewWriterLevel(out, gzip.NoCompression)
		err := errors.Join(writeValues(stored,
			seenHead{seenSchema, shard.String(), level, len(values), len(owners)}, values), stored.Close())
		packed, _ := gzip.NewWriterLevel(out, gzip.BestSpeed)
		return errors.Join(err, writeNames(packed, owners, name), packed.Close(), out.Flush())
	})
}

func writeValues(w io.Writer, head seenHead, values []seenEntry) error {
	out := bufio.NewWriterSize(w, 1<<16)
	if err := json.NewEncoder(out).Encode(head); err != nil {
		return err
	}
	var room [seenValue]byte
	for _, v := range values {
		binary.BigEndian.PutUint64(room[:], v.Hash)
		binary.BigEndian.PutUint32(room[8:], v.check)
		binary.BigEndian.PutUint32(room[12:], v.owner)
		_, _ = out.Write(room[:])
	}
	return out.Flush()
}

func writeNames(w io.Writer, owners []uint32, name func(uint32) string) error {
	out := bufio.NewWriterSize(w, 1<<12)
	var room [6]byte
	for _, owner := range owners {
		text := name(owner)
		text = text[:min(len(text), maxName)]
		binary.BigEndian.PutUint32(room[:], owner)
		binary.BigEndian.PutUint16(room[4:], uint16(len(text)))
		_, _ = out.Write(room[:])
		_, _ = out.WriteString(text)
	}
	return out.Flush()
}

// left returns the watched values in the order of the hashes, at most the given number: of more, those whose hash ends
// in enough zero bits, which is the same choice in every shard.
func (s *Set) left(most int) (values []seenEntry, level int) {
	for i := range s.stripes {
		level = max(level, s.stripes[i].level)
	}
	for count := most + 1; count > most; {
		count = 0
		for i := range s.stripes {
			for _, hash := range s.stripes[i].hashes {
				if hash != 0 && bits.TrailingZeros64(hash) >= level {
					count++
				}
			}
		}
		if count > most {
			level++
		}
	}
	for i := range s.stripes {
		stripe := &s.stripes[i]
		for slot, hash := range stripe.hashes {
			if hash != 0 && bits.TrailingZeros64(hash) >= level {
				values = append(values, seenEntry{Digest{hash, stripe.checks[slot]}, stripe.owners[slot]})
			}
		}
	}
	slices.SortFunc(values, func(a, b seenEntry) int { return a.compare(b.Digest) })
	return values, level
}

// seenEntry is a value that was watched and whose it is.
type seenEntry struct {
	Digest
	owner uint32
}

// after tells that a digest comes behind another in the order of compare.
func (d *Digest) after(other Digest) bool {
	return d.Hash > other.Hash || d.Hash == other.Hash && d.check > other.check
}

func (d Digest) compare(other Digest) int {
	return cmp.Or(cmp.Compare(d.Hash, other.Hash), cmp.Compare(d.check, other.check))
}

// seenReader reads the values of one shard in their order.
type seenReader struct {
	shard *Left
	file  *os.File
	in    *bufio.Reader
	head  seenHead
	read  int         // values
	last  Digest      // read last
	room  []seenEntry // for the values read together
	ahead []seenEntry // those that nobody has taken yet
}

// readTogether is how many values of a shard are held at the same time.
const readTogether = 128

var errSeenDamaged = errors.New("its " + File + " is damaged")

func openSeen(shard *Left) (*seenReader, error) {
	file, err := os.Open(filepath.Join(shard.Folder, File))
	if err != nil {
		return nil, errors.New("it left no " + File)
	}
	r := &seenReader{shard: shard, file: file}
	zip, err := gzip.NewReader(bufio.NewReaderSize(file, 1<<14))
	if err == nil {
		r.in = bufio.NewReaderSize(zip, 4*readTogether*seenValue)
		var line []byte
		if line, err = r.in.ReadSlice('\n'); err == nil {
			err = json.Unmarshal(line, &r.head)
		}
	}
	if err != nil || r.head.Schema != seenSchema || r.head.Values < 0 || r.head.Shard != shard.Name {
		file.Close()
		return nil, errSeenDamaged
	}
	return r, nil
}

// fill reads on where less than half of what it may hold is left, so that every look at all readers has much to look
// at; io.EOF tells that there are no more values, and that the whole file is as it was written.
func (r *seenReader) fill() error {
	if len(r.ahead) > readTogether/2 {
		return nil
	}
	count := min(readTogether-len(r.ahead), r.head.Values-r.read)
	if count == 0 {
		if len(r.ahead) > 0 {
			return nil
		}
		if _, err := io.Copy(io.Discard, r.in); err != nil { // gzip has a checksum at its end
			return errSeenDamaged
		}
		return io.EOF
	}
	text, err := r.in.Peek(count * seenValue)
	if err != nil {
		return errSeenDamaged
	}
	r.ahead = append(r.room[:0], r.ahead...)
	for i := range count {
		value := text[i*seenValue:]
		entry := seenEntry{Digest{binary.BigEndian.Uint64(value), binary.BigEndian.Uint32(value[8:])},
			binary.BigEndian.Uint32(value[12:])}
		if r.read > 0 && !entry.after(r.last) {
			return errSeenDamaged
		}
		r.ahead, r.last = append(r.ahead, entry), entry.Digest
		r.read++
	}
	r.room = r.ahead
	_, err = r.in.Discard(len(text))
	return err
}

// taken gives the values up to an end that nobody has taken.
func (r *seenReader) taken(end Digest) []seenEntry {
	count := 0
	for count < len(r.ahead) && !r.ahead[count].after(end) {
		count++
	}
	taken := r.ahead[:count]
	r.ahead = r.ahead[count:]
	return taken
}

// seenName finds the name of a client in the file of a shard.
func seenName(shard *Left, owner uint32) string {
	unknown := fmt.Sprintf("client %d", uint64(owner)+1)
	r, err := openSeen(shard)
	if err != nil {
		return unknown
	}
	defer r.file.Close()
	if _, err := io.CopyN(io.Discard, r.in, int64(r.head.Values)*seenValue); err != nil {
		return unknown
	}
	for range r.head.Clients {
		var room [6]byte
		if _, err := io.ReadFull(r.in, room[:]); err != nil {
			break
		}
		name := make([]byte, binary.BigEndian.Uint16(room[4:]))
		if _, err := io.ReadFull(r.in, name); err != nil {
			break
		}
		if binary.BigEndian.Uint32(room[:]) == owner {
			return string(name)
		}
	}
	return unknown
}
