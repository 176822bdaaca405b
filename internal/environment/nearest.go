package environment

import (
	"slices"
	"strings"

	"agstest/internal/failure"
)

func known(word string, words []string) bool { return slices.Contains(words, word) }

// didYouMean names the nearest of the words, or all of them if none is near.
func didYouMean(word string, words []string) string {
	if near := failure.Nearest(word, words); near != "" {
		return "; did you mean " + near + "?"
	}
	return "; known are: " + strings.Join(words, ", ")
}
