package selfwatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// Method is how synthetic pages leave: by Provider, which every node has.
const Method = "synthetic"

// Provider takes synthetic pages. They reach nobody: that they come this far is
// all they are for.
type Provider struct{}

var _ notify.Provider = Provider{}

// Send implements notify.Provider.
func (Provider) Send(context.Context, notify.Page) (notify.Receipt, error) {
	return notify.Receipt{Detail: Method}, nil
}

// syntheticLook is how often a synthetic page is looked for.
const syntheticLook = 500 * time.Millisecond

func (w *Watch) syntheticLoop(ctx context.Context) {
	last := ""
	for {
		next := time.After(w.cfg.SyntheticEvery)
		if w.cfg.SyntheticEvery == 0 {
			next = nil
		} else {
			last = w.synthetically(ctx, last)
		}
		select {
		case <-ctx.Done():
			w.synthetic.Store(nil) // whoever leads now will see
			return
		case <-next:
		}
	}
}

// synthetically sends one page, waits for it and returns its key; last is that
// of the one before, which is removed.
func (w *Watch) synthetically(ctx context.Context, last string) (key string) {
	key = Method + ":" + id.New()
	began := time.Now()
	err := w.plan(ctx, key, last)
	if err == nil {
		err = w.await(ctx, key)
	}
	switch {
	case ctx.Err() != nil: // the end is ours
	case err != nil:
		w.d.Log.ErrorContext(ctx, "synthetic page", "err", err)
		w.drop(ctx, key) // it would be told once more, as a page that is late
		w.synthetic.Store(&Problem{
			Key: Method, Object: phrase.T("selfwatch.object.synthetic"), Text: phrase.T("selfwatch.synthetic", SyntheticDeadline),
		})
	default:
		w.took.Store(int64(max(time.Since(began), 1)))
		w.synthetic.Store(nil)
	}
	return key
}

func (w *Watch) plan(ctx context.Context, key, last string) error {
	ctx, cancel := context.WithTimeout(ctx, SyntheticDeadline)
	defer cancel()
	notice, err := json.Marshal(notify.Notice{Subject: Method})
	if err != nil {
		return fmt.Errorf("write synthetic page: %w", err)
	}
	return w.d.Store.Do(ctx, func(tx *store.Tx) error {
		if last != "" {
			tx.DropDelivery(last)
		}
		tx.AddDelivery(store.Delivery{
			Key: key, Kind: store.NoticeMail, DueAt: tx.Now, ExpiresAt: tx.Now.Add(SyntheticDeadline), Contact: id.Contact(key),
			Body: store.DeliveryBody{Method: Method, Sealed: w.d.Box.Seal(string(notice))},
		})
		return nil
	})
}

func (w *Watch) drop(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	err := w.d.Store.Do(ctx, func(tx *store.Tx) error {
		tx.DropDelivery(key)
		return nil
	})
	if err != nil {
		w.d.Log.ErrorContext(ctx, "remove synthetic page", "err", err)
	}
}

var errLate = errors.New("it has not left in time")

// await returns when the page has left, or an error that says why not.
func (w *Watch) await(ctx context.Context, key string) error {
	deadline := time.After(SyntheticDeadline)
	var last = errLate
	for {
		d, err := w.d.Store.DeliveryOfKey(ctx, key)
		switch {
		case err != nil:
			last = err // the database may be back in a moment
		case d.State.Out():
			return nil
		case d.State != store.Pending:
			return fmt.Errorf("it is %s: %s", d.State, d.Body.Detail)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-deadline:
			return last
		case <-time.After(syntheticLook):
		}
	}
}
