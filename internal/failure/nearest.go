package failure

import "strings"

// Nearest finds the word meant by a mistyped one, such as tenant for tennant; empty if none is near. Case, dashes and
// underscores do not count, and a word that is a part of another is near to it.
func Nearest(word string, words []string) string {
	best, distance := "", len(word)/2+2
	short := fold(word)
	for _, w := range words {
		long := fold(w)
		d := editDistance(short, long)
		if len(short) >= 4 && strings.Contains(long, short) {
			d = min(d, 1)
		}
		if d < distance {
			best, distance = w, d
		}
	}
	return best
}

// DidYouMean asks whether the nearest of the words was meant, as in "did you mean tenant?"; if none is near it says
// otherwise, such as which words there are.
func DidYouMean(word string, words []string, otherwise string) string {
	if near := Nearest(word, words); near != "" {
		return "did you mean " + near + "?"
	}
	return otherwise
}

// OrNearest ends a statement about an unknown word that goes on: "; the nearest is tenant", or nothing if none is near.
func OrNearest(word string, words []string) string {
	if near := Nearest(word, words); near != "" {
		return "; the nearest is " + near
	}
	return ""
}

// fold makes client_id, clientID and client-id the same.
func fold(s string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
}

// editDistance counts the single letters to put in, take out, change or swap with the next to turn a into b.
func editDistance(a, b string) int {
	x, y := []rune(a), []rune(b)
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
