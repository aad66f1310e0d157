package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
)

// What lets people in: passwords, sessions of browsers, API tokens and links
// that work once. All secrets are hashes here; who may do what with them is
// decided in package account.

// Session is one signed-in browser.
type Session struct {
	ID        id.Session
	Person    id.User
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
	Address   string
	Agent     string
	ProvenAt  time.Time // when the second factor was last shown in it; zero: never
	HasFactor bool      // its person has one
}

// Token is one API token.
type Token struct {
	ID        id.Token
	Person    id.User
	Name      string
	Scopes    []people.Permission // nil: all that the person may
	CreatedAt time.Time
	SeenAt    time.Time // zero: never used
}

// LinkPurpose says what a link is good for. Stable in storage.
type LinkPurpose string

// The purposes of links.
const (
	SetupLink  LinkPurpose = "setup"  // make the first administrator
	InviteLink LinkPurpose = "invite" // choose the first password
	ResetLink  LinkPurpose = "reset"  // choose another password
	HalfLink   LinkPurpose = "half"   // the password was right, the second factor is to come
)

// Link is a secret that was mailed or shown once.
type Link struct {
	Purpose   LinkPurpose
	Person    id.User // "" for the set-up
	ExpiresAt time.Time
}

const (
	selectSession  = `SELECT id, person, created_at, seen_at, expires_at, address, agent, proven_at, EXISTS (SELECT 1 FROM factor WHERE factor.person = session.person) FROM session`
	selectToken    = `SELECT id, person, name, scopes, created_at, seen_at FROM token`
	selectLink     = `SELECT purpose, person, expires_at FROM link`
	selectPassword = `SELECT password FROM credential WHERE person = $1`
)

func scanSession(rows *sql.Rows) (Session, error) {
	var v Session
	var created, seen, expires, proven int64
	err := rows.Scan(&v.ID, &v.Person, &created, &seen, &expires, &v.Address, &v.Agent, &proven, &v.HasFactor)
	v.CreatedAt, v.SeenAt, v.ExpiresAt, v.ProvenAt = instant(created), instant(seen), instant(expires), instant(proven)
	return v, err
}

func scanToken(rows *sql.Rows) (Token, error) {
	var v Token
	var created, seen int64
	var scopes string
	err := rows.Scan(&v.ID, &v.Person, &v.Name, &scopes, &created, &seen)
	v.CreatedAt, v.SeenAt = instant(created), instant(seen)
	for s := range strings.FieldsSeq(scopes) {
		v.Scopes = append(v.Scopes, people.Permission(s))
	}
	return v, err
}

func scanLink(rows *sql.Rows) (Link, error) {
	var v Link
	var expires int64
	err := rows.Scan(&v.Purpose, &v.Person, &expires)
	v.ExpiresAt = instant(expires)
	return v, err
}

// Password returns the stored hash of somebody's password; ErrNotFound when
// they have none.
func (s *Store) Password(ctx context.Context, person id.User) (string, error) {
	return one(ctx, s.read, value[string], selectPassword, string(person))
}

// Passwords returns who has one.
func (s *Store) Passwords(ctx context.Context) (map[id.User]bool, error) {
	found, err := all(ctx, s.read, value[id.User], `SELECT person FROM credential`)
	return set(found), err
}

// Session finds a session by the hash of its cookie, expired or not;
// ErrNotFound when there is none.
func (s *Store) Session(ctx context.Context, hash string) (Session, error) {
	return one(ctx, s.read, scanSession, selectSession+` WHERE hash = $1`, hash)
}

// Sessions returns the sessions of a person, the newest first.
func (s *Store) Sessions(ctx context.Context, person id.User) ([]Session, error) {
	return all(ctx, s.read, scanSession, selectSession+` WHERE person = $1 ORDER BY created_at DESC, id DESC`, string(person))
}

// Token finds a token by its hash; ErrNotFound when there is none.
func (s *Store) Token(ctx context.Context, hash string) (Token, error) {
	return one(ctx, s.read, scanToken, selectToken+` WHERE hash = $1`, hash)
}

// Tokens returns all tokens, the oldest first.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	return all(ctx, s.read, scanToken, selectToken+` ORDER BY created_at, id`)
}

// Link finds a link by its hash, expired or not; ErrNotFound when there is none.
func (s *Store) Link(ctx context.Context, hash string) (Link, error) {
	return one(ctx, s.read, scanLink, selectLink+` WHERE hash = $1`, hash)
}

// Password is Store.Password inside the transaction.
func (tx *Tx) Password(person id.User) (string, error) {
	return one(tx.ctx, tx.tx, value[string], selectPassword, string(person))
}

// Passwords is Store.Passwords inside the transaction.
func (tx *Tx) Passwords() (map[id.User]bool, error) {
	found, err := all(tx.ctx, tx.tx, value[id.User], `SELECT person FROM credential`)
	return set(found), err
}

// Sessions is Store.Sessions inside the transaction.
func (tx *Tx) Sessions(person id.User) ([]Session, error) {
	return all(tx.ctx, tx.tx, scanSession, selectSession+` WHERE person = $1 ORDER BY created_at DESC, id DESC`, string(person))
}

// Token returns the token with an id; ErrNotFound when there is none.
func (tx *Tx) Token(n id.Token) (Token, error) {
	return one(tx.ctx, tx.tx, scanToken, selectToken+` WHERE id = $1`, string(n))
}

// Tokens returns the tokens of a person, the oldest first.
func (tx *Tx) Tokens(person id.User) ([]Token, error) {
	return all(tx.ctx, tx.tx, scanToken, selectToken+` WHERE person = $1 ORDER BY created_at, id`, string(person))
}

// Link is Store.Link inside the transaction.
func (tx *Tx) Link(hash string) (Link, error) {
	return one(tx.ctx, tx.tx, scanLink, selectLink+` WHERE hash = $1`, hash)
}

// PutPassword gives somebody a password, instead of the one they may have.
func (tx *Tx) PutPassword(person id.User, phc string) {
	tx.exec(`INSERT INTO credential (person, password, at) VALUES ($1, $2, $3)
		ON CONFLICT (person) DO UPDATE SET password = excluded.password, at = excluded.at`, string(person), phc, micros(tx.Now))
}

// AddSession buffers a new session, whose cookie has the given hash.
func (tx *Tx) AddSession(hash string, v Session) {
	tx.exec(`INSERT INTO session (id, hash, person, created_at, seen_at, expires_at, address, agent, proven_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		string(v.ID), hash, string(v.Person), micros(v.CreatedAt), micros(v.SeenAt), micros(v.ExpiresAt), v.Address, v.Agent, micros(v.ProvenAt))
}

// TouchSession says that a session was used now and is good until expires.
func (tx *Tx) TouchSession(n id.Session, expires time.Time) {
	tx.exec(`UPDATE session SET seen_at = $1, expires_at = $2 WHERE id = $3`, micros(tx.Now), micros(expires), string(n))
}

// DropSession ends the session whose cookie has the given hash, if there is one.
func (tx *Tx) DropSession(hash string) { tx.exec(`DELETE FROM session WHERE hash = $1`, hash) }

// RemoveSession ends one session.
func (tx *Tx) RemoveSession(n id.Session) { tx.exec(`DELETE FROM session WHERE id = $1`, string(n)) }

// RemoveSessions ends every session of a person but one; none is kept when
// except is "".
func (tx *Tx) RemoveSessions(person id.User, except id.Session) {
	tx.exec(`DELETE FROM session WHERE person = $1 AND id <> $2`, string(person), string(except))
}

// AddToken buffers a new token, whose text has the given hash.
func (tx *Tx) AddToken(hash string, v Token) {
	scopes := make([]string, len(v.Scopes))
	for i, s := range v.Scopes {
		scopes[i] = string(s)
	}
	tx.exec(`INSERT INTO token (id, hash, person, name, scopes, created_at, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		string(v.ID), hash, string(v.Person), v.Name, strings.Join(scopes, " "), micros(v.CreatedAt), micros(v.SeenAt))
}

// TouchToken says that a token was used now.
func (tx *Tx) TouchToken(n id.Token) {
	tx.exec(`UPDATE token SET seen_at = $1 WHERE id = $2`, micros(tx.Now), string(n))
}

// RemoveToken makes a token worthless.
func (tx *Tx) RemoveToken(n id.Token) { tx.exec(`DELETE FROM token WHERE id = $1`, string(n)) }

// AddLink buffers a new link, whose text has the given hash.
func (tx *Tx) AddLink(hash string, v Link) {
	tx.exec(`INSERT INTO link (hash, purpose, person, expires_at) VALUES ($1, $2, $3, $4)`,
		hash, string(v.Purpose), string(v.Person), micros(v.ExpiresAt))
}

// RemoveLinks makes every link of a purpose for a person worthless.
func (tx *Tx) RemoveLinks(purpose LinkPurpose, person id.User) {
	tx.exec(`DELETE FROM link WHERE purpose = $1 AND person = $2`, string(purpose), string(person))
}

// RemoveAccess makes everything worthless that would let a person in.
func (tx *Tx) RemoveAccess(person id.User) {
	for _, table := range []string{"credential", "factor", "recovery", "session", "token", "link"} {
		tx.exec(`DELETE FROM `+table+` WHERE person = $1`, string(person))
	}
}

// RemoveExpired forgets sessions and links that are good for nothing any more.
func (tx *Tx) RemoveExpired() {
	tx.exec(`DELETE FROM session WHERE expires_at <= $1`, micros(tx.Now))
	tx.exec(`DELETE FROM link WHERE expires_at <= $1`, micros(tx.Now))
}

func set[K comparable](list []K) map[K]bool {
	m := make(map[K]bool, len(list))
	for _, k := range list {
		m[k] = true
	}
	return m
}
