package chatopsrpc

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
)

// keys are made once; making one takes a while.
var keys = sync.OnceValue(func() (all [3]*rsa.PrivateKey) {
	for i := range all {
		all[i], _ = rsa.GenerateKey(rand.Reader, 2048)
	}
	return all
})

// published is a Publisher with one client key and what it was asked.
type published struct {
	*httptest.Server
	key   *rsa.PrivateKey
	now   time.Time
	calls []Call
	err   error
}

func publish(t *testing.T) *published {
	p := &published{key: keys()[0], now: time.Now()}
	second := keys()[1]
	var handler http.Handler
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(p.Close)
	commands := []command.Declaration{
		{ID: "incident.ack", Words: []string{"incident", "ack"}, Summary: "Acknowledges.", Risk: command.Changes, Args: []command.Arg{
			{Name: "incidents", Type: command.Incident, Many: true}, {Name: "quiet", Type: command.Bool, Option: true},
		}},
		{ID: "whoami", Words: []string{"whoami"}, Summary: "Says who you are.", Risk: command.Reads},
	}
	handler = NewPublisher(Publishing{
		BaseURLs: []string{"https://wrong.example.test", p.URL + "/"},
		Keys: func(context.Context) (map[string]*rsa.PublicKey, error) {
			return map[string]*rsa.PublicKey{"old": &second.PublicKey, "hubot": &p.key.PublicKey}, nil
		},
		Namespace: "watch", Help: "Our commands.", Commands: func(context.Context) ([]command.Declaration, error) { return commands, nil },
		User: func(_ context.Context, keyID, login string) (id.User, bool, error) {
			return "u-kim", keyID == "hubot" && login == "kim-hub", nil
		},
		Call: func(_ context.Context, c Call) (string, error) {
			p.calls = append(p.calls, c)
			return "did " + c.Line, p.err
		},
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return p.now },
	})
	return p
}

// send signs and sends; change may spoil the request afterwards.
func (p *published) send(t *testing.T, method, path, body string, change func(*http.Request)) (status, code int, text string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := sign(req, p.key, "hubotkey", []byte(body), p.now); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(req)
	}
	resp, err := p.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct {
		Result string `json:"result"`
		ID     any    `json:"id"`
		Error  struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, out.Error.Code, out.Result + out.Error.Message
}

// TestOurClientUsesOurServer lists and calls from one end to the other.
func TestOurClientUsesOurServer(t *testing.T) {
	p := publish(t)
	s, err := New(Config{URL: p.URL + PublishPath, Prefix: "wr"}, p.key, p.Client(), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if state := s.State(); state.Listing.Namespace != "watch" || len(state.Methods) != 2 || len(state.Rejected) != 0 {
		t.Fatalf("state %+v", state)
	}
	m, ok := s.Match(`incident  ack 17 18 --quiet --reason it said "no" \ twice`)
	if !ok {
		t.Fatal("no match")
	}
	r := request("")
	r.Args = m.Args
	r.Username = "kim-hub"
	res, err := s.Find(m.Declaration.ID).Run(t.Context(), r, nil)
	want := `incident ack --quiet --reason="it said \"no\" \\ twice" 17 18`
	if err != nil || res.Text != "did "+want {
		t.Fatalf("%+v, %v", res, err)
	}
	if c := p.calls[0]; c.User != "u-kim" || c.Login != "kim-hub" || c.Room != "#ops" || c.KeyID != "hubot" || c.Line != want || c.Message != "881" {
		t.Errorf("called %+v", c)
	}
}

func TestPublisherIsStrict(t *testing.T) {
	const body = `{"user":"kim-hub","method":"whoami","params":{},"room_id":"#ops","id":7}`
	for _, c := range []struct {
		name, method, path, body string
		change                   func(*http.Request)
		status, code             int
	}{
		{"well", "POST", "/_chatops/whoami", body, nil, 200, 0},
		{"no timestamp", "POST", "/_chatops/whoami", body, func(r *http.Request) { r.Header.Del(timestampHeader) }, 403, codeNoTime},
		{"not a time", "POST", "/_chatops/whoami", body, func(r *http.Request) { r.Header.Set(timestampHeader, "now") }, 403, codeNoTime},
		{"too old", "POST", "/_chatops/whoami", body, func(r *http.Request) {
			r.Header.Set(timestampHeader, time.Now().Add(-6*time.Minute).UTC().Format(timeLayout))
		}, 403, codeOld},
		{"too new", "POST", "/_chatops/whoami", body, func(r *http.Request) {
			r.Header.Set(timestampHeader, time.Now().Add(6*time.Minute).UTC().Format(timeLayout))
		}, 403, codeOld},
		{"no signature", "POST", "/_chatops/whoami", body, func(r *http.Request) { r.Header.Del(signatureHeader) }, 403, codeHeader},
		{"half a signature", "POST", "/_chatops/whoami", body, func(r *http.Request) { r.Header.Set(signatureHeader, "Signature keyid=a") }, 403, codeHeader},
		{"no nonce", "POST", "/_chatops/whoami", body, func(r *http.Request) { r.Header.Del(nonceHeader) }, 403, codeNonce},
		{"another nonce", "POST", "/_chatops/whoami", body, func(r *http.Request) { r.Header.Set(nonceHeader, "x") }, 403, codeSignature},
		{"signed for another method", "POST", "/_chatops/whoami", body, func(r *http.Request) { r.URL.Path = "/_chatops/incident-ack" }, 403, codeSignature},
		{"the listing unsigned", "GET", "/_chatops", "", func(r *http.Request) { r.Header.Del(signatureHeader) }, 403, codeHeader},
		{"no such method", "POST", "/_chatops/none", body, nil, 404, codeNoMethod},
		{"the listing posted to", "POST", "/_chatops", body, nil, 404, codeNoMethod},
		{"a method read", "GET", "/_chatops/whoami", "", nil, 404, codeNoMethod},
		{"not JSON", "POST", "/_chatops/whoami", "user=kim", nil, 500, codeParse},
		{"no user", "POST", "/_chatops/whoami", `{"params":{}}`, nil, 400, codeParams},
		{"somebody of the same name", "POST", "/_chatops/whoami", `{"user":"kim","params":{}}`, nil, 400, codeParams},
		{"a number among the parameters", "POST", "/_chatops/incident-ack", `{"user":"kim-hub","params":{"args":7}}`, nil, 400, codeParams},
		{"a parameter that is more than a name", "POST", "/_chatops/whoami", `{"user":"kim-hub","params":{"x | incident ack":"y"}}`, nil, 400, codeParams},
		{"too long", "POST", "/_chatops/whoami", strings.Repeat("x", maxBody+1), nil, 413, codeParse},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := publish(t)
			status, code, text := p.send(t, c.method, c.path, c.body, c.change)
			if status != c.status || code != c.code {
				t.Errorf("answered %d, %d: %s; want %d, %d", status, code, text, c.status, c.code)
			}
			if called := len(p.calls) == 1; called != (c.code == 0) {
				t.Errorf("called %v", p.calls)
			}
		})
	}
}

func TestAReplayIsRefused(t *testing.T) {
	p := publish(t)
	const body = `{"user":"kim-hub","params":{}}`
	var first http.Header
	p.send(t, "POST", "/_chatops/whoami", body, func(r *http.Request) { first = r.Header.Clone() })
	again := func(r *http.Request) { r.Header = first.Clone() }
	for _, later := range []time.Duration{0, 4 * time.Minute} {
		p.now = p.now.Add(later)
		if status, code, _ := p.send(t, "POST", "/_chatops/whoami", body, again); status != 403 || code != codeNonce {
			t.Errorf("%s later it was answered %d, %d", later, status, code)
		}
	}
	if len(p.calls) != 1 {
		t.Errorf("called %d times", len(p.calls))
	}
}

func TestWhatACallSays(t *testing.T) {
	const body = `{"user":"kim-hub","params":{}}`
	p := publish(t)
	p.err = fault.Conflict("Ada was first.")
	if status, code, text := p.send(t, "POST", "/_chatops/whoami", body, nil); status != 400 || code != codeParams || !strings.Contains(text, "Ada was first.") {
		t.Errorf("a refusal: %d, %d, %q", status, code, text)
	}
	p.err = errors.New("password is hunter2")
	if status, code, text := p.send(t, "POST", "/_chatops/whoami", body, nil); status != 500 || code != codeTroubleOut || strings.Contains(text, "hunter2") {
		t.Errorf("trouble: %d, %d, %q", status, code, text)
	}
}

func TestNonces(t *testing.T) {
	n, now := nonces{used: map[string]time.Time{}}, time.Now()
	if n.take("a", now) != fresh || n.take("a", now.Add(10*time.Minute)) != used || n.take("a", now.Add(11*time.Minute)) != fresh {
		t.Error("a nonce is remembered for ten minutes")
	}
	for i := range maxNonces {
		n.used[string(rune(i+0x10000))+"x"] = now.Add(time.Hour)
	}
	if n.take("b", now) != full || n.take("b", now.Add(2*time.Hour)) != fresh {
		t.Error("the memory is bounded, and frees itself")
	}
}

func TestKeys(t *testing.T) {
	key := keys()[0]
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(key)
	for kind, raw := range map[string][]byte{"RSA PRIVATE KEY": x509.MarshalPKCS1PrivateKey(key), "PRIVATE KEY": pkcs8} {
		if got, err := ParseKey(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}))); err != nil || !got.Equal(key) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for want, text := range map[string]string{
		"not PEM": "key", "not a private key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})),
		"1024 bits": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(small)})),
	} {
		if _, err := ParseKey(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseKey = %v, want %q", err, want)
		}
	}
	public, _ := x509.MarshalPKIXPublicKey(&small.PublicKey)
	if _, err := ParsePublicKey(string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))); err == nil {
		t.Error("a short public key was accepted")
	}
}
