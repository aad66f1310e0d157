package otp

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// The vectors of RFC 6238, appendix B, for SHA-1. They have eight digits; six
// are their last six.
func TestVectorsOfTheStandard(t *testing.T) {
	key := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		step := At(time.Unix(at, 0))
		if got := digits(key, step, 8); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
		if got, err := Code(text32.EncodeToString(key), step); err != nil || got != want[2:] {
			t.Errorf("Code at %d = %s, %v, want %s", at, got, err, want[2:])
		}
	}
}

// The vectors of RFC 4226, appendix D: the counter and its six digits.
func TestVectorsOfCounters(t *testing.T) {
	for n, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := digits([]byte("12345678901234567890"), int64(n), Digits); got != want {
			t.Errorf("counter %d: %s, want %s", n, got, want)
		}
	}
}

func TestCheck(t *testing.T) {
	secret := NewSecret()
	now := time.Unix(1_800_000_015, 0)
	step := At(now)
	code := func(n int64) string {
		c, err := Code(secret, n)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for what, c := range map[string]struct {
		code string
		last int64
		step int64
		ok   bool
	}{
		"the code of now":                     {code(step), 0, step, true},
		"typed in two groups":                 {code(step)[:3] + " " + code(step)[3:], 0, step, true},
		"the one before, a slow hand":         {code(step - 1), 0, step - 1, true},
		"the next, a clock that is fast":      {code(step + 1), 0, step + 1, true},
		"two steps ago":                       {code(step - 2), 0, 0, false},
		"two steps ahead":                     {code(step + 2), 0, 0, false},
		"a second time":                       {code(step), step, 0, false},
		"one older than what was used":        {code(step - 1), step, 0, false},
		"the next after one that was used":    {code(step + 1), step, step + 1, true},
		"nothing":                             {"", 0, 0, false},
		"too short":                           {code(step)[:5], 0, 0, false},
		"too long":                            {code(step) + "0", 0, 0, false},
		"letters":                             {"abcdef", 0, 0, false},
		"digits of another script, same sort": {"١٢٣٤٥٦", 0, 0, false},
	} {
		if got, ok := Check(secret, c.code, now, c.last); ok != c.ok || got != c.step {
			t.Errorf("%s: Check = %d, %v, want %d, %v", what, got, ok, c.step, c.ok)
		}
	}
	if _, ok := Check("not base32!", code(step), now, 0); ok {
		t.Error("a secret that is none has codes")
	}
}

func TestSecrets(t *testing.T) {
	a, b := NewSecret(), NewSecret()
	if a == b || len(a) != 32 {
		t.Errorf("NewSecret = %q, %q, want two of 32 letters", a, b)
	}
	if got := strings.ReplaceAll(Grouped(a), " ", ""); got != a || strings.Count(Grouped(a), " ") != 7 {
		t.Errorf("Grouped(%s) = %s", a, Grouped(a))
	}
	if _, err := Code("", 1); err == nil {
		t.Error("an empty secret has a code")
	}
}

func TestURI(t *testing.T) {
	u, err := url.Parse(URI("Harbour: Light & Co", "kim+ops@example.org", "JBSWY3DPEHPK3PXP"))
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Harbour  Light & Co:kim+ops@example.org" {
		t.Errorf("URI = %s, path %q", u, u.Path)
	}
	if q := u.Query(); q.Get("secret") != "JBSWY3DPEHPK3PXP" || q.Get("issuer") != "Harbour  Light & Co" || strings.Contains(u.RawQuery, "+") {
		t.Errorf("URI = %s", u)
	}
}

func TestRecoveryCodes(t *testing.T) {
	codes := NewRecovery()
	if len(codes) != Recoveries || len(slices.Compact(slices.Sorted(slices.Values(codes)))) != Recoveries {
		t.Fatalf("NewRecovery = %v, want %d different codes", codes, Recoveries)
	}
	for _, c := range codes {
		if !IsRecovery(c) || !IsRecovery(" "+strings.ToUpper(c)+" ") || len(c) != 11 || IsRecovery(c[:8]) {
			t.Errorf("recovery code %q", c)
		}
	}
	if IsRecovery("123456") {
		t.Error("six digits are taken for a recovery code")
	}
}

func TestDraw(t *testing.T) {
	p, err := Draw(URI("Harbour Light", "kim@example.org", NewSecret()))
	if err != nil {
		t.Fatal(err)
	}
	// The corner that readers look for first: seven dark squares inside the margin.
	if !strings.HasPrefix(p.Path, "M4 4h7v1h-7z") || p.Size < 21+2*margin {
		t.Errorf("Draw = %d, %.60s", p.Size, p.Path)
	}
	if _, err := Draw(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text that is too long was drawn")
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("123456", "JBSWY3DPEHPK3PXP", int64(1_800_000_000), int64(0))
	f.Fuzz(func(t *testing.T, code, secret string, at, last int64) {
		if step, ok := Check(secret, code, time.Unix(at, 0), last); ok && step <= last {
			t.Errorf("Check(%q, %q) took a code of step %d after %d", secret, code, step, last)
		}
	})
}
