package secret

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
)

var (
	noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	link = Link{Action: "acknowledge", Incident: 42, User: "01jd9x6w5kq2v8c4r7m3t0n1pz", Nonce: "d17"}
)

func TestSignAndVerify(t *testing.T) {
	signer := newBox(t).Signer()
	for _, c := range []struct {
		name    string
		link    Link
		expires time.Time
		now     time.Time
		want    error
	}{
		{"fresh", link, noon.Add(time.Hour), noon, nil},
		{"the last moment", link, noon, noon.Add(-time.Nanosecond), nil},
		{"at the moment it expires", link, noon, noon, ErrExpired},
		{"long expired", link, noon, noon.AddDate(1, 0, 0), ErrExpired},
		{"everything empty", Link{}, noon, noon.Add(-1), nil},
		{"odd characters", Link{Action: "é\x00/?", Incident: -1, User: "a.b", Nonce: "…"}, noon, noon.Add(-1), nil},
		{"before 1970", link, time.Unix(-5, 0), time.Unix(-6, 0), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := signer.Sign(c.link, c.expires)
			if strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
				t.Errorf("Sign = %q, not safe in a URL", token)
			}
			got, err := signer.Verify(token, c.now)
			if got != c.link || !errors.Is(err, c.want) {
				t.Errorf("Verify = %+v, %v, want %+v, %v", got, err, c.link, c.want)
			}
		})
	}
	if n := len(signer.Sign(link, noon)); n > 120 {
		t.Errorf("a usual token has %d characters", n)
	}
}

func TestVerifyRefuses(t *testing.T) {
	box := newBox(t)
	signer := box.Signer()
	token := signer.Sign(link, noon.Add(time.Hour))
	for _, c := range []struct{ name, token string }{
		{"nothing", ""},
		{"not base64", "!!!!"},
		{"shorter than a signature", "AAAA"},
		{"a signature of nothing", base64.RawURLEncoding.EncodeToString(signer.mac(nil))},
		{"cut", token[:len(token)-2]},
		{"lengthened", token + "AA"},
		{"a line end", token + "\n"},
		{"padded", token + "="},
		{"very long", strings.Repeat("A", maxToken+1)},
		{"another key's", newBox(t).Signer().Sign(link, noon.Add(time.Hour))},
		{"another key's, expired", newBox(t).Signer().Sign(link, noon.Add(-time.Hour))},
		{"a sealed text", box.Seal("x")},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := signer.Verify(c.token, noon)
			if got != (Link{}) || !errors.Is(err, ErrInvalid) || errors.Is(err, ErrExpired) {
				t.Errorf("Verify = %+v, %v, want ErrInvalid", got, err)
			}
		})
	}
	for i := range token {
		for _, to := range []byte{'A', '_'} {
			changed := []byte(token)
			changed[i] = to
			if string(changed) == token {
				continue
			}
			if got, err := signer.Verify(string(changed), noon); !errors.Is(err, ErrInvalid) {
				t.Errorf("Verify with character %d changed = %+v, %v", i, got, err)
			}
		}
	}
}

// Bytes that are authentic but not ours: a newer version, or cut inside.
func TestVerifyReadsCarefully(t *testing.T) {
	signer := newBox(t).Signer()
	whole, err := text64.DecodeString(signer.Sign(link, noon.Add(time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	body := whole[:len(whole)-sha256.Size]
	bodies := [][]byte{{2}, append([]byte{linkVersion + 1}, body[1:]...), append(body[:len(body):len(body)], 0)}
	for n := 1; n < len(body); n++ {
		bodies = append(bodies, body[:n:n])
	}
	for _, b := range bodies {
		token := text64.EncodeToString(append(b, signer.mac(b)...))
		if got, err := signer.Verify(token, noon); got != (Link{}) || !errors.Is(err, ErrInvalid) {
			t.Errorf("Verify(%x) = %+v, %v, want ErrInvalid", b, got, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	signer := fixedBox(f).Signer()
	f.Add(signer.Sign(link, noon), []byte{linkVersion, 2, 2, 1, 'a', 0, 0})
	f.Add("", []byte{linkVersion, 2, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, token string, body []byte) {
		if got, err := signer.Verify(token, noon); err == nil {
			// The fuzzer has no key: only a text that Sign makes may pass.
			if signer.Sign(got, noon.Add(time.Hour)) == "" {
				t.Errorf("Verify(%q) = %+v", token, got)
			}
		} else if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrExpired) {
			t.Errorf("Verify(%q): %v", token, err)
		}
		if len(body) == 0 {
			return
		}
		signed := text64.EncodeToString(append(body[:len(body):len(body)], signer.mac(body)...))
		got, err := signer.Verify(signed, time.Unix(0, 0))
		if err == nil && got.Incident == id.Incident(0) && got.Action == "" && len(body) < 5 {
			t.Errorf("Verify of %x passed", body)
		}
	})
}
