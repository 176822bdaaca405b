package environment

import (
	"fmt"
	"strings"

	"agstest/internal/failure"
	"agstest/internal/wire"
)

// places knows the line of each key of a file.
type places struct {
	name  string // of the file, as it was given
	lines map[string]int
}

// place returns where a key stands in the environment file, such as staging.yaml:7 for situations.active. For a key
// that the file does not give it is the line of the nearest key above it, or else the file alone. It is empty if there
// is no file.
func (e *Environment) place(key string) string {
	if e.places.name == "" || e.File == "" && e.Mock != nil {
		return ""
	}
	for path := key; path != ""; {
		if line, ok := e.places.lines[path]; ok {
			return fmt.Sprintf("%s:%d", e.places.name, line)
		}
		cut := strings.LastIndex(path, ".")
		if cut < 0 {
			break
		}
		path = path[:cut]
	}
	return e.places.name
}

// Located adds to an error of reaching the service where the key stands that is its likely reason.
func (e *Environment) Located(err error) error {
	key := wire.KeyOf(err)
	if key == "" {
		return err
	}
	if place := e.place(key); place != "" {
		return failure.Setupf("%w (%s)", err, place)
	}
	return err
}
