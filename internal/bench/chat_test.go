package bench

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/search"
	"github.com/watchroom/watchroom/internal/store"
)

func TestLineNumber(t *testing.T) {
	for frame, want := range map[string]int64{
		`data: {"seq":7,"sentence":"Ann: line 00000003: usage","payload":{"text":"line 00000042: usage"}}`: 42,
		`data: {"payload":{"text":"line 0000004"}}`:                                                        -1,
		`data: {"payload":{"text":"line 99999999: more than are said"}}`:                                   -1,
		`data: {"payload":{"text":"something else"}}`:                                                      -1,
		`: passed`: -1,
	} {
		got, ok := lineNumber([]byte(frame))
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("lineNumber(%s) = %d, want %d", frame, got, want)
		}
	}
}

// TestLinesAreLikeATeams keeps what is searched honest: the words and rooms
// that the questions are about are as common as they are said to be.
func TestLinesAreLikeATeams(t *testing.T) {
	p := past{entries: 20_000}
	have := map[string]int{}
	rooms := map[id.Room]int{}
	for i := range p.entries {
		s := p.line(i)
		rooms[s.room]++
		for w := range strings.FieldsSeq(s.text) {
			have[w]++
		}
	}
	for _, want := range []struct {
		word        string
		least, most int
	}{{word(0), p.entries / 3, 3 * p.entries}, {word(1500), 5, 100}, {hiddenWord, 50, 150}} {
		if n := have[want.word]; n < want.least || n > want.most {
			t.Errorf("%q is said %d times in %d lines", want.word, n, p.entries)
		}
	}
	if n := rooms[attic]; n != atticLines {
		t.Errorf("the attic has %d lines", n)
	}
	if a, b := rooms[publicRoom(0)], rooms[publicRoom(publicRooms-1)]; a < 20*b {
		t.Errorf("the busiest room has %d lines, the quietest %d", a, b)
	}
	if n := len(rooms); n < publicRooms+privateRooms+directRooms {
		t.Errorf("%d rooms", n)
	}
}

// TestSearchInRoomsFindsWhatIsThere holds every way in which the store looks
// into rooms against a plain walk over what was said.
func TestSearchInRoomsFindsWhatIsThere(t *testing.T) {
	ctx := t.Context()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			s, err := openSite(ctx, engine, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer s.close(ctx) //nolint:errcheck // the databases go away with it
			at, err := s.fresh(ctx)
			if err != nil {
				t.Fatal(err)
			}
			p := past{entries: 12_000}
			if err := p.open(ctx, at); err != nil {
				t.Fatal(err)
			}
			db, err := s.open(ctx, at)
			if err != nil {
				t.Fatal(err)
			}
			offset, err := p.fill(ctx, db)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.close(ctx); err != nil {
				t.Fatal(err)
			}
			st, err := store.Open(ctx, at.storeConfig())
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			last := id.Seq(offset) + id.Seq(p.entries)
			walk := p.indexed(offset)
			for _, rooms := range [][]id.Room{
				nil, {}, {publicRoom(0)}, {attic}, {privateRoom(1)}, {directRoom(0)}, {room.Main, publicRoom(1), privateRoom(0), directRoom(1)}, {publicRoom(2), attic},
			} {
				for _, words := range [][]string{nil, {word(0)}, {word(0), word(1)}, {word(40)[:2]}, {word(1500)}, {hiddenWord}, {"nowhere"}} {
					for _, who := range []id.User{"", person(42)} {
						for _, from := range []store.EntryFilter{{}, {Before: last - 6000}, {After: last - 7000}} {
							f := store.EntryFilter{Rooms: rooms, Words: words, Person: who, Before: from.Before, After: from.After, Limit: 30}
							found, err := st.Entries(ctx, f)
							if err != nil {
								t.Fatalf("%+v: %v", f, err)
							}
							var got []id.Seq
							for _, e := range found {
								got = append(got, e.Seq)
							}
							if want := walk.plainly(f); !slices.Equal(got, want) {
								t.Errorf("%+v: got %d %v, want %d %v", f, len(got), got, len(want), want)
							}
						}
					}
				}
			}
		})
	}
}

// indexedLine is a line with its words.
type indexedLine struct {
	seq   id.Seq
	room  id.Room
	by    id.User
	words []string
}

type indexedLines []indexedLine

func (p past) indexed(offset int64) indexedLines {
	var all indexedLines
	for i := range p.entries {
		e := p.entry(offset, i)
		all = append(all, indexedLine{e.Seq, e.Room, e.Person, search.Of(e)})
	}
	return all
}

// plainly looks at one line after the other.
func (all indexedLines) plainly(f store.EntryFilter) []id.Seq {
	rooms := f.Rooms
	if rooms == nil {
		rooms = []id.Room{room.Main}
	}
	var found []id.Seq
	for _, l := range all {
		if f.After > 0 && l.seq <= f.After || f.Before > 0 && l.seq >= f.Before || !slices.Contains(rooms, l.room) || f.Person != "" && f.Person != l.by {
			continue
		}
		if !slices.ContainsFunc(f.Words, func(w string) bool {
			return !slices.ContainsFunc(l.words, func(have string) bool { return strings.HasPrefix(have, w) })
		}) {
			found = append(found, l.seq)
		}
	}
	if n := f.Limit; len(found) > n {
		if f.After > 0 {
			return found[:n]
		}
		return found[len(found)-n:]
	}
	return found
}

// TestQueriesAreDifferent because two of the same would be one figure twice.
func TestQueriesAreDifferent(t *testing.T) {
	seen := map[string]string{}
	for _, q := range chatQueries() {
		key := fmt.Sprint(q.path, q.query.Encode())
		if was, ok := seen[key]; ok {
			t.Errorf("%q asks what %q asks", q.what, was)
		}
		seen[key] = q.what
	}
}
