package tally

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"agstest/reports"
)

// writtenFrames are frames as a Recorder writes them: plain ones, one with all there is, and the last one of a run.
func writtenFrames(t testing.TB) [][]byte {
	random := rand.New(rand.NewPCG(5, 5))
	var p Packer
	var frames []*Frame
	for second := range 4 {
		s := newSecondTally(2)
		for i := range s.operations {
			o := &s.operations[i]
			for range 50 {
				s.lag.AddTimes(random.Int64N(100_000), 1)
				o.response.AddTimes(random.Int64N(1e9), 1+random.Int64N(200))
			}
			o.Sent, o.Right, o.asked[second], o.statuses[200], o.Bytes = 50, 49, 50, 49, 99
			o.missed[0], o.kinds["timeout"], o.why[whyKey{"timeout", 0}] = 1, 1, 1
		}
		f := frameOf(second, s, &p)
		f.Due, f.Health = 50, Health{Elapsed: 1e9, Sending: 1e9, CPUs: 2, CPU: 5e6, ClockStep: -7, GC: p.Pack(&s.lag)}
		frames = append(frames, f)
	}
	late := reports.Hit{Operation: "a", Kind: "timeout", Number: 1, Client: "client \"1\"", Sent: 9e8, Response: 2e6}
	all := frames[2]
	all.Connections, all.Exchanges, all.Phases, all.Traces = 3, 4, []Packed{all.Lag, nil, all.Lag}, traceCounts{Sent: 5, Same: 2}
	all.Slow, all.Wrong = []reports.Hit{late}, []reports.Wrong{{Operation: "a", Kind: "timeout", Message: "]}, ü", Hit: &late}}
	frames[3].Clients, frames[3].End = []clientsFrame{{Kind: "timeout", Clients: 1}}, &Ending{Notes: []string{"{\\"}}
	var blocks [][]byte
	for _, f := range frames {
		block, err := blockOf(f)
		require.NoError(t, err)
		blocks = append(blocks, block[8:])
	}
	return blocks
}

// The output of a Recorder is read the short way, completely.
func TestFramesAreReadTheShortWay(t *testing.T) {
	for i, block := range writtenFrames(t) {
		var short, long Frame
		s := frameScan{text: block}
		assert.True(t, s.frame(&short), "frame %d", i)
		require.NoError(t, json.Unmarshal(block, &long))
		assert.Equal(t, long, short)
	}
}

// However a block is written or damaged, it is read as encoding/json reads it.
func TestFramesAreReadAsTheLibraryReadsThem(t *testing.T) {
	blocks := writtenFrames(t)
	rapid.Check(t, func(t *rapid.T) {
		block := append([]byte(nil), rapid.SampledFrom(blocks).Draw(t, "block")...)
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			at := rapid.IntRange(0, len(block)-1).Draw(t, "at")
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				block[at] = rapid.OneOf(rapid.SampledFrom([]byte(`{}[]",:\0-1e. `)), rapid.Byte()).Draw(t, "by")
			case 1:
				block = append(block[:at], block[at+1:]...)
			default: // a part comes twice
				end := rapid.IntRange(at, min(len(block), at+60)).Draw(t, "end")
				block = append(block[:end:end], block[at:]...)
			}
		}
		var short, long Frame
		got, want := readFrame(block, &short), json.Unmarshal(block, &long)
		require.Equal(t, want == nil, got == nil, "%s", block)
		if want == nil {
			require.Equal(t, long, short, "%s", block)
		}
	})
	for _, text := range []string{
		`{}`, `{"second":1,"second":2}`, `{"Second":1}`, `{"second":1.0}`, `{"second":-0}`, `{"second":01}`, `{"second":null}`, `{"lag":""}`, `{"lag":null}`, `{"lag":"AA="}`,
		`{"operations":[]}`, `{"operations":null}`, `{"operations":[{"asked":{"7":1,"07":2}}]}`, `{"operations":[{"asked":{"x":1}}]}`, `{"operations":[{"kinds":{"\u0061":1}}]}`,
		`{"due":99999999999999999999}`, `{"due":9223372036854775807}`, `{"more":1,"due":3}`, `{"end":{}}`, `{"end":{},"x`, `{"slow":[1]}`, ` {"due":1}`, `{"due":1} `, `{"due":1}x`, ``,
	} {
		var short, long Frame
		got, want := readFrame([]byte(text), &short), json.Unmarshal([]byte(text), &long)
		assert.Equal(t, want == nil, got == nil, text)
		if want == nil {
			assert.Equal(t, long, short, text)
		}
	}
}
