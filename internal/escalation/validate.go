package escalation

import (
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/people"
)

// Validate returns a sentence about the first thing that is wrong with p.
// Whether the targets exist, and whether policies lead back to themselves, is
// for the organisation to say.
func (p Policy) Validate() error {
	switch {
	case !people.ValidSlug(p.Slug):
		return fmt.Errorf("policy %q: slug: use lower-case letters, digits and single dashes", p.Slug)
	case p.Name == "" || len(p.Name) > 200:
		return fmt.Errorf("policy %s: name: give 1 to 200 characters", p.Slug)
	case len(p.Steps) > MaxSteps:
		return fmt.Errorf("policy %s: %d steps are more than %d", p.Slug, len(p.Steps), MaxSteps)
	case p.Repeat < 0 || p.Repeat > MaxRepeat:
		return fmt.Errorf("policy %s: repeat %d is not between 0 and %d", p.Slug, p.Repeat, MaxRepeat)
	case p.RepeatAfter.D() < MinRepeatAfter || p.RepeatAfter.D() > MaxAfter:
		return fmt.Errorf("policy %s: repeat after %s is not between %s and %s", p.Slug, p.RepeatAfter, Duration(MinRepeatAfter), Duration(MaxAfter))
	case p.RepeatAfter.D()%grain != 0:
		return fmt.Errorf("policy %s: repeat after %s is finer than %s", p.Slug, p.RepeatAfter, Duration(grain))
	}
	if err := p.validateOptions(); err != nil {
		return fmt.Errorf("policy %s: %w", p.Slug, err)
	}
	for i, s := range p.Steps {
		if err := s.validate(); err != nil {
			return fmt.Errorf("policy %s: step %d: %w", p.Slug, i+1, err)
		}
		if s.LowWaits && p.Hours.Always() {
			return fmt.Errorf("policy %s: step %d: low urgency waits for working hours, and the policy has none", p.Slug, i+1)
		}
	}
	if err := validTargets(p.LastResort); err != nil {
		return fmt.Errorf("policy %s: last resort: %w", p.Slug, err)
	}
	return p.validateHandOver()
}

func (p Policy) validateOptions() error {
	switch {
	case p.AckBy != "" && p.AckBy != AckByOne && p.AckBy != AckByAll:
		return fmt.Errorf("acknowledged by %q: use one or all", p.AckBy)
	case p.RepageAfter != 0 && (p.RepageAfter.D() < MinRepageAfter || p.RepageAfter.D() > MaxRepageAfter):
		return fmt.Errorf("page again after %s is not between %s and %s", p.RepageAfter, Duration(MinRepageAfter), Duration(MaxRepageAfter))
	case p.RepageAfter.D()%grain != 0:
		return fmt.Errorf("page again after %s is finer than %s", p.RepageAfter, Duration(grain))
	case p.Urgency != "" && p.Urgency != people.High && p.Urgency != people.Low:
		return fmt.Errorf("urgency %q: use high or low, or leave it out to follow the severity", p.Urgency)
	case p.LowWaits && p.Hours.Always():
		return errors.New("low urgency waits for working hours, and the policy has none")
	}
	if err := p.Hours.Validate(); err != nil {
		return fmt.Errorf("working hours: %w", err)
	}
	return nil
}

// validateHandOver refuses what would be configured and never come.
func (p Policy) validateHandOver() error {
	last := Position{Step: len(p.Steps) - 1}
	if len(p.LastResort) > 0 || len(p.Steps) == 0 || p.Repeat == 0 {
		return nil
	}
	if _, ok := p.HandsOver(last); ok {
		return fmt.Errorf("policy %s: step %d moves the incident into another policy, so no further round would come: "+
			"repeat 0 times, or make that policy the last resort", p.Slug, len(p.Steps))
	}
	return nil
}

func (s Step) validate() error {
	switch {
	case s.After.D() < 0 || s.After.D() > MaxAfter:
		return fmt.Errorf("delay %s is not between 0 and %s", s.After, Duration(MaxAfter))
	case s.After.D()%grain != 0:
		return fmt.Errorf("delay %s is finer than %s", s.After, Duration(grain))
	case s.Notify != "" && s.Notify != NotifyAll && s.Notify != RoundRobin:
		return fmt.Errorf("notify %q: use all or round_robin", s.Notify)
	}
	for i, t := range s.When.Severities {
		if t != alert.Critical && t != alert.Warning {
			return fmt.Errorf("severity %q: use critical or warning", t)
		}
		if slices.Contains(s.When.Severities[:i], t) {
			return fmt.Errorf("severity %s is there twice", t)
		}
	}
	if err := s.When.Hours.Validate(); err != nil {
		return fmt.Errorf("only at some hours: %w", err)
	}
	return validTargets(s.Targets)
}

func validTargets(list []Target) error {
	if len(list) > MaxTargets {
		return fmt.Errorf("%d targets are more than %d", len(list), MaxTargets)
	}
	for _, t := range list {
		if err := t.validate(); err != nil {
			return err
		}
	}
	return nil
}

func (t Target) validate() error {
	n := 0
	for _, set := range []bool{t.Rotation != "", t.User != "", t.Team != "", t.Policy != "", t.Webhook != "", t.Email != "", t.Room != ""} {
		if set {
			n++
		}
	}
	switch {
	case n != 1:
		return errors.New("a target is exactly one of rotation, user, team, policy, webhook, email, room")
	case t.Pick != "" && t.Rotation == "":
		return fmt.Errorf("only of a rotation somebody can be picked, not %q of anything else", t.Pick)
	case t.Pick != "" && t.Pick != PickNext && t.Pick != PickPrevious:
		return fmt.Errorf("pick %q: use next or previous, or leave it out for whoever is on call", t.Pick)
	}
	if t.Email != "" {
		if a, err := mail.ParseAddress(t.Email); err != nil || a.Address != t.Email || len(t.Email) > 254 {
			return fmt.Errorf("%q is not an e-mail address such as noc@example.org", t.Email)
		}
	}
	for what, name := range map[string]string{"webhook": t.Webhook, "room": t.Room} {
		if name != "" && (len(name) > 200 || strings.TrimSpace(name) != name || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' })) {
			return fmt.Errorf("%s %q: give 1 to 200 characters without space around", what, name)
		}
	}
	return nil
}

// Validate returns a sentence about the first thing that is wrong with h.
func (h Hours) Validate() error {
	if h.Always() {
		return nil
	}
	if len(h.Windows) > people.MaxPagingWindows {
		return fmt.Errorf("%d times are more than %d", len(h.Windows), people.MaxPagingWindows)
	}
	if _, err := time.LoadLocation(h.Zone); err != nil || h.Zone == "" || h.Zone == "Local" {
		return fmt.Errorf("time zone %q is not a known IANA name such as Europe/Berlin", h.Zone)
	}
	for i, w := range h.Windows {
		if err := w.Validate(); err != nil {
			return fmt.Errorf("time %d: %w", i+1, err)
		}
	}
	return nil
}
