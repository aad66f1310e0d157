package web

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/web/view"
)

func TestExplainPage(t *testing.T) {
	h := newWatch(t)
	h.web.Now = func() time.Time { return time.Date(2026, 11, 22, 11, 7, 0, 0, time.UTC) }
	h.contactsOf("kim", people.Contact{ID: "c-sms", Method: people.SMS, Address: "+49301234567", VerifiedAt: proven})
	page := h.get("olga", "/explain") // whoever reads may ask
	h.has(page, "The routing key “database” leads to the policy Database.", "Step 1 pages Kim", "After 5 minutes", "Step 2 pages Ada", "2026-11-22T12:07", "Text message", `cx`, "As text")
	h.has(h.get("kim", "/explain?key=what&severity=critical"), "is not known: the alert takes the default policy, Everything.", "Step 1 pages Ada")
	h.has(h.get("kim", "/explain?key=database&severity=info"), "No incident: an info alert is only recorded.")
	h.has(h.get("kim", "/explain?key=&severity=critical&team=t-db"), "Storage has one policy")
	h.has(h.get("kim", "/explain?key=database&severity=critical&at=2027-03-28T02:30"), "2027-03-28T03:00") // an hour that is skipped begins where the clocks jump
	for query, status := range map[string]int{"severity=loud": http.StatusUnprocessableEntity, "severity=critical&at=soon": http.StatusOK, "severity=critical&ahead=x": http.StatusOK} {
		if answer, _ := h.ask(request{as: "kim", path: "/explain?" + query}); answer.StatusCode != status {
			t.Errorf("%s: %s, want %d", query, answer.Status, status)
		}
	}
	h.has(h.get("kim", "/explain?severity=critical&at=soon"), "Give a day and a time.")
	if answer, _ := h.ask(request{path: "/explain"}); !refused(answer) {
		t.Errorf("as nobody: %s", answer.Status)
	}
}

// Of the two fields for the instant the one counts that was moved.
func TestSlid(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 12, 7, 0, 0, berlin)
	for query, want := range map[string]string{
		"":                                    "2026-11-22T12:07 0",
		"ahead=0":                             "2026-11-22T12:07 0",
		"ahead=4":                             "2026-11-22T13:00 4",
		"ahead=4&at=A&was=A":                  "2026-11-22T13:00 4",
		"ahead=4&at=2026-11-23T12:00&was=A":   "2026-11-23T12:00 96",
		"at=2026-11-20T12:00":                 "2026-11-20T12:00 0",
		"at=2027-11-20T12:00":                 "2027-11-20T12:00 672",
		"ahead=673":                           "2026-11-22T12:07 0",
		"ahead=-1":                            "2026-11-22T12:07 0",
		"ahead=4&at=2026-11-22T12:07&was=not": "2026-11-22T12:07 0",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/explain?"+query, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		at, ahead, ok := slid(r, now)
		if got := at.Format(typedForm) + " " + strconv.Itoa(ahead); got != want || !ok {
			t.Errorf("%s: %s, %t, want %s", query, got, ok, want)
		}
	}
}

// Marks that would cover one another are put on lanes of their own.
func TestPictureLanes(t *testing.T) {
	var row view.PictureRow
	for _, x := range []float64{3, 3, 5, 40, 41, 90} {
		row.Put(view.Mark{X: x}, 5)
	}
	var lanes []int
	for _, m := range row.Marks {
		lanes = append(lanes, m.Lane)
	}
	if got := lanes; len(got) != 6 || got[0] != 0 || got[1] != 1 || got[2] != 2 || got[3] != 0 || got[4] != 1 || got[5] != 0 {
		t.Errorf("lanes are %v", got)
	}
}

// The axis counts in numbers that people count in, and has room for everything.
func TestNiceLength(t *testing.T) {
	for d, want := range map[time.Duration]time.Duration{
		time.Minute: 4 * time.Minute, 56 * time.Minute: time.Hour, time.Hour: time.Hour, 61 * time.Minute: 80 * time.Minute, 15 * time.Hour: 16 * time.Hour, 48 * time.Hour: pictured,
	} {
		if got := niceLength(d); got != want {
			t.Errorf("niceLength(%s) = %s, want %s", d, got, want)
		}
	}
}
