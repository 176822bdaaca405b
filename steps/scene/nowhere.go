package scene

import (
	"bytes"
	"context"
	"net/http"
	"path"

	"agstest/ags"
	"agstest/internal/wire"
	"agstest/steps/talk"
)

// AskPath sends a request with made-up parameters to a path below /ags. They are nobody's, so the request can grant
// nothing. The path may be one that does not exist.
func (w *World) AskPath(ctx context.Context, method, below string, names ...string) (*talk.Exchange, error) {
	r := w.Prepare(ags.SignOnWithSessionToken)
	r.Operation, r.Method, r.Path = "", method, "/ags"+below
	if method == http.MethodPost {
		list := []talk.Parameter{}
		for _, name := range names {
			list = append(list, talk.Parameter{Name: name, Value: "made-up-" + w.Invented(9)})
		}
		r.Set("parameters", talk.JSON(list))
	}
	return w.Send(ctx, r, true)
}

// LikeNowhere tells whether an answer is that of a path which does not exist, apart from the path itself.
func LikeNowhere(x, nowhere *talk.Exchange) bool {
	switch EffectiveStatus(nowhere) {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusNotImplemented:
		return Likeness(withoutPath(x), true) == Likeness(withoutPath(nowhere), true)
	}
	return false
}

func withoutPath(x *talk.Exchange) *talk.Exchange {
	inner := wire.Exchange{Call: x.Call, Status: x.Status, Header: x.Header, Body: x.Body}
	for _, part := range []string{x.Request.Path, path.Base(x.Request.Path)} {
		inner.Body = bytes.ReplaceAll(inner.Body, []byte(part), []byte("#"))
	}
	return &talk.Exchange{Exchange: &inner, Request: x.Request}
}
