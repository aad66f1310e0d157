package runner

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/program"
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
