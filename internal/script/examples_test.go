package script

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/timeline"
)

const examples = "../../examples/commands"

// example is one of the worked examples, with settings of the test.
func example(t *testing.T, id string, settings map[string]string) *Command {
	t.Helper()
	commands, problems := Load(examples, Options{Temp: t.TempDir()})
	if len(problems) > 0 || len(commands) != 3 {
		t.Fatalf("Load: %d commands, problems %v", len(commands), problems)
	}
	i := slices.IndexFunc(commands, func(c *Command) bool { return c.Declaration.ID == id })
	if i < 0 {
		t.Fatalf("there is no %s", id)
	}
	maps.Copy(commands[i].Settings, settings)
	return commands[i]
}

func TestExamplesAreCommands(t *testing.T) {
	commands, _ := Load(examples, Options{})
	var all []command.Declaration
	for _, c := range commands {
		all = append(all, c.Declaration)
	}
	tree, err := command.New(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		for _, line := range d.Examples {
			if _, err := tree.Parse(line, nil); err != nil {
				t.Errorf("%s: its example %q: %v", d.ID, line, err)
			}
		}
	}
}

func TestDiskExample(t *testing.T) {
	r := asked()
	res, _ := runIt(t, example(t, "disk", nil), r)
	if res.Outcome != program.Succeeded || res.Doc == nil || len(res.Doc.Blocks) != 2 || len(res.Doc.Blocks[1].Table.Rows) == 0 || res.Doc.Status == "" {
		t.Errorf("%s: %q, %+v", res.Outcome, res.Text, res.Doc)
	}
	if !strings.Contains(res.Text, "| where | size | free | full |") {
		t.Errorf("in words: %q", res.Text)
	}
	r.Args = map[string]string{"least": "100"}
	if res, _ := runIt(t, example(t, "disk", nil), r); res.Outcome != program.Succeeded {
		t.Errorf("%s: %q", res.Outcome, res.Text)
	}
}

func TestDeployExample(t *testing.T) {
	r := asked()
	r.Args, r.Reason = map[string]string{"app": "shop", "env": "prod", "version": "1.4.2"}, "fixes #42"
	fast := map[string]string{"SECONDS_PER_HOST": "0"}
	if res, _ := runIt(t, example(t, "deploy.run", fast), r); res.Outcome != program.Later || !strings.Contains(res.Text, "DEPLOY_TOKEN is not set") {
		t.Errorf("without its secret: %s, %q", res.Outcome, res.Text)
	}
	r.Secrets = map[string]string{"DEPLOY_TOKEN": "t-123456"}
	res, out := runIt(t, example(t, "deploy.run", fast), r)
	if res.Outcome != program.Succeeded || res.Doc == nil || res.Doc.Status != timeline.StatusGood || !strings.Contains(res.Text, "Deployed **shop** 1.4.2 to prod.") {
		t.Errorf("%s: %q", res.Outcome, res.Text)
	}
	if len(out.progress) != 3 || out.progress[2] != "shop-prod-3: 1.4.2" || !strings.Contains(res.Text, "fixes #42") {
		t.Errorf("progress %q", out.progress)
	}

	r.DryRun = true
	if res, _ := runIt(t, example(t, "deploy.run", fast), r); !strings.HasPrefix(res.Text, "Would deploy shop 1.4.2") {
		t.Errorf("a dry run: %s, %q", res.Outcome, res.Text)
	}
	r.DryRun = false

	slow := example(t, "deploy.run", map[string]string{"SECONDS_PER_HOST": "60"})
	ctx, cancel := context.WithCancel(t.Context())
	out = newRecorder()
	go func() { <-out.heard; cancel() }()
	res, err := slow.Run(ctx, r, out)
	if err != nil || res.Outcome != program.Cancelled || !strings.HasPrefix(res.Text, "Stopped at shop-prod-1") {
		t.Errorf("cancelled: %s, %q, %v", res.Outcome, res.Text, err)
	}
}

func TestRunbookExample(t *testing.T) {
	pages, err := filepath.Abs(filepath.Join(examples, "runbooks"))
	if err != nil {
		t.Fatal(err)
	}
	r := asked()
	r.Args = map[string]string{"topic": "disk full"}
	res, out := runIt(t, example(t, "runbook", map[string]string{"RUNBOOKS": pages}), r)
	if res.Outcome != program.Succeeded || !strings.HasPrefix(res.Text, "# Disk full") || !strings.Contains(out.files["disk-full.md"], "journalctl") {
		t.Errorf("%s: %q, files %v", res.Outcome, res.Text, out.files)
	}
	if res, _ := runIt(t, example(t, "runbook", map[string]string{"RUNBOOKS": "/none"}), r); res.Outcome != program.Later {
		t.Errorf("without pages: %s, %q", res.Outcome, res.Text)
	}
	// What it prints as its manifest is what is beside it.
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join(examples, "runbook.pl"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "runbook.pl", string(text), 0o755)
	if _, err := Install(t.Context(), filepath.Join(dir, "runbook.pl"), Options{}); err != nil {
		t.Fatal(err)
	}
	printed, err := os.ReadFile(filepath.Join(dir, "runbook.pl.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := os.ReadFile(filepath.Join(examples, "runbook.yaml")); err != nil || string(kept) != string(printed) {
		t.Errorf("runbook.yaml is not what runbook.pl prints: %v", err)
	}
}
