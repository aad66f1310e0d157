package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/account"
	"github.com/watchroom/watchroom/internal/auth"
	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// lines give every built-in command once, by id.
var lines = map[string]string{
	"help": "help", "whoami": "whoami", "policy.explain": "policy explain resolve 1", "oncall": "oncall", "take": "take", "handback": "handback",
	"ack": "ack 1", "unack": "unack 1", "resolve": "resolve 1", "snooze": "snooze 1 1h", "reroute": "reroute 1 default", "page": "page @ada help",
	"incident.open": "incident open fire", "incident.show": "incident show 1", "incident.list": "incident list", "incident.note": "incident note 1 hot",
	"incident.assign": "incident assign 1 @ada", "maintenance.start": "maintenance start 'x/*' 1h", "maintenance.end": "maintenance end",
	"remind": "remind in 1h tea", "remind.now": "say-reminder tea", "schedule": "schedule '0 9 * * *' oncall", "jobs": "jobs", "job": "job 1", "cancel": "cancel 1",
	"again": "again 1", "pending": "pending", "approve": "approve zzzz", "deny": "deny zzzz", "lock": "lock deploy/x", "unlock": "unlock deploy/x", "locks": "locks",
	"tour": "tour", "tour.test": "tour test", "tour.practice": "tour practice", "tour.drill": "tour drill",
}

// asker is somebody who tries everything.
type asker struct {
	name          string
	cookie, token string
	may           func(command.Declaration) bool // run a command, where they can speak at all
	mute          bool                           // they can say nothing in the room
	deaf          bool                           // they cannot read it either
}

// Every built-in command, by everybody, through the conversation, the API and the
// pages: what somebody may not do does not happen, and what is not for them they
// do not see.
func TestEveryCommandByEverybodyEverywhere(t *testing.T) {
	story(t, func(w *world) {
		w.change(org.Put(people.User{ID: "hal", Username: "hal", Name: "Hal", Role: people.Member, Zone: "UTC", Robot: true}))
		r, err := w.app.Dispatch.OpenRoom(w.Context(), w.as("kim"), room.Room{Kind: room.Private, Slug: "closed", Members: []id.User{"ada", "olga", "hal"}})
		if err != nil {
			t.Fatal(err)
		}
		w.later(2 * time.Minute) // everybody is greeted
		w.post("CRITICAL", "disk/db01", "93% full")
		looks := func(d command.Declaration) bool { return d.Risk == command.Reads }
		works := func(d command.Declaration) bool {
			return d.Risk != command.Danger && !strings.HasPrefix(d.ID, "maintenance.")
		}
		all := func(command.Declaration) bool { return true }
		none := func(command.Declaration) bool { return false }
		askers := []asker{
			{name: "ada", cookie: w.signIn("ada"), token: w.token("ada"), may: all},
			{name: "kim", cookie: w.signIn("kim"), token: w.token("kim"), may: works},
			{name: "olga", cookie: w.signIn("olga"), token: w.token("olga"), may: none, mute: true},
			{name: "kim", token: w.token("kim", people.Read, people.Talk), may: looks},
			{name: "kim", token: w.token("kim", people.Read), may: none, mute: true},
			{name: "noor", cookie: w.signIn("noor"), token: w.token("noor"), may: none, mute: true, deaf: true},
			{name: "hal", token: w.token("hal"), may: none},
		}
		for _, d := range w.app.talk.catalogue.Tree().All() {
			line := lines[d.ID]
			if line == "" {
				t.Errorf("the built-in command %s is given by nobody: add a line of it to this test", d.ID)
				continue
			}
			for _, a := range askers {
				w.tries(r, d, line, a)
			}
			w.seenByNobodyElse(r, line, askers)
			w.triesAlone(d, line, asker{name: "olga", cookie: askers[2].cookie, may: looks})
		}
		opened, err := w.app.Store.Incidents(w.Context(), store.IncidentFilter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, inc := range opened { // by commands, and by nothing that was sent
			if inc.ID != 1 {
				w.sent = append(w.sent, inc.EntityID)
			}
		}
	})
}

// tries gives a line as somebody through everything that they have.
func (w *world) tries(r room.Room, d command.Declaration, line string, a asker) {
	w.Helper()
	ways := map[string]func() int{}
	if a.token != "" {
		ways["api"] = func() int {
			body, _ := json.Marshal(map[string]string{"text": "!" + line})
			return w.send(a, http.MethodPost, "/api/v1/rooms/"+string(r.ID)+"/messages", "application/json", string(body)).Code
		}
	}
	if a.cookie != "" {
		ways["page"] = func() int {
			return w.send(a, http.MethodPost, "/rooms/"+r.Slug+"/messages", "", url.Values{"text": {"!" + line}}.Encode()).Code
		}
		ways["button"] = func() int {
			seq, token := w.button(r.ID, line)
			return w.send(a, http.MethodPost, fmt.Sprintf("/messages/%d/actions/%s", seq, token), "", "").Code
		}
	}
	if a.token == "" && a.cookie == "" || a.name == "hal" {
		ways["chat"] = func() int {
			by := w.as(a.name)
			by.Origin = timeline.Robot
			_, _ = w.app.Dispatch.Say(w.Context(), by, dispatch.Line{Room: r.ID, Text: "!" + line}) // whether it may is what is looked at
			return http.StatusOK
		}
	}
	for _, way := range slices.Sorted(maps.Keys(ways)) {
		what := fmt.Sprintf("%s as %s by %s", line, a.name, way)
		before, given := w.worldState(), w.givenBy(a.name)
		said := len(w.heard(r.ID))
		code := ways[way]()
		w.later(5 * time.Second)
		fresh := w.givenBy(a.name)[len(given):]
		switch {
		case a.mute && code < http.StatusBadRequest && way != "button":
			w.Errorf("%s: status %d", what, code)
		case a.deaf && code != http.StatusNotFound && code != http.StatusForbidden:
			w.Errorf("%s: status %d, and they do not know the room", what, code)
		}
		if a.may(d) {
			if len(fresh) == 0 || fresh[0].State == invocation.Denied {
				w.Errorf("%s: status %d led to %d commands, want one that is not denied", what, code, len(fresh))
			} else if no := phrase.T("dispatch.forbidden"); strings.Contains(fresh[0].Why+fresh[0].Output, no) {
				w.Errorf("%s: they were let begin what they may not do: %s", what, no)
			}
			if got := w.worldState(); d.Risk == command.Reads && got != before {
				w.Errorf("%s: it is said to look only, and something has changed:\n%s\nwas\n%s", what, got, before)
			}
			continue
		}
		for _, inv := range fresh {
			if inv.State != invocation.Denied || !inv.StartedAt.IsZero() {
				w.Errorf("%s: it is %s", what, inv.State)
			}
		}
		if got := w.worldState(); got != before {
			w.Errorf("%s: something has changed:\n%s\nwas\n%s", what, got, before)
		}
		if n := len(w.heard(r.ID)); n != said {
			w.Errorf("%s: the bot answered in front of everybody", what)
		}
	}
}

// triesAlone gives a line as somebody who only reads, in their own conversation
// with the bot, where they may speak: what looks is run, and nothing else is.
func (w *world) triesAlone(d command.Declaration, line string, a asker) {
	w.Helper()
	before, given := w.worldState(), w.givenBy(a.name)
	if code := w.send(a, http.MethodPost, "/rooms/@victor/messages", "", url.Values{"text": {line}}.Encode()).Code; code >= http.StatusBadRequest {
		w.Errorf("%s alone with the bot says %q: status %d", a.name, line, code)
	}
	w.later(5 * time.Second)
	fresh := w.givenBy(a.name)[len(given):]
	if len(fresh) != 1 || fresh[0].Room != withBot(a.name) || a.may(d) == (fresh[0].State == invocation.Denied) {
		w.Errorf("%s alone with the bot says %q: %+v", a.name, line, fresh)
	}
	if got := w.worldState(); got != before {
		w.Errorf("%s alone with the bot says %q, and something has changed:\n%s\nwas\n%s", a.name, line, got, before)
	}
}

// seenByNobodyElse: what kim gives in the room, and alone with the bot, is not for others.
func (w *world) seenByNobodyElse(r room.Room, line string, askers []asker) {
	w.Helper()
	for _, in := range []id.Room{r.ID, withBot("kim")} {
		seq, err := w.app.Dispatch.Say(w.Context(), w.as("kim"), dispatch.Line{Room: in, Text: "!" + line})
		if err != nil {
			w.Fatal(err)
		}
		w.later(5 * time.Second)
		all := w.givenBy("kim")
		i := slices.IndexFunc(all, func(inv invocation.Invocation) bool { return inv.Message == seq })
		if i < 0 {
			w.Fatalf("%s in %q is no command", line, in)
		}
		inv := all[i]
		for _, a := range askers {
			if a.name == "kim" || !a.deaf && in == r.ID {
				continue
			}
			paths := map[string]string{"api": fmt.Sprintf("/api/v1/jobs/%d", inv.Number), "message": fmt.Sprintf("/api/v1/messages/%d", seq)}
			if a.cookie != "" {
				paths["page"] = fmt.Sprintf("/jobs/%d", inv.Number)
			}
			for name, path := range paths {
				if name == "page" {
					a.token = ""
				}
				if code := w.send(a, http.MethodGet, path, "", "").Code; code != http.StatusNotFound {
					w.Errorf("%s reads %s by %s: status %d", a.name, line, name, code)
				}
			}
		}
	}
}

// worldState is what commands change, in words.
func (w *world) worldState() string {
	w.Helper()
	o, err := w.app.Store.Org(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	incidents, err := w.app.Store.Incidents(w.Context(), store.IncidentFilter{})
	if err != nil {
		w.Fatal(err)
	}
	locks, err := w.app.Store.Locks(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	var b strings.Builder
	for _, inc := range incidents {
		fmt.Fprintf(&b, "%d %s %s %s; ", inc.ID, inc.State, inc.Policy, inc.Direct)
	}
	fmt.Fprintf(&b, "rev %d; %d overrides; %d windows; %d locks; ", o.Rev, len(o.Overrides), len(o.Maintenance), len(locks))
	notes := 0
	for _, e := range w.entries() {
		if e.Kind == timeline.NoteAdded {
			notes++
		}
	}
	later := 0
	for _, inv := range w.invocations(store.InvocationFilter{Open: true, Limit: 1000}) {
		if inv.State == invocation.Queued {
			later++
		}
	}
	fmt.Fprintf(&b, "%d notes; %d to come", notes, later)
	return b.String()
}

// givenBy are the commands that somebody gave, the first in front.
func (w *world) givenBy(name string) []invocation.Invocation {
	w.Helper()
	all := w.invocations(store.InvocationFilter{Person: id.User(name), Limit: 1000})
	slices.Reverse(all)
	return all
}

// button is one that ada puts under a message of hers.
func (w *world) button(in id.Room, line string) (seq id.Seq, token string) {
	w.Helper()
	seq, err := w.app.Dispatch.Say(w.Context(), w.as("ada"), dispatch.Line{Room: in, Text: "Press it.", Actions: []timeline.Action{{Label: "Lunch", Line: line}}})
	if err != nil {
		w.Fatal(err)
	}
	w.settle()
	e, err := w.app.Store.Entry(w.Context(), seq)
	if err != nil {
		w.Fatal(err)
	}
	return seq, e.Payload.(timeline.Message).Doc.Blocks[0].Actions[0].Token
}

// signIn is the cookie of somebody's browser.
func (w *world) signIn(name string) string {
	w.Helper()
	const password = "correct horse battery staple"
	if err := w.app.Accounts.SetPassword(w.Context(), people.Operator(), id.User(name), password); err != nil {
		w.Fatal(err)
	}
	grant, err := w.app.Accounts.SignIn(w.Context(), name+"@example.org", password, account.Client{})
	if err != nil {
		w.Fatal(err)
	}
	return grant.Cookie
}

// token is one of somebody's for the API; no scopes: all that they may.
func (w *world) token(name string, scopes ...people.Permission) string {
	w.Helper()
	text, _, err := w.app.Accounts.CreateToken(w.Context(), people.Operator(), id.User(name), "test", scopes)
	if err != nil {
		w.Fatalf("a token for %s: %v", name, err)
	}
	return text
}

// send is a request of somebody: by their token to the API, else by their browser.
func (w *world) send(a asker, method, path, contentType, body string) *httptest.ResponseRecorder {
	w.Helper()
	req := httptest.NewRequest(method, "https://watch.example.org"+path, strings.NewReader(body))
	switch {
	case strings.HasPrefix(path, "/api/") && a.token != "":
		req.Header.Set("Authorization", "Bearer "+a.token)
	default:
		req.AddCookie(&http.Cookie{Name: auth.Cookies{Secure: true}.Name(), Value: a.cookie})
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		if !strings.HasPrefix(path, "/api/") {
			contentType = "application/x-www-form-urlencoded"
		}
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	return w.do(req)
}
