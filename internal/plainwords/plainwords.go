// Package plainwords finds sentences that a program wrote and nobody read: one thing in the plural, many in the
// singular, numbers with an exponent, times to the nanosecond. It is for tests, which hand it what people see.
//
// Find is all of it. It knows the nouns of our reports and no grammar: a text without a finding may still be bad, and a
// sentence that it takes for odd is better said in another way. It may be called at the same time.
//
//	assert.Empty(t, plainwords.Find(page))
package plainwords

import (
	"regexp"
	"strings"
)

// things are what sentences of reports count.
const things = `requirement|scenario|limit|token|request|answer|hit|client|time|error|device|account|cause|change|figure|run|shard|kind|finding|member|second|minute|hour|day|connection|operation|step|` +
	`worker|environment|difference|refusal|password|pair|round|file|line|word|note|departure|point|level|spike|row|case|example|sign-on|refresh chain|page|byte|attempt|repeat|way|value|claim|header|field`

var odd = []*regexp.Regexp{
	regexp.MustCompile(`(?:^|[^\w.,:/-])(1 (?:(?:` + things +
		`)s|refusals|replies|entries|tries|retries|branches|processes|statuses|classes))\b`),
	regexp.MustCompile(`(?:^|[^f] |\d of )1 (?:` + things + `) (?:hold|warn|were|are|have|differ|fail|do|need|come)\b`),
	regexp.MustCompile(`\b[Tt]he (?:` + things + `)s (?:differs|holds|is|was|has|does|warns|fails|comes|needs)\b`),
	regexp.MustCompile(
		`(?:^|[^\w.,:/-])(?:[2-9]|[1-9]\d+|\d{1,3}(?:,\d{3})+) (?:requirement|scenario|limit|request|client|cause|shard|finding|second|minute|hour|day|connection|device|account|environment|operation)(?:$|[\s.,;:)])`),
	regexp.MustCompile(`(?:^|[^\w.-])\d+(?:\.\d+)?e[+-]\d{2,}(?:$|\W)`),
	regexp.MustCompile(`\b\d+h\d+m\d+\.\d+s\b|\b\d+m\d+\.\d+s\b|\b2562047h`),
	regexp.MustCompile(`\b\d+\.\d{4,}(?:s|ms|µs)\b`),
	regexp.MustCompile(`%!\w?\(|\(MISSING\)|\bNaN\b|[+-]Inf\b`),
	regexp.MustCompile(`\b([A-Za-z]+) (?:(?:the the)|(?:of of)|(?:is is)|(?:a a)|(?:to to))\b`),
}

// Find returns the odd parts of a text, each with its surroundings; none is good. It looks at lines one by one.
func Find(text string) []string {
	var found []string
	for line := range strings.Lines(text) {
		for _, pattern := range odd {
			for _, at := range pattern.FindAllStringIndex(line, -1) {
				found = append(found, strings.TrimSpace(line[at[0]:at[1]])+"   in: "+
					strings.TrimSpace(line[max(0, at[0]-60):min(len(line), at[1]+40)]))
			}
		}
	}
	return found
}
