package redact

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

// idMember finds the ids of accounts, devices and users in the JSON of an exchange.
var idMember = regexp.MustCompile(`(?i)"(accountId|deviceId|client_?id|userId|username|userName|loginName|externalId)\\?"\s*:\s*\\?"?([A-Za-z0-9][A-Za-z0-9_.@-]{2,127})`)

// IDs replaces the ids of accounts, devices and users in all texts of a run by masked names, as load does: the given
// ones, and those that its exchanges name. The same id has the same mask in one run. It changes the value that the
// pointer points to.
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
	eachText(reflect.ValueOf(run), func(text string) string {
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
	eachText(reflect.ValueOf(run), func(text string) string { return maskWords(text, masks) })
}

// maskedID keeps what lets one tell a few ids apart, and not whose they are.
func maskedID(id string) string {
	if len(id) < 6 {
		return id[:1] + "…"
	}
	shown := min(3, len(id)/3)
	return id[:shown] + "…" + id[len(id)-shown:]
}

// maskWords replaces whole words that are ids.
func maskWords(text string, masks map[string]string) string {
	word := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == '@'
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
		if mask := masks[whole]; mask != "" {
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
