package account_test

import (
	"log/slog"
	"testing"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
)

// address is the first contact method of somebody.
func (h *house) address(t *testing.T, u id.User) people.Contact {
	t.Helper()
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return o.Users[u].Contacts[0]
}

// Whoever invites answers for the address until the mailed link is used.
func TestAnInvitationProvesTheAddress(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		admin := h.actor(t, h.setUp(t))
		if c := h.address(t, admin.User); c.ProvenBy() != people.ByAdmin || c.VouchedBy != admin.User || !c.Usable() {
			t.Errorf("the address of who has set up is %+v, want it to count by their word", c)
		}
		sam, link, err := h.Invite(ctx, admin, account.Invitation{Name: "Sam", Email: "sam@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		if c := h.address(t, sam.ID); c.ProvenBy() != people.ByAdmin || c.VouchedBy != admin.User || !c.VerifiedAt.Equal(h.clock()) {
			t.Errorf("the address of who is invited is %+v, want it to count by the administrator's word", c)
		}
		if _, err := h.AcceptInvitation(ctx, token(t, link, "/invite/"), password, from); err != nil {
			t.Fatal(err)
		}
		if c := h.address(t, sam.ID); c.ProvenBy() != people.ByLink || c.VouchedBy != "" {
			t.Errorf("the address of who has joined is %+v, want it proven by the link", c)
		}
	})
}

// A link that was handed over, because there is no mail, proves nothing.
func TestALinkByHandProvesNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		admin := h.actor(t, h.setUp(t))
		h.Service = account.New(h.store, h.box, account.Options{
			PublicURL: "https://watch.example.org/", Clock: h.clock, Log: slog.New(slog.DiscardHandler),
			Passwords: auth.NewPasswords(auth.Params{Memory: 64, Time: 1, Threads: 1}),
		})
		sam, link, err := h.Invite(t.Context(), admin, account.Invitation{Name: "Sam", Email: "sam@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.AcceptInvitation(t.Context(), token(t, link, "/invite/"), password, from); err != nil {
			t.Fatal(err)
		}
		if c := h.address(t, sam.ID); c.ProvenBy() != people.ByAdmin {
			t.Errorf("the address is %+v, want only the administrator's word for it", c)
		}
	})
}

func TestAResetProvesTheAddress(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		ctx := t.Context()
		kim := h.actor(t, h.setUp(t)).User
		user := func(edit func(*people.User)) {
			o, err := h.store.Org(ctx)
			if err != nil {
				t.Fatal(err)
			}
			u := o.Users[kim]
			u.Contacts = append([]people.Contact(nil), u.Contacts...)
			edit(&u)
			h.change(t, org.Put(u))
		}
		user(func(u *people.User) {
			u.Contacts[0] = people.Contact{ID: "first", Method: people.Email, Address: "kim@example.org", Proof: people.Wanted}
			u.Contacts = append(u.Contacts, people.Contact{ID: "other", Method: people.Email, Address: "other@example.org", Proof: people.Wanted})
		})
		if err := h.Forgot(ctx, "kim@example.org", from); err != nil {
			t.Fatal(err)
		}
		stale := token(t, h.notices(t)[0].URL, "/reset/")
		user(func(u *people.User) { u.Email = "kim@elsewhere.example" })
		_, err := h.Reset(ctx, stale, password+"!", from)
		wantCode(t, "a link that went to the address before", err, fault.CodeNotFound)
		user(func(u *people.User) { u.Email = "Kim@example.org" })
		if err := h.Forgot(ctx, "kim@example.org", from); err != nil {
			t.Fatal(err)
		}
		mails := h.notices(t)
		if _, err := h.Reset(ctx, token(t, mails[len(mails)-1].URL, "/reset/"), password+"!", from); err != nil {
			t.Fatal(err)
		}
		if c := h.address(t, kim); c.ProvenBy() != people.ByLink || !c.VerifiedAt.Equal(h.clock()) {
			t.Errorf("the address is %+v, want it proven by the link", c)
		}
		o, err := h.store.Org(ctx)
		if err != nil || o.Users[kim].Contacts[1].Verified() {
			t.Errorf("another address is %+v, %v, want it as it was", o.Users[kim].Contacts[1], err)
		}
	})
}
