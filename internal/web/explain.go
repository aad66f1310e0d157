package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/explain"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/maintenance"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) explainRoutes() []Route {
	return []Route{{"GET /explain", people.Read, s.showExplain}}
}

// The slider goes through the next week in steps of a quarter of an hour.
const (
	slideFor  = 7 * 24 * time.Hour
	slideStep = 15 * time.Minute
)

// showExplain answers who would be paged. A question that makes no sense is
// asked again, beside what was wrong with it.
func (s *Server) showExplain(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.page(w, r, o, phrase.T("explain_web.title"), "settings")
	if err != nil {
		return err
	}
	now := s.Now().In(page.Viewer.Zone)
	v := view.Explain{Page: page, Steps: int(slideFor / slideStep), Errors: map[string]string{}}
	q := explain.Question{Severity: alert.Type(text(r, "severity")), RoutingKey: text(r, "key"), Team: id.Team(text(r, "team")), EntityID: text(r, "entity")}
	if !r.URL.Query().Has("severity") {
		q.Severity, q.RoutingKey = alert.Critical, firstKey(o)
	}
	at, ahead, ok := slid(r, now)
	if !ok {
		v.Errors["at"] = phrase.T("paging_web.preview.when")
	}
	q.At, q.Zone, q.Windows = at, page.Viewer.Zone, windowsOf(o)
	v.Key, v.Entity, v.At, v.Ahead = q.RoutingKey, q.EntityID, at.Format(typedForm), ahead
	v.Now, v.Zone = slideStart(now).UTC().Format(time.RFC3339), page.Viewer.Zone.String()
	v.Severities = chosen("web.severity.", string(q.Severity), string(alert.Critical), string(alert.Warning), string(alert.Info))
	v.Teams = append([]view.Option{{Label: phrase.T("explain_web.team.none")}}, teamOptions(o, string(q.Team))[1:]...)
	for _, k := range org.Sorted(o.Keys, func(k routing.Key) string { return k.Name }) {
		v.Keys = append(v.Keys, k.Name)
	}
	status := http.StatusOK
	if err := q.Validate(); err != nil {
		v.Problem, status = err.Error(), http.StatusUnprocessableEntity
	} else {
		answer := explain.Explain(o, q)
		v.Route, v.Text, v.Paths = answer.Route, answer.Text(), explainPaths(o, answer)
	}
	return draw(w, r, status, view.ExplainPage(v))
}

// firstKey is a key to begin with.
func firstKey(o *org.Org) string {
	for _, k := range org.Sorted(o.Keys, func(k routing.Key) string { return k.Name }) {
		return k.Name
	}
	return ""
}

func windowsOf(o *org.Org) []maintenance.Window {
	all := make([]maintenance.Window, 0, len(o.Maintenance))
	all = append(all, org.Sorted(o.Maintenance, func(w maintenance.Window) string { return string(w.ID) })...)
	return all
}

// slideStart is where the slider begins: the quarter of an hour that runs.
func slideStart(now time.Time) time.Time { return now.Truncate(slideStep) }

// slid is the instant that is asked about. There are two fields for it: whoever
// has moved the slider and not touched the other means the slider.
func slid(r *http.Request, now time.Time) (at time.Time, ahead int, ok bool) {
	start := slideStart(now)
	typed, was := text(r, "at"), text(r, "was")
	steps, slides := number(text(r, "ahead"))
	switch {
	case slides && steps >= 0 && steps <= int(slideFor/slideStep) && (typed == "" || typed == was):
		if steps == 0 {
			return now, 0, true
		}
		return start.Add(time.Duration(steps) * slideStep), steps, true
	case typed == "":
		return now, 0, true
	}
	at, ok = instantTyped(typed, now.Location())
	if !ok {
		return now, 0, false
	}
	return at, min(max(0, int(at.Sub(start)/slideStep)), int(slideFor/slideStep)), true
}

func explainPaths(o *org.Org, a explain.Answer) []view.ExplainPath {
	paths := make([]view.ExplainPath, 0, len(a.Paths))
	for _, p := range a.Paths {
		paths = append(paths, explainPath(o, p))
	}
	return paths
}

func explainPath(o *org.Org, p explain.Path) view.ExplainPath {
	v := view.ExplainPath{Policy: p.PolicyName, Team: p.TeamName, Urgency: string(p.Urgency), Cut: p.Cut, Nobody: p.Urgency != "" && p.Paged == 0, Paged: p.Paged}
	if p.Policy != "" {
		v.Href = policiesPath + "/" + string(p.Policy)
	}
	if p.Mute != nil {
		v.Mute, v.MuteUntil = p.Mute.Name, p.Mute.Until
	}
	v.MayMute = p.MayMute
	for _, e := range p.Events {
		ev := view.ExplainEvent{At: e.At, After: capital(sinceStart(e.After.D())), Text: e.Text, Note: e.Note, Kind: string(e.Kind), Told: e.Told}
		for _, who := range e.People {
			ev.People = append(ev.People, explainPerson(who))
		}
		v.Events = append(v.Events, ev)
	}
	v.Picture = picture(p)
	return v
}

func explainPerson(who explain.Person) view.ExplainPerson {
	person := view.ExplainPerson{Name: who.Name, Why: who.Why, Reason: who.Reason, Skipped: skipped(who.Skipped)}
	for _, a := range who.Attempts {
		person.Attempts = append(person.Attempts, view.PagingAttempt{
			Method: string(a.Method), Kind: capital(a.Method.Words()), To: a.To, When: capital(sinceStart(a.After.D())), At: a.At,
		})
	}
	if who.Again > 0 {
		person.Again = phrase.T("paging_web.preview.again", spoken(who.Again.D()))
	}
	return person
}

// How the picture is drawn.
const (
	pictured = 24 * time.Hour // what comes later is in the text
	crowded  = 5.0            // marks nearer than this, in hundredths of the width, are put below one another
	ticks    = 5
)

// picture puts every message on a line from the first event to the last, one
// row for each person.
func picture(p explain.Path) view.Picture {
	var pic view.Picture
	if len(p.Events) == 0 {
		return pic
	}
	start, length := p.Events[0].At, time.Minute
	each := func(do func(who explain.Person, a explain.Attempt, after time.Duration)) {
		for _, e := range p.Events {
			for _, who := range e.People {
				for _, a := range who.Attempts {
					if after := a.At.Sub(start); after <= pictured {
						do(who, a, after)
					}
				}
			}
		}
	}
	each(func(_ explain.Person, _ explain.Attempt, after time.Duration) { length = max(length, after) })
	length = niceLength(length)
	row := func(name string) *view.PictureRow {
		i := slices.IndexFunc(pic.Rows, func(r view.PictureRow) bool { return r.Name == name })
		if i < 0 {
			pic.Rows, i = append(pic.Rows, view.PictureRow{Name: name}), len(pic.Rows)
		}
		return &pic.Rows[i]
	}
	each(func(who explain.Person, a explain.Attempt, after time.Duration) {
		mark := view.Mark{X: percent(after, length), Method: string(a.Method), Title: phrase.T("explain_web.mark", who.Name, a.Method.Words(), sinceStart(after))}
		row(who.Name).Put(mark, crowded)
	})
	for _, e := range p.Events {
		if after := e.At.Sub(start); after <= length {
			pic.Steps = append(pic.Steps, percent(after, length))
		}
	}
	for i := range ticks {
		at := length * time.Duration(i) / (ticks - 1)
		pic.Ticks = append(pic.Ticks, view.Tick{X: percent(at, length), Label: tickLabel(at)})
	}
	return pic
}

// niceLength makes the ticks fall on numbers that people count in.
func niceLength(d time.Duration) time.Duration {
	for _, minutes := range []time.Duration{1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240} {
		if length := minutes * time.Minute * (ticks - 1); d <= length {
			return length
		}
	}
	return pictured
}

// percent leaves room for the marks at both ends.
func percent(at, length time.Duration) float64 { return 3 + 94*float64(at)/float64(length) }

func tickLabel(at time.Duration) string {
	if at >= 3*time.Hour {
		return strconv.FormatFloat(at.Hours(), 'f', -1, 64) + phrase.T("explain_web.unit.h")
	}
	return strconv.FormatFloat(at.Minutes(), 'f', -1, 64) + phrase.T("explain_web.unit.min")
}
