package chatopsrpc

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The headers of every request.
const (
	nonceHeader     = "Chatops-Nonce"
	timestampHeader = "Chatops-Timestamp"
	signatureHeader = "Chatops-Signature"
)

// timeLayout is UTC with milliseconds, as the Hubot client writes it.
const timeLayout = "2006-01-02T15:04:05.000Z"

// signedText is what a signature is over. The newline before the body is there
// without a body, too.
func signedText(url, nonce, timestamp string, body []byte) []byte {
	return append([]byte(url+"\n"+nonce+"\n"+timestamp+"\n"), body...)
}

// sign puts the three headers on a request that carries body.
func sign(req *http.Request, key *rsa.PrivateKey, keyID string, body []byte, now time.Time) error {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails since Go 1.24
	nonce, timestamp := base64.StdEncoding.EncodeToString(random), now.UTC().Format(timeLayout)
	digest := sha256.Sum256(signedText(req.URL.String(), nonce, timestamp, body))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	req.Header.Set(nonceHeader, nonce)
	req.Header.Set(timestampHeader, timestamp)
	req.Header.Set(signatureHeader, "Signature keyid="+keyID+",signature="+base64.StdEncoding.EncodeToString(signature))
	return nil
}

// parseSignature reads "Signature keyid=…,signature=…". A value may hold "=".
func parseSignature(header string) (keyID string, signature []byte, ok bool) {
	rest, ok := strings.CutPrefix(header, "Signature ")
	if !ok {
		return "", nil, false
	}
	for pair := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		switch name {
		case "keyid":
			keyID = value
		case "signature":
			var err error
			if signature, err = base64.StdEncoding.DecodeString(value); err != nil {
				return "", nil, false
			}
		}
	}
	return keyID, signature, keyID != "" && len(signature) > 0
}

// verify reports whether signature is that of key over the text.
func verify(key *rsa.PublicKey, signature, text []byte) bool {
	digest := sha256.Sum256(text)
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
}
