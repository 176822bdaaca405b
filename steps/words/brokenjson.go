package words

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"agstest/ags"
	"agstest/steps/scene"
	"agstest/steps/talk"
)

// brokenBodies are made from a request that would be right, so that nothing but the form can be the reason of a
// refusal.
var brokenBodies = []scene.BrokenBody{
	{How: "with a comma behind its last member", Make: func(b []byte, _ *talk.Request) []byte { return append(bytes.Clone(b[:len(b)-1]), ",}"...) }, Harmless: false},
	{How: "with text behind it", Make: func(b []byte, _ *talk.Request) []byte { return append(bytes.Clone(b), " and more"...) }, Harmless: false},
	{How: "with a second body behind it", Make: func(b []byte, _ *talk.Request) []byte { return append(bytes.Clone(b), b...) }, Harmless: false},
	{How: "that is not closed", Make: func(b []byte, _ *talk.Request) []byte { return bytes.Clone(b[:len(b)-1]) }, Harmless: false},
	{How: "with a NUL behind it", Make: func(b []byte, _ *talk.Request) []byte { return append(bytes.Clone(b), 0) }, Harmless: false},
	{How: "with single quotes", Make: func(b []byte, _ *talk.Request) []byte { return bytes.ReplaceAll(b, []byte(`"`), []byte(`'`)) }, Harmless: false},
	{How: "whose parameters are a text that holds JSON", Make: func(_ []byte, r *talk.Request) []byte {
		return withMember(r, "parameters", talk.JSON(string(r.Get("parameters"))))
	}, Harmless: false},
	{How: "whose parameters are an object of names and values", Make: func(_ []byte, r *talk.Request) []byte {
		values := map[string]string{}
		for _, p := range r.Parameters() {
			values[p.Name] = p.Value
		}
		return withMember(r, "parameters", talk.JSON(values))
	}, Harmless: false},
	{How: "with a byte order mark before it", Make: func(b []byte, _ *talk.Request) []byte { return append([]byte("\ufeff"), b...) }, Harmless: true},
	{How: "in which parameters stand twice", Make: func(b []byte, r *talk.Request) []byte {
		return append(append([]byte(`{"parameters":`), append(r.Get("parameters"), ',')...), b[1:]...)
	}, Harmless: true},
}

func withMember(r *talk.Request, name string, value json.RawMessage) []byte {
	c := *r
	c.Members = append([]talk.Member{}, r.Members...)
	c.Set(name, value)
	return c.Bytes()
}

var brokenJSONPhrases = []Sentence{
	when("bodies that are broken in one place are sent to <operation>",
		"Sends the documented request with a body that was right but for one thing: a comma, text, a second body or a NUL "+
			"behind it, not closed, single quotes, parameters as a text or as an object of names and values, a byte order "+
			"mark, a member twice.",
		func(ctx context.Context, w *scene.World, a arguments) error {
			return sendBrokenBodies(ctx, w, a.words[0])
		}).like("bodies that are broken in one place are sent to refresh"),
	then("each was refused with <status>",
		"Every broken body was answered with this status. Another from 400 to 499 warns. Readers of JSON differ about a "+
			"byte order mark and a member that stands twice: these may be taken.",
		func(_ context.Context, w *scene.World, a arguments) error {
			return refusedWith(w,
				number(a.words[0]))
		}).like("each was refused with 400"),
	then("each was answered without a fault of the service",
		"No broken body was answered with a status of 500 or more, or not at all. One that is taken warns, unless readers "+
			"of JSON differ about it.",
		func(_ context.Context, w *scene.World, _ arguments) error { return refusedWith(w, 0) }),
}

func sendBrokenBodies(ctx context.Context, w *scene.World, operation string) error {
	w.Broken, w.Precise = nil, true
	taken := false
	if err := mayCompare(w, operation); err != nil {
		return err
	}
	tries := make([]*scene.Broken, len(brokenBodies))
	unknown := make([]string, len(brokenBodies))
	try := func(ctx context.Context, own *scene.World, i int) error {
		b := brokenBodies[i]
		if b.Harmless && operation == ags.SubsequentSignOn && w.Live() {
			return nil // a service may well take it, and each success makes a device that stays
		}
		r, _, err := own.Documented(ctx, operation)
		if err != nil {
			return err
		}
		r.Body = b.Make(r.Bytes(), r)
		x, err := trySomething(ctx, own, r, false)
		if err != nil && (x == nil || x.Stray == "") {
			return err
		}
		tries[i], unknown[i] = &scene.Broken{Body: b, Exchange: x}, whyAllUnproven(own, x)
		if scene.EffectiveStatus(x)/100 == 2 {
			afterSuccess(ctx, own, operation)
		}
		return nil
	}
	side, row := brokenApart(operation)
	if err := w.InLanes(ctx, len(side),
		func(ctx context.Context, own *scene.World, i int) error { return try(ctx, own, side[i]) }); err != nil {
		return err
	}
	for _, i := range row {
		if err := try(ctx, w, i); err != nil {
			return err
		}
	}
	for i, t := range tries {
		if unknown[i] != "" {
			return talk.Unknownf("%s", unknown[i])
		}
		if t != nil {
			w.Broken = append(w.Broken, *t)
			taken = taken || scene.EffectiveStatus(t.Exchange)/100 == 2
		}
	}
	if taken {
		w.Offers = nil
	}
	if taken { // so the request was right but for its form
		return nil
	}
	return stillGood(ctx, w, operation)
}

// brokenApart tells the broken bodies that are sent side by side from those that are sent last, as they may be taken
// and use up the token, by their places in the list.
func brokenApart(operation string) (side, row []int) {
	for i, b := range brokenBodies {
		if usesUp(operation) && b.Harmless {
			row = append(row, i)
		} else {
			side = append(side, i)
		}
	}
	return side, row
}

// whyAllUnproven says why nothing can be told of any broken body. Where a gateway barred one, the others may still show
// a miss.
func whyAllUnproven(w *scene.World, x *talk.Exchange) string {
	if scene.Barred(x) != "" {
		return ""
	}
	return w.Unproven(x)
}

// refusedWith holds the answers to broken bodies against a status; 0: any refusal, and a body that is taken warns. What
// a firewall barred leaves the rest as it is.
func refusedWith(w *scene.World, wanted int) error {
	if len(w.Broken) == 0 {
		return talk.Unknownf("no broken body was sent before; write first: When bodies that are broken in one place " +
			"are sent to refresh")
	}
	expected := fmt.Sprintf("status %d to each broken body", wanted)
	if wanted == 0 {
		expected = "a refusal of each broken body"
	}
	var mild error
	barred, why, stray := 0, "", ""
	for _, b := range w.Broken {
		if b.Exchange.Stray != "" {
			stray = fmt.Sprintf("a body %s: %s", b.Body.How, b.Exchange.Stray)
			continue
		}
		if page := scene.Barred(b.Exchange); page != "" {
			barred, why = barred+1, page
			continue
		}
		status := scene.EffectiveStatus(b.Exchange)
		refused := status/100 == 4 && !scene.HasTokens(b.Exchange)
		// whose body says nothing that the token does not
		unread := status/100 == 2 && (wanted == 0 || b.Exchange.Request.Operation == ags.SignOut)
		got := fmt.Sprintf("%s to a body %s", w.Describe(b.Exchange), b.Body.How)
		switch {
		case refused && (wanted == 0 || status == wanted), b.Body.Harmless && status/100 == 2:
			continue
		case refused, unread:
			if mild == nil {
				w.Exchanges = append(w.Exchanges, b.Exchange)
				mild = talk.SoftMissf(expected, "%s", got)
			}
			continue
		}
		w.Exchanges = append(w.Exchanges, b.Exchange)
		return talk.Missf(expected, "%s", got)
	}
	if stray != "" {
		return talk.Unknownf("%s", stray)
	}
	if barred > 0 && barred == len(w.Broken) {
		return talk.Unknownf("%s", why)
	}
	if barred > 0 {
		w.InPart(fmt.Sprintf("%d of %d broken bodies: %s", barred, len(w.Broken), why))
	}
	return mild
}
