package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// chatSearch asks for lines among a million in many rooms, as somebody who may
// read most of them and not all.
func chatSearch(ctx context.Context, r *run, t *table) (err error) {
	p := past{entries: pick(r, 1_000_000, 100_000)}
	at, err := r.site.fresh(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.site.discard(context.WithoutCancel(ctx), at)) }()
	if err := p.open(ctx, at); err != nil {
		return err
	}
	db, err := r.site.open(ctx, at)
	if err != nil {
		return err
	}
	began := time.Now()
	_, err = p.fill(ctx, db)
	if err := errors.Join(err, db.close(ctx)); err != nil {
		return err
	}
	t.note("%s lines in %d rooms were put there in %s.", count(p.entries), 2+publicRooms+privateRooms+directRooms, time.Since(began).Round(time.Second))
	n, err := r.startNode(ctx, at, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.stop()) }()
	for _, q := range chatQueries() {
		path := q.path + "?" + q.query.Encode()
		found, err := r.finds(ctx, n, path)
		if err != nil {
			return err
		}
		if (found == 0) != q.nothing {
			return fmt.Errorf("GET %s found %d", path, found)
		}
		took := samples{}
		for range pick(r, 150, 40) {
			d, err := r.get(ctx, n, path)
			if err != nil {
				return err
			}
			if took = append(took, d); d > time.Second && len(took) > 5 {
				break // one that takes so long is bad enough to be known by a few
			}
		}
		got := took.p99()
		t.add(q.what+", p99", span(got)+" (p50 "+span(took.p50())+")", fmt.Sprintf("%d on the page", found), "≤ "+span(30*time.Millisecond), judge(got <= 30*time.Millisecond))
	}
	return nil
}

// chatQuery is a question to the API.
type chatQuery struct {
	what, path string
	query      url.Values
	nothing    bool // is what must be found
}

func chatQueries() []chatQuery {
	const everywhere, lines, busy, hall, old = "/api/v1/search", "/api/v1/timeline", "public-00", "/api/v1/rooms/public-00/messages", "/api/v1/rooms/attic/messages"
	mine := "timeline,public-00,public-01,public-07,public-19,private-00,private-02,private-04,@user001,@user002,attic"
	often, sometimes, seldom := word(0), word(30), word(1500)
	ask := func(pairs ...string) url.Values {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Set(pairs[i], pairs[i+1])
		}
		return v
	}
	return []chatQuery{
		{what: "everywhere, common word", path: everywhere, query: ask("q", often)},
		{what: "everywhere, two common words", path: everywhere, query: ask("q", often+" "+word(1))},
		{what: "everywhere, seldom word", path: everywhere, query: ask("q", seldom)},
		{what: "everywhere, rare word", path: everywhere, query: ask("q", rareWord)},
		{what: "everywhere, two letters", path: everywhere, query: ask("q", word(40)[:2])},
		{what: "everywhere, beginning of a word", path: everywhere, query: ask("q", word(40)[:3])},
		{what: "everywhere, word of closed rooms", path: everywhere, query: ask("q", hiddenWord), nothing: true},
		{what: "busy room, newest", path: hall},
		{what: "busy room, common word", path: hall, query: ask("q", often)},
		{what: "busy room, seldom word", path: hall, query: ask("q", seldom)},
		{what: "busy room, person", path: lines, query: ask("rooms", busy, "person", "user042")},
		{what: "busy room, person, common word", path: lines, query: ask("rooms", busy, "person", "user042", "q", often)},
		{what: "busy room, up to a date", path: lines, query: ask("rooms", busy, "at", pastBegins.Add(72*time.Hour).Format(time.RFC3339))},
		{what: "old room, newest", path: old},
		{what: "old room, common word", path: old, query: ask("q", often)},
		{what: "old room, word that it has not", path: old, query: ask("q", hiddenWord), nothing: true},
		{what: "old room, everybody's lines", path: lines, query: ask("rooms", "attic")},
		{what: "old room, person who was never there", path: lines, query: ask("rooms", "attic", "person", strangerToAttic()), nothing: true},
		{what: "direct room, newest", path: "/api/v1/rooms/@user001/messages"},
		{what: "direct room, common word", path: "/api/v1/rooms/@user001/messages", query: ask("q", often)},
		{what: "direct room, rare word", path: "/api/v1/rooms/@user001/messages", query: ask("q", rareWord), nothing: true},
		{what: "eleven rooms, newest", path: lines, query: ask("rooms", mine)},
		{what: "eleven rooms, common word", path: lines, query: ask("rooms", mine, "q", often)},
		{what: "eleven rooms, less common word, person", path: lines, query: ask("rooms", mine, "q", sometimes, "person", "user042")},
		{what: "eleven rooms, common word, person", path: lines, query: ask("rooms", mine, "q", often, "person", "user042")},
		{what: "timeline alone, word of closed rooms", path: lines, query: ask("q", hiddenWord), nothing: true},
		{what: "what is unread in all rooms", path: "/api/v1/unread"},
	}
}

// strangerToAttic is the username of somebody who never spoke there.
func strangerToAttic() string {
	spoke := map[int]bool{}
	for i := range atticLines {
		spoke[past{}.line(i).by] = true
	}
	n := 0
	for spoke[n] {
		n++
	}
	return fmt.Sprintf("user%03d", n)
}

// finds asks once, and says how many entries came.
func (r *run) finds(ctx context.Context, n *node, path string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.addr+path, http.NoBody)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+r.site.known().token(0))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var page struct{ Items, Entries []json.RawMessage }
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil || res.StatusCode != http.StatusOK {
		return 0, errors.Join(err, fmt.Errorf("GET %s: status %d", path, res.StatusCode))
	}
	return len(page.Items) + len(page.Entries), nil
}
