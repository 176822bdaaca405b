package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDraft(t *testing.T) {
	dir := os.Getenv("DRAFT")
	if dir == "" {
		t.Skip()
	}
	put := func(name string, render func(*bytes.Buffer) error) {
		var b bytes.Buffer
		require.NoError(t, render(&b))
		t.Log(name, b.Len())
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o644))
	}
	put("conformance.html", func(b *bytes.Buffer) error { return ConformanceHTML(b, sampleConformance(), Style{}) })
	put("load.html", func(b *bytes.Buffer) error { return LoadHTML(b, sampleLoad(2, 60), Style{}) })
	put("load12.html", func(b *bytes.Buffer) error { return LoadHTML(b, sampleLoad(12, 600), Style{}) })
	put("gate.html", func(b *bytes.Buffer) error { return GateHTML(b, sampleGate(), Style{}) })
	put("junit.xml", func(b *bytes.Buffer) error { return JUnit(b, sampleConformance(), sampleLoad(2, 60)) })
	put("text.txt", func(b *bytes.Buffer) error { return Text(b, sampleConformance(), sampleLoad(2, 60), true) })
}
