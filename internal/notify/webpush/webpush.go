// Package webpush pages people through their browser's push service (RFC 8030),
// encrypted for the browser (RFC 8291) and signed with our own key (RFC 8292,
// "VAPID"), so that neither a vendor's account nor a relay of ours is needed.
//
// A contact method is a subscription: Page.To is its endpoint, a URL that
// whoever knows it may send to and that is therefore kept out of errors;
// Page.Secret is {"p256dh":…,"auth":…}. One Send is one POST. A receipt means
// that the push service answered 2xx: it keeps the message for Config.TTL until
// the phone comes into reach, and tells nobody what became of it. An incident
// has one Topic, so a phone that was off shows its latest page only.
//
// The http.Client is the caller's, who has it refuse private addresses:
// endpoints are URLs that users give. Redirects are not followed.
//
// It leaves retries, bundling and the service worker that shows a Payload to others.
package webpush

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Client is safe for use by many goroutines.
type Client struct {
	cfg    Config
	http   *http.Client
	signer *signer
	broken error // what Validate says
}

var _ notify.Provider = (*Client)(nil)

// New makes a client. With a cfg that Validate complains about, every Send
// fails with that sentence.
func New(cfg Config, hc *http.Client) *Client {
	cfg.TTL = cmp.Or(cfg.TTL, 5*time.Minute)
	cfg.Timeout = cmp.Or(cfg.Timeout, 15*time.Second)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	own := *hc
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := &Client{cfg: cfg, http: &own, broken: cfg.Validate()}
	if c.broken != nil {
		return c
	}
	key, err := privateKey(cfg.Private)
	if err != nil {
		c.broken = err
		return c
	}
	public, err := publicOf(key)
	c.broken = err
	c.signer = &signer{key: key, public: public, subject: cfg.Subject, tokens: map[string]token{}}
	return c
}

// PublicKey is what a browser subscribes with (applicationServerKey), base64url;
// "" when the configuration is wrong.
func (c *Client) PublicKey() string {
	if c.signer == nil {
		return ""
	}
	return c.signer.public
}

// Send pushes p; see the package comment.
func (c *Client) Send(ctx context.Context, p notify.Page) (notify.Receipt, error) {
	if c.broken != nil {
		return notify.Receipt{}, &notify.Failure{Config: true, Reason: c.broken.Error()}
	}
	m, err := c.message(p)
	if err != nil {
		return notify.Receipt{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	req, err := c.request(ctx, p, m)
	if err != nil {
		return notify.Receipt{}, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return notify.Receipt{}, unanswered(req, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 == 2 {
		return notify.Receipt{
			RemoteID: resp.Header.Get("Location"), // the message at the push service, RFC 8030 §5
			Detail:   phrase.T("webpush.accepted", req.URL.Host, resp.StatusCode),
		}, nil
	}
	return notify.Receipt{}, c.refusal(req, resp)
}

func (c *Client) request(ctx context.Context, p notify.Page, m message) (*http.Request, error) {
	never := func(err error) error { return &notify.Failure{Permanent: true, Reason: err.Error()} }
	endpoint, err := c.endpoint(p.To)
	if err != nil {
		return nil, never(err)
	}
	var secret keys
	if err := json.Unmarshal([]byte(p.Secret), &secret); err != nil { // the error may quote a key
		return nil, never(errors.New(phrase.T("webpush.subscription.keys")))
	}
	browser, auth, err := secret.decode()
	if err != nil {
		return nil, never(err)
	}
	body, err := encrypt(m.plain, browser, auth)
	if err != nil {
		return nil, fmt.Errorf("encrypt push message: %w", err)
	}
	authorization, err := c.signer.authorization(endpoint, c.cfg.Now())
	if err != nil {
		return nil, err // says what was being done
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.String(), bytes.NewReader(body))
	if err != nil { // the error quotes the endpoint
		return nil, never(errors.New(phrase.T("webpush.subscription.endpoint")))
	}
	urgency := "normal"
	if m.urgent {
		urgency = "high" // also when the battery is low or the phone sleeps
	}
	req.Header.Set("Authorization", authorization)
	req.Header.Set("Content-Encoding", "aes128gcm")
	req.Header.Set("Content-Type", "application/octet-stream")
	req.Header.Set("TTL", strconv.FormatInt(int64(c.cfg.TTL/time.Second), 10))
	req.Header.Set("Urgency", urgency)
	req.Header.Set("Topic", m.topic)
	return req, nil
}

// unanswered judges a push service that did not answer. Another try may help.
func unanswered(req *http.Request, err error) *notify.Failure {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // without the endpoint
	}
	key := "webpush.fail.unreachable"
	if errors.Is(err, context.DeadlineExceeded) {
		key = "webpush.fail.timeout"
	}
	return &notify.Failure{Reason: phrase.T(key, req.URL.Host), Err: err}
}

// refusal judges an answer:
//
//	404, 410         never: the browser has unsubscribed
//	413              never: our message is too large for it
//	400, 401, 403    try again, tell the operator: it does not accept our key or our request
//	429, 5xx, others try again, when it says
func (c *Client) refusal(req *http.Request, resp *http.Response) *notify.Failure {
	host, code := req.URL.Host, resp.StatusCode
	switch code {
	case http.StatusNotFound, http.StatusGone:
		return &notify.Failure{Permanent: true, Reason: phrase.T("webpush.fail.gone", host, code)}
	case http.StatusRequestEntityTooLarge:
		return &notify.Failure{Permanent: true, Reason: phrase.T("webpush.fail.too_large", host)}
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden:
		return &notify.Failure{Config: true, Reason: phrase.T("webpush.fail.key", host, code, excerpt(req, resp))}
	case http.StatusTooManyRequests:
		return &notify.Failure{RetryAfter: c.retryAfter(resp), Reason: phrase.T("webpush.fail.too_many", host)}
	default:
		return &notify.Failure{RetryAfter: c.retryAfter(resp), Reason: phrase.T("webpush.fail.answer", host, code, excerpt(req, resp))}
	}
}

// retryAfter reads RFC 9110 §10.2.3: seconds or a date.
func (c *Client) retryAfter(resp *http.Response) time.Duration {
	text := resp.Header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(c.cfg.Now()))
	}
	return 0
}

// excerpt is the beginning of what the push service says, without what it may
// quote of the address and of our signature.
func excerpt(req *http.Request, resp *http.Response) string {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	text := strings.ReplaceAll(clean(string(body)), "\n", " ")
	authorization := req.Header.Get("Authorization")
	signature, _, _ := strings.Cut(strings.TrimPrefix(authorization, "vapid t="), ",")
	for _, secret := range []string{req.URL.String(), req.URL.RequestURI(), authorization, signature} {
		if len(secret) > 1 {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	return cut(text, 200)
}
