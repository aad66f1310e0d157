package view

// Routing is how alerts find their policy.
type Routing struct {
	Page         Page
	Keys         []KeyRow
	Policies     []Option // for a new key
	Defaults     []Option // for the default route
	Default      Link     // the policy of the default route; no Label: none
	WarningsOpen bool
	New          KeyForm
	Errors       map[string]string // of the settings
	Test         RouteTest
}

// KeyRow is one routing key.
type KeyRow struct {
	Name   string
	Href   string
	Policy Link
	Note   string
}

// KeyForm is one routing key as it was typed.
type KeyForm struct {
	Page     Page
	ID       string
	Name     string
	Note     string
	Policies []Option
	Errors   map[string]string
	Error    string
}

func (f KeyForm) action() string {
	if f.ID == "" {
		return "/settings/routing/keys"
	}
	return "/settings/routing/keys/" + f.ID
}

// RouteTest is the answer to "which policy does this key take?".
type RouteTest struct {
	Asked   bool
	Key     string
	Policy  Link // no Label: none
	Default bool
	People  []string // whom it would page first, now
}
