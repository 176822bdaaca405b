package unique

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/load/schedule"
)

func TestSeenSetFindsEveryRepeatAndNamesTheOwner(t *testing.T) {
	s := New(nil)
	const count = 20000
	for i := range uint32(count) {
		_, again := s.Claim(s.Digest(JTI, fmt.Appendf(nil, "jti-%d", i)), i)
		require.False(t, again, "value %d is new", i)
	}
	assert.Equal(t, 1.0, s.Watched())
	for i := range uint32(count) {
		owner, again := s.Claim(s.Digest(JTI, fmt.Appendf(nil, "jti-%d", i)), count+1)
		require.True(t, again)
		require.Equal(t, i, owner)
	}
	_, again := s.Claim(s.Digest(Session, []byte("jti-1")), 0)
	assert.False(t, again, "a session token may read like a jti")
}

// A full stripe stands for a run of millions: it must stay within its memory, and still find repeats of what it
// watches.
func TestSeenSetIsBoundedAndStillFindsRepeatsOfWhatItWatches(t *testing.T) {
	s := New(nil)
	stripe := &s.stripes[5]
	hashes := make([]uint64, 0, 4*seenMaxSlots)
	for i := range uint64(cap(hashes)) {
		hashes = append(hashes, 5<<58|spread(i)>>6|1<<57)
	}
	for i, hash := range hashes {
		if _, again := s.Claim(Digest{Hash: hash}, uint32(i)); again {
			t.Fatalf("value %d is new", i)
		}
	}
	assert.LessOrEqual(t, len(stripe.hashes), seenMaxSlots)
	assert.Less(t, s.Watched(), 1.0)
	found := 0
	for i, hash := range hashes {
		owner, again := s.Claim(Digest{Hash: hash}, 0)
		if again {
			require.EqualValues(t, i, owner)
			found++
		}
	}
	assert.InDelta(t, s.Watched(), float64(found)/float64(len(hashes)), 0.02,
		"the share that is watched is the share that is found")
}

func BenchmarkSeenSet(b *testing.B) {
	for name, key := range map[string][]byte{"alone": nil, "shard": Key(7, schedule.Shard{Index: 1, Of: 8})} {
		b.Run(name, func(b *testing.B) { benchmarkSeenSet(b, New(key)) })
	}
}

func benchmarkSeenSet(b *testing.B, s *Set) {
	value := []byte("4789023423714089478")
	b.ReportAllocs()
	for i := uint64(0); b.Loop(); i++ {
		for d := range 8 {
			value[d] = byte('0' + i>>(4*d)&15)
		}
		s.Claim(s.Digest(JTI, value), uint32(i))
	}
}

func TestSeenSetReservesWhatARunNeeds(t *testing.T) {
	for expected, slots := range map[uint64]int{0: 0, 1: 64, 100_000: 4096, 3_000_000: seenMaxSlots,
		math.MaxUint64: seenMaxSlots} {
		s := New([]byte("key"))
		s.Reserve(expected)
		assert.Len(t, s.stripes[7].hashes, slots, expected)
		for i := range uint32(min(expected, 100_000)) {
			s.Claim(s.Digest(JTI, fmt.Append(nil, i)), i)
		}
		assert.Len(t, s.stripes[7].hashes, slots, "room for %d does not grow", expected)
	}
}

// The most entries are left out evenly, and what two shards leave of the same values is the same choice.
func TestWhatIsLeftIsBounded(t *testing.T) {
	one, two := New(Key(3, schedule.Shard{Index: 1, Of: 2})), New(Key(3, schedule.Shard{Index: 2, Of: 2}))
	for i := range uint32(3000) {
		one.Claim(one.Digest(JTI, fmt.Appendf(nil, "jti-%d", i)), i)
		two.Claim(two.Digest(JTI, fmt.Appendf(nil, "jti-%d", i+2000)), i)
	}
	a, level := one.left(1000)
	assert.Equal(t, 2, level)
	assert.InDelta(t, 750, len(a), 120)
	all, none := two.left(5000)
	assert.Zero(t, none)
	assert.Len(t, all, 3000)
	b, _ := two.left(1000)
	same := map[Digest]bool{}
	for _, v := range a {
		same[v.Digest] = true
		assert.Equal(t, uint64(sharedJTI), v.Hash>>spaceAt&3)
	}
	met := 0
	for _, v := range b {
		if same[v.Digest] {
			met++
		}
	}
	assert.InDelta(t, 250, met, 60, "of the 1,000 values that both saw each fourth is watched by both")
	other := New(Key(4, schedule.Shard{Index: 1, Of: 2}))
	assert.NotEqual(t, one.Digest(JTI, []byte("x")), other.Digest(JTI, []byte("x")), "another run has another key")
	assert.Equal(t, one.Digest(JTI, []byte("x")), two.Digest(JTI, []byte("x")))
	assert.NotEqual(t, one.Digest(JTI, []byte("x")), one.Digest(Session, []byte("x")))
	owner, again := one.Claim(one.Digest(JTI, []byte("jti-7")), 9)
	assert.True(t, again)
	assert.EqualValues(t, 7, owner)
	collided := one.Digest(JTI, []byte("jti-8"))
	collided.check++
	_, again = one.Claim(collided, 9)
	assert.False(t, again, "another value with the same 64 bits is no repeat")
}

// A file of before, whose values were packed too, is read as one of today.
func TestFilesOfOneMemberAreRead(t *testing.T) {
	shards := []schedule.Shard{{Index: 1, Of: 2}, {Index: 2, Of: 2}}
	for name, rewrite := range map[string]func(*testing.T, string){
		"as it is left": func(*testing.T, string) {},
		"of one member": func(t *testing.T, path string) {
			file, err := os.Open(path)
			require.NoError(t, err)
			zip, err := gzip.NewReader(file)
			require.NoError(t, err)
			content, err := io.ReadAll(zip)
			require.NoError(t, err)
			require.NoError(t, file.Close())
			var out bytes.Buffer
			packed, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
			require.NoError(t, err)
			_, err = packed.Write(content)
			require.NoError(t, errors.Join(err, packed.Close()))
			require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var left []*Left
			for _, shard := range shards {
				folder := t.TempDir()
				s := New(Key(3, shard))
				for i := range uint32(1000) {
					s.Claim(s.Digest(JTI, fmt.Appendf(nil, "jti-%d-%d", shard.Index, i)), i)
				}
				s.Claim(s.Digest(Session, []byte("of both")), 998+uint32(shard.Index))
				number := func(n uint32) uint32 { return uint32(shard.Index-1) + n*2 }
				require.NoError(t, s.Leave(folder, shard, number, func(n uint32) string { return fmt.Sprintf("account L…%d", n) }))
				rewrite(t, filepath.Join(folder, File))
				left = append(left, &Left{Name: shard.String(), Folder: folder, Watching: true, Ended: true})
			}
			u := Across(left, 2)
			assert.Equal(t, []string{"uniqueness was checked over 2 of 2 shards"}, u.Notes)
			require.Len(t, u.Wrong, 1)
			assert.Equal(t, "a session token came to two shards: to account L…1998 in shard 1/2 and to account L…2001 in shard 2/2", u.Wrong[0].Message)
		})
	}
}

// Shards may have left few values or many: each one that came to clients of two shards is found, wherever it stands in
// their files.
func TestEveryMeetingOfUnevenShardsIsFound(t *testing.T) {
	sizes := []uint32{0, 1, readTogether / 2, readTogether, readTogether + 1, 3000, 700, 20_000, 5}
	var left []*Left
	had, met := map[string]bool{}, int64(0)
	for index, size := range sizes {
		shard, folder := schedule.Shard{Index: index + 1, Of: len(sizes)}, t.TempDir()
		s := New(Key(3, shard))
		for i := range size {
			value := fmt.Sprintf("jti-%d-%d", index, i)
			if i%3 == 2 {
				value = fmt.Sprintf("jti-of-all-%d", i)
			}
			if had[value] {
				met++
			}
			had[value] = true
			s.Claim(s.Digest(JTI, []byte(value)), i)
		}
		require.NoError(t, s.Leave(folder, shard, func(n uint32) uint32 { return n }, func(n uint32) string { return fmt.Sprint("client ", n) }))
		left = append(left, &Left{Name: shard.String(), Folder: folder, Watching: true, Ended: true})
	}
	u := Across(left, len(sizes))
	assert.Equal(t, []string{"uniqueness was checked over 9 of 9 shards"}, u.Notes)
	require.NotEmpty(t, u.Wrong)
	assert.Equal(t, met, u.Wrong[0].Times)
}

// spread makes numbers in a row look random (SplitMix64).
func spread(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
