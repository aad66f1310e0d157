package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/runner"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// JobView is one command that somebody gave.
type JobView struct {
	Number    int64             `json:"number" doc:"What people call it by: job 812."`
	ID        id.Invocation     `json:"id"`
	State     string            `json:"state" enum:"parsed,confirming,proving,awaiting_approval,queued,running,denied,succeeded,failed,cancelled,timed_out,unknown,expired,rejected"`
	Command   string            `json:"command" doc:"The id of the command."`
	Line      string            `json:"line" doc:"As it was understood; secrets are masked."`
	Args      map[string]string `json:"args,omitempty" doc:"What the arguments mean, by name."`
	Risk      string            `json:"risk" enum:"read,change,danger"`
	By        Who               `json:"by" doc:"Who asked."`
	Room      string            `json:"room" doc:"Where it was asked: main for the organisation's timeline, else the id of a room."`
	Message   id.Seq            `json:"message,omitempty" doc:"The message that asked."`
	Incident  id.Incident       `json:"incident,omitempty"`
	Reason    string            `json:"reason,omitempty" doc:"Given by who asked."`
	DryRun    bool              `json:"dry_run,omitempty"`
	AskedAt   time.Time         `json:"asked_at"`
	DueAt     *time.Time        `json:"due_at,omitempty" doc:"When it runs, or when the time for an answer is over."`
	StartedAt *time.Time        `json:"started_at,omitempty"`
	EndedAt   *time.Time        `json:"ended_at,omitempty"`
	Rule      string            `json:"rule,omitempty" doc:"That allowed or refused it."`
	Why       string            `json:"why,omitempty" doc:"It ended as it did."`
	Short     string            `json:"short,omitempty" doc:"The code to approve it by, while it waits for that."`
	Approvals []Who             `json:"approvals,omitempty" nullable:"false" doc:"Who has approved it."`
	Needed    int               `json:"approvals_needed,omitempty" doc:"How many must."`
	Lock      string            `json:"lock,omitempty" doc:"What its run locks."`
	Percent   *int              `json:"percent,omitempty" doc:"How far the run is."`
	Attempt   int               `json:"attempt,omitempty" doc:"Runs that were begun."`
	Cron      string            `json:"cron,omitempty" doc:"It comes again and again."`
	From      id.Invocation     `json:"from,omitempty" doc:"What it repeats, or the schedule that made it."`
}

// JobDetail is a job with what it said and its record.
type JobDetail struct {
	JobView
	Output string     `json:"output,omitempty"`
	Gone   bool       `json:"output_removed,omitempty" doc:"What it printed was removed with the retention."`
	Exit   int        `json:"exit,omitempty" doc:"The exit code of an executable."`
	Events []JobEvent `json:"events" nullable:"false" doc:"What happened to it, in order."`
}

// JobEvent is one line of the record.
type JobEvent struct {
	Seq    int64     `json:"seq" doc:"In the record of all commands."`
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	By     Who       `json:"by"`
	State  string    `json:"state" doc:"After it."`
	Reason string    `json:"reason,omitempty"`
	Rule   string    `json:"rule,omitempty"`
	Why    string    `json:"why,omitempty"`
	Host   string    `json:"host,omitempty"`
	Hash   string    `json:"hash" doc:"Of this line and all before it."`
}

// Who is somebody who did something.
type Who struct {
	User   id.User `json:"user,omitempty"`
	Name   string  `json:"name,omitempty"`
	Origin string  `json:"origin" doc:"From where: browser, api, chat, ..."`
}

// LockView is a thing that somebody keeps others from.
type LockView struct {
	Name   string        `json:"name" example:"deploy/shop"`
	Kind   string        `json:"kind" enum:"run,sticky" doc:"For as long as a run, or until it is released."`
	Owner  Who           `json:"owner"`
	Reason string        `json:"reason,omitempty"`
	Since  time.Time     `json:"since"`
	Until  *time.Time    `json:"until,omitempty" doc:"When it ends by itself; absent for never."`
	Job    id.Invocation `json:"job,omitempty" doc:"The run it is for."`
}

// LockBody is a lock to be taken.
type LockBody struct {
	Name   string     `json:"name" minLength:"1" maxLength:"100" example:"deploy/shop"`
	Reason string     `json:"reason,omitempty" maxLength:"300" example:"a migration runs"`
	Until  *time.Time `json:"until,omitempty" doc:"When it ends by itself; absent for never."`
}

// AuditLine is one line of the export of the record.
type AuditLine struct {
	Seq        int64            `json:"seq"`
	At         time.Time        `json:"at"`
	Invocation id.Invocation    `json:"invocation"`
	Kind       string           `json:"kind"`
	Event      invocation.Event `json:"event"`
	Sum        string           `json:"sum"`
	Hash       string           `json:"hash"`
}

type (
	listJobsInput struct {
		Paging
		State    string `query:"state" maxLength:"100" doc:"Only those in this state; open for all that are not over."`
		Command  string `query:"command" maxLength:"100" doc:"Only those of this command."`
		Person   string `query:"person" maxLength:"100" doc:"Only those of this person: id or username."`
		Incident int64  `query:"incident" minimum:"1" doc:"Only those about this incident."`
	}
	jobInput struct {
		Ref string `path:"job" maxLength:"30" doc:"Its number, its id, or the code it waits for approval by."`
	}
	denyJobInput struct {
		Ref  string `path:"job" maxLength:"30" doc:"Its number, its id, or the code it waits for approval by."`
		Body struct {
			Reason string `json:"reason,omitempty" maxLength:"300"`
		}
	}
	lockInput   struct{ Body LockBody }
	unlockInput struct {
		Name string `query:"name" required:"true" minLength:"1" maxLength:"100" doc:"What is locked."`
	}
	jobOutput  struct{ Body JobView }
	lockOutput struct{ Body LockView }
)

func (a *api) registerJobs() {
	handle(a, "list-jobs", a.listJobs)
	handle(a, "show-job", a.showJob)
	handle(a, "list-approvals", a.listApprovals)
	handle(a, "confirm-job", a.confirmJob)
	handle(a, "approve-job", func(ctx context.Context, by people.Actor, in *jobInput) (*jobOutput, error) {
		return jobAnswer(a.Desk.Approve(ctx, by, in.Ref))
	})
	handle(a, "deny-job", func(ctx context.Context, by people.Actor, in *denyJobInput) (*jobOutput, error) {
		return jobAnswer(a.Desk.Deny(ctx, by, in.Ref, in.Body.Reason))
	})
	handle(a, "cancel-job", func(ctx context.Context, by people.Actor, in *jobInput) (*jobOutput, error) {
		return jobAnswer(a.Desk.Cancel(ctx, by, in.Ref))
	})
	handle(a, "run-job-again", a.runJobAgain)
	handle(a, "list-locks", a.listLocks)
	handle(a, "take-lock", a.takeLock)
	handle(a, "release-lock", a.releaseLock)
	a.registerAudit()
}

func who(by timeline.Actor) Who { return Who{User: by.User, Name: by.Name, Origin: string(by.Origin)} }

func jobView(inv invocation.Invocation) JobView {
	v := JobView{
		Number: inv.Number, ID: inv.ID, State: string(inv.State), Command: inv.Command, Line: inv.Line, Args: inv.Args, Risk: string(inv.Risk), By: who(inv.By),
		Room: roomRef(inv.Room), Message: inv.Message, Incident: inv.Incident, Reason: inv.Reason, DryRun: inv.DryRun, AskedAt: inv.AskedAt,
		DueAt: instant(inv.DueAt), StartedAt: instant(inv.StartedAt), EndedAt: instant(inv.EndedAt), Rule: inv.Rule, Why: inv.Why, Short: inv.Short,
		Needed: inv.Approval.Count, Lock: inv.Lock, Percent: inv.Percent, Attempt: inv.Attempt, Cron: inv.Schedule.Cron, From: inv.From,
	}
	if v.Why == "" && inv.Cause != "" {
		v.Why = inv.Cause.Sentence()
	}
	for _, ok := range inv.Approvals {
		v.Approvals = append(v.Approvals, who(ok.By))
	}
	return v
}

func roomRef(r id.Room) string {
	if r == "" {
		return "main"
	}
	return string(r)
}

func jobAnswer(inv invocation.Invocation, err error) (*jobOutput, error) {
	if err != nil {
		return nil, err
	}
	return &jobOutput{Body: jobView(inv)}, nil
}

func (a *api) listJobs(ctx context.Context, by people.Actor, in *listJobsInput) (*listOutput[JobView], error) {
	before, err := jobCursor.number(in.Cursor)
	if err != nil {
		return nil, err
	}
	f := store.InvocationFilter{Command: in.Command, Incident: id.Incident(in.Incident), Before: before, Limit: in.Limit}
	switch {
	case in.State == "open":
		f.Open = true
	case in.State != "":
		f.States = []invocation.State{invocation.State(in.State)}
	}
	if in.Person != "" {
		o, err := a.Store.Org(ctx)
		if err != nil {
			return nil, err
		}
		u, ok := findUser(o, in.Person)
		if err := missing(ok, "person", org.UserKind, in.Person); err != nil {
			return nil, err
		}
		f.Person = u.ID
	}
	found, next, err := a.Desk.List(ctx, by, f)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	out := jobList(found)
	if next != 0 {
		out.Body.NextCursor = jobCursor.write(strconv.FormatInt(next, 10))
	}
	return out, nil
}

func jobList(found []invocation.Invocation) *listOutput[JobView] {
	out := &listOutput[JobView]{Body: List[JobView]{Items: []JobView{}}}
	for _, inv := range found {
		out.Body.Items = append(out.Body.Items, jobView(inv))
	}
	return out
}

func (a *api) showJob(ctx context.Context, by people.Actor, in *jobInput) (*struct{ Body JobDetail }, error) {
	inv, events, err := a.Desk.Events(ctx, by, in.Ref)
	if err != nil {
		return nil, err
	}
	v := JobDetail{JobView: jobView(inv), Output: inv.Output, Gone: inv.OutputRemoved, Exit: inv.Exit, Events: []JobEvent{}}
	for _, e := range events {
		v.Events = append(v.Events, JobEvent{
			Seq: e.Seq, At: e.At, Kind: string(e.Kind), By: who(e.By), State: string(e.State), Reason: string(e.Reason), Rule: e.Rule, Why: e.Why, Host: e.Host, Hash: e.Hash,
		})
	}
	return &struct{ Body JobDetail }{v}, nil
}

func (a *api) listApprovals(ctx context.Context, by people.Actor, _ *struct{}) (*listOutput[JobView], error) {
	found, err := a.Desk.Pending(ctx, by)
	if err != nil {
		return nil, err
	}
	return jobList(found), nil
}

// confirmJob: whoever can use the API as somebody needs no conversation to say who they are.
func (a *api) confirmJob(ctx context.Context, by people.Actor, in *jobInput) (*jobOutput, error) {
	inv, err := a.Desk.Find(ctx, by, in.Ref)
	if err != nil {
		return nil, err
	}
	return jobAnswer(a.Desk.Confirm(ctx, by, inv.Room, string(inv.ID)))
}

func (a *api) runJobAgain(ctx context.Context, by people.Actor, in *jobInput) (*jobOutput, error) {
	inv, err := a.Desk.Find(ctx, by, in.Ref)
	if err != nil {
		return nil, err
	}
	o, err := a.Store.Org(ctx)
	if err != nil {
		return nil, err
	}
	return jobAnswer(a.Desk.Again(ctx, runner.Ask{
		Actor: by, Username: o.Users[by.User].Username, Room: inv.Room, RoomName: inv.RoomName, Thread: inv.Thread,
	}, string(inv.ID)))
}

func lockView(l invocation.Lock) LockView {
	return LockView{Name: l.Name, Kind: string(l.Kind), Owner: who(l.Owner), Reason: l.Reason, Since: l.Since, Until: instant(l.Until), Job: l.Invocation}
}

func (a *api) listLocks(ctx context.Context, by people.Actor, _ *struct{}) (*listOutput[LockView], error) {
	found, err := a.Desk.Locks(ctx, by)
	if err != nil {
		return nil, err
	}
	out := &listOutput[LockView]{Body: List[LockView]{Items: []LockView{}}}
	for _, l := range found {
		out.Body.Items = append(out.Body.Items, lockView(l))
	}
	return out, nil
}

func (a *api) takeLock(ctx context.Context, by people.Actor, in *lockInput) (*lockOutput, error) {
	var until time.Time
	if in.Body.Until != nil {
		until = *in.Body.Until
	}
	l, err := a.Desk.Lock(ctx, by, in.Body.Name, in.Body.Reason, "", until)
	if err != nil {
		return nil, err
	}
	return &lockOutput{Body: lockView(l)}, nil
}

func (a *api) releaseLock(ctx context.Context, by people.Actor, in *unlockInput) (*empty, error) {
	_, err := a.Desk.Unlock(ctx, by, in.Name)
	return &empty{}, err
}

const jsonLines = "application/x-ndjson"

// auditAtOnce is how many lines are read together.
const auditAtOnce = 500

// registerAudit adds the export of the record, as JSON lines that are written
// as they are read.
func (a *api) registerAudit() {
	op := a.take("export-audit")
	described := a.describe(op)
	described.Parameters = []*huma.Param{{
		Name: "after", In: "query", Schema: &huma.Schema{Type: huma.TypeInteger, Format: "int64"}, Description: phrase.T("api.audit.after"),
	}}
	described.Responses["200"] = &huma.Response{
		Description: phrase.T("api.audit.response"),
		Content:     map[string]*huma.MediaType{jsonLines: {Schema: &huma.Schema{Type: huma.TypeString, Description: phrase.T("api.audit.lines")}}},
	}
	a.huma.OpenAPI().AddOperation(&described)
	a.plain(op, a.exportAudit)
}

func (a *api) exportAudit(w http.ResponseWriter, r *http.Request, _ people.Actor) error {
	for name := range r.URL.Query() {
		if name != "after" {
			return fault.Invalid(name, phrase.T("api.no_such_parameter", name))
		}
	}
	after, _, err := wholeNumber("after", r.URL.Query().Get("after"))
	if err != nil {
		return err
	}
	some, err := a.Store.Audit(r.Context(), after, auditAtOnce)
	if err != nil {
		return fmt.Errorf("export audit: %w", err)
	}
	w.Header().Set("Content-Type", jsonLines)
	w.Header().Set("Content-Disposition", `attachment; filename="audit.jsonl"`)
	w.Header().Set("Cache-Control", "no-store")
	lines := json.NewEncoder(w)
	for len(some) > 0 {
		for _, e := range some {
			if err := lines.Encode(AuditLine{Seq: e.Seq, At: e.At, Invocation: e.Invocation, Kind: string(e.Kind), Event: e, Sum: e.Sum, Hash: e.Hash}); err != nil {
				return nil //nolint:nilerr // nobody reads any more
			}
			after = e.Seq
		}
		if some, err = a.Store.Audit(r.Context(), after, auditAtOnce); err != nil {
			a.Log.ErrorContext(r.Context(), "export audit", "err", err) // what was written ends early, and its last hash says where
			return nil
		}
	}
	return nil
}
