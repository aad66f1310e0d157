package story

import (
	"strings"

	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// chat tells of messages and rooms; nil for anything else.
func (w words) chat() []Part {
	switch p := w.entry.Payload.(type) {
	case timeline.Message:
		switch {
		case p.Deleted:
			return w.say("message_posted.deleted")
		case p.Text == "" && len(p.Files) > 0:
			var names []string
			for _, f := range p.Files {
				names = append(names, f.Name)
			}
			return w.say("message_posted.files", w.actor(), subject(strings.Join(names, ", ")))
		}
		return quote(p.Text)
	case timeline.Edit:
		return w.say("message_edited", w.actor(), quote(p.Text))
	case timeline.Deletion:
		if p.Author != "" {
			return w.say("message_deleted.other", w.actor(), w.person("", p.Author))
		}
		return w.say("message_deleted", w.actor())
	case timeline.Link:
		return w.say("message_linked", w.actor(), w.incident(), w.person("", p.Author), quote(p.Text))
	case timeline.Pin:
		return w.say("message_pinned", w.actor(), quote(p.Text))
	case timeline.Unpin:
		return w.say("message_unpinned", w.actor(), quote(p.Text))
	case timeline.Reaction:
		return w.say("reaction_added", w.actor(), text(p.Emoji))
	case timeline.ReactionGone:
		return w.say("reaction_removed", w.actor(), text(p.Emoji))
	case timeline.RoomMade:
		return w.say("room_opened", w.actor(), roomName(p.Name))
	case timeline.RoomEnd:
		return w.say("room_closed", w.actor(), roomName(p.Name))
	case timeline.RoomChange:
		return w.roomChange(p)
	}
	return nil
}

func roomName(name string) []Part {
	if name == "" {
		return text(phrase.T("story.room.unnamed"))
	}
	return subject("#" + name)
}

func (w words) roomChange(p timeline.RoomChange) []Part {
	switch {
	case len(p.Joined) == 1 && len(p.Left) == 0 && p.Joined[0] == name(w.actor()):
		return w.say("room_changed.joined", w.actor(), roomName(p.Name))
	case len(p.Left) == 1 && len(p.Joined) == 0 && p.Left[0] == name(w.actor()):
		return w.say("room_changed.left", w.actor(), roomName(p.Name))
	case len(p.Joined) > 0:
		return w.say("room_changed.added", w.actor(), w.people(nil, p.Joined), roomName(p.Name))
	case len(p.Left) > 0:
		return w.say("room_changed.removed", w.actor(), w.people(nil, p.Left), roomName(p.Name))
	case p.Topic != "":
		return w.say("room_changed.topic", w.actor(), quote(p.Topic))
	}
	return w.say("room_changed", w.actor(), roomName(p.Name))
}

func name(parts []Part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

// commands tells of commands and locks; nil for anything else.
func (w words) commands() []Part {
	switch p := w.entry.Payload.(type) {
	case timeline.Asked:
		key := "command_asked." + p.State
		if !phrase.Has("story." + key) {
			key = "command_asked"
		}
		if p.Why != "" && phrase.Has("story."+key+".why") {
			key += ".why"
		}
		return w.say(key, w.actor(), subject(p.Line), text(p.Why), subject(p.Short))
	case timeline.Approval:
		return w.say("command_approved", w.actor(), subject(p.Line), number(p.Got), number(p.Of))
	case timeline.Rejection:
		switch {
		case p.Expired:
			return w.say("command_rejected.expired", subject(p.Line))
		case p.Reason != "":
			return w.say("command_rejected.reason", w.actor(), subject(p.Line), quote(p.Reason))
		}
		return w.say("command_rejected", w.actor(), subject(p.Line))
	case timeline.Finished:
		key := "command_finished." + p.State
		if !phrase.Has("story." + key) {
			key = "command_finished"
		}
		if p.Why != "" && phrase.Has("story."+key+".why") {
			key += ".why"
		}
		return w.say(key, w.asker(), subject(p.Line), text(p.Why))
	case timeline.Lock:
		if p.Reason != "" {
			return w.say("lock_taken.reason", w.actor(), subject(p.Name), quote(p.Reason))
		}
		return w.say("lock_taken", w.actor(), subject(p.Name))
	case timeline.Unlock:
		if p.Owner != "" {
			return w.say("lock_released.other", w.actor(), subject(p.Name), w.person("", p.Owner))
		}
		return w.say("lock_released", w.actor(), subject(p.Name))
	}
	return nil
}

// asker is who gave the command that has ended by itself: the person it is about.
func (w words) asker() []Part {
	if w.entry.Actor.User == "" && w.entry.Person != "" {
		return w.person(w.entry.Person, "")
	}
	return w.actor()
}
