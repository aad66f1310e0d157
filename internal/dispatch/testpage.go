package dispatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
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

// SendTest mails a test page to one of the actor's own contact methods, on the
// way that real pages take; url is where its link leads. It returns the address.
func (d *Dispatcher) SendTest(ctx context.Context, actor people.Actor, contact id.Contact, url string) (string, error) {
	if !actor.May(people.OwnSelf) || actor.User == "" {
		return "", forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (string, error) {
		user := tx.Org.Users[actor.User]
		i := slices.IndexFunc(user.Contacts, func(c people.Contact) bool { return c.ID == contact })
		if i < 0 {
			return "", fault.NotFound(phrase.T("settings.contact.gone"))
		}
		c := user.Contacts[i]
		notice, err := json.Marshal(notify.Notice{
			Subject: phrase.T("settings.testpage.subject"),
			Lines:   []string{phrase.T("settings.testpage.line", c.Address), phrase.T("settings.testpage.asked", user.Name)},
			Action:  phrase.T("settings.testpage.action"), URL: url,
		})
		if err != nil {
			return "", fmt.Errorf("write test page: %w", err)
		}
		once := "test:" + id.New()
		tx.AddDelivery(store.Delivery{
			Key: once, Kind: store.NoticeMail, DueAt: tx.Now, ExpiresAt: tx.Now.Add(testPageFor), Person: user.ID,
			Contact: id.Contact(once), // its own, so that it is never bundled
			Body:    store.DeliveryBody{Method: string(c.Method), Address: c.Address, Sealed: d.box.Seal(string(notice))},
		})
		return c.Address, nil
	})
}
