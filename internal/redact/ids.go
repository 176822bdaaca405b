package redact

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// idMember finds the ids of accounts, devices and users in the JSON of an exchange.
var idMember = regexp.MustCompile(
	`(?i)"(accountId|deviceId|client_?id|userId|username|userName|loginName|externalId)\\?"\s*:\s*\\?"?([A-Za-z0-9][A-Za-z0-9_.@-]{2,127})`)

// IDs replaces the ids of accounts, devices and users in all texts of a run by masked names, as load does: the given
// ones, and those that its exchanges name. The same id has the same mask in one run. An id that may as well be a word
// of a sentence, such as demo or 200, is replaced where it stands as an id: as a value in JSON or in quotes, in a
// query, a path or a header, and behind words such as account and device. It changes the value that the pointer points
// to.
func IDs(run any, given []string) {
	masks, taken := map[string]string{}, map[string]int{}
	add := func(id string) {
		id = strings.TrimRight(id, ".-_@")
		if len(id) >= 3 && masks[id] == "" && id != "null" && id != "true" && id != "false" {
			mask := maskedID(id)
			if taken[mask]++; taken[mask] > 1 { // two ids stay two
				mask = fmt.Sprintf("%s~%d", mask, taken[mask])
			}
			masks[id] = mask
		}
	}
	for _, id := range given {
		add(id)
	}
	eachText(reflect.ValueOf(run), func(text string, _ bool) string {
		for _, found := range idMember.FindAllStringSubmatch(text, -1) {
			if strings.ContainsAny(found[2], "0123456789@") { // a plain word is no id that could be told from prose
				add(found[2])
			}
		}
		return text
	})
	if len(masks) == 0 {
		return
	}
	eachText(reflect.ValueOf(run), func(text string, ofPair bool) string {
		if ofPair && masks[text] != "" {
			return masks[text]
		}
		return maskWords(text, masks)
	})
}

// maskedID keeps what lets one tell a few ids apart, and not whose they are.
func maskedID(id string) string {
	if len(id) < 6 {
		return id[:1] + "…"
	}
	shown := min(3, len(id)/3)
	return id[:shown] + "…" + id[len(id)-shown:]
}

// wordlike matches ids that sentences may hold as words or as numbers.
var wordlike = regexp.MustCompile(`^(?:[A-Za-z]+|[0-9]{3})$`)

// whose matches what stands before an id in JSON and in sentences, and whoseAlone what does where the sentence, or its
// part, ends with the id.
var (
	whose = regexp.MustCompile(
		`(?i)(?:^|[^A-Za-z])(?:(?:account|device|client|user)[_ -]?(?:id|name)|loginName|externalId)(?:\\?")?\s*[:=]?\s*$`)
	whoseAlone = regexp.MustCompile(`(?i)(?:^|[^A-Za-z])(?:account|device|client|user) $`)
)

// pathBefore matches a path up to an id in it.
var pathBefore = regexp.MustCompile(`(?:^|[\s"'(])(?:https?:/)?/[A-Za-z0-9._~%/:@-]*/$`)

// standsAsID tells whether the word of a text from start to end is said as an id.
func standsAsID(text string, start, end int) bool {
	before, after := text[:start], text[end:]
	if len(before) > 200 {
		before = before[len(before)-200:]
	}
	if strings.HasSuffix(before, "=") {
		return true
	}
	closing := strings.TrimPrefix(after, `\`)
	if quote := strings.LastIndexAny(before, "\"'`"); quote >= 0 && quote == len(before)-1 &&
		strings.HasPrefix(closing, before[quote:]) {
		return !strings.HasPrefix(strings.TrimLeft(closing[1:], " "), ":") // the name of a member
	}
	if strings.HasSuffix(before, ": ") && closing != "" && strings.Contains("\"'", closing[:1]) {
		return true // a header, as a command line names it
	}
	if strings.HasSuffix(before, "/") && (after == "" || strings.Contains("/?#\"' \n", after[:1])) {
		return pathBefore.MatchString(before) && !strings.HasSuffix(before, "/ags/")
	}
	return whose.MatchString(before) || (after == "" || strings.Contains(",;)", after[:1])) &&
		whoseAlone.MatchString(before)
}

// maskWords replaces whole words that are ids.
func maskWords(text string, masks map[string]string) string {
	word := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' ||
			c == '.' || c == '@'
	}
	var b strings.Builder
	at := 0
	for i := 0; i < len(text); {
		if !word(text[i]) {
			i++
			continue
		}
		end := i
		for end < len(text) && word(text[end]) {
			end++
		}
		whole := strings.TrimRight(text[i:end], ".-_@")
		if mask := masks[whole]; mask != "" && (!wordlike.MatchString(whole) || standsAsID(text, i, i+len(whole))) {
			b.WriteString(text[at:i])
			b.WriteString(mask)
			at = i + len(whole)
		}
		i = end
	}
	if at == 0 {
		return text
	}
	b.WriteString(text[at:])
	return b.String()
}
