package view

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/static"
)

// gallery is every page with something in it, and each in its odd states.
func gallery() map[string]templ.Component {
	out := Page{Title: "Sign in", Viewer: Viewer{OrgName: "Harbour Light"}}
	in := sampleIncidents()
	zones := []Option{{Value: "Europe/Oslo", Label: "Europe/Oslo", Selected: true}, {Value: "UTC", Label: "UTC"}}
	home := Home{Page: samplePage("Timeline", "timeline"), Rooms: sampleRooms(), People: samplePeople(), Timeline: sampleTimeline(60), Incidents: in}
	timelinePane, peoplePane := home, home
	timelinePane.Page.Pane, peoplePane.Page.Pane = "timeline", "people"
	filtered := home
	filtered.Timeline.Filter.Groups, filtered.Timeline.Filter.Text = []string{"chat", "pages"}, "mailer"
	filtered.Incidents.Tab = "acknowledged"
	observer := samplePage("Timeline", "timeline")
	observer.Viewer.Can, observer.Viewer.Demo, observer.Triggered = nil, false, 0
	acked, resolved := sampleRoom(), sampleRoom()
	acked.Card = in.Acknowledged[0]
	resolved.Card, resolved.Steps, resolved.Pages = in.Resolved[0], nil, nil
	list := IncidentList{Page: samplePage("Incidents", "incidents"), Rows: append(append(in.Triggered[:3:3], in.Acknowledged...), in.Resolved...), Older: "/incidents?before=9"}
	mails := []MailRow{
		{ID: "1", Href: "#", To: "ana@example.org", Subject: "[Harbour Light] #142 Disk 93% full on db01", At: ago(9 * 60e9), Current: true},
		{ID: "2", Href: "#", To: "bo@example.org", Subject: "[Harbour Light] #141 p99 latency of checkout above 1.5 s", At: ago(26 * 60e9)},
	}
	confirm := func(outcome string) Confirm {
		return Confirm{Page: out, Token: "x", Action: "ack", Person: "Ana Ruiz", Card: in.Triggered[0], Outcome: outcome}
	}
	already := confirm("already")
	already.Card, already.By, already.At = in.Acknowledged[0], "Kim Sørensen", ago(2*60e9)
	all := map[string]templ.Component{
		"home":             HomePage(home),
		"home-timeline":    HomePage(timelinePane),
		"home-people":      HomePage(peoplePane),
		"home-filtered":    HomePage(filtered),
		"home-empty":       HomePage(Home{Page: observer}),
		"room":             RoomPage(sampleRoom()),
		"room-acked":       RoomPage(acked),
		"room-resolved":    RoomPage(resolved),
		"incidents":        IncidentListPage(list),
		"incidents-empty":  IncidentListPage(IncidentList{Page: observer}),
		"oncall":           OnCallPage(sampleOnCall()),
		"oncall-empty":     OnCallPage(OnCall{Page: samplePage("On call", "oncall"), CanEdit: true}),
		"login":            LoginPage(Login{Page: out}),
		"login-error":      LoginPage(Login{Page: out, Email: "kim", Error: "The address or the password is wrong."}),
		"setup":            SetupPage(Setup{Page: out, Token: "x", Zones: zones, Errors: map[string]string{"username": "Use lower-case letters, digits and dashes."}}),
		"forgot":           ForgotPage(Forgot{Page: out}),
		"forgot-sent":      ForgotPage(Forgot{Page: out, Sent: true}),
		"reset":            ResetPage(Reset{Page: out, Token: "x"}),
		"reset-invalid":    ResetPage(Reset{Page: out, Invalid: true}),
		"invite":           InvitePage(Invite{Page: out, Token: "x", Email: "gul@example.org", Zones: zones}),
		"invite-invalid":   InvitePage(Invite{Page: out, Invalid: true}),
		"confirm":          ConfirmPage(confirm("")),
		"confirm-done":     ConfirmPage(confirm("done")),
		"confirm-already":  ConfirmPage(already),
		"confirm-expired":  ConfirmPage(confirm("expired")),
		"confirm-invalid":  ConfirmPage(confirm("invalid")),
		"problem-404":      ProblemPage(Problem{Page: out, Status: 404}),
		"problem-500":      ProblemPage(Problem{Page: out, Status: 500, ID: "01jd3"}),
		"mailbox":          MailboxPage(Mailbox{Page: samplePage("Mailbox", ""), Mails: mails, Open: &Mail{MailRow: mails[0], From: "watchroom@example.org", Text: "#142 Disk 93% full on db01\n\nhttps://watch.example.org/a/xyz"}}),
		"mailbox-empty":    MailboxPage(Mailbox{Page: samplePage("Mailbox", "")}),
		"chat-room":        HomePage(sampleChatRoom()),
		"chat-thread":      HomePage(sampleThread()),
		"chat-about":       HomePage(sampleAbout("about")),
		"chat-pins":        HomePage(sampleAbout("pins")),
		"chat-files":       HomePage(sampleAbout("files")),
		"chat-rooms":       RoomBrowserPage(sampleBrowser()),
		"chat-rooms-none":  RoomBrowserPage(RoomBrowser{Page: samplePage("Rooms", "")}),
		"chat-new":         RoomFormPage(RoomForm{Page: samplePage("New room", ""), People: sampleResponders().People}),
		"chat-direct":      RoomFormPage(RoomForm{Page: samplePage("Message", ""), People: sampleResponders().People, Direct: true, GroupMax: 11, Errors: map[string]string{"people": "Choose somebody."}}),
		"chat-search":      SearchPage(sampleSearch()),
		"chat-search-none": SearchPage(Search{Page: samplePage("Search", ""), Text: "nothing", Asked: true}),
		"chat-message":     MessagePageView(sampleMessage()),
		"components":       componentsPage(),
		"fragment-entries": EntryList(sampleEntries(3), sampleViewer()),
	}
	maps.Copy(all, settingsGallery())
	return all
}

// componentsPage shows what settings pages are built of.
func componentsPage() templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		body := sequence(
			PageHead([]Crumb{{"Settings", "/settings"}}, "Escalation policies", "Who is paged after how long."),
			Card("A card"), Notice("warning", "A gap on Tuesday."), Notice("ok", "Saved."), Empty("rotation", "No rotation", "Add one."),
			TextField(Field{Name: "name", Label: "Name", Hint: "As people say it.", Value: "Days", Optional: true}),
			TextField(Field{Name: "slug", Label: "Slug", Error: "Taken.", Value: "x"}),
			TextArea(Field{Name: "text", Label: "Text", Value: "hello"}),
			Select(Field{Name: "team", Label: "Team"}, []Option{{Value: "1", Label: "A", Group: "G"}, {Value: "2", Label: "B", Group: "H", Selected: true}}),
			Check(Field{Name: "on", Label: "Enabled", Hint: "Pages go out."}, true),
			RadioList(Field{Name: "role", Label: "Role"}, []Option{{Value: "a", Label: "Administrator", Hint: "Everything", Selected: true}, {Value: "b", Label: "Member"}}),
			CopyField("url", "Address", "https://watch.example.org/integrations/generic/x"),
			CodeBlock("curl -d '{\"message_type\":\"CRITICAL\"}' https://watch.example.org/x"),
			Btn(Button{Label: "Save", Look: "primary"}), Btn(Button{Label: "Delete", Look: "danger", Icon: "trash"}), Btn(Button{Label: "Small", Small: true}),
			PostButton("/x", "Really?", Button{Label: "Remove", Look: "danger"}),
			Tabs("Views", []Tab{{Label: "One", Href: "#", Current: true}, {Label: "Two", Href: "#", Counted: true, Count: 3, Tone: "critical"}}),
			Pager("/newer", "/older"),
		)
		side := []SideGroup{{Title: "Organisation", Links: []SideLink{{"People", "#", "people", false}, {"Policies", "#", "policy", true}}}}
		page := Layout(samplePage("Components", "settings"))
		return page.Render(templ.WithChildren(ctx, wrap(WithSide("Settings", side), body)), w)
	})
}

func wrap(outer, inner templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return outer.Render(templ.WithChildren(templ.ClearChildren(ctx), inner), w)
	})
}

func sequence(parts ...templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, p := range parts {
			if err := p.Render(templ.ClearChildren(ctx), w); err != nil {
				return err
			}
		}
		return nil
	})
}

// touching is a word that runs into the time after it: a line of a template ends there.
var touching = regexp.MustCompile(`[\pL\pN·:,]<time[^>]*>`)

func TestGallery(t *testing.T) {
	dir := os.Getenv("WATCHROOM_GALLERY") // set it to look at the pages
	if dir == "" {
		dir = t.TempDir()
	}
	for name, page := range gallery() {
		var b bytes.Buffer
		if err := page.Render(t.Context(), &b); err != nil {
			t.Fatalf("render %s: %v", name, err)
		}
		html := b.String()
		for _, bad := range []string{" style=", " onclick=", "hx-on", "web.", "<style", "javascript:", "%!"} {
			if strings.Contains(html, bad) {
				at := strings.Index(html, bad)
				t.Errorf("%s contains %q: …%s…", name, bad, html[max(0, at-60):min(len(html), at+60)])
			}
		}
		if at := touching.FindString(html); at != "" {
			t.Errorf("%s has a time without a space before it: %s", name, at)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".html"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	root := filepath.Join(dir, filepath.Dir(static.URL("app.css")))
	err := fs.WalkDir(static.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(static.FS(), name)
		if err != nil {
			return err
		}
		to := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, data, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryKindHasAGroupAndALook(t *testing.T) {
	seen := map[string]bool{}
	for _, kind := range timeline.Kinds {
		seen[GroupOf(kind)] = true
	}
	for _, g := range Groups() {
		if !seen[g] {
			t.Errorf("group %q has no kind", g)
		}
		if len(KindsOf([]string{g})) == 0 {
			t.Errorf("KindsOf(%q) is empty", g)
		}
	}
	if got := KindsOf(nil); got != nil {
		t.Errorf("KindsOf(nil) = %v, want nil for all", got)
	}
}

func TestLinkify(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"see #42.", "see |[#42]/incidents/42|."},
		{"C#7 and (#8)", "C#7 and (|[#8]/incidents/8|)"},
		{"at https://x.example/a?b=1, then", "at |[https://x.example/a?b=1]https://x.example/a?b=1|, then"},
		{"javascript:alert(1) <b>", "javascript:alert(1) <b>"},
		{"", ""},
	} {
		var parts []string
		for _, s := range linkify(c.in) {
			if s.Href != "" {
				parts = append(parts, "["+s.Text+"]"+s.Href)
			} else {
				parts = append(parts, s.Text)
			}
		}
		if got := strings.Join(parts, "|"); got != c.want {
			t.Errorf("linkify(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
