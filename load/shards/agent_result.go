package shards

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"agstest/internal/failure"
)

// headerSHA256 is the header of /result with the SHA-256 of the whole.
const headerSHA256 = "X-Content-SHA256"

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
		if err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path, Size: info.Size(), Mode: 0o600,
			Format: tar.FormatPAX}); err != nil {
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

// maxUnpacked bounds the size of an unpacked result, so that a broken one does not fill the disk.
const maxUnpacked = 8 << 30

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
	left := int64(maxUnpacked)
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
			return fmt.Errorf("the result of a shard holds more than %d GiB", maxUnpacked>>30)
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

// The attempts to store a result, and how long each may take. A result is some MB.
const (
	storeAttempts = 3
	storeWithin   = 2 * time.Minute
	storePause    = 2 * time.Second
)

// store puts the result to the results URL, which may be signed for this one use (a presigned URL of an object store).
// The URL is a secret and is in no message. A failure is of the kind failure.Setup; the result is served all the same.
func (a *Agent) store(ctx context.Context, s *standing) error {
	address := strings.ReplaceAll(a.ResultsURL, "{index}", strconv.Itoa(a.Index))
	where := "the results URL"
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		where = u.Host
	}
	var err error
	for attempt := range storeAttempts {
		if attempt > 0 && await(ctx.Done(), storePause, context.Background()) {
			break
		}
		var again bool
		if again, err = a.storeOnce(ctx, address, s.status().Result); err == nil {
			s.stored()
			a.words(s)
			return nil
		}
		if !again {
			break
		}
	}
	return failure.Setupf("the result of the shard could not be stored at %s: %w", where, err)
}

// resultsClient follows no redirect: a result, and an address that may be signed, go nowhere but where they were meant
// to.
var resultsClient = &http.Client{CheckRedirect: func(*http.Request,
	[]*http.Request) error {
	return http.ErrUseLastResponse
}}

func (a *Agent) storeOnce(ctx context.Context, address string, result *Result) (again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeWithin)
	defer cancel()
	file, err := os.Open(filepath.Join(a.Folder, resultFile))
	if err != nil {
		return false, errors.New("the packed result cannot be read")
	}
	defer file.Close()
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, address, io.NopCloser(file))
	if err != nil {
		return false, errors.New("the results URL is no address")
	}
	request.ContentLength = result.Bytes
	request.Header.Set("Content-Type", "application/x-tar")
	response, err := resultsClient.Do(request)
	if err != nil {
		var wrapped *url.Error // its text holds the address
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return true, err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return response.StatusCode >= 500, fmt.Errorf("it was answered %d", response.StatusCode)
	}
	return false, nil
}
