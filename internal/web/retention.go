package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/retention"
	"github.com/watchroom/watchroom/internal/story"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) retentionRoutes() []Route {
	return []Route{
		{"GET /settings/retention", people.Manage, s.showRetention},
		{"POST /settings/retention", people.Manage, s.saveRetention},
	}
}

func (s *Server) showRetention(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	return s.retentionPage(w, r, http.StatusOK, o, o.Settings.Retention, view.Retention{})
}

// retentionPage completes v with what is kept now, and with the days of a
// setting where the person has typed none.
func (s *Server) retentionPage(w http.ResponseWriter, r *http.Request, status int, o *org.Org, setting org.Retention, v view.Retention) error {
	ctx := r.Context()
	page, err := s.settingsPage(w, r, o, phrase.T("settings.nav.retention"))
	if err != nil {
		return err
	}
	v.Page = page
	kept, err := s.Store.Oldest(ctx)
	if err != nil {
		return err
	}
	oldest := map[string]time.Time{
		"messages": kept.Message, "incidents": kept.Incident, "entries": kept.Entry, "deliveries": kept.Delivery, "outputs": kept.Command, "commands": kept.Command,
	}
	if v.Classes == nil {
		for _, c := range setting.Classes() {
			v.Classes = append(v.Classes, view.RetentionClass{Name: c.Name, Days: view.Days(c.Days)})
		}
	}
	for i, c := range v.Classes {
		v.Classes[i].Oldest = oldest[c.Name]
	}
	cursors, err := s.Store.Cursors(ctx)
	if err != nil {
		return err
	}
	v.RanAt = retention.RanAt(cursors)
	removals, err := s.Store.Removals(ctx, 1)
	if err != nil {
		return err
	}
	if len(removals) > 0 {
		v.LastAt, v.Last = removals[0].At, story.Parts(removals[0], namesOf(o, page.Viewer.Zone))
	}
	return draw(w, r, status, view.RetentionPage(v))
}

// saveRetention asks once more before it saves what removes something at once.
// The second word holds for the days that were shown, and for no others.
func (s *Server) saveRetention(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.organisation(ctx)
	if err != nil {
		return err
	}
	var setting org.Retention
	v, errs := view.Retention{}, fields{}
	for _, c := range setting.Classes() {
		typed := text(r, c.Name)
		v.Classes = append(v.Classes, view.RetentionClass{Name: c.Name, Days: typed})
		days, err := strconv.Atoi(typed)
		if typed != "" && (err != nil || days < 0 || days > org.MostDays) {
			errs[c.Name] = phrase.T("retention.days.wrong", org.MostDays)
		}
		setting.Set(c.Name, days)
	}
	if len(errs) > 0 {
		v.Errors = errs
		return s.retentionPage(w, r, http.StatusUnprocessableEntity, o, setting, v)
	}
	look := text(r, "do") == "look"
	if look || text(r, "sure") != spelled(setting) && setting != o.Settings.Retention {
		would, err := retention.Preview(ctx, s.Store, setting)
		if err != nil {
			return err
		}
		v.Would, v.AtLeast, v.Asked = counts(would), would.AtLeast, true
		if !look && (would.Rows() > 0 || would.AtLeast) {
			v.Sure = spelled(setting)
		}
		if look || v.Sure != "" {
			return s.retentionPage(w, r, http.StatusOK, o, setting, v)
		}
	}
	return s.keepFor(ctx, w, r, setting)
}

func spelled(setting org.Retention) string {
	var days []string
	for _, c := range setting.Classes() {
		days = append(days, strconv.Itoa(c.Days))
	}
	return strings.Join(days, ",")
}

func (s *Server) keepFor(ctx context.Context, w http.ResponseWriter, r *http.Request, setting org.Retention) error {
	_, err := s.Dispatch.ChangeOrg(ctx, actorOf(r), func(o *org.Org) ([]org.Change, error) {
		settings := o.Settings
		settings.Retention = setting
		return []org.Change{org.Put(settings)}, nil
	})
	if err != nil {
		return err
	}
	return s.done(w, r, "/settings/retention", phrase.T("settings.saved"))
}

func counts(f retention.Forecast) (all []view.RetentionCount) {
	retention.EachCount(f.Removed, func(what string, n int64) {
		if what != "bytes" {
			all = append(all, view.RetentionCount{What: what, N: n, Bytes: f.Bytes})
		}
	})
	return all
}
