package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/timeline"
)

// guesser does to one entity what alerts do, and says what it found in the end.
type guesser struct {
	*testing.T
	*Store
	guessed, asked int
}

// alert opens an incident for entity, or counts one more; over ends it instead.
// It returns the number of the open incident that was found, 0 for none.
func (g *guesser) alert(entity string, over bool) id.Incident {
	g.Helper()
	var found id.Incident
	err := g.DoWithOpen(g.Context(), []string{entity}, func(tx *Tx, open map[string]incident.Incident) error {
		if tx.known {
			g.guessed++
		} else {
			g.asked++
		}
		if tx.NewAlert()%5 == 0 { // what is read begins it in earnest
			if _, err := tx.Cursor("somebody"); err != nil {
				return err
			}
		}
		inc, ok := open[entity]
		found = inc.ID
		switch {
		case over && !ok:
			return nil
		case over:
			inc.State = incident.Resolved
		case !ok:
			inc = incident.Incident{ID: tx.NewIncident(), EntityID: entity, State: incident.Triggered}
		}
		inc.AlertCount++
		entry := timeline.Entry{Kind: timeline.NoteAdded, Incident: inc.ID, Payload: timeline.Noted{Text: entity}}
		tx.Save(incident.Decision{Incident: inc, Changed: true, Entries: []timeline.Entry{entry}})
		return nil
	})
	if err != nil {
		g.Fatal(err)
	}
	return found
}

// Whatever is guessed, every transaction decides on what is really open: with
// another node writing in between, and with open incidents that were forgotten.
func TestGuessesAreNeverBelieved(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { guesses(t, Config{Path: filepath.Join(t.TempDir(), "watchroom.db")}) })
	t.Run("postgres", func(t *testing.T) { guesses(t, Config{Database: pgtest.URL(t)}) })
}

func guesses(t *testing.T, cfg Config) {
	t.Helper()
	var nodes [2]*guesser
	for i := range nodes {
		s, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		nodes[i] = &guesser{T: t, Store: s}
	}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	open, counts, entries := map[string]id.Incident{}, map[id.Incident]int{}, 0
	var last id.Incident
	for range 16 {
		g := nodes[r.IntN(len(nodes))]
		for range 1 + r.IntN(100) {
			switch r.IntN(30) {
			case 0:
				clear(g.memory.open)
			case 1: // writes, and looks at no head
				if _, err := g.IndexNext(t.Context(), "words", 10, func(timeline.Entry) string { return "disk" }); err != nil {
					t.Fatal(err)
				}
			}
			entity, over := fmt.Sprint("disk", r.IntN(12)), r.IntN(3) == 0
			if found := g.alert(entity, over); found != open[entity] {
				t.Fatalf("%s: found incident %d open, want %d", entity, found, open[entity])
			}
			if over && open[entity] == 0 {
				continue
			}
			if open[entity] == 0 {
				last++
				open[entity] = last
			}
			entries++
			counts[open[entity]]++
			if over {
				delete(open, entity)
			}
		}
	}
	for n, want := range counts {
		inc, err := nodes[0].Incident(t.Context(), n)
		if err != nil || inc.AlertCount != want {
			t.Errorf("incident %d counts %d alerts (%v), want %d", n, inc.AlertCount, err, want)
		}
	}
	found, err := nodes[1].Entries(t.Context(), EntryFilter{Limit: 300, FromStart: true})
	if err != nil || len(found) != 300 || found[299].Seq-found[0].Seq != 299 {
		t.Errorf("%d entries, %v; want their numbers to follow one another", len(found), err)
	}
	if h, err := nodes[1].Head(t.Context()); err != nil || int(h.Seq) != entries {
		t.Errorf("the last entry is %d (%v), want %d", h.Seq, err, entries)
	}
	for i, g := range nodes {
		if g.guessed < 20 || g.asked < 20 {
			t.Errorf("node %d has guessed %d times and asked %d times: this says nothing", i, g.guessed, g.asked)
		}
	}
}

// An incident that cannot be read fails who asks for it, and is no outage.
func TestAnIncidentThatCannotBeRead(t *testing.T) {
	for name, cfg := range map[string]Config{"sqlite": {Path: filepath.Join(t.TempDir(), "watchroom.db")}, "postgres": {Database: pgtest.URL(t)}} {
		t.Run(name, func(t *testing.T) {
			s, _ := openLogging(t, cfg)
			g := &guesser{T: t, Store: s}
			g.alert("bad", false)
			if _, err := s.write.ExecContext(t.Context(), `UPDATE incident SET body = '{'`); err != nil {
				t.Fatal(err)
			}
			err := s.DoWithOpen(t.Context(), []string{"good", "bad"}, func(*Tx, map[string]incident.Incident) error { return nil })
			if _, lasts := s.Outage(); err == nil || errors.Is(err, ErrAway) || lasts {
				t.Errorf("DoWithOpen() = %v, an outage: %t", err, lasts)
			}
			if found := g.alert("good", false); found != 0 {
				t.Errorf("found incident %d", found)
			}
		})
	}
}
