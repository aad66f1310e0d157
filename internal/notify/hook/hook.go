// Package hook tells another program that an escalation has reached a step: a
// POST of a form with the fields of VictorOps' escalation webhook, so that what
// was written for that keeps working (protocols: VictorOps REST, section 4).
// Values of alert fields are JSON text, in double quotes, as there.
//
// It is signed twice over the URL as configured and all parameters: in
// X-VictorOps-Signature with base64(HMAC-SHA1) as the original does, and in
// X-Watchroom-Signature with "sha256=" and hex(HMAC-SHA256) over the body.
package hook

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the signature that VictorOps' consumers check
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/phrase"
)

// The headers of a signed request.
const (
	OriginalSignature = "X-VictorOps-Signature"
	Signature         = "X-Watchroom-Signature"
)

// Config is one webhook.
type Config struct {
	URL    string // exactly as it is called, and signed
	Secret string // what both sides know; "" sends no signature
}

// Validate says what is wrong in a sentence.
func (c Config) Validate() error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("url: give the whole address, beginning with https://")
	}
	return nil
}

// Client calls one webhook.
type Client struct {
	cfg  Config
	http *http.Client
}

var _ notify.Provider = (*Client)(nil)

// New returns a Client that calls through c.
func New(cfg Config, c *http.Client) *Client { return &Client{cfg: cfg, http: rest.Client(c)} }

// Send implements notify.Provider: one request for each incident.
func (c *Client) Send(ctx context.Context, p notify.Page) (notify.Receipt, error) {
	forms := make([]url.Values, 0, len(p.Incidents))
	for _, inc := range p.Incidents {
		forms = append(forms, form(inc))
	}
	if n := p.Notice; n != nil {
		forms = append(forms, url.Values{"summary": {n.Subject}, "message": {strings.Join(n.Lines, "\n")}})
	}
	var last notify.Receipt
	for _, f := range forms {
		var err error
		if last, err = c.post(ctx, f, p.Key); err != nil {
			return notify.Receipt{}, err
		}
	}
	return last, nil
}

func form(inc notify.PageIncident) url.Values {
	f := url.Values{
		"incident": {strconv.FormatInt(int64(inc.Number), 10)}, "summary": {inc.Title}, "message": {inc.Message},
	}
	for name, value := range map[string]string{
		"message_type": strings.ToUpper(inc.Severity), "entity_id": inc.EntityID, "entity_display_name": inc.Title, "state_message": inc.Message,
		"monitoring_tool": inc.Tool, "routing_key": inc.RoutingKey, "host_name": inc.Host, "incident_url": inc.URL,
		"vo_alert_rcv_time": strconv.FormatInt(inc.TriggeredAt.UnixMilli(), 10),
	} {
		if value != "" {
			f.Set(name, quoted(value))
		}
	}
	return f
}

// quoted is a value as JSON text, with its quotes and nothing escaped that need
// not be.
func quoted(value string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(value) // a string always can be
	return strings.TrimSuffix(b.String(), "\n")
}

func (c *Client) post(ctx context.Context, f url.Values, key string) (notify.Receipt, error) {
	body := f.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.URL, strings.NewReader(body))
	if err != nil {
		return notify.Receipt{}, &notify.Failure{Config: true, Reason: phrase.T("hook.bad_url")}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Idempotency-Key", key)
	if c.cfg.Secret != "" {
		req.Header.Set(OriginalSignature, SignForm(c.cfg.Secret, c.cfg.URL, f))
		req.Header.Set(Signature, SignBody(c.cfg.Secret, body))
	}
	answer, err := rest.Do(c.http, req)
	if err != nil {
		return notify.Receipt{}, rest.Ours(err)
	}
	if !answer.OK() {
		return notify.Receipt{}, &notify.Failure{
			Permanent: answer.Status == http.StatusGone, RetryAfter: answer.RetryAfter(), Reason: phrase.T("hook.status", answer.Status),
		}
	}
	return notify.Receipt{Detail: fmt.Sprintf("%d %s", answer.Status, http.StatusText(answer.Status))}, nil
}

// SignForm is the signature that VictorOps' consumers check: over the URL and
// each parameter in the order of their names, name and value, no separators.
func SignForm(secret, address string, f url.Values) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(address))
	for _, name := range slices.Sorted(maps.Keys(f)) {
		for _, value := range f[name] {
			mac.Write([]byte(name + value))
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// SignBody is our own signature, over the body as it is sent.
func SignBody(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
