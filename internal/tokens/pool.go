package tokens

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"agstest/internal/environment"
)

// usedSuffix ends the name of the file that lists used tokens.
const usedSuffix = ".used"

// TooFewError is the error of a pool that has fewer unused tokens than are needed.
type TooFewError struct {
	Pool         string
	Unused, Need int
}

func (e TooFewError) Error() string {
	return fmt.Sprintf(
		"%s holds %d session tokens that are not used yet, and %d are needed; add fresh ones (%s notes the used ones)",
		e.Pool, e.Unused, e.Need, e.Pool+usedSuffix)
}

// pools is held while tokens are taken: several runs of this process may share a pool.
var pools sync.Mutex

// unused are the tokens of a pool that no run has used.
func unused(path string) ([]string, error) {
	all, err := environment.ReadPool(path)
	if err != nil {
		return nil, err
	}
	noted, err := os.ReadFile(path + usedSuffix)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot read which tokens of the pool are used: %w", err)
	}
	used := map[string]bool{}
	for line := range bytes.FieldsSeq(noted) {
		used[string(line)] = true
	}
	left := all[:0]
	for _, token := range all {
		if !used[mark(token)] {
			left = append(left, token)
		}
	}
	return left, nil
}

// fromPool takes tokens of a pool, all or none. They are noted as used before they are given away.
func fromPool(path string, count int) ([]string, error) {
	pools.Lock()
	defer pools.Unlock()
	left, err := unused(path)
	if err != nil {
		return nil, err
	}
	if len(left) < count {
		return nil, TooFewError{path, len(left), count}
	}
	left = left[:count]
	var notes bytes.Buffer
	for _, token := range left {
		notes.WriteString(mark(token) + "\n")
	}
	file, err := os.OpenFile(path+usedSuffix, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = file.Write(notes.Bytes())
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		return nil, fmt.Errorf("cannot note which tokens of the pool are used: %w", err)
	}
	return left, nil
}

// mark tells a token apart from others and does not give it away.
func mark(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:12])
}
