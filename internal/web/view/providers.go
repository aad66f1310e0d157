package view

import "github.com/watchroom/watchroom/internal/phrase"

// vt reads the catalogue's "providers_web" area.
func vt(key string, args ...any) string { return phrase.T("providers_web."+key, args...) }

// ProviderList is who carries pages, by method.
type ProviderList struct {
	Page   Page
	Groups []ProviderGroup
	Others []ProviderRow // those that carry to no person
	Kinds  []ProviderKind
	Mail   bool
}

// ProviderGroup is a method and who carries it, in order.
type ProviderGroup struct {
	Method  string
	Name    string
	Rows    []ProviderRow
	BuiltIn bool // it needs no provider
}

// ProviderRow is one provider.
type ProviderRow struct {
	ID, Href, Name, Kind, Icon string
	From, Deadline             string
	Off, Own, First, Last      bool
}

func (r ProviderRow) place() string {
	if r.First {
		return vt("first")
	}
	return vt("next")
}

// ProviderKind is a kind that can be added.
type ProviderKind struct{ Name, Text, Href, Icon string }

// ProviderForm is one provider as it was typed.
type ProviderForm struct {
	Page      Page
	ID        string
	Kind      string
	KindName  string
	Title     string
	Name      string
	Deadline  string
	Off       bool
	Own       bool // made by the server: nothing can be set
	MayStore  bool
	Fields    []ProviderField
	Callbacks []Link
	Tests     []Option
	Errors    map[string]string // "name", "deadline", "set.auth_token"
	Error     string
}

func (f ProviderForm) action() string {
	if f.ID == "" {
		return "/settings/providers"
	}
	return "/settings/providers/" + f.ID
}

func (f ProviderForm) key() string {
	for _, field := range f.Fields {
		if field.Name == "public" {
			return field.Value
		}
	}
	return ""
}

// ProviderField is one setting. A secret has no Value; Stored says whether there is one.
type ProviderField struct {
	Name, Label, Help, Value        string
	Secret, Required, Lines, Stored bool
	Choices                         []Option
}

func (f ProviderField) hint() string {
	switch {
	case f.Secret && f.Stored && f.Help != "":
		return vt("secret.kept") + " " + f.Help
	case f.Secret && f.Stored:
		return vt("secret.kept")
	}
	return f.Help
}

func (f ProviderField) kind() string {
	if f.Secret {
		return "password"
	}
	return ""
}

// providerAutocomplete keeps password managers from offering one's own password.
func providerAutocomplete(f ProviderField) string {
	if f.Secret {
		return "new-password"
	}
	return "off"
}
