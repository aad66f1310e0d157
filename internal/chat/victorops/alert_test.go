package victorops

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/timeline"
)

func acme(t *testing.T) *org.Org {
	t.Helper()
	o, err := org.Build(1, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, _, err = o.Apply(org.Put(org.Settings{Name: "Acme", SnoozeMorningAt: "09:00"}),
		org.Put(people.User{ID: "u1", Username: "kim", Name: "Kim", Email: "kim@example.org", Role: people.Admin, Zone: "UTC"}),
		org.Put(people.Team{ID: "dba", Slug: "database", Name: "Databases"}))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// at is when everything in these tests happens.
var at = time.UnixMilli(1795326470250).UTC()

func disk() alert.Alert {
	return alert.Alert{
		ID: 7, ReceivedAt: at, RoutingKey: "Database", Incident: 3721, Type: alert.Critical, EntityID: "disk/db07", Title: "db07 disk almost full",
		Message: "97% used", Tool: "Probe", Host: "db07",
		Annotations: []alert.Annotation{{Kind: alert.Link, Title: "Runbook", Value: "https://wiki.example/disk"}},
		Raw:         `{"message_type":"CRITICAL","state_message":"97% used","alert_url":"https://probe.example/1","load":1.5,"tags":["a","b"],"vo_annotate.u.Runbook":"https://wiki.example/disk"}`,
	}
}

// read is a message as a client sees it.
func read(t *testing.T, m outgoing) (text string, payload map[string]any) {
	t.Helper()
	bytes, err := frame(m)
	if err != nil {
		t.Fatal(err)
	}
	_, body := split(t, string(bytes))
	var e struct{ Payload map[string]any }
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		t.Fatal(err)
	}
	return body, e.Payload
}

// shown is the alert in the message about it.
func shown(t *testing.T, a alert.Alert, inc incident.Incident, commands bool) map[string]any {
	t.Helper()
	_, payload := read(t, alertOf(acme(t), a, inc, 20416, commands))
	list, _ := payload["TIMELINE_LIST"].([]any)
	if len(list) != 1 || payload["STATUS"] != "200" || payload["DESCRIPTION"] != "Ok" || payload["ROOM_ID"] != "*" {
		t.Fatalf("payload %v: want a list of one", payload)
	}
	item, _ := list[0].(map[string]any)
	found, _ := item["ALERT"].(map[string]any)
	return found
}

// Every field of the protocol's page, with its type: scripts compare them.
func TestAlertHasAllFields(t *testing.T) {
	got := shown(t, disk(), incident.Incident{}, false)
	want := map[string]any{
		"VO_UUID": namedUUID(acme(t), "alert", 7), "VO_ORGANIZATION_ID": "acme",
		"INCIDENT_NAME": "3721", "ENTITY_SLUG": "probe--disk-db07", "ENTITY_ID": "disk/db07",
		"NOTIFICATIONTYPE": "PROBLEM", "DISPLAY_ALERT_TYPE": "critical", "VO_DISPLAY_ALERT_TYPE": "critical", "VO_ALERT_TYPE": "SERVICE",
		"SERVICE": "disk/db07", "SERVICEDISPLAYNAME": "db07 disk almost full", "SERVICESTATE": "CRITICAL", "SERVICEOUTPUT": "97% used", "SERVICEHOST": "disk / db07",
		"HOST": "db07", "HOSTDISPLAYNAME": "db07", "HOSTSTATE": "UP", "HOSTOUTPUT": "",
		"MONITOR_TYPE": "Probe", "NOTIFICATIONAUTHOR": "", "NOTIFICATIONCOMMENT": "",
		"TIMESTAMP": 1795326470250.0, "TIMESTAMP2": "1795326470250", "VO_ALERT_RCV_TIME": "1795326470250",
		"SEQUENCING": map[string]any{"SEQUENCE": 20416.0, "SERVICE_TIME": 1795326470000.0},
		"ROOM_ID":    "*", "TAGS": []any{"typealertnotify", "incident3721", "probe--disk-db07", "routingdatabase"},
		"details.message_type": "CRITICAL", "details.state_message": "97% used", "details.alert_url": "https://probe.example/1",
		"details.load": "1.5", "details.tags": `["a","b"]`,
		"vo_annotate.u.Runbook": "https://wiki.example/disk",
		"ANNOTATIONS":           []any{[]any{"Runbook", "vo_annotate.u.Runbook", "u"}}, "XFORMS": []any{},
		"SUMMARY_DISPLAY": []any{
			[]any{"PROBE", "NOTIFICATIONTYPE", "s"}, []any{"TIME", "TIMESTAMP2", "tme"},
			[]any{"SHORT MSG", "details.state_message", "s"}, []any{"STATUS URL", "details.alert_url", "u"},
		},
		"EXTENDED_DISPLAY": []any{
			[]any{"PROBE", "NOTIFICATIONTYPE", "s"}, []any{"TIME", "TIMESTAMP2", "tme"},
			[]any{"SERVICE", "SERVICEHOST", "s"}, []any{"STATE", "SERVICESTATE", "s"}, []any{"OUTPUT", "SERVICEOUTPUT", "s"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alert (-want +got):\n%s", diff)
	}
}

func TestAlertsOfAllKinds(t *testing.T) {
	for _, tt := range []struct {
		intent string
		change func(*alert.Alert)
		inc    incident.Incident
		want   string
	}{
		{"an acknowledgement speaks of what was acknowledged", func(a *alert.Alert) {
			a.Type, a.AckAuthor, a.AckMessage = alert.Acknowledgement, "kim", "on it"
		}, incident.Incident{Severity: alert.Warning}, `{"NOTIFICATIONTYPE":"ACKNOWLEDGEMENT","DISPLAY_ALERT_TYPE":"warning","SERVICESTATE":"WARNING","NOTIFICATIONAUTHOR":"kim","NOTIFICATIONCOMMENT":"on it"}`},
		{"a recovery", func(a *alert.Alert) { a.Type = alert.Recovery }, incident.Incident{}, `{"NOTIFICATIONTYPE":"RECOVERY","DISPLAY_ALERT_TYPE":"recovery","SERVICESTATE":"OK","NOTIFICATIONAUTHOR":""}`},
		{"without incident, tool, host, routing key and annotations", func(a *alert.Alert) {
			*a = alert.Alert{ID: 1, ReceivedAt: at, Type: alert.Info, EntityID: "x", Raw: "not JSON", Fields: map[string]string{"colour": "red"}}
		}, incident.Incident{}, `{"INCIDENT_NAME":"-","ENTITY_SLUG":"x","SERVICEHOST":"x","TAGS":["typealertnotify","x","routingdefault"],"ANNOTATIONS":[],"details.colour":"red","SUMMARY_DISPLAY":[["WATCHROOM","NOTIFICATIONTYPE","s"]]}`},
		{"a newline, quotes and signs of HTML stay, on one line", func(a *alert.Alert) {
			a.Message, a.Raw = "one\n\"two\" & <three>", `{"state_message":"one\n\"two\" & <three>"}`
		}, incident.Incident{}, `{"SERVICEOUTPUT":"one\n\"two\" & <three>","details.state_message":"one\n\"two\" & <three>"}`},
		{"the sender's own time", func(a *alert.Alert) { a.SentAt = at.Add(-time.Minute) }, incident.Incident{}, `{"TIMESTAMP":1795326410250,"TIMESTAMP2":"1795326410250","VO_ALERT_RCV_TIME":"1795326470250"}`},
	} {
		a := disk()
		tt.change(&a)
		var want any
		if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
			t.Fatal(err)
		}
		if why := lacks(shown(t, a, tt.inc, false), want, ""); why != "" {
			t.Errorf("%s: %s", tt.intent, why)
		}
	}
}

func TestCommandsInAnnotationsAreOffUnlessWanted(t *testing.T) {
	a := disk()
	a.Annotations = append(a.Annotations, alert.Annotation{Kind: alert.Note, Title: " Hubot command ", Value: "restart web on db07"},
		alert.Annotation{Kind: alert.Note, Title: commandTitle, Value: "restart web on db08"})
	a.Raw = `{"vo_annotate.s.HUBOT COMMAND":"restart web on db08","VO_Annotate.s.HUBOT COMMAND":"x"}`
	got := shown(t, a, incident.Incident{}, false)
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if lower := strings.ToLower(string(text)); strings.Contains(lower, "hubot command") || strings.Contains(lower, "restart web") {
		t.Errorf("a command is handed on: %s", text)
	}
	got = shown(t, a, incident.Incident{}, true)
	want := []any{[]any{"Runbook", "vo_annotate.u.Runbook", "u"}, []any{" Hubot command ", "vo_annotate.s. Hubot command ", "s"}, []any{commandTitle, "vo_annotate.s.HUBOT COMMAND", "s"}}
	if diff := cmp.Diff(want, got["ANNOTATIONS"]); diff != "" || got["vo_annotate.s.HUBOT COMMAND"] != "restart web on db08" {
		t.Errorf("annotations: %s\n%v", diff, got["vo_annotate.s.HUBOT COMMAND"])
	}
}

func TestDetailsAreBounded(t *testing.T) {
	a := disk()
	fields := map[string]string{}
	for range maxDetails * 2 {
		fields[id.New()] = strings.Repeat("x", 2000)
	}
	raw, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	a.Raw = string(raw)
	text, _ := read(t, alertOf(acme(t), a, incident.Incident{}, 1, false))
	if len(text) > 2*maxDetailBytes {
		t.Errorf("the message has %d bytes", len(text))
	}
}

func TestPhaseHasAllFields(t *testing.T) {
	opened := incident.Incident{
		ID: 3721, State: incident.Triggered, EntityID: "disk/db07", Title: "db07 disk almost full", Severity: alert.Critical, Host: "db07", Tool: "probe",
		Team: "dba", Paged: []id.User{"u1", "gone"}, AlertCount: 1, LastAlert: 7, LastAlertAt: at, TriggeredAt: at,
	}
	acked := opened
	acked.State, acked.AckedAt, acked.AckedBy = incident.Acknowledged, at.Add(time.Minute), timeline.Actor{User: "u1", Name: "Kim"}
	resolved := acked
	resolved.State, resolved.ResolvedAt, resolved.ResolvedBy = incident.Resolved, at.Add(time.Hour), timeline.Actor{Name: "probe"}
	want := map[string]any{
		"ENTITY_ID": "disk/db07", "ENTITY_SLUG": "probe--disk-db07", "INCIDENT_NAME": "3721", "INCIDENT_TIMESTAMP": 1795326470250.0,
		"CURRENT_ALERT_PHASE": "UNACKED", "CURRENT_STATE": "CRITICAL", "NOTIFICATIONTYPE": "PROBLEM", "VO_ALERT_TYPE": "SERVICE",
		"HOST": "db07", "SERVICE": "db07 disk almost full", "MONITOR_TYPE": "probe", "INFO_URL": "https://watch.example/incidents/3721",
		"STATE_START_TIME": 1795326470250.0, "LAST_TIMESTAMP": 1795326470250.0, "LAST_UUID": namedUUID(acme(t), "alert", 7), "ALERT_COUNT": 1.0,
		"USERS_PAGED": []any{"kim", "gone"}, "TEAMS_PAGED": []any{"database"},
		"ACK_USER": "SYSTEM", "ACK_MSG": "", "ACK_TIMESTAMP": 0.0, "ACKED_BY": nil, "ACKED_AT": nil, "RESOLVED_BY": nil, "RESOLVED_AT": nil,
	}
	steps := []struct {
		inc    incident.Incident
		change map[string]any
	}{
		{opened, nil},
		{acked, map[string]any{
			"CURRENT_ALERT_PHASE": "ACKED", "NOTIFICATIONTYPE": "ACKNOWLEDGEMENT", "ACK_USER": "kim", "ACK_TIMESTAMP": 1795326530250.0,
			"ACKED_BY": "kim", "ACKED_AT": 1795326530250.0,
		}},
		{resolved, map[string]any{
			"CURRENT_ALERT_PHASE": "RESOLVED", "NOTIFICATIONTYPE": "RECOVERY", "CURRENT_STATE": "OK", "STATE_START_TIME": 1795330070250.0,
			"RESOLVED_BY": "probe", "RESOLVED_AT": 1795330070250.0,
		}},
	}
	for _, step := range steps {
		maps.Copy(want, step.change)
		_, payload := read(t, phaseOf(acme(t), step.inc, "https://watch.example"))
		list, _ := payload["SYSTEM_ALERT_STATE_LIST"].([]any)
		if len(list) != 1 {
			t.Fatalf("%v: want one element", payload)
		}
		if diff := cmp.Diff(want, list[0]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.inc.State, diff)
		}
	}
	_, payload := read(t, phaseOf(acme(t), incident.Incident{ID: 1, State: incident.Triggered, TriggeredAt: at}, ""))
	if why := lacks(payload, map[string]any{"SYSTEM_ALERT_STATE_LIST": []any{map[string]any{"USERS_PAGED": []any{}, "TEAMS_PAGED": []any{}, "MONITOR_TYPE": "Manual", "LAST_UUID": ""}}}, ""); why != "" {
		t.Error(why)
	}
}
