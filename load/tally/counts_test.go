package tally

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A count that is added to the struct and forgotten in add is seen.
func TestCountsAddEveryField(t *testing.T) {
	var one, sum counts
	for i := range reflect.TypeFor[counts]().NumField() {
		reflect.ValueOf(&one).Elem().Field(i).SetInt(int64(i + 1))
	}
	sum.add(one)
	assert.Equal(t, one, sum)
	sum.add(one)
	for i := range reflect.TypeFor[counts]().NumField() {
		assert.EqualValues(t, 2*(i+1), reflect.ValueOf(sum).Field(i).Int())
	}
}

// The counts of a second stand among its other figures in the record, as they did before.
func TestCountsOfASecondAsRecorded(t *testing.T) {
	text, err := json.Marshal(operationFrame{Operation: 1, Asked: map[int]int64{0: 3}, counts: counts{3, 1, 2, 0, 1, 7}})
	require.NoError(t, err)
	assert.Equal(t, `{"operation":1,"asked":{"0":3},"sent":3,"right":1,"wrong":2,"resent":1,"bytes":7}`, string(text))
	var back operationFrame
	require.NoError(t, json.Unmarshal(text, &back))
	assert.Equal(t, counts{3, 1, 2, 0, 1, 7}, back.counts)
}
