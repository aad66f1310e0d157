package chatopsrpc

import (
	"cmp"
	"context"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/phrase"
)

// PublishPath is where our own listing is: "/_chatops", its methods below it.
const PublishPath = "/_chatops"

// maxBody is the longest call that is read.
const maxBody = 64 << 10

// Codes of failures, with the status that goes with each.
const (
	codeParse      = -32700
	codeNoMethod   = -32601
	codeParams     = -32602
	codeSignature  = -32800
	codeNonce      = -32801
	codeHeader     = -32802
	codeOld        = -32803
	codeNoTime     = -32804
	codeTroubleOut = -32000 // ours; the text leaves these to the server
)

// Publishing is what Publisher needs.
type Publishing struct {
	// BaseURLs are the addresses under which clients know this server, without
	// the path: what they sign. A server behind a proxy cannot see them itself.
	BaseURLs []string
	// Keys are the public keys that are accepted, by key id; two while one is
	// replaced. The id says only which is tried first.
	Keys      func(ctx context.Context) (map[string]*rsa.PublicKey, error)
	Namespace string
	Help      string
	// Commands are those that are offered.
	Commands func(ctx context.Context) ([]command.Declaration, error)
	// User is the explicit table from the client's logins to people. Nobody is
	// found by having the same name.
	User func(ctx context.Context, keyID, login string) (id.User, bool, error)
	// Call carries out a line on behalf of a person, as if they had typed it, and
	// returns what to answer. A fault's message is shown.
	Call func(ctx context.Context, c Call) (text string, err error)
	Log  *slog.Logger
	Now  func() time.Time // nil: time.Now
}

// Call is one line from a client.
type Call struct {
	KeyID   string // of the client that signed
	User    id.User
	Login   string // as the client knows them
	Room    string // as the client wrote it, "#ops"
	Message string // "" when it did not say
	Command command.Declaration
	Line    string // without sigil
}

// Publisher offers our commands to clients. Nonces are remembered in memory, so
// that within the ten minutes that a signature is good, a call can be replayed
// against another node, or after a restart; a load balancer that keeps a client
// on one node closes the first.
type Publisher struct {
	Publishing
	nonces nonces
}

// NewPublisher makes the handler for GET PublishPath and POST PublishPath/METHOD.
func NewPublisher(p Publishing) *Publisher {
	if p.Now == nil {
		p.Now = time.Now
	}
	p.Namespace = cmp.Or(p.Namespace, "watchroom")
	for i, u := range p.BaseURLs {
		p.BaseURLs[i] = strings.TrimRight(u, "/")
	}
	return &Publisher{Publishing: p, nonces: nonces{used: map[string]time.Time{}}}
}

// failure is what the protocol answers when it does not work.
type failure struct {
	status, code int
	message      string
}

// ServeHTTP answers the listing and calls.
func (p *Publisher) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		write(w, nil, "", &failure{http.StatusRequestEntityTooLarge, codeParse, phrase.T("chatopsrpc.publish.not_json")})
		return
	}
	keyID, bad := p.check(r, body)
	method, posted := strings.CutPrefix(r.URL.Path, PublishPath+"/")
	switch {
	case bad != nil:
		write(w, nil, "", bad)
	case r.Method == http.MethodGet && r.URL.Path == PublishPath:
		p.list(w, r)
	case r.Method == http.MethodPost && posted:
		requestID, text, bad := p.call(r, keyID, method, body)
		write(w, requestID, text, bad)
	default:
		write(w, nil, "", &failure{http.StatusNotFound, codeNoMethod, phrase.T("chatopsrpc.publish.no_method")})
	}
}

// write answers a call.
func write(w http.ResponseWriter, requestID json.RawMessage, text string, bad *failure) {
	out := map[string]any{"jsonrpc": "2.0", "id": requestID}
	status := http.StatusOK
	if bad != nil {
		status = bad.status
		out["error"] = map[string]any{"code": bad.code, "message": bad.message}
	} else {
		out["result"] = text
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out) // nobody is left to be told
}

// check is the authentication: timestamp, signature header, nonce, signature, in
// that order, and then whether the nonce is new.
func (p *Publisher) check(r *http.Request, body []byte) (keyID string, bad *failure) {
	now := p.Now()
	stamp := r.Header.Get(timestampHeader)
	at, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return "", &failure{http.StatusForbidden, codeNoTime, phrase.T("chatopsrpc.publish.timestamp")}
	}
	if d := now.Sub(at); d > skew || d < -skew {
		return "", &failure{http.StatusForbidden, codeOld, phrase.T("chatopsrpc.publish.old")}
	}
	keyID, signature, ok := parseSignature(r.Header.Get(signatureHeader))
	if !ok {
		return "", &failure{http.StatusForbidden, codeHeader, phrase.T("chatopsrpc.publish.header")}
	}
	nonce := r.Header.Get(nonceHeader)
	if nonce == "" || len(nonce) > 200 {
		return "", &failure{http.StatusForbidden, codeNonce, phrase.T("chatopsrpc.publish.nonce")}
	}
	keys, err := p.Keys(r.Context())
	if err != nil {
		p.Log.ErrorContext(r.Context(), "read keys of ChatOps RPC clients", "err", err)
		return "", &failure{http.StatusInternalServerError, codeTroubleOut, phrase.T("chatopsrpc.publish.failed")}
	}
	if keyID, ok = p.signer(r, keys, keyID, signature, nonce, stamp, body); !ok {
		return "", &failure{http.StatusForbidden, codeSignature, phrase.T("chatopsrpc.publish.signature")}
	}
	switch p.nonces.take(keyID+" "+nonce, now) {
	case used:
		return "", &failure{http.StatusForbidden, codeNonce, phrase.T("chatopsrpc.publish.replay")}
	case full:
		return "", &failure{http.StatusServiceUnavailable, codeNonce, phrase.T("chatopsrpc.publish.full")}
	}
	return keyID, nil
}

// signer finds the key that signed: the named one first, then the others.
func (p *Publisher) signer(r *http.Request, keys map[string]*rsa.PublicKey, named string, signature []byte, nonce, stamp string, body []byte) (string, bool) {
	names := slices.Sorted(maps.Keys(keys))
	slices.SortStableFunc(names, func(a, b string) int { return btoi(b == named) - btoi(a == named) })
	for _, name := range names {
		for _, base := range p.BaseURLs {
			if verify(keys[name], signature, signedText(base+r.URL.EscapedPath(), nonce, stamp, body)) {
				return name, true
			}
		}
	}
	return "", false
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// list answers what there is.
func (p *Publisher) list(w http.ResponseWriter, r *http.Request) {
	commands, err := p.Commands(r.Context())
	if err != nil {
		p.Log.ErrorContext(r.Context(), "list commands for ChatOps RPC", "err", err)
		write(w, nil, "", &failure{http.StatusInternalServerError, codeTroubleOut, phrase.T("chatopsrpc.publish.failed")})
		return
	}
	methods := map[string]any{}
	for _, d := range commands {
		name := methodName(d)
		one := map[string]any{"regex": expression(d), "params": []string{}, "path": name, "help": command.Usage(d) + " - " + d.Summary}
		if len(d.Args) > 0 {
			one["params"] = []string{"args"}
		}
		methods[name] = one
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(map[string]any{ // nobody is left to be told
		"namespace": p.Namespace, "version": "3", "help": p.Help, "error_response": phrase.T("chatopsrpc.publish.failed"), "methods": methods,
	})
}

// methodName is a command's id as a slug.
func methodName(d command.Declaration) string { return strings.ReplaceAll(d.ID, ".", "-") }

// expression matches a command's words and takes what follows as one parameter:
// our own grammar reads it, not the client.
func expression(d command.Declaration) string {
	words := make([]string, 0, len(d.Words))
	for _, w := range d.Words {
		words = append(words, regexp.QuoteMeta(w))
	}
	source := strings.Join(words, `\s+`)
	if len(d.Args) > 0 {
		source += `(?:\s+(?<args>.+))?`
	}
	return source
}

// posted is the body of a call. Parameters are decoded by themselves, so that a
// number among them can be told from text.
type posted struct {
	User      string                     `json:"user"`
	Params    map[string]json.RawMessage `json:"params"`
	RoomID    string                     `json:"room_id"`
	MessageID string                     `json:"message_id"`
	ID        json.RawMessage            `json:"id"`
}

func (p *Publisher) call(r *http.Request, keyID, method string, body []byte) (requestID json.RawMessage, text string, bad *failure) {
	var c posted
	if json.Unmarshal(body, &c) != nil {
		return nil, "", &failure{http.StatusInternalServerError, codeParse, phrase.T("chatopsrpc.publish.not_json")}
	}
	if c.User == "" {
		return c.ID, "", &failure{http.StatusBadRequest, codeParams, phrase.T("chatopsrpc.publish.no_user")}
	}
	text, bad, err := p.run(r.Context(), keyID, method, c)
	switch {
	case err == nil:
	case fault.MessageOf(err) != "":
		bad = &failure{http.StatusBadRequest, codeParams, fault.MessageOf(err)}
	default:
		p.Log.ErrorContext(r.Context(), "run a command for a ChatOps RPC client", "key", keyID, "method", method, "err", err)
		bad = &failure{http.StatusInternalServerError, codeTroubleOut, phrase.T("chatopsrpc.publish.failed")}
	}
	return c.ID, text, bad
}

func (p *Publisher) run(ctx context.Context, keyID, method string, c posted) (text string, bad *failure, err error) {
	user, linked, err := p.User(ctx, keyID, c.User)
	if err != nil {
		return "", nil, fmt.Errorf("find the person: %w", err)
	}
	if !linked {
		return "", nil, fault.Forbidden(phrase.T("chatopsrpc.publish.unknown_user", limit(c.User, 80)))
	}
	commands, err := p.Commands(ctx)
	if err != nil {
		return "", nil, fmt.Errorf("list commands: %w", err)
	}
	i := slices.IndexFunc(commands, func(d command.Declaration) bool { return methodName(d) == method })
	if i < 0 {
		return "", &failure{http.StatusNotFound, codeNoMethod, phrase.T("chatopsrpc.publish.no_method")}, nil
	}
	line, err := lineOf(commands[i], c.Params)
	if err != nil {
		return "", nil, err
	}
	text, err = p.Call(ctx, Call{
		KeyID: keyID, User: user, Login: c.User, Room: limit(c.RoomID, 200), Message: limit(c.MessageID, 200), Command: commands[i], Line: line,
	})
	return text, nil, err
}

var optionName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,39}$`)

// lineOf puts together what the person typed: the client has cut the long
// options off and made parameters of them.
func lineOf(d command.Declaration, params map[string]json.RawMessage) (string, error) {
	parts, args := []string{d.Name()}, ""
	for _, name := range slices.Sorted(maps.Keys(params)) {
		var value string
		if json.Unmarshal(params[name], &value) != nil {
			return "", fault.Invalid(limit(name, 40), phrase.T("chatopsrpc.publish.params"))
		}
		if name == "args" && len(d.Args) > 0 {
			args = value
			continue
		}
		if !optionName.MatchString(name) {
			return "", fault.Invalid(limit(name, 40), phrase.T("chatopsrpc.publish.params"))
		}
		if a, ok := d.Arg(name); value == "true" && (!ok || a.Type == command.Bool) {
			parts = append(parts, "--"+name)
		} else {
			parts = append(parts, "--"+name+"="+quoted(value))
		}
	}
	if args != "" {
		parts = append(parts, args)
	}
	return strings.Join(parts, " "), nil
}

// quoted is a value as our grammar reads it.
func quoted(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(value) + `"`
}
