package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Scripts that complete the last word of each argument in each shell and print the offers, one a line, and a line of
// its own after those of each. bash is asked as readline asks it; fish has a command for it; of zsh the function that
// shows the choices prints them.
var completing = map[string]string{
	"bash": `source /usr/share/bash-completion/bash_completion; source agstest.bash; compopt() { :; }; COLUMNS=200
for line in "$@"; do COMP_LINE=$line COMP_POINT=${#line} COMP_TYPE=63 COMP_KEY=9
read -ra COMP_WORDS <<< "$line"; [[ $line == *" " ]] && COMP_WORDS+=(""); COMP_CWORD=$((${#COMP_WORDS[@]}-1))
COMPREPLY=(); __start_agstest; printf '%s\n' "${COMPREPLY[@]}"; echo ` + afterOffers + `; done`,
	"fish": `source agstest.fish; for line in $argv; complete -C "$line"; echo ` + afterOffers + `; end`,
	"zsh": `autoload -U compinit; compinit -u -D 2>/dev/null; source agstest.zsh
_describe() { print -rl -- "${completions[@]}" }
for line in "$@"; do words=(${(z)line}); [[ $line == *" " ]] && words+=(''); CURRENT=${#words}; _agstest; echo ` + afterOffers + `; done`,
}

const afterOffers = "so-much-for-this-line"

// TestShellsComplete: real shells load the scripts, and offer commands, values and the next value of a list, with what
// they mean.
func TestShellsComplete(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("agstest")
	require.NoError(t, err)
	for shell, script := range completing {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("skipped: no %s on this machine", shell)
			}
			if _, err := os.Stat("/usr/share/bash-completion/bash_completion"); shell == "bash" && err != nil {
				t.Skip("skipped: no package bash-completion on this machine, which the script of bash wants")
			}
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, "agstest."+shell), []byte(written(t, []int{exitPass}, "completion", shell)), 0o600))
			behind := map[string]string{"bash": "9,signon="}[shell] // a word of readline begins behind the sign
			if behind == "" {
				behind = "refresh=9,signon="
			}
			lines := []string{
				"agstest comp", "agstest conform --mock-fault refresh-201,token-pa",
				"agstest conform --mock-fault refresh-201,token-ty", "agstest report out --format allure,c",
				"agstest report out --format allure,cs", "agstest load --workload mi", "agstest load --mix ref",
				"agstest load --mix refresh=9,si",
			}
			arguments := map[string][]string{
				"bash": {"--norc", "-c", script, "bash"}, "fish": {"--no-config", "-c", script},
				"zsh": {"-f", "-c", script, "zsh"},
			}[shell]
			command := exec.CommandContext(t.Context(), path, append(arguments, lines...)...)
			command.Dir = dir
			folders := filepath.Dir(program) + string(os.PathListSeparator) + os.Getenv("PATH")
			command.Env = append(os.Environ(), "PATH="+folders, "HOME="+dir)
			out, err := command.Output()
			require.NoError(t, err, "%s", out)
			offers := strings.Split(strings.ReplaceAll(string(out), `\:`, ":"), afterOffers+"\n")
			require.Len(t, offers, len(lines)+1, string(out))
			require.Empty(t, offers[len(lines)], "after the last line")
			ask := func(line string) []string {
				at := slices.Index(lines, line)
				require.NotEqual(t, -1, at, line)
				return strings.Split(strings.TrimSpace(offers[at]), "\n")
			}
			starts := func(found []string, want string) bool {
				for _, line := range found {
					if strings.HasPrefix(line, want) {
						return true
					}
				}
				return false
			}
			found := ask("agstest comp")
			require.Len(t, found, 2)
			assert.True(t, starts(found, "compare") && starts(found, "completion"), found)
			assert.Contains(t, strings.Join(found, "\n"), "Tell two runs apart", "with descriptions")

			found = ask("agstest conform --mock-fault refresh-201,token-pa")
			require.NotEmpty(t, found)
			for _, line := range found {
				assert.True(t, strings.HasPrefix(line, "refresh-201,token-pa"), line)
			}
			found = ask("agstest conform --mock-fault refresh-201,token-ty")
			assert.Greater(t, len(found), 2)
			assert.Contains(t, strings.Join(found, "\n"), "TOK-", "with what the fault breaks")
			found = ask("agstest report out --format allure,c")
			assert.Len(t, found, 3, "allure is there already: %s", found)
			assert.True(t, starts(found, "allure,csv"), found)
			assert.True(t, starts(ask("agstest report out --format allure,cs"), "allure,csv"), "a single one is inserted as it is typed")
			assert.True(t, starts(ask("agstest load --workload mi"), "mixed"))
			assert.True(t, starts(ask("agstest load --mix ref"), "refresh="))
			assert.True(t, starts(ask("agstest load --mix refresh=9,si"), behind))
		})
	}
}

// TestMixCompletesNames: a mix is completed by the names that it does not hold yet, each with its sign.
func TestMixCompletesNames(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"": "signon= refresh= discover=", "s": "signon=", "signon=1,": "signon=1,refresh= signon=1,discover=", "signon=1,refresh=9,d": "signon=1,refresh=9,discover=", "signon=": "", "signon=1": "", "x": "",
	} {
		said := written(t, []int{exitPass}, "__complete", "load", "--mix", typed)
		words := strings.Fields(said)
		require.Equal(t, ":6", words[len(words)-1], "no file, no space: %s", said)
		assert.Equal(t, want, strings.Join(words[:len(words)-1], " "), "%q", typed)
	}
}

// TestBashScriptIsMended: each place of cobra's script that is replaced is there, once.
func TestBashScriptIsMended(t *testing.T) {
	t.Parallel()
	script := written(t, []int{exitPass}, "completion", "bash")
	for _, mend := range bashLists {
		assert.Equal(t, 1, strings.Count(script, mend[1]), mend[0])
	}
}
