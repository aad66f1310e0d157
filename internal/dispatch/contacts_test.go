package dispatch

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
)

const number = "+4915112345678"

// notices are what was sent to a contact method, newest first.
func (h *house) notices(t *testing.T, c id.Contact) []notify.Notice {
	t.Helper()
	found, err := h.store.DeliveriesTo(t.Context(), c, 100)
	if err != nil {
		t.Fatal(err)
	}
	var all []notify.Notice
	for _, d := range found {
		plain, err := h.box.Open(d.Body.Sealed)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(d.Body.Sealed, "code") || d.Kind != store.NoticeMail {
			t.Errorf("delivery %d is a %s with %q, want a sealed notice", d.ID, d.Kind, d.Body.Sealed)
		}
		var n notify.Notice
		if err := json.Unmarshal([]byte(plain), &n); err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

var sixDigits = regexp.MustCompile(`\b[0-9]{6}\b`)

// code is the code that was sent last to a contact method.
func (h *house) code(t *testing.T, c id.Contact) string {
	t.Helper()
	sent := h.notices(t, c)
	if len(sent) == 0 {
		t.Fatalf("nothing was sent to %s", c)
	}
	code := sixDigits.FindString(sent[0].Subject)
	if code == "" {
		t.Fatalf("%q has no code", sent[0].Subject)
	}
	return code
}

// other is six digits that are not code.
func other(code string) string {
	if code[0] == '9' {
		return "0" + code[1:]
	}
	return string(code[0]+1) + code[1:]
}

func (h *house) contact(t *testing.T, u id.User, c id.Contact) (people.Contact, bool) {
	t.Helper()
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, have := range o.Users[u].Contacts {
		if have.ID == c {
			return have, true
		}
	}
	return people.Contact{}, false
}

func (h *house) addNumber(t *testing.T) people.Contact {
	t.Helper()
	c, err := h.AddContact(t.Context(), kim(), "kim", people.Contact{Method: people.SMS, Address: "0049 151 / 1234-5678"}, "")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantCode(t *testing.T, what string, err error, code fault.Code) {
	t.Helper()
	if !fault.Is(err, code) {
		t.Errorf("%s = %v, want %s", what, err, code)
	}
}

func TestContactIsVerified(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		c := h.addNumber(t)
		if c.Address != number || c.Usable() || !c.VerifiedAt.IsZero() {
			t.Fatalf("AddContact() = %+v, want the clean number, not to be paged yet", c)
		}
		sent, err := h.store.DeliveriesTo(t.Context(), c.ID, 10)
		if err != nil || len(sent) != 1 || sent[0].Body.Method != "sms" || sent[0].Body.Address != number || sent[0].Person != "kim" {
			t.Fatalf("sent are %+v, %v, want one text message to Kim", sent, err)
		}
		code := h.code(t, c.ID)
		wantCode(t, "the wrong code", h.VerifyContact(t.Context(), kim(), "kim", c.ID, other(code)), fault.CodeInvalid)
		if err := h.other.VerifyContact(t.Context(), kim(), "kim", c.ID, " "+code[:3]+" "+code[3:]); err != nil {
			t.Fatalf("VerifyContact() = %v", err)
		}
		if got, _ := h.contact(t, "kim", c.ID); !got.Usable() || got.VerifiedAt.IsZero() {
			t.Errorf("after the code the contact method is %+v, want verified", got)
		}
		wantCode(t, "the code once more", h.VerifyContact(t.Context(), kim(), "kim", c.ID, code), fault.CodeConflict)
		links := []string{codeHash(c, code), sentHash(c.ID), triedHash(c.ID, 1)}
		for _, hash := range links {
			if _, err := h.store.Link(t.Context(), hash); err == nil {
				t.Error("a used code leaves something behind")
			}
		}
	})
}

// An own e-mail address has its code typed back like any other method, even
// that of an administrator; for the address of somebody else they answer.
func TestEmailIsVerified(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		for _, own := range []people.Actor{kim(), ada()} {
			c, err := h.AddContact(t.Context(), own, own.User, people.Contact{Method: people.Email, Address: "night@example.net"}, "")
			if err != nil || c.Usable() || c.ProvenBy() != "" {
				t.Fatalf("AddContact() by %s = %+v, %v, want it not to be paged yet", own.Name, c, err)
			}
			wantCode(t, "a test page to what is not proven", h.TestContact(t.Context(), own, own.User, c.ID), fault.CodeConflict)
			if err := h.VerifyContact(t.Context(), own, own.User, c.ID, h.code(t, c.ID)); err != nil {
				t.Fatal(err)
			}
			if got, _ := h.contact(t, own.User, c.ID); !got.Usable() || got.ProvenBy() != people.ByCode {
				t.Errorf("after the code the address is %+v", got)
			}
		}
		c, err := h.AddContact(t.Context(), ada(), "kim", people.Contact{Method: people.Email, Address: "desk@example.net"}, "")
		if err != nil || !c.Usable() || c.ProvenBy() != people.ByAdmin || c.VouchedBy != "ada" || len(h.notices(t, c.ID)) != 0 {
			t.Fatalf("AddContact() by an administrator = %+v, %v, want it to count by their word", c, err)
		}
		h.clock.pass(codePause)
		if err := h.SendCode(t.Context(), kim(), "kim", c.ID); err != nil {
			t.Fatal(err)
		}
		if got, _ := h.contact(t, "kim", c.ID); !got.Usable() {
			t.Error("asking for a code takes away what counts")
		}
		if err := h.VerifyContact(t.Context(), kim(), "kim", c.ID, h.code(t, c.ID)); err != nil {
			t.Fatal(err)
		}
		if got, _ := h.contact(t, "kim", c.ID); got.ProvenBy() != people.ByCode || got.VouchedBy != "" {
			t.Errorf("after the code the address is %+v, want it proven by its owner", got)
		}
	})
}

// Nobody proves an address by saying so, and what was in use goes on counting.
func TestDeclaredAddresses(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		forged := people.Contact{ID: "forged", Method: people.Email, Address: "forged@example.net", Proof: people.ByAdmin, VerifiedAt: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
		err := h.EditSelf(t.Context(), kim(), func(u people.User) people.User {
			u.Contacts = append(slices.Clone(u.Contacts), forged)
			return u
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := h.contact(t, "kim", "forged"); got.Verified() {
			t.Errorf("an own address that claims a proof is %+v", got)
		}
		o, err := h.store.Org(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		before := o.Users["lee"].Contacts[0]
		if before.ProvenBy() != people.Earlier {
			t.Fatalf("Lee's address is %+v, want one of before there were proofs", before)
		}
		_, err = h.ChangeOrg(t.Context(), ada(), func(o *org.Org) ([]org.Change, error) {
			u := o.Users["lee"]
			u.Contacts = people.Declared(u.Contacts, append(slices.Clone(u.Contacts), people.Contact{ID: "second", Method: people.Email, Address: "second@example.net"}))
			return []org.Change{org.Put(u)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := h.contact(t, "lee", "second"); got.ProvenBy() != people.ByAdmin || got.VouchedBy != "ada" || got.VerifiedAt.IsZero() {
			t.Errorf("a declared address is %+v, want when and by whom", got)
		}
		if got, _ := h.contact(t, "lee", before.ID); got != before {
			t.Errorf("an address that was in use became %+v, want %+v", got, before)
		}
	})
}

func TestCodeIsTriedFiveTimes(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		c := h.addNumber(t)
		code := h.code(t, c.ID)
		wantCode(t, "five digits", h.VerifyContact(t.Context(), kim(), "kim", c.ID, "12345"), fault.CodeInvalid)
		for range MaxTries - 1 {
			wantCode(t, "a wrong code", h.VerifyContact(t.Context(), kim(), "kim", c.ID, other(code)), fault.CodeInvalid)
		}
		wantCode(t, "the last wrong code", h.VerifyContact(t.Context(), kim(), "kim", c.ID, other(code)), fault.CodeConflict)
		wantCode(t, "the right code, too late", h.VerifyContact(t.Context(), kim(), "kim", c.ID, code), fault.CodeConflict)
		wantCode(t, "another code at once", h.SendCode(t.Context(), kim(), "kim", c.ID), fault.CodeTooMany)
		h.clock.pass(codePause)
		if err := h.SendCode(t.Context(), kim(), "kim", c.ID); err != nil {
			t.Fatal(err)
		}
		fresh := h.code(t, c.ID)
		if fresh != code {
			wantCode(t, "the old code", h.VerifyContact(t.Context(), kim(), "kim", c.ID, code), fault.CodeInvalid)
		}
		if err := h.VerifyContact(t.Context(), kim(), "kim", c.ID, fresh); err != nil {
			t.Errorf("VerifyContact() with a new code = %v", err)
		}
	})
}

func TestCodeRunsOut(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		c := h.addNumber(t)
		code := h.code(t, c.ID)
		h.clock.pass(codeFor)
		wantCode(t, "a code after its time", h.VerifyContact(t.Context(), kim(), "kim", c.ID, code), fault.CodeConflict)
		if err := h.SendCode(t.Context(), kim(), "kim", c.ID); err != nil {
			t.Fatalf("SendCode() after the first ran out = %v", err)
		}
		if err := h.VerifyContact(t.Context(), kim(), "kim", c.ID, h.code(t, c.ID)); err != nil {
			t.Errorf("VerifyContact() = %v", err)
		}
	})
}

// An address that was changed after the code went out is not proven by it.
func TestCodeIsForOneAddress(t *testing.T) {
	h := newHouse(t, "sqlite")
	c := h.addNumber(t)
	code := h.code(t, c.ID)
	err := h.EditSelf(t.Context(), kim(), func(u people.User) people.User {
		u.Contacts = append([]people.Contact{}, u.Contacts...)
		u.Contacts[len(u.Contacts)-1].Address = "+4915199999999"
		return u
	})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "the code of another number", h.VerifyContact(t.Context(), kim(), "kim", c.ID, code), fault.CodeInvalid)
}

func TestCodesAreLimited(t *testing.T) {
	h := newHouse(t, "sqlite")
	c := h.addNumber(t)
	for range codeHourly - 1 {
		h.clock.pass(codePause)
		if err := h.SendCode(t.Context(), kim(), "kim", c.ID); err != nil {
			t.Fatal(err)
		}
	}
	h.clock.pass(codePause)
	err := h.SendCode(t.Context(), kim(), "kim", c.ID)
	f, ok := asFault(err)
	if !ok || f.Code != fault.CodeTooMany || f.RetryAfter <= 0 || f.RetryAfter > time.Hour {
		t.Fatalf("one code too many = %v, want too many, and until when", err)
	}
	// Removing it and adding it again gives no new turns, and adds nothing.
	if err := h.RemoveContact(t.Context(), kim(), "kim", c.ID); err != nil {
		t.Fatal(err)
	}
	_, err = h.AddContact(t.Context(), kim(), "kim", people.Contact{Method: people.SMS, Address: number}, "")
	wantCode(t, "the same number anew", err, fault.CodeTooMany)
	h.clock.pass(f.RetryAfter)
	h.addNumber(t)
}

func TestAddContactRefuses(t *testing.T) {
	h := newHouse(t, "sqlite")
	h.addNumber(t)
	for what, tt := range map[string]struct {
		by   people.Actor
		user id.User
		c    people.Contact
		want fault.Code
	}{
		"no number":           {kim(), "kim", people.Contact{Method: people.SMS, Address: "112"}, fault.CodeInvalid},
		"the same again":      {kim(), "kim", people.Contact{Method: people.SMS, Address: number}, fault.CodeInvalid},
		"no method":           {kim(), "kim", people.Contact{Method: "fax", Address: number}, fault.CodeInvalid},
		"for somebody else":   {lee(), "kim", people.Contact{Method: people.SMS, Address: "+4915100000000"}, fault.CodeForbidden},
		"for nobody":          {actor("ada", "Ada", people.Admin), "x", people.Contact{Method: people.SMS, Address: number}, fault.CodeNotFound},
		"for who is disabled": {actor("ada", "Ada", people.Admin), "max", people.Contact{Method: people.SMS, Address: number}, fault.CodeConflict},
	} {
		_, err := h.AddContact(t.Context(), tt.by, tt.user, tt.c, "")
		wantCode(t, what, err, tt.want)
	}
	if _, err := h.AddContact(t.Context(), actor("ada", "Ada", people.Admin), "kim", people.Contact{Method: people.Voice, Address: number}, ""); err != nil {
		t.Errorf("an administrator adds the same number for calls = %v", err)
	}
}

// A browser that subscribes again keeps its proof and gets its new keys.
func TestBrowserSubscribesAgain(t *testing.T) {
	h := newHouse(t, "sqlite")
	browser := people.Contact{Method: people.WebPush, Address: "https://push.example/abc", Label: "Phone"}
	first, err := h.AddContact(t.Context(), kim(), "kim", browser, `{"p256dh":"1"}`)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.VerifyContact(t.Context(), kim(), "kim", first.ID, h.code(t, first.ID)); err != nil {
		t.Fatal(err)
	}
	again, err := h.AddContact(t.Context(), kim(), "kim", browser, `{"p256dh":"2"}`)
	if err != nil || again.ID != first.ID || !again.Usable() {
		t.Fatalf("AddContact() again = %+v, %v, want the one there is", again, err)
	}
	stored, _ := h.contact(t, "kim", first.ID)
	if got, err := h.box.Open(stored.Secret); err != nil || got != `{"p256dh":"2"}` {
		t.Errorf("its secret is %q, %v, want the new keys, sealed", got, err)
	}
	if len(h.notices(t, first.ID)) != 1 {
		t.Error("it got another code, want none")
	}
}

func TestTestPage(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		c := h.addNumber(t)
		wantCode(t, "a test page to a number that is not proven", h.TestContact(t.Context(), kim(), "kim", c.ID), fault.CodeConflict)
		if err := h.VerifyContact(t.Context(), kim(), "kim", c.ID, h.code(t, c.ID)); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "a colleague's test page", h.TestContact(t.Context(), lee(), "kim", c.ID), fault.CodeForbidden)
		if err := h.TestContact(t.Context(), actor("ada", "Ada", people.Admin), "kim", c.ID); err != nil {
			t.Fatal(err)
		}
		if got := h.notices(t, c.ID)[0]; !strings.Contains(got.Subject, "Test page") || !strings.Contains(strings.Join(got.Lines, " "), "Ada asked") {
			t.Errorf("the test page is %+v", got)
		}
		for range testHourly - 1 {
			if err := h.TestContact(t.Context(), kim(), "kim", c.ID); err != nil {
				t.Fatal(err)
			}
		}
		wantCode(t, "one test page too many", h.TestContact(t.Context(), kim(), "kim", c.ID), fault.CodeTooMany)
		if _, err := h.SendTest(t.Context(), lee(), "c-lee", "https://example.org/profile"); err != nil {
			t.Errorf("SendTest() of somebody else = %v", err)
		}
		if got := h.notices(t, "c-lee"); len(got) != 1 || got[0].URL != "https://example.org/profile" {
			t.Errorf("Lee got %+v, want one with the link", got)
		}
	})
}

func TestSetPaging(t *testing.T) {
	h := newHouse(t, "sqlite")
	policy := func(c id.Contact) *people.PagingPolicy {
		return &people.PagingPolicy{Rules: []people.PagingRule{{Name: "Always", Steps: []people.PagingStep{{Contacts: []id.Contact{c}}}}}}
	}
	if err := h.SetPaging(t.Context(), kim(), "kim", policy("c-kim")); err != nil {
		t.Fatal(err)
	}
	o, err := h.store.Org(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(policy("c-kim"), o.Users["kim"].Paging); diff != "" {
		t.Errorf("the paging policy (-want +got):\n%s", diff)
	}
	wantCode(t, "somebody else's contact method", h.SetPaging(t.Context(), kim(), "kim", policy("c-lee")), fault.CodeInvalid)
	wantCode(t, "a policy without steps", h.SetPaging(t.Context(), kim(), "kim", &people.PagingPolicy{Rules: []people.PagingRule{{Name: "x"}}}), fault.CodeInvalid)
	wantCode(t, "a colleague's policy", h.SetPaging(t.Context(), lee(), "kim", nil), fault.CodeForbidden)
	if err := h.SetPaging(t.Context(), actor("ada", "Ada", people.Admin), "kim", nil); err != nil {
		t.Errorf("an administrator takes it away = %v", err)
	}
}

func TestTelegramIsLinked(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		_, err := h.LinkTelegram(t.Context(), lee(), "kim")
		wantCode(t, "a code for a colleague", err, fault.CodeForbidden)
		old, err := h.LinkTelegram(t.Context(), kim(), "kim")
		if err != nil {
			t.Fatal(err)
		}
		code, err := h.LinkTelegram(t.Context(), kim(), "kim")
		if err != nil {
			t.Fatal(err)
		}
		for what, tried := range map[string]string{"an unknown code": "abc", "none": "", "one that was replaced": old} {
			if _, err := h.ConnectTelegram(t.Context(), tried, "42", "Kim L"); !notify.Permanent(err) {
				t.Errorf("ConnectTelegram() with %s = %v, want a permanent failure", what, err)
			}
		}
		if _, err := h.ConnectTelegram(t.Context(), code, "-42", "a group"); !notify.Permanent(err) {
			t.Errorf("a group is linked: %v", err)
		}
		reply, err := h.ConnectTelegram(t.Context(), code, "42", "Kim L")
		if err != nil || !strings.Contains(reply, "Kim") {
			t.Fatalf("ConnectTelegram() = %q, %v", reply, err)
		}
		o, err := h.store.Org(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		have := o.Users["kim"].Contacts
		got := have[len(have)-1]
		if got.Method != people.Telegram || got.Address != "42" || !got.Usable() || got.Label != "Telegram of Kim L" {
			t.Errorf("the contact method is %+v, want Kim's chat, proven", got)
		}
		if _, err := h.ConnectTelegram(t.Context(), code, "43", "Eve"); !notify.Permanent(err) {
			t.Errorf("the code works twice: %v", err)
		}
		late, err := h.LinkTelegram(t.Context(), kim(), "kim")
		if err != nil {
			t.Fatal(err)
		}
		h.clock.pass(codeFor)
		if _, err := h.ConnectTelegram(t.Context(), late, "44", "Kim"); !notify.Permanent(err) {
			t.Errorf("a code counts after its time: %v", err)
		}
	})
}

func TestRemoveContact(t *testing.T) {
	h := newHouse(t, "sqlite")
	c := h.addNumber(t)
	code := h.code(t, c.ID)
	wantCode(t, "a colleague removes it", h.RemoveContact(t.Context(), lee(), "kim", c.ID), fault.CodeForbidden)
	if err := h.RemoveContact(t.Context(), kim(), "kim", c.ID); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "verifying what is gone", h.VerifyContact(t.Context(), kim(), "kim", c.ID, code), fault.CodeNotFound)
	wantCode(t, "removing what is gone", h.RemoveContact(t.Context(), kim(), "kim", c.ID), fault.CodeNotFound)
}
