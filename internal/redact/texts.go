package redact

import "reflect"

// Texts passes every text of a run through a function that takes secrets out, such as [Redactor.Text], before any
// report is made of it. The form of the run stays: schema, kind and id, and everything that is no plain text, such as
// verdicts. It changes the value that the pointer points to.
func Texts(run any, clean func(string) string) {
	eachText(reflect.ValueOf(run), func(text string, _ bool) string { return clean(text) })
}

// formFields give a run its form.
var formFields = map[string]bool{"Schema": true, "Kind": true, "ID": true}

// eachText calls clean with each text, and whether it is the value of a pair, as of a header.
func eachText(v reflect.Value, clean func(text string, ofPair bool) string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			eachText(v.Elem(), clean)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && !formFields[field.Name] {
				eachText(v.Field(i), clean)
			}
		}
	case reflect.Slice, reflect.Array:
		if element := v.Type().Elem().Kind(); element >= reflect.Bool && element <= reflect.Complex128 {
			return // numbers, of which there may be many
		}
		if v.Type() == pairType {
			cleanText(v.Index(0), false, clean)
			cleanText(v.Index(1), true, clean)
			return
		}
		for i := range v.Len() {
			eachText(v.Index(i), clean)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			before := v.MapIndex(key)
			after := reflect.New(v.Type().Elem()).Elem()
			after.Set(before)
			eachText(after, clean)
			name := key
			if key.Type() == textType {
				name = reflect.ValueOf(clean(key.String(), false))
			}
			if name.Interface() != key.Interface() {
				v.SetMapIndex(key, reflect.Value{})
			}
			v.SetMapIndex(name, after)
		}
	case reflect.String:
		cleanText(v, false, clean)
	}
}

func cleanText(v reflect.Value, ofPair bool, clean func(string, bool) string) {
	if v.Type() == textType && v.CanSet() {
		if text := v.String(); text != "" {
			v.SetString(clean(text, ofPair))
		}
	}
}

var (
	textType = reflect.TypeFor[string]()
	pairType = reflect.TypeFor[[2]string]()
)
