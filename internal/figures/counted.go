package figures

import "strings"

// Plural is "1 scenario" or "3 scenarios".
func Plural[N int | int64](n N, one string) string { return PluralOf(int64(n), one, one+"s") }

// PluralOf is Plural of a noun with a plural of its own, such as "3 refreshes".
func PluralOf(n int64, one, many string) string { return Count(n) + " " + Verb(n, one, many) }

// Verb is the form of a verb, or of another word, that goes with so many things: Verb(2, "was", "were") is "were".
func Verb[N int | int64](n N, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Some joins at most so many names by a text such as ", ", and says how many are left out: "a, b and 12 more".
func Some(names []string, most int, between string) string {
	if len(names) <= most {
		return strings.Join(names, between)
	}
	return strings.Join(names[:most], between) + " and " + Count(int64(len(names)-most)) + " more"
}
