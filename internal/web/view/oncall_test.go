package view

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"

	"github.com/watchroom/watchroom/internal/phrase"
)

func sampleCalendar() Calendar {
	bar := CalendarBar{Kind: BarShift, X: "0%", W: "40%", Name: "Ana Ruiz", Rotation: "Storage", When: "Mon 23 Nov 09:00 – Wed 25 Nov 09:00", Href: "/oncall/shift?rotation=x", Yours: true, Before: true}
	over, gap, off := bar, bar, bar
	over.Kind, over.X, over.Name, over.Instead, over.Warn = BarOverride, "40%", "Bo Lindqvist", "instead of Ana Ruiz", "Bo Lindqvist is away, Tue"
	gap.Kind, gap.Name, off.Kind, off.Name, off.Href = BarGap, "Nobody", BarOff, "Off hours", ""
	lane := CalendarLane{Bars: []CalendarBar{bar, over, gap, off}}
	return Calendar{
		Page: samplePage("On call", "oncall"), Tabs: []Tab{{Label: "Calendar", Href: "/oncall", Current: true}}, Title: "23 – 29 November 2026", View: "week", From: "2026-11-23",
		Views: []SideLink{{Label: "Week", Href: "/oncall", Current: true}}, Teams: []Option{{Value: "t", Label: "T"}, {Value: "u", Label: "U"}}, Rotations: []Option{{Value: "r", Label: "R"}, {Value: "s", Label: "S"}},
		Prev: "/oncall?from=a", Next: "/oncall?from=b", Today: "/oncall", Self: "/oncall", Start: ago(time.Hour), End: ago(-time.Hour), Now: "50%", CanAct: true, CanEdit: true,
		Days:     []CalendarDay{{X: "0%", W: "50%", Name: "Mon", Number: "23", Label: "Monday 23 November", Clocks: "23 hours", Today: true}, {X: "50%", W: "50%", Name: "Sat", Number: "28", Href: "/oncall", Weekend: true}},
		Rows:     []CalendarRow{{ID: "r", Name: "Storage", Team: "Storage", Href: "/settings/rotations/r", Zone: "Asia/Tokyo", Lanes: []CalendarLane{lane}, Layers: []CalendarLane{lane}}},
		Agenda:   []AgendaDay{{Label: "Monday", Today: true}, {Label: "Tuesday", Items: []AgendaItem{{CalendarBar: over, From: "09:00", To: "17:00"}, {CalendarBar: gap, Running: true}, {CalendarBar: off}}}},
		Problems: []SettingsProblem{{Object: "Storage", Text: "nobody", Href: "/oncall/override?x=y"}, {Object: "Shop", Text: "x", Href: "/settings"}},
	}
}

// onCallGallery is every page of the area in its states.
func onCallGallery() map[string]templ.Component {
	d := Dialogue{Page: samplePage("On call", "oncall"), Title: "Ana Ruiz in Storage", Back: "/oncall"}
	shift := ShiftView{
		Dialogue: d, Rotation: "Storage", RotationID: "r", RotationHref: "/settings/rotations/r", Team: "Storage", LayerName: "First", Person: PersonRow{Name: "Ana Ruiz", You: true, Warning: "No way to page this person"},
		When: "Mon 09:00 – 17:00", There: "Mon 17:00", Zone: "Asia/Tokyo", Running: true, Away: "Ana Ruiz is away", Override: &OverrideView{ID: "o", Instead: "instead of Bo", By: "Kim", Note: "dentist", When: "Mon"},
		CanTake: true, CanHandBack: true, CanRemove: true, SwapHref: "/oncall/swap", CoverHref: "/oncall/override",
	}
	errs := map[string]string{"from": "That is not a time.", "until": "x", "user": "x", "for": "x", "rotation": "x", "to": "x", "return_until": "x"}
	change := ChangePreview{
		Totals: []TotalRow{{"Ana Ruiz", "ok", "+ 12 hours"}}, Rows: []ChangeRow{{"Mon", "First", "", "Ana Ruiz"}}, More: "and more", Clocks: []string{"The clocks change."}, Warnings: []string{"Careful."}, Problem: "p",
	}
	over := OverrideForm{Dialogue: d, Rotations: []Option{{Value: "r", Label: "R"}}, Layers: []Option{{Value: "0", Label: "a"}, {Value: "1", Label: "b"}}, Errors: errs, Error: "No.", Preview: change, Zone: "UTC"}
	swap := SwapRow{ID: "s", Rotation: "Storage", From: "Ana Ruiz", To: "Kim", Note: "n", When: "Mon", Return: "Tue", State: "asked"}
	done := swap
	done.State = "accepted"
	hours := HoursField{Days: []Option{{Value: "monday", Label: "Mon", Hint: "Monday", Selected: true}}, From: "09:00", To: "17:00", Until: []Option{{Label: "same or next day"}}, Text: "Mon 09:00 – 17:00"}
	editor := RotationForm{
		Page: samplePage("Storage", "settings"), ID: "r", Name: "Storage", Layers: []LayerForm{{Alone: true, Every: "1", Unit: "weeks", Hours: []HoursField{hours}, Count: true}},
		Errors:  map[string]string{"0.hours.0.from": "x", "0.count": "x"},
		Preview: RotationPreview{Zone: "UTC", Compared: true, Changes: change, Clocks: []ClockNote{{Title: "The clocks", Lines: []string{"a"}}}},
	}
	looker := editor
	looker.Page.Viewer.Can = nil
	empty := Calendar{Page: samplePage("On call", "oncall"), Empty: true, CanEdit: true}
	none := sampleCalendar()
	none.Rows, none.Problems, none.Page.Viewer.Can, none.CanAct = nil, nil, nil, false
	return map[string]templ.Component{
		"calendar": CalendarPage(sampleCalendar()), "calendar-empty": CalendarPage(empty), "calendar-none": CalendarPage(none), "shift": ShiftPage(shift), "override": OverridePage(over),
		"away":       AwayPage(Away{Page: d.Page, CanAct: true, Absences: []AbsenceRow{{ID: "a", Name: "Ana Ruiz", Note: "leave", When: "Mon", Now: true, CanRemove: true, Conflicts: []ConflictRow{{"Storage", "Mon", "/oncall/override"}}}}, ForMe: []SwapRow{swap}, Mine: []SwapRow{swap}, Recent: []SwapRow{done}}),
		"away-empty": AwayPage(Away{Page: d.Page, CanAct: true}), "absence": AbsencePage(AbsenceForm{Dialogue: d, People: []Option{{Value: "u", Label: "U"}}, Errors: errs, Error: "No."}),
		"swap": SwapPage(SwapForm{Dialogue: d, Rotation: "Storage", Errors: errs, Error: "No.", Zone: "UTC"}), "rotation": RotationPage(editor), "rotation-read": RotationPage(looker),
		"feeds":  FeedsPage(Feeds{Page: d.Page, URL: "https://watch.example/calendar/x.ics", Error: "No.", CanAct: true, Rotations: []Option{{Value: "r", Label: "R"}}, Feeds: []FeedRow{{ID: "f", Person: true, Name: "Ana", Owner: "Kim", At: ago(time.Hour)}, {ID: "g", Name: "R", Yours: true}}}),
		"import": ImportPage(ImportForm{Page: d.Page, Rotation: "R", Href: "/settings/rotations/r", Error: "No.", Zone: "UTC", Layers: []Option{{Value: "0", Label: "a", Selected: true}, {Value: "1", Label: "b"}}}),
		"import-plan": ImportPage(ImportForm{Page: d.Page, Calendar: "BEGIN:VCALENDAR", Plan: &ImportPlan{
			Made: 3, Same: 1, Unmatched: 1, MadeRows: []ChangeRow{{When: "Mon", Becomes: "Ana"}}, UnmatchedRows: []ChangeRow{{When: "Tue", Becomes: "Zed"}},
		}}),
	}
}

var (
	files   = regexp.MustCompile(`(?:href|src)="/static/[^"]*"`)
	unsaid  = regexp.MustCompile(`\b(?:calendar|oncall_web|settings|web)\.[a-z_]+[a-z_.]*`)
	literal = regexp.MustCompile(`\b(cal|ot)\("([a-z_.]+)"`)
)

func TestOnCallPagesNeedNothingInline(t *testing.T) {
	dir := os.Getenv("WATCHROOM_GALLERY") // set it to look at the pages
	if dir == "" {
		dir = t.TempDir()
	}
	for name, page := range onCallGallery() {
		var b bytes.Buffer
		if err := page.Render(t.Context(), &b); err != nil {
			t.Fatalf("render %s: %v", name, err)
		}
		for _, bad := range []string{" style=", " onclick=", "hx-on", "<style", "javascript:", "%!"} {
			if strings.Contains(b.String(), bad) {
				t.Errorf("%s contains %q", name, bad)
			}
		}
		text := files.ReplaceAllString(b.String(), "")
		if key := unsaid.FindString(text); key != "" {
			t.Errorf("%s says %q instead of a text", name, key)
		}
		if err := os.WriteFile(filepath.Join(dir, "oncall-"+name+".html"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Texts that are asked for through the short helpers are in the catalogue, also
// those of states that the gallery does not have.
func TestOnCallTextsExist(t *testing.T) {
	for _, pattern := range []string{"*.templ", "*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range literal.FindAllStringSubmatch(string(text), -1) {
				area := map[string]string{"cal": "calendar.", "ot": "oncall_web."}[m[1]]
				if key := area + m[2]; !strings.HasSuffix(key, ".") && !phrase.Has(key) {
					t.Errorf("%s asks for %q, which is not in the catalogue", name, key)
				}
			}
		}
	}
}
