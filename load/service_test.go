package load

import (
	"net/http"
	"testing"

	"agstest/load/lab"
	"agstest/mock"
)

// server is a mock with virtual clients.
type server struct{ *lab.Service }

func newServer(t testing.TB, config mock.Config, middleware func(http.Handler) http.Handler) *server {
	t.Helper()
	return &server{lab.New(t, config, middleware)}
}
