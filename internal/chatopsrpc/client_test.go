package chatopsrpc

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/chatopsrpc/chatopsrpctest"
	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/outbound"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/timeline"
)

var deployMethods = map[string]chatopsrpctest.Method{
	"run":    {Regex: `run (?<app>\S+)(?: to (?<env>\S+))?`, Params: []string{"app", "env"}, Path: "run", Help: "run <app> to <env> - deploy an app"},
	"status": {Regex: `(?:status|st)(?: of (?<app>\S+))?`, Params: []string{"app"}, Path: "status", Help: "status of <app>"},
	"ruby":   {Regex: `x(?<=y)`, Params: []string{}, Path: "ruby"},
}

func started(t *testing.T, cfg Config) (*Service, *chatopsrpctest.Server) {
	t.Helper()
	server := chatopsrpctest.New(t)
	server.Offer(deployMethods, nil)
	cfg.URL, cfg.Prefix = server.URL, "dep"
	s, err := New(cfg, server.Key, server.Client, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, server
}

func request(line string) program.Request {
	return program.Request{Username: "alice", RoomName: "ops", Message: 881, Args: map[string]string{LineArg: line}}
}

func TestDeclarations(t *testing.T) {
	s, _ := started(t, Config{Policies: map[string]Policy{
		"status": {Risk: command.Reads}, "*": {Confirm: true, Approval: command.Approval{Count: 1, Peer: true}},
	}})
	if _, err := command.New(s.Declarations()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range s.Declarations() {
		got = append(got, fmt.Sprintf("%s: %s, %s, confirm %t, %d approvals, from %s", d.ID, d.Name(), d.Risk, d.Confirm, d.Approval.Count, d.Origin))
	}
	want := []string{
		"rpc.dep: dep, read, confirm false, 0 approvals, from rpc deploy",
		"rpc.dep.run: dep run, change, confirm true, 1 approvals, from rpc deploy",
		"rpc.dep.status: dep status, read, confirm false, 0 approvals, from rpc deploy",
	}
	if !slices.Equal(got, want) {
		t.Errorf("declarations %q", got)
	}
	if r := s.State().Rejected; len(r) != 1 || r[0].Method != "ruby" {
		t.Errorf("rejected %v", r)
	}
	m, ok := s.Match("st of shop")
	if !ok || m.Declaration.ID != "rpc.dep.status" || !maps.Equal(m.Params, map[string]string{"app": "shop"}) {
		t.Errorf("Match = %+v, %t", m, ok)
	}
	if _, ok := s.Match("please run shop"); ok {
		t.Error("it matched in the middle of a line")
	}
}

func TestACall(t *testing.T) {
	s, server := started(t, Config{})
	const typed = "run shop to staging --force --reason two words --env prod"
	m, ok := s.Match(typed)
	if !ok {
		t.Fatal("no match")
	}
	matched, parsed := request(""), request(strings.TrimPrefix(typed, "run ")) // as Match has it; as the tree has it
	matched.Args = m.Args
	for _, r := range []program.Request{matched, parsed} {
		res, err := s.Find("rpc.dep.run").Run(t.Context(), r, nil)
		if err != nil || res.Outcome != program.Succeeded || res.Text != "run done" {
			t.Fatalf("Run(%v) = %+v, %v", r.Args, res, err)
		}
	}
	calls := server.Calls()
	if len(calls) != 2 || calls[0].Body != calls[1].Body {
		t.Fatalf("calls %+v", calls)
	}
	want := `{"user":"alice","method":"run","params":{"app":"shop","env":"staging","force":"true","reason":"two words"},"room_id":"#ops","mention_slug":"alice","message_id":"881"}`
	if calls[0].Body != want || calls[0].Path != "run" {
		t.Errorf("posted %s to %s, want %s", calls[0].Body, calls[0].Path, want)
	}
	if r := server.Refusals(); len(r) > 0 {
		t.Errorf("refused with %v", r)
	}
}

func TestAnswers(t *testing.T) {
	s, server := started(t, Config{})
	ok := func(fields map[string]any) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { chatopsrpctest.Result(w, maps.Clone(fields)) }
	}
	raw := func(status int, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = w.Write([]byte(text)) }
	}
	for _, c := range []struct {
		name    string
		answer  http.HandlerFunc
		outcome program.Outcome
		text    string
	}{
		{"text", ok(map[string]any{"result": "Deploying, https://ci.example.test/881"}), program.Succeeded, "Deploying, https://ci.example.test/881"},
		{"nothing at all is nothing", ok(map[string]any{"result": " "}), program.Succeeded, ""},
		{"null says so", ok(map[string]any{"result": nil}), program.Succeeded, "It returned no output."},
		{"no text", ok(map[string]any{"result": []int{1}}), program.Succeeded, "[1]"},
		{"its own failure", raw(400, `{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"shop is locked by bob"}}`), program.Failed, "shop is locked by bob"},
		{"a failure with 200", raw(200, `{"error":{"code":-32602,"message":"locked"}}`), program.Failed, "locked"},
		{"not signed well", raw(403, `{"error":{"code":-32800,"message":"Not authorized"}}`), program.Failed, "Not authorized"},
		{"a page", raw(500, "<h1>"+strings.Repeat("é", 1000)), program.Failed, "The service failed: 500 Internal Server Error.\n\n```\n<h1>" + strings.Repeat("é", 296) + "\n```"},
		{"a page with 200", raw(200, "<p>hello"), program.Failed, "The service failed: 200 OK.\n\n```\n<p>hello\n```"},
		{"nothing", raw(502, ""), program.Failed, "The service failed: 502 Bad Gateway."},
		{"a redirect is not followed", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, program.Failed, "The service failed: 307 Temporary Redirect."},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"result":"`))
			for range 3 << 10 {
				_, _ = w.Write([]byte(strings.Repeat("x", 1<<10)))
			}
		}, program.Failed, "The service failed: 200 OK.\n\n```\n{\"result\":\"" + strings.Repeat("x", 289) + "\n```"},
	} {
		server.Answer(func(w http.ResponseWriter, r *http.Request, _ chatopsrpctest.Call) { c.answer(w, r) })
		res, err := s.Find("rpc.dep.run").Run(t.Context(), request("shop"), nil)
		if err != nil || res.Outcome != c.outcome || res.Text != c.text {
			t.Errorf("%s: %s %.400q, %v; want %s %.400q", c.name, res.Outcome, res.Text, err, c.outcome, c.text)
		}
	}
	server.Offer(deployMethods, map[string]any{"error_response": "Ask #deploys."})
	if err := s.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Answer(func(w http.ResponseWriter, r *http.Request, _ chatopsrpctest.Call) { raw(500, "<html>secrets")(w, r) })
	if res, _ := s.Find("rpc.dep.run").Run(t.Context(), request("shop"), nil); res.Text != "@alice Ask #deploys." {
		t.Errorf("instead of a page it says %q", res.Text)
	}
}

func TestDecoration(t *testing.T) {
	s, server := started(t, Config{})
	server.Answer(func(w http.ResponseWriter, _ *http.Request, _ chatopsrpctest.Call) {
		chatopsrpctest.Result(w, map[string]any{
			"result": "All *well*.", "title": "Deploy 881", "title_link": "https://ci.example.test/881", "color": "36a64f", "image_url": "https://img.example.test/x.png",
			"buttons": []map[string]any{{"label": "Again", "command": "dep run shop"}, {"label": "None"}},
		})
	})
	res, err := s.Find("rpc.dep.run").Run(t.Context(), request("shop"), nil)
	if err != nil || res.Doc == nil {
		t.Fatalf("%+v, %v", res, err)
	}
	want := "**[Deploy 881](https://ci.example.test/881)**\n\nAll *well*.\n\n[image](https://img.example.test/x.png)"
	if res.Text != want || res.Doc.Status != timeline.StatusGood {
		t.Errorf("%s: %q", res.Doc.Status, res.Text)
	}
	last := res.Doc.Blocks[len(res.Doc.Blocks)-1]
	if len(last.Actions) != 1 || last.Actions[0].Line != "dep run shop" || last.Actions[0].Token != "" {
		t.Errorf("buttons %+v", last)
	}
	for color, want := range map[string]timeline.Status{"ff0000": timeline.StatusBad, "#daa038": timeline.StatusWarning, "00ff00": timeline.StatusGood, "0000ff": "", "x": "", "": ""} {
		if got := statusOf(color); got != want {
			t.Errorf("statusOf(%q) = %q, want %q", color, got, want)
		}
	}
}

func TestACallIsPostedOnce(t *testing.T) {
	s, server := started(t, Config{Policies: map[string]Policy{"status": {Risk: command.Reads}}})
	server.Answer(func(http.ResponseWriter, *http.Request, chatopsrpctest.Call) { panic(http.ErrAbortHandler) })
	res, err := s.Find("rpc.dep.run").Run(t.Context(), request("shop"), nil)
	if err == nil || !strings.Contains(res.Text, "unknown") {
		t.Errorf("a change without an answer: %+v, %v", res, err)
	}
	if res, err := s.Find("rpc.dep.status").Run(t.Context(), request("of shop"), nil); err != nil || res.Outcome != program.Failed {
		t.Errorf("a look without an answer: %+v, %v", res, err)
	}
	if n := len(server.Calls()); n != 2 {
		t.Errorf("%d calls arrived, want 2", n)
	}
}

func TestASlowService(t *testing.T) {
	s, server := started(t, Config{Policies: map[string]Policy{"status": {Risk: command.Reads}}})
	arrived, release := make(chan struct{}, 2), make(chan struct{})
	defer close(release)
	server.Answer(func(http.ResponseWriter, *http.Request, chatopsrpctest.Call) { arrived <- struct{}{}; <-release })
	for name, c := range map[string]struct {
		line    string
		outcome program.Outcome
		unknown bool
	}{"rpc.dep.run": {"shop", program.Failed, true}, "rpc.dep.status": {"of shop", program.Cancelled, false}} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-arrived; cancel() }()
		res, err := s.Find(name).Run(ctx, request(c.line), nil)
		if res.Outcome != c.outcome || (err != nil) != c.unknown {
			t.Errorf("%s: %+v, %v", name, res, err)
		}
	}
}

func TestNothingLeft(t *testing.T) {
	s, server := started(t, Config{})
	run := s.Find("rpc.dep.run")
	for name, r := range map[string]program.Request{
		"no match": request("shop somewhere"), "a dry run": {Username: "alice", DryRun: true, Args: map[string]string{LineArg: "shop"}},
		"nobody": {Args: map[string]string{LineArg: "shop"}},
	} {
		if res, err := run.Run(t.Context(), r, nil); err != nil || res.Outcome == program.Succeeded {
			t.Errorf("%s: %+v, %v", name, res, err)
		}
	}
	guarded, err := New(Config{URL: server.URL, Prefix: "dep"}, server.Key, outbound.Policy{}.Client(time.Second), slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := guarded.Poll(t.Context()); err == nil || !strings.Contains(err.Error(), "not public") {
		t.Errorf("a listing at a private address: %v", err)
	}
	guarded.state = s.State()
	if res, err := guarded.Find("rpc.dep.run").Run(t.Context(), request("shop"), nil); err != nil || res.Outcome != program.Failed || !strings.HasPrefix(res.Text, "Its address is not public;") {
		t.Errorf("a call to a private address: %+v, %v", res, err)
	}
	if n := len(server.Calls()); n != 0 {
		t.Errorf("%d calls arrived", n)
	}
}

func TestHelp(t *testing.T) {
	s, _ := started(t, Config{Policies: map[string]Policy{"status": {Off: true}}})
	res, err := s.Find("rpc.dep").Run(t.Context(), request(""), nil)
	if err != nil || res.Outcome != program.Succeeded || res.Text != "Deploy things\n\n- `dep` run <app> to <env> - deploy an app" {
		t.Errorf("%+v, %v", res, err)
	}
	if res, _ := s.Find("rpc.dep").Run(t.Context(), request("walk"), nil); res.Outcome != program.Usage || !strings.Contains(res.Text, "no command like that") {
		t.Errorf("%+v", res)
	}
	if s.Find("rpc.dep.status") != nil || s.Find("rpc.dep.none") != nil {
		t.Error("a method that is off or not there can be found")
	}
}

func TestPolling(t *testing.T) {
	s, server := started(t, Config{})
	changes := 0
	s.changed = func() { changes++ }
	poll := func() error { return s.Poll(t.Context()) }
	if err := poll(); err != nil || server.Reads() != 1 || changes != 0 {
		t.Errorf("unchanged: %v, read %d times, %d changes", err, server.Reads(), changes)
	}
	server.Break(500)
	if err := poll(); err == nil || s.State().Err == "" || len(s.State().Methods) != 2 {
		t.Errorf("broken: %v, state %+v", err, s.State())
	}
	server.Break(0)
	server.Offer(map[string]chatopsrpctest.Method{"new": {Regex: "new", Params: []string{}, Path: "new"}}, nil)
	if err := poll(); err != nil || changes != 1 || s.State().Err != "" || s.Find("rpc.dep.new") == nil || s.Find("rpc.dep.run") != nil {
		t.Errorf("changed: %v, %d changes, state %+v", err, changes, s.State())
	}
	server.Key = keys()[2]
	if err := poll(); err == nil || !strings.Contains(err.Error(), "403: signature does not verify") {
		t.Errorf("with another key: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Run(ctx); err != nil {
		t.Error(err)
	}
}

func TestConfigValidate(t *testing.T) {
	for want, cfg := range map[string]Config{
		"whole address": {}, "only read over https": {URL: "http://x/_chatops", Prefix: "x"}, "no query": {URL: "https://x/_chatops?a=b", Prefix: "x"},
		"one word": {URL: "https://x/_chatops", Prefix: "a b"}, "risk": {URL: "https://x/_chatops", Prefix: "a", Policies: map[string]Policy{"x": {Risk: "none"}}},
	} {
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", cfg, err, want)
		}
	}
}
