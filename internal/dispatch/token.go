package dispatch

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
)

// A page's token is the number of its delivery and a code that only we can
// make. An answer carries it back through channels that know no session: it
// speaks for the person whom the page went to, about what the page said. It
// has at most 40 characters of [a-z0-9-].
var tokenCode = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// PageToken returns the token of a delivery.
func (d *Dispatcher) PageToken(del store.Delivery) string {
	return strconv.FormatInt(int64(del.ID), 10) + "-" + d.pageCode(del)
}

func (d *Dispatcher) pageCode(del store.Delivery) string {
	mac := hmac.New(sha256.New, d.box.Derive("page token"))
	mac.Write([]byte(del.Key)) // differs also when a restore gives the number out once more
	return tokenCode.EncodeToString(mac.Sum(nil)[:10])
}

// tokenNumber is the delivery that a token names, before it is checked.
func tokenNumber(token string) (n id.Delivery, code string, ok bool) {
	number, code, ok := strings.Cut(token, "-")
	v, err := strconv.ParseInt(number, 10, 64)
	return id.Delivery(v), code, ok && err == nil && v > 0
}

// fits reports whether a token is that of del.
func (d *Dispatcher) fits(del store.Delivery, code string) bool {
	return hmac.Equal([]byte(d.pageCode(del)), []byte(code))
}
