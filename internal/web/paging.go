package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	pagingplan "github.com/watchroom/watchroom/internal/paging"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// pagingRoutes are there twice, as contactRoutes are.
func (s *Server) pagingRoutes() []Route {
	var all []Route
	for _, of := range []struct {
		base string
		may  people.Permission
	}{{profilePath, people.OwnSelf}, {peoplePath + "/{person}", people.Manage}} {
		all = append(all, []Route{
			{"GET " + of.base + "/paging", of.may, s.showPaging},
			{"POST " + of.base + "/paging", of.may, s.savePaging},
			{"POST " + of.base + "/paging/preview", of.may, s.previewPaging},
			{"POST " + of.base + "/paging/reset", of.may, s.resetPaging},
			{"POST " + of.base + "/reminders", of.may, s.saveReminders},
		}...)
	}
	return all
}

func (s *Server) showPaging(w http.ResponseWriter, r *http.Request) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	return s.pagingPage(w, r, http.StatusOK, p, draftOfPaging(p.user), nil)
}

func (s *Server) pagingPage(w http.ResponseWriter, r *http.Request, status int, p reached, d pagingDraft, problem error) error {
	page, err := s.settingsPage(w, r, p.org, phrase.T("contacts_web.tab.paging"))
	if err != nil {
		return err
	}
	f := d.form(p.user)
	f.Page, f.Whose, f.Stored, f.Nothing = page, p.whose, p.user.Paging != nil, len(p.user.Contacts) == 0
	f.Preview = pagingPreview(p.user, d, s.Now())
	for _, reminder := range people.Reminders {
		f.Reminders = append(f.Reminders, view.Option{
			Value: string(reminder), Label: phrase.T("paging_web.reminder." + string(reminder)), Selected: slices.Contains(p.user.Reminders, reminder),
		})
	}
	if problem != nil {
		if _, f.Errors = d.policy(); len(f.Errors) == 0 {
			f.Error = fault.MessageOf(problem)
		}
	}
	return draw(w, r, status, view.PagingPage(f))
}

// savePaging answers every button of the editor, as saveRotation does.
func (s *Server) savePaging(w http.ResponseWriter, r *http.Request) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	d := readPaging(r)
	if do := text(r, "do"); do != "" {
		d.reshape(do, p.user)
		return s.pagingPage(w, r, http.StatusOK, p, d, nil)
	}
	policy, errs := d.policy()
	if len(errs) > 0 {
		return s.pagingPage(w, r, http.StatusUnprocessableEntity, p, d, fault.Invalid("", ""))
	}
	err = s.Dispatch.SetPaging(r.Context(), actorOf(r), p.user.ID, policy)
	if status, _, ok := shown(err); ok {
		return s.pagingPage(w, r, status, p, d, err)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, p.base()+"/paging", phrase.T("settings.saved"))
}

func (s *Server) resetPaging(w http.ResponseWriter, r *http.Request) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	err = s.Dispatch.SetPaging(r.Context(), actorOf(r), p.user.ID, nil)
	here := p.base() + "/paging"
	return s.did(w, r, err, here, here, phrase.T("paging_web.reset.done"))
}

func (s *Server) saveReminders(w http.ResponseWriter, r *http.Request) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return fault.Invalid("reminder", phrase.T("settings.error.choose"))
	}
	var chosen []people.Reminder
	for _, reminder := range people.Reminders {
		if slices.Contains(r.PostForm["reminder"], string(reminder)) {
			chosen = append(chosen, reminder)
		}
	}
	err = s.edit(r, p, func(u people.User) people.User {
		u.Reminders = chosen
		return u
	})
	here := p.base() + "/paging"
	return s.did(w, r, err, here, here, phrase.T("settings.saved"))
}

func (s *Server) previewPaging(w http.ResponseWriter, r *http.Request) error {
	p, err := s.reached(r)
	if err != nil {
		return err
	}
	preview := pagingPreview(p.user, readPaging(r), s.Now())
	return draw(w, r, http.StatusOK, view.PagingPreviewBox(preview, s.viewer(p.org, actorOf(r))))
}

// Of what would be sent the preview shows so much.
const (
	previewedFor      = 4 * time.Hour
	previewedAttempts = 12
)

// pagingPreview is what would happen to u under the rules of a draft.
func pagingPreview(u people.User, d pagingDraft, now time.Time) view.PagingPreview {
	at := now.In(u.Location())
	if d.At != "" {
		typed, ok := instantTyped(d.At, u.Location())
		if !ok {
			return view.PagingPreview{Problem: phrase.T("paging_web.preview.when")}
		}
		at = typed
	}
	d.Rules = slices.Clone(d.Rules)
	for i := range d.Rules { // a name is not needed to foresee
		if d.Rules[i].Name == "" {
			d.Rules[i].Name = phrase.T("paging_web.rule", i+1)
		}
	}
	policy, errs := d.policy()
	if len(errs) > 0 {
		return view.PagingPreview{Problem: phrase.T("settings.policy.preview.wait")}
	}
	u.Paging = policy
	chain := pagingplan.Plan(u, d.urgency(), at, false)
	v := view.PagingPreview{Reason: chain.Reason}
	if chain.Empty() {
		return view.PagingPreview{Problem: chain.Reason, Skipped: skipped(chain.Skipped)}
	}
	for _, a := range chain.Attempts[:min(len(chain.Attempts), previewedAttempts)] {
		if a.After-chain.Attempts[0].After > previewedFor {
			break
		}
		row, when := contactRow("", a.Contact), capital(sinceStart(a.After))
		if a.After > previewedFor { // it waits for a time of day
			when = phrase.T("paging_web.on", at.Add(a.After).In(u.Location()).Format("Mon 2 Jan"))
		}
		v.Attempts = append(v.Attempts, view.PagingAttempt{
			Method: row.Method, Kind: row.Kind, To: a.Contact.Shown(), When: when, At: at.Add(a.After),
		})
	}
	if chain.Again > 0 {
		v.Again = phrase.T("paging_web.preview.again", spoken(chain.Again))
	}
	v.Skipped = skipped(chain.Skipped)
	return v
}

func skipped(all []pagingplan.Skipped) []string {
	sentences := make([]string, 0, len(all))
	for _, s := range all {
		sentences = append(sentences, phrase.T("paging_web.preview.skipped", s.Shown, s.Why))
	}
	return sentences
}

// instantTyped reads what an input for local times holds, in a zone: a time that
// the clocks skip is the instant at which they jump.
func instantTyped(value string, loc *time.Location) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if wall, err := time.Parse(layout, value); err == nil && wall.Year() >= 2000 && wall.Year() <= 2999 {
			return wallInstant(wall, loc).In(loc), true
		}
	}
	return time.Time{}, false
}
