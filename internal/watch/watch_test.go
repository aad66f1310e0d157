package watch

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/secret/secrettest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The bubble begins on Saturday, 1 January 2000, 00:00 UTC.
var newYear = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// world is a store, the use cases, and a watch that can be stopped and started.
type world struct {
	*testing.T
	store    *store.Store
	box      *secret.Box
	dispatch *dispatch.Dispatcher
	mail     bool
	interval time.Duration // of the loop; long, for a test may take days
	parts    sync.WaitGroup
}

// bubble runs a test under fake time. Kim and Lee take turns day by day from
// 09:00 on, since Kim's day on 31 December; Ada administers.
func bubble(t *testing.T, test func(w *world)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "watchroom.db")
	synctest.Test(t, func(t *testing.T) {
		s, err := store.Open(context.Background(), store.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		box := secrettest.Box(t)
		w := &world{T: t, store: s, box: box, dispatch: dispatch.New(s, box, slog.New(slog.DiscardHandler)), mail: true, interval: 10 * time.Minute}
		w.change(
			org.Put(person("ada", people.Admin)), org.Put(person("kim", people.Member)), org.Put(person("lee", people.Member)),
			org.Put(people.Team{ID: "dba", Slug: "dba", Name: "Databases", Members: []id.User{"kim"}}), org.Put(daily("kim", "lee")),
			org.Put(escalation.Policy{ID: "p", Slug: "p", Name: "P", RepeatAfter: escalation.DefaultRepeatAfter,
				Steps: []escalation.Step{{Targets: []escalation.Target{{Rotation: "r"}}}}}),
			org.Put(org.Settings{Name: "Example", DefaultPolicy: "p", SnoozeMorningAt: "09:00"}),
		)
		test(w)
		w.parts.Wait()
	})
}

func person(u id.User, role people.Role) people.User {
	address := string(u) + "@example.org"
	return people.User{
		ID: u, Username: string(u), Name: strings.ToUpper(string(u[:1])) + string(u[1:]), Email: address, Role: role, Zone: "UTC",
		Contacts: []people.Contact{{ID: id.Contact("c-" + u), Method: people.Email, Address: address}},
	}
}

func layer(name string, members ...id.User) oncall.Layer {
	return oncall.Layer{Name: name, Members: members, Every: 1, Unit: oncall.Days, HandoffAt: "09:00", Start: "1999-12-31"}
}

func daily(members ...id.User) oncall.Rotation {
	return oncall.Rotation{ID: "r", Name: "Primary", Team: "dba", Zone: "UTC", Layers: []oncall.Layer{layer("", members...)}}
}

func (w *world) change(changes ...org.Change) {
	w.Helper()
	if _, err := w.dispatch.ChangeOrg(context.Background(), people.Operator(), func(*org.Org) ([]org.Change, error) { return changes, nil }); err != nil {
		w.Fatal(err)
	}
}

// start runs a watch as one node, or without a lease when it has no name, which
// is faster; the returned function stops it.
func (w *world) start(node string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	watch := New(w.store, w.box, Options{PublicURL: "https://watch.example.org", Mail: w.mail}, slog.New(slog.DiscardHandler), node, w.interval)
	run := watch.Run
	if node == "" {
		run = watch.follow
	}
	w.parts.Go(func() {
		defer close(done)
		if err := run(ctx); err != nil {
			w.Error(err)
		}
	})
	return func() {
		cancel()
		<-done
	}
}

func until(at time.Time) {
	time.Sleep(time.Until(at))
	synctest.Wait()
}

// shifts tells the hand-overs on the timeline, one a line.
func (w *world) shifts() []string {
	w.Helper()
	var all []string
	for _, e := range w.entries(timeline.ShiftChanged) {
		p := e.Payload.(timeline.Shift)
		s := fmt.Sprintf("%s %s→%s", e.At.Format("02 15:04:05"), p.From, p.To)
		if p.LayerName != "" {
			s += " in " + p.LayerName
		}
		if p.Override {
			s += " by override"
		}
		all = append(all, s)
	}
	return all
}

func (w *world) entries(kinds ...timeline.Kind) []timeline.Entry {
	w.Helper()
	found, err := w.store.Entries(context.Background(), store.EntryFilter{Kinds: kinds, FromStart: true, Limit: 1000})
	if err != nil {
		w.Fatal(err)
	}
	return found
}

// mails tells the planned mails: to whom, when, and the subject.
func (w *world) mails() []string {
	w.Helper()
	waiting, err := w.store.Waiting(context.Background(), 1000)
	if err != nil {
		w.Fatal(err)
	}
	var all []string
	for _, d := range waiting {
		all = append(all, fmt.Sprintf("%s %s: %s", d.CreatedAt.Format("02 15h"), d.Person, w.notice(d).Subject))
	}
	slices.Sort(all)
	return all
}

func (w *world) notice(d store.Delivery) notify.Notice {
	w.Helper()
	plain, err := w.box.Open(d.Body.Sealed)
	if err != nil {
		w.Fatal(err)
	}
	var n notify.Notice
	if err := json.Unmarshal([]byte(plain), &n); err != nil {
		w.Fatal(err)
	}
	return n
}

func (w *world) want(what string, got, want []string) {
	w.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		w.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestHandOversAreTold(t *testing.T) {
	bubble(t, func(w *world) {
		stop := w.start("")
		until(newYear.Add(3 * 24 * time.Hour))
		stop()
		w.want("the hand-overs", w.shifts(), []string{"01 09:00:00 kim→lee", "02 09:00:00 lee→kim", "03 09:00:00 kim→lee"})
		first := w.entries(timeline.ShiftChanged)[0]
		want := timeline.Shift{Rotation: "r", RotationName: "Primary", From: "kim", FromName: "Kim", To: "lee", ToName: "Lee", Until: newYear.Add(33 * time.Hour)}
		if diff := cmp.Diff(want, first.Payload); diff != "" || first.Team != "dba" || first.Person != "lee" {
			t.Errorf("the entry of %s, %s (-want +got):\n%s", first.Team, first.Person, diff)
		}
	})
}

// However often the server starts, and whatever node watches, each hand-over is
// told once; those of a time without a server are told when it is back.
func TestHandOversAreToldOnce(t *testing.T) {
	bubble(t, func(w *world) {
		hourly := daily("kim", "lee")
		hourly.Layers[0].Unit = oncall.Hours
		w.change(org.Put(hourly))
		at := newYear
		for range 5 {
			stopA, stopB := w.start("a"), w.start("b")
			at = at.Add(24 * time.Minute)
			until(at)
			stopA()
			at = at.Add(time.Minute)
			until(at) // b goes on
			stopB()
		}
		w.want("with restarts", w.shifts(), []string{"01 01:00:00 lee→kim", "01 02:00:00 kim→lee"})
		until(newYear.Add(5*time.Hour + 30*time.Minute))
		stop := w.start("a")
		until(newYear.Add(5*time.Hour + 31*time.Minute))
		stop()
		w.want("after hours without a server", w.shifts()[2:], []string{"01 05:30:00 lee→kim", "01 05:30:00 kim→lee", "01 05:30:00 lee→kim"})
	})
}

// What somebody does is told as the rota is: a duty that is taken and handed
// back, an edit, somebody who leaves. A new rotation is told by its definition.
func TestEditsAreHandOvers(t *testing.T) {
	bubble(t, func(w *world) {
		w.interval = time.Second
		stop := w.start("")
		defer stop()
		moment := 300 * time.Millisecond // neither before nor after a look that is due then
		lee := people.Actor{User: "lee", Name: "Lee", Role: people.Member}
		until(newYear.Add(10*time.Minute + moment))
		taken, err := w.dispatch.TakeOnCall(context.Background(), lee, dispatch.Take{Rotation: "r"})
		if err != nil {
			t.Fatal(err)
		}
		until(newYear.Add(20*time.Minute + moment))
		if err := w.dispatch.HandBack(context.Background(), lee, taken.ID); err != nil {
			t.Fatal(err)
		}
		until(newYear.Add(30*time.Minute + moment))
		w.change(org.Put(daily("ada", "kim")))
		until(newYear.Add(40*time.Minute + moment))
		other := daily("kim")
		other.ID, other.Name = "other", "Other"
		w.change(org.Put(other))
		until(newYear.Add(50*time.Minute + moment))
		w.want("the hand-overs", w.shifts(), []string{
			"01 00:10:01 kim→lee by override", "01 00:20:01 lee→kim", "01 00:30:01 kim→ada",
		})
	})
}

// Where days end and nights begin somebody follows somebody; nobody is said to
// be on call only where that is so.
func TestLayersThatFollowOneAnother(t *testing.T) {
	bubble(t, func(w *world) {
		r := daily()
		day, night := layer("day", "kim"), layer("night", "lee")
		day.Restrictions = []oncall.Restriction{{From: "09:00", To: "17:00"}}
		night.Restrictions = []oncall.Restriction{{From: "17:00", To: "05:00"}}
		r.Layers = []oncall.Layer{day, night}
		w.change(org.Put(r))
		stop := w.start("")
		until(newYear.Add(24 * time.Hour))
		stop()
		w.want("the hand-overs", w.shifts(), []string{"01 05:00:00 lee→ in night", "01 09:00:00 →kim in day", "01 17:00:00 kim→lee in night"})
	})
}

func TestReminders(t *testing.T) {
	bubble(t, func(w *world) {
		lee, kim := person("lee", people.Member), person("kim", people.Member)
		lee.Reminders, lee.Zone = []people.Reminder{people.ShiftStart, people.ShiftEnd, people.HandOver}, "Europe/Berlin"
		kim.Reminders = []people.Reminder{people.HandOver}
		w.change(org.Put(lee), org.Put(kim))
		at := newYear
		for range 9 { // whatever restarts there are
			stop := w.start("")
			at = at.Add(4 * time.Hour)
			until(at)
			stop()
		}
		w.want("the reminders", w.mails(), []string{
			"01 08h lee: Your shift in Primary begins Sat 1 Jan 2000 10:00 CET",
			"01 09h kim: You are no longer on call in Primary (since Sat 1 Jan 2000 09:00 UTC)",
			"01 09h lee: You are on call in Primary (since Sat 1 Jan 2000 10:00 CET)",
			"02 08h lee: Your shift in Primary ends Sun 2 Jan 2000 10:00 CET",
			"02 09h kim: You are on call in Primary (since Sun 2 Jan 2000 09:00 UTC)",
			"02 09h lee: You are no longer on call in Primary (since Sun 2 Jan 2000 10:00 CET)",
		})
	})
}

// Who did not see an hour ago that their shift begins is not told that it will.
func TestRemindersOfThePastAreNotSent(t *testing.T) {
	bubble(t, func(w *world) {
		lee := person("lee", people.Member)
		lee.Reminders = []people.Reminder{people.ShiftStart}
		w.change(org.Put(lee))
		stop := w.start("")
		until(newYear.Add(7 * time.Hour))
		stop()
		until(newYear.Add(9*time.Hour + time.Minute))
		stop = w.start("")
		until(newYear.Add(10 * time.Hour))
		stop()
		w.want("the reminders", w.mails(), nil)
	})
}

func TestSwapsAreMailed(t *testing.T) {
	bubble(t, func(w *world) {
		w.interval = time.Second
		stop := w.start("")
		defer stop()
		kim, lee := people.Actor{User: "kim", Name: "Kim", Role: people.Member}, people.Actor{User: "lee", Name: "Lee", Role: people.Member}
		s, err := w.dispatch.AskSwap(context.Background(), kim, oncall.Swap{Rotation: "r", From: "kim", To: "lee", Start: newYear, End: newYear.Add(8 * time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		until(newYear.Add(time.Minute))
		if _, err := w.dispatch.AnswerSwap(context.Background(), lee, s.ID, true); err != nil {
			t.Fatal(err)
		}
		until(newYear.Add(2 * time.Minute))
		w.want("the mails", w.mails(), []string{"01 00h kim: Lee takes your shift in Primary", "01 00h lee: Kim asks you to take a shift in Primary"})
	})
}
