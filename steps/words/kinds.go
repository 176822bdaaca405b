package words

import (
	"regexp"
	"strings"
)

// kinds are the values in the texts of sentences, with the pattern that a feature file may write for each. Besides,
// <this|that> means one of the words, and [this|that] may be left out.
var kinds = map[string]string{
	"<number>":    `(\d+)`,
	"<status>":    `(\d+)`,
	"<statuses>":  `([0-9][0-9, or]*)`, // 400, 401 or 403
	"<codes>":     `([0-9][0-9, or]*)`,
	"<operation>": `(\w+)`, // signOnWithSessionToken
	"<names>":     `(.+)`,  // accountId, deviceId
	"<JSON>":      `(.+)`,
	`"<name>"`:    `"([^"]+)"`,
	`"<path>"`:    `"([^"]+)"`,
	`"<member>"`:  `"([^"]+)"`,
	`"<text>"`:    `"([^"]*)"`,
	`"<value>"`:   `"([^"]*)"`,
}

var valueOrOption = regexp.MustCompile(`"?<[^>]*>"?|\[[^\]]*\] `)

// patternOf returns the pattern that a feature file may write for the text of a sentence.
func patternOf(text string) string {
	var pattern strings.Builder
	at := 0
	for _, place := range valueOrOption.FindAllStringIndex(text, -1) {
		pattern.WriteString(regexp.QuoteMeta(text[at:place[0]]))
		word := text[place[0]:place[1]]
		at = place[1]
		switch kind, known := kinds[word]; {
		case known:
			pattern.WriteString(kind)
		case word[0] == '[':
			pattern.WriteString("(?:(" + strings.Trim(word, "[] ") + ") )?")
		default:
			pattern.WriteString("(" + strings.Trim(word, "<>") + ")")
		}
	}
	return pattern.String() + regexp.QuoteMeta(text[at:])
}
