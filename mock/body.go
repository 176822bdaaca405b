package mock

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"
)

// maxBody bounds how much of a request is read, in bytes.
const maxBody = 1 << 20

type bodyError string

func (e bodyError) Error() string { return string(e) }

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	var buffer bytes.Buffer
	if r.ContentLength > 0 && r.ContentLength <= maxBody {
		buffer.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	n, err := buffer.ReadFrom(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, bodyError("could not be read")
	case n > maxBody:
		return nil, bodyError("is longer than 1 MiB")
	}
	return buffer.Bytes(), nil
}

func (c *call) checkContentType() *reply {
	kind := c.header("Content-Type")
	if kind == "application/json" || c.set.behaviour.ContentType == "any" {
		return nil
	}
	media, parameters, err := mime.ParseMediaType(kind)
	if err == nil && media == "application/json" &&
		(parameters["charset"] == "" || strings.EqualFold(parameters["charset"], "utf-8")) {
		return nil
	}
	status := http.StatusBadRequest
	if c.set.behaviour.ContentType == "415" {
		status = http.StatusUnsupportedMediaType
	}
	return c.refusal(ruleContentType, status, 0, "the content type must be application/json")
}

func (c *call) parse() *reply {
	bad := func(why string) *reply { return c.refusal(ruleJSON, http.StatusBadRequest, 0, "the body "+why) }
	if !utf8.Valid(c.raw) {
		return bad("is not UTF-8")
	}
	if nesting(c.raw) > maxNesting {
		return bad("is nested too deeply")
	}
	var value any
	// Unmarshal refuses what follows the value; into an any it keeps the case of names.
	if err := json.Unmarshal(c.raw, &value); err != nil && json.Unmarshal(c.reread(), &value) != nil {
		return bad("is not JSON")
	}
	object, isObject := value.(map[string]any)
	if !isObject {
		return bad("is not a JSON object")
	}
	c.body = object
	return nil
}

const maxNesting = 64

// nesting returns the depth of brackets outside of strings, never less than that of the value.
func nesting(raw []byte) int {
	depth, deepest, quoted := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch b := raw[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			if depth++; depth > deepest {
				deepest = depth
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return deepest
}
