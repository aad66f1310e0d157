package victorops

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
)

// Limits of the sender's own fields in one message: robots print them.
const (
	maxDetails     = 200
	maxDetail      = 20 << 10 // characters of one
	maxDetailBytes = 128 << 10
)

// commandTitle is that of the annotation whose text scripts run as a command.
const commandTitle = "HUBOT COMMAND"

// alertOf is the message about one alert: a list of one item, whatever its name
// says. inc is its incident, the zero value for none; seq is how far the
// timeline has come. Commands in annotations are left out unless they are wanted.
func alertOf(o *org.Org, a alert.Alert, inc incident.Incident, seq id.Seq, commands bool) outgoing {
	at := a.ReceivedAt.UnixMilli()
	sent := at
	if !a.SentAt.IsZero() {
		sent = a.SentAt.UnixMilli()
	}
	shown, kind, state := nagios(a, inc)
	slug := slugOf(a.Tool, a.EntityID)
	fields := map[string]any{
		"VO_UUID": namedUUID(o, "alert", int64(a.ID)), "VO_ORGANIZATION_ID": id.Slug(o.Settings.Name),
		"ENTITY_SLUG": slug, "ENTITY_ID": a.EntityID,
		"NOTIFICATIONTYPE": kind, "DISPLAY_ALERT_TYPE": shown, "VO_DISPLAY_ALERT_TYPE": shown, "VO_ALERT_TYPE": "SERVICE",
		"SERVICE": a.EntityID, "SERVICEDISPLAYNAME": a.Title, "SERVICESTATE": state, "SERVICEOUTPUT": a.Message,
		"SERVICEHOST": serviceHost(a.EntityID, a.Host),
		"HOST":        a.Host, "HOSTDISPLAYNAME": a.Host, "HOSTSTATE": "UP", "HOSTOUTPUT": "",
		"MONITOR_TYPE": a.Tool, "NOTIFICATIONAUTHOR": "", "NOTIFICATIONCOMMENT": "",
		"TIMESTAMP": sent, "TIMESTAMP2": strconv.FormatInt(sent, 10), "VO_ALERT_RCV_TIME": strconv.FormatInt(at, 10),
		"SEQUENCING": sequencing{int64(seq), a.ReceivedAt.Truncate(time.Second).UnixMilli()},
		"ROOM_ID":    everywhere, "TAGS": tagsOf(a, slug), "XFORMS": []any{},
	}
	if a.Incident != 0 { // those that belong to none have none: scripts look whether it is there
		fields["INCIDENT_NAME"] = strconv.FormatInt(int64(a.Incident), 10)
	}
	if a.Type == alert.Acknowledgement {
		fields["NOTIFICATIONAUTHOR"], fields["NOTIFICATIONCOMMENT"] = a.AckAuthor, a.AckMessage
	}
	maps.Copy(fields, detailsOf(a))
	fields["ANNOTATIONS"] = annotationsOf(a, commands, fields)
	summary, extended := displayOf(a.Tool, fields)
	fields["SUMMARY_DISPLAY"], fields["EXTENDED_DISPLAY"] = summary, extended
	type item struct {
		Alert map[string]any `json:"ALERT"`
	}
	return outgoing{alertNotify, newUUID(), struct {
		reply
		Room string `json:"ROOM_ID"`
		List []item `json:"TIMELINE_LIST"`
	}{reply{statusOK, "Ok"}, everywhere, []item{{fields}}}}
}

// nagios says an alert's type in the three ways of the protocol. An
// acknowledgement speaks of what was acknowledged.
func nagios(a alert.Alert, inc incident.Incident) (shown, kind, state string) {
	switch a.Type {
	case alert.Recovery:
		return "recovery", "RECOVERY", "OK"
	case alert.Acknowledgement:
		severity := string(alert.Critical)
		if inc.Severity != "" {
			severity = string(inc.Severity)
		}
		return severity, "ACKNOWLEDGEMENT", strings.ToUpper(severity)
	case alert.Info:
		return "info", "INFO", "OK"
	case alert.Critical, alert.Warning:
	}
	return string(a.Type), "PROBLEM", strings.ToUpper(string(a.Type))
}

// slugOf names a thing that a tool watches.
func slugOf(tool, entity string) string {
	slug := id.Slug(entity)
	if tool != "" {
		slug = id.Slug(tool) + "--" + slug
	}
	return slug
}

// serviceHost is "disk / db07" for the entity disk/db07 of the host db07.
func serviceHost(entity, host string) string {
	if host == "" {
		return entity
	}
	return strings.TrimSuffix(entity, "/"+host) + " / " + host
}

func tagsOf(a alert.Alert, slug string) []string {
	tags := []string{"typealertnotify"}
	if a.Incident != 0 {
		tags = append(tags, "incident"+strconv.FormatInt(int64(a.Incident), 10))
	}
	route := id.Slug(a.RoutingKey)
	if route == "" {
		route = "default"
	}
	return append(tags, slug, "routing"+route)
}

// detailsOf are the sender's own fields, spelled as it did.
func detailsOf(a alert.Alert) map[string]any {
	said := map[string]json.RawMessage{}
	if json.Unmarshal([]byte(a.Raw), &said) != nil { // it came another way than our endpoint's
		said = map[string]json.RawMessage{}
		for name, value := range a.Fields {
			if text, err := json.Marshal(value); err == nil { // text always can be written
				said[name] = text
			}
		}
	}
	found, size := map[string]any{}, 0
	for _, name := range slices.Sorted(maps.Keys(said)) {
		if strings.HasPrefix(strings.ToLower(name), "vo_annotate.") {
			continue // those have a place of their own
		}
		text := alert.Cut(plain(said[name]), maxDetail)
		if size += len(name) + len(text); len(found) == maxDetails || size > maxDetailBytes {
			break
		}
		found["details."+name] = text
	}
	return found
}

// plain is a JSON value as text: what is text stays as it is.
func plain(value json.RawMessage) string {
	var text string
	if json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

// annotationsOf lists the annotations and puts their values among the fields,
// where scripts look them up by the name in the list. The list is never absent:
// the vendor's own script iterates it without a look.
func annotationsOf(a alert.Alert, commands bool, fields map[string]any) [][]string {
	list := [][]string{}
	for _, n := range a.Annotations {
		if !commands && strings.EqualFold(strings.TrimSpace(n.Title), commandTitle) {
			continue
		}
		kind := map[alert.AnnotationKind]string{alert.Link: "u", alert.Image: "i"}[n.Kind]
		if kind == "" {
			kind = "s"
		}
		name := "vo_annotate." + kind + "." + n.Title
		fields[name] = n.Value
		list = append(list, []string{n.Title, name, kind})
	}
	return list
}

// displayOf says which fields a card shows: label, field, type.
func displayOf(tool string, fields map[string]any) (summary, extended [][]string) {
	if tool == "" {
		tool = "watchroom"
	}
	head := [][]string{{strings.ToUpper(tool), "NOTIFICATIONTYPE", "s"}, {"TIME", "TIMESTAMP2", "tme"}}
	summary = slices.Clone(head)
	for _, f := range [][]string{{"SHORT MSG", "details.state_message", "s"}, {"STATUS URL", "details.alert_url", "u"}} {
		if _, ok := fields[f[1]]; ok {
			summary = append(summary, f)
		}
	}
	extended = append(slices.Clone(head), []string{"SERVICE", "SERVICEHOST", "s"}, []string{"STATE", "SERVICESTATE", "s"}, []string{"OUTPUT", "SERVICEOUTPUT", "s"})
	return summary, extended
}
