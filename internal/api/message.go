package api

import (
	"context"
	"errors"
	"slices"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// SaidBody is a line for a room.
type SaidBody struct {
	Text     string      `json:"text,omitempty" maxLength:"10000" example:"I am looking at it." doc:"Markdown. May be absent when there are files."`
	Thread   id.Seq      `json:"thread,omitempty" minimum:"1" doc:"The message it answers."`
	Incident id.Incident `json:"incident,omitempty" minimum:"1" doc:"The incident it belongs to; in the timeline only."`
	Files    []id.File   `json:"files,omitempty" maxItems:"10" doc:"Ids of files that you have uploaded (upload-file)."`
	Quote    id.Seq      `json:"quote,omitempty" minimum:"1" doc:"The message it quotes."`
	Actions  []Button    `json:"actions,omitempty" maxItems:"10" doc:"Buttons under it. They work for a day."`
}

// Button gives a command as whoever presses it.
type Button struct {
	Label string `json:"label" minLength:"1" maxLength:"60" example:"Restart it"`
	Line  string `json:"line" minLength:"1" maxLength:"500" example:"vm start db01" doc:"The command line, without a sign in front. What changes anything is confirmed by whoever presses."`
	Style string `json:"style,omitempty" enum:"primary,danger" doc:"How it looks."`
}

// MessageRef names a message in an address.
type MessageRef struct {
	Seq id.Seq `path:"seq" minimum:"1" doc:"The number of a message."`
}

type (
	listMessagesInput struct {
		RoomRef
		Paging
		After  id.Seq `query:"after" minimum:"0" doc:"Only messages with a greater number, oldest first."`
		Before id.Seq `query:"before" minimum:"1" doc:"Only messages with a smaller number, the newest of them."`
		Thread id.Seq `query:"thread" minimum:"1" doc:"Only the answers in this thread."`
		Query  string `query:"q" maxLength:"200" doc:"Only those with words that begin like each of these."`
	}
	sayInput struct {
		RoomRef
		Body SaidBody
	}
	saidOutput struct {
		Location string `header:"Location" doc:"Its address."`
		Body     struct {
			Seq id.Seq `json:"seq" doc:"Its number in the timeline."`
		}
	}
	editMessageInput struct {
		MessageRef
		Body struct {
			Text string `json:"text" minLength:"1" maxLength:"10000"`
		}
	}
	reactionInput struct {
		MessageRef
		Emoji string `path:"emoji" maxLength:"40" example:"👍" doc:"One emoji."`
	}
	linkMessageInput struct {
		MessageRef
		Body struct {
			Incident id.Incident `json:"incident" minimum:"1"`
		}
	}
	messageOutput struct{ Body MessageView }
)

func (a *api) registerMessages() {
	handle(a, "list-messages", a.listMessages)
	handle(a, "say", a.say)
	handle(a, "show-message", a.showMessage)
	handle(a, "edit-message", func(ctx context.Context, by people.Actor, in *editMessageInput) (*empty, error) {
		return &empty{}, a.Dispatch.Edit(ctx, by, in.Seq, in.Body.Text)
	})
	handle(a, "delete-message", func(ctx context.Context, by people.Actor, in *MessageRef) (*empty, error) {
		return &empty{}, a.Dispatch.Delete(ctx, by, in.Seq)
	})
	handle(a, "add-reaction", func(ctx context.Context, by people.Actor, in *reactionInput) (*empty, error) {
		return &empty{}, a.Dispatch.React(ctx, by, in.Seq, in.Emoji, true)
	})
	handle(a, "remove-reaction", func(ctx context.Context, by people.Actor, in *reactionInput) (*empty, error) {
		return &empty{}, a.Dispatch.React(ctx, by, in.Seq, in.Emoji, false)
	})
	handle(a, "pin-message", func(ctx context.Context, by people.Actor, in *MessageRef) (*empty, error) {
		return &empty{}, a.Dispatch.Pin(ctx, by, in.Seq, true)
	})
	handle(a, "unpin-message", func(ctx context.Context, by people.Actor, in *MessageRef) (*empty, error) {
		return &empty{}, a.Dispatch.Pin(ctx, by, in.Seq, false)
	})
	handle(a, "mark-message-unread", func(ctx context.Context, by people.Actor, in *MessageRef) (*empty, error) {
		return &empty{}, a.Dispatch.MarkUnread(ctx, by, in.Seq)
	})
	handle(a, "link-message", func(ctx context.Context, by people.Actor, in *linkMessageInput) (*empty, error) {
		return &empty{}, a.Dispatch.LinkMessage(ctx, by, in.Seq, in.Body.Incident)
	})
}

func (a *api) listMessages(ctx context.Context, by people.Actor, in *listMessagesInput) (*entriesOutput, error) {
	o, r, err := a.roomOf(ctx, by, in.Room)
	if err != nil {
		return nil, err
	}
	f := store.EntryFilter{
		Rooms: []id.Room{r.ID}, Thread: in.Thread, Kinds: []timeline.Kind{timeline.MessagePosted}, Words: store.Words(in.Query),
		After: in.After, Before: in.Before, Limit: in.Limit + 1,
	}
	if in.Cursor != "" {
		if position, ok := newerCursor.read(in.Cursor); ok {
			n, err := newerCursor.number(in.Cursor)
			if err != nil || position == "" {
				return nil, badCursor()
			}
			f.After = id.Seq(n)
		} else {
			n, err := olderCursor.number(in.Cursor)
			if err != nil {
				return nil, err
			}
			f.Before = id.Seq(n)
		}
	}
	forward := f.After > 0 && f.Before == 0
	found, err := a.Store.Entries(ctx, f)
	if err != nil {
		return nil, err
	}
	out := &entriesOutput{Body: EntryList{Items: []Entry{}}}
	if len(found) > in.Limit {
		if forward {
			found = found[:in.Limit]
			out.Body.NextCursor = newerCursor.write(number(found[len(found)-1].Seq))
		} else {
			found = found[len(found)-in.Limit:]
			out.Body.NextCursor = olderCursor.write(number(found[0].Seq))
		}
	}
	for _, e := range found {
		out.Body.Items = append(out.Body.Items, entryView(o, e))
	}
	return out, nil
}

func (a *api) say(ctx context.Context, by people.Actor, in *sayInput) (*saidOutput, error) {
	_, r, err := a.roomOf(ctx, by, in.Room)
	if err != nil {
		return nil, err
	}
	b := in.Body
	line := dispatch.Line{Room: r.ID, Thread: b.Thread, Incident: b.Incident, Text: b.Text, Files: b.Files, Quote: b.Quote}
	for _, button := range b.Actions {
		line.Actions = append(line.Actions, timeline.Action{Label: button.Label, Line: button.Line, Style: button.Style})
	}
	seq, err := a.Dispatch.Say(ctx, by, line)
	if err != nil {
		return nil, err
	}
	out := &saidOutput{Location: prefix + "/messages/" + number(seq)}
	out.Body.Seq = seq
	return out, nil
}

func (a *api) showMessage(ctx context.Context, by people.Actor, in *MessageRef) (*messageOutput, error) {
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	e, err := a.Store.Entry(ctx, in.Seq)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if err != nil {
		if gone, failed := a.Store.Gone(ctx, in.Seq); failed == nil && gone {
			return nil, fault.Gone(phrase.T("retention.message_gone"))
		}
	}
	if err != nil || e.Kind != timeline.MessagePosted || !o.CanRead(by.User, e.Room) {
		return nil, fault.NotFound(phrase.T("room.no_message"))
	}
	m, err := a.Store.Message(ctx, in.Seq)
	if err != nil {
		return nil, err
	}
	v := MessageView{Entry: entryView(o, e), Versions: []MessageVersion{}}
	if m.DeletedAt.IsZero() {
		for _, was := range m.Versions {
			v.Versions = append(v.Versions, MessageVersion{Text: was.Text, At: was.At})
		}
	}
	return &messageOutput{Body: v}, nil
}

// roomsParam reads a list of rooms that somebody may read, separated by commas;
// the timeline alone when there is none.
func (a *api) roomsParam(ctx context.Context, by people.Actor, refs []string) ([]id.Room, error) {
	rooms := []id.Room{}
	for _, ref := range refs {
		if ref == "" {
			continue
		}
		_, r, err := a.roomOf(ctx, by, ref)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(rooms, r.ID) {
			rooms = append(rooms, r.ID)
		}
	}
	if len(rooms) == 0 {
		return []id.Room{""}, nil
	}
	return rooms, nil
}
