package story

import (
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/timeline"
)

// escalation tells what a policy does beside paging; nil for anything else.
func (w words) escalation() []Part {
	switch p := w.entry.Payload.(type) {
	case timeline.PartAcknowledged:
		pieces := [][]Part{w.actor(), w.incident(), number(p.Acked), number(p.Of), quote(p.Message)}
		if p.Message == "" {
			return w.say("responder_acknowledged", pieces...)
		}
		return w.say("responder_acknowledged.message", pieces...)
	case timeline.AckLapsed:
		return w.say("ack_expired", w.person(p.User, p.Name), w.incident(), w.when(p.Since))
	case timeline.Told:
		key := "step_told"
		if p.LastResort {
			key += ".last_resort"
		}
		return w.say(key, w.incident(), number(p.Step), subject(p.PolicyName), w.things(p))
	case timeline.Waits:
		return w.say("escalation_waits", w.incident(), number(p.Step), subject(p.PolicyName), w.when(p.Until))
	case timeline.HandedOver:
		return w.say("escalation_handed_over", w.incident(), subject(p.From), subject(p.PolicyName))
	}
	return nil
}

// things lists what a step tells: "webhook status, noc@example.org and #ops".
func (w words) things(p timeline.Told) []Part {
	var all [][]Part
	for _, name := range p.Webhooks {
		all = append(all, w.say("told.webhook", subject(name)))
	}
	for _, address := range p.Emails {
		all = append(all, subject(address))
	}
	for _, room := range p.Rooms {
		all = append(all, w.say("told.room", subject(room)))
	}
	return list(all)
}

// list joins pieces as people do: "a", "a and b", "a, b and c".
func list(pieces [][]Part) []Part {
	var out []Part
	for i, piece := range pieces {
		switch i {
		case 0:
		case len(pieces) - 1:
			out = append(out, text(phrase.T("story.and"))...)
		default:
			out = append(out, text(phrase.T("story.comma"))...)
		}
		out = append(out, piece...)
	}
	if len(pieces) == 0 {
		return text(phrase.T("story.nobody"))
	}
	return out
}

// pages tells the further life of a page; nil for anything else.
func (w words) pages() []Part {
	switch p := w.entry.Payload.(type) {
	case timeline.PageArrived:
		return w.say("page_delivered", w.person(p.User, p.Name), method(p.Method), w.incident())
	case timeline.PageReply:
		key := "page_answered"
		switch p.Answer {
		case "acknowledge", "resolve":
			return w.say(key+"."+p.Answer, w.person(p.User, p.Name), method(p.Method), w.incident())
		}
		return w.say(key, w.person(p.User, p.Name), method(p.Method), w.incident(), quote(p.Text))
	case timeline.MovedOn:
		pieces := [][]Part{w.person(p.User, p.Name), method(p.Method), w.incident(), text(p.Why), method(p.NextMethod)}
		if p.NextMethod == "" {
			return w.say("page_moved_on.end", pieces...)
		}
		return w.say("page_moved_on", pieces...)
	case timeline.Held:
		pieces := [][]Part{w.person(p.User, p.Name), number(p.Count), w.when(p.Until), method(p.Method)}
		key := "page_held"
		if p.Method != "" {
			key += ".method"
		}
		if p.Count == 1 {
			key += ".one"
		}
		return w.say(key, pieces...)
	}
	return nil
}
