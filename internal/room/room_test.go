package room_test

import (
	"testing"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/room"
)

// What stands in one room may be said in another when nobody reads there who
// could not read it where it stands.
func TestOpenTo(t *testing.T) {
	direct := func(a, b id.User) room.Room { return room.Room{ID: room.DirectOf(a, b), Kind: room.Direct} }
	var (
		main   = room.Room{Kind: room.Public}
		ops    = room.Room{ID: "ops", Kind: room.Public, Members: []id.User{"ann"}}
		staff  = room.Room{ID: "staff", Kind: room.Private, Members: []id.User{"ann", "ben", "cyd"}}
		raise  = room.Room{ID: "raise", Kind: room.Private, Members: []id.User{"ann", "ben"}}
		others = room.Room{ID: "others", Kind: room.Group, Members: []id.User{"ann", "dan"}}
	)
	for _, c := range []struct {
		what     string
		of, here room.Room
		want     bool
	}{
		{"the timeline anywhere", main, raise, true},
		{"a public room in the timeline", ops, main, true},
		{"a public room in a private one", ops, raise, true},
		{"a private room in the timeline", raise, main, false},
		{"a private room in a public one whose members all know it", raise, ops, false},
		{"a private room in itself", raise, raise, true},
		{"among some of those who know", staff, raise, true},
		{"among more than those who know", raise, staff, false},
		{"among others", raise, others, false},
		{"between two who know", raise, direct("ann", "ben"), true},
		{"between two of whom one knows", raise, direct("ann", "dan"), false},
		{"to the bot alone", raise, direct("ann", room.Bot), true},
		{"to the bot by somebody else", raise, direct("dan", room.Bot), false},
		{"between two, in a room of theirs", direct("ann", "ben"), raise, true},
		{"between two, in a room of more", direct("ann", "ben"), staff, false},
		{"what was told the bot, in a room", direct("ann", room.Bot), raise, false},
	} {
		if got := c.of.OpenTo(c.here); got != c.want {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

// The end of a private room's slug is for addresses alone.
func TestWish(t *testing.T) {
	for _, c := range []struct{ kind, slug, want string }{
		{"private", "leads-nvn8p", "leads"}, {"private", "a-b-nvn8p", "a-b"}, {"private", "leads", "leads"}, {"private", "-nvn8p", "-nvn8p"},
		{"public", "leads-nvn8p", "leads-nvn8p"}, {"group", "", ""},
	} {
		r := room.Room{ID: "r", Kind: room.Kind(c.kind), Slug: c.slug}
		if got := r.Wish(); got != c.want {
			t.Errorf("the %s room %s is called %q, want %q", c.kind, c.slug, got, c.want)
		}
	}
}
