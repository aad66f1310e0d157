package app

import (
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/web"
)

// actionLife is for how long the links of a mail acknowledge and resolve.
const actionLife = 24 * time.Hour

// links implements outbox.Linker.
type links struct {
	publicURL string
	signer    *secret.Signer
}

func (l links) Incident(n id.Incident) string {
	return l.publicURL + "/incidents/" + strconv.FormatInt(int64(n), 10)
}

func (l links) Drill(token string) string { return l.publicURL + "/drill/" + token }

func (l links) Action(action string, n id.Incident, opened time.Time, u id.User, now time.Time) string {
	return web.ActionURL(l.publicURL, l.signer, action, n, opened, u, now.Add(actionLife))
}
