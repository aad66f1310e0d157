package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	job "github.com/watchroom/watchroom/internal/heartbeat"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

const heartbeatsPath = "/settings/heartbeats"

func (s *Server) heartbeatRoutes() []Route {
	return []Route{
		{"GET /settings/heartbeats", people.Read, s.showHeartbeats},
		{"POST /settings/heartbeats", people.Manage, unkept(s.newHeartbeat)},
		{"POST /settings/heartbeats/{id}/pause", people.Manage, s.pauseHeartbeat(true)},
		{"POST /settings/heartbeats/{id}/resume", people.Manage, s.pauseHeartbeat(false)},
		{"POST /settings/heartbeats/{id}/renew", people.Manage, unkept(s.renewHeartbeat)},
		{"POST /settings/heartbeats/{id}/delete", people.Manage, s.deleteHeartbeat},
	}
}

func (s *Server) showHeartbeats(w http.ResponseWriter, r *http.Request) error {
	return s.heartbeatsPage(w, r, http.StatusOK, view.HeartbeatForm{}, view.FreshHeartbeat{})
}

// heartbeatsPage draws the jobs; fresh is an address that is shown once.
func (s *Server) heartbeatsPage(w http.ResponseWriter, r *http.Request, status int, f view.HeartbeatForm, fresh view.FreshHeartbeat) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("heartbeats.title"))
	if err != nil {
		return err
	}
	beats, err := s.Store.Beats(r.Context())
	if err != nil {
		return err
	}
	now, err := s.Store.Now(r.Context())
	if err != nil {
		return err
	}
	states := dispatch.HeartbeatStates(o, beats, now)
	l := view.HeartbeatList{Page: page, Form: f, Fresh: fresh}
	for _, h := range org.Sorted(o.Heartbeats, func(h job.Heartbeat) string { return h.Name }) {
		state := states[h.ID]
		l.Rows = append(l.Rows, view.HeartbeatRow{
			ID: string(h.ID), Name: h.Name, Slug: h.Slug, Key: h.RoutingKey, Rhythm: rhythm(h),
			State: stateOf(h, state, now), LastAt: state.LastAt(), DueAt: state.Due,
		})
	}
	l.Form.Zones = zones()
	for _, k := range sortedKeys(o) {
		l.Form.Keys = append(l.Form.Keys, view.Option{Value: k.Name, Label: k.Name, Selected: k.Name == text(r, "key")})
	}
	l.Form.Teams = teamOptions(o, text(r, "team"))
	return draw(w, r, status, view.HeartbeatsPage(l))
}

// rhythm says when a job must call.
func rhythm(h job.Heartbeat) string {
	switch {
	case h.Every != 0:
		return phrase.T("heartbeats.rhythm.every", h.Every)
	case h.Zone == "":
		return phrase.T("heartbeats.rhythm.cron", h.Cron, "UTC")
	}
	return phrase.T("heartbeats.rhythm.cron", h.Cron, h.Zone)
}

// stateOf names how a job is seen. Late is one whose time has come, and the
// grace not yet gone.
func stateOf(h job.Heartbeat, s dispatch.HeartbeatState, now time.Time) string {
	grace := h.Grace
	if grace == 0 {
		grace = job.DefaultGrace
	}
	switch {
	case h.Paused:
		return "paused"
	case s.Silent:
		return "silent"
	case !s.Called:
		return "waiting"
	case !s.Due.IsZero() && !now.Before(s.Due.Add(-grace.D())):
		return "late"
	}
	return "ok"
}

func (s *Server) newHeartbeat(w http.ResponseWriter, r *http.Request) error {
	f := view.HeartbeatForm{
		Name: text(r, "name"), Slug: text(r, "slug"), Every: text(r, "every"), Cron: text(r, "cron"), Zone: text(r, "zone"), Grace: text(r, "grace"),
	}
	errs := fields{}
	errs.name("name", f.Name)
	errs.slug("slug", f.Slug, f.Name)
	errs.need("key", text(r, "key"))
	h := job.Heartbeat{
		Name: f.Name, Slug: f.Slug, Team: id.Team(text(r, "team")), RoutingKey: text(r, "key"), Cron: f.Cron, Zone: f.Zone,
		Every: errs.length("every", f.Every), Grace: errs.length("grace", f.Grace),
	}
	if h.Slug == "" {
		h.Slug = id.Slug(f.Name)
	}
	if f.Errors = errs; len(errs) > 0 {
		return s.heartbeatsPage(w, r, http.StatusUnprocessableEntity, f, view.FreshHeartbeat{})
	}
	key, made, err := s.Dispatch.NewHeartbeat(r.Context(), actorOf(r), h)
	if status, message, ok := shown(err); ok {
		f.Errors, f.Error = placeHeartbeat(message)
		return s.heartbeatsPage(w, r, status, f, view.FreshHeartbeat{})
	}
	if err != nil {
		return err
	}
	return s.heartbeatsPage(w, r, http.StatusOK, view.HeartbeatForm{}, s.freshHeartbeat(made, key))
}

// length reads a duration such as 5m; an empty one is 0.
func (f fields) length(name, value string) escalation.Duration {
	if value == "" {
		return 0
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		f[name] = phrase.T("heartbeats.bad_duration")
	}
	return escalation.Duration(d)
}

// placeHeartbeat puts the sentence of package heartbeat beside its field.
func placeHeartbeat(message string) (errs map[string]string, rest string) {
	for _, name := range []string{"slug", "every", "cron", "zone", "grace", "team"} {
		if strings.Contains(message, ": "+name+":") || name == "slug" && strings.Contains(message, "is taken already") {
			return map[string]string{name: message}, ""
		}
	}
	return nil, message
}

// freshHeartbeat is the address of a job as it is shown once.
func (s *Server) freshHeartbeat(h job.Heartbeat, key string) view.FreshHeartbeat {
	address := s.PublicURL + "/heartbeat/" + key
	return view.FreshHeartbeat{Name: h.Name, URL: address, Curl: "curl -fsS -m 10 --retry 5 -o /dev/null " + address}
}

func (s *Server) renewHeartbeat(w http.ResponseWriter, r *http.Request) error {
	key, h, err := s.Dispatch.RenewHeartbeat(r.Context(), actorOf(r), job.ID(r.PathValue("id")))
	if err != nil {
		return err
	}
	return s.heartbeatsPage(w, r, http.StatusOK, view.HeartbeatForm{}, s.freshHeartbeat(h, key))
}

func (s *Server) pauseHeartbeat(paused bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := s.Dispatch.PauseHeartbeat(r.Context(), actorOf(r), job.ID(r.PathValue("id")), paused)
		message := phrase.T("heartbeats.resumed")
		if paused {
			message = phrase.T("heartbeats.paused")
		}
		return s.did(w, r, err, heartbeatsPath, heartbeatsPath, message)
	}
}

func (s *Server) deleteHeartbeat(w http.ResponseWriter, r *http.Request) error {
	err := s.Dispatch.DeleteHeartbeat(r.Context(), actorOf(r), job.ID(r.PathValue("id")))
	return s.did(w, r, err, heartbeatsPath, heartbeatsPath, phrase.T("settings.deleted"))
}
