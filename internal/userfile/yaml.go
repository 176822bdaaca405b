package userfile

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"
)

// The bounds of a YAML file that somebody wrote by hand. Anchors and aliases let a few lines stand for gigabytes, and
// each level of nesting is a call of the parser.
const (
	maxYAML    = 1 << 20 // bytes
	maxTokens  = 200_000
	maxNesting = 64
)

// Documents lists the documents of a YAML file that hold something.
func Documents(file *ast.File) (bodies []ast.Node) {
	for _, document := range file.Docs {
		if document.Body != nil && document.Body.Type() != ast.NullType && document.Body.Type() != ast.CommentType {
			bodies = append(bodies, document.Body)
		}
	}
	return bodies
}

// PlainYAML refuses a YAML text that is too large or nested too deeply, and one with anchors, aliases or merged keys,
// before it is parsed. Its errors name the line and quote nothing.
func PlainYAML(text []byte) (err error) {
	defer func() {
		if recover() != nil { // the library panics at some malformed texts
			err = errors.New("it is no YAML that can be read")
		}
	}()
	if len(text) > maxYAML {
		return fmt.Errorf("it is larger than %d MiB", maxYAML>>20)
	}
	for i, line := range strings.Split(string(text), "\n") {
		if deep(line) {
			return fmt.Errorf("line %d is nested more than %d levels deep", i+1, maxNesting)
		}
	}
	tokens := lexer.Tokenize(string(text))
	if len(tokens) > maxTokens {
		return fmt.Errorf("it has more than %d words and signs", maxTokens)
	}
	flow, levels := 0, []int{}
	for _, t := range tokens {
		line := t.Position.Line
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType:
			return fmt.Errorf("line %d: anchors, aliases and merged keys (&, *, <<) are not read; write the value out",
				line)
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(flow-1, 0)
		case token.SequenceEntryType, token.MappingValueType:
			if flow > 0 {
				break
			}
			at := t.Position.IndentNum
			for len(levels) > 0 && levels[len(levels)-1] >= at {
				levels = levels[:len(levels)-1]
			}
			levels = append(levels, at)
		}
		if flow+len(levels) > maxNesting {
			return fmt.Errorf("line %d is nested more than %d levels deep", line, maxNesting)
		}
	}
	return nil
}

// OneDocument refuses a YAML text in which a second document begins: what stands there would be left out in silence.
// The text has passed PlainYAML.
func OneDocument(text []byte) error {
	header, before := 0, false
	for _, t := range lexer.Tokenize(string(text)) {
		switch {
		case t.Type == token.DocumentHeaderType && before:
			header = t.Position.Line
		case t.Type == token.DocumentHeaderType, t.Type == token.DocumentEndType, t.Type == token.CommentType:
		case header > 0:
			return fmt.Errorf("line %d: a second YAML document starts here, and one is read; write both into one", header)
		default:
			before = true
		}
	}
	return nil
}

// deep tells whether a line nests more than a person writes, from its first signs and its indentation.
func deep(line string) bool {
	blanks := len(line) - len(strings.TrimLeft(line, " "))
	rest := strings.TrimLeft(line, " ")
	entries := 0
	for strings.HasPrefix(rest, "- ") || strings.HasPrefix(rest, "? ") {
		entries++
		rest = strings.TrimLeft(rest[2:], " ")
	}
	return entries > maxNesting || blanks > 16*maxNesting
}

// QuotedKey is a key as messages show it, behind a blank, or nothing where it could be the line of some other file that
// was named by mistake.
func QuotedKey(key string) string {
	if !plainKey.MatchString(key) {
		return ""
	}
	return fmt.Sprintf(" %q", key)
}

var plainKey = regexp.MustCompile(`^[A-Za-z][A-Za-z-]{0,23}$`)
