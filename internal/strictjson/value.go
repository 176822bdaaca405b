package strictjson

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"agstest/ags"
)

// Number is the kind of a JSON number that is no integer; integers have the kind ags.Integer.
const Number ags.Kind = "number"

// Value is a JSON value as it was written: names keep their case, numbers their literal, members their order and their
// doubles. encoding/json would take a member in another case, the last of two, and null for a number.
type Value struct {
	Kind    ags.Kind
	Text    string // of a string, decoded; of a number, its literal
	Bool    bool
	Items   []*Value
	Members []Member
}

// Member is a name and its value in an object.
type Member struct {
	Name  string
	Value *Value
}

// Get returns the first member of exactly that name; nil if there is none or v is no object.
func (v *Value) Get(name string) *Value {
	if v == nil {
		return nil
	}
	return named(v.Members, name)
}

func named(members []Member, name string) *Value {
	for i := range members {
		if members[i].Name == name {
			return members[i].Value
		}
	}
	return nil
}

// String is the text of a string, "" for any other kind.
func (v *Value) String() string {
	if v == nil || v.Kind != ags.String {
		return ""
	}
	return v.Text
}

// Int is the value of a number without fraction, however it is written (300, 300.0, 3e2).
func (v *Value) Int() (int64, bool) {
	if v == nil || v.Kind != ags.Integer {
		return 0, false
	}
	if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
		return n, true
	}
	r, ok := rational(v.Text)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}

// KindName returns the kind of a value for messages, "absent" for nil.
func (v *Value) KindName() string {
	if v == nil {
		return "absent"
	}
	return string(v.Kind)
}

// rational reads a number literal of sensible size; 1e999999999 would take the memory of the machine.
func rational(literal string) (*big.Rat, bool) {
	if i := strings.IndexAny(literal, "eE"); i >= 0 {
		if exponent, err := strconv.Atoi(literal[i+1:]); err != nil || math.Abs(float64(exponent)) > 400 {
			return nil, false
		}
	}
	if len(literal) > 500 {
		return nil, false
	}
	return new(big.Rat).SetString(literal)
}

// Equal compares two values as JSON: the order of members does not matter, and numbers are equal by value.
func Equal(a, b *Value) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || len(a.Items) != len(b.Items) || len(a.Members) != len(b.Members) || a.Bool != b.Bool {
		return false
	}
	if (a.Kind == ags.Integer || a.Kind == Number) && a.Text != b.Text {
		x, ok := rational(a.Text)
		y, also := rational(b.Text)
		return ok && also && x.Cmp(y) == 0
	}
	if a.Text != b.Text {
		return false
	}
	for i := range a.Items {
		if !Equal(a.Items[i], b.Items[i]) {
			return false
		}
	}
	for _, m := range a.Members {
		if other := b.Get(m.Name); other == nil || !Equal(m.Value, other) {
			return false
		}
	}
	return true
}
