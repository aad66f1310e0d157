package vonage

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // Vonage's default
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/reply"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Where Vonage reaches us, below Config.CallbackURL. ReplyPath is entered at
// Vonage as the address for inbound messages of the number.
const (
	StatusPath = "/hooks/vonage/status"
	ReplyPath  = "/hooks/vonage/sms"
)

const maxHook = 64 << 10

// ParseReceipt reads what became of a message. State is "" when it is still on
// its way. An error is a *fault.Error: forbidden without a valid signature,
// invalid when the request is unreadable. Vonage wants 200 or 204 in answer.
func (c *Client) ParseReceipt(r *http.Request) (notify.Event, error) {
	given, err := c.hook(r)
	if err != nil {
		return notify.Event{}, err
	}
	status, code := given["status"], given["err-code"]
	ev := notify.Event{RemoteID: given["messageId"]}
	switch status {
	case "accepted", "buffered":
		ev.State = notify.Accepted
	case "delivered":
		ev.State = notify.Delivered
	case "expired", "failed", "rejected":
		ev.State = notify.Undelivered
	default: // submitted, unknown
		return ev, nil
	}
	ev.Detail = phrase.T("sms.vonage.status." + status)
	if ev.State == notify.Undelivered && code != "" && code != "0" {
		why := rest.Says(code, c.cfg.SignatureSecret)
		if key := "sms.vonage.code." + code; phrase.Has(key) {
			why += " " + phrase.T(key)
		}
		ev.Detail = phrase.T("sms.vonage.status.code", ev.Detail, why)
		ev.Permanent = code == "3" || code == "9" // absent for ever, no such number
	}
	return ev, nil
}

// ParseInbound reads a text message that somebody sent. Without an Answer,
// Detail is what to tell the writer, "" for words that the carrier answers.
// Errors are as for ParseReceipt.
func (c *Client) ParseInbound(r *http.Request) (notify.Event, error) {
	given, err := c.hook(r)
	if err != nil {
		return notify.Event{}, err
	}
	text := given["text"]
	action, inc, all, ok := reply.Parse(text)
	switch {
	case ok:
		return notify.Event{Answer: &notify.Answer{
			Action: action, Incident: inc, All: all, From: "+" + strings.TrimPrefix(given["msisdn"], "+"),
		}}, nil
	case reply.Subscription(text):
		return notify.Event{}, nil
	default:
		return notify.Event{Detail: phrase.T("sms.reply.unknown")}, nil
	}
}

// hook reads the parameters of a callback: of the query with GET, of a form or
// of JSON with POST, as the account's settings say.
func (c *Client) hook(r *http.Request) (map[string]string, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxHook+1))
	if err != nil || len(body) > maxHook {
		return nil, unreadable(err)
	}
	given := map[string]string{}
	switch {
	case r.Method == http.MethodGet:
		err = readForm(given, r.URL.RawQuery)
	case strings.HasPrefix(strings.TrimSpace(string(body)), "{"):
		err = readJSON(given, body)
	default:
		err = readForm(given, string(body))
	}
	if err != nil {
		return nil, unreadable(err)
	}
	if !c.signed(given) {
		return nil, &fault.Error{Code: fault.CodeForbidden, Message: phrase.T("sms.vonage.hook.forbidden"), Err: errSignature}
	}
	return given, nil
}

var errSignature = errors.New("sig does not match")

func unreadable(err error) error {
	return &fault.Error{Code: fault.CodeInvalid, Message: phrase.T("sms.vonage.hook.unreadable"), Err: err}
}

func readForm(into map[string]string, text string) error {
	form, err := url.ParseQuery(text)
	for name := range form {
		into[name] = form.Get(name)
	}
	return err
}

// readJSON reads a flat object; numbers keep their spelling, for it is signed.
func readJSON(into map[string]string, body []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return err
	}
	for name, raw := range members {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		into[name] = s
	}
	return nil
}

// signed compares the parameter sig with what the others make.
func (c *Client) signed(given map[string]string) bool {
	if !c.hears() {
		return false
	}
	got, err := hex.DecodeString(strings.ToLower(given["sig"]))
	return err == nil && hmac.Equal(got, c.cfg.SignatureMethod.sign(c.cfg.SignatureSecret, given))
}

// sign is over "&name=value" of each parameter but sig, in the order of names;
// what separates them is replaced in values.
func (m SignatureMethod) sign(secret string, given map[string]string) []byte {
	var b strings.Builder
	clean := strings.NewReplacer("&", "_", "=", "_")
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if name != "sig" {
			b.WriteString("&" + clean.Replace(name) + "=" + clean.Replace(given[name]))
		}
	}
	if m == MD5Hash {
		sum := md5.Sum([]byte(b.String() + secret)) //nolint:gosec // Vonage's default
		return sum[:]
	}
	h := hmac.New(m.hash(), []byte(secret))
	_, _ = io.WriteString(h, b.String())
	return h.Sum(nil)
}

// hash is nil for a method that does not exist.
func (m SignatureMethod) hash() func() hash.Hash {
	switch m {
	case MD5Hash:
		return md5.New
	case HMACSHA256:
		return sha256.New
	case HMACSHA512:
		return sha512.New
	default:
		return nil
	}
}
