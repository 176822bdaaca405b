package strictjson

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"agstest/ags"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseKeepsWhatWasWritten(t *testing.T) {
	v, err := Parse([]byte(` {"a":300,"A":300.0,"b":3e2,"c":299.7,"d":"\u0041\/\ud83d\ude00\ud800","e":[true,false,null,{}],"f":-0,"big":9007199254740993} `))
	require.NoError(t, err)
	kinds := map[string]ags.Kind{}
	for _, m := range v.Members {
		kinds[m.Name] = m.Value.Kind
	}
	assert.Equal(t, map[string]ags.Kind{
		"a": ags.Integer, "A": ags.Integer, "b": ags.Integer, "c": Number, "d": ags.String, "e": ags.Array, "f": ags.Integer, "big": ags.Integer,
	}, kinds)
	assert.Equal(t, "A/😀\uFFFD", v.Get("d").String())
	assert.Equal(t, "300.0", v.Get("A").Text)
	for name, want := range map[string]int64{"a": 300, "A": 300, "b": 300, "big": 9007199254740993} {
		n, ok := v.Get(name).Int()
		assert.True(t, ok)
		assert.Equal(t, want, n, name)
	}
	assert.Nil(t, v.Get("B"), "names keep their case")
	assert.Nil(t, v.Get("a").Get("x"))
	assert.Nil(t, (*Value)(nil).Get("x"))
}

func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"nothing":           {"", "there is no JSON at byte 0"},
		"blank":             {" \n", "there is no JSON at byte 2"},
		"mark":              {"\xef\xbb\xbf{}", "a byte order mark stands before the JSON at byte 0"},
		"open object":       {`{"a":1`, "the JSON breaks off at byte 6"},
		"open string":       {`"a`, "a string has no end at byte 2"},
		"trailing comma":    {`{"a":1,}`, "the name of a member is missing at byte 7"},
		"comma in an array": {`[1,]`, "no JSON value begins at byte 3"},
		"single quotes":     {`{'a':1}`, "the name of a member is missing at byte 1"},
		"NaN":               {`NaN`, "no JSON value begins at byte 0"},
		"leading zero":      {`01`, "a number is malformed at byte 2"},
		"plus":              {`+1`, "no JSON value begins at byte 0"},
		"bare point":        {`1.`, "a number is malformed at byte 2"},
		"bare exponent":     {`1e`, "a number is malformed at byte 2"},
		"control character": {"\"a\nb\"", "a control character stands in a string at byte 2"},
		"bad escape":        {`"\x"`, "an escape in a string is malformed at byte 2"},
		"bad unicode":       {`"\u12g4"`, "an escape in a string is malformed at byte 2"},
		"bad UTF-8":         {"\"\xff\"", "a string is not valid UTF-8 at byte 2"},
		"comment":           {`{} // x`, "something stands after the end of the JSON at byte 3"},
		"two values":        {`{}{}`, "something stands after the end of the JSON at byte 2"},
		"twice":             {`{"a":1,"a":2}`, `the member "a" is there twice at byte 7`},
		"twice by escape":   {`{"a":1,"\u0061":2}`, `the member "a" is there twice at byte 7`},
		"twice deep":        {`[{"b":{"a":1,"a":2}}]`, `the member "a" is there twice at byte 13`},
		"too deep":          {strings.Repeat("[", 10000), "the JSON is nested deeper than 100 levels at byte 101"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := Parse([]byte(c.text))
			require.EqualError(t, err, c.want)
			assert.Equal(t, Recoverable(err), v != nil)
		})
	}
}

func TestParseOfManyMembers(t *testing.T) {
	var b bytes.Buffer
	for i := range 20000 {
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		json.NewEncoder(&b).Encode(i * 7)
		b.Truncate(b.Len() - 1)
		s := b.String()
		n := strings.LastIndexAny(s, "{,")
		b.Truncate(n + 1)
		b.WriteString(`"` + s[n+1:] + `":1`)
		if i > 300 {
			break
		}
	}
	b.WriteString(`,"7":2}`)
	_, err := Parse(b.Bytes())
	require.Error(t, err)
	assert.Contains(t, err.Error(), `the member "7" is there twice`)
}

// The standard library and this parser agree on what is JSON, where neither doubles nor depth nor broken UTF-8 are in
// play.
func TestParseAgreesWithTheStandardLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.StringMatching(`[\{\}\[\]"a\\:, 0-9eE.+\-truefalsn/u]{0,24}`).Draw(t, "text"))
		_, err := Parse(text)
		if ok := err == nil || strings.Contains(err.Error(), "twice"); ok != json.Valid(text) {
			t.Fatalf("%q: we say %v, the standard library says %v", text, err, json.Valid(text))
		}
	})
}

func TestEqualValues(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":[2]}`, `{"b":[2],"a":1}`, true},
		{`300`, `300.0`, true},
		{`300`, `301`, false},
		{`"a"`, `"b"`, false},
		{`true`, `false`, false},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":1}`, `{"b":1}`, false},
		{`[1,2]`, `[2,1]`, false},
		{`null`, `{}`, false},
	} {
		a, _ := Parse([]byte(c.a))
		b, _ := Parse([]byte(c.b))
		assert.Equal(t, c.want, Equal(a, b), "%s %s", c.a, c.b)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,1e999],"b":"\ud83d\ude00"}`, `{"a":1,"a":2}`, "\xef\xbb\xbf[]", `[[[[`, `"\u`, `1e999999999`, `{"a":{"a":{"a":null}}} x`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Parse(text)
		if err == nil != (v != nil) && !Recoverable(err) {
			t.Fatalf("value %v beside error %v", v, err)
		}
		if err == nil && !json.Valid(text) {
			t.Fatal("not JSON for the standard library")
		}
		if v != nil {
			v.Int()
			Equal(v, v)
		}
	})
}
