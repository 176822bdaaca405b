package figures

import "strings"

// Clip shortens text to at most limit bytes, at a character's border, and says how much was left out.
func Clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := limit
	for cut > 0 && text[cut]&0xC0 == 0x80 {
		cut--
	}
	return text[:cut] + "\n… " + Count(int64(len(text)-cut)) + " bytes more"
}

// Unbroken folds every run of blanks and line ends into one blank.
func Unbroken(text string) string { return strings.Join(strings.Fields(text), " ") }

// OneLine folds every run of blanks and line ends into one blank and shortens to at most limit characters.
func OneLine(text string, limit int) string {
	text = Unbroken(text)
	runes := []rune(text)
	if len(runes) <= limit {
		return text
	}
	return string(runes[:limit-1]) + "…"
}
