package script

import (
	"regexp"

	"agstest/internal/environment"
)

// sentencesOf are the sentences that a scenario of a part has, at least one of them.
var sentencesOf = map[string]*regexp.Regexp{
	"register": regexp.MustCompile(
		`(?i)\binstaller\b|\bTVkey user\b|\b(?:to|that) (?:register|subsequentRegister)\b`),
	"multi-account": regexp.MustCompile(
		`(?i)\bseveral accounts\b|\bpicks (?:an )?account\b|\bat least \d+ accounts\b|\b(?:to|that) (?:subsequentSignOn|subsequentRegister)\b`),
	"companion": regexp.MustCompile(`(?i)\bregistration code\b|\bactivation token\b`),
	"geo":       regexp.MustCompile(`(?i)\bblocked location\b|\bbehind a VPN\b|\bVPNs and locations\b`),
}

// AbsentLead begins the reason of scenarios that are skipped because they are about an absent part.
const AbsentLead = "the platform has no "

// AbsentPart returns the part that a scenario is about, if the environment file says that the platform does not have
// it; empty otherwise.
func AbsentPart(e *environment.Environment, s *Scenario) string {
	for _, part := range environment.Parts {
		if !e.IsAbsent(part.Name) {
			continue
		}
		for _, step := range s.Pickle.Steps {
			if sentencesOf[part.Name].MatchString(step.Text) {
				return part.Name
			}
		}
	}
	return ""
}
