package app

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/chatopsrpc"
	"github.com/watchroom/watchroom/internal/chatopsrpc/chatopsrpctest"
	"github.com/watchroom/watchroom/internal/config"
	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/room"
	"github.com/watchroom/watchroom/internal/slash/slashtest"
	"github.com/watchroom/watchroom/internal/store"
)

// serving is a node under real time, because it talks to fakes over the network,
// with a folder of commands, and reachable at its public address.
func serving(t *testing.T, files map[string]string, change func(*Options)) *world {
	t.Helper()
	front := httptest.NewUnstartedServer(nil)
	cfg := config.Default()
	cfg.Data, cfg.PublicURL, cfg.Commands = t.TempDir(), "http://"+front.Listener.Addr().String(), t.TempDir()
	for name, text := range files {
		put(t, cfg.Commands, name, text, 0o600)
	}
	o := Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Stdout: io.Discard, Look: 20 * time.Millisecond}
	change(&o)
	ctx, cancel := context.WithCancel(context.Background())
	app, err := New(ctx, o)
	if err != nil {
		cancel()
		front.Close()
		t.Fatal(err)
	}
	wait := app.Start(ctx)
	front.Config.Handler = app.Handler
	front.Start()
	t.Cleanup(func() {
		front.Close()
		cancel()
		if err := errors.Join(wait(), app.Close()); err != nil {
			t.Error(err)
		}
	})
	w := &world{T: t, app: app, dir: cfg.Commands}
	w.furnish()
	return w
}

func put(t *testing.T, dir, name, text string, mode os.FileMode) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), mode)); err != nil {
		t.Fatal(err)
	}
}

func pemOf(key *rsa.PrivateKey) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func publicPEM(t *testing.T, key *rsa.PublicKey) string {
	t.Helper()
	text, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: text}))
}

// known waits until there is a command with an id.
func (w *world) known(commandID string) {
	w.Helper()
	waitFor(w.T, "there is a command "+commandID, func() bool {
		_, _, ok := w.app.talk.catalogue.Find(commandID)
		return ok
	})
}

// typed writes a line and returns the command that came of it, in one of the states.
func (w *world) typed(name, text string, states ...invocation.State) invocation.Invocation {
	w.Helper()
	seq, err := w.app.Dispatch.Say(w.Context(), w.as(name), dispatch.Line{Text: text})
	if err != nil {
		w.Fatal(err)
	}
	var inv invocation.Invocation
	waitFor(w.T, text+" is "+string(states[0]), func() bool {
		found, err := w.app.Store.Invocations(w.Context(), store.InvocationFilter{States: states, Limit: 100})
		if err != nil {
			w.Fatal(err)
		}
		for _, one := range found {
			if one.Message == seq {
				inv = one
				return true
			}
		}
		return false
	})
	return inv
}

// given is a line of somebody who does not type it into a room.
func (w *world) given(name, line string) invocation.Invocation {
	w.Helper()
	inv, err := w.app.talk.bot.Give(w.Context(), w.as(name), room.Main, 0, 0, line)
	if err != nil {
		w.Fatalf("%s gives %q: %v", name, line, err)
	}
	return inv
}

// told waits for the bot to say something in a room.
func (w *world) told(in id.Room, words string) {
	w.Helper()
	waitFor(w.T, "the bot says "+words, func() bool {
		for _, m := range w.heard(in) {
			if strings.Contains(m.Text, words) {
				return true
			}
		}
		return false
	})
}

const deployService = `
rpc:
  - prefix: deploy
    url: URL
    key_file: secrets/deploy.pem
    methods:
      status: {risk: read}
      ship: {risk: change}
      wipe: {approval: {group: database, peer: true}}
      secret: {off: true}
`

var deployMethods = map[string]chatopsrpctest.Method{
	"status": {Regex: `status(?: of (?<app>\S+))?`, Params: []string{"app"}, Path: "status", Help: "status [of APP] - how it is"},
	"ship":   {Regex: `(?<app>\S+) to (?<env>\S+)`, Params: []string{"app", "env"}, Path: "ship", Help: "APP to ENV - ships it"},
	"wipe":   {Regex: `wipe (?<app>\S+)`, Params: []string{"app"}, Path: "wipe", Help: "wipe APP"},
	"secret": {Regex: `secret`, Path: "secret"},
	"lock":   {Regex: `lock (?<app>\S+)`, Params: []string{"app"}, Path: "lock"},
	"lock2":  {Regex: `lock (?<app>\S+) for (?<why>.+)`, Params: []string{"app", "why"}, Path: "lock2"},
}

func deploying(t *testing.T) (*world, *chatopsrpctest.Server) {
	t.Helper()
	fake := chatopsrpctest.New(t)
	fake.Offer(deployMethods, nil)
	w := serving(t, map[string]string{
		"services.yaml": strings.Replace(deployService, "URL", fake.URL, 1), "secrets/deploy.pem": pemOf(fake.Key),
	}, func(o *Options) { o.HTTP = fake.Client })
	w.known("rpc.deploy.ship")
	return w, fake
}

// A service's own expression reads the line; the asker's login and what was found
// are sent, and the answer is in the room.
func TestAServiceByChatOpsRPC(t *testing.T) {
	w, fake := deploying(t)
	fake.Answer(func(rw http.ResponseWriter, _ *http.Request, c chatopsrpctest.Call) {
		chatopsrpctest.Result(rw, map[string]any{"result": "shipped " + c.Params["app"] + " for " + c.User})
	})
	inv := w.typed("kim", "!deploy api to prod", invocation.Succeeded)
	if inv.Command != "rpc.deploy.ship" || inv.Risk != "change" {
		t.Errorf("understood as %s, %s; want rpc.deploy.ship, change", inv.Command, inv.Risk)
	}
	w.told(room.Main, "shipped api for kim")
	if calls := fake.Calls(); len(calls) != 1 || calls[0].Params["env"] != "prod" || calls[0].Method != "ship" {
		t.Errorf("called %+v, want ship once, to prod", calls)
	}
	if inv := w.given("olga", "deploy status of api"); inv.State == invocation.Denied { // an observer looks
		t.Errorf("an observer looks: %s", inv.Why)
	}
	if _, _, ok := w.app.talk.catalogue.Find("rpc.deploy.secret"); ok {
		t.Error("a method that is switched off is offered")
	}
	if len(fake.Refusals()) != 0 {
		t.Errorf("the service refused %v", fake.Refusals())
	}
}

// Whatever words a line begins with, it is decided about the method that runs.
func TestAServiceIsRefusedByRules(t *testing.T) {
	w, fake := deploying(t)
	if inv := w.given("olga", "deploy api to prod"); inv.Command != "rpc.deploy.ship" || inv.State != invocation.Denied {
		t.Errorf("an observer ships: %s is %s", inv.Command, inv.State)
	}
	w.rules(`deny everyone rpc.deploy.ship when args.env == "prod"`)
	inv := w.typed("kim", "!deploy api to prod", invocation.Denied)
	if !strings.Contains(inv.Rule, "rpc.deploy.ship") {
		t.Errorf("refused by %q, want the rule of one's own", inv.Rule)
	}
	w.typed("kim", "!deploy api to prod --env test", invocation.Denied) // an option replaces nothing
	w.typed("kim", "!deploy api to test", invocation.Succeeded)
	w.typed("kim", "!deploy wipe api", invocation.Awaiting)
	if calls := fake.Calls(); len(calls) != 1 || calls[0].Params["env"] != "test" {
		t.Errorf("called %+v, want once, to test", calls)
	}
}

// Approval is of what was read when it was asked for: another address is not called.
func TestAnApprovedServiceIsAnotherNow(t *testing.T) {
	w, fake := deploying(t)
	approve := func(inv invocation.Invocation, want invocation.State) {
		t.Helper()
		if _, err := w.app.talk.desk.Approve(t.Context(), w.as("noor"), inv.Short); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "it is "+string(want), func() bool {
			now, err := w.app.Store.Invocation(t.Context(), inv.ID)
			return err == nil && now.State == want
		})
	}
	inv := w.typed("kim", "!deploy wipe api", invocation.Awaiting)
	approve(inv, invocation.Succeeded)
	inv = w.typed("kim", "!deploy wipe web", invocation.Awaiting)
	before, _, _ := w.app.talk.catalogue.Find("rpc.deploy.wipe")
	text := strings.Replace(strings.Replace(deployService, "URL", fake.URL, 1), "key_file", "key_id: other\n    key_file", 1)
	put(t, w.dir, "services.yaml", text, 0o600)
	waitFor(t, "the file was read again", func() bool {
		now, _, ok := w.app.talk.catalogue.Find("rpc.deploy.wipe")
		return ok && now.Version != before.Version
	})
	approve(inv, invocation.Rejected)
	if calls := fake.Calls(); len(calls) != 1 || calls[0].Params["app"] != "api" {
		t.Errorf("called %+v, want once, with api", calls)
	}
}

// Of methods that begin with the same words, and of options of the service.
func TestAServiceReadsTheLine(t *testing.T) {
	w, fake := deploying(t)
	tests := []struct{ line, method, param, value string }{
		{"!deploy lock api", "lock", "app", "api"},
		{"!deploy lock api for repairs of it", "lock2", "why", "repairs of it"},
		{"!Deploy STATUS", "status", "", ""},
		{"!deploy status of api --since last week --all", "status", "since", "last week"},
		{"!deploy status -- --all", "status", "all", "true"},
	}
	for i, tt := range tests {
		inv := w.typed("kim", tt.line, invocation.Succeeded)
		calls := fake.Calls()
		if len(calls) != i+1 || calls[i].Method != tt.method || calls[i].Params[tt.param] != tt.value || inv.Command != "rpc.deploy."+tt.method {
			t.Fatalf("%s: %s called %+v, want %s with %s=%q", tt.line, inv.Command, calls, tt.method, tt.param, tt.value)
		}
	}
}

// What nobody understands is called wrongly, and nothing is sent.
func TestAServiceThatDoesNotUnderstand(t *testing.T) {
	w, fake := deploying(t)
	w.typed("kim", "!deploy quickly please", invocation.Failed)
	w.typed("kim", "!deploy status api", invocation.Failed)
	if len(fake.Calls()) != 0 {
		t.Errorf("called %+v", fake.Calls())
	}
}

const weatherHook = `
webhooks:
  - words: weather
    url_file: secrets/weather.url
    secret_file: secrets/weather.key
    summary: Says what the weather is.
    risk: read
`

func weathering(t *testing.T, private bool) (*world, *slashtest.Receiver) {
	t.Helper()
	fake := slashtest.New(t, "signing-secret", "")
	w := serving(t, map[string]string{
		"services.yaml": weatherHook, "secrets/weather.url": fake.URL + "\n", "secrets/weather.key": "signing-secret\n",
	}, func(o *Options) { o.Config.AllowPrivateTargets = private })
	w.known("webhook.weather")
	return w, fake
}

// The answer at once is in the room, and so is a later one; what is for the asker
// alone is in their conversation with the bot.
func TestAWebhookAnswersLater(t *testing.T) {
	w, fake := weathering(t, true)
	w.typed("noor", "!weather in Berlin", invocation.Succeeded)
	w.told(room.Main, "did in Berlin")
	forms := fake.Forms()
	if len(forms) != 1 || forms[0].Get("user_name") != "noor" || forms[0].Get("command") != "/weather" {
		t.Fatalf("received %v", forms)
	}
	form := forms[0]
	if status := slashtest.Later(t, form, map[string]any{"response_type": "in_channel", "text": "rain until noon"}); status != http.StatusOK {
		t.Errorf("a later answer: status %d", status)
	}
	w.told(room.Main, "rain until noon")
	if status := slashtest.Later(t, form, map[string]any{"text": "bring an umbrella"}); status != http.StatusOK {
		t.Errorf("an answer to the asker: status %d", status)
	}
	w.told(withBot("noor"), "bring an umbrella")
	for _, m := range w.heard(room.Main) {
		if strings.Contains(m.Text, "umbrella") {
			t.Error("what is for the asker alone was said in front of everybody")
		}
	}
	if status := slashtest.Later(t, form, map[string]any{"delete_original": true}); status != http.StatusOK {
		t.Errorf("taking it back: status %d", status)
	}
	w.told(room.Main, "rain until noon") // it stays
	forged := url.Values{"response_url": {form.Get("response_url") + "x"}}
	if status := slashtest.Later(t, forged, map[string]any{"text": "forged"}); status != http.StatusNotFound {
		t.Errorf("a forged address: status %d", status)
	}
	put(t, w.dir, "services.yaml", "webhooks: []\n", 0o600) // what is gone says nothing more
	waitFor(t, "the webhook is gone", func() bool {
		_, _, ok := w.app.talk.catalogue.Find("webhook.weather")
		return !ok
	})
	if status := slashtest.Later(t, form, map[string]any{"text": "late"}); status != http.StatusBadRequest {
		t.Errorf("an answer of a webhook that is gone: status %d", status)
	}
}

// Without leave of the operator, an address in the file reaches no neighbour.
func TestAWebhookReachesNoNeighbour(t *testing.T) {
	w, fake := weathering(t, false)
	inv := w.given("kim", "weather")
	waitFor(t, "it was tried", func() bool {
		now, err := w.app.Store.Invocation(t.Context(), inv.ID)
		return err == nil && now.Attempt > 0 && now.State != invocation.Running
	})
	if len(fake.Forms()) != 0 {
		t.Errorf("called %v", fake.Forms())
	}
}

// ours carries requests to the node's own handler.
type ours struct{ handler http.Handler }

func (o ours) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	in := httptest.NewRequestWithContext(r.Context(), r.Method, r.URL.String(), r.Body)
	in.Header = r.Header
	o.handler.ServeHTTP(rec, in)
	return rec.Result(), nil
}

// A client with the right key gets what its people may see, and no more.
func TestCommandsArePublished(t *testing.T) {
	key := chatopsrpctest.New(t).Key
	w := serving(t, map[string]string{
		"services.yaml":     "publish:\n  keys: [secrets/hubot.pub]\n  people: {kimberly: kim, gone: nobody}\n",
		"secrets/hubot.pub": publicPEM(t, &key.PublicKey),
	}, func(o *Options) { o.Config.PublicURL = "https://watch.example.org" })
	client := &http.Client{Transport: ours{w.app.Handler}}
	hubot, err := chatopsrpc.New(chatopsrpc.Config{URL: "https://watch.example.org/_chatops", Prefix: "wr"}, key, client, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := hubot.Poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	call := func(login, line string) program.Result {
		t.Helper()
		m, ok := hubot.Match(line)
		if !ok {
			t.Fatalf("nothing published understands %q", line)
		}
		res, err := hubot.Find(m.Declaration.ID).Run(t.Context(), program.Request{Username: login, RoomName: "ops", Args: m.Args}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	if got := call("kimberly", "oncall primary"); got.Outcome != program.Succeeded || !strings.Contains(got.Text, "Kim") {
		t.Errorf("kimberly asks who is on call: %+v", got)
	}
	if asked := w.invocations(store.InvocationFilter{}); len(asked) != 1 || asked[0].By.User != "kim" || asked[0].Room != withBot("kim") {
		t.Errorf("asked for %+v, want one by kim", asked)
	}
	for _, login := range []string{"kim", "gone", "ada"} { // nobody by having the same name
		if got := call(login, "oncall"); got.Outcome == program.Succeeded {
			t.Errorf("%s is %+v", login, got)
		}
	}
	for _, line := range []string{"ack 1", "incident ack 1", "maintenance start disk"} {
		if m, ok := hubot.Match(line); ok && m.Method.Name != "maintenance" {
			t.Errorf("%q is published as %s", line, m.Method.Name)
		}
	}
	another, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := chatopsrpc.New(chatopsrpc.Config{URL: "https://watch.example.org/_chatops", Prefix: "wr"}, another, client, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Poll(t.Context()); err == nil {
		t.Error("a key that is not in the file was accepted")
	}
	put(t, w.dir, "services.yaml", "", 0o600)
	waitFor(t, "nothing is published any more", func() bool { return hubot.Poll(t.Context()) != nil })
}

func TestServicesFile(t *testing.T) {
	key := pemOf(chatopsrpctest.New(t).Key)
	const service = "rpc:\n  - {prefix: deploy, url: 'https://deploy.example.org/_chatops', key_file: secrets/key}\n"
	tests := []struct {
		name, yaml string
		open       bool // the key can be read by others
		rpc, hooks int
		problem    string
	}{
		{name: "a service", yaml: service, rpc: 1},
		{name: "nothing"},
		{name: "not YAML", yaml: "rpc: [", problem: "services.yaml"},
		{name: "a key that others can read", yaml: service, open: true, problem: "owner alone"},
		{name: "a key in the file", yaml: strings.ReplaceAll(service, "key_file: secrets/key", "key: x"), problem: `has no "key"`},
		{name: "a key outside", yaml: strings.ReplaceAll(service, "secrets/key", "../key"), problem: "escapes"},
		{name: "no https", yaml: strings.ReplaceAll(service, "https:", "http:"), problem: "https"},
		{name: "a risk that is none", yaml: service[:len(service)-2] + ", methods: {run: {risk: none}}}\n", problem: "risk"},
		{name: "approval", yaml: service[:len(service)-2] + ", methods: {run: {approval: {count: many}}}}\n", problem: "count"},
		{name: "twice", yaml: service + strings.TrimPrefix(service, "rpc:\n"), rpc: 1, problem: "another service"},
		{name: "a webhook without secret", yaml: "webhooks:\n  - {words: w, url: 'https://x.example.org', summary: w}\n", problem: "secret"},
		{name: "one broken hides no other", yaml: service + "webhooks:\n  - {words: w}\n  - {words: v, url: 'https://x.example.org', summary: v, secret_file: secrets/key}\n", rpc: 1, hooks: 1, problem: "summary is missing"},
		{name: "published to nobody", yaml: "publish: {keys: [secrets/key]}\n", problem: "people"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir, mode := t.TempDir(), os.FileMode(0o600)
			if tt.open {
				mode = 0o644
			}
			put(t, dir, "services.yaml", tt.yaml, 0o644)
			put(t, dir, "secrets/key", key, mode)
			d := readServices(dir)
			err := errors.Join(d.problems...)
			if len(d.rpc) != tt.rpc || len(d.hooks) != tt.hooks || (err == nil) != (tt.problem == "") || err != nil && !strings.Contains(err.Error(), tt.problem) {
				t.Errorf("%d services, %d webhooks, %v; want %d, %d, %q", len(d.rpc), len(d.hooks), err, tt.rpc, tt.hooks, tt.problem)
			}
			if err != nil && strings.Contains(err.Error(), "PRIVATE KEY") {
				t.Errorf("a problem shows the key: %v", err)
			}
		})
	}
}
