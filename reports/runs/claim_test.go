//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package runs

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports"
)

func TestOneRunAtATimeIsOnItsWayToAFolder(t *testing.T) {
	root := t.TempDir()
	at := filepath.Join(root, "nightly")
	first, err := NewFolderAt(at, reports.Run{ID: "first"})
	require.NoError(t, err)
	_, err = NewFolderAt(at, reports.Run{ID: "second"})
	require.EqualError(t, err, fmt.Sprintf("another run is on its way to %s (at present in %s.first.partial): wait until it has ended, or name another folder", at, at))
	beside, err := NewFolderAt(filepath.Join(root, "nightly.eu"), reports.Run{ID: "third"})
	require.NoError(t, err, "a folder whose name begins in the same way is another one")
	again, err := NewFolderAt(filepath.Join(root, "night"), reports.Run{ID: "fourth"})
	require.NoError(t, err)

	_, err = first.Finish()
	require.NoError(t, err)
	next, err := NewFolderAt(at, reports.Run{ID: "fifth"})
	require.NoError(t, err, "the first has ended")
	for _, f := range []*Folder{beside, again, next} {
		_, err := f.Finish()
		require.NoError(t, err)
	}
}

func TestFolderLeftByAKilledRunClaimsNothing(t *testing.T) {
	at := filepath.Join(t.TempDir(), "nightly")
	dead, err := NewFolderAt(at, reports.Run{ID: "dead"})
	require.NoError(t, err)
	require.NoError(t, dead.held.Close()) // as the end of its process does
	next, err := NewFolderAt(at, reports.Run{ID: "next"})
	require.NoError(t, err)
	_, err = next.Finish()
	require.NoError(t, err)
	assert.DirExists(t, at+".dead.partial", "what it has found can still be rendered")
}

func TestOfRunsThatBeginAtTheSameTimeOneGoesOn(t *testing.T) {
	for range 20 {
		at := filepath.Join(t.TempDir(), "nightly")
		var all sync.WaitGroup
		var mutex sync.Mutex
		var went []*Folder
		for i := range 8 {
			all.Go(func() {
				if f, err := NewFolderAt(at, reports.Run{ID: fmt.Sprint(i)}); err == nil {
					mutex.Lock()
					went = append(went, f)
					mutex.Unlock()
				}
			})
		}
		all.Wait()
		require.Len(t, went, 1)
	}
}

func TestFolderAboveThatIsHeldByOthersIsNoObstacle(t *testing.T) {
	root := t.TempDir()
	held, err := hold(root) // flock DIR agstest …
	require.NoError(t, err)
	defer held.Close()
	start := time.Now()
	_, err = NewFolderAt(filepath.Join(root, "nightly"), reports.Run{ID: "x"})
	require.NoError(t, err)
	assert.Less(t, time.Since(start), 10*time.Second)
	entries, err := os.ReadDir(root)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}
