// Package unique finds values that must come once in a run and came twice: token identifiers (jti) of different
// clients, session tokens, and devices made by first-time sign-ons.
//
// A Set keeps hashes within a bound on memory and tells at once whether a value came before, and to which client. The
// shards of a run hash alike: each leaves a File beside its record, and Across reads those of all shards side by side
// for values that came to clients of two of them. The package knows no service and no token, only bytes.
package unique

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math/bits"
	"sync"

	"agstest/load/schedule"
)

// Space keeps values of different meaning apart in one seenSet.
type Space uint64

// The values that must be unique over a run: token identifiers (jti) of different clients, session tokens, and devices
// made by first-time sign-ons.
const (
	JTI     Space = 0x9e3779b97f4a7c15
	Session Space = 0xc2b2ae3d27d4eb4f
	Device  Space = 0x165667b19e3779f9
)

const (
	seenStripes  = 64
	seenMaxSlots = 1 << 16 // of one stripe; 12 bytes each, 50 MB in all
)

// Set tells whether a value came before in the run, and to which client. It keeps a 64-bit hash (maphash, a new seed
// for every run) and the owner of each value, 12 bytes a slot, and never grows beyond 50 MB: about 3.1 million values
// are kept, and beyond that every stripe drops half of the hash space at a time, so that of 12 million values every
// fourth is watched over the whole run. Equal values fall into the same half, so a repeat of a watched value is always
// found.
//
// A false alarm needs two different values with one hash: with n watched values the chance is n²/2⁶⁵, which for 3.1
// million is 1 in 3.8 million runs. It is safe for concurrent use.
//
// The shards of a run hash alike instead, with SHA-256 under a key of the run, so that their values can be compared
// (File). Then 94 bits of hash are kept, 16 bytes a slot and 67 MB at most, because so many more values meet in the
// union.
type Set struct {
	seed    maphash.Seed
	key     []byte // of a sharded run; nil: hashes are of this process alone
	stripes [seenStripes]seenStripe
}

// Digest is the kept form of a value. Hash is never 0.
type Digest struct {
	Hash  uint64
	check uint32 // more of the hash, of a sharded run
}

type seenStripe struct {
	mu     sync.Mutex // guards what follows
	hashes []uint64   // open addressing; 0: free
	owners []uint32
	checks []uint32 // of a sharded run
	used   int
	level  int // values whose hash ends in fewer zero bits are not watched
}

// New makes one for a run, or with a key for a shard of one.
func New(key []byte) *Set { return &Set{seed: maphash.MakeSeed(), key: key} }

// Fingerprint is a hash of a value, for this process and run alone. It is never 0.
func (s *Set) Fingerprint(value []byte) uint64 { return maphash.Bytes(s.seed, value) | 1 }

// Reserve makes room for the expected values at once, within the set's bound, so that its memory does not grow while a
// load runs. Call it before the first value; the set takes more than expected too.
func (s *Set) Reserve(expected uint64) {
	if expected == 0 {
		return
	}
	need := min(expected, seenStripes*seenMaxSlots)/seenStripes*3/2 + 64 // stripes differ a little
	slots := min(seenMaxSlots, 1<<bits.Len64(need-1))
	for i := range s.stripes {
		stripe := &s.stripes[i]
		stripe.hashes, stripe.owners = make([]uint64, slots), make([]uint32, slots)
		if s.key != nil {
			stripe.checks = make([]uint32, slots)
		}
	}
}

// Key returns the key of the shards of a run; nil for a run without shards.
func Key(seed uint64, shard schedule.Shard) []byte {
	if shard.Of <= 1 {
		return nil
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "agstest: what the shards of a run saw, seed %d", seed))
	return sum[:16]
}

// The bits of a shared hash that name the kind of value.
const (
	spaceAt       = 56
	sharedJTI     = 1
	sharedSession = 2
	sharedDevice  = 3
)

// shared is the hash that all shards of a run have of a value.
func (s *Set) shared(space Space, value []byte) Digest {
	var code uint64
	switch space {
	case JTI:
		code = sharedJTI
	case Session:
		code = sharedSession
	default:
		code = sharedDevice
	}
	var room [256]byte
	text := append(append(append(room[:0], s.key...), byte(code)), value...)
	sum := sha256.Sum256(text)
	return Digest{binary.BigEndian.Uint64(sum[:])&^(3<<spaceAt) | code<<spaceAt, binary.BigEndian.Uint32(sum[8:])}
}

// Digest returns the kept form of a value.
func (s *Set) Digest(space Space, value []byte) Digest {
	if s.key != nil {
		return s.shared(space, value)
	}
	h := (maphash.Bytes(s.seed, value) ^ uint64(space)) * 0xff51afd7ed558ccd
	h ^= h >> 33
	if h == 0 {
		h = 1 << 40
	}
	return Digest{Hash: h}
}

// Claim records that a value belongs to owner. It returns the owner of an earlier equal one; if there is none, again is
// false.
func (s *Set) Claim(value Digest, owner uint32) (earlier uint32, again bool) {
	hash := value.Hash
	stripe := &s.stripes[hash>>58]
	stripe.mu.Lock()
	defer stripe.mu.Unlock()
	if bits.TrailingZeros64(hash) < stripe.level {
		return 0, false
	}
	if stripe.used*4 >= len(stripe.hashes)*3 {
		stripe.makeRoom(s.key != nil)
		if bits.TrailingZeros64(hash) < stripe.level {
			return 0, false
		}
	}
	slot := stripe.find(hash)
	if stripe.hashes[slot] == hash {
		if stripe.checks != nil && stripe.checks[slot] != value.check {
			return 0, false // another value with the same 64 bits
		}
		return stripe.owners[slot], true
	}
	if stripe.checks != nil {
		stripe.checks[slot] = value.check
	}
	stripe.hashes[slot], stripe.owners[slot] = hash, owner
	stripe.used++
	return 0, false
}

// Watched is the share of values that are watched, 1 until the memory is used up.
func (s *Set) Watched() float64 {
	level := 0
	for i := range s.stripes {
		stripe := &s.stripes[i]
		stripe.mu.Lock()
		level = max(level, stripe.level)
		stripe.mu.Unlock()
	}
	return 1 / float64(uint64(1)<<level)
}

func (s *seenStripe) find(hash uint64) int {
	mask := len(s.hashes) - 1
	// The top bits chose the stripe and the low ones decide whether a value is watched; the slot comes from those
	// between.
	slot := int(hash>>24) & mask
	for s.hashes[slot] != 0 && s.hashes[slot] != hash {
		slot = (slot + 1) & mask
	}
	return slot
}

func (s *seenStripe) makeRoom(shared bool) {
	size := max(64, 2*len(s.hashes))
	if size > seenMaxSlots {
		size = seenMaxSlots
		s.level++
	}
	hashes, owners, checks := s.hashes, s.owners, s.checks
	s.hashes, s.owners, s.used = make([]uint64, size), make([]uint32, size), 0
	if shared {
		s.checks = make([]uint32, size)
	}
	for i, hash := range hashes {
		if hash != 0 && bits.TrailingZeros64(hash) >= s.level {
			slot := s.find(hash)
			s.hashes[slot], s.owners[slot] = hash, owners[i]
			if shared {
				s.checks[slot] = checks[i]
			}
			s.used++
		}
	}
}
