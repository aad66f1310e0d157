package email

import (
	"embed"
	"fmt"
	"html/template"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
)

//go:embed templates
var templates embed.FS

// What a mail may grow to; the incident room has the rest.
const (
	maxSubject = 150   // characters
	maxTitle   = 300   // characters
	maxMessage = 50000 // characters
	maxListed  = 50    // incidents in one mail
)

// rendered is a page in words.
type rendered struct{ Subject, Text, HTML string }

type renderer struct {
	text    *texttemplate.Template
	html    *template.Template
	homeURL string
}

func newRenderer(homeURL string) (*renderer, error) {
	words := map[string]any{"T": phrase.T, "N": phrase.N}
	text, err := texttemplate.New("text").Funcs(words).ParseFS(templates, "templates/*.txt")
	if err != nil {
		return nil, fmt.Errorf("mail templates: %w", err)
	}
	html, err := template.New("html").Funcs(words).ParseFS(templates, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("mail templates: %w", err)
	}
	return &renderer{text: text, html: html, homeURL: homeURL}, nil
}

// view is what the templates see. Every string from outside is cleaned.
type view struct {
	Subject  string
	Preview  string // what a phone shows below the subject
	Greeting string
	To       string
	Drill    bool
	Colour   template.CSS

	One     *incident  // a page about one incident
	Many    []incident // a page about several
	More    int        // how many are not in Many
	MoreURL string
	Notice  *notice // neither
}

type incident struct {
	Number   int64
	Title    string
	Severity string
	Colour   template.CSS
	Message  [][]span // lines
	Lines    []string // the same for the text
	Facts    []fact
	Reason   string
	URL      string
	Ack      string
	Resolve  string
}

type fact struct{ Name, Value string }

type notice struct {
	Title  string
	Lines  []string
	Action string
	URL    string
}

func (r *renderer) page(p notify.Page) (rendered, error) {
	v := r.view(p)
	var text, html strings.Builder
	if err := r.text.ExecuteTemplate(&text, "page.txt", v); err != nil {
		return rendered{}, err // says which template
	}
	if err := r.html.ExecuteTemplate(&html, "page.html", v); err != nil {
		return rendered{}, err // says which template
	}
	return rendered{Subject: v.Subject, Text: text.String(), HTML: html.String()}, nil
}

func (r *renderer) view(p notify.Page) view {
	v := view{Drill: p.Drill, To: oneLine(p.To, 200), Greeting: phrase.T("mail.greeting.nobody")}
	if name := oneLine(p.UserName, 60); name != "" {
		v.Greeting = phrase.T("mail.greeting", name)
	}
	zone := p.Zone
	if zone == nil {
		zone = time.UTC
	}
	switch {
	case p.Notice != nil:
		v.Notice = noticeView(*p.Notice)
		v.Subject, v.Preview, v.Colour = v.Notice.Title, strings.Join(v.Notice.Lines, " "), severityColour("")
	case len(p.Incidents) == 1:
		one := incidentView(p.Incidents[0], zone)
		v.One, v.Colour, v.Preview = &one, one.Colour, one.Reason
		v.Subject = phrase.T("mail.subject.one", one.Number, one.Severity, one.Title)
	default:
		r.bundle(&v, p.Incidents, zone)
	}
	if v.Drill {
		v.Subject = phrase.T("mail.subject.drill", v.Subject)
	}
	v.Subject, v.Preview = oneLine(v.Subject, maxSubject), oneLine(v.Preview, 140)
	return v
}

// bundle is a page about several incidents: which broke, with a link to each.
func (r *renderer) bundle(v *view, all []notify.PageIncident, zone *time.Location) {
	v.Colour = severityColour("")
	titles := make([]string, 0, 3)
	for i, inc := range all {
		if strings.EqualFold(inc.Severity, "critical") {
			v.Colour = severityColour("critical")
		}
		if i < maxListed {
			v.Many = append(v.Many, incidentView(inc, zone))
		}
		if i < 3 {
			titles = append(titles, oneLine(title(inc), 45))
		}
	}
	names := strings.Join(titles, ", ")
	if more := len(all) - len(titles); more > 0 {
		names = phrase.N("mail.subject.more", more, names)
	}
	v.Subject = phrase.N("mail.subject.many", len(all), names)
	v.More, v.MoreURL = len(all)-len(v.Many), r.homeURL
	v.Preview = v.Many[0].Reason
}

func title(inc notify.PageIncident) string {
	for _, s := range []string{inc.Title, inc.EntityID, inc.Message} {
		if s = oneLine(s, maxTitle); s != "" {
			return s
		}
	}
	return phrase.T("mail.untitled")
}

func incidentView(inc notify.PageIncident, zone *time.Location) incident {
	v := incident{
		Number:   int64(inc.Number),
		Title:    title(inc),
		Severity: severity(inc.Severity),
		Colour:   severityColour(inc.Severity),
		Lines:    lines(inc.Message, maxMessage),
		Reason:   oneLine(inc.Reason, 500),
		URL:      inc.URL,
		Ack:      inc.AckURL,
		Resolve:  inc.ResolveURL,
	}
	for _, line := range v.Lines {
		v.Message = append(v.Message, spans(line))
	}
	add := func(key, value string) {
		if value = oneLine(value, maxTitle); value != "" {
			v.Facts = append(v.Facts, fact{phrase.T(key), value})
		}
	}
	add("mail.fact.team", inc.Team)
	add("mail.fact.entity", inc.EntityID)
	add("mail.fact.host", inc.Host)
	add("mail.fact.tool", inc.Tool)
	add("mail.fact.routing_key", inc.RoutingKey)
	if !inc.TriggeredAt.IsZero() {
		add("mail.fact.triggered", when(inc.TriggeredAt, zone))
	}
	if inc.AlertCount > 1 {
		add("mail.fact.alerts", fmt.Sprint(inc.AlertCount))
	}
	return v
}

// when names the zone twice, as CET (Europe/Berlin): the first says which side
// of a daylight-saving change it is, the second what the first means.
func when(at time.Time, zone *time.Location) string {
	at = at.In(zone)
	abbreviation, _ := at.Zone()
	name := zone.String()
	text := at.Format("Mon 2 Jan 2006, 15:04:05 ") + abbreviation
	if name == abbreviation || name == "Local" {
		return text
	}
	return text + " (" + name + ")"
}

func severity(s string) string {
	key := "mail.severity." + strings.ToLower(s)
	if phrase.Has(key) {
		return phrase.T(key)
	}
	if s = oneLine(s, 30); s != "" {
		return s
	}
	return phrase.T("mail.severity.unknown")
}

// severityColour carries white text with a contrast above 4.5.
func severityColour(s string) template.CSS {
	switch strings.ToLower(s) {
	case "critical":
		return "#b3261e"
	case "warning":
		return "#8a5300"
	default:
		return "#335c81"
	}
}

func noticeView(n notify.Notice) *notice {
	v := notice{Title: oneLine(n.Subject, maxSubject), Action: oneLine(n.Action, 60), URL: n.URL}
	for _, line := range n.Lines {
		v.Lines = append(v.Lines, strings.Join(lines(line, maxMessage), "\n"))
	}
	return &v
}
