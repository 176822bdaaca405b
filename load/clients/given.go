package clients

import (
	"maps"
	"slices"
	"strings"

	"agstest/internal/environment"
	"agstest/internal/failure"
)

// givenParameter is a parameter that the environment gives for a call whose token identifies the client. Its value may
// hold the number and the ids of the client.
type givenParameter struct {
	lead  string // of its JSON text, up to the value
	value []givenPart
}

// givenPart is a text, or one of the placeholders.
type givenPart struct{ text, placeholder string }

// The placeholders in values of load.parameters.
const (
	placeNumber  = "{n}"
	placeClient  = "{clientId}"
	placeAccount = "{accountId}"
)

// givenParameters takes the parameters of a call apart, in the order of their names.
func givenParameters(given map[string]string) []givenParameter {
	var found []givenParameter
	for _, name := range slices.Sorted(maps.Keys(given)) {
		p := givenParameter{lead: string(appendJSON([]byte(`{"name":`), []byte(name))) + `,"value":`}
		for rest := given[name]; rest != ""; {
			at, next := len(rest), ""
			for _, place := range []string{placeNumber, placeClient, placeAccount} {
				if i := strings.Index(rest, place); i >= 0 && i < at {
					at, next = i, place
				}
			}
			p.value = append(p.value, givenPart{rest[:at], next})
			rest = rest[at+len(next):]
		}
		found = append(found, p)
	}
	return found
}

// checkGiven refuses parameters that want an id which the clients of the environment do not have. Errors are of the
// kind failure.Usage.
func (r *roster) checkGiven(e *environment.Environment) error {
	for call, given := range map[string]map[string]string{"refresh": e.Load.Parameters.Refresh,
		"signOut": e.Load.Parameters.SignOut} {
		for _, name := range slices.Sorted(maps.Keys(given)) {
			for place, has := range map[string]bool{placeClient: r.hasDevices, placeAccount: r.hasAccounts} {
				if strings.Contains(given[name], place) && !has {
					return failure.Usagef("load.parameters.%s.%s of %s holds %s, and load.clients gives none; add it",
						call, name, e.Name, place)
				}
			}
		}
	}
	return nil
}

// appendGiven appends a body with the given parameters for client n.
func (r *roster) appendGiven(dst []byte, given []givenParameter, n uint32) []byte {
	dst = append(dst, startOfParameters...)
	var room [256]byte
	for i, p := range given {
		if i > 0 {
			dst = append(dst, ',')
		}
		value := room[:0]
		for _, part := range p.value {
			value = append(value, part.text...)
			switch part.placeholder {
			case placeNumber:
				value = number.appendTo(value, r.number(n))
			case placeClient:
				value = r.appendDevice(value, n)
			case placeAccount:
				value = r.appendAccount(value, n)
			}
		}
		dst = append(appendJSON(append(dst, p.lead...), value), '}')
	}
	return append(dst, "]}"...)
}

// number is the number of a client, from 1.
var number = newPattern(placeNumber)
