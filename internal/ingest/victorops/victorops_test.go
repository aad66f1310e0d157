package victorops

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/watchroom/watchroom/internal/alert"
)

// testKey is an organisation's key as the original makes them; no test may
// find it in a result.
const testKey = "0b6f3c1e-8a2d-4e7f-9c55-d1e2f3a4b5c6"

func testOptions() Options {
	return Options{
		Integration: "rest", RoutingKey: "database", Key: testKey,
		NewEntityID: func() string { return "made-up" },
	}
}

func parse(t *testing.T, body string) alert.Alert {
	t.Helper()
	a, err := Parse([]byte(body), testOptions())
	if err != nil {
		t.Fatalf("Parse(%.200s): %v", body, err)
	}
	return a
}

func TestMessageType(t *testing.T) {
	tests := []struct {
		words        string
		wide, strict alert.Type
	}{
		{"CRITICAL Critical critical", alert.Critical, alert.Critical},
		{"WARNING warning", alert.Warning, alert.Warning},
		{"INFO info", alert.Info, alert.Info},
		{"ACKNOWLEDGEMENT acknowledgement", alert.Acknowledgement, alert.Acknowledgement},
		{"RECOVERY OK ok Ok", alert.Recovery, alert.Recovery},
		{"PROBLEM problem DOWN UNREACHABLE", alert.Critical, alert.Info},
		{"warn WARN", alert.Warning, alert.Info},
		{"ack acked acknowledge Acknowledged", alert.Acknowledgement, alert.Info},
		{"resolved RECOVERED closed UP", alert.Recovery, alert.Info},
		{"banana information informational UNKNOWN 5 criticality", alert.Info, alert.Info},
	}
	for _, tt := range tests {
		for word := range strings.FieldsSeq(tt.words) {
			for strict, want := range map[bool]alert.Type{false: tt.wide, true: tt.strict} {
				opts := testOptions()
				opts.Strict = strict
				a, err := Parse(fmt.Appendf(nil, `{"message_type":%q}`, word), opts)
				if err != nil || a.Type != want {
					t.Errorf("message_type %q, strict %v: type %q, err %v; want %q", word, strict, a.Type, err, want)
				}
			}
		}
	}
}

// The forms a message_type may have beside a plain word.
func TestMessageTypeForms(t *testing.T) {
	for body, want := range map[string]alert.Type{
		`{"message_type":"ALERTS FIRING: 2"}`:                   alert.Info, // a Grafana template
		`{"message_type":" recovery\n"}`:                        alert.Recovery,
		`{"message_type":"\u0043RITICAL"}`:                      alert.Critical,
		`{"message\u005ftype":"critical"}`:                      alert.Critical,
		`{"message_type":7}`:                                    alert.Info,
		`{"message_type":true}`:                                 alert.Info,
		`{"message_type":{"a":1}}`:                              alert.Info,
		`{"message_type":"info","message_type":"ok"}`:           alert.Recovery, // the last one wins
		"\xef\xbb\xbf {\"message_type\" : \"critical\" }\r\n\t": alert.Critical,
	} {
		if got := parse(t, body).Type; got != want {
			t.Errorf("Parse(%s).Type = %q, want %q", body, got, want)
		}
	}
}

func TestBadInput(t *testing.T) {
	const missing = "Missing fields: message_type"
	const notObject = "The body is valid JSON but not an object. Send one alert at a time, as one JSON object."
	tests := []struct{ name, body, want string }{
		{"nothing said", `{}`, missing},
		{"null is absent", `{"message_type":null}`, missing},
		{"the last one wins, null too", `{"message_type":"critical","message_type":null}`, missing},
		{"blank", `{"message_type":"  "}`, missing},
		{"other case of the name", `{"MESSAGE_TYPE":"critical"}`, missing},
		{"nested", `{"a":{"message_type":"critical"}}`, missing},
		{"array", `[{"message_type":"critical"}]`, notObject},
		{"string", `"x"`, notObject},
		{"number", `12`, notObject},
		{"null", `null`, notObject},
		{"empty", ``, "The body is empty. Expected one JSON object with at least a message_type."},
		{"white space", " \r\n", "The body is empty. Expected one JSON object with at least a message_type."},
		{"cut off", `{"message_type":"cri`, "The body is not valid JSON: at byte 20, unexpected end of JSON input."},
		{"a form", `message_type=critical`, "The body is not valid JSON: at byte 1, invalid character 'm' looking for beginning of value."},
		{"two objects", `{"message_type":"ok"}{}`, "The body is not valid JSON: at byte 22, invalid character '{' after top-level value."},
		{"raw NUL", "{\"message_type\":\"o\x00k\"}", `The body is not valid JSON: at byte 19, invalid character '\x00' in string literal.`},
	}
	for _, tt := range tests {
		_, err := Parse([]byte(tt.body), testOptions())
		var invalid InvalidError
		if !errors.As(err, &invalid) || invalid.Error() != tt.want {
			t.Errorf("%s: Parse(%s) error = %v, want InvalidError %q", tt.name, tt.body, err, tt.want)
		}
	}
}

func TestDefaults(t *testing.T) {
	got := parse(t, `{"message_type":"critical"}`)
	want := alert.Alert{
		Integration: "rest", RoutingKey: "database", Type: alert.Critical,
		EntityID: "made-up", Raw: `{"message_type":"critical"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("least alert (-want +got):\n%s", diff)
	}
	for _, body := range []string{
		`{"message_type":"critical","entity_id":null,"entity_display_name":null,"state_message":null,"x":null}`,
		`{"message_type":"critical","entity_id":" ","entity_display_name":"\n"}`,
	} {
		got := parse(t, body)
		got.Raw = want.Raw
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Parse(%s) (-want +got):\n%s", body, diff)
		}
	}
}

// An identity of ours says nothing: what the alert says is its title.
func TestTitles(t *testing.T) {
	for _, tt := range []struct{ name, body, want string }{
		{"its own", `{"message_type":"critical","entity_id":"db01","entity_display_name":"Disk full","state_message":"93%"}`, "Disk full"},
		{"its own, without an identity", `{"message_type":"critical","entity_display_name":"Disk full","state_message":"93%"}`, "Disk full"},
		{"the identity", `{"message_type":"critical","entity_id":"db01","state_message":"93%"}`, "db01"},
		{"the first line", `{"message_type":"critical","state_message":"\n Disk full \r\n93%"}`, "Disk full"},
		{"none", `{"message_type":"critical","state_message":" \n"}`, ""},
	} {
		if got := parse(t, tt.body).Title; got != tt.want {
			t.Errorf("%s: title %q, want %q", tt.name, got, tt.want)
		}
	}
	if got := parse(t, `{"message_type":"critical","state_message":"`+strings.Repeat("ü", 2*alert.MaxField)+`"}`).Title; got != strings.Repeat("ü", alert.MaxField) {
		t.Errorf("a long line is a title of %d bytes", len(got))
	}
}

func TestRoutingKey(t *testing.T) {
	tests := []struct{ name, url, body, want string }{
		{"from the URL, as typed", "DataBase", `{"message_type":"ok"}`, "DataBase"},
		{"none", "", `{"message_type":"ok"}`, ""},
		{"never replaced by the user", "$routing_key", `{"message_type":"ok"}`, ""},
		{"the body's field does not route", "", `{"message_type":"ok","routing_key":"web"}`, ""},
		{"VO_ROUTING_KEY stands in", "", `{"message_type":"ok","VO_ROUTING_KEY":"web"}`, "web"},
		{"the URL wins", "db", `{"message_type":"ok","VO_ROUTING_KEY":"web"}`, "db"},
		{"unfit for a database", "d\x00b\xff", `{"message_type":"ok"}`, "d\uFFFDb\uFFFD"},
		{"the key typed twice", testKey, `{"message_type":"ok"}`, masked},
	}
	for _, tt := range tests {
		opts := testOptions()
		opts.RoutingKey = tt.url
		a, err := Parse([]byte(tt.body), opts)
		if err != nil || a.RoutingKey != tt.want {
			t.Errorf("%s: RoutingKey = %q, err %v; want %q", tt.name, a.RoutingKey, err, tt.want)
		}
	}
}

func TestTimes(t *testing.T) {
	seconds := time.Date(2026, 4, 3, 17, 38, 32, 0, time.UTC)
	tests := map[string]time.Time{
		`1775237912`:             seconds,
		`"1775237912"`:           seconds,
		`" 1775237912 "`:         seconds,
		`1.775237912e9`:          seconds,
		`1775237912.25`:          seconds.Add(250 * time.Millisecond),
		`1775237912345`:          seconds.Add(345 * time.Millisecond),
		`"1775237912345"`:        seconds.Add(345 * time.Millisecond),
		`0`:                      {},
		`-5`:                     {},
		`17752379123450000`:      {},
		`1e400`:                  {},
		`"NaN"`:                  {},
		`"-Inf"`:                 {},
		`"yesterday"`:            {},
		`"2026-04-03T17:38:32Z"`: {},
		`""`:                     {},
		`true`:                   {},
		`[1775237912]`:           {},
		`null`:                   {},
	}
	for value, want := range tests {
		a := parse(t, fmt.Sprintf(`{"message_type":"ok","timestamp":%s,"state_start_time":%s}`, value, value))
		if !a.SentAt.Equal(want) || !a.StartedAt.Equal(want) {
			t.Errorf("time %s: SentAt %v, StartedAt %v; want %v", value, a.SentAt, a.StartedAt, want)
		}
	}
}

func TestSpellings(t *testing.T) {
	type result struct {
		Host, AckAuthor, AckMessage string
		Fields                      map[string]string
	}
	tests := []struct {
		body string
		want result
	}{
		{`"host_name":"a"`, result{Host: "a"}},
		{`"hostname":"a"`, result{Host: "a"}},
		{`"hostname":"a","host_name":"a"`, result{Host: "a"}},
		{`"hostname":"a","host_name":"b"`, result{Host: "b", Fields: map[string]string{"hostname": "a"}}},
		{`"ack_user":"kim","ack_msg":"on it"`, result{AckAuthor: "kim", AckMessage: "on it"}},
		{`"ack_author":"kim","ack_message":"on it"`, result{AckAuthor: "kim", AckMessage: "on it"}},
		{
			`"ack_author":"kim","ack_user":"k","ack_message":"on it","ack_msg":"o"`,
			result{"", "kim", "on it", map[string]string{"ack_user": "k", "ack_msg": "o"}},
		},
	}
	for _, tt := range tests {
		a := parse(t, `{"message_type":"ok",`+tt.body+`}`)
		if diff := cmp.Diff(tt.want, result{a.Host, a.AckAuthor, a.AckMessage, a.Fields}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.body, diff)
		}
	}
}

func TestAnnotations(t *testing.T) {
	a := parse(t, `{"message_type":"ok",
		"vo_annotate.s.b":"first",
		"trigger_url":"https://t.example/1",
		"vo_annotate.u.a.b..c":"https://a.example",
		"vo_annotate.i.":"https://i.example/x.png",
		"image_url":"ftp://no.example",
		"vo_annotate.u.gone":"x",
		"vo_annotate.s.b":"second",
		"vo_annotate.s.n":12.50,
		"vo_annotate.u.gone":null}`)
	want := []alert.Annotation{
		{Kind: alert.Note, Title: "b", Value: "second"}, // in its first place, with its last value
		{Kind: alert.Link, Title: "Trigger", Value: "https://t.example/1"},
		{Kind: alert.Link, Title: "a.b..c", Value: "https://a.example"},
		{Kind: alert.Image, Title: "https://i.example/x.png", Value: "https://i.example/x.png"},
		{Kind: alert.Note, Title: "n", Value: "12.50"},
	}
	if diff := cmp.Diff(want, a.Annotations); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	fields := map[string]string{"trigger_url": "https://t.example/1", "image_url": "ftp://no.example"}
	if diff := cmp.Diff(fields, a.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestFields(t *testing.T) {
	a := parse(t, `{"message_type":"ok","a":"x","n":10000000000000000000000.50,"b":true,"e":"","o":{ "k" : [ 1, "a \" b" ] },
		"gone":"x","gone":null,"twice":1,"twice":2,"":"no name","nul":"a\u0000b","lone":"\ud800","VO_ROUTING_KEY":"web"}`)
	want := map[string]string{
		"a": "x", "n": "10000000000000000000000.50", "b": "true", "e": "", "o": `{"k":[1,"a \" b"]}`,
		"twice": "2", "": "no name", "nul": "a\uFFFDb", "lone": "\uFFFD", "VO_ROUTING_KEY": "web",
	}
	if diff := cmp.Diff(want, a.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestLimits(t *testing.T) {
	long := strings.Repeat("ü", 30000)
	a := parse(t, fmt.Sprintf(`{"message_type":"ok","entity_id":%[1]q,"entity_display_name":%[1]q,"state_message":%[1]q,
		"monitoring_tool":%[1]q,"host_name":%[1]q,"ack_author":%[1]q,"ack_msg":%[1]q,"vo_annotate.s.x":%[1]q,
		"custom":%[1]q,"object":{"x":%[1]q},%[1]q:"long name"}`, long))
	if err := fits(a); err != nil {
		t.Error(err)
	}
	for name, got := range map[string][2]int{
		"entity id":  {runes(a.EntityID), alert.MaxEntityID},
		"message":    {runes(a.Message), alert.MaxMessage},
		"annotation": {runes(a.Annotations[0].Value), alert.MaxAnnotation},
		"field":      {runes(a.Fields["custom"]), alert.MaxField},
		"object":     {runes(a.Fields["object"]), alert.MaxField},
	} {
		if got[0] != got[1] {
			t.Errorf("%s has %d characters, want %d", name, got[0], got[1])
		}
	}
	if !strings.Contains(a.Raw, long) {
		t.Error("Raw was cut")
	}
}

// A Sensu body of 60 KB is an alert like any other.
func TestLargeObject(t *testing.T) {
	output := strings.Repeat(`line \"x\"\n`, 6000)
	a := parse(t, `{"message_type":"CRITICAL","entity_id":"web1/disk","check": { "output" : "`+output+`" }}`)
	if want := `{"output":"line \"x\"\nline`; !strings.HasPrefix(a.Fields["check"], want) {
		t.Errorf("check = %.40s…, want %s…", a.Fields["check"], want)
	}
	if !strings.Contains(a.Raw, output) {
		t.Error("Raw was cut")
	}
}

func TestInvalidUTF8(t *testing.T) {
	a := parse(t, "{\"message_type\":\"ok\",\"entity_id\":\"caf\xe9\",\"x\":{\"y\": \"\xff\xfe\"}}")
	if err := fits(a); err != nil {
		t.Error(err)
	}
	if a.EntityID != "caf\uFFFD" {
		t.Errorf("EntityID = %q", a.EntityID)
	}
}

func TestSecrets(t *testing.T) {
	tests := []struct{ name, body, raw string }{
		{
			"by name, any case, any value",
			`{"message_type":"ok","API_Key": "s3cret","vo_organization_key":{"s3cret":1},"api_key":null}`,
			`{"message_type":"ok","API_Key": "***","vo_organization_key":"***","api_key":"***"}`,
		},
		{
			"at any depth",
			`{"message_type":"ok","x":[{"api_key" : "s3cret","y":"api_key"}]}`,
			`{"message_type":"ok","x":[{"api_key" : "***","y":"api_key"}]}`,
		},
		{
			"under an escaped name",
			`{"message_type":"ok","api\u005fkey":"s3cret"}`,
			`{"message_type":"ok","api\u005fkey":"***"}`,
		},
		{
			"not in a text that speaks of it",
			`{"message_type":"ok","state_message":"\"api_key\": wrong"}`,
			`{"message_type":"ok","state_message":"\"api_key\": wrong"}`,
		},
		{
			"the request's key anywhere",
			`{"message_type":"ok","entity_id":"x` + testKey + `","vo_annotate.u.hook":"https://h/` + testKey + `/db","` + testKey + `":1}`,
			`{"message_type":"ok","entity_id":"x***","vo_annotate.u.hook":"https://h/***/db","***":1}`,
		},
	}
	for _, tt := range tests {
		a := parse(t, tt.body)
		if a.Raw != tt.raw {
			t.Errorf("%s: Raw = %s, want %s", tt.name, a.Raw, tt.raw)
		}
		if s := fmt.Sprint(a); strings.Contains(s, "s3cret") || strings.Contains(s, testKey) {
			t.Errorf("%s: a secret is left in %s", tt.name, s)
		}
	}
	escaped := parse(t, `{"message_type":"ok","state_message":"key\u003a `+strings.Replace(testKey, "-", `\u002d`, 1)+`"}`)
	if escaped.Message != "key: ***" {
		t.Errorf("key written with escapes: Message = %q", escaped.Message)
	}
}

// A key that could be a word or a piece of JSON is not looked for: the alert
// would be spoilt.
func TestMaskKeySparesTheMessage(t *testing.T) {
	for _, key := range []string{"", "e", "critical", `":"critical","a":"`} {
		opts := testOptions()
		opts.Key = key
		const body = `{"message_type":"critical","a":"b"}`
		if a, err := Parse([]byte(body), opts); err != nil || a.Raw != body {
			t.Errorf("key %q: Raw = %s, err %v", key, a.Raw, err)
		}
	}
}

func runes(s string) int { return utf8.RuneCountInString(s) }

// fits reports what is wrong with a for a database that refuses broken text
// and long values; it is what the fuzz targets hold the parser to.
func fits(a alert.Alert) error {
	check := func(what, s string, limit int) error {
		switch {
		case !utf8.ValidString(s):
			return fmt.Errorf("%s is not valid UTF-8: %q", what, s)
		case strings.Contains(s, "\x00"):
			return fmt.Errorf("%s contains NUL: %q", what, s)
		case runes(s) > limit:
			return fmt.Errorf("%s has %d characters, limit %d", what, runes(s), limit)
		case strings.Contains(s, testKey):
			return fmt.Errorf("%s contains the key: %q", what, s)
		}
		return nil
	}
	errs := []error{
		check("raw", a.Raw, runes(a.Raw)),
		check("entity id", a.EntityID, alert.MaxEntityID),
		check("message", a.Message, alert.MaxMessage),
		check("title", a.Title, alert.MaxField),
		check("routing key", a.RoutingKey, alert.MaxField),
		check("tool", a.Tool, alert.MaxField),
		check("host", a.Host, alert.MaxField),
		check("ack author", a.AckAuthor, alert.MaxField),
		check("ack message", a.AckMessage, alert.MaxField),
	}
	for _, an := range a.Annotations {
		errs = append(errs, check("annotation", an.Value, alert.MaxAnnotation), check("annotation title", an.Title, alert.MaxField))
		if an.Value == "" || an.Title == "" {
			errs = append(errs, fmt.Errorf("empty annotation %+v", an))
		}
	}
	for name, s := range a.Fields {
		errs = append(errs, check("field name", name, alert.MaxField), check("field "+name, s, alert.MaxField))
	}
	if a.EntityID == "" || a.Title == "" && firstLine(a.Message) != "" { // else whoever takes it finds a title
		errs = append(errs, errors.New("entity id or title is empty"))
	}
	types := []alert.Type{alert.Critical, alert.Warning, alert.Info, alert.Acknowledgement, alert.Recovery}
	if !slices.Contains(types, a.Type) {
		errs = append(errs, fmt.Errorf("type %q", a.Type))
	}
	return errors.Join(errs...)
}
