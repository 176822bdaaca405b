package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
)

const secretOfPanic = "session-token-in-a-panic"

// mainWithBrokenClock is agstest, but for a clock that panics with a secret as soon as a goroutine other than the first
// one reads it. Progress reads it, and is told on the goroutines of a run.
func mainWithBrokenClock() {
	first := goroutine()
	p := &program{getenv: os.LookupEnv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, now: func() time.Time {
		if goroutine() != first {
			panic(secretOfPanic)
		}
		return time.Now()
	}}
	os.Exit(p.run(os.Args[1:]))
}

// goroutine is the number of the one that asks.
func goroutine() string {
	stack := make([]byte, 64)
	return strings.Fields(string(stack[:runtime.Stack(stack, false)]))[1]
}

func TestPanicInAnyGoroutineEndsWithOneSentence(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		args []string
	}{
		{"load", []string{"load", "--workload", "refresh", "--rate", "20/s", "--duration", "20s", "--out", "run"}},
		{"conform", []string{"conform", "--tags", "@refresh", "--generate", "0", "--sequences", "0", "--out", "run"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c := newChild(t, dir, test.args...).as("agstest-with-broken-clock")
			assert.Equal(t, exitInternal, c.start().code())
			stderr := c.stderr.String()
			assert.Contains(t, stderr, "agstest: internal error at agstest/cmd/agstest.mainWithBrokenClock.func1, line ")
			assert.Equal(t, 1, strings.Count(stderr, "agstest: "), stderr)
			for _, leak := range []string{secretOfPanic, "goroutine ", "panic:"} {
				assert.NotContains(t, stderr+c.stdout.String(), leak)
			}
			assert.NoDirExists(t, filepath.Join(dir, "run"), "half a run is no run")
			partial, _ := filepath.Glob(filepath.Join(dir, "run.*.partial"))
			require.Len(t, partial, 1)
			texts := map[string]string{}
			require.NoError(t, filepath.WalkDir(partial[0], func(path string, entry fs.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return err
				}
				content, err := os.ReadFile(path)
				texts[path] = string(content)
				return err
			}))
			assert.Empty(t, search(texts, map[string]string{secretOfPanic: "the value of the panic"}))

			c = newChild(t, dir, test.args...).as("agstest-with-broken-clock") // and for those who look for the fault
			c.Env = append(c.Env, "GOTRACEBACK=all")
			assert.Equal(t, 2, c.start().code())
			assert.Contains(t, c.stderr.String(), "panic: "+secretOfPanic, "without the guard a panic shows its value: this test can see it")
		})
	}
}

// guardedBesides are functions that a library calls on a goroutine of its own, and that are not written where they are
// handed over.
var guardedBesides = []string{"(*attack).RoundTrip", "(*schedulePacer).Pace", "step"}

// ofTestsOnly are packages that no program is made of.
var ofTestsOnly = []string{"internal/gateways/", "internal/hostile/", "load/kubernetes/cluster/"}

// TestEveryGoroutineIsGuarded reads the source: whatever is started on a goroutine defers failure.Guard, and tells
// nobody that it is over before that.
func TestEveryGoroutineIsGuarded(t *testing.T) {
	root := filepath.Join("..", "..")
	var found, besides []string
	require.NoError(t, fs.WalkDir(onlySource(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if slices.ContainsFunc(ofTestsOnly, func(folder string) bool { return strings.HasPrefix(path, folder) }) {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		require.NoError(t, err)
		guarded, unguarded, named := goroutines(t, path, text)
		found, besides = append(found, guarded...), append(besides, named...)
		for _, at := range unguarded {
			t.Errorf("%s starts a goroutine without: defer failure.Guard()", at)
		}
		return nil
	}))
	assert.GreaterOrEqual(t, len(found), 12, "the search finds little: %v", found)
	for _, name := range guardedBesides {
		assert.Contains(t, besides, name, "it does not begin with: defer failure.Guard()")
	}
}

func TestUnguardedGoroutinesAreFound(t *testing.T) {
	_, unguarded, _ := goroutines(t, "x.go", []byte(`package x
func f() {
	go func() {}()
	go f()
	group.Go(func() { defer done(); work() })
	group.Go(f)
	time.AfterFunc(d, func() { defer failure.Guard(); defer group.Done() })
	context.AfterFunc(ctx, stop)
	go func() { defer group.Done(); defer failure.Guard(); defer leave(); work() }()
}
`))
	assert.Equal(t, []string{"x.go:3", "x.go:4", "x.go:5", "x.go:6", "x.go:7", "x.go:8"}, unguarded)
}

// goroutines tells where a source file starts goroutines, guarded or not, and which of its functions begin with a
// guard.
func goroutines(t *testing.T, path string, text []byte) (guarded, unguarded, named []string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
	require.NoError(t, err)
	note := func(at token.Pos, f ast.Expr) {
		line := path + ":" + strconv.Itoa(files.Position(at).Line)
		if literal, ok := f.(*ast.FuncLit); ok && beginsGuarded(literal.Body) {
			guarded = append(guarded, line)
			return
		}
		unguarded = append(unguarded, line)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			note(n.Pos(), n.Call.Fun)
		case *ast.CallExpr:
			if selector, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) > 0 && slices.Contains([]string{"Go", "AfterFunc"}, selector.Sel.Name) {
				note(n.Pos(), n.Args[len(n.Args)-1])
			}
		case *ast.FuncDecl:
			if n.Body != nil && beginsGuarded(n.Body) {
				name := n.Name.Name
				if n.Recv != nil {
					if pointer, ok := n.Recv.List[0].Type.(*ast.StarExpr); ok {
						name = "(*" + pointer.X.(*ast.Ident).Name + ")." + name
					}
				}
				named = append(named, name)
			}
		}
		return true
	})
	return guarded, unguarded, named
}

// beginsGuarded tells whether a function begins with the guard, among other things that it defers. A call that tells
// others of its end is deferred before the guard, and so runs after it.
func beginsGuarded(body *ast.BlockStmt) bool {
	guarded := false
	for _, statement := range body.List {
		deferred, ok := statement.(*ast.DeferStmt)
		if !ok {
			if lock, isCall := statement.(*ast.ExprStmt); isCall && strings.HasSuffix(called(lock.X), ".Lock") {
				continue
			}
			break
		}
		switch name := called(deferred.Call); {
		case name == "failure.Guard":
			guarded = true
		case guarded && (name == "close" || strings.HasSuffix(name, ".Done")):
			return false
		}
	}
	return guarded
}

func called(x ast.Expr) string {
	call, ok := x.(*ast.CallExpr)
	if !ok {
		return ""
	}
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if inner, ok := f.X.(*ast.SelectorExpr); ok {
			return inner.Sel.Name + "." + f.Sel.Name
		}
		if of, ok := f.X.(*ast.Ident); ok {
			return of.Name + "." + f.Sel.Name
		}
		return "." + f.Sel.Name
	}
	return ""
}

func TestGuardLetsPanicsBeWhereNobodyIsTold(t *testing.T) {
	failure.OnPanic(nil)
	assert.PanicsWithValue(t, "as it was", func() {
		defer failure.Guard()
		panic("as it was")
	})
}
