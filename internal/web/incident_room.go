package web

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/web/view"
)

// roomAlerts is how many alerts a room shows in full.
const roomAlerts = 30

// room is one incident and everything that belongs to it.
func (s *Server) room(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	n := incidentOf(r.PathValue("n"))
	o, card, err := s.card(ctx, n)
	if err != nil {
		return s.incidentGone(ctx, n, err)
	}
	inc, err := s.incident(ctx, n)
	if err != nil {
		return err
	}
	page, err := s.page(w, r, o, incidentTitle(n, inc.Title), "incidents")
	if err != nil {
		return err
	}
	room := view.Room{Page: page, Card: card, Responders: asked(o, inc, s.Now())}
	if page.Viewer.May(string(people.Respond)) {
		room.Options = responders(o)
	}
	if _, ok := o.Policies[inc.Policy]; ok && inc.Direct == "" && page.Viewer.May(string(people.Manage)) {
		room.PolicyHref = "/settings/policies/" + string(inc.Policy)
	}
	at, err := positionOf(r.URL.Query(), page.Viewer.Zone)
	if err != nil {
		return err
	}
	if room.Timeline, err = s.timeline(ctx, o, filter{incident: n}, at, page.Viewer); err != nil {
		return err
	}
	room.Timeline.Incident = n
	room.Timeline.CanPost = page.Viewer.May(string(people.Respond))
	if err := s.fillRoom(ctx, o, inc, &room); err != nil {
		return err
	}
	httpd.AllowImages(w.Header(), pictures(room.Annotations, r.URL))
	return draw(w, r, http.StatusOK, view.RoomPage(room))
}

// pictures marks those that the address asks for, by their hosts, says of the
// others how to, and returns where they are loaded from.
func pictures(all []view.Annotation, at *url.URL) (origins []string) {
	wanted := at.Query()["picture"]
	for i, a := range all {
		u, err := url.Parse(a.Value)
		if a.Kind != string(alert.Image) || err != nil || u.Scheme != "https" && u.Scheme != "http" || !plainHost.MatchString(u.Host) {
			continue
		}
		all[i].Host = u.Host
		if slices.Contains(wanted, u.Host) {
			all[i].Show = true
			origins = append(origins, u.Scheme+"://"+u.Host)
			continue
		}
		query := url.Values{"picture": append(slices.Clone(wanted), u.Host)}
		all[i].Href = at.Path + "?" + query.Encode()
	}
	return slices.Compact(slices.Sorted(slices.Values(origins)))
}

// plainHost is a host that can stand in a content security policy, where other
// signs that an address may have would begin another rule.
var plainHost = regexp.MustCompile(`^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$`)

// fillRoom adds what has to be looked up: alerts, pages and steps.
func (s *Server) fillRoom(ctx context.Context, o *org.Org, inc incident.Incident, room *view.Room) error {
	alerts, err := s.Store.Alerts(ctx, store.AlertFilter{Incident: inc.ID, Limit: roomAlerts})
	if err != nil {
		return err
	}
	for _, a := range alerts {
		room.Alerts = append(room.Alerts, alertRow(a))
	}
	if len(alerts) == roomAlerts {
		room.MoreAlerts = max(0, inc.AlertCount-roomAlerts)
	}
	room.Annotations = annotations(alerts)
	deliveries, err := s.Store.Deliveries(ctx, inc.ID)
	if err != nil {
		return err
	}
	for _, d := range slices.Backward(deliveries) {
		row := sentRow(o, d)
		row.Subject, row.Href = "", "" // the page says it
		if d.Kind == store.ToldPage {
			row.Name, row.Contact = "", d.Body.Address
		}
		room.Pages = append(room.Pages, row)
	}
	if room.Why, err = s.why(ctx, o, inc, deliveries, id.User(room.Page.Viewer.ID)); err != nil {
		return err
	}
	room.Steps, err = s.escalationSteps(ctx, o, inc)
	return err
}

func alertRow(a alert.Alert) view.AlertRow {
	row := view.AlertRow{ID: a.ID, At: a.ReceivedAt, Type: string(a.Type), Title: a.Title, Message: a.Message, Raw: a.Raw}
	add := func(label, value string) {
		if value != "" {
			row.Fields = append(row.Fields, view.Detail{Label: label, Value: value})
		}
	}
	add(phrase.T("web.detail.entity"), a.EntityID)
	add(phrase.T("web.detail.host"), a.Host)
	add(phrase.T("web.detail.tool"), a.Tool)
	add(phrase.T("web.detail.key"), a.RoutingKey)
	add(phrase.T("webmain.alert.started"), stampOf(a.StartedAt))
	add(phrase.T("webmain.alert.sent"), stampOf(a.SentAt))
	add(phrase.T("webmain.alert.ack_author"), a.AckAuthor)
	add(phrase.T("webmain.alert.ack_message"), a.AckMessage)
	for _, name := range slices.Sorted(maps.Keys(a.Fields)) {
		add(name, a.Fields[name])
	}
	return row
}

func stampOf(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}

// annotations are those of all alerts, newest first; a later one of the same
// kind and title says the same thing as it is now.
func annotations(alerts []alert.Alert) []view.Annotation {
	type name struct {
		kind  alert.AnnotationKind
		title string
	}
	seen := map[name]bool{}
	var all []view.Annotation
	for _, a := range alerts {
		fresh := map[name]bool{}
		for _, n := range a.Annotations {
			key := name{n.Kind, n.Title}
			if seen[key] {
				continue
			}
			fresh[key] = true
			all = append(all, view.Annotation{Kind: string(n.Kind), Title: n.Title, Value: n.Value})
		}
		maps.Copy(seen, fresh)
	}
	return all
}

// asked is everybody who was paged or asked to help, in order.
func asked(o *org.Org, inc incident.Incident, now time.Time) []view.PersonRow {
	onCall := map[id.User]bool{}
	for r := range o.Rotations {
		for _, shift := range o.OnCall(r, now) {
			onCall[shift.User] = true
		}
	}
	users := slices.Clone(inc.Paged)
	for _, u := range inc.Responders {
		if !slices.Contains(users, u) {
			users = append(users, u)
		}
	}
	return rows(o, users, onCall, nil)
}
