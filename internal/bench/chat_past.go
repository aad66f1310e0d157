package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/search"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// The rooms of the past. The first person is in half of the private rooms and
// in half of the direct ones.
const (
	publicRooms  = 20
	privateRooms = 10
	directRooms  = 100
	atticLines   = 30 // the attic has no other lines, the oldest of all
)

const (
	attic = id.Room("benchattic")
	// hiddenWord stands in private rooms that the first person is not in.
	hiddenWord = "xylophone"
	vocabulary = 5000
)

func publicRoom(n int) id.Room  { return id.Room(fmt.Sprintf("benchpublic%02d", n)) }
func privateRoom(n int) id.Room { return id.Room(fmt.Sprintf("benchprivate%02d", n)) }

// directRoom is one with the first person when n is even, and one of two others.
func directRoom(n int) id.Room {
	if n%2 == 0 {
		return room.DirectOf(person(0), person(n/2+1))
	}
	return room.DirectOf(person(n/2+1), person(n/2+2))
}

// past is what was said in many rooms, by many people, and all of it indexed.
// Every line follows from its number, so that none has to be kept.
type past struct{ entries int }

// said is one line of it.
type said struct {
	at   time.Time
	room id.Room
	by   int
	text string
}

var pastBegins = time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)

// word of the vocabulary: the lower its number, the more often it is said.
func word(n int) string {
	const syllables = "ba be bi bo bu da de di do du fa fe fi fo fu ka ke ki ko ku la le li lo lu ma me mi mo mu na ne ni no nu ra re ri ro ru sa se si so su ta te ti to tu "
	var b strings.Builder
	for n += 50; n > 0; n /= 50 {
		b.WriteString(syllables[n%50*3 : n%50*3+2])
	}
	return b.String()
}

func (p past) line(i int) said {
	r := rand.New(rand.NewPCG(uint64(i), 4)) //nolint:gosec // the same text in every run
	s := said{at: pastBegins.Add(time.Duration(i) * 10 * time.Second), by: r.IntN(crowd)}
	zipf := rand.NewZipf(r, 1.3, 8, vocabulary-1)
	words := make([]string, 6+r.IntN(12))
	for j := range words {
		words[j] = word(int(zipf.Uint64())) //nolint:gosec // below vocabulary
	}
	if i%rareEvery == rareEvery/2 {
		words[0] = rareWord
	}
	switch where := r.IntN(100); {
	case i < atticLines:
		s.room = attic
	case where < 30: // the organisation's timeline
	case where < 70:
		s.room = publicRoom(r.IntN(1 + r.IntN(publicRooms))) // the first ones have the most
	case where < 90:
		n := r.IntN(privateRooms)
		if s.room = privateRoom(n); n%2 == 1 && r.IntN(20) == 0 {
			words[0] = hiddenWord
		}
	default:
		s.room = directRoom(r.IntN(directRooms))
	}
	s.text = strings.Join(words, " ")
	return s
}

// open makes the rooms in an empty place.
func (p past) open(ctx context.Context, at place) (err error) {
	s, err := store.Open(ctx, at.storeConfig())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	box, err := secret.Open(at.keyFile())
	if err != nil {
		return fmt.Errorf("open the secret key: %w", err)
	}
	rooms := []org.Change{org.Put(room.Room{ID: attic, Kind: room.Public, Slug: "attic"})}
	for n := range publicRooms {
		rooms = append(rooms, org.Put(room.Room{ID: publicRoom(n), Kind: room.Public, Slug: fmt.Sprintf("public-%02d", n)}))
	}
	for n := range privateRooms {
		members := []id.User{person(1), person(2)}
		if n%2 == 0 {
			members = append(members, person(0))
		}
		rooms = append(rooms, org.Put(room.Room{ID: privateRoom(n), Kind: room.Private, Slug: fmt.Sprintf("private-%02d", n), Members: members}))
	}
	d := dispatch.New(s, box, slog.New(slog.DiscardHandler))
	_, err = d.ChangeOrg(ctx, people.Operator(), func(*org.Org) ([]org.Change, error) { return rooms, nil })
	if err != nil {
		return fmt.Errorf("make the rooms: %w", err)
	}
	return nil
}

// entry is a line as the node keeps it; offset is the last number before all.
func (p past) entry(offset int64, i int) timeline.Entry {
	s := p.line(i)
	by := person(s.by)
	return timeline.Entry{
		Seq: id.Seq(offset) + id.Seq(i) + 1, At: s.at, Kind: timeline.MessagePosted, Person: by, Room: s.room,
		Actor:   timeline.Actor{User: by, Name: fmt.Sprintf("Person %03d", s.by), Origin: timeline.Browser},
		Payload: timeline.Message{Text: s.text},
	}
}

// fill writes all lines, with a reaction to every fiftieth.
func (p past) fill(ctx context.Context, db raw) (offset int64, err error) {
	if offset, err = db.number(ctx, "SELECT seq FROM head"); err != nil {
		return 0, err
	}
	var failed error
	text := func(v any) string {
		b, err := json.Marshal(v)
		failed = errors.Join(failed, err)
		return string(b)
	}
	reaction := text(store.Message{Reactions: []timeline.ReactionSum{{Emoji: "👍", Users: []id.User{person(3)}}}})
	const reactionEvery = 50
	for _, fill := range []func() error{
		func() error {
			return withoutIndexes(ctx, db, "entry", func() error {
				return db.fill(ctx, "entry", []string{"seq", "at", "kind", "incident", "team", "person", "room", "thread", "actor", "payload"}, p.entries, func(i int) []any {
					e := p.entry(offset, i)
					return []any{int64(e.Seq), e.At.UnixMicro(), string(e.Kind), int64(0), "", string(e.Person), string(e.Room), int64(0), text(e.Actor), text(e.Payload)}
				})
			})
		},
		func() error {
			return db.fillWords(ctx, p.entries, func(i int) (int64, string) {
				e := p.entry(offset, i)
				words := search.Of(e)
				if e.Room != "" {
					words = append(words, store.RoomWord(e.Room), store.AuthorWord(e.Person))
				}
				return int64(e.Seq), strings.Join(words, " ")
			})
		},
		func() error {
			return db.fill(ctx, "message", []string{"seq", "room", "pinned", "body"}, p.entries/reactionEvery, func(i int) []any {
				i *= reactionEvery
				return []any{offset + int64(i) + 1, string(p.line(i).room), int64(0), reaction}
			})
		},
		func() error { // that somebody has a direct room stands in what they have read
			return db.fill(ctx, "mark", []string{"person", "room", "seq"}, directRooms/2, func(n int) []any {
				return []any{string(person(0)), string(directRoom(2 * n)), offset + int64(p.entries) - 5000}
			})
		},
		func() error {
			return db.exec(ctx, "UPDATE head SET seq = $1, at = $2", offset+int64(p.entries), p.line(p.entries-1).at.UnixMicro())
		},
		func() error { return forget(ctx, db) },
		func() error { return db.settle(ctx) },
	} {
		if err := errors.Join(fill(), failed); err != nil {
			return 0, fmt.Errorf("fill the database: %w", err)
		}
	}
	return offset, nil
}
