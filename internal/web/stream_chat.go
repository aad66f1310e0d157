package web

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
)

// maxTab is the longest name that a page may have given itself.
const maxTab = 64

// pageOf is the page behind a stream, by the name that its script gave it.
func pageOf(r *http.Request) store.Presence {
	tab := alert.Cut(r.URL.Query().Get("tab"), maxTab)
	if tab == "" {
		tab = id.New()
	}
	device := "browser"
	if agent := r.UserAgent(); strings.Contains(agent, "Mobile") || strings.Contains(agent, "Android") {
		device = "phone"
	}
	return store.Presence{Session: tab, Person: actorOf(r).User, Device: device, Active: r.URL.Query().Get("away") == ""}
}

// nudged sends what is no entry.
func (out *reader) nudged(ctx context.Context) error {
	there, read := out.nudge.take()
	if !there && len(read) == 0 {
		return nil
	}
	o, err := out.s.organisation(ctx)
	if err != nil {
		return err
	}
	if len(read) > 0 {
		if err := out.read(ctx, o, read); err != nil {
			return err
		}
	}
	if !there {
		return nil
	}
	frame, turn, err := out.s.presence.news(out.turn)
	if err != nil {
		return err
	}
	out.turn = turn
	out.write(frame)
	return out.typing(ctx)
}

// typing sends who is typing in the open room, when that has changed.
func (out *reader) typing(ctx context.Context) error {
	now := out.s.presence.typing(out.filter.room, out.actor.User, out.s.Now())
	if slices.Equal(now, out.typists) {
		return nil
	}
	o, err := out.s.organisation(ctx)
	if err != nil {
		return err
	}
	if !mayHear(o, out.actor.User, out.filter.room) {
		return nil
	}
	out.typists = now
	names, threads := []string{}, map[id.Seq][]string{}
	for _, t := range now {
		if t.thread == 0 {
			names = append(names, o.UserName(t.user))
		} else {
			threads[t.thread] = append(threads[t.thread], o.UserName(t.user))
		}
	}
	frame, err := event("typing", 0, map[string]any{"users": names, "threads": threads})
	out.write(frame)
	return err
}
