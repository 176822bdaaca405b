package mock

import (
	"bytes"
	"fmt"
)

// EnvironmentHead begins each environment file of a mock, by which it is known.
const EnvironmentHead = "# The embedded mock."

// Environment is the environment file (YAML) that fits this mock: every situation is offered, and the secrets are in
// clear. A file made of it wants mode 0600. controlURL may be empty: then scenarios that move the clock or change
// states are skipped. caFile is the path of the authority's PEM for https.
func (s *Server) Environment(url, controlURL, caFile string) []byte {
	var b bytes.Buffer
	text := func(v string) string { return string(appendString(nil, v)) }
	line := func(format string, values ...any) {
		fmt.Fprintf(&b, format+"\n", values...)
	}
	authorization := "bearer"
	if s.setting.Load().behaviour.Authorization == "raw" {
		authorization = "raw"
	}
	s.state.mutex.Lock()
	service := s.state.tenants[firstTenant].firstService()
	s.state.mutex.Unlock()
	standing := func(situation string) string { return text(s.secret.standing[situation]) }
	password := text(s.secret.password)
	line(EnvironmentHead + " Its secrets are made up at each start and of use nowhere else.")
	line("name: mock")
	line("url: %s", text(url))
	line("tenant: %s", firstTenant)
	line("service: %s", text(service))
	line("authorization: %s", authorization)
	line("clockSkew: 120s")
	if caFile != "" {
		line("tls: {ca: %s}", text(caFile))
	}
	if controlURL != "" {
		line("mock: {url: %s, token: %s}", text(controlURL), text(s.secret.control))
	}
	claims := ""
	if s.setting.Load().behaviour.OperatorTokenOnce {
		claims = `, claims: {iat: "{now}", jti: "{unique}"}`
	}
	line("operator: {secret: %s, kid: %s, account: %q, parameter: %s%s}", text(s.secret.operator),
		text(s.secret.operatorKeyID), firstAccount, operatorParameter, claims)
	line("situations:")
	line("  active:             {clientId: %s, accountId: %q}", firstDevice, firstAccount)
	line("  foreign-device:     {clientId: OTH_1, accountId: \"1700\"}")
	line("  suspended-account:  {sessionToken: %s, clientId: SUS_1, accountId: \"1664\", parameters: {username: "+
		"suspended, password: %s}}",
		standing("suspended-account"), password)
	line("  cancelled-account:  {sessionToken: %s, clientId: CAN_1, accountId: \"1665\", parameters: {username: "+
		"cancelled, password: %s}}",
		standing("cancelled-account"), password)
	line("  restricted-account: {sessionToken: %s, clientId: RES_1, accountId: \"1666\"}",
		standing("restricted-account"))
	line("  ended-account:      {sessionToken: %s, clientId: END_1, accountId: \"1669\"}", standing("ended-account"))
	line("  early-account:      {sessionToken: %s, clientId: EAR_1, accountId: \"1670\"}", standing("early-account"))
	line("  disabled-device:    {clientId: PUB_990, accountId: %q}", firstAccount)
	line("  deleted-device:     {clientId: PUB_991, accountId: %q}", firstAccount)
	line("  inactive-device:    {clientId: PUB_992, accountId: %q}", firstAccount)
	line("  unapproved-device:  {clientId: PUB_993, accountId: %q}", firstAccount)
	line("  device-limit:       {sessionToken: %s, clientId: LIM_1, accountId: \"1667\", parameters: {username: "+
		"full-1667, password: %s}}",
		standing("device-limit"), password)
	line("  group-limit:        {sessionToken: %s, clientId: GRP_1, accountId: \"1668\"}", standing("group-limit"))
	line("  expired-session:    {sessionToken: %s, clientId: EXP_1, accountId: %s}", standing("expired-session"),
		text(expiredSessionAccount))
	line("  expired-refresh:    {refreshToken: %s, clientId: %s, accountId: %q}", text(s.secret.expiredRefresh),
		firstDevice, firstAccount)
	line("  other-tenant:       {tenant: %s, service: %s, sessionToken: %s, clientId: ACM_1, accountId: A-1}",
		secondTenant, text(service), standing("other-tenant"))
	line("  empty-tenant:       {tenant: %s}", emptyTenant)
	line("  geo-blocked:        {headers: {X-Forwarded-For: 203.0.113.7}}")
	line("  vpn:                {headers: {X-Forwarded-For: 198.51.100.7}}")
	line("  credentials:        {parameters: {username: dave, password: %s}, clientId: %s, accountId: %q}", password,
		firstDevice, firstAccount)
	line("  multi-account:      {parameters: {username: multi, password: %s}}", password)
	line("  registration:       {type: tvkey, parameters: {username: dave, password: %s}, accountId: %q}", password,
		firstAccount)
	line("  multi-registration: {type: tvkey, parameters: {username: multi, password: %s}}", password)
	line("allow: {first-time: true, register: true}")
	line("protected: false")
	line("lockout: 0")
	line("load:")
	line("  clients: {count: 100000, sessionToken: \"%s-{n}\", clientId: \"LOAD_{n}\", accountId: \"L{n}\"}",
		s.secret.population)
	return b.Bytes()
}
