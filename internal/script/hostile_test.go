//go:build linux

package script

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/program"
)

// TestHostile runs scripts that do what scripts must not. Each must end soon,
// with the sentence that tells why, and leave nothing behind.
func TestHostile(t *testing.T) {
	long := reads + "timeout: 30s\nlimits: {cpu: 20s, memory: 256MiB, processes: 40, files: 200, disk: 4MiB}\n"
	short := reads + "timeout: 1s\n"
	for _, c := range []struct {
		name, body, manifest string
		outcome              program.Outcome
		says                 string
	}{
		{"endless output", "#!/bin/sh\nyes\n", long, program.Failed, "wrote more than 1MiB"},
		{"endless errors", "#!/bin/sh\nyes >&2\n", long, program.Failed, "wrote more than 1MiB"},
		{"endless output that ignores TERM", "#!/bin/sh\ntrap '' TERM PIPE\nwhile :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done\n", long, program.Failed, "wrote more than 1MiB"},
		{"a bomb of forks", "#!/bin/bash\nb() { b | b & }; b; wait; sleep 20\n", long, program.Failed, "more than 40 processes"},
		{"a bomb of sessions", "#!/bin/bash\nb() { while :; do setsid sleep 30 & done; }; b\n", long, program.Failed, "more than 40 processes"},
		{"ignores TERM", "#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n", short, program.TimedOut, "too long"},
		{"says nothing and hangs", "#!/bin/sh\nexec >&- 2>&-\nsleep 30\n", short, program.TimedOut, "too long"},
		{"stops itself", "#!/bin/sh\nkill -STOP $$\n", short, program.TimedOut, "too long"},
		{"ends well when asked to end", "#!/bin/sh\ntrap 'exit 0' TERM\nwhile :; do sleep 0.05; done\n", short, program.TimedOut, "too long"},
		{"a giant line", "#!/bin/sh\nhead -c 400000 /dev/zero | tr '\\0' x\nsleep 30\n", long + "output: lines\n", program.Failed, "a line of more than 256 KiB"},
		{"asks", "#!/bin/sh\necho '{\"type\":\"ask\",\"text\":\"sure?\"}'\nsleep 30\n", long + "output: lines\n", program.Failed, "cannot ask yet"},
		{"burns the processor", "#!/bin/sh\nwhile :; do :; done\n", reads + "timeout: 30s\nlimits: {cpu: 1s}\n", program.Failed, "more than 1s of processor time"},
		{"burns it in children", "#!/bin/bash\nwhile :; do timeout 0.2 bash -c 'while :; do :; done'; done\n", reads + "timeout: 30s\nlimits: {cpu: 1s}\n", program.Failed, "more than 1s of processor time"},
		{"eats memory in one", "#!/usr/bin/python3\nx = bytearray(400 << 20)\n", long, program.Failed, "MemoryError"},
		{"eats memory in many", "#!/bin/bash\nfor i in 1 2 3 4 5 6 7 8; do /usr/bin/python3 -c 'x = b\"x\" * (60 << 20); import time; time.sleep(30)' & done; wait\n", long, program.Failed, "more than 256MiB of memory"},
		{"makes 10,000 files", "#!/bin/bash\nfor i in {1..10000}; do : > $i; done; sleep 20\n", long, program.Failed, "more than 200 files"},
		{"fills the disk", "#!/bin/bash\nfor i in 1 2 3; do head -c 2000000 /dev/zero > $i; done; sleep 20\n", long, program.Failed, "more than 4MiB to its folder"},
		{"one giant file", "#!/bin/sh\nhead -c 40000000 /dev/zero > big || exit 3\n", long, program.Failed, "exit status 3"},
		{"hides its files", "#!/bin/sh\nmkdir -p a/b; touch a/b/c; chmod 000 a/b a\n", long, program.Succeeded, ""},
		{"wants what is not there", "#!/bin/sh\nset -u\necho $SSH_AUTH_SOCK\n", long, program.Usage, "SSH_AUTH_SOCK"},
		{"becomes somebody else", "#!/bin/sh\ngrep -q 'NoNewPrivs:.*1' /proc/self/status && echo no new rights\n", long, program.Succeeded, "no new rights"},
		{"looks for our pipes", "#!/usr/bin/python3\nimport os\nprint([n for n in range(3, 256) if os.path.exists(f'/proc/self/fd/{n}')])\n", long, program.Succeeded, "[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			res, _ := runIt(t, write(t, c.body, c.manifest), asked())
			if res.Outcome != c.outcome || !strings.Contains(res.Text, c.says) {
				t.Errorf("ended %s: %.300q, want %s: %q", res.Outcome, res.Text, c.outcome, c.says)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %s", took)
			}
			if len(res.Text) > program.MaxOutput+10000 {
				t.Errorf("%d bytes came through", len(res.Text))
			}
		})
	}
}

// TestNothingOutlivesTheScript starts a daemon in every way a shell knows.
func TestNothingOutlivesTheScript(t *testing.T) {
	for name, body := range map[string]string{
		"in the background":   "sleep 300 & echo $!\n",
		"in its own session":  "setsid -f sh -c 'echo $$; exec sleep 300 >/dev/null'\nsleep 0.3\n",
		"forked twice":        "(setsid sh -c 'trap \"\" TERM HUP; sh -c \"echo \\$\\$; exec sleep 300\" &' &)\nsleep 0.3\n",
		"with stdout closed":  "sh -c 'echo $$; exec >&- 2>&- <&-; while :; do sleep 1; done' &\nsleep 0.3\n",
		"holding stdout open": "setsid sh -c 'echo $$; while :; do sleep 1; done' &\nsleep 0.3\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, _ := runIt(t, write(t, "#!/bin/bash\n"+body, reads), asked())
			pid, err := strconv.Atoi(strings.TrimSpace(res.Text))
			if err != nil {
				t.Fatalf("it said %q, want the number of a process", res.Text)
			}
			if err := syscall.Kill(pid, 0); err == nil {
				t.Errorf("process %d is still there", pid)
			}
		})
	}
}

// TestTheSupervisorIsKilled is what a script of our own account can do. We no
// longer know how it ended, and say so; but it has ended.
func TestTheSupervisorIsKilled(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "pid")
	c := write(t, "#!/bin/bash\necho $$ > $MARK\nkill -KILL $PPID\nwhile :; do sleep 1; done\n", reads+"settings: {MARK: "+mark+"}\n")
	if res, err := c.Run(t.Context(), asked(), newRecorder()); err == nil {
		t.Errorf("it ended %s: %q, want an error", res.Outcome, res.Text)
	}
	text, _ := os.ReadFile(mark)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	for until := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil && !zombie(pid); {
		if time.Now().After(until) {
			t.Fatalf("process %d is still there", pid)
		}
	}
}

// zombie reports a process that is dead and that nobody asked about yet.
func zombie(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func TestRequestNobodyReads(t *testing.T) {
	r := asked()
	r.Line = strings.Repeat("x", 300<<10) // more than a pipe holds
	if res, _ := runIt(t, write(t, "#!/bin/sh\necho fine\n", reads), r); res.Text != "fine" {
		t.Errorf("said %q", res.Text)
	}
}

func TestBinaryOutputIsAttached(t *testing.T) {
	res, out := runIt(t, write(t, "#!/bin/sh\nprintf 'PK\\003\\000\\000rest'\n", reads), asked())
	if !strings.Contains(res.Text, "not text (9 bytes)") || out.files["output.bin"] != "PK\x03\x00\x00rest" {
		t.Errorf("said %q, files %q", res.Text, out.files)
	}
	if res, _ := runIt(t, write(t, "#!/bin/sh\nprintf 'caf\\351'\n", reads), asked()); res.Text != "caf\ufffd" {
		t.Errorf("Latin-1 became %q", res.Text)
	}
}

func TestSecretsAreMaskedWhereverTheyAreSaid(t *testing.T) {
	const secret = "hunter2-hunter2"
	manifest := reads + "secrets: [TOKEN]\n"
	r := asked()
	r.Secrets = map[string]string{"TOKEN": secret, "KEY": "-----BEGIN-----\nMIIBIjANBgkqhkiG9w0B\n-----END-----\n"}
	for name, c := range map[string]struct{ body, manifest string }{
		"in one write":           {"echo before $TOKEN after", manifest},
		"split over writes":      {"printf 'before hunter2-'; sleep 0.1; printf 'hun'; sleep 0.1; printf 'ter2 after'", manifest},
		"on stderr":              {"echo before $TOKEN after >&2; exit 1", manifest},
		"in JSON":                {`echo '{"type":"result","text":"before hunter2-\u0068unter2 after"}'`, manifest + "output: lines\n"},
		"in a document":          {`echo "{\"type\":\"result\",\"document\":{\"blocks\":[{\"table\":{\"head\":[\"$TOKEN\"],\"rows\":[[\"before $TOKEN after\"]]}},{\"actions\":[{\"label\":\"$TOKEN\",\"line\":\"x $TOKEN\"}]}]}}"`, manifest + "output: lines\n"},
		"in a file":              {`echo before $TOKEN after > f; echo '{"type":"file","path":"f"}'; echo '{"type":"result","text":"before *** after"}'`, manifest + "output: lines\n"},
		"in a name, as progress": {`echo "{\"type\":\"progress\",\"text\":\"$TOKEN\"}"; echo "{\"type\":\"file\",\"name\":\"$TOKEN\",\"content\":\"x\"}"; echo "{\"type\":\"$TOKEN\"}"; echo before $TOKEN after`, manifest + "output: lines\n"},
		"a line of a key":        {"echo before MIIBIjANBgkqhkiG9w0B after", manifest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, out := runIt(t, write(t, "#!/bin/bash\n"+c.body+"\n", c.manifest), r)
			all := res.Text + res.Why + words(res.Doc) + out.everything()
			if strings.Contains(all, "hunter2") || strings.Contains(all, "MIIB") {
				t.Errorf("the secret came through: %s", all)
			}
			if !strings.Contains(all, "before *** after") {
				t.Errorf("not masked as expected: %s", all)
			}
		})
	}
}

// TestTheServerDies kills the one who would have ended the script: the
// supervisor notices and ends it.
func TestTheServerDies(t *testing.T) {
	dir := t.TempDir()
	mark := filepath.Join(dir, "pid")
	c := write(t, "#!/bin/bash\necho $$ > $MARK.part; mv $MARK.part $MARK\nwhile :; do sleep 0.05; done\n", reads+"settings: {MARK: "+mark+"}\n")
	p, err := launch(start{Path: filepath.Join(c.folder, c.name), Dir: dir, Env: []string{"MARK=" + mark, "PATH=" + systemPath}, Limits: Standard})
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for until := time.Now().Add(20 * time.Second); len(text) == 0 && time.Now().Before(until); {
		text, _ = os.ReadFile(mark)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	_ = p.control.Close() // as the kernel does for a process that is gone
	<-p.done
	p.close()
	if err := syscall.Kill(pid, 0); err == nil {
		t.Errorf("process %d is still there", pid)
	}
	if !p.end.Started || p.end.Signal != "KILL" {
		t.Errorf("ended %+v", p.end)
	}
}

// TestAnotherAccount runs a script with the rights of nobody, where the kernel
// itself counts processes. Only root can try it; others prove that it is refused.
func TestAnotherAccount(t *testing.T) {
	dir := folderWith(t, "#!/bin/bash\nid -un; touch $HOME/mine && echo writes\n", reads)
	reachable(t, dir)
	c := load(t, dir, Options{User: "nobody"})
	reachable(t, c.options.Temp)
	res, err := c.Run(t.Context(), asked(), newRecorder())
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		if res.Outcome != program.Failed {
			t.Errorf("without root it ended %s: %q", res.Outcome, res.Text)
		}
		return
	}
	if res.Text != "```\nnobody\nwrites\n```" {
		t.Errorf("ended %s: %q", res.Outcome, res.Text)
	}
}

// reachable lets every account into a folder of the test: into it and what it is
// in, below the folder of temporary files.
func reachable(t *testing.T, dir string) {
	t.Helper()
	for top := filepath.Clean(os.TempDir()); strings.HasPrefix(dir, top+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}
