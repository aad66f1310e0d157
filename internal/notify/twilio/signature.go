package twilio

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's choice
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
)

// maxHook is more than Twilio ever posts.
const maxHook = 64 << 10

// hook reads a request to path and returns its form, if Twilio signed it. Any
// other request is a *fault.Error: forbidden without a good signature, invalid
// when it cannot be read.
func (c *Client) hook(r *http.Request, path string) (url.Values, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxHook+1))
	if err != nil || len(body) > maxHook {
		return nil, &fault.Error{Code: fault.CodeInvalid, Message: phrase.T("sms.twilio.hook.unreadable"), Err: err}
	}
	form, formErr := url.ParseQuery(string(body))
	isJSON := r.URL.Query().Has("bodySHA256")
	if isJSON {
		form = url.Values{}
	}
	// The address comes from our settings and the path from the code. What the
	// request says about itself (Host, X-Forwarded-*, a prefix that a proxy cut
	// off) is not believed, except the query, which is under the signature.
	full := c.cfg.CallbackURL + path
	if r.URL.RawQuery != "" {
		full += "?" + r.URL.RawQuery
	}
	signed := c.signed(full, form, r.Header.Get("X-Twilio-Signature"))
	if isJSON {
		signed = signed && equalHash(r.URL.Query().Get("bodySHA256"), body)
	}
	if !signed || formErr != nil && !isJSON {
		return nil, &fault.Error{Code: fault.CodeForbidden, Message: phrase.T("sms.twilio.hook.forbidden"), Err: errSignature}
	}
	return form, nil
}

var errSignature = errors.New("X-Twilio-Signature does not match")

// signed reports whether signature is that of address and form. Twilio may have
// called the address with or without the port that is the default.
func (c *Client) signed(address string, form url.Values, signature string) bool {
	if c.cfg.AuthToken == "" || c.cfg.CallbackURL == "" {
		return false
	}
	got, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	ok := false
	for _, spelling := range spellings(address) {
		ok = hmac.Equal(got, mac(c.cfg.AuthToken, spelling, form)) || ok
	}
	return ok
}

// mac is HMAC-SHA1 over the address and each parameter with its first value, in
// the order of the names, with nothing between.
func mac(token, address string, form url.Values) []byte {
	h := hmac.New(sha1.New, []byte(token))
	_, _ = io.WriteString(h, address)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		_, _ = io.WriteString(h, name+form.Get(name))
	}
	return h.Sum(nil)
}

// spellings is address without a port and with one.
func spellings(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return []string{address}
	}
	scheme, rest, _ := strings.Cut(address, "://") // no re-encoding: every byte counts
	rest = strings.TrimPrefix(rest, u.Host)
	host := strings.TrimSuffix(u.Host, ":"+u.Port())
	standard := "443"
	if u.Scheme == "http" {
		standard = "80"
	}
	switch u.Port() {
	case "", standard:
		return []string{scheme + "://" + host + rest, scheme + "://" + host + ":" + standard + rest}
	default: // calls to another port are signed with it or, by older parts of Twilio, without
		return []string{address, scheme + "://" + host + rest}
	}
}

func equalHash(given string, body []byte) bool {
	want, err := hex.DecodeString(given)
	sum := sha256.Sum256(body)
	return err == nil && hmac.Equal(want, sum[:])
}
