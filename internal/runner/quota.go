package runner

import (
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/invocation"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// What one person may leave behind to be done later: every schedule is work for
// ever, and every node looks at all that waits.
const (
	maxSchedules = 20
	maxReminders = 100
)

// mayKeep refuses what waits for its time when who asks has much of it already.
func mayKeep(tx *store.Tx, inv invocation.Invocation) error {
	repeats := inv.Schedule.Cron != ""
	if inv.By.User == "" || !repeats && !inv.NotBefore.After(tx.Now) {
		return nil
	}
	open, err := tx.OpenInvocationsOf(inv.By.User)
	if err != nil {
		return err
	}
	schedules, reminders := 0, 0
	for _, o := range open {
		switch {
		case o.Schedule.Cron != "":
			schedules++
		case o.NotBefore.After(tx.Now):
			reminders++
		}
	}
	switch {
	case repeats && schedules >= maxSchedules:
		return fault.Conflict(phrase.T("runner.many_schedules", schedules))
	case !repeats && reminders >= maxReminders:
		return fault.Conflict(phrase.T("runner.many_reminders", reminders))
	}
	return nil
}
