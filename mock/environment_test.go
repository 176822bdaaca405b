package mock

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEnvironmentFits(t *testing.T) {
	c := newClient(t, Config{})
	var file struct {
		Name, URL, Tenant, Service, Authorization string
		Mock                                      struct{ URL, Token string }
		TLS                                       struct{ CA string }
		Operator                                  struct{ Secret, Kid, Account, Parameter string }
		Situations                                map[string]struct {
			SessionToken string `yaml:"sessionToken"`
			ClientID     string `yaml:"clientId"`
			AccountID    string `yaml:"accountId"`
			RefreshToken string `yaml:"refreshToken"`
			Tenant       string
			Service      string
			Headers      map[string]string
			Parameters   map[string]string
			Type         string
		}
		Protected bool
		Lockout   int
		Allow     map[string]bool
		Load      struct {
			Clients struct {
				Count        int
				SessionToken string `yaml:"sessionToken"`
				ClientID     string `yaml:"clientId"`
				AccountID    string `yaml:"accountId"`
			}
		}
		ClockSkew string `yaml:"clockSkew"`
	}
	text := c.mock.Environment("http://127.0.0.1:8080", "http://127.0.0.1:8081", "ca \"1\".pem")
	require.NoError(t, yaml.UnmarshalWithOptions(text, &file, yaml.Strict()), string(text))
	assert.Equal(t, "http://127.0.0.1:8080", file.URL)
	assert.Equal(t, "http://127.0.0.1:8081", file.Mock.URL)
	assert.Equal(t, c.mock.ControlToken(), file.Mock.Token)
	assert.Equal(t, `ca "1".pem`, file.TLS.CA)
	assert.Equal(t, "Operator SSO", file.Service)
	assert.Equal(t, "nagra", file.Tenant)
	assert.Equal(t, c.mock.secret.operator, file.Operator.Secret)
	assert.Equal(t, "1663", file.Operator.Account)

	want := map[string]struct {
		status int
		code   any
	}{
		"active": {201, nil}, "foreign-device": {201, nil}, "suspended-account": {403, 20002.0}, "cancelled-account": {403, 20001.0}, "restricted-account": {201, nil}, "ended-account": {403, nil}, "early-account": {403, nil},
		"disabled-device": {403, 20004.0}, "inactive-device": {403, 20004.0}, "unapproved-device": {201, nil}, "deleted-device": {403, 20003.0},
		"device-limit": {201, nil}, "group-limit": {201, nil}, "expired-session": {401, 401.0}, "expired-refresh": {403, 20020.0}, "other-tenant": {201, nil},
		"empty-tenant": {404, 404.0}, "geo-blocked": {403, 20019.0}, "vpn": {403, 20018.0}, "credentials": {201, nil}, "multi-account": {300, nil},
		"registration": {201, nil}, "multi-registration": {300, nil},
	}
	assert.Len(t, file.Situations, len(want))
	for name, expected := range want {
		t.Run(name, func(t *testing.T) {
			s, offered := file.Situations[name]
			require.True(t, offered)
			header := []string{"nv-tenant-id", cmp.Or(s.Tenant, "nagra")}
			for name, value := range s.Headers {
				header = append(header, name, value)
			}
			credentials := parameters("username", s.Parameters["username"], "password", s.Parameters["password"])
			device := firstTime
			if s.ClientID != "" {
				device = nth(s.ClientID)
			}
			var a answer
			switch {
			case name == "empty-tenant":
				a = c.do("GET", "/ags/servicediscovery", "", header...)
			case s.Type != "":
				a = c.do("POST", "/ags/register/"+s.Type, "{"+credentials+"}", header...)
			case s.RefreshToken != "":
				a = c.do("POST", "/ags/refresh", "", append(header, "Authorization", "Bearer "+s.RefreshToken)...)
			case s.SessionToken == "" && s.Parameters != nil:
				a = c.do("POST", "/ags/signOn", "{"+credentials+","+device+"}", header...)
			default:
				token := s.SessionToken
				if token == "" {
					token = c.session(cmp.Or(s.AccountID, "1663"))
				}
				a = c.do("POST", "/ags/signOnWithSessionToken", "{"+parameters("sessionToken", token)+","+device+"}", header...)
			}
			assert.Equal(t, expected.status, a.status, a.text)
			if expected.code != nil {
				assert.Equal(t, expected.code, a.code())
			}
		})
	}
	assert.True(t, file.Allow["first-time"])
	assert.Equal(t, c.mock.secret.population+"-{n}", file.Load.Clients.SessionToken)
	assert.Equal(t, "LOAD_{n}", file.Load.Clients.ClientID)
	assert.Equal(t, "L{n}", file.Load.Clients.AccountID)

	t.Run("secrets differ from start to start", func(t *testing.T) {
		assert.NotEqual(t, New(Config{}).Secrets(), New(Config{}).Secrets())
		for _, secret := range c.mock.Secrets() {
			assert.GreaterOrEqual(t, len(secret), 16)
		}
	})
	t.Run("the same over the control interface", func(t *testing.T) {
		a := c.control("GET", "/control/environment.yaml?url=http://127.0.0.1:8080&control=http://127.0.0.1:8081&ca=ca+%221%22.pem", "")
		assert.Equal(t, string(text), a.text)
	})
}

func TestAuthority(t *testing.T) {
	authority, err := NewAuthority(time.Now(), "mock.example.com", "192.0.2.1")
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(New(Config{}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{authority.Server}}
	server.StartTLS()
	defer server.Close()
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(authority.PEM))
	for _, name := range []string{"127.0.0.1", "localhost", "mock.example.com", "192.0.2.1"} {
		connection, err := tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{RootCAs: pool, ServerName: name})
		require.NoError(t, err, name)
		connection.Close()
	}
	_, err = tls.Dial("tcp", server.Listener.Addr().String(), &tls.Config{RootCAs: pool, ServerName: "other.example.com"})
	assert.Error(t, err)
}
