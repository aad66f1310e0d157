package chatopsrpc

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"testing"
	"time"
)

// The published vectors.
const vectorKey = `-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEArtTxWw85TevPjhOILdbb
7gEq9A/mH4TJVwfZvYptJk0bvWrwgrFl4OxbTcmU5yzaZMmnrW6Aj+USg4TS5y52
p6QOHoQ630T7O5C/SLpMLUsDa0by50CxSuJQLEed6fgQu6rOv1rC8aYdVs9dbcTp
OTXQuQn7mFjdC6tcK0kz2xYzDbcHusteyyuQw/K9Lhpslg83i0Ilgw4aFI5nw38B
AMcjPdw+7DTDTPs1l/g2nrWpDtH7wocBTdsZsMvWu0jn+hM1ip9Nahh+gxCERM1a
1jehsJNM5Mm1qEa94jKVr5HiTM5r5dt5vu5fFc/jEw4c4lFoxaatkFr9r+H7OmVd
tQIDAQAB
-----END PUBLIC KEY-----
`

func TestVectors(t *testing.T) {
	key, err := ParsePublicKey(vectorKey)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, url, nonce, stamp, body, sum, signature string }{
		{
			"listing", "https://ops.example.test/_chatops", "bm9uY2UtMDAx", "2026-01-02T03:04:05Z", "",
			"05330db07d1eadf7cadbf477f907059c6c7099919631df488323651d5cc77926",
			"lKMgj8trwP9VmLB0loq4hgSGUZERyqAMJj7UfwfzS8w2G9VcHdXNC9651lL8auLzZcZRp9bJRtdbef/+UHqYFzCfP7vRM1egjyDjiWNuFgmGatC5YxZUnKcpHTdlE91vpT4osArWfPIq1RMTERunMxtCrLoo1bXeYc2uAYzwlZrkP2qAzLu0zOaLHJXkKx336wsv3XUT6tIOm0MZawkRwcpq39IOEXk4U6Ok2T97G6QJkdu31wDV4iAoCu+41ABMzwk2gaJuYnr0QTAEi6CS6KNaS9D9sYUy6YCn0jg7g6i5WTDoQP2atS1lAjuleN60NwVybIucUpVa67al/sAVbg==",
		},
		{
			"call", "https://ops.example.test/_chatops/run", "bm9uY2UtMDAy", "2026-01-02T03:04:06Z",
			`{"user":"alice","method":"run","params":{"app":"shop","env":"staging"},"room_id":"#ops"}`,
			"c26e6dc45c7697c94955c64037e5c7249d4590767612d1cd38614b1922c69520",
			"iyC/ORnahOcwgondPrrx867jtifVcytWrPz2TsI7HGF2jgd0JA22wbn3T9r54qsILaeJQgA7308bIYbiZp6xJDLhvko7VqW+k9exkzOBYKYerLFOMy+cj8CoW4eIYQMsbihdC6qjeeRePwRerXMTB6imIhncWlCxhHzM44zbhF2sLn6KkGyHEDuvZzmynGioLClzPRx+SOmqXTx49qo6u0zT/dBqlMbLQB1IIo07w4SWy184+QnxNaObRCAe51wkhQbb0Y/cm22edApaHybFILrcvTgA7dfdSTBfHd54M2cHgPsj+t6IyPtB/cbf4RVOvkpJ6TTKtT9nTDJ+RkhOGg==",
		},
	} {
		text := signedText(c.url, c.nonce, c.stamp, []byte(c.body))
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != c.sum {
			t.Errorf("%s: the signed text is %q", c.name, text)
		}
		keyID, signature, ok := parseSignature("Signature keyid=hubotkey,signature=" + c.signature)
		if !ok || keyID != "hubotkey" || !verify(key, signature, text) {
			t.Errorf("%s does not verify", c.name)
		}
		if verify(key, signature, append(text, ' ')) {
			t.Errorf("%s verifies with a space more", c.name)
		}
	}
}

func TestWhatIsSignedVerifies(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequest(http.MethodPost, "https://ops.example.test:8443/_chatops/run", http.NoBody)
	if err := sign(req, key, "me", []byte("{}"), time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)); err != nil {
		t.Fatal(err)
	}
	nonce, stamp := req.Header.Get(nonceHeader), req.Header.Get(timestampHeader)
	keyID, signature, ok := parseSignature(req.Header.Get(signatureHeader))
	if !ok || keyID != "me" || stamp != "2026-01-02T03:04:05.678Z" || !verify(&key.PublicKey, signature, signedText(req.URL.String(), nonce, stamp, []byte("{}"))) {
		t.Errorf("signed %v", req.Header)
	}
	if raw, err := base64.StdEncoding.DecodeString(nonce); err != nil || len(raw) != 32 {
		t.Errorf("nonce %q", nonce)
	}
}

func FuzzSignatureHeader(f *testing.F) {
	f.Add("Signature keyid=a,signature=QUJD")
	f.Add("Signature keyid=,signature=")
	f.Fuzz(func(t *testing.T, header string) {
		if keyID, signature, ok := parseSignature(header); ok && (keyID == "" || len(signature) == 0) {
			t.Errorf("parseSignature(%q) = %q, %q", header, keyID, signature)
		}
	})
}
