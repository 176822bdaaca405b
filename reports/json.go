package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"agstest/internal/disarm"
	"agstest/internal/figures"
)

// MaxStored is the size in bytes up to which a stored run is read.
const MaxStored = 256 << 20

// WriteJSON writes v, indented, with < and & left readable. It escapes characters that a terminal or a build agent
// would obey.
func WriteJSON(w io.Writer, v any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(withoutNulls(reflect.ValueOf(v)).Interface())
	if err == nil {
		_, err = w.Write(disarm.JSON(text.Bytes()))
	}
	if err != nil {
		return fmt.Errorf("writing a run as JSON: %w", err)
	}
	return nil
}

// ReadConformance reads what WriteJSON stored. Members it does not know are passed over, so that runs of later minor
// versions can be read; another major version, another kind of run, or text after the run is an error.
func ReadConformance(r io.Reader) (*Conformance, error) {
	var c Conformance
	if err := ReadAs(r, ConformanceSchema, &c); err != nil {
		return nil, err
	}
	if c.Verdict == "" {
		return nil, errors.New("the stored conformance run has no verdict")
	}
	return &c, nil
}

// ReadLoad is ReadConformance for load runs.
func ReadLoad(r io.Reader) (*Load, error) {
	var l Load
	if err := ReadAs(r, LoadSchema, &l); err != nil {
		return nil, err
	}
	if l.Verdict == "" {
		return nil, errors.New("the stored load run has no verdict")
	}
	for name, operation := range l.Operations {
		if operation == nil {
			return nil, fmt.Errorf("operation %q of the stored load run has no figures", name)
		}
	}
	return &l, nil
}

// ReadAs checks size, kind and major version before anything else is believed.
func ReadAs(r io.Reader, schema string, into any) error {
	data, err := io.ReadAll(io.LimitReader(r, MaxStored+1))
	if err != nil {
		return fmt.Errorf("reading a stored run: %w", err)
	}
	if len(data) > MaxStored {
		return fmt.Errorf("the stored run is larger than %s MiB", figures.Count(MaxStored>>20))
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return fmt.Errorf("the stored run is not JSON as agstest writes it: %w", err)
	}
	wantKind, wantMajor, _ := ParseSchema(schema)
	kind, major, err := ParseSchema(head.Schema)
	if err != nil {
		return err
	}
	if kind != wantKind {
		return fmt.Errorf("the stored run is %q, wanted %q", head.Schema, schema)
	}
	if major != wantMajor {
		return fmt.Errorf(
			"the stored run is %q; this version reads %s/%d.x only: use the version of agstest that wrote it",
			head.Schema, wantKind, wantMajor)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("the stored run does not have the form of %s: %w", schema, err)
	}
	return nil
}

// ParseSchema takes "agstest.load/1.0" apart.
func ParseSchema(text string) (kind string, major int, err error) {
	if text == "" {
		return "", 0, errors.New(`the stored run has no member "schema": it was not written by agstest`)
	}
	kind, version, found := strings.Cut(text, "/")
	number, minor, dotted := strings.Cut(version, ".")
	major, err = strconv.Atoi(number)
	if _, bad := strconv.Atoi(minor); !found || !dotted || err != nil || bad != nil || major < 1 {
		return "", 0, errors.New("the stored run has a member \"schema\" that is not of the form kind/major.minor")
	}
	return kind, major, nil
}

// withoutNulls copies v with empty lists and maps in place of nil ones, except where an empty one is left out anyway: a
// reader in another language must not meet null where a list was promised.
func withoutNulls(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		made := reflect.New(v.Type().Elem())
		made.Elem().Set(withoutNulls(v.Elem()))
		return made
	case reflect.Slice:
		if v.IsNil() {
			return reflect.MakeSlice(v.Type(), 0, 0)
		}
		if plainKind(v.Type().Elem().Kind()) {
			return v
		}
		made := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			made.Index(i).Set(withoutNulls(v.Index(i)))
		}
		return made
	case reflect.Map:
		made := reflect.MakeMapWithSize(v.Type(), v.Len())
		for each := v.MapRange(); each.Next(); {
			made.SetMapIndex(each.Key(), withoutNulls(each.Value()))
		}
		return made
	case reflect.Struct:
		made := reflect.New(v.Type()).Elem()
		made.Set(v)
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if field.IsExported() && !plainKind(field.Type.Kind()) {
				made.Field(i).Set(withoutNulls(v.Field(i)))
			}
		}
		return made
	}
	return v
}

// plainKind tells kinds that hold no list or map.
func plainKind(kind reflect.Kind) bool {
	switch kind {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Struct, reflect.Array, reflect.Interface:
		return false
	}
	return true
}
