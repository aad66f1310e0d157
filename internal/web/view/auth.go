package view

import "time"

// Login is the sign-in page.
type Login struct {
	Page  Page
	Email string
	Next  string // where to go afterwards
	Error string
}

// Setup makes the first administrator and, when wanted, the first team.
type Setup struct {
	Page     Page
	Token    string
	OrgName  string
	Name     string
	Email    string
	Username string
	Zone     string
	Zones    []Option
	Team     string // quick start: "" for none
	Error    string
	Errors   map[string]string // by field name
}

// Forgot asks for the address a reset link goes to.
type Forgot struct {
	Page  Page
	Email string
	Sent  bool
}

// Reset sets a new password.
type Reset struct {
	Page    Page
	Token   string
	Invalid bool // the link is used up, too old or wrong
	Error   string
}

// Invite is where an invited person arrives.
type Invite struct {
	Page     Page
	Token    string
	Name     string
	Email    string
	Username string
	Zone     string
	Zones    []Option
	Invalid  bool
	Errors   map[string]string
}

// Confirm is where a link of a mailed page arrives: one click does it.
type Confirm struct {
	Page    Page
	Token   string
	Action  string // "ack" or "resolve"
	Person  string // in whose name
	Card    Incident
	Outcome string // "" asks; "done", "already" (By, At), "expired", "invalid"
	By      string
	At      time.Time
}

// Problem is a page that says what went wrong.
type Problem struct {
	Page   Page
	Status int
	Title  string // "" takes the catalogue's for Status
	Text   string
	ID     string // of the request, to look for in the log
}

func (p Problem) known() string {
	switch p.Status {
	case 403, 404, 405, 410, 413, 429, 503:
		return itoa(p.Status)
	case 400, 409, 422:
		return "400"
	}
	return "500"
}

func (p Problem) icon() string {
	switch p.Status {
	case 403:
		return "shield"
	case 404:
		return "search"
	case 410:
		return "clock"
	case 429:
		return "clock"
	}
	return "warning"
}

// Mailbox is the demo's view of the mail that was sent.
type Mailbox struct {
	Page  Page
	Mails []MailRow // newest first
	Open  *Mail
}

// MailRow is one mail in the list.
type MailRow struct {
	ID      string
	Href    string
	To      string
	Subject string
	At      time.Time
	Current bool
}

// Mail is one mail in full.
type Mail struct {
	MailRow
	From string
	Text string
	// HTMLSrc is the address of the HTML part for a sandboxed frame: it is to be
	// served with a policy of its own ("sandbox allow-popups …"). "" shows the text.
	HTMLSrc string
}

func (p Problem) title() string {
	if p.Title != "" {
		return p.Title
	}
	return t("problem." + p.known())
}

func (p Problem) text() string {
	if p.Text != "" {
		return p.Text
	}
	return t("problem." + p.known() + ".text")
}

func confirmIcon(action string) string {
	if action == "resolve" {
		return "resolve"
	}
	return "check"
}

func confirmHref(c Confirm) string {
	if c.Outcome == "invalid" {
		return "/"
	}
	return c.Card.href()
}

func confirmLink(c Confirm) string {
	if c.Outcome == "invalid" {
		return t("problem.home")
	}
	return t("confirm.open", c.Card.Number)
}
