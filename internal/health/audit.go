package health

import (
	"context"
	"fmt"

	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// Audit is how much of the audit of commands is as it was written.
type Audit struct {
	Verified int64 `json:"verified"`         // events whose place in the chain is right, from the beginning
	Broken   int64 `json:"broken,omitempty"` // the first event that was changed, put in or follows one that was taken out
}

// FollowAudit adds to a report what the chain of the audit says. All of it is
// read, so that only whoever asks for it waits for that.
func (r *Report) FollowAudit(ctx context.Context, s *store.Store) error {
	good, broken, err := s.CheckAudit(ctx)
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	r.Audit = &Audit{Verified: good, Broken: broken}
	if broken != 0 {
		r.Add(Finding{Organisation, phrase.T("cli.health.audit"), phrase.T("cli.health.audit_broken", broken, good)})
	}
	return nil
}

// Add puts down what somebody else has found; none of it concerns the machinery.
func (r *Report) Add(found ...Finding) {
	r.Findings = append(r.Findings, found...)
	r.OK = len(r.Findings) == 0
}
