package api

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

type listEntriesInput struct {
	Paging
	After    optional[int64] `query:"after" minimum:"0" doc:"Only entries with a greater number, oldest first; 0 begins with the first."`
	Before   int64           `query:"before" minimum:"1" doc:"Only entries with a smaller number, the newest of them."`
	At       time.Time       `query:"at" doc:"Only entries up to this time, the newest of them."`
	From     time.Time       `query:"from" doc:"Only entries of this time or later."`
	To       time.Time       `query:"to" doc:"Only entries before this time."`
	Kinds    []kindName      `query:"kinds" doc:"Only these kinds, separated by commas."`
	Team     string          `query:"team" maxLength:"100" doc:"Only those of this team: its id or slug."`
	Incident int64           `query:"incident" minimum:"1" doc:"Only those of this incident."`
	Person   string          `query:"person" maxLength:"254" doc:"Only those about this person: id, username or e-mail address."`
	Query    string          `query:"q" maxLength:"200" doc:"Only those with words that begin like each of these."`
	Rooms    []string        `query:"rooms" maxItems:"50" doc:"Only those in these rooms, separated by commas; the timeline alone when absent."`
}

// EntryList is one page of the timeline.
type EntryList struct {
	Items      []Entry `json:"items" nullable:"false" doc:"Always in the order of their numbers."`
	NextCursor string  `json:"next_cursor,omitempty" doc:"Give it as cursor to go on in the same direction; absent when there is nothing more now."`
}

type (
	entriesOutput struct{ Body EntryList }
	// MessageBody is a line for the timeline.
	MessageBody struct {
		Text     string      `json:"text" minLength:"1" maxLength:"10000" example:"I am looking at it."`
		Incident id.Incident `json:"incident,omitempty" minimum:"1" doc:"The incident it belongs to; absent for none."`
	}
	messageInput struct{ Body MessageBody }
	postedOutput struct {
		Location string `header:"Location" doc:"Its address."`
		Body     Entry
	}
	empty struct{}
)

func (a *api) registerTimeline() {
	handle(a, "list-entries", a.listEntries)
	handle(a, "post-message", a.postMessage)
	a.registerRooms()
	a.registerStream()
}

// entryFilter checks the filters that a list and a stream have in common.
func entryFilter(o *org.Org, kinds []kindName, team, person string, incident int64) (store.EntryFilter, error) {
	f := store.EntryFilter{Rooms: []id.Room{room.Main}, Incident: id.Incident(incident)}
	for _, k := range kinds {
		if !slices.Contains(timeline.Kinds, timeline.Kind(k)) {
			return f, fault.Invalid("kinds", phrase.T("api.no_such_kind", k))
		}
		f.Kinds = append(f.Kinds, timeline.Kind(k))
	}
	var err error
	if f.Team, err = teamRef(o, "team", team); err != nil {
		return f, err
	}
	f.Person, err = userRef(o, "person", person)
	return f, err
}

func (a *api) listEntries(ctx context.Context, by people.Actor, in *listEntriesInput) (*entriesOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	f, err := entryFilter(o, in.Kinds, in.Team, in.Person, in.Incident)
	if err != nil {
		return nil, err
	}
	if f.Rooms, err = a.roomsParam(ctx, by, in.Rooms); err != nil {
		return nil, err
	}
	f.Words, f.Limit = store.Words(in.Query), in.Limit+1
	forward, err := a.start(ctx, in, &f)
	if err != nil {
		return nil, err
	}
	if err := a.between(ctx, &f, in.From, in.To, forward); err != nil {
		return nil, err
	}
	found, err := a.Store.Entries(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("list timeline: %w", err)
	}
	out := &entriesOutput{Body: EntryList{Items: []Entry{}}}
	if len(found) > in.Limit {
		if forward {
			found = found[:in.Limit]
			out.Body.NextCursor = newerCursor.write(number(found[len(found)-1].Seq))
		} else { // the store gives the newest of the older ones, in order: the surplus is in front
			found = found[len(found)-in.Limit:]
			out.Body.NextCursor = olderCursor.write(number(found[0].Seq))
		}
	}
	for _, e := range found {
		out.Body.Items = append(out.Body.Items, entryView(o, e))
	}
	return out, nil
}

// start says where the page begins and in which direction it goes.
func (a *api) start(ctx context.Context, in *listEntriesInput, f *store.EntryFilter) (forward bool, err error) {
	ways := 0
	for _, given := range []bool{in.Cursor != "", in.After.Given, in.Before > 0, !in.At.IsZero()} {
		if given {
			ways++
		}
	}
	if ways > 1 {
		return false, fault.Invalid("cursor", phrase.T("api.one_start"))
	}
	switch {
	case in.After.Given:
		f.After, forward = id.Seq(in.After.Value), true
	case in.Before > 0:
		f.Before = id.Seq(in.Before)
	case !in.At.IsZero():
		last, err := a.Store.SeqAt(ctx, in.At)
		if err != nil {
			return false, err
		}
		f.Before = last + 1
	case in.Cursor != "":
		if position, ok := newerCursor.read(in.Cursor); ok {
			n, err := strconv.ParseInt(position, 10, 64)
			if err != nil {
				return false, badCursor()
			}
			f.After, forward = id.Seq(n), true
			break
		}
		n, err := olderCursor.number(in.Cursor)
		if err != nil {
			return false, err
		}
		f.Before = id.Seq(n)
	}
	return forward, nil
}

// between narrows f to a time, of which from is part and to is not, and says
// at which end of it the page is.
func (a *api) between(ctx context.Context, f *store.EntryFilter, from, to time.Time, forward bool) error {
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return fault.Invalid("to", phrase.T("api.times_reversed"))
	}
	if !to.IsZero() {
		last, err := a.Store.SeqAt(ctx, to.Add(-time.Microsecond))
		if err != nil {
			return err
		}
		if f.Before == 0 || last+1 < f.Before {
			f.Before = last + 1
		}
	}
	if !from.IsZero() {
		first, err := a.Store.SeqAt(ctx, from.Add(-time.Microsecond))
		if err != nil {
			return err
		}
		f.After = max(f.After, first)
	}
	f.FromStart = forward
	if !forward && f.After > 0 && f.Before == 0 { // the newest: both ends have to be named
		head, err := a.Store.Head(ctx)
		if err != nil {
			return err
		}
		f.Before = head.Seq + 1
	}
	return nil
}

func number[N ~int64](n N) string { return strconv.FormatInt(int64(n), 10) }

func (a *api) postMessage(ctx context.Context, by people.Actor, in *messageInput) (*postedOutput, error) {
	seq, err := a.Dispatch.Say(ctx, by, dispatch.Line{Incident: in.Body.Incident, Text: in.Body.Text})
	if err != nil {
		return nil, err
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	e, err := a.Store.Entry(ctx, seq)
	if err != nil {
		return nil, fmt.Errorf("read what was posted: %w", err)
	}
	return &postedOutput{Location: prefix + "/messages/" + number(seq), Body: entryView(o, e)}, nil
}
