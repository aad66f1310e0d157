// Package view draws Watchroom's pages: templ components and the plain structs
// they are drawn from. It decides nothing and fetches nothing; the packages
// that answer requests fill the structs and write the result.
//
// It promises that every page works as plain links and forms without a script,
// that nothing in it needs an inline script or style, that every text comes
// from the catalogue (area "web"), and that an entry or a card is drawn by the
// same component on the first page, in the live stream and in the answer to a
// form. Who may see what is decided before a struct is filled; Viewer.May only
// hides what would be refused.
package view

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/phrase"
)

// Viewer is the person a page is drawn for; the zero Viewer is somebody not signed in.
type Viewer struct {
	ID       string // id.User as text
	Name     string
	Username string
	Role     string // "admin", "member", "observer"
	Zone     *time.Location
	Can      func(action string) bool // nil: nothing
	Theme    string                   // "", "light", "dark": the stored choice, when there is one
	OrgName  string
	Bot      string // what it is called, without @
	Demo     bool
}

// May reports whether the viewer is offered an action.
func (v Viewer) May(action string) bool { return v.Can != nil && v.Can(action) }

// SignedIn reports whether there is somebody at all.
func (v Viewer) SignedIn() bool { return v.Username != "" }

func (v Viewer) zone() *time.Location {
	if v.Zone == nil {
		return time.UTC
	}
	return v.Zone
}

// Page is what every page has.
type Page struct {
	Title     string
	Now       time.Time // by the server's clock, for a browser whose clock is wrong; zero: not known
	Nav       string    // the current place: "timeline", "incidents", "oncall", "integrations", "settings"; "" for none
	Viewer    Viewer
	Triggered int     // open triggered incidents, for the badge in the navigation and the window title
	Flash     []Flash // shown once, as toasts and for readers without scripts as notices
	Pane      string  // home only: the pane shown on a phone
	Search    string  // what is in the search box
	Wide      bool    // no outer padding and no own scrolling: the panes do that
}

// Flash is a short message about what was just done.
type Flash struct {
	Tone string // "ok", "info", "warning", "critical"
	Text string
}

// Crumb is a step of the path above a page's title.
type Crumb struct{ Label, Href string }

// t reads the catalogue's "web" area.
func t(key string, args ...any) string { return phrase.T("web."+key, args...) }

// n reads a counted text of the catalogue's "web" area.
func n(key string, count int, args ...any) string { return phrase.N("web."+key, count, args...) }

// initials are at most two letters that stand for a name.
func initials(name string) string {
	var out []rune
	words := strings.FieldsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || r == '-' || r == '_' || r == '.' })
	for _, word := range words {
		r, _ := utf8.DecodeRuneInString(word)
		out = append(out, unicode.ToUpper(r))
	}
	switch {
	case len(out) == 0:
		return "?"
	case len(out) == 1:
		return string(out)
	}
	return string([]rune{out[0], out[len(out)-1]})
}

// avatarClass gives a name always the same one of eight colours.
func avatarClass(name string) string {
	var sum uint32 = 2166136261
	for i := range len(name) {
		sum = (sum ^ uint32(name[i])) * 16777619
	}
	return "av-" + strconv.Itoa(int(sum%8))
}

// stamp is the instant as machines read it.
func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// clock is what stands in a <time> until the browser puts its own words there.
func clock(at time.Time, form string, v Viewer) string {
	local := at.In(v.zone())
	switch form {
	case "time":
		return local.Format("15:04")
	case "date":
		return local.Format("Mon 2 Jan 2006")
	case "day":
		return local.Format("Monday 2 January")
	case "clock":
		return local.Format("Mon 15:04")
	}
	return local.Format("2 Jan 15:04 MST")
}

func itoa[N ~int | ~int64](v N) string { return strconv.FormatInt(int64(v), 10) }

// classes joins the class names that are not empty.
func classes(names ...string) string {
	kept := names[:0:0]
	for _, name := range names {
		if name != "" {
			kept = append(kept, name)
		}
	}
	return strings.Join(kept, " ")
}

func prefixed(prefix, name string) string {
	if name == "" {
		return ""
	}
	return prefix + name
}
