package api

import (
	"net/http"

	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Operation is one thing the API can do.
type Operation struct {
	Method     string
	Path       string            // with {names} as ServeMux has them
	ID         string            // OpenAPI's operationId; stable, generated clients are named by it
	Tag        string            // the chapter of the documentation
	Permission people.Permission // needed by role and by the token's scope; "" for nobody in particular
	Public     bool              // needs no sign-in either; only where Permission is ""
}

// Pattern is the route as http.ServeMux takes it.
func (op Operation) Pattern() string { return op.Method + " " + op.Path }

// Summary is what it does, in a few words.
func (op Operation) Summary() string { return phrase.T("api.summary." + op.ID) }

// Description is what one must know to use it.
func (op Operation) Description() string { return phrase.T("api.description." + op.ID) }

// The chapters, in the order of the documentation.
const (
	tagIncidents    = "Incidents"
	tagTimeline     = "Timeline"
	tagRooms        = "Rooms and messages"
	tagAlerts       = "Alerts"
	tagOnCall       = "On call"
	tagExplain      = "Explanations"
	tagUsers        = "Users"
	tagContacts     = "Contact methods"
	tagTeams        = "Teams"
	tagRotations    = "Rotations"
	tagPolicies     = "Escalation policies"
	tagKeys         = "Routing keys"
	tagIntegrations = "Integrations"
	tagHeartbeats   = "Heartbeats"
	tagCommands     = "Commands"
	tagRobots       = "Robots"
	tagMaintenance  = "Maintenance"
	tagDrills       = "Drills"
	tagProviders    = "Providers"
	tagSettings     = "Settings"
	tagTokens       = "Tokens"
	tagSearch       = "Search"
	tagAbout        = "About"
)

var tags = []string{
	tagIncidents, tagTimeline, tagRooms, tagCommands, tagAlerts, tagOnCall, tagExplain, tagUsers, tagContacts, tagTeams, tagRotations, tagPolicies,
	tagKeys, tagIntegrations, tagHeartbeats, tagRobots, tagMaintenance, tagDrills, tagProviders, tagSettings, tagTokens, tagSearch, tagAbout,
}

const prefix = "/api/v1"

// Operations is every route of the API. It is never changed; what is not here
// cannot be registered.
var Operations = []Operation{
	{http.MethodGet, prefix + "/incidents", "list-incidents", tagIncidents, people.Read, false},
	{http.MethodPost, prefix + "/incidents", "open-incident", tagIncidents, people.Respond, false},
	{http.MethodGet, prefix + "/incidents/{id}", "show-incident", tagIncidents, people.Read, false},
	{http.MethodPost, prefix + "/incidents/{id}/acknowledge", "acknowledge-incident", tagIncidents, people.Respond, false},
	{http.MethodPost, prefix + "/incidents/{id}/unacknowledge", "unacknowledge-incident", tagIncidents, people.Respond, false},
	{http.MethodPost, prefix + "/incidents/{id}/resolve", "resolve-incident", tagIncidents, people.Respond, false},
	{http.MethodPost, prefix + "/incidents/{id}/snooze", "snooze-incident", tagIncidents, people.Respond, false},
	{http.MethodPost, prefix + "/incidents/{id}/reroute", "reroute-incident", tagIncidents, people.Respond, false},
	{http.MethodPost, prefix + "/incidents/{id}/responders", "add-responders", tagIncidents, people.Respond, false},
	{http.MethodPost, prefix + "/incidents/{id}/notes", "add-note", tagIncidents, people.Respond, false},
	{http.MethodGet, prefix + "/incidents/{id}/deliveries", "list-deliveries", tagIncidents, people.Read, false},

	{http.MethodGet, prefix + "/timeline", "list-entries", tagTimeline, people.Read, false},
	{http.MethodPost, prefix + "/timeline", "post-message", tagTimeline, people.Talk, false},
	{http.MethodGet, prefix + "/timeline/stream", "follow-timeline", tagTimeline, people.Read, false},

	{http.MethodGet, prefix + "/rooms", "list-rooms", tagRooms, people.Read, false},
	{http.MethodPost, prefix + "/rooms", "open-room", tagRooms, people.Talk, false},
	{http.MethodGet, prefix + "/rooms/{room}", "show-room", tagRooms, people.Read, false},
	{http.MethodPatch, prefix + "/rooms/{room}", "change-room", tagRooms, people.Talk, false},
	{http.MethodPost, prefix + "/rooms/{room}/join", "join-room", tagRooms, people.OwnSelf, false},
	{http.MethodPost, prefix + "/rooms/{room}/leave", "leave-room", tagRooms, people.OwnSelf, false},
	{http.MethodPost, prefix + "/rooms/{room}/close", "close-room", tagRooms, people.Talk, false},
	{http.MethodPost, prefix + "/rooms/{room}/reopen", "reopen-room", tagRooms, people.Talk, false},
	{http.MethodPut, prefix + "/rooms/{room}/mark", "mark-room-read", tagRooms, people.OwnSelf, false},
	{http.MethodPost, prefix + "/messages/{seq}/unread", "mark-message-unread", tagRooms, people.OwnSelf, false},
	{http.MethodGet, prefix + "/unread", "list-unread", tagRooms, people.Read, false},
	{http.MethodGet, prefix + "/presence", "list-presence", tagRooms, people.Read, false},
	{http.MethodPost, prefix + "/files", "upload-file", tagRooms, people.Talk, false},
	{http.MethodGet, prefix + "/files/{file}", "download-file", tagRooms, people.Read, false},
	{http.MethodGet, prefix + "/rooms/{room}/messages", "list-messages", tagRooms, people.Read, false},
	{http.MethodPost, prefix + "/rooms/{room}/messages", "say", tagRooms, people.Talk, false},
	{http.MethodGet, prefix + "/messages/{seq}", "show-message", tagRooms, people.Read, false},
	{http.MethodPatch, prefix + "/messages/{seq}", "edit-message", tagRooms, people.Talk, false},
	{http.MethodDelete, prefix + "/messages/{seq}", "delete-message", tagRooms, people.Talk, false},
	{http.MethodPut, prefix + "/messages/{seq}/reactions/{emoji}", "add-reaction", tagRooms, people.Talk, false},
	{http.MethodDelete, prefix + "/messages/{seq}/reactions/{emoji}", "remove-reaction", tagRooms, people.Talk, false},
	{http.MethodPut, prefix + "/messages/{seq}/pin", "pin-message", tagRooms, people.Talk, false},
	{http.MethodDelete, prefix + "/messages/{seq}/pin", "unpin-message", tagRooms, people.Talk, false},
	{http.MethodPost, prefix + "/messages/{seq}/incidents", "link-message", tagRooms, people.Talk, false},

	{http.MethodGet, prefix + "/jobs", "list-jobs", tagCommands, people.Read, false},
	{http.MethodGet, prefix + "/jobs/{job}", "show-job", tagCommands, people.Read, false},
	{http.MethodPost, prefix + "/jobs/{job}/confirm", "confirm-job", tagCommands, people.Talk, false},
	{http.MethodPost, prefix + "/jobs/{job}/approve", "approve-job", tagCommands, people.Respond, false},
	{http.MethodPost, prefix + "/jobs/{job}/deny", "deny-job", tagCommands, people.Respond, false},
	{http.MethodPost, prefix + "/jobs/{job}/cancel", "cancel-job", tagCommands, people.Talk, false},
	{http.MethodPost, prefix + "/jobs/{job}/again", "run-job-again", tagCommands, people.Talk, false},
	{http.MethodGet, prefix + "/approvals", "list-approvals", tagCommands, people.Read, false},
	{http.MethodGet, prefix + "/locks", "list-locks", tagCommands, people.Read, false},
	{http.MethodPost, prefix + "/locks", "take-lock", tagCommands, people.Respond, false},
	{http.MethodDelete, prefix + "/locks", "release-lock", tagCommands, people.Respond, false},
	{http.MethodGet, prefix + "/services", "list-services", tagCommands, people.Manage, false},
	{http.MethodGet, prefix + "/audit", "export-audit", tagCommands, people.Manage, false},

	{http.MethodGet, prefix + "/alerts", "list-alerts", tagAlerts, people.Read, false},
	{http.MethodGet, prefix + "/alerts/{id}", "show-alert", tagAlerts, people.Read, false},

	{http.MethodGet, prefix + "/oncall", "show-oncall", tagOnCall, people.Read, false},
	{http.MethodGet, prefix + "/oncall/me", "show-my-oncall", tagOnCall, people.Read, false},
	{http.MethodPost, prefix + "/oncall/take", "take-oncall", tagOnCall, people.Respond, false},
	{http.MethodPost, prefix + "/oncall/handback", "hand-back-oncall", tagOnCall, people.Respond, false},
	{http.MethodGet, prefix + "/overrides", "list-overrides", tagOnCall, people.Read, false},
	{http.MethodPost, prefix + "/overrides", "create-override", tagOnCall, people.Respond, false},
	{http.MethodGet, prefix + "/overrides/{id}", "show-override", tagOnCall, people.Read, false},
	{http.MethodDelete, prefix + "/overrides/{id}", "delete-override", tagOnCall, people.Respond, false},
	{http.MethodGet, prefix + "/swaps", "list-swaps", tagOnCall, people.Read, false},
	{http.MethodPost, prefix + "/swaps", "ask-swap", tagOnCall, people.Respond, false},
	{http.MethodGet, prefix + "/swaps/{id}", "show-swap", tagOnCall, people.Read, false},
	{http.MethodPost, prefix + "/swaps/{id}/accept", "accept-swap", tagOnCall, people.Respond, false},
	{http.MethodPost, prefix + "/swaps/{id}/decline", "decline-swap", tagOnCall, people.Respond, false},
	{http.MethodDelete, prefix + "/swaps/{id}", "withdraw-swap", tagOnCall, people.Respond, false},
	{http.MethodGet, prefix + "/absences", "list-absences", tagOnCall, people.Read, false},
	{http.MethodPost, prefix + "/absences", "create-absence", tagOnCall, people.Respond, false},
	{http.MethodDelete, prefix + "/absences/{id}", "delete-absence", tagOnCall, people.Respond, false},
	{http.MethodGet, prefix + "/holidays", "list-holidays", tagOnCall, people.Read, false},
	{http.MethodPost, prefix + "/holidays", "create-holidays", tagOnCall, people.Manage, false},
	{http.MethodGet, prefix + "/holidays/{id}", "show-holidays", tagOnCall, people.Read, false},
	{http.MethodPut, prefix + "/holidays/{id}", "replace-holidays", tagOnCall, people.Manage, false},
	{http.MethodDelete, prefix + "/holidays/{id}", "delete-holidays", tagOnCall, people.Manage, false},
	{http.MethodGet, prefix + "/feeds", "list-feeds", tagOnCall, people.OwnSelf, false},
	{http.MethodPost, prefix + "/feeds", "create-feed", tagOnCall, people.OwnSelf, false},
	{http.MethodDelete, prefix + "/feeds/{id}", "revoke-feed", tagOnCall, people.OwnSelf, false},

	{http.MethodGet, prefix + "/explain", "explain", tagExplain, people.Read, false},
	{http.MethodGet, prefix + "/incidents/{id}/why", "explain-incident", tagExplain, people.Read, false},

	{http.MethodGet, prefix + "/users", "list-users", tagUsers, people.Read, false},
	{http.MethodPost, prefix + "/users", "invite-user", tagUsers, people.Manage, false},
	{http.MethodGet, prefix + "/users/{id}", "show-user", tagUsers, people.Read, false},
	{http.MethodPut, prefix + "/users/{id}", "replace-user", tagUsers, people.Manage, false},
	{http.MethodDelete, prefix + "/users/{id}", "delete-user", tagUsers, people.Manage, false},
	{http.MethodDelete, prefix + "/users/{id}/second-factor", "reset-second-factor", tagUsers, people.Manage, false},

	{http.MethodPost, prefix + "/users/{id}/contacts", "add-contact", tagContacts, people.OwnSelf, false},
	{http.MethodDelete, prefix + "/users/{id}/contacts/{contact}", "remove-contact", tagContacts, people.OwnSelf, false},
	{http.MethodPost, prefix + "/users/{id}/contacts/{contact}/code", "send-contact-code", tagContacts, people.OwnSelf, false},
	{http.MethodPost, prefix + "/users/{id}/contacts/{contact}/verify", "verify-contact", tagContacts, people.OwnSelf, false},
	{http.MethodPost, prefix + "/users/{id}/contacts/{contact}/test", "test-contact", tagContacts, people.OwnSelf, false},
	{http.MethodGet, prefix + "/users/{id}/contacts/{contact}/deliveries", "list-contact-deliveries", tagContacts, people.OwnSelf, false},
	{http.MethodGet, prefix + "/users/{id}/paging", "show-paging-policy", tagContacts, people.Read, false},
	{http.MethodPut, prefix + "/users/{id}/paging", "replace-paging-policy", tagContacts, people.OwnSelf, false},
	{http.MethodDelete, prefix + "/users/{id}/paging", "delete-paging-policy", tagContacts, people.OwnSelf, false},

	{http.MethodGet, prefix + "/teams", "list-teams", tagTeams, people.Read, false},
	{http.MethodPost, prefix + "/teams", "create-team", tagTeams, people.Manage, false},
	{http.MethodGet, prefix + "/teams/{id}", "show-team", tagTeams, people.Read, false},
	{http.MethodPut, prefix + "/teams/{id}", "replace-team", tagTeams, people.Manage, false},
	{http.MethodDelete, prefix + "/teams/{id}", "delete-team", tagTeams, people.Manage, false},

	{http.MethodGet, prefix + "/rotations", "list-rotations", tagRotations, people.Read, false},
	{http.MethodPost, prefix + "/rotations", "create-rotation", tagRotations, people.Manage, false},
	{http.MethodGet, prefix + "/rotations/{id}", "show-rotation", tagRotations, people.Read, false},
	{http.MethodPut, prefix + "/rotations/{id}", "replace-rotation", tagRotations, people.Manage, false},
	{http.MethodDelete, prefix + "/rotations/{id}", "delete-rotation", tagRotations, people.Manage, false},
	{http.MethodGet, prefix + "/rotations/{id}/schedule", "show-schedule", tagRotations, people.Read, false},
	{http.MethodPost, prefix + "/rotations/{id}/preview", "preview-rotation", tagRotations, people.Manage, false},
	{http.MethodPost, prefix + "/rotations/{id}/import", "import-calendar", tagRotations, people.Manage, false},

	{http.MethodGet, prefix + "/policies", "list-policies", tagPolicies, people.Read, false},
	{http.MethodPost, prefix + "/policies", "create-policy", tagPolicies, people.Manage, false},
	{http.MethodGet, prefix + "/policies/{id}", "show-policy", tagPolicies, people.Read, false},
	{http.MethodPut, prefix + "/policies/{id}", "replace-policy", tagPolicies, people.Manage, false},
	{http.MethodDelete, prefix + "/policies/{id}", "delete-policy", tagPolicies, people.Manage, false},

	{http.MethodGet, prefix + "/routing-keys", "list-routing-keys", tagKeys, people.Read, false},
	{http.MethodPost, prefix + "/routing-keys", "create-routing-key", tagKeys, people.Manage, false},
	{http.MethodGet, prefix + "/routing-keys/{id}", "show-routing-key", tagKeys, people.Read, false},
	{http.MethodPut, prefix + "/routing-keys/{id}", "replace-routing-key", tagKeys, people.Manage, false},
	{http.MethodDelete, prefix + "/routing-keys/{id}", "delete-routing-key", tagKeys, people.Manage, false},

	{http.MethodGet, prefix + "/integrations", "list-integrations", tagIntegrations, people.Read, false},
	{http.MethodPost, prefix + "/integrations", "create-integration", tagIntegrations, people.Manage, false},
	{http.MethodGet, prefix + "/integrations/{id}", "show-integration", tagIntegrations, people.Read, false},
	{http.MethodPut, prefix + "/integrations/{id}", "replace-integration", tagIntegrations, people.Manage, false},
	{http.MethodDelete, prefix + "/integrations/{id}", "delete-integration", tagIntegrations, people.Manage, false},
	{http.MethodPost, prefix + "/integrations/{id}/test", "test-integration", tagIntegrations, people.Ingest, false},

	{http.MethodGet, prefix + "/heartbeats", "list-heartbeats", tagHeartbeats, people.Read, false},
	{http.MethodPost, prefix + "/heartbeats", "create-heartbeat", tagHeartbeats, people.Manage, false},
	{http.MethodGet, prefix + "/heartbeats/{id}", "show-heartbeat", tagHeartbeats, people.Read, false},
	{http.MethodPut, prefix + "/heartbeats/{id}", "replace-heartbeat", tagHeartbeats, people.Manage, false},
	{http.MethodDelete, prefix + "/heartbeats/{id}", "delete-heartbeat", tagHeartbeats, people.Manage, false},
	{http.MethodPost, prefix + "/heartbeats/{id}/key", "renew-heartbeat-key", tagHeartbeats, people.Manage, false},

	{http.MethodGet, prefix + "/robots", "list-robots", tagRobots, people.Read, false},
	{http.MethodPost, prefix + "/robots", "create-robot", tagRobots, people.Manage, false},
	{http.MethodGet, prefix + "/robots/{id}", "show-robot", tagRobots, people.Read, false},
	{http.MethodPut, prefix + "/robots/{id}", "replace-robot", tagRobots, people.Manage, false},
	{http.MethodDelete, prefix + "/robots/{id}", "delete-robot", tagRobots, people.Manage, false},
	{http.MethodPost, prefix + "/robots/{id}/key", "renew-robot-key", tagRobots, people.Manage, false},

	{http.MethodGet, prefix + "/maintenance", "list-maintenance", tagMaintenance, people.Read, false},
	{http.MethodPost, prefix + "/maintenance", "start-maintenance", tagMaintenance, people.Manage, false},
	{http.MethodGet, prefix + "/maintenance/{id}", "show-maintenance", tagMaintenance, people.Read, false},
	{http.MethodPost, prefix + "/maintenance/{id}/end", "end-maintenance", tagMaintenance, people.Manage, false},

	{http.MethodGet, prefix + "/drills", "list-drills", tagDrills, people.Read, false},
	{http.MethodPost, prefix + "/drills", "plan-drill", tagDrills, people.Respond, false},
	{http.MethodGet, prefix + "/drills/{id}", "show-drill", tagDrills, people.Read, false},
	{http.MethodPost, prefix + "/drills/{id}/end", "end-drill", tagDrills, people.Respond, false},

	{http.MethodGet, prefix + "/providers", "list-providers", tagProviders, people.Manage, false},
	{http.MethodPost, prefix + "/providers", "create-provider", tagProviders, people.Manage, false},
	{http.MethodGet, prefix + "/providers/{id}", "show-provider", tagProviders, people.Manage, false},
	{http.MethodPut, prefix + "/providers/{id}", "replace-provider", tagProviders, people.Manage, false},
	{http.MethodDelete, prefix + "/providers/{id}", "delete-provider", tagProviders, people.Manage, false},

	{http.MethodGet, prefix + "/settings", "show-settings", tagSettings, people.Read, false},
	{http.MethodPut, prefix + "/settings", "replace-settings", tagSettings, people.Manage, false},

	{http.MethodGet, prefix + "/me", "show-me", tagTokens, "", false},
	{http.MethodGet, prefix + "/tokens", "list-tokens", tagTokens, people.OwnSelf, false},
	{http.MethodPost, prefix + "/tokens", "create-token", tagTokens, people.OwnSelf, false},
	{http.MethodDelete, prefix + "/tokens/{id}", "delete-token", tagTokens, people.OwnSelf, false},

	{http.MethodGet, prefix + "/search", "search", tagSearch, people.Read, false},

	{http.MethodGet, prefix + "/openapi.json", "openapi-json", tagAbout, "", true},
	{http.MethodGet, prefix + "/openapi.yaml", "openapi-yaml", tagAbout, "", true},
	{http.MethodGet, "/docs/api", "documentation", tagAbout, "", true},
}
