package reports_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"agstest/reports"
)

// weird copies v with some of its values replaced by the least likely ones, as a stored run of somebody else may have
// them.
func weird(t *rapid.T, v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || rapid.IntRange(0, 30).Draw(t, "nil") == 0 {
			return reflect.Zero(v.Type())
		}
		made := reflect.New(v.Type().Elem())
		made.Elem().Set(weird(t, v.Elem()))
		return made
	case reflect.Slice:
		made := reflect.MakeSlice(v.Type(), 0, v.Len())
		for i := range min(v.Len(), 6) {
			if rapid.IntRange(0, 9).Draw(t, "kept") > 0 {
				made = reflect.Append(made, weird(t, v.Index(i)))
			}
		}
		return made
	case reflect.Map:
		made := reflect.MakeMap(v.Type())
		for _, key := range v.MapKeys() {
			value := weird(t, v.MapIndex(key))
			if value.Kind() == reflect.Pointer && value.IsNil() { // ReadLoad refuses these
				continue
			}
			made.SetMapIndex(key, value)
		}
		return made
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return v
		}
		made := reflect.New(v.Type()).Elem()
		for i := range v.NumField() {
			made.Field(i).Set(weird(t, v.Field(i)))
		}
		return made
	case reflect.String:
		if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
			return reflect.ValueOf(rapid.SampledFrom([]string{"", hostileWords, "\xff", "total", "pass"}).Draw(t, "text")).Convert(v.Type())
		}
	case reflect.Int, reflect.Int64:
		if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
			return reflect.ValueOf(rapid.SampledFrom([]int64{0, -1, 1, math.MaxInt64, math.MinInt64, 1 << 40}).Draw(t, "number")).Convert(v.Type())
		}
	case reflect.Float64:
		if rapid.IntRange(0, 5).Draw(t, "odd") == 0 {
			return reflect.ValueOf(rapid.SampledFrom([]float64{0, -1, 1, 1e308, -1e308, 5e-324, math.Inf(1), math.NaN()}).Draw(t, "number"))
		}
	}
	return v
}

// TestOddRunsAreRendered: whatever a stored run holds, no format fails, panics or writes a figure that is none.
func TestOddRunsAreRendered(t *testing.T) {
	conformance, load := smallConformance(), sampleLoad(2, 6)
	load.Capacity = &reports.Capacity{Rate: 1, Points: []reports.CapacityPoint{{Rate: 1, P50: 1}, {Rate: 2, P50: 2}}}
	load.Storm = &reports.Storm{Clients: 1}
	rapid.Check(t, func(t *rapid.T) {
		c := weird(t, reflect.ValueOf(conformance).Elem()).Interface().(reports.Conformance)
		l := weird(t, reflect.ValueOf(load).Elem()).Interface().(reports.Load)
		everyFormat(t, &c, &l)
		require.NoError(t, junitRules(junitOf(t, &c, &l)))
	})
}
