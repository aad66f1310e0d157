package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// Mail is one mail that the demo's mailbox has taken.
type Mail struct {
	ID            int
	At            time.Time
	From, Subject string
	To            []string
	Text, HTML    string
}

const mailboxPath = "/mailbox"

// mailboxRoutes are there only where Deps has a Mailbox: it shows everybody's mail.
func (s *Server) mailboxRoutes() []Route {
	if s.Mailbox == nil {
		return nil
	}
	return []Route{
		{"GET " + mailboxPath, people.Read, s.showMailbox},
		{"GET " + mailboxPath + "/{id}", people.Read, s.showMailbox},
		{"GET " + mailboxPath + "/{id}/html", people.Read, s.mailHTML},
	}
}

func (s *Server) showMailbox(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.page(w, r, o, phrase.T("web.mailbox.title"), "")
	if err != nil {
		return err
	}
	box := view.Mailbox{Page: page}
	chosen, _ := number(r.PathValue("id"))
	for _, m := range s.Mailbox() {
		row := view.MailRow{
			ID: strconv.Itoa(m.ID), Href: mailboxPath + "/" + strconv.Itoa(m.ID), To: strings.Join(m.To, ", "),
			Subject: m.Subject, At: m.At, Current: m.ID == chosen,
		}
		box.Mails = append(box.Mails, row)
		if row.Current {
			box.Open = &view.Mail{MailRow: row, From: m.From, Text: m.Text}
			if m.HTML != "" {
				box.Open.HTMLSrc = row.Href + "/html"
			}
		}
	}
	if r.PathValue("id") != "" && box.Open == nil {
		return fault.NotFound(phrase.T("webmain.no_such_mail"))
	}
	// This one page has a frame.
	h := w.Header()
	h.Set("Content-Security-Policy", strings.TrimPrefix(h.Get("Content-Security-Policy")+"; frame-src 'self'", "; "))
	return draw(w, r, http.StatusOK, view.MailboxPage(box))
}

// mailHTML is the HTML of a mail for the frame. It is somebody else's: nothing
// in it runs or loads, and what it links to opens in the whole window.
func (s *Server) mailHTML(w http.ResponseWriter, r *http.Request) error {
	chosen, _ := number(r.PathValue("id"))
	mails := s.Mailbox()
	i := slices.IndexFunc(mails, func(m Mail) bool { return m.ID == chosen && m.HTML != "" })
	if i < 0 {
		return fault.NotFound(phrase.T("webmain.no_such_mail"))
	}
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'self'; form-action 'none'; frame-ancestors 'self'; "+
		"sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write([]byte(openTop(mails[i].HTML))) // a browser that has left is no error of ours
	return nil
}

// openTop makes the links of a mail leave the frame.
func openTop(html string) string {
	const base = `<base target="_top">`
	if i := strings.Index(strings.ToLower(html), "<head>"); i >= 0 {
		i += len("<head>")
		return html[:i] + base + html[i:]
	}
	return base + html
}
