package reports

import "reflect"

// Conceal passes every text of a run through a function that takes secrets out, before any report is made of it. What gives a run its
// form stays: schema, kind and id, and everything that is no plain text, such as verdicts. It changes what the pointer points to.
func Conceal(run any, clean func(string) string) { conceal(reflect.ValueOf(run), clean) }

var form = map[string]bool{"Schema": true, "Kind": true, "ID": true}

func conceal(v reflect.Value, clean func(string) string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			conceal(v.Elem(), clean)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && !form[field.Name] {
				conceal(v.Field(i), clean)
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && plainKind(v.Type().Elem().Kind()) && v.Type().Elem() != textType {
			return
		}
		for i := range v.Len() {
			conceal(v.Index(i), clean)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			before := v.MapIndex(key)
			after := reflect.New(v.Type().Elem()).Elem()
			after.Set(before)
			conceal(after, clean)
			name := key
			if key.Type() == textType {
				name = reflect.ValueOf(clean(key.String()))
			}
			if name.Interface() != key.Interface() {
				v.SetMapIndex(key, reflect.Value{})
			}
			v.SetMapIndex(name, after)
		}
	case reflect.String:
		if v.Type() == textType && v.CanSet() {
			if text := v.String(); text != "" {
				v.SetString(clean(text))
			}
		}
	}
}

var textType = reflect.TypeOf("")
