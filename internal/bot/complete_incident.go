package bot

import (
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/command"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/store"
)

// openIncidents are those that are not over, the newest first, by the beginning
// of their number or a part of their title.
func (c completer) openIncidents(prefix string, limit int) ([]command.Candidate, error) {
	open, err := c.bot.store.Incidents(c.ctx, store.IncidentFilter{States: []incident.State{incident.Triggered, incident.Acknowledged}, Limit: 100})
	if err != nil {
		return nil, err
	}
	wanted := strings.ToLower(strings.TrimPrefix(prefix, "#"))
	var all []command.Candidate
	for _, inc := range open {
		number := strconv.FormatInt(int64(inc.ID), 10)
		if len(all) < limit && (strings.HasPrefix(number, wanted) || strings.Contains(strings.ToLower(inc.Title), wanted)) {
			all = append(all, command.Candidate{Text: number, Label: "#" + number, Summary: inc.Title})
		}
	}
	return all, nil
}
