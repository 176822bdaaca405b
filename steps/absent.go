package steps

import (
	"regexp"

	"agstest/internal/environment"
)

// sentencesOf are the sentences that a scenario of a part has, at least one of them.
var sentencesOf = map[string]*regexp.Regexp{
	"register":      regexp.MustCompile(`(?i)\binstaller\b|\bTVkey user\b|\b(?:to|that) (?:register|subsequentRegister)\b`),
	"multi-account": regexp.MustCompile(`(?i)\bseveral accounts\b|\bpicks (?:an )?account\b|\bat least \d+ accounts\b|\b(?:to|that) (?:subsequentSignOn|subsequentRegister)\b`),
	"companion":     regexp.MustCompile(`(?i)\bregistration code\b|\bactivation token\b`),
	"geo":           regexp.MustCompile(`(?i)\bblocked location\b|\bbehind a VPN\b|\bVPNs and locations\b`),
}

// absentLead begins the reason of what is skipped for being about an absent part.
const absentLead = "the platform has no "

// absentPart is the part that a scenario is about and that the environment file says the platform does not have; empty: there is none.
func absentPart(e *environment.Environment, s *scenario) string {
	for _, part := range environment.Parts {
		if !e.IsAbsent(part.Name) {
			continue
		}
		for _, step := range s.pickle.Steps {
			if sentencesOf[part.Name].MatchString(step.Text) {
				return part.Name
			}
		}
	}
	return ""
}
