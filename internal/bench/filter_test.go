package bench

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestFiltersFindWhatIsThere holds every way in which the store asks for
// entries against a plain walk over the history. The store changes its way
// with the number of rows, so there are enough for the ways of a full
// database, which small tables never take.
func TestFiltersFindWhatIsThere(t *testing.T) {
	ctx := t.Context()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			s, err := openSite(ctx, engine, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer s.close(ctx) //nolint:errcheck // the databases go away with it
			p, err := s.fresh(ctx)
			if err != nil {
				t.Fatal(err)
			}
			db, err := s.open(ctx, p)
			if err != nil {
				t.Fatal(err)
			}
			offset, err := db.number(ctx, "SELECT seq FROM head")
			if err != nil {
				t.Fatal(err)
			}
			h, err := newHistory(5_100, s.known().version) // one entry has the rare word
			if err != nil {
				t.Fatal(err)
			}
			if err := h.fill(ctx, db); err != nil {
				t.Fatal(err)
			}
			// A rare kind, with every team, and with and without person and words.
			err = db.exec(ctx, fmt.Sprintf("UPDATE entry SET kind = 'page_failed', payload = '{}' WHERE incident > 0 AND (seq - %d - 1) %% %d = 0", offset, failedEvery))
			if err != nil {
				t.Fatal(err)
			}
			if err := db.close(ctx); err != nil {
				t.Fatal(err)
			}
			st, err := store.Open(ctx, p.storeConfig())
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			last := id.Seq(offset) + id.Seq(h.entries())
			rareKinds, commonKinds := []timeline.Kind{timeline.PageFailed}, []timeline.Kind{timeline.NoteAdded, timeline.IncidentResolved}
			for _, words := range [][]string{nil, {commonWord}, {"disk", "loo"}, {rareWord}, {"0000"}, {"00000042"}, {"nowhere"}} {
				for _, kinds := range [][]timeline.Kind{nil, rareKinds, commonKinds} {
					for _, who := range []store.EntryFilter{{}, {Team: team(2)}, {Person: person(42)}, {Team: team(2), Person: person(42)}} {
						for _, from := range []store.EntryFilter{{}, {Before: last - 6000}, {After: last - 7000}} {
							f := who
							f.Words, f.Kinds, f.Before, f.After, f.Limit = words, kinds, from.Before, from.After, 30
							found, err := st.Entries(ctx, f)
							if err != nil {
								t.Fatalf("%+v: %v", f, err)
							}
							var got []id.Seq
							for _, e := range found {
								got = append(got, e.Seq)
							}
							if want := h.plainly(id.Seq(offset), f); !slices.Equal(got, want) {
								t.Errorf("%+v: got %d %v, want %d %v", f, len(got), got, len(want), want)
							}
						}
					}
				}
			}
		})
	}
}

// failedEvery shares no factor with what teams, people and parts repeat by.
const failedEvery = 317

// plainly looks at one entry after the other.
func (h *history) plainly(offset id.Seq, f store.EntryFilter) []id.Seq {
	var found []id.Seq
	for i := range h.entries() {
		n, part, seq := i/perIncident, h.parts[i%perIncident], offset+id.Seq(i)+1
		kind, who := part.kind, id.User("")
		if i%failedEvery == 0 {
			kind = timeline.PageFailed
		}
		if part.person {
			who = person(n % crowd)
		}
		if f.After > 0 && seq <= f.After || f.Before > 0 && seq >= f.Before || f.Team != "" && f.Team != team(n%teams) ||
			f.Person != "" && f.Person != who || len(f.Kinds) > 0 && !slices.Contains(f.Kinds, kind) {
			continue
		}
		words := strings.Fields(numbered(part.words, n))
		if i%rareEvery == rareEvery/2 {
			words = append(words, rareWord)
		}
		if !slices.ContainsFunc(f.Words, func(w string) bool {
			return !slices.ContainsFunc(words, func(have string) bool { return strings.HasPrefix(have, w) })
		}) {
			found = append(found, seq)
		}
	}
	if n := cmp.Or(f.Limit, 50); len(found) > n {
		if f.After > 0 {
			return found[:n]
		}
		return found[len(found)-n:]
	}
	return found
}
