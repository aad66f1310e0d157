package script

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/timeline"
)

func TestMain(m *testing.M) {
	Main()
	os.Exit(m.Run())
}

// recorder is a program.Reporter that remembers.
type recorder struct {
	mu       sync.Mutex
	progress []string
	said     []string
	docs     []*timeline.Document
	files    map[string]string
	heard    chan struct{} // one for each thing that was reported
}

func newRecorder() *recorder {
	return &recorder{files: map[string]string{}, heard: make(chan struct{}, 1000)}
}

func (r *recorder) Progress(percent int, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.progress = append(r.progress, strings.TrimSpace(text))
	_ = percent
	r.heard <- struct{}{}
}

func (r *recorder) Say(text string, doc *timeline.Document) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said, r.docs = append(r.said, text), append(r.docs, doc)
	r.heard <- struct{}{}
}

func (r *recorder) File(name string, content io.Reader) error {
	b, err := io.ReadAll(content)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[name] = string(b)
	return err
}

// everything is all that was reported, for a search of what must not be there.
func (r *recorder) everything() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all strings.Builder
	all.WriteString(strings.Join(r.progress, "\n") + strings.Join(r.said, "\n"))
	for name, content := range r.files {
		all.WriteString(name + content)
	}
	return all.String()
}

const reads = "words: try it\nsummary: Tries it.\nrisk: read\n"

// write makes an executable with its manifest in a new folder and loads it.
func write(t *testing.T, body, manifest string) *Command {
	t.Helper()
	return load(t, folderWith(t, body, manifest), Options{Grace: 200 * time.Millisecond})
}

func folderWith(t *testing.T, body, manifest string) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "it", body, 0o755)
	put(t, dir, "it.yaml", manifest, 0o644)
	return dir
}

func put(t *testing.T, dir, name, body string, mode os.FileMode) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(body), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil { // the umask had its say
		t.Fatal(err)
	}
}

func load(t *testing.T, dir string, o Options) *Command {
	t.Helper()
	o.Temp = t.TempDir()
	commands, problems := Load(dir, o)
	if len(problems) > 0 || len(commands) != 1 {
		t.Fatalf("Load: %d commands, problems %v", len(commands), problems)
	}
	return commands[0]
}

func asked() program.Request {
	return program.Request{
		ID: "inv1", Command: "try.it", Actor: people.Actor{User: "u1", Name: "Kim Lee"}, Username: "kim",
		Room: "r1", RoomName: "ops", Line: "try it", Now: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC),
	}
}

// run runs it and checks that its working folder is gone afterwards.
func runIt(t *testing.T, c *Command, r program.Request) (program.Result, *recorder) {
	t.Helper()
	out := newRecorder()
	res, err := c.Run(t.Context(), r, out)
	if err != nil {
		t.Fatalf("Run: %v", err)
	}
	nothingLeft(t, c)
	return res, out
}

func nothingLeft(t *testing.T, c *Command) {
	t.Helper()
	left, err := os.ReadDir(c.options.Temp)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the folder of working folders: %v, %v", left, err)
	}
}

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name, body string
		outcome    program.Outcome
		exit       int
		text, why  string // parts
	}{
		{"done", "echo hello", program.Succeeded, 0, "hello", ""},
		{"done and silent", ":", program.Succeeded, 0, "", ""},
		{"several lines are of fixed pitch", "echo a; echo '*b*'", program.Succeeded, 0, "```\na\n*b*\n```", ""},
		{"failed, with the end of stderr", "echo partly; echo no disk >&2; exit 1", program.Failed, 1, "no disk", "no disk"},
		{"called wrongly", "echo 'which app?' >&2; exit 2", program.Usage, 2, "which app?", "which app?"},
		{"later", "exit 75", program.Later, 75, "try again later", "later"},
		{"any other status", "exit 42", program.Failed, 42, "exit status 42", "42"},
		{"ended by a signal", "kill -SEGV $$", program.Failed, 139, "SEGV", "SEGV"},
		{"kills its whole group", "kill -KILL 0", program.Failed, 137, "KILL", "KILL"},
		{"colours and bells go", `printf '\033[31mred\033[0m\007 \033]0;title\007x'`, program.Succeeded, 0, "red x", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, _ := runIt(t, write(t, "#!/bin/sh\n"+c.body+"\n", reads), asked())
			if res.Outcome != c.outcome || res.Exit != c.exit {
				t.Errorf("ended %s with %d, want %s with %d (%s)", res.Outcome, res.Exit, c.outcome, c.exit, res.Text)
			}
			if !strings.Contains(res.Text, c.text) || !strings.Contains(res.Why, c.why) {
				t.Errorf("says %q because %q, want %q because %q", res.Text, res.Why, c.text, c.why)
			}
		})
	}
}

func TestWhatCannotStart(t *testing.T) {
	for name, c := range map[string]struct{ body, says string }{
		"no first line":          {"echo hello\n", "begins with #!"},
		"an unknown interpreter": {"#!/no/such/program\n", "its first line names"},
		"nothing":                {"", "begins with #!"},
	} {
		t.Run(name, func(t *testing.T) {
			res, _ := runIt(t, write(t, c.body, reads), asked())
			if res.Outcome != program.Failed || !strings.Contains(res.Text, c.says) {
				t.Errorf("ended %s: %q, want %q", res.Outcome, res.Text, c.says)
			}
		})
	}
}

func TestArgumentsRequestAndEnvironment(t *testing.T) {
	t.Setenv("DATABASE_PASSWORD", "of-the-server")
	manifest := reads + `
args:
  - {name: app, required: true}
  - {name: env, type: enum, values: [staging, prod], default: staging}
  - {name: note}
  - {name: force, type: bool, option: true}
  - {name: pin, type: secret, option: true}
secrets: [DEPLOY_KEY]
settings: {REGION: eu-1, EMPTY: ""}
`
	c := write(t, "#!/bin/sh\nfor a; do echo \"arg [$a]\"; done\nenv | sort\npwd\ncat\n", manifest)
	r := asked()
	r.Args = map[string]string{"app": "shop; rm -rf $HOME `id`", "env": "prod", "force": "true"}
	r.Given = []program.Given{{Name: "app", Value: "shop"}, {Name: "pin", Value: "***"}}
	r.Secrets = map[string]string{"DEPLOY_KEY": "k-123456", "OTHER": "not-yours-1", "pin": "4711", APISecret: "http://here/api", TokenSecret: "tok-abcdef"}
	res, _ := runIt(t, c, r)
	for _, want := range []string{
		"arg [shop; rm -rf $HOME `id`]\narg [prod]\narg [--force=true]\n", "\nREGION=eu-1\n", "\nEMPTY=\n", "\nLANG=C.UTF-8\n",
		"CHATOPS_INVOCATION=inv1\n", "CHATOPS_USER=kim\n", "CHATOPS_ROOM=ops\n", "CHATOPS_API=http://here/api\n",
		"CHATOPS_TOKEN=***\n", "DEPLOY_KEY=***\n", "CHATOPS_SECRET_PIN=***\n",
		`"user":{"id":"u1","username":"kim","name":"Kim Lee"}`, `"secrets":{"pin":"***"}`, `"given":[{"name":"app","value":"shop"}]`,
	} {
		if !strings.Contains(res.Text, want) {
			t.Errorf("output lacks %q:\n%s", want, res.Text)
		}
	}
	for _, bad := range []string{"of-the-server", "k-123456", "not-yours-1", "tok-abcdef", "4711", "OTHER="} {
		if strings.Contains(res.Text, bad) {
			t.Errorf("output has %q:\n%s", bad, res.Text)
		}
	}
}

func TestAValueIsNeverTakenForAnOption(t *testing.T) {
	c := write(t, "#!/bin/sh\necho ran \"$@\"\n", reads+"args:\n  - {name: app}\n  - {name: n, type: int}\n  - {name: flag, pattern: \"-[a-z]\"}\n")
	r := asked()
	r.Args = map[string]string{"app": "--env=prod"}
	if res, _ := runIt(t, c, r); res.Outcome != program.Usage || !strings.Contains(res.Text, "begins with a dash") {
		t.Errorf("ended %s: %q", res.Outcome, res.Text)
	}
	r.Args = map[string]string{"n": "-5", "flag": "-v"} // a number, and what the manifest allows
	if res, _ := runIt(t, c, r); res.Text != "ran  -5 -v" {
		t.Errorf("said %q", res.Text)
	}
}

func TestManyValues(t *testing.T) {
	c := write(t, "#!/bin/sh\necho $# \"$@\"\n", reads+"args:\n  - {name: tag, option: true, many: true}\n  - {name: hosts, many: true}\n")
	r := asked()
	r.Args = map[string]string{"hosts": "db1\ndb2", "tag": "a\nb"}
	if res, _ := runIt(t, c, r); res.Text != "4 db1 db2 --tag=a --tag=b" {
		t.Errorf("said %q", res.Text)
	}
}

func TestADryRunIsOnlyForWhoKnowsIt(t *testing.T) {
	r := asked()
	r.DryRun = true
	if res, _ := runIt(t, write(t, "#!/bin/sh\necho ran\n", reads), r); res.Outcome != program.Failed || strings.Contains(res.Text, "ran ") {
		t.Errorf("ended %s: %q", res.Outcome, res.Text)
	}
	if res, _ := runIt(t, write(t, "#!/bin/sh\necho dry $CHATOPS_DRY_RUN\n", reads+"dry_run: true\n"), r); res.Text != "dry 1" {
		t.Errorf("said %q", res.Text)
	}
}

func TestWhatWasApprovedHasChanged(t *testing.T) {
	for name, change := range map[string]func(dir string){
		"the script":   func(dir string) { put(t, dir, "it", "#!/bin/sh\necho evil\n", 0o755) },
		"the manifest": func(dir string) { put(t, dir, "it.yaml", reads+"public: true\n", 0o644) },
		"its rights":   func(dir string) { put(t, dir, "it", "#!/bin/sh\necho good\n", 0o757) },
		"it is gone":   func(dir string) { _ = os.Remove(filepath.Join(dir, "it")) },
		"it became a link": func(dir string) {
			_ = os.Remove(filepath.Join(dir, "it"))
			_ = os.Symlink("/bin/ls", filepath.Join(dir, "it"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folderWith(t, "#!/bin/sh\necho good\n", reads)
			c := load(t, dir, Options{})
			if res, _ := runIt(t, c, asked()); res.Text != "good" {
				t.Fatalf("unchanged it said %q", res.Text)
			}
			change(dir)
			if res, _ := runIt(t, c, asked()); res.Outcome != program.Failed || !strings.Contains(res.Text, "has changed") {
				t.Errorf("changed it ended %s: %q", res.Outcome, res.Text)
			}
		})
	}
}

func TestJSONLines(t *testing.T) {
	c := write(t, `#!/bin/sh
echo '{"type":"progress","percent":40,"text":"pulling"}'
echo '{"type":"text","text":"half way"}'
echo '{"type":"document","document":{"status":"good","blocks":[{"table":{"head":["a","b"],"rows":[["1"],["2","3","4"]]}},{"actions":[{"label":"Go","line":"deploy run","token":"stolen"},{"label":"Out","url":"https://evil.example"}]}]}}'
printf 'rows' > report.csv
ln -s /etc/passwd link; mkfifo pipe
echo '{"type":"file","path":"report.csv"}'
echo '{"type":"file","name":"../../b.txt","content":"inline"}'
echo '{"type":"file","path":"link"}'
echo '{"type":"file","path":"../../../etc/passwd"}'
echo '{"type":"file","path":"pipe"}'
echo '{"type":"nonsense"}'
echo 'warning: something is deprecated'
echo '{"broken'
echo '[1,2]'
printf '{"type":"result","text":"all *done*","private":true}'
`, reads+"output: lines\n")
	res, out := runIt(t, c, asked())
	if res.Outcome != program.Succeeded || !res.Private || !strings.HasPrefix(res.Text, "all *done*") {
		t.Errorf("ended %s, private %t: %q", res.Outcome, res.Private, res.Text)
	}
	for _, want := range []string{"3 lines", "deprecated", "nonsense", "link", "no regular file"} {
		if !strings.Contains(res.Text, want) {
			t.Errorf("the end does not mention %q:\n%s", want, res.Text)
		}
	}
	if len(out.progress) != 1 || len(out.said) != 2 || out.said[0] != "half way" || out.said[1] != "| a | b |  |\n| --- | --- | --- |\n| 1 |  |  |\n| 2 | 3 | 4 |" {
		t.Errorf("progress %q, said %q", out.progress, out.said)
	}
	doc := out.docs[1]
	if len(doc.Blocks) != 2 || len(doc.Blocks[1].Actions) != 1 || doc.Blocks[1].Actions[0].Token != "" || doc.Blocks[1].Actions[0].Line != "deploy run" {
		t.Errorf("document %+v", doc)
	}
	if len(out.files) != 2 || out.files["report.csv"] != "rows" || out.files["b.txt"] != "inline" {
		t.Errorf("files %v", out.files)
	}
}

func TestLinesAreHandedOnAsTheyCome(t *testing.T) {
	c := write(t, "#!/bin/sh\necho '{\"type\":\"progress\",\"text\":\"started\"}'\nwhile :; do sleep 0.05; done\n", reads+"output: lines\n")
	ctx, cancel := context.WithCancel(t.Context())
	out := newRecorder()
	done := make(chan program.Result, 1)
	r := asked()
	r.Secrets = map[string]string{"X": "}\nabc"} // the end of a line is the beginning of a secret: it must not be held back
	go func() {
		res, err := c.Run(ctx, r, out)
		if err != nil {
			t.Error(err)
		}
		done <- res
	}()
	<-out.heard
	cancel()
	if res := <-done; res.Outcome != program.Cancelled {
		t.Errorf("ended %s: %q", res.Outcome, res.Text)
	}
	nothingLeft(t, c)
}
