package shards

import (
	"archive/tar"
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// framed is a result in a frame.
func framed(t *testing.T, index int, content []byte) string {
	t.Helper()
	var out bytes.Buffer
	written, err := writeFrame(&out, index, &Result{Bytes: int64(len(content)), SHA256: HashOf(content)}, bytes.NewReader(content), defaultMostLogged)
	require.NoError(t, err)
	require.True(t, written)
	return out.String()
}

func TestFrameComesBackWhole(t *testing.T) {
	t.Parallel()
	random := make([]byte, 20_000)
	_, _ = rand.Read(random)
	for name, content := range map[string][]byte{"nothing": {}, "text": []byte("load.record"), "large": random} {
		frame := framed(t, 2, content)
		for where, log := range map[string]string{
			"alone":               frame,
			"among other lines":   "a warning\n" + frame + "one more\n",
			"twice":               framed(t, 2, []byte("older")) + frame,
			"of other shards too": framed(t, 1, []byte("other")) + frame + framed(t, 3, []byte("other")),
			"with CR LF":          strings.ReplaceAll(frame, "\n", "\r\n"),
			"without a last end":  strings.TrimSuffix(frame, "\n"),
			"after one cut":       frame[:len(frame)/2] + "\n" + frame,
			"before one cut":      frame + frame[:len(frame)/2],
		} {
			got, result, err := readFrame(iotest.OneByteReader(strings.NewReader(log)), 2)
			require.NoError(t, err, "%s %s", name, where)
			assert.Equal(t, string(content), string(got), "%s %s", name, where)
			assert.Equal(t, &Result{Bytes: int64(len(content)), SHA256: HashOf(content)}, result)
		}
		for line := range strings.Lines(frame) {
			assert.LessOrEqual(t, len(line), frameLine+1)
		}
	}
}

func TestFrameThatIsCutOrGarbledIsRefused(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("a second of the run "), 500)
	frame := framed(t, 2, content)
	lines := strings.SplitAfter(frame, "\n")
	for name, test := range map[string]struct{ log, says string }{
		"empty":            {"", "the log holds no result"},
		"of another shard": {framed(t, 1, content), "the log holds no result"},
		"cut":              {frame[:len(frame)-110], "is cut off"},
		"no end":           {lines[0] + lines[1], "is cut off"},
		"no begin":         {strings.Join(lines[1:], ""), "the log holds no result"},
		"a line lost":      {lines[0] + lines[2], "is garbled"},
		"a byte changed":   {lines[0] + strings.Replace(lines[1], lines[1][30:31], "!", 1) + lines[2], "is garbled"},
		"another sum":      {strings.Replace(frame, HashOf(content), HashOf([]byte("x")), 1), "is garbled"},
		"another size":     {strings.Replace(frame, " 10000\n", " 9999\n", 1), "is garbled"},
		"far too large":    {strings.Replace(frame, " 10000\n", " 1000000000\n", 1), "the log holds no result"},
		"endless":          {lines[0] + strings.Repeat(strings.Repeat("A", frameLine)+"\n", 2100), "has no end"},
	} {
		_, result, err := readFrame(strings.NewReader(test.log), 2)
		assert.ErrorContains(t, err, test.says, name)
		assert.Nil(t, result)
	}
	_, _, err := readFrame(iotest.ErrReader(errors.New("the node is gone")), 2)
	assert.ErrorContains(t, err, "the log of the shard cannot be read: the node is gone")
}

func TestFrameOfALargeResultIsNotWritten(t *testing.T) {
	t.Parallel()
	content := make([]byte, 20_000)
	_, _ = rand.Read(content)
	var out bytes.Buffer
	written, err := writeFrame(&out, 0, &Result{Bytes: int64(len(content))}, bytes.NewReader(content), 10_000)
	require.NoError(t, err)
	assert.False(t, written, "the node keeps the newest 10 MiB of a log alone")
	assert.Zero(t, out.Len())
}

func TestPackedFoldersAreTheSameBytes(t *testing.T) {
	t.Parallel()
	folders := []string{t.TempDir(), t.TempDir()}
	for i, names := range [][]string{{"b", "a", "c.d"}, {"c.d", "a", "b"}} {
		for _, name := range names {
			require.NoError(t, os.WriteFile(filepath.Join(folders[i], name), []byte("content of "+name), 0o600))
		}
	}
	one, err := packFolder(folders[0])
	require.NoError(t, err)
	two, err := packFolder(folders[1])
	require.NoError(t, err)
	assert.Equal(t, one, two)
	again, err := packFolder(folders[0])
	require.NoError(t, err)
	assert.Equal(t, one, again, "the packed result is no part of itself")
}

func TestUnpackRefusesWhatIsNoFileOfARun(t *testing.T) {
	t.Parallel()
	for name, path := range map[string]string{"outside": "../evil", "absolute": "/etc/passwd", "empty": ""} {
		text := archive(t, path)
		assert.ErrorContains(t, Unpack(bytes.NewReader(text), t.TempDir()), "no file of a run", name)
	}
	folder := t.TempDir()
	require.NoError(t, Unpack(bytes.NewReader(archive(t, "sub/load.record")), folder))
	assert.FileExists(t, filepath.Join(folder, "sub", "load.record"))
	text := archive(t, "load.record")
	assert.ErrorContains(t, Unpack(bytes.NewReader(text[:700]), t.TempDir()), "damaged")
}

// archive is a tar with one file.
func archive(t *testing.T, name string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	content := bytes.Repeat([]byte("x"), 600)
	require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(content)), Mode: 0o600}))
	_, err := w.Write(content)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}
