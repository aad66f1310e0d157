package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// talk is enough for each way to search to be taken: the first room has most
// of the lines, some words stand in most of them, some in few, some in one room.
func talk() (said []timeline.Entry, rooms []id.Room) {
	rooms = []id.Room{"", "busy", "attic", "dm-u0~u1", "secret"}
	for i := range 20 {
		rooms = append(rooms, id.Room(fmt.Sprintf("r%02d", i)))
	}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same in every run
	for i := range 3000 {
		words := []string{"often", fmt.Sprintf("often%d", r.IntN(3)), fmt.Sprintf("y%02d", r.IntN(60)), fmt.Sprintf("z%03d", r.IntN(700))}
		room, by := rooms[r.IntN(len(rooms))], id.User(fmt.Sprintf("u%d", r.IntN(2)))
		switch {
		case i < 10:
			room = "attic"
		case r.IntN(2) == 0 || room == "attic":
			room = "busy"
		}
		for _, word := range []struct {
			text string
			one  int
		}{{"some", 10}, {"seldom", 200}, {"rare", 900}} {
			if r.IntN(word.one) == 0 {
				words = append(words, word.text)
			}
		}
		if room == "secret" && i%2 == 0 {
			words = append(words, "hidden")
		}
		if i%500 == 499 {
			by = "u9"
		}
		e := in(room, 0, strings.Join(words, " "))
		if e.Person = by; i%100 == 7 { // a kind of which there are few
			e.Kind, e.Payload = timeline.NoteAdded, timeline.Noted{Text: strings.Join(words, " ")}
		}
		said = append(said, e)
	}
	return said, rooms
}

// textOf is what an entry of talk is found by.
func textOf(e timeline.Entry) string {
	switch p := e.Payload.(type) {
	case timeline.Message:
		return p.Text
	case timeline.Noted:
		return p.Text
	}
	return ""
}

// foundBy is what a filter must find, looked for one by one.
func foundBy(said []timeline.Entry, f store.EntryFilter) []id.Seq {
	found := []id.Seq{}
	for i, e := range said {
		seq, text := id.Seq(i+1), " "+textOf(e)
		ok := (f.AllRooms || slices.Contains(f.Rooms, e.Room)) && (f.Person == "" || f.Person == e.Person) && seq > f.After && (f.Before == 0 || seq < f.Before) && (len(f.Kinds) == 0 || slices.Contains(f.Kinds, e.Kind))
		for _, w := range f.Words {
			ok = ok && strings.Contains(text, " "+w)
		}
		if ok {
			found = append(found, seq)
		}
	}
	switch n := min(f.Limit, len(found)); {
	case f.After > 0:
		return found[:n]
	default:
		return found[len(found)-n:]
	}
}

// searches: whichever way an engine finds words, it finds the same.
func searches(t *testing.T, s *store.Store) {
	said, rooms := talk()
	do(t, s, func(tx *store.Tx) {
		for _, e := range said {
			tx.Append(e)
		}
	})
	for must[bool](t)(s.IndexNext(t.Context(), "search", 1000, textOf)) {
		continue
	}
	open := slices.DeleteFunc(slices.Clone(rooms), func(r id.Room) bool { return r == "secret" })
	places := map[string]store.EntryFilter{
		"everywhere":   {AllRooms: true},
		"many rooms":   {Rooms: open},
		"few rooms":    {Rooms: []id.Room{"busy", "attic", "r07"}},
		"the timeline": {Rooms: []id.Room{""}},
		"with it":      {Rooms: []id.Room{"", "busy"}},
		"a busy room":  {Rooms: []id.Room{"busy"}},
		"an old room":  {Rooms: []id.Room{"attic"}},
		"two people":   {Rooms: []id.Room{"dm-u0~u1"}},
		"a secret":     {Rooms: []id.Room{"secret"}},
		"no room":      {Rooms: []id.Room{}},
	}
	for where, f := range places {
		for _, words := range [][]string{{"often"}, {"often1"}, {"o", "s"}, {"some"}, {"seldom"}, {"rare"}, {"hidden"}, {"busy"}, {"never"}, {"y"}, {"z"}, {"z", "y1", "seldom"}} {
			for _, person := range []id.User{"", "u1", "u9", "nobody"} {
				f.Words, f.Person, f.Limit = words, person, 7
				for _, part := range []struct {
					after, before id.Seq
					kinds         []timeline.Kind
				}{{}, {before: 1400}, {after: 1400}, {kinds: []timeline.Kind{timeline.NoteAdded}}} {
					f.After, f.Before, f.Kinds = part.after, part.before, part.kinds
					what := fmt.Sprintf("%s, %v of %q, %v", where, words, person, part)
					same(t, what, seqs(must[[]timeline.Entry](t)(s.Entries(t.Context(), f))), foundBy(said, f))
				}
			}
		}
	}
}
