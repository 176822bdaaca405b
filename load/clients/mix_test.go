package clients

import (
	"testing"

	"agstest/load/hit"
	"agstest/load/schedule"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestMixIsExactInEveryRound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mix := map[string]int{
			hit.OpSignOn:   rapid.IntRange(0, 40).Draw(t, "signon"),
			hit.OpRefresh:  rapid.IntRange(1, 40).Draw(t, "refresh"),
			hit.OpDiscover: rapid.IntRange(0, 5).Draw(t, "discover"),
		}
		seed := rapid.Uint64().Draw(t, "seed")
		m, err := newMixer(mix, seed, schedule.Shard{})
		require.NoError(t, err)
		again, err := newMixer(mix, seed, schedule.Shard{})
		require.NoError(t, err)
		first := rapid.Uint64Range(0, 1<<40).Draw(t, "round") * m.total
		counts := map[string]int{}
		for seq := first; seq < first+m.total; seq++ {
			require.Equal(t, m.at(seq), again.at(seq), "the same seed gives the same mix")
			counts[m.at(seq).String()]++
		}
		for name, share := range mix {
			require.Equal(t, share, counts[name], name)
		}
		hits := rapid.Uint64Range(1, 500).Draw(t, "hits")
		signOns := uint64(0)
		for seq := range hits {
			if m.at(seq) == stepSignOn {
				signOns++
			}
		}
		require.LessOrEqual(t, signOns, m.most(stepSignOn, hits), "the number of session tokens that were planned is enough")
	})
}

func TestShardsTogetherMixLikeOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mix := map[string]int{hit.OpSignOn: rapid.IntRange(1, 9).Draw(t, "signon"), hit.OpRefresh: rapid.IntRange(1, 9).Draw(t, "refresh")}
		seed, of := rapid.Uint64().Draw(t, "seed"), rapid.IntRange(2, 9).Draw(t, "shards")
		one, err := newMixer(mix, seed, schedule.Shard{})
		require.NoError(t, err)
		hits := rapid.Uint64Range(1, 300).Draw(t, "hits")
		for i := range of {
			part := schedule.Shard{Index: i + 1, Of: of}
			m, err := newMixer(mix, seed, part)
			require.NoError(t, err)
			signOns := uint64(0)
			for seq := range hits {
				require.Equal(t, one.at(seq*uint64(of)+uint64(i)), m.at(seq), "hit %d of shard %s", seq, part)
				if m.at(seq) == stepSignOn {
					signOns++
				}
			}
			require.Equal(t, signOns, m.most(stepSignOn, hits))
		}
	})
}

func TestMixOfManySharesSpreads(t *testing.T) {
	m, err := newMixer(map[string]int{hit.OpSignOn: 1, hit.OpRefresh: 720}, 7, schedule.Shard{})
	require.NoError(t, err)
	signOns := 0
	for seq := range uint64(7210) {
		if m.at(seq) == stepSignOn {
			signOns++
		}
	}
	assert.Equal(t, 10, signOns)
}

func TestMixRefusesWhatItCannotMix(t *testing.T) {
	for says, mix := range map[string]map[string]int{
		"a mix can hold signon, refresh, discover": {"signout": 1},
		"needs a mix":     {},
		"a share below 0": {hit.OpSignOn: -1, hit.OpRefresh: 2},
	} {
		_, err := newMixer(mix, 1, schedule.Shard{})
		require.ErrorContains(t, err, says)
	}
}

func TestParseMix(t *testing.T) {
	mix, err := ParseMix("signon=1, refresh=9")
	require.NoError(t, err)
	assert.Equal(t, map[string]int{"signon": 1, "refresh": 9}, mix)
	for text, word := range map[string]string{
		"": "name=share", "signon": "name=share", "=1": "name=share", "signon=x": "whole number", "signon=-1": "whole number",
		"signon=1,signon=2": "twice", "signon=0": "nothing would be sent",
	} {
		_, err := ParseMix(text)
		assert.ErrorContains(t, err, word, text)
	}
}
