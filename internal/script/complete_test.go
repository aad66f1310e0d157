package script

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/command"
)

const asksApp = reads + "secrets: [DEPLOY_TOKEN]\nargs:\n  - name: app\n    complete: true\n  - name: env\n"

func TestValuesOfAnArgument(t *testing.T) {
	c := write(t, `#!/bin/sh
case "$1" in --chatops-complete=app) ;; *) echo "$*" >&2; exit 2 ;; esac
printf 'shop\tsells things\n\nshipping\n  blog \t a\tb\n'
echo "for $CHATOPS_USER in $CHATOPS_ROOM after $CHATOPS_PREFIX with [$DEPLOY_TOKEN]"
`, asksApp)
	r := asked()
	r.Secrets = map[string]string{"DEPLOY_TOKEN": "hunter22"}
	got, err := c.CompleteArg(t.Context(), "app", "sh", r)
	want := []command.Candidate{{Text: "shop", Summary: "sells things"}, {Text: "shipping"}, {Text: "blog", Summary: "a b"}, {Text: "for kim in ops after sh with []"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("CompleteArg() = %+v, %v", got, err)
	}
	nothingLeft(t, c)
	if got, err := c.CompleteArg(t.Context(), "env", "", r); err != nil || got != nil {
		t.Errorf("an argument that nobody is asked about: %v, %v", got, err)
	}
}

// A script that is slow, endless or not the one that was read suggests nothing.
func TestValuesOfAHostileScript(t *testing.T) {
	for name, body := range map[string]string{"slow": "sleep 60", "endless": "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done", "deaf": "trap '' TERM; sleep 60 & wait"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := write(t, "#!/bin/sh\n"+body+"\n", asksApp)
			began := time.Now()
			got, _ := c.CompleteArg(context.Background(), "app", "", asked())
			if took := time.Since(began); took > 10*time.Second || len(got) > maxValues {
				t.Errorf("%d values after %v", len(got), took)
			}
			nothingLeft(t, c)
		})
	}
	c := write(t, "#!/bin/sh\necho shop\n", asksApp)
	put(t, c.folder, "it", "#!/bin/sh\necho changed\n", 0o755)
	if got, err := c.CompleteArg(t.Context(), "app", "", asked()); err == nil {
		t.Errorf("one that was changed is asked: %v", got)
	}
}

func TestTheAnswerForAProgram(t *testing.T) {
	c := write(t, "#!/bin/sh\ncat\necho \" $CHATOPS_JSON\"\n", reads)
	r := asked()
	if res, _ := runIt(t, c, r); strings.Contains(res.Text, `"json"`) || !strings.HasSuffix(strings.TrimRight(res.Text, "\n`"), `}`) {
		t.Errorf("without --json: %s", res.Text)
	}
	r.JSON = true
	if res, _ := runIt(t, c, r); !strings.Contains(res.Text, `"json":true`) || !strings.HasSuffix(strings.TrimRight(res.Text, "\n`"), "1") {
		t.Errorf("with --json: %s", res.Text)
	}
}

// FuzzCandidates feeds what a script may print.
func FuzzCandidates(f *testing.F) {
	f.Add("shop\tsells things\nblog\n")
	f.Add("\x1b[1mbold\x1b[0m\t\t\n\xff\n\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		all := candidates(text)
		if len(all) > maxValues {
			t.Errorf("%d values", len(all))
		}
		for _, c := range all {
			if c.Text == "" || strings.ContainsAny(c.Text+c.Summary, "\n\t\x00\x1b") {
				t.Errorf("%+v of %q", c, text)
			}
		}
	})
}
