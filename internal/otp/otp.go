// Package otp computes and checks the six digits that an application on a
// person's phone shows as their second factor (TOTP, RFC 6238), draws what the
// application is shown once to know them, and makes recovery codes for the day
// on which the phone is gone. All of it is a function of values: that a code
// works once, how often somebody may try, and keeping secrets is left to account.
package otp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6238: what every application computes; HMAC-SHA1 is not broken
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// What every application understands; others of the standard some do not.
const (
	Digits = 6
	Step   = 30 * time.Second
	// Skew is how many steps the clocks of the phone and the server may be apart.
	Skew = 1

	secretSize = 20 // bytes, as long as the hash (RFC 4226 §4)
)

// text32 is how secrets are written: as people can type them.
var text32 = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewSecret returns a random secret as text.
func NewSecret() string {
	var raw [secretSize]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	return text32.EncodeToString(raw[:])
}

// At is the number of the step that an instant is in.
func At(t time.Time) int64 { return t.Unix() / int64(Step/time.Second) }

// Code is what an application that knows secret shows during a step.
func Code(secret string, step int64) (string, error) {
	key, err := text32.DecodeString(secret)
	if err != nil || len(key) == 0 {
		return "", errors.New("the secret of a second factor is not base32") // the cause would quote it
	}
	return digits(key, step, Digits), nil
}

// digits is HOTP of RFC 4226 §5.3 with the step as the counter.
func digits(key []byte, step int64, length int) string {
	mac := hmac.New(sha1.New, key)
	_, _ = mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step))) //nolint:gosec // steps are counted from 1970; Write never fails
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	shown := fmt.Sprintf("%010d", number)
	return shown[len(shown)-length:]
}

// Check returns the step that code is of. It has to be within Skew of now and
// after last, the step of the code that was taken before: each works once, and
// so does none that is older than one that was used.
func Check(secret, code string, now time.Time, last int64) (step int64, ok bool) {
	code = Fold(code)
	for step := At(now) - Skew; step <= At(now)+Skew; step++ {
		want, err := Code(secret, step)
		if err == nil && step > last && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			return step, true
		}
	}
	return 0, false
}

// Fold is a code as it is compared, however it was typed: without spaces and
// dashes, in lower case.
func Fold(code string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return unicode.ToLower(r)
	}, code)
}

// URI is what an application reads from the picture: whose codes these are, and
// the secret. house and account are only names.
func URI(house, account, secret string) string {
	house = strings.ReplaceAll(house, ":", " ") // it parts the two
	label := url.PathEscape(house) + ":" + url.PathEscape(account)
	with := url.Values{"secret": {secret}, "issuer": {house}}
	// Some applications show a plus as it is.
	return "otpauth://totp/" + label + "?" + strings.ReplaceAll(with.Encode(), "+", "%20")
}

// Grouped is a secret as it is read and typed: in fours.
func Grouped(secret string) string {
	var parts []string
	for len(secret) > 4 {
		parts, secret = append(parts, secret[:4]), secret[4:]
	}
	return strings.Join(append(parts, secret), " ")
}

// Recovery codes: enough letters that guessing is hopeless where tries are
// counted, few enough to be typed.
const (
	Recoveries     = 10
	recoveryLength = 10
	// recoveryAlphabet has no letters that are taken for others on paper.
	recoveryAlphabet = "23456789abcdefghjkmnpqrstuvwxyz"
)

// NewRecovery returns a set of recovery codes, as they are shown once.
func NewRecovery() []string {
	codes := make([]string, Recoveries)
	for i := range codes {
		var b [recoveryLength]byte
		_, _ = rand.Read(b[:]) // never fails since Go 1.24
		for j := range b {
			b[j] = recoveryAlphabet[int(b[j])%len(recoveryAlphabet)] // the first letters are a little likelier: 49 bits all the same
		}
		codes[i] = string(b[:recoveryLength/2]) + "-" + string(b[recoveryLength/2:])
	}
	return codes
}

// IsRecovery reports whether what was typed can be a recovery code.
func IsRecovery(code string) bool { return len(Fold(code)) == recoveryLength }
