package runner

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// noSecret looks for a text in everything that is stored.
func (st *station) noSecret(hidden string) {
	st.Helper()
	var buf bytes.Buffer
	if err := st.store.Backup(context.Background(), &buf); err != nil {
		st.Fatal(err)
	}
	zip, err := gzip.NewReader(&buf)
	if err != nil {
		st.Fatal(err)
	}
	all, err := io.ReadAll(zip)
	if err != nil {
		st.Fatal(err)
	}
	for line := range strings.Lines(string(all)) {
		if plain := strings.ReplaceAll(line, `\`, ``); strings.Contains(plain, hidden) {
			st.Errorf("the secret is stored: %.300s", line)
		}
	}
}

func TestLongOutputIsAFile(t *testing.T) {
	story(t, func(st *station) {
		var lines []string
		for i := range 100 {
			lines = append(lines, fmt.Sprintf("host%d", i))
		}
		whole := strings.Join(lines, "\n")
		st.script.do = func(_ context.Context, _ program.Request, out program.Reporter) (program.Result, error) {
			if err := out.File("graph.png", strings.NewReader("png")); err != nil {
				t.Error(err)
			}
			return program.Result{Outcome: program.Succeeded, Text: whole + "\x00\n"}, nil
		}
		inv := st.give("kim", "look")
		pass(time.Second)
		got := st.wantState(inv.ID, invocation.Succeeded)
		if got.Output != whole || st.files.kept["output-1.txt"] != whole || st.files.kept["graph.png"] != "png" {
			t.Errorf("kept: output of %d bytes and the files %v", len(got.Output), st.files.kept)
		}
		m := st.said()[0].Payload.(timeline.Message)
		if !strings.HasPrefix(m.Text, "host0\n") || !strings.HasSuffix(m.Text, "host99") || !strings.Contains(m.Text, "… 82 lines are in the file and on the [page of job 1](/jobs/1) …") {
			t.Errorf("the bot says %q", m.Text)
		}
		if n := len(m.Doc.Blocks); n != 3 || m.Doc.Blocks[2].File.Name != "output-1.txt" {
			t.Errorf("%d blocks: %+v", n, m.Doc.Blocks)
		}
	})
}

func TestHowRunsEnd(t *testing.T) {
	ignoring := func(context.Context, program.Request, program.Reporter) (program.Result, error) {
		time.Sleep(time.Hour)
		return program.Result{Outcome: program.Succeeded}, nil
	}
	obeying := func(ctx context.Context, _ program.Request, _ program.Reporter) (program.Result, error) {
		<-ctx.Done()
		return program.Result{Outcome: program.Cancelled}, nil
	}
	giving := func(r program.Result, err error) func(context.Context, program.Request, program.Reporter) (program.Result, error) {
		return func(context.Context, program.Request, program.Reporter) (program.Result, error) { return r, err }
	}
	for _, c := range []struct {
		name, line string
		do         func(context.Context, program.Request, program.Reporter) (program.Result, error)
		state      invocation.State
		said       string
	}{
		{"it takes too long and ends", "look", obeying, invocation.TimedOut, "`look` was ended after 1 m: it took too long."},
		{"a look takes too long and does not end", "look", ignoring, invocation.TimedOut, "`look` was ended after 1 m 15 s: it took too long."},
		{"a change takes too long and does not end", "turn", ignoring, invocation.Unknown, "`turn`: nobody knows how it ended. The program did not end when it was told to. Look at what it has done; it is not run again."},
		{"it fails", "look", giving(program.Result{Outcome: program.Failed, Text: "output", Why: "no such host\nat all"}, nil), invocation.Failed, "`look` failed after 0.0 s.\n> no such host\n> at all\noutput"},
		{"it was called wrongly", "look", giving(program.Result{Outcome: program.Usage}, nil), invocation.Failed, "`look` was called wrongly. `help look` says how."},
		{"it says nothing", "look", giving(program.Result{Outcome: program.Succeeded}, nil), invocation.Succeeded, "`look` is done, in 0.0 s."},
		{"a look breaks off", "look", giving(program.Result{}, errors.New("connection reset")), invocation.Failed, "`look` failed after 0.0 s.\n> The program broke off."},
		{"a change breaks off", "turn", giving(program.Result{}, errors.New("connection reset")), invocation.Unknown, "`turn`: nobody knows how it ended. The program broke off. Look at what it has done; it is not run again."},
		{"it panics", "look", func(context.Context, program.Request, program.Reporter) (program.Result, error) { panic("a bug") }, invocation.Failed, "`look` failed after 0.0 s.\n> The program broke off."},
		{"a dry run", "turn --dry-run left", giving(program.Result{}, errors.New("it ran")), invocation.Succeeded, "Nothing was run. `turn --dry-run left` would run as Kim, allowed by: allow everyone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			story(t, func(st *station) {
				st.script.do = c.do
				inv := st.give("kim", c.line)
				pass(2 * time.Minute)
				st.wantState(inv.ID, c.state)
				all := st.said()
				if got := strings.TrimPrefix(all[len(all)-1].Payload.(timeline.Message).Text, "@kim "); !strings.HasPrefix(got, c.said) {
					t.Errorf("the bot says %q, want %q", got, c.said)
				}
				pass(2 * time.Hour) // what ignored its end does end
			})
		})
	}
}

func TestWhatCannotBeDoneNowIsTriedAgain(t *testing.T) {
	story(t, func(st *station) {
		tries := 0
		st.script.do = func(context.Context, program.Request, program.Reporter) (program.Result, error) {
			if tries++; tries < 3 {
				return program.Result{Outcome: program.Later, Why: "The build runs."}, nil
			}
			return program.Result{Outcome: program.Succeeded, Text: "deployed"}, nil
		}
		inv := st.give("kim", "deploy run shop")
		pass(time.Second)
		st.wantState(inv.ID, invocation.Queued)
		st.wantSaid("`deploy run shop` could not be done now and is tried again in 30 s. The build runs.")
		pass(2 * time.Minute)
		st.wantState(inv.ID, invocation.Succeeded)
		if tries != 3 {
			t.Errorf("%d tries", tries)
		}
	})
}

// crash lets a command begin on a node that dies at that moment.
func (st *station) crash(n id.Invocation) {
	st.Helper()
	r := st.runner("dead")
	began, err := store.InTx(context.Background(), st.store, func(tx *store.Tx) (*run, error) {
		inv, err := tx.Invocation(n)
		if err != nil {
			return nil, err
		}
		return r.begin(tx, inv)
	})
	if err != nil || began == nil {
		st.Fatalf("begin: %+v, %v", began, err)
	}
}

func TestWhatTheDeadLeaveBehind(t *testing.T) {
	cfg := sqliteFile(t)
	synctest.Test(t, func(t *testing.T) {
		st := newStation(t, cfg)
		look, deploy := st.give("kim", "look"), st.give("kim", "deploy run shop")
		st.crash(look.ID)
		st.crash(deploy.ID)
		stop := st.node("two")
		pass(claimFor - time.Second)
		st.wantState(look.ID, invocation.Running)
		st.wantState(deploy.ID, invocation.Running)
		pass(2 * time.Second)
		st.wantState(look.ID, invocation.Succeeded)
		st.wantState(deploy.ID, invocation.Unknown)
		st.wantEvents(look.ID, invocation.EventReceived, invocation.EventDecided, invocation.EventStarted, invocation.EventAgain, invocation.EventStarted, invocation.EventFinished)
		next := st.give("lee", "deploy run shop") // its lock is free
		pass(time.Second)
		st.wantState(next.ID, invocation.Succeeded)
		if n := len(st.script.asked()); n != 2 {
			t.Errorf("%d runs, want that of the look and the next deploy", n)
		}
		stop()
		st.audit()
	})
}

func TestTheServerIsStopped(t *testing.T) {
	cfg := sqliteFile(t)
	synctest.Test(t, func(t *testing.T) {
		st := newStation(t, cfg)
		st.script.do = func(ctx context.Context, r program.Request, _ program.Reporter) (program.Result, error) {
			switch r.Line {
			case "look quick", "look", "deploy run quick":
				time.Sleep(3 * time.Second)
				return program.Result{Outcome: program.Succeeded}, nil
			}
			<-ctx.Done()
			if r.Line == "deploy run broken" {
				return program.Result{}, ctx.Err()
			}
			return program.Result{Outcome: program.Cancelled}, nil
		}
		quick, quickLook, slowLook := st.give("kim", "deploy run quick"), st.give("kim", "look quick"), st.give("kim", "look slow")
		slow, broken := st.give("kim", "deploy run slow"), st.give("kim", "deploy run broken")
		stop := st.node("one")
		pass(time.Second)
		began := time.Now()
		stop()
		if took := time.Since(began); took > 6*time.Second {
			t.Errorf("stopping took %s", took)
		}
		st.wantState(quick.ID, invocation.Succeeded)
		st.wantState(quickLook.ID, invocation.Succeeded)
		st.wantState(slowLook.ID, invocation.Queued)
		st.wantState(slow.ID, invocation.Cancelled)
		st.wantState(broken.ID, invocation.Unknown)
		st.script.mu.Lock()
		st.script.do = nil
		st.script.mu.Unlock()
		defer st.node("two")()
		pass(time.Second)
		st.wantState(slowLook.ID, invocation.Succeeded)
		st.wantState(broken.ID, invocation.Unknown)
		st.audit()
	})
}

// A run whose node could not say for a while that it lives goes on, and its end
// is believed.
func TestTheEndOfARunThatWasBelievedLost(t *testing.T) {
	story(t, func(st *station) {
		st.script.do = func(context.Context, program.Request, program.Reporter) (program.Result, error) {
			time.Sleep(20 * time.Second)
			return program.Result{Outcome: program.Succeeded, Text: "deployed"}, nil
		}
		inv := st.give("kim", "deploy run shop")
		pass(6 * time.Second)
		err := st.store.Do(context.Background(), func(tx *store.Tx) error { // another node finds it silent
			cur, err := tx.Invocation(inv.ID)
			if err != nil {
				return err
			}
			cur.Claimed, cur.DueAt = tx.Now, tx.Now
			tx.PutInvocation(cur)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		st.wantState(inv.ID, invocation.Unknown)
		pass(20 * time.Second)
		st.wantState(inv.ID, invocation.Succeeded)
		all := st.said()
		if got := all[len(all)-1].Payload.(timeline.Message).Text; got != "deployed" {
			t.Errorf("the last word is %q", got)
		}
	})
}

func TestARunIsRecordedWhenTheDatabaseIsBack(t *testing.T) {
	cfg := sqliteFile(t)
	synctest.Test(t, func(t *testing.T) {
		st := newStation(t, cfg)
		st.court.set(func(c *court) { c.broken = errors.New("the database is away") })
		defer st.node("one")()
		st.court.set(func(c *court) { c.broken = errors.New("the rules cannot be read") })
		inv, other := st.accepted("look"), st.accepted("turn")
		pass(10 * time.Second)
		st.wantState(inv.ID, invocation.Queued)
		st.court.set(func(c *court) { c.broken = nil })
		pass(time.Minute)
		st.wantState(inv.ID, invocation.Succeeded)
		st.wantState(other.ID, invocation.Succeeded)
	})
}

// accepted is give while nobody can judge: the verdict was made before.
func (st *station) accepted(line string) invocation.Invocation {
	st.Helper()
	inv, err := store.InTx(context.Background(), st.store, func(tx *store.Tx) (invocation.Invocation, error) {
		p, err := st.court.parse(line, tx.Now)
		if err != nil {
			return invocation.Invocation{}, err
		}
		return st.desk.Accept(tx, Ask{Parsed: p, Actor: st.actor("kim"), Username: "kim"}, invocation.Verdict{Allow: true, Rule: "before"})
	})
	if err != nil {
		st.Fatal(err)
	}
	return inv
}

func TestPrivateAnswers(t *testing.T) {
	story(t, func(st *station) {
		st.give("kim", "look --private")
		pass(time.Second)
		if got := st.said()[0].Room; got != room.DirectOf("kim", room.Bot) {
			t.Errorf("it was said in %q", got)
		}
		if _, err := st.desk.Find(st.Context(), st.actor("lee"), "1"); err == nil {
			t.Error("a colleague knows of it")
		}
		if _, err := st.desk.Find(st.Context(), st.actor("kim"), "1"); err != nil {
			t.Error(err)
		}
	})
}

func TestAProgramThatNeverStopsTalking(t *testing.T) {
	story(t, func(st *station) {
		st.script.do = func(_ context.Context, _ program.Request, out program.Reporter) (program.Result, error) {
			for i := range 1000 {
				out.Say(fmt.Sprintf("line %d", i), nil)
				out.Progress(i, strings.Repeat("x", 10_000))
			}
			return program.Result{Outcome: program.Succeeded}, nil
		}
		st.give("kim", "look")
		pass(10 * time.Second)
		if n := len(st.said()); n != maxSaid+2 {
			t.Errorf("%d messages, want %d, how many were left out, and the end", n, maxSaid)
		}
	})
}

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"short", "a\nb", []string{"a", "b"}},
		{"one long line", strings.Repeat("x", 5000), nil},
		{"a code block is closed", "```\n" + strings.Repeat("line\n", 40), nil},
		{"and opened again", "```\n" + strings.Repeat("line\n", 40) + "```", nil},
		{"not when it ended in what is left out", "```\n" + strings.Repeat("line\n", 15) + "```\n" + strings.Repeat("prose\n", 25) + "```go\nx\n```", nil},
		{"nor before it has begun", strings.Repeat("prose\n", 15) + "```\n" + strings.Repeat("line\n", 40) + "```", nil},
	} {
		got := shorten(c.text, 7, true)
		if len([]rune(got)) > maxRunes+100 || strings.Count(got, "\n") > maxLines+6 {
			t.Errorf("%s: %d characters, %d lines", c.name, len([]rune(got)), strings.Count(got, "\n"))
		}
		if strings.HasSuffix(c.text, "```") && strings.Count(got, "```")%2 != 0 {
			t.Errorf("%s: a block is left open: %q", c.name, got)
		}
		if tail := got[max(0, strings.LastIndex(got, "\n\n")):]; strings.Contains(tail, "prose") && strings.HasPrefix(tail, "\n\n```") || strings.HasPrefix(tail, "\n\nline") {
			t.Errorf("%s: prose and code have changed places: %q", c.name, tail)
		}
		if c.want != nil && !slices.Equal(strings.Split(got, "\n"), c.want) {
			t.Errorf("%s: %q", c.name, got)
		}
	}
}

func TestSpent(t *testing.T) {
	for d, want := range map[time.Duration]string{
		400 * time.Millisecond: "0.4 s", 12 * time.Second: "12 s", 192 * time.Second: "3 m 12 s", 125 * time.Minute: "2 h 5 m", -time.Second: "0.0 s",
	} {
		if got := spent(d); got != want {
			t.Errorf("spent(%v) = %q, want %q", d, got, want)
		}
	}
}
