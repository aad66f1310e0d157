package script

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/command"
)

const sh = "#!/bin/sh\necho hello\n"

func TestABrokenFileHidesNoOther(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "good.sh", sh, 0o755)
	put(t, dir, "good.yaml", strings.Replace(reads, "try it", "good", 1), 0o644)
	put(t, dir, "alone", sh, 0o755)
	put(t, dir, "open", sh, 0o757)
	put(t, dir, "open.yaml", strings.Replace(reads, "try it", "open", 1), 0o644)
	put(t, dir, "openmanifest", sh, 0o755)
	put(t, dir, "openmanifest.yaml", strings.Replace(reads, "try it", "om", 1), 0o646)
	put(t, dir, "norun", sh, 0o644)
	put(t, dir, "norun.yaml", strings.Replace(reads, "try it", "norun", 1), 0o644)
	put(t, dir, "typo", sh, 0o755)
	put(t, dir, "typo.yaml", "words: typo\ntitle: x\nrisk: none\nargs: [{name: A}, {name: b, type: stuff}]\n", 0o644)
	put(t, dir, "twice", sh, 0o755)
	put(t, dir, "twice.yaml", strings.Replace(reads, "try it", "good", 1), 0o644)
	put(t, dir, "orphan.yaml", reads, 0o644)
	put(t, dir, "notes.txt", "not a command", 0o644)
	put(t, dir, ".hidden", sh, 0o755)
	if err := os.Mkdir(filepath.Join(dir, "lib"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"out": "/bin/ls", "up": "../x", "in": "good.sh"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	put(t, dir, "in.yaml", strings.Replace(reads, "try it", "in", 1), 0o644)
	put(t, dir, "out.yaml", strings.Replace(reads, "try it", "out", 1), 0o644)

	commands, problems := Load(dir, Options{})
	var got []string
	for _, c := range commands {
		got = append(got, c.Declaration.ID+" of "+c.Declaration.Origin)
		if len(c.Declaration.Version) != 64 {
			t.Errorf("%s has version %q", c.Name(), c.Declaration.Version)
		}
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{"good of script good.sh", "in of script in"}, got); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	said := map[string]string{}
	for _, p := range problems {
		said[p.File] += p.Why()
	}
	for file, want := range map[string][]string{
		"alone": {"no manifest alone.yaml"}, "open": {"everybody may write"}, "openmanifest": {"everybody may write"}, "norun": {"chmod +x"},
		"typo":  {`no "title"`, "summary is missing", `"none" is none of`, `"stuff" is none of`, "typo.yaml:"},
		"twice": {`good.sh already has`}, "orphan.yaml": {"no executable"}, "out": {"outside its folder"}, "up": {"outside its folder"},
	} {
		for _, w := range want {
			if !strings.Contains(said[file], w) {
				t.Errorf("%s: %q, want %q", file, said[file], w)
			}
		}
		delete(said, file)
	}
	if len(said) > 0 {
		t.Errorf("more problems than expected: %v", said)
	}
}

func TestAFolderThatEverybodyWritesToIsRefused(t *testing.T) {
	dir := folderWith(t, sh, reads)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if commands, problems := Load(dir, Options{}); len(commands) != 0 || len(problems) != 1 || !strings.Contains(problems[0].Err.Error(), "everybody may write") {
		t.Errorf("%d commands, problems %v", len(commands), problems)
	}
	if commands, problems := Load(filepath.Join(dir, "none"), Options{}); len(commands) != 0 || len(problems) != 1 {
		t.Errorf("no folder: %d commands, problems %v", len(commands), problems)
	}
}

func TestTheWholeManifest(t *testing.T) {
	c := load(t, folderWith(t, sh, `
id: deploy.run
words: [deploy, run]
aliases: [ship it]
summary: Deploys an application.
details: |
  More **about** it.
args:
  - {name: app, summary: which, required: true, pattern: "[a-z]+"}
  - {name: env, type: enum, values: [staging, prod], default: staging}
  - {name: count, type: int, option: true, min: 1, max: 10}
  - {name: rest, type: rest}
examples: [deploy run shop prod]
risk: danger
permission: deploy
public: false
rooms: [ops]
scope: app
confirm: true
approval: {group: admins, count: 2, peer: true, ttl: 10m}
lock: deploy/{app}/{env}
timeout: 5m
concurrency: 2
private: true
output: lines
secrets: [DEPLOY_TOKEN]
settings: {REGION: eu-1}
limits: {cpu: 2m, memory: 1GiB, processes: 50}
dry_run: true
`), Options{})
	one, ten := int64(1), int64(10)
	want := command.Declaration{
		ID: "deploy.run", Words: []string{"deploy", "run"}, Aliases: []string{"ship it"}, Summary: "Deploys an application.", Details: "More **about** it.\n",
		Args: []command.Arg{
			{Name: "app", Type: command.String, Summary: "which", Required: true, Pattern: "[a-z]+"},
			{Name: "env", Type: command.Enum, Values: []string{"staging", "prod"}, Default: "staging"},
			{Name: "count", Type: command.Int, Option: true, Min: &one, Max: &ten},
			{Name: "rest", Type: command.Rest},
		},
		Examples: []string{"deploy run shop prod"}, Risk: command.Danger, Permission: "deploy", Rooms: []string{"ops"}, Scope: "app", Confirm: true,
		Approval: command.Approval{Group: "admins", Count: 2, Peer: true, TTL: 10 * time.Minute}, Lock: "deploy/{app}/{env}", Timeout: 5 * time.Minute,
		Concurrency: 2, Private: true, Origin: "script it", Version: c.Declaration.Version,
	}
	if diff := cmp.Diff(want, c.Declaration); diff != "" {
		t.Errorf("declaration (-want +got):\n%s", diff)
	}
	limits := Limits{CPU: 2 * time.Minute, Memory: 1 << 30, Processes: 50, Files: Standard.Files, Disk: Standard.Disk}
	if c.Limits != limits || c.Output != Lines || !c.DryRun || !slices.Equal(c.Secrets, []string{"DEPLOY_TOKEN"}) || c.Settings["REGION"] != "eu-1" {
		t.Errorf("the rest is %+v", c)
	}
}

func TestManifestMistakes(t *testing.T) {
	for want, manifest := range map[string]string{
		"risk is missing":             "words: x\nsummary: s\n",
		"words: write the words":      "summary: s\nrisk: read\n",
		"use lower-case words":        "words: [\"a b\", c]\nsummary: s\nrisk: read\n",
		"PATH":                        reads + "secrets: [PATH]\n",
		"LD_PRELOAD":                  reads + "settings: {LD_PRELOAD: x}\n",
		"that of a secret":            reads + "secrets: [A]\nsettings: {A: x}\n",
		`lock: there is no argument`:  reads + "lock: deploy/{app}\n",
		"can never be given":          reads + "args: [{name: a, many: true}, {name: b}]\n",
		"there twice":                 reads + "args: [{name: a}, {name: a}]\n",
		"an enum needs values":        reads + "args: [{name: a, type: enum}]\n",
		"every command has an option": reads + "args: [{name: reason}]\n",
		"pattern: error parsing":      reads + "args: [{name: a, pattern: \"(\"}]\n",
		"such as 30s":                 reads + "timeout: soon\n",
		"timeout: at most":            reads + "timeout: 48h\n",
		"at least 1MiB":               reads + "limits: {memory: 1KiB}\n",
		"from 1 to 10000":             reads + "limits: {processes: 0}\n",
		`output: "html" is none of`:   reads + "output: html\n",
		`"yes" is none of true,`:      reads + "confirm: yes\n",
		"anchors (&name)":             reads + "details: &a x\n",
		`is already given in line`:    reads + "risk: danger\n",
		"cannot be an option":         reads + "args: [{name: a, type: rest, option: true}]\n",
	} {
		if _, err := parse("it", "it.yaml", []byte(manifest)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parse(%q) = %v, want %q", manifest, err, want)
		}
	}
}

func TestTheFolderIsReadAgain(t *testing.T) {
	dir := folderWith(t, sh, reads)
	changed := make(chan struct{}, 10)
	f := Open(dir, Options{Every: 5 * time.Millisecond}, func() { changed <- struct{}{} })
	before := f.Find("try.it")
	if before == nil || len(f.Problems()) != 0 {
		t.Fatalf("found %v, problems %v", before, f.Problems())
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- f.Run(ctx) }()
	put(t, dir, "it", sh+"# more\n", 0o755)
	<-changed
	if after := f.Find("try.it"); after == nil || after.Declaration.Version == before.Declaration.Version {
		t.Errorf("after the change: %+v", after)
	}
	put(t, dir, "second", sh, 0o755)
	for len(f.Problems()) == 0 {
		<-changed
	}
	if err := os.Remove(filepath.Join(dir, "it")); err != nil {
		t.Fatal(err)
	}
	for len(f.Commands()) > 0 {
		<-changed
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestInstall(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "tool", "#!/bin/sh\nif [ \"$1\" = --chatops-manifest ]; then printf 'words: tool\\nsummary: A tool.\\nrisk: read\\n'; exit; fi\necho ran\n", 0o755)
	c, err := Install(t.Context(), filepath.Join(dir, "tool"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	again := load(t, dir, Options{})
	if again.Declaration.Version != c.Declaration.Version || again.Declaration.Summary != "A tool." {
		t.Errorf("installed %+v, loaded %+v", c.Declaration, again.Declaration)
	}
	put(t, dir, "mute", "#!/bin/sh\n", 0o755)
	put(t, dir, "loud", "#!/bin/sh\nyes\n", 0o755)
	for name, want := range map[string]string{"mute": "printed nothing", "loud": "longer than", "none": "no such file"} {
		if _, err := Install(t.Context(), filepath.Join(dir, name), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Install(%s) = %v, want %q", name, err, want)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(reads))
	f.Add([]byte(reads + "args: [{name: a, type: enum, values: [x]}]\nlock: \"{a}\"\nlimits: {cpu: 1s}\n"))
	f.Add([]byte("args: {}\nsettings: []\napproval: x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parse("it", "it.yaml", text)
		if err == nil && (c.Declaration.ID == "" || len(c.Declaration.Words) == 0 || c.Declaration.Risk == "" || c.Limits.Memory < 1<<20) {
			t.Errorf("parse(%q) = %+v", text, c)
		}
	})
}
