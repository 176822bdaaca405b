package tokens

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
	"unicode"

	"agstest/internal/userfile"
)

// The maxima of a source for each token: its time, and its size in bytes.
const (
	longestWait = 10 * time.Second
	maxBytes    = 8192
	shownBytes  = 300 // of what a command says when it fails
)

var errTooLong = errors.New("too long")

// bounded keeps the first bytes that are written. The write that goes beyond fails where strict, and is dropped where
// not.
type bounded struct {
	text   []byte // no bytes.Buffer within: what reads for itself would pass Write by
	most   int
	strict bool
	over   bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if room := b.most - len(b.text); len(p) > room {
		b.over = true
		b.text = append(b.text, p[:room]...)
		if b.strict {
			return 0, errTooLong
		}
		return len(p), nil
	}
	b.text = append(b.text, p...)
	return len(p), nil
}

func (b *bounded) String() string { return string(b.text) }

// command gets a token from a program: its output on stdout, without one line end.
func command(ctx context.Context, dir string, args []string, what string) (string, error) {
	return filtered(ctx, dir, args, "", what)
}

// filtered gets a value from a program that reads another from stdin. The argument what names the value in errors.
func filtered(ctx context.Context, dir string, args []string, input, what string) (string, error) {
	token, complaint, err := run(ctx, dir, args, input, what)
	token = strings.TrimSuffix(strings.TrimSuffix(token, "\n"), "\r")
	switch {
	case err != nil:
		return "", err
	case token == "":
		return "", fmt.Errorf("the command %s wrote nothing to stdout%s", args[0], saidWithout(complaint, token, input))
	}
	if flaw := userfile.Flaw(token); flaw != "" {
		return "", fmt.Errorf("the command %s wrote to stdout what is no %s: it %s", args[0], what,
			strings.TrimSuffix(flaw, "; take it away"))
	}
	return token, nil
}

// Run runs a program without a shell in a folder, for 10 s at most, and returns its output on stdout and stderr. Its
// error holds the end of stderr, which the caller redacts.
func Run(ctx context.Context, dir string, args []string) (stdout, stderr string, err error) {
	return run(ctx, dir, args, "", "session token")
}

func run(ctx context.Context, dir string, args []string, input, what string) (stdout, stderr string, err error) {
	ctx, cancel := context.WithTimeout(ctx, longestWait)
	defer cancel()
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	out, complaint := &bounded{most: maxBytes + 2, strict: true}, &bounded{most: 64 << 10}
	c.Dir, c.WaitDelay = dir, time.Second
	if input != "" {
		c.Stdin = strings.NewReader(input)
	}
	ownGroup(c)
	ended, err := runWith(ctx, c, out, complaint)
	token := strings.TrimSuffix(strings.TrimSuffix(out.String(), "\n"), "\r")
	name := args[0]
	switch {
	case out.over || len(token) > maxBytes:
		return "", "", fmt.Errorf("the command %s wrote more than %d bytes, which is no %s", name, maxBytes, what)
	case errors.Is(ended, context.DeadlineExceeded):
		return "", "", fmt.Errorf("the command %s took longer than %s and was ended%s", name, longestWait,
			saidWithout(complaint.String(), token, input))
	case ended != nil:
		return "", "", ended
	case err != nil && c.ProcessState == nil:
		return "", "", fmt.Errorf("the command %s cannot be run: %w", name, reason(err))
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return "", "", fmt.Errorf("the command %s failed (%s)%s", name, c.ProcessState,
			saidWithout(complaint.String(), token, input))
	}
	return out.String(), complaint.String(), nil
}

// runWith runs a command and takes what it writes. If the context had ended before the command did, ended is why.
func runWith(ctx context.Context, c *exec.Cmd, stdout, stderr *bounded) (ended, err error) {
	out, err := newStream(stdout)
	if err != nil {
		return nil, err
	}
	complaint, err := newStream(stderr)
	if err != nil {
		out.begin()
		out.end()
		return nil, err
	}
	c.Stdout, c.Stderr = out.given, complaint.given
	err = c.Start()
	out.begin()
	complaint.begin()
	if err == nil {
		err = c.Wait()
	}
	ended = ctx.Err()
	out.end()
	complaint.end()
	return ended, err
}

// reason takes the name of the program out of an error of os/exec.
func reason(err error) error {
	var e *exec.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// saidWithout is said, also without the command's input.
func saidWithout(text, token, input string) string {
	if input != "" {
		text = strings.ReplaceAll(text, input, "[secret]")
	}
	return said(text, token)
}

// said returns the end of a command's stderr, in one line and without the token.
func said(text, token string) string {
	if token != "" {
		text = strings.ReplaceAll(text, token, "[secret]")
	}
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) ||
			!unicode.IsPrint(r)
	}), " ")
	if text == "" {
		return ""
	}
	if runes := []rune(text); len(runes) > shownBytes {
		text = "…" + string(runes[len(runes)-shownBytes:])
	}
	return "; it said: " + text
}
