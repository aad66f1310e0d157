package webpushtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"
)

// Decrypt opens an aes128gcm body for the browser with key and auth. It takes
// HKDF apart into HMACs as RFC 8291 §3.4 does.
func Decrypt(body []byte, key *ecdh.PrivateKey, auth []byte) ([]byte, error) {
	if len(body) < 21 || len(body) < 21+int(body[20]) {
		return nil, errors.New("the header is cut off")
	}
	salt, size := body[:16], binary.BigEndian.Uint32(body[16:20])
	sender, sealed := body[21:21+int(body[20])], body[21+int(body[20]):]
	if len(sender) != 65 || sender[0] != 4 {
		return nil, errors.New("the key id is not an uncompressed P-256 point")
	}
	if size < 18 || len(sealed) > int(size) {
		return nil, fmt.Errorf("one record of %d bytes expected, got %d", size, len(sealed))
	}
	point, err := ecdh.P256().NewPublicKey(sender)
	if err != nil {
		return nil, fmt.Errorf("key id: %w", err)
	}
	secret, err := key.ECDH(point)
	if err != nil {
		return nil, fmt.Errorf("ECDH: %w", err)
	}
	prkKey := mac(auth, secret)
	ikm := mac(prkKey, []byte("WebPush: info\x00"), key.PublicKey().Bytes(), sender, []byte{1})
	prk := mac(salt, ikm)
	cek := mac(prk, []byte("Content-Encoding: aes128gcm\x00"), []byte{1})[:16]
	nonce := mac(prk, []byte("Content-Encoding: nonce\x00"), []byte{1})[:12]
	block, err := aes.NewCipher(cek)
	if err != nil {
		return nil, fmt.Errorf("cipher: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("cipher: %w", err)
	}
	plain, err := gcm.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	for i := len(plain) - 1; i >= 0; i-- { // padding is zeros behind a 2
		switch plain[i] {
		case 0:
		case 2:
			return plain[:i], nil
		default:
			return nil, fmt.Errorf("the record ends with the delimiter %d, not 2", plain[i])
		}
	}
	return nil, errors.New("the record has no delimiter")
}

func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, part := range parts {
		_, _ = h.Write(part)
	}
	return h.Sum(nil)
}

// verify checks a VAPID Authorization for a message to audience.
func verify(header, audience, serverKey string, now time.Time) (jwt, subject string, err error) {
	rest, ok := strings.CutPrefix(header, "vapid ")
	if !ok {
		return "", "", errors.New("the scheme is not vapid")
	}
	params := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		params[name] = value
	}
	jwt = params["t"]
	if params["k"] != serverKey {
		return "", "", errors.New("the subscription is bound to another key")
	}
	if err := checkSignature(jwt, params["k"]); err != nil {
		return "", "", err
	}
	var claims struct {
		Aud string
		Exp int64
		Sub string
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(jwt, ".")[1])
	if err != nil {
		return "", "", fmt.Errorf("claims: %w", err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return "", "", fmt.Errorf("claims: %w", err)
	}
	expires := time.Unix(claims.Exp, 0)
	switch {
	case claims.Aud != audience:
		return "", "", fmt.Errorf("aud %q, want %q", claims.Aud, audience)
	case !expires.After(now):
		return "", "", errors.New("exp has passed")
	case expires.After(now.Add(24 * time.Hour)):
		return "", "", errors.New("exp is more than 24 hours ahead")
	case !strings.HasPrefix(claims.Sub, "mailto:") && !strings.HasPrefix(claims.Sub, "https:"):
		return "", "", fmt.Errorf("sub %q", claims.Sub)
	}
	return jwt, claims.Sub, nil
}

func checkSignature(jwt, key string) error {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return errors.New("the token does not have three parts")
	}
	var header struct{ Alg string }
	raw, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return fmt.Errorf("token header: %w", err)
	}
	if err := json.Unmarshal(raw, &header); err != nil || header.Alg != "ES256" {
		return fmt.Errorf("token header %s", raw)
	}
	point, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return errors.New("the signature does not have 64 bytes")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return errors.New("the signature is wrong")
	}
	return nil
}
