// Package push is what the providers that push to a phone have in common: a
// page in the few words of a small screen, cut to what a channel takes. The call
// itself is package rest's.
//
// It promises that the reason for a page and the mark of a drill survive every
// cut, that a cut never splits a character, and that no text from outside can
// hide or reorder what follows it. Escaping, buttons and what an answer means
// are left to each provider.
package push

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/rest"
	"github.com/watchroom/watchroom/internal/phrase"
)

// How long the pieces may be, in characters. Together they fit into the
// smallest channel with room for what the alert says.
const (
	MaxSubject = 150
	maxFact    = 80
	maxReason  = 300
	maxTitle   = 80 // of one incident among many
	maxMessage = 8000
)

// Words is a page as plain text: complete, clean, neither cut to a channel nor
// escaped for it.
type Words struct {
	Subject string // one line, at most MaxSubject characters
	Urgent  bool   // some incident is of high urgency
	Drill   bool

	Opening []string // lines to read first
	Message string   // what the alert or the notice says; may have line ends
	Items   []Item   // the incidents of a bundle
	Closing []string // lines that must not be cut: facts and the reason

	Link       string // where a tap leads; "" for nowhere
	LinkLabel  string
	AckURL     string // pages with one confirming button; "" for a bundle and a notice
	ResolveURL string
}

// Item is one incident among several.
type Item struct {
	Text   string // one line
	URL    string
	AckURL string
}

// CheckHome says in a sentence what is wrong with the list of incidents as New
// takes it; "" is none.
func CheckHome(homeURL string) error {
	if _, ok := rest.WebURL(homeURL); homeURL != "" && !ok {
		return errors.New(phrase.T("notify.config.home"))
	}
	return nil
}

// New puts p into words. homeURL is the list of incidents, where a bundle leads
// to; without it a bundle leads to its first incident. A page about nothing is
// refused for good.
func New(p notify.Page, homeURL string) (Words, error) {
	w := Words{Drill: p.Drill}
	if p.Drill {
		w.Opening = append(w.Opening, phrase.T("notify.drill"))
	}
	zone := p.Zone
	if zone == nil {
		zone = time.UTC
	}
	switch {
	case p.Notice != nil:
		w.notice(*p.Notice)
	case len(p.Incidents) == 1:
		w.one(p.Incidents[0], zone)
	case len(p.Incidents) > 1:
		w.many(p.Incidents, homeURL)
	default:
		return Words{}, &notify.Failure{Permanent: true, Reason: phrase.T("notify.fail.empty")}
	}
	if p.Drill {
		w.Subject = phrase.T("notify.subject.drill", w.Subject)
	}
	w.Subject = Line(w.Subject, MaxSubject)
	return w, nil
}

func (w *Words) notice(n notify.Notice) {
	w.Subject = n.Subject
	w.Message = text(strings.Join(n.Lines, "\n\n"), maxMessage)
	if n.URL != "" {
		w.Link, w.LinkLabel = n.URL, Line(n.Action, maxFact)
		if w.LinkLabel == "" {
			w.LinkLabel = phrase.T("notify.open")
		}
	}
}

func (w *Words) one(inc notify.PageIncident, zone *time.Location) {
	w.Urgent = Urgent(inc.Severity)
	w.Subject = headline(inc, MaxSubject)
	w.Message = text(inc.Message, maxMessage)
	w.Link, w.LinkLabel = inc.URL, phrase.T("notify.open")
	w.AckURL, w.ResolveURL = inc.AckURL, inc.ResolveURL

	var facts []string
	add := func(key, value string) {
		if value = Line(value, maxFact); value != "" {
			facts = append(facts, phrase.T(key, value))
		}
	}
	add("notify.fact.team", inc.Team)
	add("notify.fact.host", inc.Host)
	if inc.Host == "" {
		add("notify.fact.entity", inc.EntityID)
	}
	if !inc.TriggeredAt.IsZero() {
		add("notify.fact.since", inc.TriggeredAt.In(zone).Format("15:04 MST"))
	}
	if inc.AlertCount > 1 {
		add("notify.fact.alerts", strconv.Itoa(inc.AlertCount))
	}
	if len(facts) > 0 {
		w.Closing = append(w.Closing, strings.Join(facts, " · "))
	}
	w.because(inc.Reason)
}

func (w *Words) many(all []notify.PageIncident, homeURL string) {
	w.Subject = phrase.N("notify.subject.many", len(all))
	for _, inc := range all {
		w.Urgent = w.Urgent || Urgent(inc.Severity)
		w.Items = append(w.Items, Item{Text: headline(inc, maxTitle), URL: inc.URL, AckURL: inc.AckURL})
	}
	w.Link, w.LinkLabel = homeURL, phrase.T("notify.open.many")
	if homeURL == "" {
		w.Link, w.LinkLabel = all[0].URL, phrase.T("notify.open.first")
	}
	w.because(all[0].Reason)
}

func (w *Words) because(reason string) {
	if reason = Line(reason, maxReason); reason != "" {
		w.Closing = append(w.Closing, reason)
	}
}

// headline is an incident in one line: its number, how bad, what.
func headline(inc notify.PageIncident, limit int) string {
	title := phrase.T("notify.untitled")
	for _, s := range []string{inc.Title, inc.EntityID, inc.Message} {
		if s = Line(s, limit); s != "" {
			title = s
			break
		}
	}
	return Line(phrase.T("notify.headline", int64(inc.Number), severity(inc.Severity), title), limit)
}

func severity(s string) string {
	if key := "notify.severity." + strings.ToLower(s); phrase.Has(key) {
		return phrase.T(key)
	}
	if s = Line(s, 30); s != "" {
		return s
	}
	return phrase.T("notify.severity.unknown")
}

// Urgent says whether an incident of this severity may be loud. What is not
// known to be harmless is urgent.
func Urgent(severity string) bool {
	switch strings.ToLower(severity) {
	case "warning", "info", "low":
		return false
	default:
		return true
	}
}
