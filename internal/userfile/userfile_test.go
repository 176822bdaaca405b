package userfile

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// utf16File is a text as Windows saves it with "Unicode" or "Unicode big endian".
func utf16File(order binary.AppendByteOrder, text string) []byte {
	data := order.AppendUint16(nil, 0xfeff)
	for _, unit := range utf16.Encode([]rune(text)) {
		data = order.AppendUint16(data, unit)
	}
	return data
}

func TestTextOfWindows(t *testing.T) {
	const want = "name: Zoë 📺\nurl: x\n"
	crlf := strings.ReplaceAll(want, "\n", "\r\n")
	for name, data := range map[string][]byte{
		"plain":             []byte(want),
		"mark":              []byte("\ufeff" + want),
		"CRLF":              []byte(crlf),
		"mark and CRLF":     []byte("\ufeff" + crlf),
		"UTF-16":            utf16File(binary.LittleEndian, crlf),
		"UTF-16 big endian": utf16File(binary.BigEndian, crlf),
	} {
		t.Run(name, func(t *testing.T) {
			text, err := Text(data)
			require.NoError(t, err)
			assert.Equal(t, want, string(text))

			path := filepath.Join(t.TempDir(), "f")
			require.NoError(t, os.WriteFile(path, data, 0o600))
			text, err = Read(path, 1<<10)
			require.NoError(t, err)
			assert.Equal(t, want, string(text))

			in, err := Open(path)
			require.NoError(t, err)
			text, err = io.ReadAll(in)
			require.NoError(t, err)
			require.NoError(t, in.Close())
			assert.Equal(t, want, strings.ReplaceAll(string(text), "\r\n", "\n"))
		})
	}
}

func TestTextThatIsNone(t *testing.T) {
	for name, test := range map[string]struct {
		data []byte
		want string
	}{
		"UTF-16 without mark": {utf16File(binary.LittleEndian, "a: b\n")[2:], "line 1 holds a zero byte, as UTF-16 without a byte order mark does; save the file as UTF-8"},
		"Windows-1252":        {[]byte("a: b\nc: caf\xe9\n"), "line 2 is not UTF-8 (byte 0xe9); save the file as UTF-8"},
		"mark, then none":     {[]byte("\ufeffcaf\xe9"), "line 1 is not UTF-8 (byte 0xe9); save the file as UTF-8"},
	} {
		_, err := Text(test.data)
		assert.EqualError(t, err, test.want, name)
	}
}

func TestReadErrorsNameNoPath(t *testing.T) {
	dir := t.TempDir()
	for _, read := range []func(string) error{
		func(path string) error { _, err := Read(path, 10); return err },
		func(path string) error {
			in, err := Open(path)
			if err == nil {
				in.Close()
			}
			return err
		},
	} {
		for _, path := range []string{filepath.Join(dir, "none"), dir} {
			err := read(path)
			require.Error(t, err)
			assert.NotContains(t, err.Error(), dir)
		}
	}
	path := filepath.Join(dir, "large")
	require.NoError(t, os.WriteFile(path, make([]byte, 11), 0o600))
	_, err := Read(path, 10)
	assert.Equal(t, TooLargeError{10}, err)
}

func TestTextOfAnyKindComesOutAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.ReplaceAll(rapid.StringOf(rapid.RuneFrom([]rune("aé📺\n :"))).Draw(t, "text"), "\r", "")
		for _, data := range [][]byte{[]byte(text), []byte("\ufeff" + text), utf16File(binary.LittleEndian, text), utf16File(binary.BigEndian, text)} {
			got, err := Text(data)
			if err != nil || string(got) != text {
				t.Fatalf("%q became %q, %v", data, got, err)
			}
		}
	})
}

func TestFlaw(t *testing.T) {
	for value, want := range map[string]string{
		"":              "",
		"a":             "",
		"a b":           "",
		"Operator SSO":  "",
		"a\n":           "ends in a line break; take it away",
		"a\r\n":         "ends in a line break; take it away",
		"a \n":          "ends in a line break; take it away",
		"\na":           "begins with a line break; take it away",
		"a ":            "ends in white space; take it away",
		"a\u00a0":       "ends in white space; take it away",
		"\ta":           "begins with white space; take it away",
		"a\nb":          "holds a line break; write it in one line",
		"a\x00b":        "holds a control character; take it away",
		"a\tb":          "holds a control character; take it away",
		"\ufeffa":       "holds a control character; take it away",
		"a\u200b":       "holds a control character; take it away",
		" ":             "holds nothing but white space",
		"\r\n":          "holds nothing but white space",
		"päss wörd 📺 x": "",
	} {
		assert.Equal(t, want, Flaw(value), "%q", value)
	}
}
