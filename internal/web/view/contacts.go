package view

import (
	"time"

	"github.com/watchroom/watchroom/internal/phrase"
)

// ct reads the catalogue's "contacts_web" area.
func ct(key string, args ...any) string { return phrase.T("contacts_web."+key, args...) }

// Whose says whose pages about being reached these are: one's own, or those
// of a person whom an administrator looks after.
type Whose struct {
	Own   bool
	ID    string
	Name  string
	Email string
}

func (w Whose) base() string {
	if w.Own {
		return "/settings/profile"
	}
	return "/settings/people/" + w.ID
}

func (w Whose) side() string {
	if w.Own {
		return "profile"
	}
	return "people"
}

func (w Whose) crumbs() []Crumb {
	if w.Own {
		return settingsCrumb()
	}
	return append(settingsCrumb(), Crumb{Label: st("nav.people"), Href: "/settings/people"})
}

func (w Whose) title() string {
	if w.Own {
		return st("nav.profile")
	}
	return w.Name
}

func (w Whose) lead() string {
	if w.Own {
		return st("profile.lead")
	}
	return ct("lead.other", w.Name)
}

func (w Whose) tabs(current string) []Tab {
	if w.Own {
		return profileTabs(current)
	}
	return []Tab{
		{Label: ct("tab.person"), Href: w.base(), Current: current == "you"},
		{Label: ct("tab.contacts"), Href: w.base() + "/contacts", Current: current == "contacts"},
		{Label: ct("tab.paging"), Href: w.base() + "/paging", Current: current == "paging"},
	}
}

// say picks the text for oneself, or the one about somebody else, which takes their name.
func (w Whose) say(key string) string {
	if w.Own {
		return ct(key + ".own")
	}
	return ct(key+".other", w.Name)
}

// Contacts is how one person is reached.
type Contacts struct {
	Page  Page
	Whose Whose
	Rows  []ContactRow
	Kinds []ContactKind // what can be added
	Mail  bool
}

// reachable reports whether any method is used.
func (c Contacts) reachable() bool {
	for _, r := range c.Rows {
		if r.Verified && !r.Off {
			return true
		}
	}
	return false
}

// ContactRow is one contact method. Address is what may be shown of it.
type ContactRow struct {
	ID         string
	Href       string
	Method     string
	Kind       string // the method in words
	Label      string
	Address    string
	Off        bool
	Verified   bool
	Proof      string // how: "code", "link", "admin", "earlier"
	VerifiedAt time.Time
}

func (c ContactRow) name() string {
	if c.Label != "" {
		return c.Label
	}
	return c.Address
}

func (c ContactRow) action(what string) string { return c.Href + "/" + what }

// state is what the method's badge says: tone, icon and word.
func (c ContactRow) state() (tone, icon, text string) {
	switch {
	case c.Off:
		return "muted", "skip", ct("state.off")
	case !c.Verified:
		return "warning", "warning", ct("state.unverified")
	case !c.byOwner():
		return "accent", "check", ct("state." + c.Proof)
	}
	return "ok", "check", ct("state.verified")
}

// byOwner reports whether the person has proved it, and nobody for them.
func (c ContactRow) byOwner() bool { return c.Proof == "code" || c.Proof == "link" }

// ContactKind is a kind of contact method that can be added.
type ContactKind struct {
	Method    string
	Name      string
	Text      string
	Href      string
	Available bool // somebody carries it
}

// NewContact is the form for a contact method of one kind.
type NewContact struct {
	Page      Page
	Whose     Whose
	Kind      ContactKind
	Address   string
	Label     string
	Errors    map[string]string
	Error     string
	PushKey   string // of this server, for browsers to subscribe with
	Telegram  string // the bot's deep link; "" when there is none yet
	MayManage bool
}

// ContactPage is one contact method and what was sent to it.
type ContactPage struct {
	Page      Page
	Whose     Whose
	Contact   ContactRow
	Error     string // about the code
	Asks      bool   // for a code
	VouchedBy string // the administrator who answers for the address; "" for none, or none that is known
	CanTest   bool
	Sent      []Sent // newest first
	MayManage bool
}

// proof says how it is known that pages arrive there; a date follows where there is one.
func (c ContactPage) proof() string {
	if c.VouchedBy != "" {
		return ct("state.admin.by", c.VouchedBy)
	}
	return ct("state." + c.Contact.Proof + ".text")
}

func (c ContactPage) emptyText() string {
	if !c.Contact.Verified {
		return ""
	}
	return ct("sent.empty.text")
}

// Sent is one message and its life.
type Sent struct {
	Name    string // to whom; "" where it is plain
	Contact string // to which contact method, as the reader may see it
	Method  string
	Subject string // what it was about
	Href    string
	State   string // the state it is in now, as in "contacts_web.life."
	At      time.Time
	Life    []LifePoint // what has become of it so far, in order
	Detail  string
	Tries   int
	Bundled int
	Next    time.Time // when it will be tried, or should have arrived; zero: nothing is waited for
}

// LifePoint is a moment in the life of a message.
type LifePoint struct {
	State  string
	At     time.Time
	Detail string
}

func lifeTone(state string) string {
	switch state {
	case "sent", "accepted", "delivered", "seen", "answered":
		return "ok"
	case "late", "retrying":
		return "warning"
	case "failed":
		return "critical"
	}
	return "muted"
}

func lifeIcon(state string) string {
	switch state {
	case "sent", "accepted":
		return "send"
	case "delivered":
		return "inbox"
	case "seen":
		return "eye"
	case "answered":
		return "check"
	case "failed":
		return "close"
	case "late":
		return "warning"
	case "retrying":
		return "retry"
	case "cancelled":
		return "skip"
	}
	return "clock"
}

func lifeWord(state string) string {
	if key := "contacts_web.life." + state; phrase.Has(key) {
		return phrase.T(key)
	}
	return state
}

func methodIcon(method string) string {
	switch method {
	case "sms":
		return "chat"
	case "voice":
		return "page"
	case "push":
		return "system"
	case "ntfy", "gotify", "pushover":
		return "bell"
	case "telegram":
		return "send"
	}
	return "mail"
}

// addWord and codeHint pick the words for where a code will arrive.
func (n NewContact) addWord() string {
	switch {
	case n.Kind.Method == "email" && !n.Whose.Own:
		return "email" // whoever writes it answers for it
	case n.Kind.Method == "voice":
		return "voice"
	}
	return "code"
}

func codeHint(method string) string {
	if method == "voice" {
		return "voice"
	}
	return "text"
}

func phraseN(key string, count int) string { return phrase.N(key, count) }
