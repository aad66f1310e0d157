package runner

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/permit"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// Programs finds what runs a command.
type Programs interface {
	Find(commandID string) (command.Declaration, program.Program, bool)
}

// Judge understands a line and decides about it, within a transaction: at
// first, right before it runs, and for those who are to approve it.
type Judge interface {
	// Judge says what the line of inv means now, and whether as may run it.
	// An error is a trouble of ours, and it is asked again later.
	Judge(tx *store.Tx, inv invocation.Invocation, line string, as people.Actor) (Judgement, error)
}

// Judgement is what a line means and whether it may be run.
type Judgement struct {
	Parsed  command.Parsed
	Verdict invocation.Verdict
	Broken  string // a sentence why it is not understood any more; "": it is
	StepUp  bool   // the rules want the second factor of whoever says yes to it
}

// Files keeps what is too long for a message. It is asked outside transactions.
type Files interface {
	Keep(ctx context.Context, name string, content io.Reader) (timeline.File, error)
}

// Desk takes in commands and what people say about them: the use cases. All
// surfaces come here: the bot, buttons, the API and the pages.
type Desk struct {
	store    *store.Store
	judge    Judge
	programs Programs
	box      dispatch.Sealer
	log      *slog.Logger
}

// NewDesk returns a Desk.
func NewDesk(s *store.Store, judge Judge, programs Programs, box dispatch.Sealer, log *slog.Logger) *Desk {
	return &Desk{store: s, judge: judge, programs: programs, box: box, log: log}
}

// Ask is a command that was understood, who gave it, and where.
type Ask struct {
	Parsed   command.Parsed
	Raw      string // as it was typed
	Actor    people.Actor
	Username string
	Via      string // the account on another network; "": ours
	Room     id.Room
	RoomName string
	Thread   id.Seq
	Message  id.Seq // 0: a button, a schedule, the API
	Incident id.Incident
	Team     id.Team // the incident's
	// NotBefore is when it is to run; zero: at once.
	NotBefore time.Time
	// Schedule makes it come again and again; NotBefore is then the first time,
	// or zero for the next by the schedule.
	Schedule invocation.Schedule
	From     id.Invocation // that it repeats; "": none
}

// sealed is what is kept of secrets until a command is over.
type sealed struct {
	Line    string            `json:"line"` // canonical
	Secrets map[string]string `json:"secrets"`
}

// Accept takes in a command with the first verdict about it, within the
// transaction of who understood it: it is neither lost nor run twice. It tells
// people what is needed next, or that it is refused; what runs speaks for itself.
func (d *Desk) Accept(tx *store.Tx, a Ask, v invocation.Verdict) (invocation.Invocation, error) {
	inv, err := d.draft(tx, a)
	if err != nil {
		return inv, err
	}
	if err := mayKeep(tx, inv); err != nil {
		return inv, err
	}
	return d.take(tx, inv, v)
}

func (d *Desk) take(tx *store.Tx, inv invocation.Invocation, v invocation.Verdict) (invocation.Invocation, error) {
	inv, err := tx.AddInvocation(inv)
	if err != nil {
		return inv, err
	}
	return d.decide(tx, inv, invocation.Decided{Verdict: v}, invocation.Facts{})
}

// draft is the invocation that a command begins as.
func (d *Desk) draft(tx *store.Tx, a Ask) (invocation.Invocation, error) {
	p := a.Parsed
	inv := invocation.Invocation{
		ID: id.Invocation(id.New()), State: invocation.Parsed, Command: p.Declaration.ID, Words: p.Declaration.Name(), Risk: p.Declaration.Risk,
		Raw: mask(a.Raw, p), Line: p.Masked, By: a.Actor.Who(), Username: a.Username, Scopes: a.Actor.Scopes, Via: a.Via,
		Room: a.Room, RoomName: a.RoomName, Thread: a.Thread, Message: a.Message, Incident: a.Incident, Team: a.Team,
		Reason: p.Options.Reason, DryRun: p.Options.DryRun, Private: p.Options.Private || p.Declaration.Private, JSON: p.Options.JSON, InThread: p.Options.Thread,
		Timeout: timeout(p), Concurrency: p.Declaration.Concurrency, From: a.From, AskedAt: tx.Now, NotBefore: a.NotBefore, Schedule: a.Schedule,
	}
	if a.Actor.Proven(tx.Now) {
		inv.ProvenAt = a.Actor.ProvenAt
	}
	understood(&inv, p)
	if a.Schedule.Cron != "" && a.NotBefore.IsZero() {
		next, err := a.Schedule.Next(tx.Now)
		if err != nil {
			return inv, fault.Invalid("cron", err.Error())
		}
		inv.NotBefore = next
	}
	if len(p.Secrets) > 0 {
		text, err := json.Marshal(sealed{p.Canonical, p.Secrets})
		if err != nil {
			return inv, fmt.Errorf("seal secrets: %w", err)
		}
		inv.Sealed, inv.HadSecrets = d.box.Seal(string(text)), true
	}
	return inv, nil
}

// understood puts what a line means now into inv.
func understood(inv *invocation.Invocation, p command.Parsed) {
	inv.Version, inv.Args, inv.Lock = p.Declaration.Version, p.Args, clean(p.LockName(), maxLine)
	inv.Given = make([]invocation.Given, len(p.Given))
	for i, g := range p.Given {
		inv.Given[i] = invocation.Given(g)
	}
	inv.Digest = digest(p)
}

func digest(p command.Parsed) string {
	return invocation.Digest(p.Declaration.ID, p.Declaration.Version, p.Args, p.LockName(), p.Options.DryRun, slices.Collect(maps.Keys(p.Secrets))...)
}

// mask hides what was typed as a secret, however it was typed.
func mask(raw string, p command.Parsed) string {
	if len(p.Secrets) > 0 {
		return p.Masked
	}
	return raw
}

// maxTimeout is for how long somebody may ask when a declaration says less.
const maxTimeout = time.Hour

func timeout(p command.Parsed) time.Duration {
	declared := p.Declaration.Timeout
	if declared <= 0 {
		declared = command.DefaultTimeout
	}
	if t := p.Options.Timeout; t > 0 {
		return min(t, max(declared, maxTimeout))
	}
	return declared
}

// supersede gives up what else who asks was asked to confirm in the same room:
// a yes there means one command.
func (d *Desk) supersede(tx *store.Tx, by invocation.Invocation) error {
	if by.By.User == "" {
		return nil
	}
	for {
		old, err := tx.ConfirmingOf(by.By.User, by.Room)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err = d.decide(tx, old, invocation.Supersede{By: by.ID}, invocation.Facts{}); err != nil {
			return err
		}
	}
}

// decide decides and saves.
func (d *Desk) decide(tx *store.Tx, inv invocation.Invocation, in invocation.Input, facts invocation.Facts) (invocation.Invocation, error) {
	dec, err := d.decided(tx, inv, in, facts)
	if err != nil {
		return inv, err
	}
	return d.save(tx, dec)
}

func (d *Desk) decided(tx *store.Tx, inv invocation.Invocation, in invocation.Input, facts invocation.Facts) (invocation.Decision, error) {
	var err error
	if facts.Short, err = newShort(tx); err != nil {
		return invocation.Decision{}, err
	}
	return invocation.Decide(inv, in, facts, tx.Now), nil
}

// save writes all that a decision says, and what the bot says about it.
func (d *Desk) save(tx *store.Tx, dec invocation.Decision) (invocation.Invocation, error) {
	inv := dec.Invocation
	if !dec.Changed {
		return inv, nil
	}
	if dec.Reason == invocation.ReasonConfirm {
		if err := d.supersede(tx, inv); err != nil {
			return inv, err
		}
	}
	for _, l := range dec.Take {
		if err := tx.PutLock(l); err != nil {
			return inv, err
		}
	}
	if dec.Free {
		tx.DropLocksOf(inv.ID)
		tx.TellWaiting(inv.Lock, inv.Command)
	}
	for _, e := range dec.Events {
		tx.AppendEvent(e)
	}
	alone := inv.By.User != "" && inv.Room == room.DirectOf(inv.By.User, room.Bot)
	for _, e := range dec.Entries {
		if asked, ok := e.Payload.(timeline.Asked); ok && alone && asked.State == string(invocation.Denied) {
			continue // they are told, and nobody else reads it
		}
		if end, ok := e.Payload.(timeline.Finished); ok {
			if d.speaksForItself(inv) {
				continue
			}
			if private(inv) {
				end.Why = "" // of the answer, which is for who asked alone
			}
			e.Payload = end
		}
		tx.Append(e)
	}
	if dec.Glass {
		if err := d.alarm(tx, inv); err != nil {
			return inv, err
		}
	}
	if inv.State.Over() {
		tx.DropActions(inv.ID)
	}
	called, err := d.approvers(tx, inv, dec)
	if err != nil {
		return inv, err
	}
	if err := d.call(tx, &inv, dec, called); err != nil {
		return inv, err
	}
	if dec.Tell {
		if err := d.speak(tx, &inv, dec, called); err != nil {
			return inv, err
		}
	}
	tx.PutInvocation(inv)
	return inv, nil
}

// Codes are short, and unambiguous when read aloud or copied by hand.
const (
	shortAlphabet = "23456789abcdefghjkmnpqrstuvwxyz"
	shortLength   = 4
	shortTries    = 20
)

// newShort returns a code that nothing waits for approval by.
func newShort(tx *store.Tx) (string, error) {
	for range shortTries {
		var b [shortLength]byte
		_, _ = rand.Read(b[:]) // never fails since Go 1.24
		for i := range b {
			b[i] = shortAlphabet[int(b[i])%len(shortAlphabet)] // which of them is no secret
		}
		if !strings.ContainsFunc(string(b[:]), unicode.IsLetter) {
			continue // it would be read as a number
		}
		_, err := tx.InvocationByShort(string(b[:]))
		if errors.Is(err, store.ErrNotFound) {
			return string(b[:]), nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", errors.New("every short code is taken")
}

// line is what inv said, with its secrets.
func (d *Desk) line(inv invocation.Invocation) (string, map[string]string, error) {
	if !inv.HadSecrets {
		return inv.Line, nil, nil
	}
	text, err := d.box.Open(inv.Sealed)
	if err != nil {
		return "", nil, err
	}
	var s sealed
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return "", nil, fmt.Errorf("read sealed secrets: %w", err)
	}
	return s.Line, s.Secrets, nil
}

// asker is who asked for inv, with the rights they have now; false when they
// are not here any more, or not in the room where they asked.
func asker(o *org.Org, inv invocation.Invocation) (people.Actor, bool) {
	actor := people.Actor{User: inv.By.User, Name: inv.By.Name, Scopes: inv.Scopes, Origin: inv.By.Origin, ProvenAt: inv.ProvenAt}
	if inv.By.User == "" {
		return actor, true // somebody without rights of their own
	}
	u, ok := o.Users[inv.By.User]
	if !ok || u.Disabled || !o.CanRead(u.ID, inv.Room) {
		return actor, false
	}
	actor.Role, actor.Name = u.Role, u.Name
	return actor, true
}

// mayApprove reports whether somebody has the right to approve inv now.
func (d *Desk) mayApprove(tx *store.Tx, inv invocation.Invocation, a people.Actor) (bool, error) {
	u, ok := tx.Org.Users[a.User]
	if !ok || u.Disabled || u.Robot || !a.May(people.Respond) {
		return false, nil
	}
	groups := groupsOf(inv)
	for _, g := range groups {
		if !inGroup(tx.Org, u, g) {
			return false, nil
		}
	}
	if len(groups) > 0 {
		return true, nil
	}
	line, _, err := d.line(inv)
	if err != nil {
		return false, nil //nolint:nilerr // what cannot be read any more cannot be approved
	}
	j, err := d.judge.Judge(tx, inv, line, a)
	return err == nil && j.Broken == "" && (j.Verdict.Allow || j.Verdict.StepUp), err
}

// groupsOf are the groups that whoever approves inv has to be in, all of them.
func groupsOf(inv invocation.Invocation) []string {
	var all []string
	for g := range strings.SplitSeq(inv.Approval.Group, ",") {
		if g = strings.TrimLeft(strings.TrimSpace(g), "@"); g != "" {
			all = append(all, g)
		}
	}
	return all
}

func inGroup(o *org.Org, u people.User, group string) bool {
	if group == permit.Admins {
		return u.Role == people.Admin
	}
	for _, t := range o.Teams {
		if t.Slug == group {
			return slices.Contains(t.Members, u.ID)
		}
	}
	return false
}

// lost are those who approved inv and have no right to any more.
func (d *Desk) lost(tx *store.Tx, inv invocation.Invocation) ([]id.User, error) {
	var lost []id.User
	for _, a := range inv.Approvals {
		u := tx.Org.Users[a.By.User]
		may, err := d.mayApprove(tx, inv, people.Actor{User: u.ID, Name: u.Name, Role: u.Role, Origin: a.By.Origin})
		if err != nil {
			return nil, err
		}
		if !may {
			lost = append(lost, a.By.User)
		}
	}
	return lost, nil
}
