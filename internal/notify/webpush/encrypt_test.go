package webpush

import (
	"bytes"
	"crypto/ecdh"
	"testing"

	"github.com/watchroom/watchroom/internal/notify/webpush/webpushtest"
)

// TestRFC8291Example is appendix A of the RFC, in both directions.
func TestRFC8291Example(t *testing.T) {
	raw := func(text string) []byte {
		t.Helper()
		b, err := decode64(text)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key := func(text string) *ecdh.PrivateKey {
		t.Helper()
		k, err := ecdh.P256().NewPrivateKey(raw(text))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	plain := []byte("When I grow up, I want to be a watermelon")
	server, browser := key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), key("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
	auth, salt := raw("BTBZMqHH6r4Tts7J_aSIgg"), raw("DGv6ra1nlYgDCS1FRnbzlw")
	want := raw("DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN")
	got, err := seal(plain, browser.PublicKey(), auth, server, salt)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("seal = %x, %v\nwant   %x", got, err, want)
	}
	opened, err := webpushtest.Decrypt(want, browser, auth)
	if err != nil || !bytes.Equal(opened, plain) {
		t.Errorf("Decrypt = %q, %v, want %q", opened, err, plain)
	}
}

func TestEveryMessageHasItsOwnKey(t *testing.T) {
	k, err := ecdh.P256().NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	auth := make([]byte, 16)
	first, err := encrypt([]byte("x"), k.PublicKey(), auth)
	if err != nil {
		t.Fatal(err)
	}
	second, err := encrypt([]byte("x"), k.PublicKey(), auth)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first[:16], second[:16]) || bytes.Equal(first[21:86], second[21:86]) {
		t.Error("two messages share a salt or a key: the nonce would be used twice")
	}
}
