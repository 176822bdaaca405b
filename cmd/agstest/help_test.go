package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// commandTree is all commands, of a program that knows no environment variable.
func commandTree() *cobra.Command {
	return (&program{getenv: func(string) (string, bool) { return "", false }}).root()
}

func tree(t *testing.T) []*cobra.Command {
	root := commandTree()
	var all []*cobra.Command
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		all = append(all, c)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
	require.Greater(t, len(all), 10)
	return all
}

func TestHelpStartsWithAnExample(t *testing.T) {
	for _, c := range tree(t) {
		lines := strings.Split(c.Example, "\n")
		assert.True(t, strings.HasPrefix(lines[0], "  agstest"), "%s has no example", c.CommandPath())
		assert.NotEmpty(t, c.Short, c.CommandPath())
		code, stdout, stderr := call(t, nil, append(strings.Fields(c.CommandPath())[1:], "--help")...)
		assert.Zero(t, code, c.CommandPath())
		assert.Empty(t, stderr, c.CommandPath())
		sections := strings.SplitN(stdout, "\n\n", 3)
		require.GreaterOrEqual(t, len(sections), 3, c.CommandPath())
		assert.Equal(t, "Examples:\n"+c.Example, sections[1], "%s: examples come first", c.CommandPath())
		short, shortOut, _ := call(t, nil, append(strings.Fields(c.CommandPath())[1:], "-h")...)
		assert.Zero(t, short)
		assert.Equal(t, stdout, shortOut, "-h is --help")
	}
}

func TestHelpGolden(t *testing.T) {
	for _, c := range tree(t) {
		name := strings.ReplaceAll(c.CommandPath(), " ", "-")
		t.Run(name, func(t *testing.T) {
			_, stdout, _ := call(t, nil, append(strings.Fields(c.CommandPath())[1:], "--help")...)
			path := filepath.Join("testdata", "help", name+".txt")
			if *update {
				require.NoError(t, os.WriteFile(path, []byte(stdout), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "write it with: go test ./cmd/agstest -run Golden -update")
			assert.Equal(t, string(want), stdout)
		})
	}
}

// Every flag has a long form in small letters and dashes; few have a letter; none takes a secret.
func TestFlags(t *testing.T) {
	letters := map[string]string{"h": "help", "q": "quiet", "o": "out"}
	secret := regexp.MustCompile(`passw|secret|token|credential|cookie|auth`)
	for _, c := range tree(t) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			assert.Regexp(t, `^[a-z][a-z-]*[a-z]$`, f.Name, c.CommandPath())
			if f.Shorthand != "" {
				assert.Equal(t, letters[f.Shorthand], f.Name, c.CommandPath())
			}
			assert.NotEmpty(t, f.Usage, "%s --%s", c.CommandPath(), f.Name)
			if slices.Contains([]string{"pull-secret", "secret-ref", "secrets"}, f.Name) {
				return // the name of what holds them: objects of Kubernetes, or a folder
			}
			assert.False(t, secret.MatchString(f.Name), "%s --%s: secrets come from the environment or a file", c.CommandPath(), f.Name)
		})
	}
}

func TestManualHasEveryCommandAndExitCode(t *testing.T) {
	code, stdout, _ := call(t, nil, "man")
	require.Zero(t, code)
	for _, c := range tree(t) {
		if c.IsAvailableCommand() && c.HasParent() && c.Name() != "help" {
			assert.True(t, strings.Contains(stdout, "\n.SS "+roff(synopsis(c))+"\n"), synopsis(c))
		}
	}
	for _, line := range exitTable {
		assert.True(t, strings.Contains(stdout, "\n.B "+line.code+"\n"), line.code)
	}
	for line := range strings.SplitSeq(stdout, "\n") {
		if strings.HasPrefix(line, ".") {
			assert.Regexp(t, `^\.(TH|SH|SS|TP|PP|B|nf|fi)\b`, line, "a line of text was read as a request")
		}
	}
}

// A flag or command with advice in its place must not exist, and the advice must not name a flag that nobody has.
func TestExpectedWordsAreNotOurs(t *testing.T) {
	flags, commands := map[string]bool{}, map[string]bool{}
	for _, c := range tree(t) {
		if c.HasParent() && !c.Parent().HasParent() {
			commands[c.Name()] = true
		}
		c.Flags().VisitAll(func(f *pflag.Flag) { flags[f.Name] = true })
	}
	mentioned := regexp.MustCompile(`(agstest|--)([ a-z-]*[a-z])`)
	for word, instead := range expectedCommands {
		assert.False(t, commands[word], word)
		assert.Regexp(t, `agstest [a-z]+`, instead, word)
	}
	for word, instead := range expected {
		for _, found := range mentioned.FindAllStringSubmatch(instead, -1) {
			first := strings.Fields(found[2])[0]
			assert.True(t, found[1] == "--" && flags[first] || found[1] == "agstest" && commands[first], "%s: %s", word, found[0])
		}
	}
}

func TestMistypedFlagsAndCommandsAreGuessed(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"comform"}, `agstest: there is no command agstest "comform"; did you mean conform? See: agstest --help`},
		{[]string{"conform", "--lenint"}, "agstest: agstest conform has no flag --lenint; did you mean --lenient? see: agstest conform --help"},
		{[]string{"conform", "extra"}, `agstest: agstest conform takes no argument, but got "extra"; flags start with -- (see: agstest conform --help)`},
		{[]string{"conform", "--concurrency", "many"}, `agstest: agstest conform: --concurrency must be a whole number, not "many"; see: agstest conform --help`},
		{[]string{"--color", "blue", "version"}, `agstest: --color must be always, never or auto, not "blue"`},
		{[]string{"load", "--users", "50"}, "agstest: agstest load has no flag --users; how many virtual clients take part is said with --clients, how often they send with --rate"},
		{[]string{"conform", "--url", "https://x"}, "agstest: agstest conform has no flag --url; the address of the service stands in an environment file: agstest init staging.yaml, then --env staging.yaml"},
		{[]string{"conform", "staging.yaml"}, `agstest: agstest conform takes no argument, but got "staging.yaml"; an environment file is given as: agstest conform --env staging.yaml`},
		{[]string{"load", "--duration", "10"}, `agstest: agstest load: --duration must be a time with its unit, such as 30s or 10m, not "10"; see: agstest load --help`},
		{[]string{"load", "--clients", "many"}, `agstest: agstest load: --clients must be a whole number, not "many"; see: agstest load --help`},
		{[]string{"conform", "--seed", "-1"}, `agstest: agstest conform: --seed must be a whole number, 0 or more, not "-1"; see: agstest conform --help`},
		{[]string{"load", "--peak", "x"}, `agstest: agstest load: --peak must be a number, not "x"; see: agstest load --help`},
		{[]string{"conform", "--slow=maybe"}, `agstest: agstest conform: --slow must be true or false, not "maybe"; see: agstest conform --help`},
		{[]string{"restore", "nowhere"}, `agstest: there is no folder nowhere; agstest history list shows the runs that are stored`},
		{[]string{"env", "--env", "staging.yaml"}, "agstest: agstest env has no flag --env; agstest env takes the file as its argument: agstest env staging.yaml"},
		{[]string{"steps", "unicorn"}, `agstest: no sentence has the words "unicorn"; agstest steps lists all`},
		{[]string{"gate", "--profile", "smoke"}, "agstest: --profile smoke of a gate would be a part of the contract; that of its load is given with --load-profile smoke"},
		{[]string{"report", "out/nope"}, "agstest: reading the run out/nope: no such file or directory; agstest history list shows the runs that are stored"},
		{[]string{"test"}, `agstest: there is no command agstest "test"; agstest conform checks a service, agstest load loads it, agstest gate does both`},
		{[]string{"env"}, "agstest: agstest env wants one environment file, such as:"},
		{[]string{"history", "lst"}, `agstest: there is no command agstest history "lst"; did you mean list?`},
		{[]string{"schema", "enviroment"}, `agstest: there is no schema "enviroment"; did you mean environment?`},
		{[]string{"mock", "--fault", "token-alg-nome"}, `agstest: the mock has no fault "token-alg-nome"; did you mean`},
	} {
		code, stdout, stderr := call(t, nil, test.args...)
		assert.Equal(t, exitUsage, code, test.args)
		assert.Empty(t, stdout, test.args)
		assert.Contains(t, stderr, test.want)
	}
}
