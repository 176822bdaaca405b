package clients

import (
	"fmt"
	"strconv"
	"strings"

	"agstest/internal/environment"
	"agstest/internal/failure"
	"agstest/load/schedule"
)

// roster is the identities of the virtual clients: a pattern in which {n} runs from 1, or the rows of a file. Client
// numbers start at 0. It is read-only after newRoster and holds no per-client memory for patterns.
type roster struct {
	count                                int
	session, device, account             pattern
	rows                                 *clientRows // nil: patterns
	hasSessions, hasAccounts, hasDevices bool
	showIDs                              bool // names of clients hold whole ids

	all           int    // clients of the environment
	first, stride uint32 // of a shard: client n is number first + n·stride of all
}

// newRoster makes the roster of an environment. A missing or contradictory description is an error of the kind
// failure.Usage.
func newRoster(e *environment.Environment) (*roster, error) {
	c := e.Load.Clients
	if c.File != "" {
		if c.Count != 0 || c.SessionToken != "" || c.SessionTokens != nil || c.ClientID != "" || c.AccountID != "" {
			return nil, failure.Usagef("load.clients of %s names both a file and a pattern; keep one of them", e.Name)
		}
		rows, err := readClientFile(c.File)
		if err != nil {
			return nil, err
		}
		return &roster{count: rows.count(), all: rows.count(), rows: rows, hasSessions: rows.has[columnSession],
			hasAccounts: rows.has[columnAccount], hasDevices: rows.has[columnDevice], stride: 1}, nil
	}
	if c.ClientID == "" && c.SessionToken == "" && c.SessionTokens == nil || c.Count < 1 {
		return nil, failure.Usagef(
			"the environment %s names no virtual clients; add load.clients with count and clientId, or with file",
			e.Name)
	}
	r := &roster{
		count: c.Count, all: c.Count, session: newPattern(c.SessionToken), device: newPattern(
			c.ClientID), account: newPattern(c.AccountID),
		hasSessions: c.SessionToken != "", hasAccounts: c.AccountID != "", hasDevices: c.ClientID != "", stride: 1,
	}
	if c.Count > 1 && r.hasDevices && !r.device.varies() {
		return nil, failure.Usagef("load.clients.clientId of %s must contain {n}: %d clients cannot be one device",
			e.Name, c.Count)
	}
	if c.Count > 1 && r.hasSessions && !r.session.varies() {
		return nil, failure.Usagef(
			"load.clients.sessionToken of %s must contain {n}: each client has a session token of its own", e.Name)
	}
	return r, nil
}

// keep leaves only the clients of one shard.
func (r *roster) keep(shard schedule.Shard) {
	if shard.Of > 1 {
		r.first, r.stride = uint32(shard.Index-1), uint32(shard.Of)
		r.count = (r.count + shard.Of - shard.Index) / shard.Of
	}
}

// skip leaves the first clients out.
func (r *roster) skip(clients int) {
	clients = min(clients, r.count)
	r.first += uint32(clients) * r.stride
	r.count -= clients
}

// number is the position of a client among all of the environment.
func (r *roster) number(n uint32) uint32 { return r.first + n*r.stride }

// appendSession appends the session token of client n.
func (r *roster) appendSession(dst []byte, n uint32) []byte {
	if r.rows != nil {
		return append(dst, r.rows.field(r.number(n), columnSession)...)
	}
	return r.session.appendTo(dst, r.number(n))
}

// appendDevice appends the clientId of client n.
func (r *roster) appendDevice(dst []byte, n uint32) []byte { return r.appendDeviceOf(dst, r.number(n)) }

func (r *roster) appendDeviceOf(dst []byte, number uint32) []byte {
	if r.rows != nil {
		return append(dst, r.rows.field(number, columnDevice)...)
	}
	return r.device.appendTo(dst, number)
}

// appendAccount appends the account of client n; nothing where the environment does not say.
func (r *roster) appendAccount(dst []byte, n uint32) []byte {
	return r.appendAccountOf(dst, r.number(n))
}

func (r *roster) appendAccountOf(dst []byte, number uint32) []byte {
	if r.rows != nil {
		return append(dst, r.rows.field(number, columnAccount)...)
	}
	return r.account.appendTo(dst, number)
}

// owner finds the number of the client that has a device, by looking at all clients of the environment, those of other
// shards too; for reports of mix-ups, not for every hit.
func (r *roster) owner(device []byte) (uint32, bool) {
	var room [128]byte
	for number := range uint32(r.all) {
		if string(r.appendDeviceOf(room[:0], number)) == string(device) {
			return number, true
		}
	}
	return 0, false
}

// name is a client as messages name it: its number from 1, its device and its account, both masked.
func (r *roster) name(number uint32) string {
	var room [256]byte
	text := fmt.Sprintf("client %d", number+1)
	var ids []string
	if device := r.appendDeviceOf(room[:0], number); len(device) > 0 {
		ids = append(ids, "device "+r.shown(device))
	}
	if account := r.appendAccountOf(room[:0], number); len(account) > 0 {
		ids = append(ids, "account "+r.shown(account))
	}
	if len(ids) > 0 {
		text += " (" + strings.Join(ids, ", ") + ")"
	}
	return text
}

// shown is an id as reports show it.
func (r *roster) shown(id []byte) string {
	if r.showIDs && len(id) > 0 {
		return string(id)
	}
	return masked(id)
}

// pattern is a text with {n} cut out of it.
type pattern []string

func newPattern(text string) pattern { return strings.Split(text, "{n}") }

func (p pattern) varies() bool { return len(p) > 1 }

func (p pattern) appendTo(dst []byte, n uint32) []byte {
	for i, text := range p {
		if i > 0 {
			dst = strconv.AppendUint(dst, uint64(n)+1, 10)
		}
		dst = append(dst, text...)
	}
	return dst
}

// masked shows enough of an identifier to find it and not all of it.
func masked(id []byte) string {
	text := []rune(string(id))
	switch {
	case len(text) == 0:
		return "none"
	case len(text) < 6:
		return string(text[:1]) + "…"
	}
	shown := min(3, len(text)/3)
	return string(text[:shown]) + "…" + string(text[len(text)-shown:])
}
