package command

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNewNamesWhatIsWrong(t *testing.T) {
	good := Declaration{ID: "vm.start", Words: []string{"vm", "start"}, Aliases: []string{"start"}, Summary: "Start a machine", Risk: Changes}
	with := func(change func(*Declaration)) Declaration {
		d := Declaration{ID: "other", Words: []string{"other"}, Summary: "Other", Risk: Reads}
		change(&d)
		return d
	}
	args := func(args ...Arg) Declaration { return with(func(d *Declaration) { d.Args = args }) }
	tests := []struct {
		intent string
		d      Declaration
		want   string
	}{
		{"good", with(func(*Declaration) {}), ""},
		{"longer words", with(func(d *Declaration) { d.Words = []string{"vm", "start", "all"} }), ""},
		{"the same words", with(func(d *Declaration) { d.Words = []string{"vm", "start"} }), `vm.start and other are both called "vm start"`},
		{"words that are an alias", with(func(d *Declaration) { d.Words = []string{"start"} }), `vm.start and other are both called "start"`},
		{"an alias of others", with(func(d *Declaration) { d.Aliases = []string{"vm start"} }), `vm.start and other are both called "vm start"`},
		{"an alias twice", with(func(d *Declaration) { d.Aliases = []string{"other"} }), `other is called "other" twice`},
		{"the same id", with(func(d *Declaration) { d.ID = "vm.start" }), `"vm start" and "other" both have the id vm.start`},
		{"no id", with(func(d *Declaration) { d.ID = "" }), "id: use"},
		{"no words", with(func(d *Declaration) { d.Words = nil }), "words: give"},
		{"too many words", with(func(d *Declaration) { d.Words = slices.Repeat([]string{"a"}, 7) }), "words: give"},
		{"a wrong word", with(func(d *Declaration) { d.Words = []string{"Start"} }), `word "Start"`},
		{"a wrong alias", with(func(d *Declaration) { d.Aliases = []string{"start!"} }), `alias "start!"`},
		{"an empty alias", with(func(d *Declaration) { d.Aliases = []string{" "} }), `alias " "`},
		{"no summary", with(func(d *Declaration) { d.Summary = " " }), "summary:"},
		{"no risk", with(func(d *Declaration) { d.Risk = "" }), `risk ""`},
		{"a wrong permission", with(func(d *Declaration) { d.Permission = "vm.*" }), "permission"},
		{"too long", with(func(d *Declaration) { d.Timeout = 25 * time.Hour }), "timeout"},
		{"no half runs", with(func(d *Declaration) { d.Concurrency = -1 }), "concurrency"},
		{"no approval below none", with(func(d *Declaration) { d.Approval.Count = -1 }), "approval"},
		{"a lock of nothing", with(func(d *Declaration) { d.Lock = "vm/{name}" }), `lock: there is no argument "name"`},
		{"a scope of nothing", with(func(d *Declaration) { d.Scope = "name" }), `scope: there is no argument "name"`},
		{"an argument without a name", args(Arg{}), "name: use"},
		{"a name that would mean no", args(Arg{Name: "no-room"}), "not with no-"},
		{"an option of ours", args(Arg{Name: "reason"}), "every command has"},
		{"twice", args(Arg{Name: "a"}, Arg{Name: "a"}), `"a" is there twice`},
		{"a wrong type", args(Arg{Name: "a", Type: "float"}), `type "float"`},
		{"an enum of nothing", args(Arg{Name: "a", Type: Enum}), "needs values"},
		{"values of no enum", args(Arg{Name: "a", Type: Int, Values: []string{"1"}}), "values are for an enum"},
		{"a value of two words", args(Arg{Name: "a", Type: Enum, Values: []string{"a b"}}), "no spaces"},
		{"many secrets", args(Arg{Name: "a", Type: Secret, Many: true}), "cannot be many"},
		{"a secret everybody knows", args(Arg{Name: "a", Type: Secret, Default: "x"}), "no default"},
		{"required, or not", args(Arg{Name: "a", Required: true, Default: "x"}), "no default"},
		{"a switch that is always on", args(Arg{Name: "a", Type: Bool, Option: true, Required: true}), "on or off"},
		{"a rest as an option", args(Arg{Name: "a", Type: Rest, Option: true}), "cannot be an option"},
		{"a bad pattern", args(Arg{Name: "a", Pattern: "("}), "pattern: error parsing"},
		{"a pattern of a number", args(Arg{Name: "a", Type: Int, Pattern: "1"}), "a pattern is for a string"},
		{"bounds the wrong way round", args(Arg{Name: "a", Type: Int, Min: new(int64(2)), Max: new(int64(1))}), "min is greater"},
		{"bounds of a text", args(Arg{Name: "a", Min: new(int64(2))}), "min and max are for"},
		{"after the rest", args(Arg{Name: "a", Type: Rest}, Arg{Name: "b"}), `"b" can never be given`},
		{"an option after the rest", args(Arg{Name: "a", Type: Rest}, Arg{Name: "b", Option: true}), ""},
		{"after many", args(Arg{Name: "a", Many: true}, Arg{Name: "b"}), `"b" can never be given`},
		{"required after what may be anything", args(Arg{Name: "a"}, Arg{Name: "b", Required: true}), "cannot be told from it"},
		{"required after what can be told", args(Arg{Name: "a", Type: Incident}, Arg{Name: "b", Required: true}), ""},
	}
	for _, tt := range tests {
		tr, err := New([]Declaration{good, tt.d})
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: New() = %v, want %q", tt.intent, err, tt.want)
		}
		if _, ok := tr.Named("start"); !ok {
			t.Errorf("%s: what is right is missing", tt.intent)
		}
		if want := 2; tt.want == "" && len(tr.All()) != want || tt.want != "" && len(tr.All()) != 1 {
			t.Errorf("%s: %d commands", tt.intent, len(tr.All()))
		}
	}
}

func TestOnly(t *testing.T) {
	tr := tree(t)
	looks := tr.Only(func(d Declaration) bool { return d.Risk == Reads })
	if looks.First("ack") || !looks.First("whoami") || !tr.First("ack") {
		t.Error("Only() changed something else")
	}
	if _, ok := looks.Find("incident.ack"); ok {
		t.Error("a command that may not be run is found by id")
	}
	if got := looks.Nearest("acc 17"); slices.Contains(got, "incident ack") {
		t.Errorf("Nearest() = %v names what may not be run", got)
	}
	if p, err := looks.Parse("incident ack 17", newWorld(t)); err == nil || p.Declaration.ID != "" || strings.Contains(err.Error(), "incident ack,") {
		t.Errorf("Parse() = %v, %v", p, err)
	}
	if d, ok := tr.Named("INCIDENT  close"); !ok || d.ID != "incident.resolve" {
		t.Errorf("Named() = %v, %t", d.ID, ok)
	}
}

func TestNearest(t *testing.T) {
	tr := tree(t)
	for line, want := range map[string]string{
		"akc 17":          "incident ack",
		"incident akc 17": "incident ack",
		"resolv":          "incident resolve",
		"deploi run shop": "deploy run",
		"status":          "deploy status",
		"hepl":            "help",
		"secretl":         "",
		"frobnicate":      "",
		"":                "",
		"x":               "",
		"whoam i":         "whoami",
	} {
		got := tr.Nearest(line)
		if want == "" && len(got) > 0 || want != "" && (len(got) == 0 || got[0] != want) {
			t.Errorf("Nearest(%q) = %v, want %q first", line, got, want)
		}
	}
}

func TestPlain(t *testing.T) {
	tests := map[string]string{
		"who is on call for database?":                     "oncall database",
		"who's on call":                                    "oncall",
		"Who is on call now in database":                   "oncall database",
		"who is on call for the database team right now??": "oncall database",
		"is anybody on call for site reliability?":         `oncall "site reliability"`,
		"who has the pager?":                               "oncall",
		"who is oncall for @@web":                          "oncall @@web",
		"ack 17 please":                                    "ack 17",
		"please ack #17, 18 and 19":                        "ack 17 18 19",
		"could you acknowledge incident 17, thanks!":       "ack 17",
		"I'll take 17":                                     "ack 17",
		"17 is fixed":                                      "resolve 17",
		"close 17":                                         "resolve 17",
		"snooze 17 for 2 hours":                            `snooze 17 "2 hours"`,
		"snooze #17 for 1h please":                         "snooze 17 1h",
		"what is open?":                                    "incident list",
		"what's going on":                                  "incident list",
		"show open incidents":                              "incident list",
		"page kim please":                                  "page kim",
		"help me with ack":                                 "help ack",
		"how do I deploy run?":                             "help deploy run",
		"what can you do?":                                 "help",
		"who am I?":                                        "whoami",
		"what do I have to approve?":                       "pending",
		"hey, what's open?":                                "incident list",

		"page kim":                             "", // is a command already
		"oncall database":                      "",
		"page kim the disk is full please":     "",
		"note 17 who is on call for database?": "",
		"ack 17 and tell kim":                  "",
		"who is on call for\ndatabase":         "",
		"thanks":                               "",
		"is 17 fixed":                          "",
		"":                                     "",
		"who is on call for " + strings.Repeat("x", 300): "",
	}
	tr, w := tree(t), newWorld(t)
	for line, want := range tests {
		got, ok := tr.Plain(line)
		if ok != (want != "") || ok && got != want {
			t.Errorf("Plain(%q) = %q, %t, want %q", line, got, ok, want)
			continue
		}
		if _, err := tr.Parse(got, w); ok && err != nil {
			t.Errorf("Plain(%q) = %q: %v", line, got, err)
		}
	}
	none, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := none.Plain("what is open?"); ok {
		t.Errorf("Plain() = %q, which is no command here", got)
	}
}
