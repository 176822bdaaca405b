//go:build !race

package systems

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// listed is a package as "go list" tells of it.
type listed struct {
	ImportPath, ForTest, Dir string
	GoFiles, TestGoFiles     []string
	ImportMap                map[string]string
	Module                   *struct{ Main bool }
}

// withBodies tells whether the bodies of its functions are read: once each, beside the tests of the package if it has
// any.
func (p listed) withBodies() bool {
	path, _, _ := strings.Cut(p.ImportPath, " ")
	switch {
	case p.Module == nil || !p.Module.Main:
		return false
	case p.ForTest == "":
		return len(p.TestGoFiles) == 0
	default:
		return path == p.ForTest || path == p.ForTest+"_test"
	}
}

// TestEverySystemTakesTheCode: with its tests, the code of this module fits Windows and macOS as well. Types are
// checked from the source, which takes a few seconds where "GOOS=windows go vet ./..." compiles all that the code
// stands on; bodies of functions are read of this module alone.
func TestEverySystemTakesTheCode(t *testing.T) {
	for _, system := range []string{"windows", "darwin"} {
		t.Run(system, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && system != "windows" {
				t.Skip("of the systems that the code is to fit, the one that lacks most is looked at")
			}
			own, errs := typeErrors(t, "../..", system)
			assert.Greater(t, own, 80, "packages of this module, those with tests twice")
			for _, err := range errs {
				t.Error(err)
			}
		})
	}
}

// TestWhatASystemLacksIsSeen: the check does find a call that Windows has not.
func TestWhatASystemLacksIsSeen(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it looks at the check, not at the code")
	}
	folder := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":       "module example\n\ngo 1.24\n",
		"some.go":      "package example\n",
		"some_test.go": "package example\n\nimport \"syscall\"\n\nvar _ = func() error { return syscall.Getrusage(0, nil) }\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	_, errs := typeErrors(t, folder, "windows")
	require.Len(t, errs, 1)
	assert.ErrorContains(t, errs[0], "some_test.go:5:")
	assert.ErrorContains(t, errs[0], "undefined: syscall.Getrusage")
	_, errs = typeErrors(t, folder, "darwin")
	assert.Empty(t, errs)
}

// typeErrors checks the types of a module in a folder for a system. It counts the packages of the module, with those
// that are tests.
func typeErrors(t *testing.T, folder, system string) (own int, errs []error) {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-test", "-deps",
		"-json=ImportPath,ForTest,Dir,GoFiles,TestGoFiles,ImportMap,Module", "./...")
	list.Dir = folder
	list.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0", "GOWORK=off")
	var said bytes.Buffer
	list.Stderr = &said
	out, err := list.Output()
	require.NoError(t, err, said.String())
	files, parsed, checked := token.NewFileSet(), map[string]*ast.File{}, map[string]*types.Package{"unsafe": types.Unsafe}
	for all := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := all.Decode(&p); errors.Is(err, io.EOF) {
			return own, errs
		} else {
			require.NoError(t, err)
		}
		if p.ImportPath == "unsafe" || strings.HasSuffix(p.ImportPath, ".test") { // the latter is made by "go test"
			continue
		}
		ours := p.Module != nil && p.Module.Main
		config := types.Config{
			IgnoreFuncBodies: !p.withBodies(), Sizes: types.SizesFor("gc", "amd64"), FakeImportC: true,
			Importer: importer(func(path string) (*types.Package, error) {
				if as := p.ImportMap[path]; as != "" {
					path = as
				}
				if found := checked[path]; found != nil {
					return found, nil
				}
				return nil, errors.New("it is not listed")
			}),
			Error: func(err error) {
				if ours {
					errs = append(errs, err)
				}
			},
		}
		var syntax []*ast.File
		for _, name := range p.GoFiles {
			name = filepath.Join(p.Dir, name)
			if parsed[name] == nil {
				file, err := parser.ParseFile(files, name, nil, parser.SkipObjectResolution)
				require.NoError(t, err)
				parsed[name] = file
			}
			syntax = append(syntax, parsed[name])
		}
		if ours {
			own++
			_, err := os.ReadDir(p.Dir) // a result that go test keeps holds until a file is added
			require.NoError(t, err)
		}
		path, _, _ := strings.Cut(p.ImportPath, " ")
		checked[p.ImportPath], _ = config.Check(path, files, syntax, nil)
	}
}

// importer gives packages by what stands in an import.
type importer func(path string) (*types.Package, error)

func (i importer) Import(path string) (*types.Package, error) { return i(path) }
