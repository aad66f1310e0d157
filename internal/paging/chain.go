package paging

import (
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/people"
)

// Attempt returns the attempt numbered seq. Behind the reserve the numbers go
// on with the repetitions of the last step, without end; ok is false for
// numbers that mean nothing.
func (c Chain) Attempt(seq int) (a Attempt, ok bool) {
	first := len(c.Attempts) + len(c.Reserve)
	switch {
	case seq < 1:
		return Attempt{}, false
	case seq <= len(c.Attempts):
		return c.Attempts[seq-1], true
	case seq <= first:
		return c.Reserve[seq-len(c.Attempts)-1], true
	case len(c.Repeat) == 0 || c.Again <= 0:
		return Attempt{}, false
	}
	n := seq - first - 1
	a = c.Attempts[c.Repeat[n%len(c.Repeat)]-1]
	a.Seq, a.After = seq, a.After+time.Duration(n/len(c.Repeat)+1)*c.Again
	return a, true
}

// Planned reports whether an attempt comes by itself. Those of the reserve only
// come when others fail.
func (c Chain) Planned(seq int) bool { return seq <= len(c.Attempts) || c.Repeated(seq) }

// Repeated reports whether seq is a repetition of the last step.
func (c Chain) Repeated(seq int) bool { return seq > len(c.Attempts)+len(c.Reserve) }

// Following returns the planned attempts that come next after the attempt seq,
// all at one instant; nothing when seq was the last.
func (c Chain) Following(seq int) []Attempt {
	var step []Attempt
	for seq++; ; seq++ {
		if !c.Planned(seq) {
			continue
		}
		a, ok := c.Attempt(seq)
		if !ok || len(step) > 0 && a.After != step[0].After {
			return step
		}
		step = append(step, a)
	}
}

// Next returns the attempt to bring forward when the attempt failedSeq has
// failed for good or missed its deadline: the first of a later step to another
// contact method, or else the next of the reserve. ok is false when there is
// none; repetitions come anyhow. When the attempt returned is already on its
// way (an earlier failure brought it forward), there is nothing more to do:
// should it fail as well, Next is asked for it in its turn.
func (c Chain) Next(failedSeq int) (a Attempt, ok bool) {
	failed, ok := c.Attempt(failedSeq)
	if !ok {
		return Attempt{}, false
	}
	if failedSeq <= len(c.Attempts) {
		for _, a := range c.Attempts[failedSeq:] {
			if a.After > failed.After && a.Contact.ID != failed.Contact.ID {
				return a, true
			}
		}
	}
	i := slices.IndexFunc(c.Reserve, func(a Attempt) bool { return a.Seq == failedSeq }) // -1: not of the reserve
	if i+1 < len(c.Reserve) {
		return c.Reserve[i+1], true
	}
	return Attempt{}, false
}

// Deadline is how long a message may be on its way before the person's next
// method is tried: until it is known to be delivered where the provider tells
// (sms, voice, push), else until the provider has taken it. A late message may
// still arrive; two pages are better than none.
func Deadline(m people.Method) time.Duration {
	switch m {
	case people.WebPush, people.Ntfy, people.Gotify, people.Telegram:
		return 30 * time.Second // a single call over the internet, and a retry
	case people.Pushover, people.SMS:
		return time.Minute // carriers confirm within seconds, or not for long
	case people.Voice:
		return 90 * time.Second // dialling, ringing and an answer
	case people.Email:
		return 5 * time.Minute // a mail server may greylist: it takes the second try
	}
	return time.Minute
}
