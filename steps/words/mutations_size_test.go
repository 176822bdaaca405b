package words

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestNoHeaderIsTooLongForAnAnswer: what a service sends back leaves room in the 4 kB that nginx has for the headers of
// an answer.
func TestNoHeaderIsTooLongForAnAnswer(t *testing.T) {
	t.Parallel()
	assert.LessOrEqual(t, hugeHeader(60), longText)
	assert.Less(t, longText, 3<<10+100)
	assert.Equal(t, "the header x-correlation-id has 3000 bytes", mutation{Kind: "huge header", At: "x-correlation-id", Size: 60}.String())
}
