package steps

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"agstest/ags"
)

// brokenBody is a body that was right but for one thing. A harmless one is taken by readers of JSON, though nobody should send it.
type brokenBody struct {
	how      string
	make     func(right []byte, r *request) []byte
	harmless bool
}

// brokenBodies are made from a request that would be right, so that nothing but the form can be the reason of a refusal.
var brokenBodies = []brokenBody{
	{"with a comma behind its last member", func(b []byte, _ *request) []byte { return append(bytes.Clone(b[:len(b)-1]), ",}"...) }, false},
	{"with text behind it", func(b []byte, _ *request) []byte { return append(bytes.Clone(b), " and more"...) }, false},
	{"with a second body behind it", func(b []byte, _ *request) []byte { return append(bytes.Clone(b), b...) }, false},
	{"that is not closed", func(b []byte, _ *request) []byte { return bytes.Clone(b[:len(b)-1]) }, false},
	{"with a NUL behind it", func(b []byte, _ *request) []byte { return append(bytes.Clone(b), 0) }, false},
	{"with single quotes", func(b []byte, _ *request) []byte { return bytes.ReplaceAll(b, []byte(`"`), []byte(`'`)) }, false},
	{"whose parameters are a text that holds JSON", func(_ []byte, r *request) []byte {
		return withMember(r, "parameters", rawJSON(string(r.get("parameters"))))
	}, false},
	{"with a byte order mark before it", func(b []byte, _ *request) []byte { return append([]byte("\ufeff"), b...) }, true},
	{"in which parameters stand twice", func(b []byte, r *request) []byte {
		return append(append([]byte(`{"parameters":`), append(r.get("parameters"), ',')...), b[1:]...)
	}, true},
}

func withMember(r *request, name string, value json.RawMessage) []byte {
	c := *r
	c.members = append([]member{}, r.members...)
	c.set(name, value)
	return c.bytes()
}

var brokenJSONPhrases = []phrase{
	when(`bodies that are broken in one place are sent to (\w+)`, "bodies that are broken in one place are sent to <operation>", "bodies that are broken in one place are sent to refresh",
		"Sends the documented request with a body that was right but for one thing: a comma, text, a second body or a NUL behind it, not closed, single quotes, parameters as a text, a byte order mark, a member twice.",
		func(ctx context.Context, w *world, a arguments) error { return w.sendBrokenBodies(ctx, a.words[0]) }),
	then(`each was refused with (\d+)`, "each was refused with <status>", "each was refused with 400",
		"Every broken body was answered with this status. Another from 400 to 499 warns. Readers of JSON differ about a byte order mark and a member that stands twice: these may be taken.",
		func(_ context.Context, w *world, a arguments) error { return w.refusedWith(number(a.words[0])) }),
	then(`each was answered without a fault of the service`, "each was answered without a fault of the service", "each was answered without a fault of the service",
		"No broken body was answered with a status of 500 or more, or not at all.",
		func(_ context.Context, w *world, _ arguments) error { return w.refusedWith(0) }),
}

// broken is an answer to a broken body.
type broken struct {
	body brokenBody
	x    *exchange
}

func (w *world) sendBrokenBodies(ctx context.Context, operation string) error {
	w.broken, w.precise = nil, true
	taken := false
	if err := w.mayCompare(operation); err != nil {
		return err
	}
	tries := make([]*broken, len(brokenBodies))
	unknown := make([]string, len(brokenBodies))
	try := func(ctx context.Context, own *world, i int) error {
		b := brokenBodies[i]
		if b.harmless && operation == ags.SubsequentSignOn && w.live() {
			return nil // a service may well take it, and each success makes a device that stays
		}
		r, _, err := own.documented(ctx, operation)
		if err != nil {
			return err
		}
		r.body = b.make(r.bytes(), r)
		x, err := own.trySomething(ctx, r)
		if err != nil {
			return err
		}
		tries[i], unknown[i] = &broken{b, x}, own.unproven(x)
		if effectiveStatus(x)/100 == 2 {
			own.afterSuccess(ctx, operation)
		}
		return nil
	}
	var side, row []int // what may be taken uses up the token of some calls, and is sent last
	for i, b := range brokenBodies {
		if usesUp(operation) && b.harmless {
			row = append(row, i)
		} else {
			side = append(side, i)
		}
	}
	if err := w.inLanes(ctx, len(side), func(ctx context.Context, own *world, i int) error { return try(ctx, own, side[i]) }); err != nil {
		return err
	}
	for _, i := range row {
		if err := try(ctx, w, i); err != nil {
			return err
		}
	}
	for i, t := range tries {
		if unknown[i] != "" {
			return unknownf("%s", unknown[i])
		}
		if t != nil {
			w.broken = append(w.broken, *t)
			taken = taken || effectiveStatus(t.x)/100 == 2
		}
	}
	if taken {
		w.offers = nil
	}
	if taken { // so the request was right but for its form
		return nil
	}
	return w.stillGood(ctx, operation)
}

// refusedWith holds the answers to broken bodies against a status; 0: any that is no fault of the service.
func (w *world) refusedWith(wanted int) error {
	expected := fmt.Sprintf("status %d to each broken body", wanted)
	if wanted == 0 {
		expected = "no status of 500 or more to a broken body"
	}
	var mild error
	for _, b := range w.broken {
		status := effectiveStatus(b.x)
		got := fmt.Sprintf("%s to a body %s", w.describe(b.x), b.body.how)
		switch {
		case status == wanted && !hasTokens(b.x), wanted == 0 && status < http.StatusInternalServerError, b.body.harmless && status/100 == 2:
			continue
		case status/100 == 4 && !hasTokens(b.x), status/100 == 2 && b.x.request.operation == ags.SignOut: // whose body says nothing that the token does not
			if mild == nil {
				w.exchanges = append(w.exchanges, b.x)
				mild = softMissf(expected, "%s", got)
			}
			continue
		}
		w.exchanges = append(w.exchanges, b.x)
		return missf(expected, "%s", got)
	}
	return mild
}
