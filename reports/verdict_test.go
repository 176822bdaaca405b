package reports

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEveryVerdictHasAWord(t *testing.T) {
	for _, verdict := range Verdicts {
		require.NotEmpty(t, verdictWords[verdict], verdict)
	}
}
