package environment

import (
	"slices"
	"strings"

	"agstest/internal/failure"
)

func known(word string, words []string) bool { return slices.Contains(words, word) }

// didYouMean names the nearest of the words, or all of them if none is near.
func didYouMean(word string, words []string) string {
	return "; " + failure.DidYouMean(word, words, "known are: "+strings.Join(words, ", "))
}
