package tally

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestARecordOnAFullDiskStops(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no full disk to write to")
	}
	r := &Recorder{file: full}
	r.Append(&Frame{})
	assert.ErrorIs(t, r.err, syscall.ENOSPC)
	r.Append(&Frame{})
	assert.ErrorIs(t, r.Close(), syscall.ENOSPC)
}
