package steps_test

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"agstest/internal/environment"
	"agstest/mock"
	"agstest/reports"
	"agstest/steps"
)

// service starts a mock with its control interface and gives the environment that fits it.
func service(t testing.TB, config mock.Config) *environment.Environment {
	t.Helper()
	server := mock.New(config)
	api := httptest.NewServer(server)
	control := httptest.NewServer(server.Control())
	t.Cleanup(func() { api.Close(); control.Close() })
	e, err := environment.Parse(server.Environment(api.URL, control.URL, ""), "mock.yaml", ".", func(string) (string, bool) { return "", false })
	require.NoError(t, err)
	return e
}

func TestMockIsGreen(t *testing.T) {
	report, err := steps.Run(context.Background(), steps.Options{Environment: service(t, mock.Config{}), Generate: 40, Sequences: 10})
	require.NoError(t, err)
	for _, s := range report.Scenarios {
		if s.Verdict != reports.Pass && s.Verdict != reports.Observed {
			t.Logf("%s %s %s: %s", s.ID, s.Verdict, s.Name, s.Reason)
		}
	}
	for _, q := range report.Requirements {
		if q.Verdict != reports.Pass && q.Verdict != reports.Observed && q.Verdict != reports.NotExercised {
			t.Logf("%s %s %s", q.ID, q.Verdict, q.Reason)
		}
	}
	t.Log(report.Verdict, report.Reason, report.Run.End.Sub(report.Run.Start))
}
