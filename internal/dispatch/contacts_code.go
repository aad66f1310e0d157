package dispatch

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
)

// A code proves that a contact method reaches its person. All that is kept of
// it are rows of the table of links, which holds hashes and forgets what has
// run out: one for the code itself (bound to contact, method and address, so
// that an address that was changed meanwhile is not proven by it), one that
// says when it was sent, and one for each wrong try. They share a purpose of
// their own and go together.
//
// Six digits are guessed in half a million tries; five of them are allowed for
// each code, and ten codes an hour for each person.
const (
	codeDigits = 6
	codeFor    = 15 * time.Minute
	codePause  = 30 * time.Second // between two codes to one contact method
	codeHourly = 10               // of one person
	testHourly = 30               // test pages of one person

	// MaxTries is how often somebody may mistype a code.
	MaxTries = 5
)

// telegramLink is for a code that makes a chat a contact method.
const telegramLink store.LinkPurpose = "telegram"

func telegramHash(code string) string { return secret.Hash("telegram\n" + code) }

func codePurpose(c id.Contact) store.LinkPurpose { return store.LinkPurpose("verify:" + c) }

func codeHash(c people.Contact, code string) string {
	return secret.Hash("verify\n" + string(c.ID) + "\n" + string(c.Method) + "\n" + c.Address + "\n" + code)
}

func sentHash(c id.Contact) string { return secret.Hash("verify sent\n" + string(c)) }

func triedHash(c id.Contact, n int) string {
	return secret.Hash("verify tried\n" + string(c) + "\n" + strconv.Itoa(n))
}

// codeKey begins the keys of deliveries that carry a code.
const codeKey = "verify"

// CarriesCode reports whether a delivery carries the code of a contact method:
// it proves the address, and is no page.
func CarriesCode(d store.Delivery) bool { return strings.HasPrefix(d.Key, codeKey+":") }

// forgetCode makes the code of a contact method worthless.
func forgetCode(tx *store.Tx, person id.User, c id.Contact) { tx.RemoveLinks(codePurpose(c), person) }

// sendCode sends a fresh code; an earlier one is worth nothing from then on.
func (d *Dispatcher) sendCode(tx *store.Tx, u people.User, c people.Contact) error {
	if u.Disabled {
		return fault.Conflict(phrase.T("contacts.disabled", u.Name))
	}
	last, err := linkAt(tx, sentHash(c.ID))
	if err != nil {
		return err
	}
	if wait := last.ExpiresAt.Add(-codeFor).Add(codePause).Sub(tx.Now); wait > 0 {
		return fault.TooMany(phrase.T("contacts.code.slow"), wait)
	}
	if err := spend(tx, "verify", u.ID, codeHourly); err != nil {
		return err
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return fmt.Errorf("draw a code: %w", err)
	}
	code := fmt.Sprintf("%0*d", codeDigits, n)
	forgetCode(tx, u.ID, c.ID)
	link := store.Link{Purpose: codePurpose(c.ID), Person: u.ID, ExpiresAt: tx.Now.Add(codeFor)}
	tx.AddLink(codeHash(c, code), link)
	tx.AddLink(sentHash(c.ID), link)
	return d.notice(tx, codeKey, u, c, notify.Notice{
		Subject: phrase.T("contacts.code.subject", code),
		Lines:   []string{phrase.T("contacts.code.line", int(codeFor/time.Minute)), phrase.T("contacts.code.stranger")},
	}, codeFor)
}

// tryCode says why code does not prove c, and nil when it does; then it is used
// up. A wrong try is counted.
func tryCode(tx *store.Tx, person id.User, c people.Contact, code string) (*fault.Error, error) {
	sent, err := linkAt(tx, sentHash(c.ID))
	if err != nil {
		return nil, err
	}
	if !sent.ExpiresAt.After(tx.Now) {
		return fault.Conflict(phrase.T("contacts.code.none")), nil
	}
	try := 1
	for ; try <= MaxTries; try++ {
		tried, err := linkAt(tx, triedHash(c.ID, try))
		if err != nil {
			return nil, err
		}
		if tried.ExpiresAt.IsZero() {
			break
		}
	}
	if try > MaxTries {
		return fault.Conflict(phrase.T("contacts.code.used_up")), nil
	}
	right, err := linkAt(tx, codeHash(c, code))
	if err != nil {
		return nil, err
	}
	if right.Purpose == codePurpose(c.ID) && right.Person == person && right.ExpiresAt.After(tx.Now) {
		forgetCode(tx, person, c.ID)
		return nil, nil //nolint:nilnil // neither refused nor broken
	}
	tx.AddLink(triedHash(c.ID, try), store.Link{Purpose: codePurpose(c.ID), Person: person, ExpiresAt: sent.ExpiresAt})
	if try == MaxTries {
		return fault.Conflict(phrase.T("contacts.code.used_up")), nil
	}
	return fault.Invalid("code", phrase.N("contacts.code.wrong", MaxTries-try)), nil
}

// spend takes one of so many an hour that a person has for something, or says
// how long to wait for the next.
func spend(tx *store.Tx, what string, person id.User, hourly int) error {
	var next time.Time
	for n := range hourly {
		hash := secret.Hash("spent " + what + "\n" + string(person) + "\n" + strconv.Itoa(n))
		taken, err := linkAt(tx, hash)
		if err != nil {
			return err
		}
		if taken.ExpiresAt.After(tx.Now) {
			if next.IsZero() || taken.ExpiresAt.Before(next) {
				next = taken.ExpiresAt
			}
			continue
		}
		purpose := store.LinkPurpose("spent_" + what + ":" + strconv.Itoa(n))
		tx.RemoveLinks(purpose, person) // one that has run out
		tx.AddLink(hash, store.Link{Purpose: purpose, Person: person, ExpiresAt: tx.Now.Add(time.Hour)})
		return nil
	}
	return fault.TooMany(phrase.T("contacts.hourly", hourly), next.Sub(tx.Now))
}

// linkAt finds a link, the zero value when there is none.
func linkAt(tx *store.Tx, hash string) (store.Link, error) {
	link, err := tx.Link(hash)
	if errors.Is(err, store.ErrNotFound) {
		return store.Link{}, nil
	}
	if err != nil {
		return link, fmt.Errorf("look up a code: %w", err)
	}
	return link, nil
}
