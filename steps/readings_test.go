package steps

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"agstest/ags"
	"agstest/mock"
)

// reading is a second reading of the public pages about a requirement, by its number there.
type reading struct {
	number, says string
	requirements []string
	gating       ags.Gating
	soft         string   // stands in the soft part; empty: nothing is asked of it
	sentence     string   // a scenario of each of the requirements has this sentence; empty: none is asked for
	choices      []string // what a sound service may do because of it
	faults       []string // what no sound service does
}

// readings are those that decide something in the catalogue, the features or the judge. TestEveryChoiceIsLeftInPeace
// and TestEveryFaultIsCaught run their choices and faults.
var readings = []reading{
	{number: "2.C2", says: "a cancelled account stays cancelled in other releases; only a suspended one has to come back", requirements: []string{"DEV-10"}, gating: ags.Gates,
		soft: "a cancelled account", sentence: "the status is 201, or with a warning 403", choices: []string{"cancelled-for-good"}, faults: []string{"account-stays-suspended"}},
	{number: "2.C3", says: "samples of older releases have no fixed_exp, profile or sessionControl in the access token", requirements: []string{"TOK-07"}, gating: ags.Gates,
		soft: "claims other than typ", choices: []string{"short-access-token", "fixed-end-in-refresh-token-alone"}, faults: []string{"token-access-no-device"}},
	{number: "2.C5", says: "what an account profile says of sessions is no cross-check of the claim", requirements: []string{"TOK-20"}, gating: ags.Gates, soft: "maxSessions",
		choices: []string{"no-session-control", "session-control-null"}},
	{number: "2.C8", says: "ids are database ids or UUIDs, so that one of another form may be malformed, and case does not matter", requirements: []string{"SOST-19", "SSO-10"}, gating: ags.Gates,
		soft: "another status from 400 to 499", choices: []string{"strange-client-400", "client-id-hex-any-case", "client-id-dotted"}, faults: []string{"near-client-id-last-character"}},
	{number: "2.C10", says: "that the eight members are always there rests on the samples of AGS", requirements: []string{"SOST-04", "REF-03"}, gating: ags.Gates, choices: []string{"no-client-id-on-refresh"}},
	{number: "2.C11", says: "disabled and inactive devices make room, as a page on devices says in passing", requirements: []string{"DEV-13"}, gating: ags.Warns,
		sentence: "an account that has 3 devices and may have 1", faults: []string{"device-all-count", "device-limit-only-at"}},
	{number: "2.C13", says: "claims and checks of the OperatorAuthToken are one example", requirements: []string{"GST-06", "GST-07"}, gating: ags.Warns,
		choices: []string{"operator-audience-ignored", "operator-type-ignored", "operator-claims-ignored"}, faults: []string{"get-session-any-audience", "get-session-any-type"}},
	{number: "2.C14", says: "sub-code 20020 is told of log in and playback, not of refresh", requirements: []string{"ERR-03"}, gating: ags.Warns, choices: []string{"spoiled-token-401"}, faults: []string{"error-token-code"}},
	{number: "2.C15", says: "discovery without a token is what the page says, whatever a gateway wants elsewhere", requirements: []string{"DISC-03"}, gating: ags.Gates, choices: []string{"discovery-reads-token"},
		faults: []string{"discovery-wants-token"}},
	{number: "2.C16", says: "a wrong password may have to be a ciphertext", requirements: []string{"SSO-08", "REG-03"}, gating: ags.Gates, soft: "another status from 400 to 499", choices: []string{"wrong-password-400"},
		faults: []string{"sign-on-any-password", "register-any-password"}},
	{number: "2.C17", says: "a second is lost between two clocks", requirements: []string{"TOK-11", "TOK-12"}, gating: ags.Gates, choices: []string{"neighbouring-seconds"}, faults: []string{"token-expires-in-off"}},
	{number: "2.C18", says: "classes are those of the operator", requirements: []string{"TOK-23", "DEV-17"}, gating: ags.Warns, faults: []string{"token-class-forgotten", "device-no-smart-tv"}},
	{number: "3.1", says: "a status that no page lists is as good as another where the requirement takes any", requirements: []string{"ERR-09"}, gating: ags.Gates, soft: "another status from 400 to 499",
		choices: []string{"strange-type-404", "strange-account-404", "no-service-404", "strange-type-415"}},
	{number: "3.2", says: "an unknown client may be malformed, or have a sub-code that is not published", requirements: []string{"SOST-19", "SSO-10"}, gating: ags.Gates, soft: "an unpublished sub-code",
		sentence: "the status is 404 or 403, or with a warning 400, 401, 409, 410 or 422", choices: []string{"strange-client-400", "strange-client-20005"}, faults: []string{"session-any-client", "sign-on-any-client"}},
	{number: "3.3", says: "only broken JSON is 400 for certain", requirements: []string{"SOST-07", "SOST-09", "SOST-10"}, gating: ags.Gates, soft: "another status from 400 to 499",
		sentence: "the status is 400, or with a warning 401, 403, 404 or 422", choices: []string{"no-parameters-401", "odd-parameters-403", "half-parameter-422"}},
	{number: "3.4", says: "which refusal a bad OperatorAuthToken gets is open", requirements: []string{"GST-04", "GST-05"}, gating: ags.Gates, soft: "another status from 400 to 499",
		choices: []string{"operator-refusals-400", "operator-refusals-404"}, faults: []string{"get-session-any-signature", "get-session-expired"}},
	{number: "3.6", says: "signing out may remove a device", requirements: []string{"OUT-06"}, gating: ags.Warns, choices: []string{"sign-out-unregisters"}, faults: []string{"sign-out-deletes-device"}},
	{number: "3.7", says: "fixed_exp is compared where both tokens have it", requirements: []string{"TOK-13"}, gating: ags.Warns, choices: []string{"fixed-end-in-refresh-token-alone"}, faults: []string{"token-fixed-exp-differs"}},
	{number: "3.8", says: "sessions may be unlimited or not controlled", requirements: []string{"TOK-20"}, gating: ags.Gates, soft: "null, absent or negative",
		choices: []string{"sessions-unlimited-null", "sessions-unlimited-absent", "sessions-unlimited-minus-one", "session-control-null", "no-session-control"}, faults: []string{"token-sessions-flag"}},
	{number: "3.9", says: "wrong credentials are refused, with which status is open", requirements: []string{"SSO-08"}, gating: ags.Gates, soft: "another status from 400 to 499",
		choices: []string{"wrong-password-400", "wrong-password-403", "wrong-password-404"}, faults: []string{"sign-on-wrong-password-200"}},
	{number: "3.11", says: "the parameter of the session token may have another name", requirements: []string{"DISC-11"}, gating: ags.Warns, faults: []string{"discovery-without-parameter"}},
	{number: "3.12", says: "discovery behind a gateway that wants a token misses one requirement", requirements: []string{"DISC-03"}, gating: ags.Gates, faults: []string{"discovery-wants-token"}},
	{number: "3.13", says: "a sign-on that names no device may make one", requirements: []string{"SOST-12", "SSO-17"}, gating: ags.Warns, choices: []string{"empty-device-registered"}, faults: []string{"sign-on-no-device-needed", "session-no-device-needed"}},
	{number: "3.14", says: "where userAccountToken stands is not published", requirements: []string{"SSO-05"}, gating: ags.Warns, choices: []string{"user-token-nested", "user-token-in-header", "no-user-token"}},
	{number: "3.15", says: "a refresh token may live as long as the session", requirements: []string{"TOK-14"}, gating: ags.Gates, choices: []string{"refresh-token-lives-as-long-as-the-session"},
		faults: []string{"token-access-outlives-refresh"}},
	{number: "3.16", says: "names, slashes and flags of discovery may be left out", requirements: []string{"DISC-07", "DISC-08"}, gating: ags.Gates, soft: "what is left out",
		choices: []string{"relative-paths", "nameless-endpoints", "is-password-only-when-true", "no-endpoints", "no-parameter-properties"}, faults: []string{"discovery-mandatory-text"}},
	{number: "3.17", says: "calls beside the service may not be offered", requirements: []string{"FLOW-09", "FLOW-10"}, gating: ags.Warns, choices: []string{"no-companion-service", "no-identity-service", "no-device-service"}},
	{number: "3.18", says: "an account may be exempt from geo-blocking", requirements: []string{"SOST-17"}, gating: ags.Gates, choices: []string{"geo-exempt"}, faults: []string{"session-location-ignored"}},
	{number: "3.19", says: "that fixed_exp stays follows from its name alone", requirements: []string{"REF-08", "REF-10", "REF-11", "FLOW-06"}, gating: ags.Warns, choices: []string{"fixed-end-moves"},
		faults: []string{"refresh-extends-fixed-end"}},
	{number: "3.20", says: "the same session token may be given while it is good", requirements: []string{"GST-12"}, gating: ags.Never, choices: []string{"same-session-token"}},
	{number: "3.20", says: "error texts and odd forms are engineering", requirements: []string{"ERR-10"}, gating: ags.Warns, choices: []string{"odd-media-500"}, faults: []string{"error-echoes-token"}},
	{number: "3.21", says: "signOut may not read its body and do without the service", requirements: []string{"OUT-04", "OUT-05"}, gating: ags.Gates, soft: "a 200", choices: []string{"sign-out-body-ignored", "sign-out-without-service"}},
	{number: "3.22", says: "see 2.C2", requirements: []string{"DEV-10"}, gating: ags.Gates, soft: "a cancelled account", choices: []string{"cancelled-for-good"}},
	{number: "4.2", says: "an access token that nobody issued like that signs nobody out", requirements: []string{"OUT-03"}, gating: ags.Gates, faults: []string{"sign-out-any-signature", "forged-sign-out-algorithm-none", "sign-out-any-type", "sign-out-never-expires"}},
	{number: "4.4", says: "an OperatorAuthToken that never ends", requirements: []string{"GST-05"}, gating: ags.Gates, faults: []string{"get-session-never-expires"}},
	{number: "4.7", says: "a name that two services have tells neither", requirements: []string{"DISC-05"}, gating: ags.Gates, soft: "stands twice", faults: []string{"discovery-name-twice"}},
	{number: "4.7", says: "each service that is listed is served", requirements: []string{"DISC-14"}, gating: ags.Gates, choices: []string{"one-service-has-the-secret"}, faults: []string{"discovery-advertises-refused"}},
	{number: "4.8", says: "both tokens are issued anew", requirements: []string{"REF-02"}, gating: ags.Gates, soft: "a refresh token that is the old one", choices: []string{"refresh-token-kept"}, faults: []string{"refresh-gives-the-same"}},
	{number: "4.9", says: "account and device are looked at again at refresh", requirements: []string{"REF-14"}, gating: ags.Gates, soft: "inactive", faults: []string{"refresh-disabled", "refresh-inactive"}},
	{number: "4.10", says: "the account that came is the one whose accountInformation was picked", requirements: []string{"SUB-04"}, gating: ags.Gates, faults: []string{"subsequent-crossed", "subsequent-other-account"}},
	{number: "4.13", says: "a signature belongs to its token, though nobody outside can compute it", requirements: []string{"TOK-03"}, gating: ags.Gates, faults: []string{"token-signature-zeros", "token-signature-short"}},
}

// TestReadingsHold compares the catalogue, the features and the mock with the pages.
func TestReadingsHold(t *testing.T) {
	t.Parallel()
	all, err := suite()
	if !assert.NoError(t, err) {
		return
	}
	for _, r := range readings {
		t.Run(r.number+" "+r.says, func(t *testing.T) {
			for _, id := range r.requirements {
				requirement, known := ags.RequirementByID(id)
				assert.True(t, known, id)
				assert.Equal(t, r.gating, requirement.Gating(), id)
				assert.Contains(t, requirement.SoftPart, r.soft, id)
				covered, said := false, r.sentence == ""
				for _, s := range all {
					if !slices.Contains(s.Requirements, id) {
						continue
					}
					covered = true
					for _, step := range s.Pickle.Steps {
						said = said || step.Text == r.sentence
					}
				}
				assert.True(t, covered, "%s has no scenario", id)
				assert.True(t, said, "%s has no scenario that says %q", id, r.sentence)
			}
			for _, name := range r.choices {
				_, known := mock.ChoiceByName(name)
				assert.True(t, known, "no choice %s", name)
			}
			for _, name := range r.faults {
				f, known := mock.FaultByName(name)
				assert.True(t, known, "no fault %s", name)
				assert.True(t, slices.Contains(r.requirements, f.Requirement) || strings.HasPrefix(name, "near-"), "%s breaks %s", name, f.Requirement)
			}
		})
	}
}
