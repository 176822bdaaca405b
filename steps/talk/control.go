package talk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"agstest/internal/environment"
	"agstest/internal/failure"
)

// Control speaks to the control interface of a mock: it makes accounts, changes states and moves clocks. Safe for
// concurrent use.
type Control struct {
	url, token string
	client     *http.Client
}

func NewControl(c *environment.MockControl) *Control {
	if c == nil {
		return nil
	}
	return &Control{c.URL, c.Token, &http.Client{Timeout: 10 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
}

func (c *Control) Close() {
	if c != nil {
		c.client.CloseIdleConnections()
	}
}

// do sends one order. A control interface that fails is a failed set-up: the service is not to blame.
func (c *Control) do(ctx context.Context, method, path string, question, answer any) error {
	var body io.Reader
	if question != nil {
		body = bytes.NewReader(JSON(question))
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return failure.Setupf("asking the control interface of the mock at %s: %w", c.url, err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(r)
	if err != nil {
		return failure.Setupf(
			"asking the control interface of the mock for %s %s: %w; is mock.url of the environment file right?",
			method, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil || response.StatusCode/100 != 2 {
		return failure.Setupf("the control interface of the mock answered %s %s with %d", method, path,
			response.StatusCode)
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return failure.Setupf("the control interface of the mock answered %s %s with something unreadable: %w", method,
			path, err)
	}
	return nil
}

type controlAccount struct {
	AccountID string `json:"accountId"`
	Username  string `json:"username"`
	Password  string `json:"password"`
}

func (c *Control) CreateAccount(ctx context.Context, tenant, status string, deviceLimit int) (a controlAccount,
	err error) {
	question := map[string]any{"tenant": tenant, "status": status}
	if deviceLimit > 0 {
		question["deviceLimit"] = deviceLimit
	}
	err = c.do(ctx, http.MethodPost, "/control/accounts", question, &a)
	return a, err
}

func (c *Control) SessionToken(ctx context.Context, tenant, account string, expiresIn time.Duration) (string, error) {
	question := map[string]any{"tenant": tenant, "accountId": account}
	if expiresIn != 0 {
		question["expiresIn"] = expiresIn.String()
	}
	var answer struct {
		SessionToken string `json:"sessionToken"`
	}
	err := c.do(ctx, http.MethodPost, "/control/session-tokens", question, &answer)
	return answer.SessionToken, err
}

func (c *Control) SetAccount(ctx context.Context, tenant, account string, change map[string]any) error {
	return c.do(ctx, http.MethodPost, fmt.Sprintf("/control/accounts/%s/%s", url.PathEscape(tenant),
		url.PathEscape(account)), change, nil)
}

func (c *Control) SetDevice(ctx context.Context, tenant, client string, change map[string]any) error {
	return c.do(ctx, http.MethodPost, fmt.Sprintf("/control/devices/%s/%s", url.PathEscape(tenant),
		url.PathEscape(client)), change, nil)
}

// Devices counts the devices that the account has, whatever their state.
func (c *Control) Devices(ctx context.Context, tenant, account string) (int, error) {
	var answer struct {
		Devices []json.RawMessage `json:"devices"`
	}
	err := c.do(ctx, http.MethodGet, fmt.Sprintf("/control/accounts/%s/%s", url.PathEscape(tenant),
		url.PathEscape(account)), nil, &answer)
	return len(answer.Devices), err
}

// Advance moves the clock of one account.
func (c *Control) Advance(ctx context.Context, tenant, account string, by time.Duration) error {
	return c.do(ctx, http.MethodPost, "/control/clock", map[string]any{
		"advance": fmt.Sprintf("%ds", int(by.Seconds())), "tenant": tenant, "account": account}, nil)
}

func (c *Control) SetPlatform(ctx context.Context, tenant string, switches map[string]any) error {
	return c.do(ctx, http.MethodPost, "/control/platform/"+url.PathEscape(tenant), switches, nil)
}
