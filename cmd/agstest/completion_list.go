package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// completeList completes the last word of a list with commas by names that the list does not hold yet; a name may bring its meaning behind a
// tab.
func completeList(names []string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		begun := ""
		if i := strings.LastIndex(typed, ","); i >= 0 {
			begun = typed[:i+1]
		}
		given := strings.Split(begun, ",")
		var found []string
		for _, name := range names {
			word, _, _ := strings.Cut(name, "\t")
			if strings.HasPrefix(begun+word, typed) && !slices.Contains(given, word) {
				found = append(found, begun+name)
			}
		}
		return found, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}
