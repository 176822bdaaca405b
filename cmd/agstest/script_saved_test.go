package main

import (
	"encoding/binary"
	"os"
	"strings"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptWindows writes a file again as Windows does: windows marked|utf-16 FILE. Both have CRLF and begin with a byte
// order mark.
func scriptWindows(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: windows marked|utf-16 FILE")
	}
	text := "\ufeff" + strings.ReplaceAll(ts.ReadFile(args[1]), "\n", "\r\n")
	data := []byte(text)
	if args[0] == "utf-16" {
		data = nil
		for _, unit := range utf16.Encode([]rune(text)) {
			data = binary.LittleEndian.AppendUint16(data, unit)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}
