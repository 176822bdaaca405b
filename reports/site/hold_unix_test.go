//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package site

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTwoBuildsAtOnce: one builds the site, and the other says that it is being built; each took the files of the
// other for foreign ones.
func TestTwoBuildsAtOnce(t *testing.T) {
	t.Parallel()
	root, to := t.TempDir(), filepath.Join(t.TempDir(), "public")
	first, err := openTarget(to, false)
	require.NoError(t, err)
	_, err = Build(root, to, Options{})
	require.EqualError(t, err, "another process builds the site in "+to+": wait until it has ended, or name another folder")
	_, err = Build(root, to, Options{DryRun: true})
	require.NoError(t, err, "a look changes nothing")
	first.close()
	_, err = Build(root, to, Options{})
	require.NoError(t, err)
	put(t, to, markFile, "{}")
	_, err = Build(root, to, Options{})
	require.ErrorContains(t, err, "is not the mark of a site")
	again, err := openTarget(t.TempDir(), false)
	require.NoError(t, err)
	again.close()
	_, err = openTarget(to, false)
	require.ErrorContains(t, err, "is not the mark of a site", "a build that was refused holds nothing")
}
