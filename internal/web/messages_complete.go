package web

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
)

// candidate is one way to go on with a line. From and To count UTF-16 units, as
// browsers do.
type candidate struct {
	Insert string `json:"insert"`
	Label  string `json:"label"`
	Hint   string `json:"hint,omitempty"`
	From   int    `json:"from"`
	To     int    `json:"to"`
}

// mostCandidates is how many are offered at once.
const mostCandidates = 10

// complete says how a line can go on at the cursor: whom it may call, which
// room or incident it may name, which command it may give.
func (s *Server) complete(w http.ResponseWriter, r *http.Request) error {
	ctx, query, actor := r.Context(), r.URL.Query(), actorOf(r)
	o, err := s.organisation(ctx)
	if err != nil {
		return err
	}
	in, err := named(o, actor, cmp.Or(query.Get("room"), "main"))
	if err != nil {
		return err
	}
	text := query.Get("text")
	if len(text) > maxCompleted || !room.Speaks(actor, in.ID) {
		return answerJSON(w, map[string]any{"candidates": []candidate{}})
	}
	at, err := strconv.Atoi(query.Get("at"))
	if err != nil {
		at = len(utf16.Encode([]rune(text)))
	}
	cut := bytesAt(text, at)
	all, err := s.commandCandidates(r, o, in, text, cut)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		if all, err = s.nameCandidates(r, o, in, text[:cut]); err != nil {
			return err
		}
	}
	for i := range all {
		all[i].From, all[i].To = unitsAt(text, all[i].From), unitsAt(text, all[i].To)
	}
	if all == nil {
		all = []candidate{}
	}
	return answerJSON(w, map[string]any{"candidates": all})
}

const maxCompleted = 8000

// bytesAt is the place of the n-th UTF-16 unit in s.
func bytesAt(s string, n int) int {
	for i, r := range s {
		if n <= 0 {
			return i
		}
		n -= utf16.RuneLen(r)
	}
	return len(s)
}

// unitsAt is how many UTF-16 units stand before a place in s.
func unitsAt(s string, at int) int {
	n := 0
	for _, r := range s[:min(at, len(s))] {
		n += max(1, utf16.RuneLen(r))
	}
	return n
}

// commandCandidates are those of a command: after the sigil of the room, after
// a slash, after the bot's name, and of every line to the bot alone.
func (s *Server) commandCandidates(r *http.Request, o *org.Org, in room.Room, text string, at int) ([]candidate, error) {
	if s.Complete == nil {
		return nil, nil
	}
	start := commandStart(o, in, text)
	if start < 0 || at < start {
		return nil, nil
	}
	found, err := s.Complete(r.Context(), actorOf(r), in.ID, text[start:], at-start)
	if err != nil {
		return nil, err
	}
	var all []candidate
	for _, c := range found.Candidates {
		all = append(all, candidate{Insert: c.Text, Label: cmp.Or(c.Label, c.Text), Hint: cmp.Or(c.Summary, found.Usage), From: start + found.From, To: start + found.To})
	}
	return all[:min(len(all), mostCandidates)], nil
}

// commandStart is where the line of a command begins in a text; -1 when it is none.
func commandStart(o *org.Org, in room.Room, text string) int {
	bot := o.Settings.Bot
	lead := len(text) - len(strings.TrimLeft(text, " \n\t"))
	rest := text[lead:]
	for _, sign := range []string{bot.SigilIn(in), "/"} {
		if sign != "" && strings.HasPrefix(rest, sign) {
			return lead + len(sign)
		}
	}
	low := strings.ToLower(rest)
	for _, name := range []string{"@" + bot.Called(), bot.Called()} {
		if after, ok := strings.CutPrefix(low, name); ok && after != "" && strings.ContainsAny(after[:1], " :,") {
			skip := len(after) - len(strings.TrimLeft(after, " :,"))
			return lead + len(name) + skip
		}
	}
	if a, b, ok := room.DirectMembers(in.ID); ok && (a == room.Bot || b == room.Bot) {
		return lead
	}
	return -1
}

// nameCandidates are people, teams, rooms and incidents for the word that is
// being written.
func (s *Server) nameCandidates(r *http.Request, o *org.Org, in room.Room, text string) ([]candidate, error) {
	from := strings.LastIndexAny(text, " \n\t([{\"'") + 1
	word := strings.ToLower(text[from:])
	var all []candidate
	add := func(insert, label, hint string) {
		if len(all) < mostCandidates {
			all = append(all, candidate{Insert: insert, Label: label, Hint: hint, From: from, To: len(text)})
		}
	}
	switch {
	case strings.HasPrefix(word, "@@"):
		for _, t := range org.Sorted(o.Teams, func(t people.Team) string { return t.Slug }) {
			if begins(word[2:], t.Slug, t.Name) {
				add("@@"+t.Slug, "@@"+t.Slug, t.Name)
			}
		}
	case strings.HasPrefix(word, "@"):
		s.callable(o, actorOf(r), in, word[1:], add)
	case strings.HasPrefix(word, "#"):
		if err := s.numbered(r, o, word[1:], add); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// callable offers those whom a line can call, members of the room in front.
func (s *Server) callable(o *org.Org, actor people.Actor, in room.Room, word string, add func(insert, label, hint string)) {
	users := slices.DeleteFunc(activePeople(o), func(u people.User) bool {
		return !begins(word, u.Username, u.Name) || !in.CanRead(u.ID) && in.ID != room.Main
	})
	there := s.presence.states()
	rank := func(u people.User) int {
		switch {
		case u.ID == actor.User:
			return 3
		case strings.HasPrefix(u.Username, word) && there[u.ID] != "":
			return 0
		case there[u.ID] != "":
			return 1
		}
		return 2
	}
	slices.SortStableFunc(users, func(a, b people.User) int { return cmp.Compare(rank(a), rank(b)) })
	if begins(word, o.Settings.Bot.Called()) && word != "" {
		add("@"+o.Settings.Bot.Called(), "@"+o.Settings.Bot.Called(), phrase.T("chat_web.speaker.bot"))
	}
	for i, u := range users {
		if i < mostCandidates-3 {
			add("@"+u.Username, "@"+u.Username, u.Name)
		}
	}
	if begins(word, "oncall") {
		add("@oncall", "@oncall", phrase.T("chat_web.format.oncall"))
	}
	if begins(word, "here") {
		add("@here", "@here", phrase.T("chat_web.format.here"))
	}
}

// numbered offers incidents by number or title, and rooms.
func (s *Server) numbered(r *http.Request, o *org.Org, word string, add func(insert, label, hint string)) error {
	for _, found := range o.ReadableRooms(actorOf(r).User) {
		if found.Slug != "" && word != "" && begins(word, found.Slug) {
			add("#"+found.Slug, "#"+found.Slug, found.Topic)
		}
	}
	open, err := s.Store.Incidents(r.Context(), store.IncidentFilter{States: []incident.State{incident.Triggered, incident.Acknowledged}, Limit: 100})
	if err != nil {
		return err
	}
	for _, inc := range open {
		number := strconv.FormatInt(int64(inc.ID), 10)
		if strings.HasPrefix(number, word) || begins(word, inc.Title) {
			add("#"+number, "#"+number, inc.Title)
		}
	}
	return nil
}

// begins reports whether a word begins any of the names, or a word in them.
func begins(word string, names ...string) bool {
	for _, name := range names {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, word) {
			return true
		}
		for i, r := range name {
			if strings.ContainsRune(" -_.", r) && strings.HasPrefix(name[i+utf8.RuneLen(r):], word) {
				return true
			}
		}
	}
	return false
}

// press gives the command behind a button of a message, as whoever presses it.
func (s *Server) press(w http.ResponseWriter, r *http.Request) error {
	_, e, err := s.message(r)
	if err != nil {
		return err
	}
	if s.Press == nil {
		return noMessage()
	}
	if !room.Speaks(actorOf(r), e.Room) {
		return fault.Forbidden(phrase.T("dispatch.forbidden"))
	}
	inv, err := s.Press(r.Context(), actorOf(r), r.PathValue("token"))
	if sent, err := s.toStepUp(w, r, inv, err); sent || err != nil {
		return err
	}
	return s.touched(w, r, e.Seq, err)
}
