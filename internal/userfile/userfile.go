// Package userfile opens the files that users write. Editors and shells of Windows save text with a byte order mark,
// with CRLF line ends or as UTF-16; all code reads users' files through this package, so that all of them are read
// alike.
package userfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

// The byte order marks of the Unicode Standard, section 23.8.
var (
	markUTF8    = []byte{0xef, 0xbb, 0xbf}
	markUTF16BE = []byte{0xfe, 0xff}
	markUTF16LE = []byte{0xff, 0xfe}
)

// Open opens a file for reading as UTF-8 without a byte order mark. A file that begins with the mark of UTF-16 is
// converted while it is read; any other is passed on as it is, line ends included. It is meant for files too large for
// Read. An error names no path.
func Open(path string) (io.ReadCloser, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, WithoutPath(err)
	}
	in, err := decoded(file)
	if err != nil {
		file.Close()
		return nil, WithoutPath(err)
	}
	return struct {
		io.Reader
		io.Closer
	}{in, file}, nil
}

// Read reads a file of at most the given number of bytes as Text does. An error names no path: the caller says which
// file and what for.
func Read(path string, most int64) ([]byte, error) {
	data, err := readBytes(path, most)
	if err != nil {
		return nil, err
	}
	return Text(data)
}

// maxPEM is far above any bundle of certificates.
const maxPEM = 16 << 20

// ReadPEM reads a file in PEM form (RFC 7468), which is text. One in binary form is an error that says how it becomes
// PEM.
func ReadPEM(path string) ([]byte, error) {
	data, err := readBytes(path, maxPEM)
	if err != nil {
		return nil, err
	}
	// how DER and PKCS #12 begin (ITU-T X.690); no PEM does, with its text "-----BEGIN" or words before it
	const sequence = 0x30
	if len(data) > 1 && data[0] == sequence && data[1] >= 0x80 {
		return nil, errors.New("it is in binary form (DER or PKCS #12); write it as PEM, a certificate with: openssl x509 " +
			"-inform der -in FILE -out FILE.pem")
	}
	return Text(data)
}

func readBytes(path string, most int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, WithoutPath(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, most+1))
	if err != nil {
		return nil, WithoutPath(err)
	}
	if int64(len(data)) > most {
		return nil, TooLargeError{most}
	}
	return data, nil
}

// TooLargeError is the error of a file that has more than Most bytes.
type TooLargeError struct{ Most int64 }

func (e TooLargeError) Error() string {
	if e.Most >= 1<<20 {
		return fmt.Sprintf("it is larger than %d MiB", e.Most>>20)
	}
	return fmt.Sprintf("it is larger than %d bytes", e.Most)
}

// Text returns the content of a user's file in UTF-8, without a byte order mark and with line ends of one character.
// For content that is no text it returns an error that says where and what to do.
func Text(data []byte) ([]byte, error) {
	in, err := decoded(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if data, err = io.ReadAll(in); err != nil {
		return nil, err
	}
	if at := bytes.IndexByte(data, 0); at >= 0 {
		return nil, fmt.Errorf(
			"line %d holds a zero byte, as UTF-16 without a byte order mark does; save the file as UTF-8",
			lineAt(data, at))
	}
	if at := firstInvalid(data); at >= 0 {
		return nil, fmt.Errorf("line %d is not UTF-8 (byte 0x%02x); save the file as UTF-8", lineAt(data, at), data[at])
	}
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), nil
}

// decoded takes a byte order mark away and converts UTF-16.
func decoded(in io.Reader) (io.Reader, error) {
	buffered := bufio.NewReaderSize(in, 1<<16)
	start, err := buffered.Peek(len(markUTF8))
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.Equal(start, markUTF8):
		_, err = buffered.Discard(len(markUTF8))
		return buffered, err
	case bytes.HasPrefix(start, markUTF16BE), bytes.HasPrefix(start, markUTF16LE):
		return unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(buffered), nil
	}
	return buffered, nil
}

func lineAt(data []byte, at int) int { return 1 + bytes.Count(data[:at], []byte("\n")) }

// firstInvalid returns the index of the first byte that is not UTF-8; -1 if there is none.
func firstInvalid(data []byte) int {
	if utf8.Valid(data) {
		return -1
	}
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			return at
		}
		at += size
	}
	return -1
}

// WithoutPath is the cause of an error about a file, without its path, for a sentence that names the path itself.
func WithoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return err
}
