package httpd

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/fault"
)

// gone is an error of something that is away, as the database's is.
type gone struct{ error }

func (gone) Unavailable() (sentence string, retryAfter time.Duration) {
	return "It is away.", 5 * time.Second
}

func TestWhatIsAwayIsUnavailable(t *testing.T) {
	away := gone{errors.New("dial tcp 10.0.0.1: password=hunter2")}
	said := Problem{Status: 503, Code: fault.CodeUnavailable, Detail: "It is away.", RetryAfter: 5 * time.Second}
	for _, c := range []struct {
		name string
		err  error
		want Problem
	}{
		{"by itself", away, said},
		{"while something was done", fmt.Errorf("load incident 7: %w", away), said},
		{"when a use case has words of its own", fault.Conflict("Ada was first.").Because(away), Problem{Status: 409, Code: fault.CodeConflict, Detail: "Ada was first."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, ProblemOf(c.err)); diff != "" {
				t.Errorf("ProblemOf (-want +got):\n%s", diff)
			}
		})
	}
}
