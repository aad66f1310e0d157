package selfwatch

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
)

// Duty is work whose time comes. It returns how much it did, and is asked again
// at once until that is 0.
type Duty func(ctx context.Context) (int, error)

// Keeper does what the organisation has planned for an instant: it begins and
// ends maintenance windows and drills, and notices silent jobs. Every node may
// run one; that each thing happens once is for the duties' transactions.
type Keeper struct {
	duties   map[string]Duty
	log      *slog.Logger
	interval time.Duration
}

// NewKeeper returns a Keeper that looks every interval.
func NewKeeper(duties map[string]Duty, log *slog.Logger, interval time.Duration) *Keeper {
	return &Keeper{duties: duties, log: log, interval: interval}
}

// rounds bounds how often one duty is asked in a row, so that none keeps the others waiting.
const rounds = 100

// Run keeps until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	for {
		for _, name := range slices.Sorted(maps.Keys(k.duties)) {
			if err := k.do(ctx, k.duties[name]); err != nil && ctx.Err() == nil {
				k.log.ErrorContext(ctx, "keep what is planned", "duty", name, "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(k.interval):
		}
	}
}

func (k *Keeper) do(ctx context.Context, duty Duty) (err error) {
	defer fault.Recover(&err)
	for range rounds {
		if n, err := duty(ctx); err != nil || n == 0 || ctx.Err() != nil {
			return err
		}
	}
	return nil
}
