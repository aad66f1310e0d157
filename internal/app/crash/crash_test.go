package crash

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notifytest"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/pgtest"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

const (
	pagers     = 60 // people, each behind a routing key of their own: so many that no mail has more incidents than it names
	senders    = 8
	secondStep = 2 * time.Second
	key        = "a-key-for-the-crash-test-0123456789"
)

// kills is how often the program is killed on each engine.
func kills() int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("WATCHROOM_KILLS"), "20"))
	if err != nil || n < 1 {
		return 20
	}
	return n
}

var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "watchroom-crash-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	program = filepath.Join(dir, "watchroom")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", program, "github.com/watchroom/watchroom/cmd/watchroom")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		os.Exit(1)
	}
	status := pgtest.Main(m)
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

func TestKilledAtRandomMomentsSQLite(t *testing.T) { crash(t, "") }

func TestKilledAtRandomMomentsPostgres(t *testing.T) { crash(t, pgtest.URL(t)) }

func crash(t *testing.T, database string) {
	n := &node{T: t, data: t.TempDir(), database: database, mail: notifytest.NewSMTP(t, notifytest.Keep(100_000))}
	n.furnish()
	n.listen = freeAddress(t)
	n.start()
	accepted := &record{entities: map[string]bool{}}
	load, stopLoad := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() { send(load, n, s, accepted) })
	}
	total := kills()
	for range total {
		<-time.After(time.Duration(100+rand.IntN(300)) * time.Millisecond)
		n.kill()
		n.start()
	}
	stopLoad()
	wg.Wait()
	n.settle()
	n.stop()
	n.check(accepted, total)
}

// record is what the sender was told.
type record struct {
	mu       sync.Mutex
	entities map[string]bool // guarded by mu
	alerts   int             // guarded by mu
}

func (r *record) add(entity string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entities[entity] = true
	r.alerts++
}

// send posts alerts, mostly of new entities, and notes each that was answered 2xx.
func send(ctx context.Context, n *node, sender int, accepted *record) {
	client := &http.Client{Timeout: 5 * time.Second}
	entity := ""
	for i := 0; ctx.Err() == nil; i++ {
		if entity == "" || i%4 != 0 {
			entity = fmt.Sprintf("crash/%d/%d", sender, i)
		}
		url := fmt.Sprintf("http://%s/integrations/generic/20131114/alert/%s/key-%d", n.listen, key, rand.IntN(pagers))
		body := fmt.Sprintf(`{"message_type":"CRITICAL","entity_id":%q,"state_message":"alert %d"}`, entity, i)
		if post(ctx, client, url, body) {
			accepted.add(entity)
		}
		select {
		case <-ctx.Done():
		case <-time.After(15 * time.Millisecond):
		}
	}
}

func post(ctx context.Context, client *http.Client, url, body string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	var answer struct {
		Result string `json:"result"`
	}
	return resp.StatusCode/100 == 2 && json.NewDecoder(resp.Body).Decode(&answer) == nil && answer.Result == "success"
}

// node is the real program with its folder.
type node struct {
	*testing.T
	data, database, listen string
	mail                   *notifytest.SMTP
	cmd                    *exec.Cmd
	exited                 chan error
}

// open opens the node's database beside the program.
func (n *node) open() *store.Store {
	n.Helper()
	s, err := store.Open(n.Context(), store.Config{Path: filepath.Join(n.data, "watchroom.db"), Database: n.database})
	if err != nil {
		n.Fatalf("open store: %v", err)
	}
	return s
}

func (n *node) furnish() {
	n.Helper()
	s := n.open()
	defer s.Close()
	box, err := secret.Open(filepath.Join(n.data, "secret.key"))
	if err != nil {
		n.Fatal(err)
	}
	d := dispatch.New(s, box, slog.New(slog.DiscardHandler))
	changes := []org.Change{org.Put(d.NewIntegration(routing.REST, "monitoring", key))}
	person := func(name string, role people.Role) id.User {
		changes = append(changes, org.Put(people.User{
			ID: id.User(name), Username: name, Name: name, Email: name + "@example.org", Role: role, Zone: "UTC",
			Contacts: []people.Contact{{ID: id.Contact("mail-" + name), Method: people.Email, Address: name + "@example.org"}},
		}))
		return id.User(name)
	}
	second := person("second", people.Admin)
	for i := range pagers {
		name := "pager-" + strconv.Itoa(i)
		first := person(name, people.Member)
		changes = append(changes,
			org.Put(escalation.Policy{
				ID: id.Policy(name), Slug: name, Name: name, RepeatAfter: escalation.Duration(time.Hour), Steps: []escalation.Step{
					{Targets: []escalation.Target{{User: first}}},
					{After: escalation.Duration(secondStep), Targets: []escalation.Target{{User: second}}},
				},
			}),
			org.Put(routing.Key{ID: id.RoutingKey(name), Name: "key-" + strconv.Itoa(i), Policy: id.Policy(name)}))
	}
	changes = append(changes, org.Put(org.Settings{Name: "Crash", DefaultPolicy: "pager-0", WarningsOpen: true, SnoozeMorningAt: "09:00"}))
	_, err = d.ChangeOrg(n.Context(), people.Operator(), func(*org.Org) ([]org.Change, error) { return changes, nil })
	if err != nil {
		n.Fatalf("furnish: %v", err)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func (n *node) start() {
	n.Helper()
	n.cmd = exec.CommandContext(context.WithoutCancel(n.Context()), program, "serve", "--listen", n.listen, "--data", n.data,
		"--smtp-url", n.mail.URL(), "--mail-from", "pager@example.org", "--log-level", "error")
	if n.database != "" {
		n.cmd.Args = append(n.cmd.Args, "--database", n.database)
	}
	n.cmd.Stdout, n.cmd.Stderr = os.Stderr, os.Stderr
	if err := n.cmd.Start(); err != nil {
		n.Fatalf("start: %v", err)
	}
	n.exited = make(chan error, 1)
	go func(cmd *exec.Cmd, exited chan error) { exited <- cmd.Wait() }(n.cmd, n.exited)
	n.Cleanup(func() { _ = n.cmd.Process.Kill() })
	n.until("the program answers", 20*time.Second, func() bool {
		select {
		case err := <-n.exited:
			n.Fatalf("the program ended while starting: %v", err)
		default:
		}
		req, err := http.NewRequestWithContext(n.Context(), http.MethodGet, "http://"+n.listen+"/healthz", nil)
		if err != nil {
			n.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

func (n *node) kill() {
	n.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		n.Fatalf("kill: %v", err)
	}
	if err := <-n.exited; err == nil {
		n.Error("a killed program ended with status 0")
	}
}

// stop asks the program to end and expects it to do so well.
func (n *node) stop() {
	n.Helper()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		n.Fatalf("stop: %v", err)
	}
	select {
	case err := <-n.exited:
		if err != nil {
			n.Errorf("after SIGTERM the program ended with %v, want status 0", err)
		}
	case <-time.After(30 * time.Second):
		n.Fatal("the program does not end after SIGTERM")
	}
}

func (n *node) until(what string, within time.Duration, done func() bool) {
	n.Helper()
	deadline := time.After(within)
	for !done() {
		select {
		case <-deadline:
			n.Fatalf("waited %s until %s", within, what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// settle waits until every incident has come to its second step and nothing
// waits to be sent.
func (n *node) settle() {
	n.Helper()
	s := n.open()
	defer s.Close()
	n.until("all is sent", 90*time.Second, func() bool {
		timers, err := s.Timers(n.Context(), 1)
		if err != nil {
			n.Fatal(err)
		}
		waiting, err := s.Waiting(n.Context(), 1)
		if err != nil {
			n.Fatal(err)
		}
		behind, err := s.Behind(n.Context(), "planner", timeline.StepStarted)
		if err != nil {
			n.Fatal(err)
		}
		return len(waiting) == 0 && !behind && (len(timers) == 0 || time.Until(timers[0].DueAt) > time.Minute)
	})
}
