package html

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestWholeEscapes: ids are kept whole, and what a service says stays text.
func TestWholeEscapes(t *testing.T) {
	assert.Equal(t, `<span class="id">REF-01</span>, C-f41f83a5 &lt;b&gt;&#34;<span class="id">TOK-02</span>&lt;/b&gt;`, string(whole(`REF-01, C-f41f83a5 <b>"TOK-02</b>`)))
}
