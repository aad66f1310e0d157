// Package account is the use cases of getting in: signing in and out, second
// factors, the set-up link of a new server, invitations, forgotten passwords, and
// API tokens. It decides who somebody is and how long that holds; what they may
// do follows from their role and is decided in people.
//
// It promises that every secret it hands out (cookie, token, link) is stored
// as a hash only and works no longer than it says; that links work once; that
// an answer never tells whether an address has an account; and that whatever
// changes the organisation stands in the timeline, because it goes through
// dispatch. Hashing passwords and the brake on guessing are left to auth,
// sending mail to the outbox, cookies and forms to the edges.
package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
)

// How long things are good for.
const (
	SessionLife = 30 * 24 * time.Hour // since it was last used
	SetupLife   = 3 * 24 * time.Hour
	InviteLife  = 7 * 24 * time.Hour
	ResetLife   = time.Hour

	// touchEvery bounds how often using a session or token writes a row.
	touchEvery = time.Minute
	// maxSessions and maxTokens bound what one person can leave behind.
	maxSessions = 50
	maxTokens   = 100
)

// Client is the browser or program at the other end.
type Client struct {
	Address string // IP address, with or without a port
	Agent   string // User-Agent
}

// Grant is a new session, or the half of one.
type Grant struct {
	Cookie  string // secret, for the browser alone
	Expires time.Time
	// Half says that the second factor is still to come: Cookie lets nobody in
	// but is for FinishSignIn.
	Half bool

	session id.Session
}

// Options say how the service meets the world; the zero value works without mail.
type Options struct {
	PublicURL      string           // what links begin with, "https://watch.example.org"
	MailConfigured bool             // links are mailed; else they are only returned
	Passwords      *auth.Passwords  // nil: auth.DefaultParams
	Clock          func() time.Time // nil: time.Now; for throttling and reading, writing has the store's
	Log            *slog.Logger     // nil: slog.Default()
}

// Service holds what the use cases need. It is safe for concurrent use.
type Service struct {
	store     *store.Store
	box       *secret.Box
	passwords *auth.Passwords
	signIn    *auth.Authenticator
	changing  auth.Shared    // old passwords, by person
	codes     *auth.Throttle // codes of second factors
	asking    auth.Shared    // reset mails, by address
	askingNet auth.Shared    // reset mails, by network
	url       string
	mail      bool
	noMail    sync.Once // said in the log
	now       func() time.Time
	log       *slog.Logger
}

// New returns a Service.
func New(s *store.Store, box *secret.Box, opts Options) *Service {
	a := &Service{
		store: s, box: box, passwords: opts.Passwords, now: opts.Clock, log: opts.Log,
		url: strings.TrimRight(opts.PublicURL, "/"), mail: opts.MailConfigured,
	}
	if a.passwords == nil {
		a.passwords = auth.NewPasswords(auth.DefaultParams)
	}
	if a.now == nil {
		a.now = time.Now
	}
	if a.log == nil {
		a.log = slog.Default()
	}
	var shared auth.Ledger // nil: there is no other node
	if !s.Alone() {
		shared = ledger{s}
	}
	a.changing = auth.NewShared("change", shared, 30*time.Second, 5)
	a.asking = auth.NewShared("ask address", shared, 5*time.Minute, 3)
	a.askingNet = auth.NewShared("ask network", shared, 10*time.Second, 30)
	a.codes = auth.NewCodeThrottle(shared)
	a.signIn = auth.NewAuthenticator(accounts{s}, a.passwords, auth.NewThrottle(shared), a.log)
	return a
}

// HasPassword reports whether a person can sign in with a password.
func (s *Service) HasPassword(ctx context.Context, u id.User) (bool, error) {
	_, err := s.store.Password(ctx, u)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up the password of %s: %w", u, err)
	}
	return true, nil
}

// address is the part of the client's address that counts; the zero value is
// one network like any other.
func (c Client) address() netip.Addr {
	if withPort, err := netip.ParseAddrPort(c.Address); err == nil {
		return withPort.Addr()
	}
	addr, _ := netip.ParseAddr(c.Address)
	return addr
}

// startSession buffers a new session of a person.
func (s *Service) startSession(tx *store.Tx, u id.User, from Client) (Grant, error) {
	have, err := tx.Sessions(u)
	if err != nil {
		return Grant{}, fmt.Errorf("start session of %s: %w", u, err)
	}
	for len(have) >= maxSessions {
		tx.RemoveSession(have[len(have)-1].ID)
		have = have[:len(have)-1]
	}
	cookie, hash := auth.NewToken()
	address := ""
	if a := from.address(); a.IsValid() {
		address = a.Unmap().String()
	}
	v := store.Session{
		ID: id.Session(id.New()), Person: u, CreatedAt: tx.Now, SeenAt: tx.Now, ExpiresAt: tx.Now.Add(SessionLife),
		Address: address, Agent: clip(from.Agent, 300),
	}
	tx.AddSession(hash, v)
	return Grant{Cookie: cookie, Expires: v.ExpiresAt, session: v.ID}, nil
}

// clip makes text from outside fit for a row.
func clip(text string, limit int) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
	if r := []rune(text); len(r) > limit {
		return string(r[:limit])
	}
	return text
}

// hash checks a chosen password and returns what is stored of it.
func (s *Service) hash(ctx context.Context, password string, of people.User) (string, error) {
	if err := auth.CheckPassword(password, of.Email, of.Username, of.Name); err != nil {
		return "", err
	}
	phc, err := s.passwords.Hash(ctx, password)
	if err != nil {
		return "", fault.Unavailable(phrase.T("account.busy"), time.Second).Because(err)
	}
	return phc, nil
}

// addNotice buffers a mail with a link to a person. The link is a key, so
// that the row holds it encrypted.
func (s *Service) addNotice(tx *store.Tx, to people.User, n notify.Notice, expires time.Time) error {
	plain, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("write notice: %w", err)
	}
	once := "notice:" + id.New()
	tx.AddDelivery(store.Delivery{
		Key: once, Kind: store.NoticeMail, DueAt: tx.Now, ExpiresAt: expires, Person: to.ID,
		Contact: id.Contact(once), // its own, so that it is never bundled
		Body:    store.DeliveryBody{Method: string(people.Email), Address: to.Email, Sealed: s.box.Seal(string(plain))},
	})
	return nil
}

// active returns a person who may sign in.
func active(tx *store.Tx, u id.User) (people.User, bool) {
	user, ok := tx.Org.Users[u]
	return user, ok && !user.Disabled
}

func forbidden() error { return fault.Forbidden(phrase.T("account.forbidden")) }
