package environment

import (
	"slices"
	"strings"
)

func known(word string, words []string) bool { return slices.Contains(words, word) }

// didYouMean names the nearest of the words, or all of them where none is near.
func didYouMean(word string, words []string) string {
	best, distance := "", len(word)/2+2
	for _, w := range words {
		d := editDistance(word, w)
		if short, long := fold(word), fold(w); len(short) >= 4 && strings.Contains(long, short) {
			d = min(d, 1) // a part of the word is near, however long the rest
		}
		if d < distance {
			best, distance = w, d
		}
	}
	if best == "" {
		return "; known are: " + strings.Join(words, ", ")
	}
	return "; did you mean " + best + "?"
}

// editDistance counts the single letters to put in, take out, change or swap to turn a into b.
func editDistance(a, b string) int {
	x, y := []rune(fold(a)), []rune(fold(b))
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := last[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}

// fold makes client_id, clientID and client-id the same.
func fold(s string) string {
	out := make([]rune, 0, len(s))
	for _, c := range s {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != '_' && c != '-' && c != ' ' {
			out = append(out, c)
		}
	}
	return string(out)
}
