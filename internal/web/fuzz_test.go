package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/timeline"
	"github.com/watchroom/watchroom/internal/web/view"
)

// posts makes a form as a browser would send it.
func posts(t *testing.T, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_ = r.ParseForm() // what can be read of a broken form is read
	return r
}

// FuzzRotationForm sends anything as the form of a rotation, and any button of
// it. What the form finds right, the rule's own check finds right but for names
// that only the organisation knows.
func FuzzRotationForm(f *testing.F) {
	f.Add("name=X&zone=Europe/Berlin&layers=1&0.every=1&0.unit=weeks&0.handoff=09:00&0.start=2026-01-05&0.member=kim&0.member=ana", "up:0:1")
	f.Add("name=X&zone=UTC&layers=2&0.unit=hours&1.unit=days&1.add=kim", "add-layer")
	f.Add("layers=-1", "drop-layer:0")
	f.Add("layers=99&0.member=&%zz", "down:0:-1:::")
	now := time.Date(2026, 7, 1, 9, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body, do string) {
		d := readRotation(posts(t, body))
		d.reshape(do, now)
		if len(d.Layers) > maxLayers {
			t.Fatalf("%d layers", len(d.Layers))
		}
		r, errs := d.rotation()
		for _, l := range r.Layers {
			if len(l.Members) > maxTurns {
				t.Errorf("%d turns in a layer", len(l.Members))
			}
			if len(errs) == 0 && (l.Every < 1 || l.Every > oncall.MaxEvery || !slices.Contains(units(), l.Unit)) {
				t.Errorf("nothing is wrong with %+v", l)
			}
		}
		d.form(&org.Org{})
		draftOf(r).form(&org.Org{})
	})
}

// FuzzPolicyForm is the same for escalation policies.
func FuzzPolicyForm(f *testing.F) {
	f.Add("name=X&repeat=1&repeat_after=1h&steps=2&0.after=0&0.target=user:kim&1.after=5m&1.add=team:ops", "down:0")
	f.Add("name=X&steps=1&0.after=99999999999h&0.target=user:&0.target=x", "add:0")
	f.Add("steps=-1&repeat=-9223372036854775808", "drop:0:0")
	f.Fuzz(func(t *testing.T, body, do string) {
		d := readPolicy(posts(t, body))
		d.reshape(do)
		if len(d.Steps) > escalation.MaxSteps {
			t.Fatalf("%d steps", len(d.Steps))
		}
		p, errs := d.policy()
		for _, s := range p.Steps {
			if len(s.Targets) > maxTargets {
				t.Errorf("%d targets in a step", len(s.Targets))
			}
			if len(errs) == 0 && (s.After < 0 || s.After > escalation.Duration(escalation.MaxAfter) || len(s.Targets) == 0) {
				t.Errorf("nothing is wrong with %+v", s)
			}
		}
		d.form(&org.Org{}, "UTC")
		draftOfPolicy(p).form(&org.Org{}, "UTC")
	})
}

// FuzzLocalPath offers addresses to go to after signing in; a browser that
// follows one stays here.
func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/incidents?x=1#y", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/%2f/evil.example", "javascript:x", ""} {
		f.Add(s)
	}
	here := &url.URL{Scheme: "https", Host: "watch.example.org", Path: "/login"}
	f.Fuzz(func(t *testing.T, next string) {
		path := localPath(next)
		u, err := here.Parse(path)
		if err != nil || u.Host != here.Host || u.Scheme != here.Scheme || u.User != nil {
			t.Errorf("localPath(%q) = %q, which leads to %v, %v", next, path, u, err)
		}
		// Browsers drop tabs and line ends, and read a backslash as a slash.
		if bare := strings.NewReplacer("\t", "", "\r", "", "\n", "", "\\", "/").Replace(path); !strings.HasPrefix(bare, "/") || strings.HasPrefix(bare, "//") {
			t.Errorf("localPath(%q) = %q", next, path)
		}
		if again := localPath(path); again != path {
			t.Errorf("localPath(%q) = %q", path, again)
		}
	})
}

// FuzzFlash reads the cookie with the messages for the next page, as it comes
// and in the right coding; it is always removed.
func FuzzFlash(f *testing.F) {
	f.Add(`[{"Tone":"ok","Text":"Saved."}]`)
	f.Add(`null`)
	f.Add(strings.Repeat("[", 5000))
	s := &Server{}
	f.Fuzz(func(t *testing.T, text string) {
		for _, value := range []string{text, base64.RawURLEncoding.EncodeToString([]byte(text))} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
			r.AddCookie(&http.Cookie{Name: s.flashName(), Value: value})
			w := httptest.NewRecorder()
			found := s.takeFlash(w, r)
			if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
				t.Errorf("the cookie is not removed: %v", c)
			}
			var want []view.Flash
			if err := json.Unmarshal([]byte(text), &want); err != nil && value != text && found != nil {
				t.Errorf("messages of %q: %v", text, found)
			}
		}
	})
}

// FuzzQuery reads the address of a page, its stream and the snooze form. What
// is nonsense is refused or ignored; what is taken is within its limits.
func FuzzQuery(f *testing.F) {
	f.Add("kind=alerts&kind=x&team=ops&incident=%2342&q=disk+full&before=10&limit=9999&at=2026-03-29", "12", "20m", "2026-03-29T02:30", "09:00")
	f.Add("after=-1&at=9999-12-31T23:59:59-12:00", "9223372036854775808", "-9999999h", "", "25:00")
	f.Add("q="+strings.Repeat("a+", 200), "", "", "2026-01-01T00:00:00Z", "")
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 3, 28, 23, 30, 0, 0, berlin)
	f.Fuzz(func(t *testing.T, query, last, how, until, morning string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.URL.RawQuery = query
		r.Header.Set("Last-Event-ID", last)
		if afterOf(r) < 0 {
			t.Errorf("Last-Event-ID %q, query %q: a number below 0", last, query)
		}
		q := r.URL.Query()
		chosen := filterOf(q)
		if len(chosen.words) > maxWords || chosen.incident < 0 || !slices.IsSorted(chosen.kinds) {
			t.Errorf("filter of %q: %+v", query, chosen)
		}
		for _, k := range chosen.kinds {
			if !slices.Contains(timeline.Kinds, k) {
				t.Errorf("filter of %q has kind %q", query, k)
			}
		}
		chosen.match(timeline.Entry{})
		p, err := positionOf(q, berlin)
		switch {
		case err != nil && !fault.Is(err, fault.CodeInvalid):
			t.Errorf("position of %q: %v", query, err)
		case err == nil && (p.before < 0 || p.after < 0 || p.limit < 1 || p.limit > mostAtOnce || !p.at.IsZero() && p.at.UnixMicro() < p.at.AddDate(-1, 0, 0).UnixMicro()):
			t.Errorf("position of %q: %+v", query, p)
		}
		if _, err := snoozeUntil(how, until, morning, now); err != nil && !fault.Is(err, fault.CodeInvalid) {
			t.Errorf("snooze for %q until %q: %v", how, until, err)
		}
		for _, next := range []func(string, time.Time) time.Time{nextMorning, nextMonday} {
			if at := next(morning, now); !at.After(now) || at.After(now.Add(dispatch.MaxSnooze)) {
				t.Errorf("the morning after %v at %q is %v", now, morning, at)
			}
		}
	})
}
