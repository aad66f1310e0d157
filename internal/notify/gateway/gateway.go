// Package gateway pages people by text message through any gateway that takes
// one HTTP request for one message: a modem in the cellar, a carrier's own API.
//
// The request is made of a template. Placeholders {to}, {text} and {key} stand
// inside values of a form or of JSON and are replaced after the template was
// read, so that no text can break out of its place. It promises: a Receipt means
// that the gateway answered 2xx. Answers to a page do not come back this way, so
// the message carries the link that acknowledges.
//
// With a secret every request is signed, for a gateway that is our own: the
// header X-Watchroom-Signature is "sha256=" and the hexadecimal HMAC-SHA256 of
// the body, or with GET of the query as it is sent. Idempotency-Key is the key
// of the page, the same with every try.
//
// Which provider is tried when, and retries, are for others.
package gateway

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/watchroom/watchroom/internal/jsontext"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/notify/sms"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Format is the kind of a template.
type Format string

// The formats. With GET the form is the query.
const (
	Form Format = "form" // to={to}&text={text}
	JSON Format = "json" // {"to":"{to}","message":"{text}"}
)

// SignatureHeader carries the signature when there is a secret.
const SignatureHeader = "X-Watchroom-Signature"

// Config describes the gateway. URL and Template are needed.
type Config struct {
	URL      string
	Method   string            // POST, PUT or GET; "" means POST
	Headers  map[string]string // such as Authorization; their values are secrets
	Format   Format            // "" means Form
	Template string            // with {to} and {text}, and {key} if the gateway knows repetitions
	IDPath   string            // where the message's id is in a JSON answer: "messages.0.id"; "" for nowhere
	Secret   string            // signs requests; "" for no signature
}

// Validate says in a sentence what is wrong; it repeats no secret, and no URL,
// which may have one.
func (c Config) Validate() error {
	c = c.withDefaults()
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Fragment != "":
		return errors.New(phrase.T("sms.gateway.config.url"))
	case !slices.Contains([]string{http.MethodPost, http.MethodPut, http.MethodGet}, c.Method):
		return errors.New(phrase.T("sms.gateway.config.method"))
	case c.Format != Form && c.Format != JSON:
		return errors.New(phrase.T("sms.gateway.config.format"))
	case c.Method == http.MethodGet && c.Format != Form:
		return errors.New(phrase.T("sms.gateway.config.get"))
	case !strings.Contains(c.Template, "{to}") || !strings.Contains(c.Template, "{text}"):
		return errors.New(phrase.T("sms.gateway.config.placeholders"))
	}
	for name, value := range c.Headers {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return errors.New(phrase.T("sms.gateway.config.header", rest.Says(name)))
		}
		switch textproto.CanonicalMIMEHeaderKey(name) {
		case "Host", "Content-Length", "Content-Type", "Idempotency-Key", SignatureHeader:
			return errors.New(phrase.T("sms.gateway.config.own_header", name))
		}
	}
	// A placeholder outside a value, such as in the name of a member, is not filled.
	const number, text = "placeholder-of-the-number", "placeholder-of-the-text"
	filled, err := c.fill(map[string]string{"{to}": number, "{text}": text, "{key}": ""})
	bare := c.Format == JSON && !strings.HasPrefix(strings.TrimSpace(filled), "{") // no gateway takes text alone
	if err != nil || bare || !strings.Contains(filled, number) || !strings.Contains(filled, text) {
		return errors.New(phrase.T("sms.gateway.config.template." + string(c.Format)))
	}
	return nil
}

func (c Config) withDefaults() Config {
	c.Method = strings.ToUpper(cmp.Or(c.Method, http.MethodPost))
	c.Format = cmp.Or(c.Format, Form)
	return c
}

// fill puts values in the template.
func (c Config) fill(values map[string]string) (string, error) {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		pairs = append(pairs, name, values[name])
	}
	replace := strings.NewReplacer(pairs...).Replace
	if c.Format == JSON {
		filled, err := jsontext.Replace([]byte(c.Template), replace) // a modem's parser may know nothing but the letters
		return string(filled), err
	}
	form, err := url.ParseQuery(strings.TrimSpace(c.Template))
	if err != nil {
		return "", err
	}
	for _, all := range form {
		for i := range all {
			all[i] = replace(all[i])
		}
	}
	return form.Encode(), nil
}

// Client is safe for use by many goroutines.
type Client struct {
	cfg  Config
	http *http.Client
}

var _ notify.Provider = (*Client)(nil)

// New makes a client of a valid cfg. It does not connect.
func New(cfg Config, client *http.Client) *Client {
	return &Client{cfg: cfg.withDefaults(), http: rest.Client(client)}
}

// Send sends p as one message.
func (c *Client) Send(ctx context.Context, p notify.Page) (notify.Receipt, error) {
	switch {
	case p.Notice == nil && len(p.Incidents) == 0:
		return notify.Receipt{}, &notify.Failure{Permanent: true, Reason: phrase.T("sms.fail.empty")}
	case !sms.E164(p.To):
		return notify.Receipt{}, &notify.Failure{Permanent: true, Reason: phrase.T("sms.fail.number", rest.Says(p.To))}
	}
	req, err := c.request(ctx, p)
	if err != nil {
		return notify.Receipt{}, &notify.Failure{Config: true, Reason: phrase.T("sms.gateway.config.template." + string(c.cfg.Format))}
	}
	answer, err := rest.Do(c.http, req)
	if err != nil {
		return notify.Receipt{}, rest.Ours(err)
	}
	return c.verdict(answer)
}

func (c *Client) request(ctx context.Context, p notify.Page) (*http.Request, error) {
	body, err := c.cfg.fill(map[string]string{"{to}": p.To, "{text}": sms.Text(p, false), "{key}": p.Key})
	if err != nil {
		return nil, fmt.Errorf("fill the template: %w", err)
	}
	u, err := url.Parse(c.cfg.URL)
	if err != nil {
		return nil, errors.New("the URL cannot be read") // the error quotes it
	}
	signed, sent := body, body
	if c.cfg.Method == http.MethodGet {
		if u.RawQuery != "" {
			u.RawQuery += "&"
		}
		u.RawQuery += body
		signed, sent = u.RawQuery, ""
	}
	req, err := http.NewRequestWithContext(ctx, c.cfg.Method, u.String(), strings.NewReader(sent))
	if err != nil {
		return nil, errors.New("the request cannot be made")
	}
	for name, value := range c.cfg.Headers {
		req.Header.Set(name, value)
	}
	if sent != "" {
		kind := "application/x-www-form-urlencoded"
		if c.cfg.Format == JSON {
			kind = "application/json"
		}
		req.Header.Set("Content-Type", kind)
	}
	if httpguts.ValidHeaderFieldValue(p.Key) && p.Key != "" {
		req.Header.Set("Idempotency-Key", p.Key)
	}
	if c.cfg.Secret != "" {
		h := hmac.New(sha256.New, []byte(c.cfg.Secret))
		_, _ = io.WriteString(h, signed)
		req.Header.Set(SignatureHeader, "sha256="+hex.EncodeToString(h.Sum(nil)))
	}
	return req, nil
}

// verdict reads the answer. Of a gateway that we do not know, 400 and 422 mean
// the message; 404 and the like mean that we ask at the wrong place.
func (c *Client) verdict(answer rest.Answer) (notify.Receipt, error) {
	says := c.says(string(answer.Body))
	if answer.OK() {
		return notify.Receipt{RemoteID: pick(answer.Body, c.cfg.IDPath), Detail: rest.Refusal(phrase.T("sms.gateway.name"), answer.Status, says)}, nil
	}
	name := phrase.T("sms.gateway.name")
	if f := answer.Failure(name, says); f != nil {
		return notify.Receipt{}, f
	}
	f := &notify.Failure{Reason: rest.Refusal(name, answer.Status, says)}
	f.Permanent = answer.Status == http.StatusBadRequest || answer.Status == http.StatusUnprocessableEntity
	f.Config = !f.Permanent
	return notify.Receipt{}, f
}

// says is what the gateway answered, without what it may have quoted of ours.
func (c *Client) says(text string) string {
	secrets := []string{c.cfg.Secret}
	for _, value := range c.cfg.Headers {
		_, credentials, _ := strings.Cut(value, " ") // Bearer …
		secrets = append(secrets, value, credentials)
	}
	if u, err := url.Parse(c.cfg.URL); err == nil {
		for _, values := range u.Query() {
			secrets = append(secrets, values...)
		}
		if password, ok := u.User.Password(); ok {
			secrets = append(secrets, password)
		}
	}
	// The longest first, or a piece would be gone before the whole is looked for;
	// a short one is a word, not a secret.
	secrets = slices.DeleteFunc(secrets, func(s string) bool { return len(s) < 4 })
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	return rest.Says(text, secrets...)
}

// pick is the text or number at path in body, "" when there is none.
func pick(body []byte, path string) string {
	if path == "" {
		return ""
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var value any
	if d.Decode(&value) != nil {
		return ""
	}
	for step := range strings.SplitSeq(path, ".") {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(v) {
				return ""
			}
			value = v[n]
		default:
			return ""
		}
	}
	switch v := value.(type) {
	case string:
		return rest.Says(v)
	case json.Number:
		return rest.Says(v.String())
	default:
		return ""
	}
}
