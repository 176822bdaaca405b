package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// calls finds a call of agstest in a document: at the start of a line of code, or quoted in a pipeline.
var calls = regexp.MustCompile("(?m)(?:^|[\\s\"'`$(])(?:bin/|\\./)?agstest ((?:[a-z]+)(?: [^`\n]*)?)")

// executed are the blocks of pages that TestPagesDoWhatTheySay runs, mistakes that are shown on purpose among them.
var executed = regexp.MustCompile("(?s)```console\n.*?\n```")

// words splits like a shell, as far as documents need it: quotes, and the end at a comment, a pipe or a redirection.
func arguments(line string) []string {
	var all []string
	var word strings.Builder
	quote, open := rune(0), false
	flush := func() {
		if open {
			all = append(all, word.String())
		}
		word.Reset()
		open = false
	}
	for _, c := range line {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '\'' || c == '"':
			quote, open = c, true
		case c == ' ' || c == '\t':
			flush()
		case strings.ContainsRune("#|><;&)\\", c) && !open:
			return all
		case strings.ContainsRune("|><;&)\\", c):
			flush()
			return all
		default:
			word.WriteRune(c)
			open = true
		}
	}
	flush()
	return all
}

// filledIn is where a pipeline puts a duration that whoever uses it chooses.
var filledIn = regexp.MustCompile(`"\$DURATION"|\$\[\[ inputs\.duration \]\]|\$\{\{ parameters\.duration \}\}`)

// TestDocumentedCommandLinesAreUnderstood reads the calls of agstest in README, docs, deploy, the help itself and the
// examples of environments, and wants their commands and flags to exist.
func TestDocumentedCommandLinesAreUnderstood(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	texts := map[string]string{}
	for _, name := range []string{"README.md", "Makefile", "deploy", "docs", "environments"} {
		_ = filepath.WalkDir(filepath.Join(root, name), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".json") {
				return nil
			}
			text, err := os.ReadFile(path)
			text = filledIn.ReplaceAll(text, []byte("60s"))
			texts[path] = executed.ReplaceAllString(strings.ReplaceAll(string(text), "\\\n", " "), "")
			return err
		})
	}
	for _, c := range tree(t) {
		texts["help of "+c.CommandPath()] = c.Example
	}
	commands := map[string]bool{}
	for _, c := range tree(t) {
		commands[c.Name()] = true
	}
	checked := 0
	for where, text := range texts {
		for _, match := range calls.FindAllStringSubmatch(text, -1) {
			args := arguments(match[1])
			if len(args) == 0 || !commands[args[0]] || len(args) == 1 {
				continue // prose, or a command alone
			}
			checked++
			c, rest, err := commandTree().Find(args)
			if !assert.NoError(t, err, "%s: agstest %s", where, match[1]) {
				continue
			}
			assert.NoError(t, c.ParseFlags(rest), "%s: agstest %s", where, match[1])
			for flag, names := range map[string][]string{"fault": faultNames(), "mock-fault": faultNames(), "choice": choiceNames(), "mock-choice": choiceNames()} {
				if f := c.Flags().Lookup(flag); f != nil && f.Changed && !strings.Contains(f.Value.String(), "NAME") {
					assert.Subset(t, names, strings.Split(strings.Trim(f.Value.String(), "[]"), ","), "%s: agstest %s", where, match[1])
				}
			}
		}
	}
	require.Greater(t, checked, 30, "too few calls were found in the documents")
}

func TestWordsSplitLikeAShell(t *testing.T) {
	assert.Equal(t, []string{"load", "--limit", "refresh.p99<300ms", "--rate", "5/s"}, arguments(`load --limit 'refresh.p99<300ms' --rate 5/s   # why`))
	assert.Equal(t, []string{"init"}, arguments("init > staging.yaml"))
	assert.Equal(t, []string{"env", "x.yaml", "--json"}, arguments("env x.yaml --json | jq ."))
}

// TestLinksOfDocumentsLeadSomewhere follows the links of README and docs to files of the repository and to their
// headings.
func TestLinksOfDocumentsLeadSomewhere(t *testing.T) {
	root := filepath.Join("..", "..")
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	checked := 0
	for _, page := range append(pages, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, match := range regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(string(text), -1) {
			file, heading, _ := strings.Cut(match[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			checked++
			linked, err := os.ReadFile(filepath.Join(filepath.Dir(page), file))
			if assert.NoError(t, err, "%s links to %s", page, match[1]) && heading != "" {
				assert.Contains(t, headings(string(linked)), heading, "%s links to %s", page, match[1])
			}
		}
		if page != filepath.Join(root, "README.md") {
			readme, err := os.ReadFile(filepath.Join(root, "README.md"))
			require.NoError(t, err)
			assert.True(t, strings.Contains(string(readme), "(docs/"+filepath.Base(page)+")"), "README does not link %s", page)
		}
	}
	require.Greater(t, checked, 20)
}

// headings are the names under which the headings of a document are linked.
func headings(text string) []string {
	var names []string
	for _, match := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		names = append(names, strings.ReplaceAll(regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-"))
	}
	return names
}

// TestMessagesOfTroubleAreOurs wants every message that the page about trouble explains to stand in the source as it is
// quoted.
func TestMessagesOfTroubleAreOurs(t *testing.T) {
	root := filepath.Join("..", "..")
	page, err := os.ReadFile(filepath.Join(root, "docs", "trouble.md"))
	require.NoError(t, err)
	var source strings.Builder
	require.NoError(t, fs.WalkDir(onlySource(root), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			text, err := os.ReadFile(filepath.Join(root, path))
			source.Write(text)
			return err
		}
		return err
	}))
	said := regexp.MustCompile(`"\s*\+\s*"`).ReplaceAllString(source.String(), "") // a text in parts is one
	checked := 0
	for _, table := range strings.Split(string(page), "| message |")[1:] {
		rows, _, _ := strings.Cut(table, "\n\n")
		for _, row := range strings.Split(rows, "\n")[2:] {
			if cells := strings.Split(row, "|"); len(cells) > 2 {
				for _, quoted := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
					checked++
					assert.True(t, strings.Contains(said, quoted[1]), "no message says %q", quoted[1])
				}
			}
		}
	}
	require.Greater(t, checked, 20)
}
