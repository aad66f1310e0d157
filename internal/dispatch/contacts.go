package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// mayReach says whether by may change how user is reached: oneself, or with
// the permission to manage.
func mayReach(by people.Actor, user id.User) bool {
	own := by.User == user && by.User != ""
	return own && by.May(people.OwnSelf) || by.May(people.Manage)
}

// AddContact adds a contact method to a person. c needs method and address, and
// may have a label; secretPlain is what is needed beside the address, "" for
// most. It is not paged before VerifyContact, and the code for that leaves by
// the method itself. Only for the e-mail address of somebody else an
// administrator answers. A browser that subscribes again under the address it
// had keeps its proof.
func (d *Dispatcher) AddContact(ctx context.Context, by people.Actor, user id.User, c people.Contact, secretPlain string) (people.Contact, error) {
	if !mayReach(by, user) {
		return c, forbidden()
	}
	return store.InTx(ctx, d.store, func(tx *store.Tx) (people.Contact, error) {
		u, err := reached(tx, user)
		if err != nil {
			return c, err
		}
		c = people.Contact{ID: id.Contact(id.New()), Method: c.Method, Label: c.Label, Address: c.Address, Proof: people.Wanted}
		if c.Method == people.Email && by.User != user && by.May(people.Manage) {
			c = c.Proven(people.ByAdmin, tx.Now)
			c.VouchedBy = by.User
		}
		c.Address, c.Label = cleanAddress(c.Method, c.Address), strings.TrimSpace(c.Label)
		if secretPlain = strings.TrimSpace(secretPlain); secretPlain != "" {
			c.Secret = d.box.Seal(secretPlain)
		}
		if i := slices.IndexFunc(u.Contacts, func(o people.Contact) bool { return o.Method == c.Method && o.Address == c.Address }); i >= 0 {
			return d.renew(tx, by, u, i, c)
		}
		if len(u.Contacts) >= people.MaxContacts {
			return c, fault.Invalid("contacts", phrase.T("contacts.many", people.MaxContacts))
		}
		if err := c.Validate(); err != nil {
			return c, fault.Invalid("address", err.Error())
		}
		u.Contacts = append(slices.Clone(u.Contacts), c)
		if _, err := ApplyChanges(tx, by, []org.Change{org.Put(u)}); err != nil {
			return c, err
		}
		if c.Verified() {
			return c, nil
		}
		return c, d.sendCode(tx, u, c)
	})
}

// renew deals with an address that is there already. It is an error, but for a
// browser, which gets new keys from time to time.
func (d *Dispatcher) renew(tx *store.Tx, by people.Actor, u people.User, at int, c people.Contact) (people.Contact, error) {
	if c.Method != people.WebPush {
		return c, fault.Invalid("address", phrase.T("contacts.twice"))
	}
	had := u.Contacts[at]
	had.Secret = c.Secret
	u.Contacts = slices.Clone(u.Contacts)
	u.Contacts[at] = had
	if _, err := ApplyChanges(tx, by, []org.Change{org.Put(u)}); err != nil || had.Verified() {
		return had, err
	}
	return had, d.sendCode(tx, u, had)
}

// SendCode sends a code to a contact method once more. It also renews the proof
// of one that was verified long ago.
func (d *Dispatcher) SendCode(ctx context.Context, by people.Actor, user id.User, contact id.Contact) error {
	if !mayReach(by, user) {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		u, c, err := contactOf(tx, user, contact)
		if err != nil {
			return err
		}
		return d.sendCode(tx, u, c)
	})
}

// VerifyContact proves with the code that was sent that a contact method
// reaches its person. After MaxTries wrong ones a code is worth nothing.
func (d *Dispatcher) VerifyContact(ctx context.Context, by people.Actor, user id.User, contact id.Contact, code string) error {
	if !mayReach(by, user) {
		return forbidden()
	}
	code = strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(code))
	if len(code) != codeDigits || strings.Trim(code, "0123456789") != "" {
		return fault.Invalid("code", phrase.T("contacts.code.shape", codeDigits))
	}
	// A wrong try is written down, so it is no error inside the transaction.
	refusal, err := store.InTx(ctx, d.store, func(tx *store.Tx) (*fault.Error, error) {
		u, c, err := contactOf(tx, user, contact)
		if err != nil {
			return nil, err
		}
		if refusal, err := tryCode(tx, u.ID, c, code); err != nil || refusal != nil {
			return refusal, err
		}
		return nil, prove(tx, by, u, c)
	})
	if err != nil {
		return err
	}
	if refusal != nil {
		return refusal
	}
	return nil
}

// prove records that c reaches its person.
func prove(tx *store.Tx, by people.Actor, u people.User, c people.Contact) error {
	i := slices.IndexFunc(u.Contacts, func(o people.Contact) bool { return o.ID == c.ID })
	u.Contacts = slices.Clone(u.Contacts)
	u.Contacts[i] = u.Contacts[i].Proven(people.ByCode, tx.Now)
	_, err := ApplyChanges(tx, by, []org.Change{org.Put(u)})
	return err
}

// RemoveContact takes a contact method away. Rules of the person's paging
// policy that name it pass it over from now on.
func (d *Dispatcher) RemoveContact(ctx context.Context, by people.Actor, user id.User, contact id.Contact) error {
	if !mayReach(by, user) {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		u, c, err := contactOf(tx, user, contact)
		if err != nil {
			return err
		}
		u.Contacts = slices.DeleteFunc(slices.Clone(u.Contacts), func(o people.Contact) bool { return o.ID == c.ID })
		forgetCode(tx, u.ID, c.ID)
		_, err = ApplyChanges(tx, by, []org.Change{org.Put(u)})
		return err
	})
}

// SetPaging says how a person is paged; nil: by every contact method at once.
func (d *Dispatcher) SetPaging(ctx context.Context, by people.Actor, user id.User, p *people.PagingPolicy) error {
	if !mayReach(by, user) {
		return forbidden()
	}
	return d.store.Do(ctx, func(tx *store.Tx) error {
		u, err := reached(tx, user)
		if err != nil {
			return err
		}
		if p != nil {
			if err := p.Validate(); err != nil {
				return fault.Invalid("paging", err.Error())
			}
			for _, r := range p.Rules {
				for _, s := range r.Steps {
					for _, n := range s.Contacts {
						if !slices.ContainsFunc(u.Contacts, func(c people.Contact) bool { return c.ID == n }) {
							return fault.Invalid("paging", phrase.T("contacts.not_theirs", r.Name, u.Name))
						}
					}
				}
			}
		}
		u.Paging = p
		_, err = ApplyChanges(tx, by, []org.Change{org.Put(u)})
		return err
	})
}

// LinkTelegram returns a code by which a Telegram chat becomes a contact method
// of user, when it is handed to our bot within codeFor: telegram.LinkURL. An
// earlier code is worth nothing from then on.
func (d *Dispatcher) LinkTelegram(ctx context.Context, by people.Actor, user id.User) (code string, err error) {
	if !mayReach(by, user) {
		return "", forbidden()
	}
	code = id.Secret(20)
	return code, d.store.Do(ctx, func(tx *store.Tx) error {
		u, err := reached(tx, user)
		if err != nil {
			return err
		}
		tx.RemoveLinks(telegramLink, u.ID)
		tx.AddLink(telegramHash(code), store.Link{Purpose: telegramLink, Person: u.ID, ExpiresAt: tx.Now.Add(codeFor)})
		return nil
	})
}

// ConnectTelegram makes the private chat a proven contact method of whoever was
// given code; whoever handed it over calls themselves called. It is
// telegram.Config.OnStart: reply is for the chat, and a permanent
// notify.Failure says why the code does not count.
func (d *Dispatcher) ConnectTelegram(ctx context.Context, code, chat, called string) (reply string, err error) {
	return store.InTx(ctx, d.store, func(tx *store.Tx) (string, error) {
		link, err := tx.Link(telegramHash(code))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", fmt.Errorf("find the code of a chat: %w", err)
		}
		u, there := tx.Org.Users[link.Person]
		if err != nil || link.Purpose != telegramLink || !link.ExpiresAt.After(tx.Now) || !there || u.Disabled {
			return "", &notify.Failure{Permanent: true, Reason: phrase.T("contacts.telegram.stale")}
		}
		i := slices.IndexFunc(u.Contacts, func(c people.Contact) bool { return c.Method == people.Telegram && c.Address == chat })
		u.Contacts = slices.Clone(u.Contacts)
		if i < 0 {
			c := people.Contact{ID: id.Contact(id.New()), Method: people.Telegram, Address: chat, Label: phrase.T("contacts.telegram.label", called)}
			if len([]rune(c.Label)) > people.MaxLabel {
				c.Label = ""
			}
			u.Contacts, i = append(u.Contacts, c), len(u.Contacts)
		}
		u.Contacts[i] = u.Contacts[i].Proven(people.ByLink, tx.Now)
		tx.RemoveLinks(telegramLink, u.ID)
		by := people.Actor{User: u.ID, Name: u.Name, Role: u.Role, Origin: timeline.System}
		if _, err := ApplyChanges(tx, by, []org.Change{org.Put(u)}); err != nil {
			if fault.Is(err, fault.CodeInvalid) { // too many contact methods, or a group
				return "", &notify.Failure{Permanent: true, Reason: fault.MessageOf(err), Err: err}
			}
			return "", err
		}
		return phrase.T("contacts.telegram.linked", u.Name), nil
	})
}

// reached is the person whose contact methods are meant.
func reached(tx *store.Tx, user id.User) (people.User, error) {
	u, ok := tx.Org.Users[user]
	if !ok {
		return u, fault.NotFound(phrase.T("dispatch.no_such_user"))
	}
	return u, nil
}

func contactOf(tx *store.Tx, user id.User, contact id.Contact) (people.User, people.Contact, error) {
	u, err := reached(tx, user)
	if err != nil {
		return u, people.Contact{}, err
	}
	i := slices.IndexFunc(u.Contacts, func(c people.Contact) bool { return c.ID == contact })
	if i < 0 {
		return u, people.Contact{}, fault.NotFound(phrase.T("contacts.gone"))
	}
	return u, u.Contacts[i], nil
}

// cleanAddress takes away what people put into telephone numbers to read them.
func cleanAddress(m people.Method, address string) string {
	address = strings.TrimSpace(address)
	if m == people.SMS || m == people.Voice {
		address = strings.NewReplacer(" ", "", "\u00a0", "", "-", "", "(", "", ")", "", ".", "", "/", "").Replace(address)
		if rest, ok := strings.CutPrefix(address, "00"); ok {
			address = "+" + rest
		}
	}
	return address
}

// notice buffers a message to one contact method, by that very method. It is
// encrypted at rest: a code is a key.
func (d *Dispatcher) notice(tx *store.Tx, what string, u people.User, c people.Contact, n notify.Notice, lasts time.Duration) error {
	body, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	tx.AddDelivery(store.Delivery{
		Key: what + ":" + id.New(), Kind: store.NoticeMail, DueAt: tx.Now, ExpiresAt: tx.Now.Add(lasts), Person: u.ID, Contact: c.ID,
		Body: store.DeliveryBody{Method: string(c.Method), Address: c.Address, Sealed: d.box.Seal(string(body))},
	})
	return nil
}
