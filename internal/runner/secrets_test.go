package runner

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/program"
	"github.com/watchroom/watchroom/internal/timeline"
)

// A secret that nobody has set fails the command with the sentence that says so:
// trying again changes nothing. A disk that does not answer may do so later.
func TestASecretThatIsNotThere(t *testing.T) {
	const why = "The secret DEPLOY_TOKEN of deploy is not set."
	for _, c := range []struct {
		err     error
		outcome program.Outcome
		says    string
	}{
		{fault.Invalid("DEPLOY_TOKEN", why).Because(errors.New("no such file")), program.Failed, why},
		{errors.New("input/output error"), program.Later, ""},
	} {
		r := New(Config{Log: slog.New(slog.DiscardHandler), Secrets: func(context.Context, invocation.Invocation) (map[string]string, error) { return nil, c.err }})
		res, err := r.run(t.Context(), &run{})
		if err != nil || res.Outcome != c.outcome || res.Text != c.says {
			t.Errorf("%v: %+v, %v", c.err, res, err)
		}
	}
}

// What a program says of a secret is masked, also where it is part of another, as
// it stands in JSON or an address, and where what it says is cut.
func TestSecretsInWhatAProgramSays(t *testing.T) {
	r := New(Config{Log: slog.New(slog.DiscardHandler)})
	one := &run{request: program.Request{Secrets: map[string]string{"short": "abcd", "long": "abcdefgh", "odd": `p"w /é`, "no": "db1"}}}
	one.report = newReport(r, one)
	for range 20 { // secrets are in a map
		const says = `db1: abcdefgh, {"key":"p\"w \/é"}, ?key=p%22w+%2F%C3%A9`
		const want = `db1: ***, {"key":"***"}, ?key=***`
		begin := strings.Repeat("x", maxWhy-6)
		res := program.Result{Outcome: program.Failed, Text: says, Why: begin + "abcdefgh and more", Doc: &timeline.Document{Head: says, Blocks: []timeline.Block{{Fields: []timeline.Field{{Name: "p\"w /é", Value: says}}}}}}
		in, ok := r.ended(t.Context(), one, res, nil, nil).(invocation.Finish)
		if !ok || in.Output != want || in.Why != begin+"*** a…" || in.Doc == nil || in.Doc.Head != want || in.Doc.Blocks[0].Fields[0] != (timeline.Field{Name: "***", Value: want}) {
			t.Fatalf("it says %+v", in)
		}
	}
}
