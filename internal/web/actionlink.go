package web

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

// What a mailed link can do.
const (
	AckLink     = "ack"
	ResolveLink = "resolve"
)

// ActionURL is the address that a page mails: whoever opens it sees the
// incident, and one click does the action in the name of u. It needs no
// sign-in, and works until expires. It names the moment at which the incident
// opened: after a backup is restored, its number may be another's.
func ActionURL(publicURL string, signer *secret.Signer, action string, n id.Incident, opened time.Time, u id.User, expires time.Time) string {
	return publicURL + "/a/" + signer.Sign(secret.Link{Action: action, Incident: n, User: u, Nonce: openedMark(opened)}, expires)
}

func openedMark(at time.Time) string { return strconv.FormatInt(at.Unix(), 36) }

// CrossSiteExempt are the forms whose address is the key: the cookie counts for
// nothing there, and whoever knows the address may use it. Their pages send no
// referrer, so a browser on plain HTTP says "Origin: null" when it sends them.
func CrossSiteExempt() []string {
	return []string{"POST /a/{token}", "POST /drill/{token}", "POST /setup/{token}", "POST /reset/{token}", "POST /invite/{token}"}
}

func (s *Server) actionLinkRoutes() []Route {
	return []Route{
		{"GET /a/{token}", "", secretPage(s.showAction)},
		{"POST /a/{token}", "", secretPage(s.confirmAction)},
	}
}

// mailed is what a link stands for, looked up.
type mailed struct {
	org     *org.Org
	link    secret.Link
	user    people.User
	inc     incident.Incident
	outcome string // "" when it can be used
}

// showAction asks. It changes nothing: mail programs open links by themselves.
func (s *Server) showAction(w http.ResponseWriter, r *http.Request) error {
	m, err := s.mailed(r)
	if err != nil {
		return err
	}
	return s.confirmPage(w, r, m)
}

// confirmAction does what the link says.
func (s *Server) confirmAction(w http.ResponseWriter, r *http.Request) error {
	m, err := s.mailed(r)
	if err != nil {
		return err
	}
	if m.outcome != "" {
		return s.confirmPage(w, r, m.again())
	}
	actor := people.Actor{User: m.user.ID, Name: m.user.Name, Role: m.user.Role, Origin: timeline.Mail}
	do := s.Dispatch.Acknowledge
	if m.link.Action == ResolveLink {
		do = s.Dispatch.Resolve
	}
	inc, err := do(r.Context(), actor, m.inc.ID)
	switch {
	case fault.Is(err, fault.CodeConflict): // somebody was faster than this click
		if m.inc, err = s.incident(r.Context(), m.inc.ID); err != nil {
			return err
		}
		m.outcome = "already"
		m = m.again()
	case err != nil:
		return err
	default:
		m.inc, m.outcome = inc, "done"
	}
	return s.confirmPage(w, r, m)
}

// mailed checks the link of a request and finds what it is about.
func (s *Server) mailed(r *http.Request) (mailed, error) {
	o, err := s.organisation(r.Context())
	if err != nil {
		return mailed{}, err
	}
	m := mailed{org: o}
	link, err := s.Signer.Verify(r.PathValue("token"), s.Now())
	if err != nil && !errors.Is(err, secret.ErrExpired) || link.Action != AckLink && link.Action != ResolveLink {
		m.outcome = "invalid"
		return m, nil
	}
	if err != nil {
		m.outcome = "expired"
	}
	m.link, m.user = link, o.Users[link.User]
	m.inc, err = s.incident(r.Context(), link.Incident)
	if fault.Is(err, fault.CodeNotFound) || err == nil && (m.user.ID == "" || m.user.Disabled || link.Nonce != openedMark(m.inc.TriggeredAt)) {
		m.outcome = "invalid"
		return m, nil
	}
	if err == nil && m.outcome == "" && m.late() {
		m.outcome = "already"
	}
	return m, err
}

// late reports whether what the link asks for has happened.
func (m mailed) late() bool {
	return m.inc.State == incident.Resolved || m.link.Action == AckLink && m.inc.State == incident.Acknowledged
}

// again tells a second click of the same person, which has done what they
// wanted, from somebody else having been faster.
func (m mailed) again() mailed {
	by, state := m.inc.AckedBy, incident.Acknowledged
	if m.link.Action == ResolveLink {
		by, state = m.inc.ResolvedBy, incident.Resolved
	}
	if m.outcome == "already" && m.inc.State == state && by.User == m.user.ID {
		m.outcome = "done"
	}
	return m
}

func (s *Server) confirmPage(w http.ResponseWriter, r *http.Request, m mailed) error {
	page := s.publicPage(w, r, m.org, phrase.T("web.link.invalid"))
	c := view.Confirm{Page: page, Token: r.PathValue("token"), Outcome: m.outcome}
	if m.outcome == "invalid" {
		return draw(w, r, http.StatusNotFound, view.ConfirmPage(c))
	}
	c.Page.Title = incidentTitle(m.inc.ID, m.inc.Title)
	c.Page.Viewer.Zone = m.user.Location()
	c.Action, c.Person, c.Card = m.link.Action, m.user.Name, bareCard(m.org, m.inc)
	switch m.inc.State {
	case incident.Acknowledged:
		c.By, c.At = whoName(m.org, m.inc.AckedBy), m.inc.AckedAt
	case incident.Resolved:
		c.By, c.At = whoName(m.org, m.inc.ResolvedBy), m.inc.ResolvedAt
	case incident.Triggered:
	}
	status := http.StatusOK
	switch {
	case m.outcome == "expired":
		status = http.StatusGone
	case m.outcome == "already" && r.Method == http.MethodPost:
		status = http.StatusConflict
	}
	return draw(w, r, status, view.ConfirmPage(c))
}
