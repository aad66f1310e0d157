package web

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) acknowledge(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "ack", s.Dispatch.Acknowledge)
}

func (s *Server) unacknowledge(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "unack", s.Dispatch.Unacknowledge)
}

func (s *Server) resolve(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "resolve", s.Dispatch.Resolve)
}

// snooze reads "for", one of what the menu offers, or "until", a time in the
// zone of whoever asks.
func (s *Server) snooze(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "snooze", func(ctx context.Context, actor people.Actor, n id.Incident) (incident.Incident, error) {
		o, err := s.organisation(ctx)
		if err != nil {
			return incident.Incident{}, err
		}
		until, err := snoozeUntil(r.PostFormValue("for"), r.PostFormValue("until"), o.Settings.SnoozeMorningAt, s.Now().In(o.Users[actor.User].Location()))
		if err != nil {
			return incident.Incident{}, err
		}
		return s.Dispatch.Snooze(ctx, actor, n, until)
	})
}

// snoozeUntil reads when a snooze is over; now is in the zone of whoever asks.
func snoozeUntil(how, until, morningAt string, now time.Time) (time.Time, error) {
	switch how {
	case "morning":
		return nextMorning(morningAt, now), nil
	case "monday":
		return nextMonday(morningAt, now), nil
	case "":
	default:
		d, err := time.ParseDuration(how)
		if err != nil {
			return time.Time{}, fault.Invalid("for", phrase.T("webmain.bad_time"))
		}
		return now.Add(d), nil
	}
	if at, err := time.Parse(time.RFC3339, until); err == nil {
		return at, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if at, err := time.ParseInLocation(layout, until, now.Location()); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fault.Invalid("until", phrase.T("webmain.bad_time"))
}

// nextMorning is the next time the local clock shows at.
func nextMorning(at string, now time.Time) time.Time {
	clock, err := time.Parse("15:04", at)
	if err != nil {
		clock = time.Date(0, 1, 1, 9, 0, 0, 0, time.UTC)
	}
	y, m, d := now.Date()
	morning := time.Date(y, m, d, clock.Hour(), clock.Minute(), 0, 0, now.Location())
	if morning.Sub(now) < dispatch.MinSnooze {
		morning = time.Date(y, m, d+1, clock.Hour(), clock.Minute(), 0, 0, now.Location())
	}
	return morning
}

// nextMonday is the next morning that is a Monday's. It is never further than a
// snooze may be, although a week can have an hour more.
func nextMonday(at string, now time.Time) time.Time {
	morning := nextMorning(at, now)
	for morning.Weekday() != time.Monday {
		morning = morning.AddDate(0, 0, 1)
	}
	if latest := now.Add(dispatch.MaxSnooze); morning.After(latest) {
		return latest
	}
	return morning
}

// reroute reads "to": "policy:<id>" or "user:<id>".
func (s *Server) reroute(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "reroute", func(ctx context.Context, actor people.Actor, n id.Incident) (incident.Incident, error) {
		kind, to, _ := strings.Cut(r.PostFormValue("to"), ":")
		switch kind {
		case "policy":
			return s.Dispatch.RerouteToPolicy(ctx, actor, n, id.Policy(to))
		case "user":
			return s.Dispatch.RerouteToUser(ctx, actor, n, id.User(to))
		}
		return incident.Incident{}, fault.Invalid("to", phrase.T("webmain.choose_target"))
	})
}

// addResponders reads "user", several times, and "policy", which stands for
// whom that policy would page first now.
func (s *Server) addResponders(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "responders", func(ctx context.Context, actor people.Actor, n id.Incident) (incident.Incident, error) {
		o, err := s.organisation(ctx)
		if err != nil {
			return incident.Incident{}, err
		}
		var users []id.User
		for _, u := range r.PostForm["user"] {
			users = append(users, id.User(u))
		}
		if p := id.Policy(r.PostFormValue("policy")); p != "" {
			first, err := firstOf(o, p, s.Now())
			if err != nil {
				return incident.Incident{}, err
			}
			users = append(users, first...)
		}
		slices.Sort(users)
		return s.Dispatch.AddResponders(ctx, actor, n, slices.Compact(users)...)
	})
}

// firstOf is whom a policy pages first.
func firstOf(o *org.Org, p id.Policy, now time.Time) ([]id.User, error) {
	policy, ok := o.Policies[p]
	if !ok {
		return nil, fault.Invalid("policy", phrase.T("dispatch.no_such_policy"))
	}
	for _, step := range policy.Steps {
		if users := reachable(o, step, now); len(users) > 0 {
			return users, nil
		}
	}
	return nil, fault.Invalid("policy", phrase.T("webmain.policy_reaches_nobody", policy.Name))
}

func reachable(o *org.Org, step escalation.Step, now time.Time) []id.User {
	var users []id.User
	for _, t := range step.Targets {
		for _, p := range o.Whom(now)(t) {
			if p.Reachable && !slices.Contains(users, p.User) {
				users = append(users, p.User)
			}
		}
	}
	return users
}

func (s *Server) addNote(w http.ResponseWriter, r *http.Request) error {
	actor, n := actorOf(r), incidentOf(r.PathValue("n"))
	_, err := s.sent.once(r.Context(), actor.User, r.PostFormValue("nonce"), s.Now(), func(ctx context.Context) (id.Seq, error) {
		_, err := s.Dispatch.AddNote(ctx, actor, n, r.PostFormValue("text"))
		return 0, err
	})
	return s.posted(w, r, incidentHref(n), err)
}

type action func(context.Context, people.Actor, id.Incident) (incident.Incident, error)

// act is the shape of every action from the browser: do it, then show the card
// to a script, or the page the form was on to everybody else.
func (s *Server) act(w http.ResponseWriter, r *http.Request, name string, do action) error {
	if err := r.ParseForm(); err != nil {
		return fault.Invalid("", phrase.T("webmain.bad_form")).Because(err)
	}
	n := incidentOf(r.PathValue("n"))
	_, err := do(r.Context(), actorOf(r), n)
	if isFragment(r) {
		if err != nil {
			return err
		}
		return s.drawCard(w, r, n)
	}
	back := returnTo(r)
	if back == "/" {
		back = incidentHref(n)
	}
	switch {
	case fault.Is(err, fault.CodeConflict), fault.Is(err, fault.CodeInvalid):
		s.flash(w, view.Flash{Tone: "warning", Text: fault.MessageOf(err)})
		return redirect(w, r, back)
	case err != nil:
		return err
	}
	return s.done(w, r, back, phrase.T("web.script.done."+name, strconv.FormatInt(int64(n), 10)))
}

func incidentHref(n id.Incident) string { return "/incidents/" + strconv.FormatInt(int64(n), 10) }
