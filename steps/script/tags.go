package script

import (
	"fmt"
	"strings"
)

// TagExpression is a condition on tags in the language of Cucumber: @a and not (@b or @c).
type TagExpression func(has func(tag string) bool) bool

// ParseTags reads a tag expression and lists the tags in it. An empty expression holds for everything.
func ParseTags(text string) (TagExpression, []string, error) {
	p := &tagParser{words: tagWords(text)}
	if len(p.words) == 0 {
		return func(func(string) bool) bool { return true }, nil, nil
	}
	expression, err := p.or()
	if err == nil && p.at < len(p.words) {
		err = fmt.Errorf("%q is one word too many", p.words[p.at])
	}
	if err != nil {
		return nil, nil, fmt.Errorf(
			"the tag expression %q cannot be read: %w; write for example \"@SOST-07 or (@TOK-11 and not @slow)\"", text,
			err)
	}
	return expression, p.tags, nil
}

func tagWords(text string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))
}

type tagParser struct {
	words []string
	at    int
	tags  []string
}

func (p *tagParser) next() string {
	if p.at == len(p.words) {
		return ""
	}
	return p.words[p.at]
}

func (p *tagParser) or() (TagExpression, error) {
	return p.chain("or", p.and, func(a, b bool) bool { return a || b })
}

func (p *tagParser) and() (TagExpression, error) {
	return p.chain("and", p.not, func(a, b bool) bool { return a && b })
}

func (p *tagParser) chain(word string, operand func() (TagExpression, error), join func(a, b bool) bool) (TagExpression,
	error) {
	left, err := operand()
	for err == nil && p.next() == word {
		p.at++
		var right TagExpression
		if right, err = operand(); err == nil {
			first := left
			left = func(has func(string) bool) bool { return join(first(has), right(has)) }
		}
	}
	return left, err
}

func (p *tagParser) not() (TagExpression, error) {
	word := p.next()
	p.at++
	switch {
	case word == "not":
		inner, err := p.not()
		return func(has func(string) bool) bool { return !inner(has) }, err
	case word == "(":
		inner, err := p.or()
		if err != nil {
			return nil, err
		}
		if p.next() != ")" {
			return nil, fmt.Errorf("a closing bracket is missing")
		}
		p.at++
		return inner, nil
	case strings.HasPrefix(word, "@") && len(word) > 1:
		p.tags = append(p.tags, word)
		return func(has func(string) bool) bool { return has(word) }, nil
	case word == "":
		return nil, fmt.Errorf("it ends where a tag is expected")
	}
	return nil, fmt.Errorf("%q stands where a tag is expected; tags start with @ and are joined by and, or, not", word)
}
