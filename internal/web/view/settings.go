package view

import "github.com/watchroom/watchroom/internal/phrase"

// st reads the catalogue's "settings" area.
func st(key string, args ...any) string { return phrase.T("settings."+key, args...) }

// sn reads a counted text of the catalogue's "settings" area.
func sn(key string, count int, args ...any) string {
	return phrase.N("settings."+key, count, args...)
}

// settingsSide are the places beside every settings page.
func settingsSide(v Viewer, current string) []SideGroup {
	link := func(name, href, icon string) SideLink {
		return SideLink{Label: st("nav." + name), Href: href, Icon: icon, Current: name == current}
	}
	who := SideGroup{Title: st("nav.who"), Links: []SideLink{
		link("people", "/settings/people", "people"), link("teams", "/settings/teams", "team"),
	}}
	when := SideGroup{Title: st("nav.when"), Links: []SideLink{
		link("rotations", "/settings/rotations", "rotation"), link("policies", "/settings/policies", "policy"),
		link("routing", "/settings/routing", "route"), link("maintenance", "/settings/maintenance", "snooze"),
		link("heartbeats", "/settings/heartbeats", "pulse"), link("drills", "/settings/drills", "test"), link("explain", "/explain", "help"),
	}}
	house := SideGroup{Title: st("nav.house"), Links: []SideLink{link("commands", "/commands", "list"), link("jobs", "/jobs", "clock")}}
	if v.May("integrate") {
		house.Links = append(house.Links, link("integrations", "/integrations", "plug"))
	}
	house.Links = append(house.Links, link("organisation", "/settings/organisation", "org"))
	if v.May("manage") {
		house.Links = append(house.Links, link("robots", "/settings/robots", "robot"), link("providers", "/settings/providers", "send"), link("tokens", "/settings/tokens", "token"), link("retention", "/settings/retention", "archive"))
	}
	return []SideGroup{
		{Title: st("nav.general"), Links: []SideLink{
			link("overview", "/settings", "settings"), link("profile", "/settings/profile", "person"),
		}},
		who, when, house,
	}
}

func settingsCrumb() []Crumb { return []Crumb{{Label: t("nav.settings"), Href: "/settings"}} }

// zoneList is what a field for a time zone suggests from.
const zoneList = "zone-names"

// SettingsHome is where the settings begin: what is still missing, what is
// wrong, and where everything is.
type SettingsHome struct {
	Page     Page
	Steps    []SettingsStep // what a working house needs, in order; empty: not shown
	Problems []SettingsProblem
	Cards    []SettingsCard
}

func (h SettingsHome) missing() int {
	n := 0
	for _, s := range h.Steps {
		if !s.Done {
			n++
		}
	}
	return n
}

// SettingsStep is one thing a working house needs.
type SettingsStep struct {
	Done   bool
	Title  string
	Text   string
	Href   string // where to do it; "" when this page cannot
	Action string // label of the link
}

// SettingsProblem is something that will hurt.
type SettingsProblem struct{ Object, Text, Href string }

// SettingsCard leads to a part of the settings.
type SettingsCard struct {
	Icon, Title, Text, Href string
	Count                   int
	Counted                 bool
}

// Organisation is the settings that hold for everybody.
type Organisation struct {
	Page         Page
	Name         string
	Morning      string
	BotName      string
	BotSigil     string
	BotPicture   string   // its address; "": ours
	Pictures     bool     // can be uploaded
	Rules        string   // who may run which command
	SecondFactor []Option // the roles, and of which it is required
	Defaults     string   // the rules that there are without any
	PublicURL    string
	Mail         bool
	Exports      bool // the organisation can be downloaded
	Errors       map[string]string
}

// AllTokens is every API token there is.
type AllTokens struct {
	Page   Page
	Tokens []TokenRow
}

// Link is a word that leads somewhere.
type Link struct{ Label, Href string }
