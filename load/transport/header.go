package transport

import (
	"iter"
	"net/http"

	"github.com/valyala/fasthttp"
)

// leanHeader reads the header of an answer that fasthttp read, which spells the names of fields in its own way.
type leanHeader fasthttp.ResponseHeader

func (h *leanHeader) Get(name string) string { return string((*fasthttp.ResponseHeader)(h).Peek(name)) }

func (h *leanHeader) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for name, value := range (*fasthttp.ResponseHeader)(h).All() {
			if !yield(string(name), string(value)) {
				return
			}
		}
	}
}

// netHeader reads the header of an answer that net/http read.
type netHeader http.Header

func (h netHeader) Get(name string) string { return http.Header(h).Get(name) }

func (h netHeader) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for name, values := range h {
			for _, value := range values {
				if !yield(name, value) {
					return
				}
			}
		}
	}
}
