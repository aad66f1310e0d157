package view

import (
	"net/url"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/watchroom/watchroom/internal/phrase"
)

// fw reads the catalogue's "factor_web" area.
func fw(key string, args ...any) string { return phrase.T("factor_web."+key, args...) }

// OwnFactor is a person's second factor, as the page of their security shows it.
type OwnFactor struct {
	Has        bool
	Since      time.Time
	Recoveries int    // codes that are left
	Error      string // about the code that was typed
	Act        string // "remove" or "codes": what it was typed for
}

// FactorSetup is where somebody sets up a second factor.
type FactorSetup struct {
	Page    Page
	Forced  bool   // they cannot go on without
	Sealed  string // the offer, for the form
	Secret  string // in groups
	URI     string // for the phone on which the page is read
	Path    string // of the picture
	Size    int
	Account string // for password managers
	Next    string
	Error   string
}

// view is the view box of the picture.
func (f FactorSetup) box() string { return "0 0 " + itoa(f.Size) + " " + itoa(f.Size) }

// RecoveryCodes are shown once.
type RecoveryCodes struct {
	Page  Page
	Codes []string
	New   bool // the second factor was set up a moment ago
	Next  string
}

// file is the address of the codes as a file, made by the browser itself.
func (r RecoveryCodes) file() templ.SafeURL {
	text := fw("codes.file", r.Page.Viewer.OrgName, r.Page.Viewer.Username) + "\r\n\r\n" + strings.Join(r.Codes, "\r\n") + "\r\n"
	return templ.SafeURL("data:text/plain;charset=utf-8," + url.PathEscape(text))
}

// LoginCode asks for the second factor of who has given their password.
type LoginCode struct {
	Page  Page
	Email string
	Next  string
	Error string
}

// StepUp asks somebody who is signed in for their second factor, for a command
// or for nothing in particular.
type StepUp struct {
	Page    Page
	Has     bool   // they have one
	Fresh   bool   // they have shown it a moment ago: no code is needed
	What    string // "invocation", "approve" or ""
	Number  string // of the command
	Line    string
	By      string // who asked for it
	Fields  []FieldValue
	Over    string // why it is too late; "": it is not
	OverURL string
	Next    string
	Error   string
}

func (s StepUp) title() string {
	if s.What == "" {
		return fw("stepup.title")
	}
	return fw("stepup.title." + s.What)
}

func (s StepUp) button() string {
	if s.What == "" {
		return fw("stepup.button")
	}
	return fw("stepup.button." + s.What)
}

// setup is where who has none sets one up, and comes back from.
func (s StepUp) setup() templ.SafeURL {
	back := "/step-up?next=" + url.QueryEscape(s.Next)
	if s.What != "" {
		back += "&" + s.What + "=" + s.Number
	}
	return templ.SafeURL("/settings/profile/factor?next=" + url.QueryEscape(back))
}

// lead says what it is about.
func (s StepUp) lead() string {
	switch s.What {
	case "invocation":
		return fw("stepup.lead.invocation")
	case "approve":
		return fw("stepup.lead.approve", s.By)
	}
	return fw("stepup.lead")
}

func (f OwnFactor) wrong(act string) string {
	if f.Act != act {
		return ""
	}
	return f.Error
}

func (r RecoveryCodes) text() string { return strings.Join(r.Codes, "\n") }

func phraseCodes(n int) string { return phrase.N("factor_web.left", n) }
