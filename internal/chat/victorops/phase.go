package victorops

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
)

// phase is an incident as robots see it. Every field is always there; clients
// call methods on the lists without a look.
type phase struct {
	Entity     string   `json:"ENTITY_ID"`
	Slug       string   `json:"ENTITY_SLUG"`
	Incident   string   `json:"INCIDENT_NAME"`
	OpenedAt   int64    `json:"INCIDENT_TIMESTAMP"`
	Phase      string   `json:"CURRENT_ALERT_PHASE"`
	State      string   `json:"CURRENT_STATE"`
	Kind       string   `json:"NOTIFICATIONTYPE"`
	Type       string   `json:"VO_ALERT_TYPE"`
	Host       string   `json:"HOST"`
	Service    string   `json:"SERVICE"`
	Monitor    string   `json:"MONITOR_TYPE"`
	URL        string   `json:"INFO_URL"`
	Since      int64    `json:"STATE_START_TIME"`
	LastAt     int64    `json:"LAST_TIMESTAMP"`
	LastUUID   string   `json:"LAST_UUID"`
	Alerts     int      `json:"ALERT_COUNT"`
	Users      []string `json:"USERS_PAGED"`
	Teams      []string `json:"TEAMS_PAGED"`
	AckUser    string   `json:"ACK_USER"`
	AckMessage string   `json:"ACK_MSG"`
	AckStamp   int64    `json:"ACK_TIMESTAMP"`
	AckedBy    *string  `json:"ACKED_BY"`
	AckedAt    *int64   `json:"ACKED_AT"`
	ResolvedBy *string  `json:"RESOLVED_BY"`
	ResolvedAt *int64   `json:"RESOLVED_AT"`
}

// nobodyYet is who has acknowledged before anybody did.
const nobodyYet = "SYSTEM"

// phaseOf is the message about an incident's state. The list has one element:
// display devices read the first and no other.
func phaseOf(o *org.Org, inc incident.Incident, publicURL string) outgoing {
	p := phase{
		Entity: inc.EntityID, Slug: slugOf(inc.Tool, inc.EntityID), Incident: strconv.FormatInt(int64(inc.ID), 10),
		OpenedAt: inc.TriggeredAt.UnixMilli(), Type: "SERVICE", Host: inc.Host, Service: inc.Title, Monitor: inc.Tool,
		URL: publicURL + "/incidents/" + strconv.FormatInt(int64(inc.ID), 10), LastAt: inc.LastAlertAt.UnixMilli(),
		LastUUID: namedUUID(o, "alert", int64(inc.LastAlert)), Alerts: inc.AlertCount, Users: usernames(o, inc.Paged), Teams: []string{},
		AckUser: nobodyYet, Since: inc.TriggeredAt.UnixMilli(), State: strings.ToUpper(string(inc.Severity)),
	}
	if p.Monitor == "" {
		p.Monitor = "Manual"
	}
	if inc.LastAlert == 0 {
		p.LastUUID, p.LastAt = "", p.OpenedAt
	}
	if t, ok := o.Teams[inc.Team]; ok {
		p.Teams = append(p.Teams, t.Slug)
	}
	if !inc.AckedAt.IsZero() {
		p.AckUser, p.AckStamp = nameOf(o, inc.AckedBy), inc.AckedAt.UnixMilli()
		p.AckedBy, p.AckedAt = new(p.AckUser), new(p.AckStamp)
	}
	switch inc.State {
	case incident.Acknowledged:
		p.Phase, p.Kind = "ACKED", "ACKNOWLEDGEMENT"
	case incident.Resolved:
		p.Phase, p.Kind, p.State, p.Since = "RESOLVED", "RECOVERY", "OK", inc.ResolvedAt.UnixMilli()
		p.ResolvedBy, p.ResolvedAt = new(nameOf(o, inc.ResolvedBy)), new(inc.ResolvedAt.UnixMilli())
	case incident.Triggered:
		p.Phase, p.Kind = "UNACKED", "PROBLEM"
	}
	return outgoing{phaseNotify, newUUID(), struct {
		List []phase `json:"SYSTEM_ALERT_STATE_LIST"`
	}{[]phase{p}}}
}

// mark is what must differ for robots to hear of an incident again: not that
// one more of the same alerts has come.
func mark(inc incident.Incident) string {
	return fmt.Sprint(inc.State, inc.Severity, inc.AckedBy, stamp(inc.AckedAt), inc.ResolvedBy, inc.Paged, inc.Title, inc.Team, stamp(inc.SnoozedUntil))
}

func stamp(at time.Time) int64 { return at.UnixMilli() }

func usernames(o *org.Org, users []id.User) []string {
	names := make([]string, len(users))
	for i, u := range users {
		names[i] = string(u) // somebody who is gone
		if user, ok := o.Users[u]; ok {
			names[i] = user.Username
		}
	}
	return names
}
