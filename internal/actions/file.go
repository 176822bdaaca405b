package actions

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"agstest/internal/environment"
	"agstest/internal/tokens"
	"agstest/internal/userfile"
)

// file carries orders out as the environment file says: by its own commands and requests, or else by the public calls
// of ADM.
type file struct {
	environment *environment.Environment
	values      *tokens.Values
	caller      func() (*http.Client, error)
}

// FromFile is the door of an environment file. Keep is told values that must not be recorded. Each order ends within 10
// s, or within 20 s where it takes two calls. It is safe for concurrent use.
func FromFile(e *environment.Environment, keep func(...string)) Door {
	f := &file{environment: e, values: tokens.NewValues(e, keep),
		caller: sync.OnceValues(func() (*http.Client, error) { return tokens.NewCaller(e) })}
	return f.do
}

// Offered tells whether the environment file says how something is done.
func Offered(e *environment.Environment, kind Kind) bool {
	switch {
	case !e.MayAct():
		return false
	case e.Actions.ActionOf(string(kind)) != nil:
		return true
	}
	return e.Actions.ADM != nil && slices.Contains([]Kind{Suspend, Restrict, Reactivate, Clear}, kind)
}

func (f *file) do(ctx context.Context, o Order) ([]string, error) {
	a := f.environment.Actions.ActionOf(string(o.Kind))
	switch {
	case a == nil && f.environment.Actions.ADM != nil:
		return nil, f.adm(ctx, o)
	case a == nil:
		return nil, fmt.Errorf("the environment file does not say how to %s", o)
	case a.Request == nil:
		return f.run(ctx, a, o)
	}
	caller, err := f.caller()
	if err != nil {
		return nil, err
	}
	text, err := tokens.Send(ctx, caller, a.Request, o.fill)
	if err != nil || o.Kind != List {
		return nil, err
	}
	ids, err := idsIn(text, a)
	if err != nil {
		return nil, fmt.Errorf("the answer to %s holds no list of devices: %w", a, err)
	}
	return ids, nil
}

// run runs the command of an action. The names in braces are put in as they are: there is no shell that could take them
// for more.
func (f *file) run(ctx context.Context, a *environment.Action, o Order) ([]string, error) {
	replacer := o.fill(func(text string) string { return text })
	args := make([]string, len(a.Command))
	for i, text := range a.Command {
		args[i] = replacer.Replace(text)
	}
	said, _, err := tokens.Run(ctx, f.environment.Folder(), args)
	if err != nil || o.Kind != List {
		return nil, err
	}
	var ids []string
	for line := range strings.Lines(said) {
		if line = strings.TrimRight(line, "\r\n"); line == "" {
			continue
		}
		if userfile.Flaw(line) != "" || len(line) > longestID {
			return nil, fmt.Errorf("%s wrote to stdout what is no id of a device: one stands in each line", a)
		}
		ids = append(ids, line)
	}
	return ids, nil
}

// longestID is far above any id, in bytes.
const longestID = 256

// idsIn reads the ids of devices out of an answer.
func idsIn(text []byte, a *environment.Action) ([]string, error) {
	at, err := tokens.Pointed(text, a.Devices)
	if err != nil {
		return nil, err
	}
	list, ok := at.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is no list", cmpName(a.Devices))
	}
	ids := []string{}
	for i, item := range list {
		raw, err := json.Marshal(item)
		if err != nil {
			return nil, err
		}
		one, err := tokens.Pointed(raw, a.ID)
		if err != nil {
			return nil, fmt.Errorf("in device %d: %w", i+1, err)
		}
		id := fmt.Sprint(one)
		if _, isText := one.(string); !isText {
			if _, isNumber := one.(json.Number); !isNumber {
				return nil, fmt.Errorf("in device %d: %s is no id", i+1, cmpName(a.ID))
			}
		}
		if id == "" || len(id) > longestID {
			return nil, fmt.Errorf("in device %d: %s is no id", i+1, cmpName(a.ID))
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func cmpName(pointer string) string {
	if pointer == "" {
		return "it"
	}
	return pointer
}

// fill is part of the order for tokens.Send.
func (o Order) fill(escape func(string) string) *strings.Replacer {
	var pairs []string
	for name, value := range o.values() {
		pairs = append(pairs, name, escape(value))
	}
	return strings.NewReplacer(pairs...)
}
