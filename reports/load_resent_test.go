package reports_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"agstest/reports/html"
	"agstest/reports/text"
)

// Requests that were sent again are in every form of the report; without any, nothing is.
func TestResentRequestsAreShown(t *testing.T) {
	l := sampleLoad(4, 60)
	show := func() map[string]string {
		var plain, markdown, written bytes.Buffer
		require.NoError(t, text.Terminal(&plain, nil, l, false))
		require.NoError(t, text.Markdown(&markdown, nil, l))
		require.NoError(t, html.Load(&written, l, html.Style{}))
		return map[string]string{"terminal": plain.String(), "Markdown": markdown.String(), "HTML": written.String()}
	}
	for form, page := range show() {
		assert.NotContains(t, page, "resent", form)
	}
	l.Total.Resent = 3
	l.Operations["refresh"].Resent = 3
	for form, page := range show() {
		assert.Contains(t, page, "3 requests of ", form)
		assert.Contains(t, page, "resent (3 of refresh): the service, or a gateway, had closed the kept connection", form)
	}
}
