#!/usr/bin/env bash
# github.com/spf13/cobra v1.10.2 (GenBashCompletionV2): behind a comma bash completes a list of plain names, and nothing once the names have descriptions.
#
# Names with a description are held against the typed word after printf %q, which puts a backslash before a comma ("a\,b"), and the typed word
# has none; plain names go through compgen -W, which takes the backslash away again. So a flag such as --fault one,two completes its second
# value in zsh and fish, and in bash until somebody adds descriptions. Wants bash and the package bash-completion.
# Seen: plain: "one,two" and "one,twelve"; described: nothing; described, first of the list: "two" and "twelve".
set -euo pipefail
[ -e /usr/share/bash-completion/bash_completion ] || { echo "the package bash-completion is not installed"; exit 2; }
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT; cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.26

require github.com/spf13/cobra v1.10.2
MOD
cat > main.go <<'GO'
package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	root := &cobra.Command{Use: "finding", Run: func(*cobra.Command, []string) {}}
	complete := func(meaning string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			begun := typed[:strings.LastIndex(typed, ",")+1]
			return []string{begun + "two" + meaning, begun + "twelve" + meaning}, cobra.ShellCompDirectiveNoFileComp
		}
	}
	root.Flags().StringSlice("plain", nil, "")
	root.Flags().StringSlice("described", nil, "")
	_ = root.RegisterFlagCompletionFunc("plain", complete(""))
	_ = root.RegisterFlagCompletionFunc("described", complete("\ta number"))
	if len(os.Args) > 1 && os.Args[1] == "script" {
		_ = root.GenBashCompletionV2(os.Stdout, true)
		return
	}
	_ = root.Execute()
}
GO
go mod tidy >/dev/null 2>&1
go build -o finding .
PATH="$dir:$PATH"
finding script > script.bash
ask() { bash --norc -c '
  source /usr/share/bash-completion/bash_completion; source ./script.bash
  COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9 COMP_KEY=9; read -ra COMP_WORDS <<< "$1"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  compopt() { :; }; __start_finding; echo "${COMPREPLY[*]%% *}"' bash "$1"; }
seen="plain: $(ask 'finding --plain one,tw'); described: $(ask 'finding --described one,tw'); first: $(ask 'finding --described tw')"
echo "$seen"
[ "$seen" = 'plain: one,two one,twelve; described: ; first: two twelve' ] || { echo "changed"; exit 1; }
