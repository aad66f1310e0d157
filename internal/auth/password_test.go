package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/watchroom/watchroom/internal/fault"
)

// cheap makes a test of a hundred passwords take no time.
var cheap = Params{Memory: 64, Time: 1, Threads: 1}

func TestHashAndVerify(t *testing.T) {
	p := NewPasswords(cheap)
	for _, password := range []string{"correct horse", "", "pässwörd 密码", strings.Repeat("x", 300)} {
		text, err := p.Hash(t.Context(), password)
		if err != nil {
			t.Fatalf("Hash(%.20q): %v", password, err)
		}
		if !strings.HasPrefix(text, "$argon2id$v=19$m=64,t=1,p=1$") {
			t.Errorf("Hash(%.20q) = %q", password, text)
		}
		if again, _ := p.Hash(t.Context(), password); again == text {
			t.Errorf("Hash(%.20q) gave the same text twice", password)
		}
		for attempt, want := range map[string]bool{password: true, password + "x": false, "other": false} {
			if ok, stale, err := p.Verify(t.Context(), text, attempt); ok != want || stale || err != nil {
				t.Errorf("Verify(%.20q, %.20q) = %v, %v, %v, want %v", password, attempt, ok, stale, err, want)
			}
		}
	}
}

func TestDefaultParams(t *testing.T) {
	p := NewPasswords(DefaultParams)
	text, err := p.Hash(t.Context(), "correct horse")
	if err != nil || !strings.HasPrefix(text, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("Hash = %q, %v", text, err)
	}
	if ok, stale, err := p.Verify(t.Context(), text, "correct horse"); !ok || stale || err != nil {
		t.Errorf("Verify = %v, %v, %v", ok, stale, err)
	}
}

// Made by the reference implementation's own test (phc-winner-argon2 src/test.c, version 0x13, argon2id).
func TestVerifyReadsTheReferenceImplementation(t *testing.T) {
	const text = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	ok, stale, err := NewPasswords(DefaultParams).Verify(t.Context(), text, "password")
	if !ok || !stale || err != nil {
		t.Errorf("Verify = %v, %v, %v, want a match that is to be replaced", ok, stale, err)
	}
	if ok, stale, err := NewPasswords(DefaultParams).Verify(t.Context(), text, "Password"); ok || stale || err != nil {
		t.Errorf("Verify of the wrong one = %v, %v, %v", ok, stale, err)
	}
}

func TestVerifyTakesAccentsFromAnyKeyboard(t *testing.T) {
	p := NewPasswords(cheap)
	text, err := p.Hash(t.Context(), "caf\u00e9 au lait")
	if err != nil {
		t.Fatal(err)
	}
	if ok, _, err := p.Verify(t.Context(), text, "cafe\u0301 au lait"); !ok || err != nil {
		t.Errorf("Verify of the decomposed spelling = %v, %v", ok, err)
	}
}

func TestParsePHC(t *testing.T) {
	const salt, tag = "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for _, c := range []struct {
		name, text string
		ok         bool
	}{
		{"usual", "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + tag, true},
		{"at the limits", "$argon2id$v=19$m=262144,t=16,p=16$" + salt + "$" + tag, true},
		{"empty", "", false},
		{"plain text", "hunter2", false},
		{"argon2i", "$argon2i$v=19$m=256,t=2,p=1$" + salt + "$" + tag, false},
		{"bcrypt", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy", false},
		{"old version", "$argon2id$v=16$m=256,t=2,p=1$" + salt + "$" + tag, false},
		{"no version", "$argon2id$m=256,t=2,p=1$" + salt + "$" + tag, false},
		{"too much memory", "$argon2id$v=19$m=262145,t=2,p=1$" + salt + "$" + tag, false},
		{"memory beyond 32 bits", "$argon2id$v=19$m=4294967552,t=2,p=1$" + salt + "$" + tag, false},
		{"too many passes", "$argon2id$v=19$m=256,t=17,p=1$" + salt + "$" + tag, false},
		{"no passes", "$argon2id$v=19$m=256,t=0,p=1$" + salt + "$" + tag, false},
		{"no lanes", "$argon2id$v=19$m=256,t=2,p=0$" + salt + "$" + tag, false},
		{"lanes beyond 8 bits", "$argon2id$v=19$m=256,t=2,p=257$" + salt + "$" + tag, false},
		{"negative", "$argon2id$v=19$m=-256,t=2,p=1$" + salt + "$" + tag, false},
		{"leading zero", "$argon2id$v=19$m=0256,t=2,p=1$" + salt + "$" + tag, false},
		{"costs in another order", "$argon2id$v=19$t=2,m=256,p=1$" + salt + "$" + tag, false},
		{"a cost is missing", "$argon2id$v=19$m=256,t=2$" + salt + "$" + tag, false},
		{"a cost too many", "$argon2id$v=19$m=256,t=2,p=1,data=AA$" + salt + "$" + tag, false},
		{"short salt", "$argon2id$v=19$m=256,t=2,p=1$AAAA$" + tag, false},
		{"no tag", "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$", false},
		{"padded", "$argon2id$v=19$m=256,t=2,p=1$" + salt + "=$" + tag, false},
		{"line end", "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + tag + "\n", false},
		{"a part too many", "$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + tag + "$", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, err := parsePHC(c.text)
			if (err == nil) != c.ok || (err != nil && !errors.Is(err, errPHC)) {
				t.Fatalf("parsePHC(%q): %v, want ok %v", c.text, err, c.ok)
			}
			if err == nil && h.String() != c.text {
				t.Errorf("String() = %q, want %q", h.String(), c.text)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows the stored text: %v", err)
			}
		})
	}
}

func TestHashingWaitsForItsTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPasswords(cheap)
		for range cap(p.turns) {
			p.turns <- struct{}{}
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.VerifyNobody(ctx, "x") }()
		synctest.Wait()
		select {
		case err := <-done:
			t.Fatalf("hashed beside a full house: %v", err)
		default:
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("after giving up: %v", err)
		}

		go func() { done <- p.VerifyNobody(t.Context(), "x") }()
		synctest.Wait()
		<-p.turns
		if err := <-done; err != nil {
			t.Errorf("after a turn came free: %v", err)
		}
		if _, err := p.Hash(ctx, "x"); !errors.Is(err, context.Canceled) {
			t.Errorf("Hash for somebody who has left: %v", err)
		}
	})
}

func TestCheckPassword(t *testing.T) {
	known := []string{"Ada.Lovelace@example.com", "ada-lovelace", "  ", ""}
	for _, c := range []struct {
		name, password string
		ok             bool
	}{
		{"ten characters", "abcdefghij", true},
		{"ten characters that are more bytes", "äöüßéèêçñå", true},
		{"nine characters", "abcdefghi", false},
		{"nine characters that are more bytes", "äöüßéèêçñ", false},
		{"nine when put together", "abcdefghe\u0301", false},
		{"256 characters", strings.Repeat("abcd", 64), true},
		{"257 characters", strings.Repeat("abcd", 64) + "e", false},
		{"the e-mail address", "ada.lovelace@EXAMPLE.com", false},
		{"the part before the @", "ada.lovelace", false},
		{"the username", "ADA-LOVELACE", false},
		{"the username with spaces around", " ada-lovelace ", false},
		{"holding the username", "ada-lovelace!", true},
		{"one character", "aaaaaaaaaaaa", false},
		{"two characters", "abababababab", false},
		{"three characters", "abcabcabcabc", true},
		{"not UTF-8", "abcdefghij\xff", false},
		{"a zero byte", "abcdefghij\x00", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := CheckPassword(c.password, known...)
			if c.ok {
				if err != nil {
					t.Errorf("CheckPassword(%q) = %v", c.password, err)
				}
				return
			}
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Code != fault.CodeInvalid || f.Field != "password" || !strings.HasSuffix(f.Message, ".") {
				t.Errorf("CheckPassword(%q) = %#v, want a sentence about the field", c.password, err)
			}
		})
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	f.Add("$argon2id$v=19$m=4294967295,t=1,p=255$$")
	f.Add("$$$$$")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parsePHC(text)
		if err != nil {
			return
		}
		if h.String() != text {
			t.Errorf("parsePHC(%q).String() = %q", text, h.String())
		}
		if h.Memory > maxMemory || h.Time < 1 || h.Time > maxTime || h.Threads < 1 || h.Threads > maxThreads {
			t.Errorf("parsePHC(%q) lets costs %+v through", text, h.Params)
		}
		if n := base64.RawStdEncoding.EncodedLen(len(h.tag)); n < 20 {
			t.Errorf("parsePHC(%q) lets a tag of %d characters through", text, n)
		}
	})
}
