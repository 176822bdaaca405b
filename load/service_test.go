package load

import (
	"net/http"
	"testing"
	"time"

	"agstest/load/lab"
	"agstest/load/schedule"
	"agstest/mock"
)

func per(n int64) schedule.Rate { return schedule.Rate{Hits: n, Per: time.Second} }

// server is a mock with virtual clients.
type server struct{ *lab.Service }

func newServer(t testing.TB, config mock.Config, middleware func(http.Handler) http.Handler) *server {
	t.Helper()
	return &server{lab.New(t, config, middleware)}
}
