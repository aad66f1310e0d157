package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Params are the costs of one argon2id hash.
type Params struct {
	Memory  uint32 // KiB
	Time    uint32 // passes
	Threads uint8  // lanes
}

// DefaultParams are 19 MiB, two passes, one lane: the minimum that OWASP's
// Password Storage Cheat Sheet names for argon2id. About 20 ms on a small server.
var DefaultParams = Params{Memory: 19456, Time: 2, Threads: 1}

// Limits for a stored hash. A row that somebody tampered with must not make the
// server allocate gigabytes or compute for minutes.
const (
	maxMemory  = 256 << 10 // KiB
	maxTime    = 16
	maxThreads = 16
	saltSize   = 16 // RFC 9106 §3.1
	tagSize    = 32
)

// Passwords hashes and checks passwords. At most as many run at once as there
// are processors, so that a storm of sign-ins waits instead of filling memory.
type Passwords struct {
	params Params
	turns  chan struct{}
}

// NewPasswords returns Passwords that hash with params; use DefaultParams
// outside of tests.
func NewPasswords(params Params) *Passwords {
	return &Passwords{params: params, turns: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// Hash returns password as a PHC string with a fresh salt. The only error is
// ctx ending while it waits for its turn.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	h := phc{Params: p.params, salt: salt, tag: make([]byte, tagSize)}
	tag, err := p.key(ctx, password, h)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	h.tag = tag
	return h.String(), nil
}

// Verify reports whether password is the one in text, and whether text was made
// with other costs than today's and should be replaced. It fails on a text that
// is no argon2id PHC string, and when ctx ends before its turn.
func (p *Passwords) Verify(ctx context.Context, text, password string) (ok, stale bool, err error) {
	h, err := parsePHC(text)
	if err != nil {
		return false, false, fmt.Errorf("read stored password: %w", err)
	}
	tag, err := p.key(ctx, password, h)
	if err != nil {
		return false, false, fmt.Errorf("verify password: %w", err)
	}
	ok = subtle.ConstantTimeCompare(tag, h.tag) == 1
	return ok, ok && (h.Params != p.params || len(h.salt) < saltSize || len(h.tag) != tagSize), nil
}

// VerifyNobody takes as long as Verify and finds nothing: for accounts that do
// not exist, so that the time of an answer does not tell.
func (p *Passwords) VerifyNobody(ctx context.Context, password string) error {
	_, err := p.key(ctx, password, phc{Params: p.params, salt: make([]byte, saltSize), tag: make([]byte, tagSize)})
	return err
}

func (p *Passwords) key(ctx context.Context, password string, h phc) ([]byte, error) {
	if err := ctx.Err(); err != nil { // select picks at random when both are ready
		return nil, err
	}
	select {
	case p.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.turns }()
	return argon2.IDKey(normal(password), h.salt, h.Time, h.Memory, h.Threads, uint32(len(h.tag))), nil //nolint:gosec // at most 64
}

// normal makes é typed on one keyboard the é of another (RFC 8265 §4.2).
func normal(password string) []byte { return norm.NFC.Bytes([]byte(password)) }

func isContextError(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// phc is an argon2id hash with everything needed to check it.
type phc struct {
	Params
	salt, tag []byte
}

var phc64 = base64.RawStdEncoding.Strict()

// String is the PHC string format: $argon2id$v=19$m=…,t=…,p=…$salt$tag.
func (h phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.Memory, h.Time, h.Threads,
		phc64.EncodeToString(h.salt), phc64.EncodeToString(h.tag))
}

var errPHC = errors.New("not an argon2id hash in PHC form")

func parsePHC(text string) (phc, error) {
	parts := strings.Split(text, "$")
	if len(text) > 512 || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return phc{}, errPHC // the text is not quoted: it may be a password in the wrong column
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return phc{}, errPHC
	}
	memory, err1 := cost(costs[0], "m=", maxMemory)
	passes, err2 := cost(costs[1], "t=", maxTime)
	lanes, err3 := cost(costs[2], "p=", maxThreads)
	salt, err4 := blob(parts[4], 8, 64)
	tag, err5 := blob(parts[5], 16, 64)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return phc{}, fmt.Errorf("%w: %w", errPHC, err)
	}
	return phc{
		Params: Params{Memory: memory, Time: passes, Threads: uint8(lanes)}, //nolint:gosec // at most maxThreads
		salt:   salt, tag: tag,
	}, nil
}

func cost(text, prefix string, limit uint32) (uint32, error) {
	digits, ok := strings.CutPrefix(text, prefix)
	n, err := strconv.ParseUint(digits, 10, 32)
	// One spelling for each number, so that a hash is text that can be compared.
	if !ok || err != nil || n == 0 || uint32(n) > limit || strconv.FormatUint(n, 10) != digits {
		return 0, fmt.Errorf("cost %q is not between 1 and %d", prefix, limit)
	}
	return uint32(n), nil
}

func blob(text string, least, most int) ([]byte, error) {
	raw, err := phc64.DecodeString(text)
	if err != nil || len(raw) < least || len(raw) > most || strings.ContainsAny(text, "\r\n") {
		return nil, fmt.Errorf("salt or tag is not %d to %d bytes of base64", least, most)
	}
	return raw, nil
}

// Lengths of a password in characters. The rules follow NIST SP 800-63B §3.1.1:
// length counts, required kinds of characters do not help.
const (
	MinPassword = 10
	MaxPassword = 256
)

// CheckPassword reports what is wrong with choosing password, as a fault with
// the field "password", or nil. identities are what everybody knows about the
// account: its e-mail address, username and name.
func CheckPassword(password string, identities ...string) error {
	if !utf8.ValidString(password) || strings.ContainsRune(password, 0) {
		return fault.Invalid("password", phrase.T("auth.password.encoding"))
	}
	password = string(normal(password))
	switch n := utf8.RuneCountInString(password); {
	case n < MinPassword:
		return fault.Invalid("password", phrase.T("auth.password.short", MinPassword))
	case n > MaxPassword:
		return fault.Invalid("password", phrase.T("auth.password.long", MaxPassword))
	}
	for _, known := range identities {
		known = strings.TrimSpace(known)
		local, _, _ := strings.Cut(known, "@")
		for _, word := range []string{known, local} {
			if word != "" && strings.EqualFold(strings.TrimSpace(password), string(normal(word))) {
				return fault.Invalid("password", phrase.T("auth.password.identity"))
			}
		}
	}
	if distinct(password) < 3 {
		return fault.Invalid("password", phrase.T("auth.password.repeated"))
	}
	return nil
}

func distinct(text string) int {
	seen := map[rune]bool{}
	for _, r := range text {
		seen[r] = true
	}
	return len(seen)
}
