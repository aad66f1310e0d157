package dispatch

import (
	"errors"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestPace(t *testing.T) {
	start := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	kim, hubot := people.Actor{User: "kim"}, people.Actor{User: "hubot", Origin: timeline.Robot}
	tests := []struct {
		intent string
		who    people.Actor
		wait   time.Duration // after the first AtOnce lines
		more   int           // that then pass
	}{
		{"nothing more at once", kim, 0, 0},
		{"half a second is too short", kim, 500 * time.Millisecond, 0},
		{"one line a second", kim, time.Second, 1},
		{"a robot is faster", hubot, time.Second, 5},
		{"all are back after a minute", kim, time.Minute, AtOnce},
		{"and no more than that", kim, time.Hour, AtOnce},
		{"a clock that was set back gives nothing", kim, -time.Hour, 0},
	}
	for _, tt := range tests {
		p := &pace{every: time.Second}
		for i := range AtOnce {
			if err := p.mayTalk(tt.who, start); err != nil {
				t.Fatalf("%s: line %d: %v", tt.intent, i, err)
			}
		}
		more := 0
		for p.mayTalk(tt.who, start.Add(tt.wait)) == nil {
			more++
		}
		if more != tt.more {
			t.Errorf("%s: %d lines, want %d", tt.intent, more, tt.more)
		}
		if err := p.mayTalk(people.Actor{User: "lee"}, start); err != nil {
			t.Errorf("%s: another is held up: %v", tt.intent, err)
		}
	}
}

func TestTooFastIsRefusedAndCounted(t *testing.T) {
	eachEngine(t, func(t *testing.T, h *house) {
		h.SetPace(0.001)
		for range AtOnce {
			h.say(t, kim(), Line{Text: "again"})
		}
		_, err := h.Say(t.Context(), kim(), Line{Text: "once too often"})
		if p, ok := errors.AsType[*fault.Error](err); !ok || p.Code != fault.CodeTooMany || p.RetryAfter <= 0 || p.Message == "" {
			t.Errorf("the line after %d: %v, want to be told when to come back", AtOnce, err)
		}
		if got := h.TooFast(); got != 1 {
			t.Errorf("TooFast() = %d, want 1", got)
		}
		if _, err := h.Answer(t.Context(), Line{Text: "the bot is never too fast"}); err != nil {
			t.Error(err)
		}
		h.say(t, lee(), Line{Text: "nor is somebody else"})
	})
}
