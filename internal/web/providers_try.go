package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/notify/twilio"
	"github.com/watchroom/watchroom/internal/notify/vonage"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// tryFor bounds how long an administrator waits for a provider's answer.
const tryFor = 20 * time.Second

// testProvider sends one message through this very provider, past the order in
// which providers are used, and says what it answered. It is not a delivery: a
// test of a contact method is, and this one is of the account.
func (s *Server) testProvider(w http.ResponseWriter, r *http.Request) error {
	o, p, err := s.provider(r)
	if err != nil {
		return err
	}
	user := o.Users[actorOf(r).User]
	at := slices.IndexFunc(user.Contacts, func(c people.Contact) bool { return string(c.ID) == text(r, "contact") && c.Usable() })
	if at < 0 || s.Carriers == nil || s.Box == nil {
		return fault.NotFound(phrase.T("settings.contact.gone"))
	}
	if err := s.pace(r); err != nil {
		return err
	}
	here := providersPath + "/" + string(p.ID)
	receipt, err := s.try(r.Context(), o, p, user, user.Contacts[at])
	if err != nil {
		s.flash(w, view.Flash{Tone: "critical", Text: phrase.T("providers_web.test.failed", reasonOf(err))})
		return redirect(w, r, here)
	}
	return s.done(w, r, here, phrase.T("providers_web.test.taken", user.Contacts[at].Shown(), receipt.Detail))
}

func (s *Server) try(ctx context.Context, o *org.Org, p org.Provider, user people.User, c people.Contact) (notify.Receipt, error) {
	way, ok := s.Carriers.Carrying(o, p.ID, c.Method)
	if !ok {
		return notify.Receipt{}, fault.Invalid("contact", phrase.T("settings.error.choose"))
	}
	page := notify.Page{
		Key: "try:" + id.New(), To: c.Address, UserName: user.Name, Zone: user.Location(), At: s.Now(),
		Notice: &notify.Notice{
			Subject: phrase.T("settings.testpage.subject"),
			Lines:   []string{phrase.T("providers_web.test.line", p.Name), phrase.T("settings.testpage.asked", user.Name)},
			Action:  phrase.T("providers_web.test.action"), URL: s.PublicURL + providersPath + "/" + string(p.ID),
		},
	}
	if c.Secret != "" {
		var err error
		if page.Secret, err = s.Box.Open(c.Secret); err != nil {
			return notify.Receipt{}, fault.Invalid("contact", phrase.T("providers_web.test.unsealed"))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, tryFor)
	defer cancel()
	return way.Provider.Send(ctx, page)
}

// reasonOf is a provider's refusal as people may read it; anything else is not
// shown, for nobody has promised that it holds no secret.
func reasonOf(err error) string {
	if f, ok := errors.AsType[*notify.Failure](err); ok && f.Reason != "" {
		return f.Reason
	}
	if message := fault.MessageOf(err); message != "" && fault.CodeOf(err) == fault.CodeInvalid {
		return message
	}
	return phrase.T("providers_web.test.unknown")
}

// callbacks are the addresses that have to be entered at the vendor, so that
// replies come back.
func (s *Server) callbacks(p org.Provider) []view.Link {
	if p.ID == "" {
		return nil
	}
	base := s.PublicURL + carrier.HookPath + url.PathEscape(string(p.ID))
	switch p.Kind {
	case org.Twilio:
		return []view.Link{{Label: phrase.T("providers_web.hook.twilio_sms"), Href: base + twilio.ReplyPath}}
	case org.Vonage:
		return []view.Link{
			{Label: phrase.T("providers_web.hook.vonage_sms"), Href: base + vonage.ReplyPath},
			{Label: phrase.T("providers_web.hook.vonage_status"), Href: base + vonage.StatusPath},
		}
	}
	return nil
}
