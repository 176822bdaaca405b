package disarm

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var armed = []string{
	"##vso[task.logdetail]x", "##[group]x", "##[error]x", "##teamcity[message text='x']", "::notice::x", "::debug file=a,line=1::x", "::Group::x",
	"section_start:1560896352:name", "section_end:1560896353:name", "SECTION_START:1:x", "travis_fold:start:x",
	"\x1b]8;;http://example.com\x07link", "\x1b]0;title\x07", "\x1b[2J", "\u009b2J", "\x9b2J", "a\rb", "\x08\x7f", "\u202egnp.exe", "\u2066x",
}

// obeyed is what an agent or a terminal looks for, written apart from what the package looks for.
func obeyed(text string) string {
	for _, sign := range []string{"##vso[", "##[", "##teamcity[", "::notice", "::debug", "::group", "section_start:", "section_end:", "travis_fold:"} {
		if strings.Contains(strings.ToLower(text), sign) {
			return sign
		}
	}
	for _, r := range text {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r == '\u202e' || r == '\u2066' {
			return "a control character"
		}
	}
	return ""
}

func TestTextDisarmsMarksAndControls(t *testing.T) {
	for _, text := range armed {
		for _, around := range []string{text, "said: " + text, "line\n" + text + "\nline"} {
			assert.NotEmpty(t, obeyed(strings.ReplaceAll(around, "\x9b", "\u009b")), "the test would see %q", around)
			got := Text(around)
			assert.Empty(t, obeyed(got), "%q", got)
			assert.True(t, strings.Contains(got, brokenBy) || strings.ContainsRune(got, replacement), "%q: one sees that it was changed", got)
			assert.Equal(t, got, Text(got), "twice is once")
		}
	}
	for _, text := range []string{"plain", "# Head", "## Head", "## [1.0]", "a: b", "http://[fd00::a]:8080/x", "[::1]:80", "12:30:00", "100 %\t\n"} {
		assert.Equal(t, text, Text(text))
	}
}

func TestWriterKnowsMarksInPieces(t *testing.T) {
	for _, text := range armed {
		for size := 1; size <= len(text); size++ {
			var out bytes.Buffer
			w := NewWriter(&out, nil)
			whole := []byte("before " + text + " behind\n")
			for at := 0; at < len(whole); at += size {
				piece := whole[at:min(at+size, len(whole))]
				n, err := w.Write(piece)
				require.NoError(t, err)
				require.Equal(t, len(piece), n)
			}
			assert.Empty(t, obeyed(out.String()), "%q in pieces of %d", out.String(), size)
			assert.True(t, strings.HasPrefix(out.String(), "before ") && strings.HasSuffix(out.String(), " behind\n"), "%q", out.String())
		}
	}
}

func TestWriterLetsOnlyColoursThrough(t *testing.T) {
	var out bytes.Buffer
	w := NewWriter(&out, nil)
	w.Styles(true)
	_, _ = w.Write([]byte("\x1b[1;31mFAIL\x1b[0m \x1b[2J\x1b]0;x\x07"))
	assert.Equal(t, "\x1b[1;31mFAIL\x1b[0m \uFFFD[2J\uFFFD]0;x\uFFFD", out.String())
}

func TestEncodedTextsSayTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.OneOf(rapid.SampledFrom(armed), rapid.String()), 1, 6).Draw(t, "parts")
		text := strings.ToValidUTF8(strings.Join(parts, ""), "\uFFFD")
		encoded, err := json.Marshal(map[string]string{text: text})
		if err != nil {
			t.Fatal(err)
		}
		safe := JSON(encoded)
		if sign := obeyed(string(safe)); sign != "" {
			t.Fatalf("%s holds %s", safe, sign)
		}
		var back map[string]string
		if err := json.Unmarshal(safe, &back); err != nil || back[text] != text {
			t.Fatalf("%s: %v", safe, err)
		}
		var escaped bytes.Buffer
		if err := xml.EscapeText(&escaped, []byte(text)); err != nil {
			t.Fatal(err)
		}
		document := append(append([]byte("<a>"), escaped.Bytes()...), "</a>"...)
		var before, after string
		if err := xml.Unmarshal(document, &before); err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(XML(document), &after); err != nil || after != before {
			t.Fatalf("%s: %v", XML(document), err)
		}
	})
}
