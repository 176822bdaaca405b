package mock

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExpiringDropsWhatIsOver(t *testing.T) {
	e := newExpiring[int](1_000_000)
	now := start
	most := 0
	for i := range 200_000 { // 1,000 a second that live 10 s
		now = now.Add(time.Millisecond)
		if !e.put(strconv.Itoa(i), i, now.Add(10*time.Second), now) {
			t.Fatal("no room for", i)
		}
		most = max(most, len(e.entries), len(e.keys))
	}
	assert.Less(t, most, 30_000)
	value, _, kept := e.get("199999")
	assert.True(t, kept)
	assert.Equal(t, 199_999, value)

	t.Run("one that lives long does not keep the others", func(t *testing.T) {
		require.True(t, e.put("long", 1, now.Add(1000*time.Hour), now))
		for i := range 100_000 {
			now = now.Add(time.Millisecond)
			e.put("x"+strconv.Itoa(i), i, now.Add(time.Second), now)
		}
		_, _, kept := e.get("long")
		assert.True(t, kept)
		assert.Less(t, len(e.entries), 30_000)
	})
}

func TestExpiringIsBounded(t *testing.T) {
	e := newExpiring[int](10)
	for i := range 10 {
		require.True(t, e.put(fmt.Sprint(i), i, start.Add(time.Minute), start))
	}
	assert.False(t, e.put("more", 0, start.Add(time.Minute), start))
	e.remove("3")
	assert.True(t, e.put("more", 0, start.Add(time.Minute), start))
	assert.False(t, e.put("another", 0, start.Add(time.Minute), start))
	later := start.Add(2 * time.Minute)
	for range 10 {
		e.put("later", 0, later.Add(time.Minute), later)
	}
	_, _, kept := e.get("later")
	assert.True(t, kept)
	assert.LessOrEqual(t, len(e.entries), 10)
}
