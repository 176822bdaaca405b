package shards

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// HeaderSHA256 is the header of /result with the SHA-256 of the whole.
const HeaderSHA256 = "X-Content-SHA256"

// resultFile is the packed result, in the folder that it is made of.
const resultFile = "result.tar"

// packFolder makes one file of the files of a folder: the same bytes for the same files, in the order of their names,
// without times and owners.
func packFolder(folder string) (*Result, error) {
	out, err := os.OpenFile(filepath.Join(folder, resultFile), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	count := &countingWriter{to: io.MultiWriter(out, hash)}
	err = writeTar(count, folder, func(name string) bool { return name != resultFile })
	if closing := out.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, err
	}
	return &Result{Bytes: count.bytes, SHA256: hex.EncodeToString(hash.Sum(nil))}, nil
}

type countingWriter struct {
	to    io.Writer
	bytes int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.bytes += int64(n)
	return n, err
}

// writeTar writes the files of a folder that are to be kept.
func writeTar(w io.Writer, folder string, keep func(name string) bool) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	t := tar.NewWriter(w)
	err = fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || !keep(path) {
			return err
		}
		file, err := root.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		info, err := file.Stat()
		if err != nil {
			return err
		}
		if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path, Size: info.Size(), Mode: 0o600, Format: tar.FormatPAX}); err != nil {
			return err
		}
		_, err = io.Copy(t, io.LimitReader(file, info.Size()))
		return err
	})
	if err != nil {
		return err
	}
	return t.Close()
}

// mostUnpacked bounds the size of an unpacked result, so that a broken one does not fill the disk.
const mostUnpacked = 8 << 30

// Unpack writes the files of a result into a folder, which it makes. A result that would write anywhere else is
// refused.
func Unpack(result io.Reader, folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	left := int64(mostUnpacked)
	for t := tar.NewReader(result); ; {
		header, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the result of a shard is damaged: %w", err)
		}
		if header.Typeflag != tar.TypeReg || !filepath.IsLocal(header.Name) {
			return fmt.Errorf("the result of a shard holds something that is no file of a run: %q", header.Name)
		}
		if left -= header.Size; left < 0 {
			return fmt.Errorf("the result of a shard holds more than %d GiB", mostUnpacked>>30)
		}
		switch err := unpackFile(root, header.Name, t); {
		case errors.Is(err, io.ErrUnexpectedEOF):
			return fmt.Errorf("the result of a shard is damaged: %w", err)
		case err != nil:
			return err
		}
	}
}

func unpackFile(root *os.Root, name string, content io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	if closing := file.Close(); err == nil {
		err = closing
	}
	return err
}
