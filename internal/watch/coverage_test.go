package watch

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// problems tells what the timeline says of coverage, one a line.
func (w *world) problems() []string {
	w.Helper()
	var all []string
	for _, e := range w.entries(timeline.CoverageProblem, timeline.CoverageRestored) {
		at := e.At.Format("02 15h")
		switch p := e.Payload.(type) {
		case timeline.Uncovered:
			s := fmt.Sprintf("%s %s: %s", at, p.Object, p.Text)
			if !p.Start.IsZero() {
				s += " from " + p.Start.Format("02 15h")
			}
			all = append(all, s)
		case timeline.Covered:
			all = append(all, fmt.Sprintf("%s over: %s: %s", at, p.Object, p.Text))
		}
	}
	return all
}

func ends(r oncall.Rotation, on string) oncall.Rotation {
	r.Layers[0].End = on
	return r
}

func TestCoverage(t *testing.T) {
	bubble(t, func(w *world) {
		stop := w.start("")
		until(newYear.Add(time.Hour))
		w.want("all is well", w.problems(), nil)
		w.change(org.Put(ends(daily("kim", "lee"), "2000-01-10")))
		until(newYear.Add(2 * time.Hour))
		stop()
		told := []string{
			"01 01h Rotation Primary: nobody is on call from 10 09h",
			"01 01h Policy P: it can reach nobody from 10 09h",
		}
		w.want("a gap comes up", w.problems(), told)
		stop = w.start("") // another node knows what was told
		until(newYear.Add(3 * time.Hour))
		w.want("it is not told again", w.problems(), told)
		w.change(org.Put(daily("kim", "lee")))
		until(newYear.Add(4 * time.Hour))
		told = append(told,
			"01 03h over: Rotation Primary: somebody is on call at all those times",
			"01 03h over: Policy P: it reaches somebody",
		)
		w.want("it is filled", w.problems(), told)
		stop()
		stop = w.start("")
		until(newYear.Add(5 * time.Hour))
		stop()
		w.want("that is not told again either", w.problems(), told)
	})
}

// Who edits a rota in several steps makes no problems on the way.
func TestCoverageWaitsUntilItSettles(t *testing.T) {
	bubble(t, func(w *world) {
		w.interval = time.Second
		stop := w.start("")
		defer stop()
		until(newYear.Add(time.Minute))
		for range 20 {
			w.change(org.Put(ends(daily("kim"), "2000-01-02")))
			until(time.Now().Add(9 * time.Second))
			w.change(org.Put(daily("lee")))
			until(time.Now().Add(9 * time.Second))
		}
		until(newYear.Add(20 * time.Minute))
		w.want("what was there for seconds only", w.problems(), nil)
	})
}

func TestCoverageOfPeople(t *testing.T) {
	bubble(t, func(w *world) {
		silent := person("lee", people.Member)
		silent.Contacts = nil
		r := daily("kim", "lee")
		r.Layers = append(r.Layers, layer("second", "kim", "ada"))
		r.Layers[0].Name = "first"
		w.change(org.Put(silent), org.Put(r), org.Put(oncall.Absence{ID: "a", User: "ada", Start: newYear.Add(30 * time.Hour), End: newYear.Add(40 * time.Hour)}))
		stop := w.start("")
		until(newYear.Add(time.Hour))
		stop()
		w.want("the problems", w.problems(), []string{
			"01 00h Rotation Primary: Lee has no contact method that works",
			"01 00h Rotation Primary: Ada is on call, but away from 02 06h",
			"01 00h Rotation Primary: Kim is on call in several layers at once from 01 00h",
		})
	})
}

// A gap is mailed when it comes up, in a digest, and again a day before it
// begins; a rota with hours is mailed once and never again.
func TestCoverageIsMailed(t *testing.T) {
	bubble(t, func(w *world) {
		w.interval = 30 * time.Minute
		hours := daily("kim")
		hours.ID, hours.Name, hours.Team = "h", "Hours", ""
		hours.Layers[0].Restrictions = []oncall.Restriction{{From: "09:00", To: "17:00"}}
		team := people.Team{ID: "dba", Slug: "dba", Name: "Databases", Members: []id.User{"eve"}}
		w.change(org.Put(person("eve", people.Admin)), org.Put(team), org.Put(hours), org.Put(ends(daily("kim", "lee"), "2000-01-05")))
		for at := newYear; at.Before(newYear.Add(6 * 24 * time.Hour)); { // whatever restarts there are
			stop := w.start("")
			at = at.Add(13 * time.Hour)
			until(at)
			stop()
		}
		w.want("the mails", w.mails(), []string{
			"01 00h ada: On call: 2 problems, first Rotation Hours",
			"01 00h eve: On call: 3 problems, first Rotation Primary",
			"04 09h eve: Within a day: Rotation Primary may leave an alert alone",
		})
		waiting, err := w.store.Waiting(context.Background(), 10)
		if err != nil || len(waiting) != 3 {
			t.Fatal(len(waiting), err)
		}
		urgent := w.notice(waiting[2])
		const want = "Rotation Primary: nobody is on call, from Wed 5 Jan 2000 09:00 UTC on."
		if len(urgent.Lines) != 2 || urgent.Lines[1] != want || urgent.URL != "https://watch.example.org/oncall" {
			t.Errorf("the mail is %+v, want %q", urgent, want)
		}
	})
}

// What comes up a moment before it hurts does not wait for the digest of tomorrow.
func TestUrgentProblemsAreMailedAtOnce(t *testing.T) {
	bubble(t, func(w *world) {
		w.change(org.Put(ends(daily("kim", "lee"), "2000-01-12")))
		stop := w.start("")
		defer stop()
		until(newYear.Add(time.Hour))
		w.change(org.Put(ends(daily("kim", "lee"), "2000-01-01")))
		until(newYear.Add(2 * time.Hour))
		w.change(org.Put(ends(daily("kim", "lee"), "2000-01-02")))
		until(newYear.Add(3 * 24 * time.Hour))
		w.want("the mails", w.mails(), []string{
			"01 00h ada: On call: 2 problems, first Rotation Primary",
			"01 01h ada: Within a day: Rotation Primary may leave an alert alone", // another beginning of a gap that is told
			"01 09h ada: Within a day: Rotation Primary may leave an alert alone",
		})
	})
}

// Without outgoing mail there are the entries, and nothing that waits for ever.
func TestWithoutMail(t *testing.T) {
	bubble(t, func(w *world) {
		w.mail = false
		w.change(org.Put(ends(daily("kim", "lee"), "2000-01-02")))
		stop := w.start("")
		until(newYear.Add(24 * time.Hour))
		stop()
		if len(w.problems()) == 0 || len(w.shifts()) == 0 {
			t.Error("nothing was told")
		}
		if waiting, err := w.store.Waiting(context.Background(), 10); err != nil || len(waiting) != 0 {
			t.Errorf("%d mails wait, %v", len(waiting), err)
		}
	})
}

// A backup that is restored brings its own past.
func TestStateIsReadAgainAfterAnError(t *testing.T) {
	bubble(t, func(w *world) {
		stop := w.start("")
		defer stop()
		until(newYear.Add(time.Hour))
		err := w.store.Do(context.Background(), func(tx *store.Tx) error {
			tx.SetCursor(dutyCursor, micros(newYear))
			tx.SetCursor(digestCursor, 7)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.change(org.Put(ends(daily("kim", "lee"), "2000-01-01")))
		until(newYear.Add(10 * time.Hour))
		w.want("the hand-overs", w.shifts(), []string{"01 09:00:00 kim→"})
		if len(w.problems()) != 2 {
			t.Errorf("the problems are %v", w.problems())
		}
	})
}
