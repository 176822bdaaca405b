package script_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/internal/failure"
	"agstest/steps/script"
	"agstest/steps/words"
)

const fine = `Feature: Mine
  @mine
  Scenario: Signing on
    Given an account in good standing
    And a device of the account
    When the client signs on with a session token and its clientId
    Then the status is 201
`

// claims is a step that a table follows.
const claims = "    Then the access token has these claims:\n"

// TestFeatureFilesAsTestersWriteThem: each is read, or refused with its place and what to write.
func TestFeatureFilesAsTestersWriteThem(t *testing.T) {
	step := func(line string) string {
		return "Feature: Mine\n\n  Scenario: S\n    " + line + "\n    Given a client that is signed on\n    Then the status is 201\n"
	}
	tagged := func(tag string) string { return tag + "\n" + step("Given an account in good standing") }
	outline := func(examples string) string {
		return "Feature: F\n\n  Scenario Outline: Never runs <n>\n    Given an account in good standing\n    Then the status is <n>\n" + examples
	}
	for _, c := range []struct{ name, file, text, want string }{
		{"plain", "a.feature", fine, ""},
		{"byte order mark", "a.feature", "\ufeff" + fine, ""},
		{"CRLF", "a.feature", strings.ReplaceAll(fine, "\n", "\r\n"), ""},
		{"capitals", "A.FEATURE", fine, ""},
		{"row with a comment behind it", "a.feature", fine + claims + "      | claim | kind |\n      | jti | string | # always\n", ""},
		{"row with a | within a cell", "a.feature", fine + claims + "      | claim | kind |\n      | a\\|b | string |\n", ""},
		{"prose with colons", "a.feature", "Feature: Mine\n  Note: what apps rely on\n  Summary: little\n" + strings.TrimPrefix(fine, "Feature: Mine\n"), ""},
		{"German", "a.feature", "# language: de\nFunktion: F\n\n  Szenario: S\n    Angenommen a client that is signed on\n    Dann the status is 201\n", ""},

		{"Markdown", "a.feature.md", fine, "own/a.feature.md:1: Gherkin in Markdown is not read; write the file in plain Gherkin, without # and * before keywords, as a.feature"},
		{"ending of an editor", "a.Feature.TXT", fine, "own/a.Feature.TXT:1: its name ends in .txt, so that nothing of it would run; call it a.Feature, or"},
		{"not UTF-8", "a.feature", "Feature: caf\xe9\n", "own/a.feature:1: line 1 is not UTF-8 (byte 0xe9); save the file as UTF-8"},
		{"empty", "a.feature", " \n", "own/a.feature:1: the file is empty; begin it with a line such as"},
		{"commented out", "a.feature", "# Feature: F\n#   Scenario: S\n", "own/a.feature:1: every line of the file is a comment; begin it with a line such as"},
		{"no scenario", "a.feature", "\nFeature: F\n  nothing\n", "own/a.feature:2: the feature \"F\" holds no scenario; a line that starts with \"Scenario:\""},
		{"Examples without a row", "a.feature", outline("    Examples:\n      | n |\n"), "own/a.feature:3: the outline \"Never runs <n>\" has Examples without a row (line 6), so nothing of it would run"},
		{"Examples without a table", "a.feature", outline("    Examples:\n"), "has Examples without a row (line 6)"},
		{"one of two Examples without a row", "a.feature", outline("    Examples:\n      | n |\n      | 201 |\n    Examples: more\n      | n |\n"), "has Examples without a row (line 9)"},
		{"outline without Examples", "a.feature", outline(""), "own/a.feature:3: the outline \"Never runs <n>\" has no Examples, so nothing of it would run"},
		{"row that is not closed", "a.feature", fine + claims + "      | claim | kind |\n      | jti | string\n", "own/a.feature:10: the row of the table does not end in |, so its last cell would be left out"},
		{"every row not closed", "a.feature", fine + claims + "      | claim | kind\n      | jti | string\n", "own/a.feature:9: the row of the table does not end in |"},
		{"row of one |", "a.feature", fine + claims + "      | claim | kind |\n      |\n", "own/a.feature:10: the row of the table does not end in |"},
		{"row that is not closed of Examples", "a.feature", outline("    Examples:\n      | n |\n      | 201\n"), "own/a.feature:8: the row of the table does not end in |"},
		{"Examples with a column twice", "a.feature", outline("    Examples:\n      | n | m | n |\n      | 201 | 1 | 401 |\n"), "own/a.feature:7: two columns of the Examples are called \"n\", so one of them would be left out; give each a name of its own"},
		{"columns of Examples in other case", "a.feature", outline("    Examples:\n      | n | N |\n      | 201 | 401 |\n"), ""},
		{"second Examples with the columns of the first", "a.feature", outline("    Examples:\n      | n |\n      | 201 |\n    Examples: more\n      | n |\n      | 401 |\n"), ""},
		{"rows of different length", "a.feature", fine + claims + "      | claim | kind |\n      | jti | string | x |\n", "own/a.feature:10: the row has another number of cells than the first row of its table"},
		{"table of one column", "a.feature", fine + claims + "      | claim |\n      | jti |\n", "own/a.feature:8: the rows of the table are a name and a kind, such as | jti | string |, not 1 cell"},
		{"table without rows", "a.feature", fine + claims + "      | claim | kind |\n", "own/a.feature:8: the table has no row below its first, so nothing would be checked"},
		{"kind that is none", "a.feature", fine + claims + "      | claim | kind |\n      | jti | text |\n", "own/a.feature:8: the table says that jti is \"text\", which is no kind; kinds are string, integer"},
		{"text that does not end", "a.feature", fine + claims + "      \"\"\"\n      a\n", "the file ends too early"},
		{"second feature", "a.feature", fine + "\nFeature: G\n", "own/a.feature:9: \"Feature: G\" begins a second feature; write it into a file of its own"},
		{"second background", "a.feature", "Feature: F\n  Background:\n    Given an account in good standing\n  Background:\n    Given an account in good standing\n", "own/a.feature:4: \"Background:\" cannot stand here: a feature has one of them"},
		{"scenario without a feature", "a.feature", "Scenario: One\n", "own/a.feature:1: \"Scenario: One\" stands before the feature; begin the file with a line such as \"Feature: What our apps rely on\""},
		{"unknown language", "a.feature", "# language: dothraki\n" + fine, "own/a.feature:1: Gherkin does not know the language \"dothraki\""},
		{"English word in German", "a.feature", "# language: de\nFeature: F\n\n  Szenario: S\n    Angenommen an account in good standing\n", "own/a.feature:2: \"Feature: F\" stands where a keyword is expected: the words of the language \"de\" are Funktionalität:, Rule:, Grundlage:, Szenario:, and steps begin with Angenommen, Wenn, Dann, Und, Aber"},
		{"requirement in small letters", "a.feature", tagged("@ref-01"), "own/a.feature:4: \"S\" is tagged @ref-01, which is no requirement of the catalogue; the nearest is REF-01"},
		{"requirement with another dash", "a.feature", tagged("@REF_01"), "\"S\" is tagged @REF_01, which is no requirement of the catalogue; the nearest is REF-01"},
		{"requirement with a hyphen of a word processor", "a.feature", tagged("@REF\u201101"), "\"S\" is tagged @REF\u201101, which is no requirement of the catalogue; the nearest is REF-01"},
		{"requirement with a zero-width space", "a.feature", tagged("@REF-01\u200b"), "which is no requirement of the catalogue; the nearest is REF-01"},
		{"requirement before a comma", "a.feature", tagged("@REF-01,@mine"), "\"S\" is tagged @REF-01,, which is no requirement of the catalogue; the nearest is REF-01"},
		{"requirement behind a comma", "a.feature", tagged("@mine,REF-01"), "\"S\" is tagged @mine,REF-01, which is no requirement of the catalogue; the nearest is REF-01"},
		{"tag that Examples were to fill in", "a.feature", "Feature: F\n\n  @<id>\n  Scenario Outline: S\n    Given an account in good standing\n    Then the status is <n>\n\n    Examples:\n      | id | n |\n      | REF-01 | 200 |\n", "own/a.feature:10: \"S\" is tagged @<id>, and Examples fill in no tags; write the tag itself; where rows differ, give each tag Examples of its own"},
		{"tag above Examples", "a.feature", outline("    @REF-01\n    Examples:\n      | n |\n      | 201 |\n"), ""},
		{"tags of people with other signs", "a.feature", tagged("@team,ref @2026\u201112 @a<b @smoke;slow"), ""},
		{"tags of people", "a.feature", tagged("@ags-1 @v-2 @JIRA_12 @ref @REF-login @sprint-24"), ""},
		{"misspelt Given", "a.feature", step("Givn the operator disables the device"), "own/a.feature:4: \"Givn the operator disables the device\" would be read as prose, and its step left out: Feature:, Rule:, Background: and Scenario: end with a colon, steps begin with Given"},
		{"Given in other case", "a.feature", step("given the operator disables the device"), "own/a.feature:4: \"given the operator disables the device\" would be read as prose, and its step left out"},
		{"Given and a blank that is no space", "a.feature", step("Given\u00a0the operator disables the device"), "own/a.feature:4: \"Given\\u00a0the operator disables the device\" would be read as prose"},
		{"sentence without a keyword", "a.feature", step("the operator disables the device"), "own/a.feature:4: \"the operator disables the device\" would be read as prose"},
		{"step below a feature", "a.feature", "Feature: Mine\n  Given a client that is signed on\n" + strings.TrimPrefix(fine, "Feature: Mine\n"), "own/a.feature:2: \"Given a client that is signed on\" would be read as prose"},
		{"prose that begins as a step does", "a.feature", step("given that nobody disables the device\n    Whenever a client is signed on, it stays so"), ""},
		// Danish has a word of its own for Rule since Gherkin 29.
		{"word that the language had once", "a.feature", "# language: da\nEgenskab: F\n\n  Rule: R\n\n    Scenarie: S\n      Givet an account in good standing\n", "own/a.feature:4: \"Rule: R\" would be read as prose: the words of the language \"da\" are Egenskab:, Regel:"},
		{"scenario that is read as prose", "a.feature", "Feature: F\n\n  scenario: One\n    Given an account in good standing\n\n  Scenario: Two\n    Given an account in good standing\n", "own/a.feature:3: \"scenario: One\" would be read as prose: it cannot stand here, or its letters differ"},
		{"misspelt scenario", "a.feature", "Feature: F\n\n  Scenaro: One\n    Given an account in good standing\n\n  Scenario: Two\n    Given an account in good standing\n", "own/a.feature:3: \"Scenaro: One\" would be read as prose: a scenario begins with"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sources, err := script.ReadSources(fstest.MapFS{"sub/" + c.file: {Data: []byte(c.text)}, "sub/z.feature": {Data: []byte(fine)}})
			var all []*script.Scenario
			if err == nil {
				var wrong script.Mistakes
				all, wrong = script.Parse(sources)
				err = append(wrong, words.MatchAll(all)...).Failure()
			}
			if c.want == "" {
				require.NoError(t, err)
				assert.True(t, strings.HasPrefix(all[len(all)-2].File, "own/sub/"), all[len(all)-2].File)
				return
			}
			require.ErrorContains(t, err, strings.ReplaceAll(c.want, "own/", "own/sub/"))
			assert.Equal(t, failure.Usage, failure.KindOf(err))
		})
	}
}

// TestFilesThatBeginWithADotAreNotRead: editors and other systems put them beside the user's own.
func TestFilesThatBeginWithADotAreNotRead(t *testing.T) {
	t.Parallel()
	sources, err := script.ReadFolder(fstest.MapFS{
		"a.feature": {Data: []byte(fine)}, "._a.feature": {Data: []byte{0, 5, 22, 7}}, ".git/b.feature": {Data: []byte("x")},
	}, "mine")
	require.NoError(t, err)
	require.Len(t, sources, 1)
	assert.Equal(t, "mine/a.feature", sources[0].Name)
}

// TestWhatIsNoFileIsNotWaitedFor: reading a named pipe would wait for a writer for good.
func TestWhatIsNoFileIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	_, err := script.ReadFolder(fstest.MapFS{"a.feature": {Data: []byte(fine)}, "b.feature": {Mode: fs.ModeNamedPipe}}, "mine")
	require.ErrorContains(t, err, "mine/b.feature:1: it is no file")
	assert.Equal(t, failure.Usage, failure.KindOf(err))
}

// FuzzFeatureFile: whatever stands in a file, it is read or it is a mistake of the file.
func FuzzFeatureFile(f *testing.F) {
	for _, text := range []string{fine, "\ufeff" + fine, "Feature: F\n Scenario Outline: <n>\n  Given <n>\n  |\n  Examples:\n   |n|\n", "# language: da\nEgenskab: F\n", "Feature: F\n  Rule: R\n   Background:\n    * \n     \"\"\"\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		all, wrong := script.Parse([]script.Source{{Name: "own/f.feature", Content: []byte(text)}})
		if len(all) == 0 && len(wrong) == 0 {
			t.Errorf("%q holds nothing and nothing is wrong with it", text)
		}
		words.MatchAll(all)
	})
}

// TestALinkToFeaturesIsNoSilence: folders behind links are not read, and whoever put features there is told.
func TestALinkToFeaturesIsNoSilence(t *testing.T) {
	elsewhere, folder := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere, "a.feature"), []byte("Feature: a\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "b.feature"), []byte("Feature: b\n"), 0o600))
	if err := os.Symlink(t.TempDir(), filepath.Join(folder, "nothing")); err != nil {
		t.Skipf("no links here: %v", err)
	}
	sources, err := script.ReadFolder(os.DirFS(folder), "own")
	require.NoError(t, err)
	require.Len(t, sources, 1)
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(folder, "linked")))
	_, err = script.ReadFolder(os.DirFS(folder), "own")
	require.ErrorContains(t, err, "own/linked:1: it is a link to a folder with feature files")
}
