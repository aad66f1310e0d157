package view

import "time"

// Profile is a person's own page: who they are and how they are reached.
type Profile struct {
	Page     Page
	Name     string
	Username string
	Email    string
	Role     string
	Zone     string
	Zones    []string
	Errors   map[string]string

	// How one hears of conversation.
	Mentions, Direct   []Option
	QuietFrom, QuietTo string

	Mail bool // pages can be sent at all
}

// Security is a person's password and where they are signed in.
type Security struct {
	Page        Page
	Username    string // for password managers
	HasPassword bool
	Errors      map[string]string
	Factor      OwnFactor
	Sessions    []SessionRow
}

// SessionRow is one signed-in browser.
type SessionRow struct {
	ID        string
	Agent     string // in words: "Firefox on Linux"
	Address   string
	CreatedAt time.Time
	SeenAt    time.Time
	Current   bool
}

// OwnTokens is a person's API tokens.
type OwnTokens struct {
	Page    Page
	Tokens  []TokenRow
	Name    string
	Scopes  []Option
	Errors  map[string]string
	Secret  string // of the one just made: shown now and never again
	Created string // its name
}

// TokenRow is one API token, without its secret.
type TokenRow struct {
	ID        string
	Name      string
	Owner     string
	Scopes    []string // in words; empty: everything its owner may
	CreatedAt time.Time
	SeenAt    time.Time
}

func profileTabs(current string) []Tab {
	return []Tab{
		{Label: st("profile.tab.you"), Href: "/settings/profile", Current: current == "you"},
		{Label: ct("tab.contacts"), Href: "/settings/profile/contacts", Current: current == "contacts"},
		{Label: ct("tab.paging"), Href: "/settings/profile/paging", Current: current == "paging"},
		{Label: st("profile.tab.security"), Href: "/settings/profile/security", Current: current == "security"},
		{Label: st("profile.tab.tokens"), Href: "/settings/profile/tokens", Current: current == "tokens"},
	}
}
