package dispatch

import (
	"context"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// testPageFor is how long a test page is tried; later nobody waits for it.
const testPageFor = 15 * time.Minute

// TestContact sends a test page to a contact method of a person, on the way
// that real pages take. What became of it is with the deliveries to the contact.
func (d *Dispatcher) TestContact(ctx context.Context, by people.Actor, user id.User, contact id.Contact) error {
	_, err := d.testPage(ctx, by, user, contact, "")
	return err
}

// SendTest is TestContact to one of the actor's own contact methods; url is
// where its link leads. It returns how people call the contact method.
func (d *Dispatcher) SendTest(ctx context.Context, actor people.Actor, contact id.Contact, url string) (string, error) {
	if !actor.May(people.OwnSelf) || actor.User == "" {
		return "", forbidden()
	}
	return d.testPage(ctx, actor, actor.User, contact, url)
}

func (d *Dispatcher) testPage(ctx context.Context, by people.Actor, user id.User, contact id.Contact, url string) (string, error) {
	if !mayReach(by, user) {
		return "", forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (string, error) {
		u, c, err := contactOf(tx, user, contact)
		if err != nil {
			return "", err
		}
		if !c.Verified() { // a number that may be a stranger's gets codes, and few of them
			return "", fault.Conflict(phrase.T("contacts.test.unverified", c.Shown()))
		}
		if err := spend(tx, "test", u.ID, testHourly); err != nil {
			return "", err
		}
		asked := tx.Org.UserName(by.User)
		if by.User == "" {
			asked = by.Name
		}
		n := notify.Notice{
			Subject: phrase.T("settings.testpage.subject"),
			Lines:   []string{phrase.T("settings.testpage.line", c.Shown()), phrase.T("settings.testpage.asked", asked)},
		}
		if url != "" {
			n.Action, n.URL = phrase.T("settings.testpage.action"), url
		}
		return c.Shown(), d.notice(tx, "test", u, c, n, testPageFor)
	})
}
