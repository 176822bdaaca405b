package transport

import "agstest/internal/failure"

// ownFiles is how many files a run has open besides its connections, roughly.
const ownFiles = 24

// WorkersWithin returns how many requests may be under way at once if the given number of files may be open: each
// request uses a connection of its own, which is a file. Asked is the user's number, 0 for as many as are of use on one
// machine. If files are few, the embedded mock needs its side of each connection too.
func WorkersWithin(files, asked int) (int, error) {
	switch {
	case asked > 0 && asked > files-ownFiles:
		return 0, failure.Usagef("%d workers may each need a connection of their own, and this process may have no more "+
			"than %d files open; raise the limit (ulimit -n %d), or give fewer --workers",
			asked, files, asked+ownFiles)
	case asked > 0:
		return asked, nil
	case files < 1024:
		return max(1, (files-ownFiles)/2), nil
	}
	return min(20_000, files-256), nil
}
