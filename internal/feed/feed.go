// Package feed serves the rotas as calendars that programs subscribe to, of one
// person or of one rotation: GET /calendar/{key}.ics. The key in the address is
// the only permission, so that it works in every calendar program; whoever made
// the feed can revoke it. Format: RFC 5545, rendered by ical.
//
// A feed shows from a month ago to a year ahead, in whole days, so that within a
// day an unchanged rota is byte for byte the same and is not sent again. Unknown
// and revoked keys are not found, whatever they were once. Making and revoking
// feeds is left to dispatch.
package feed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/httpd"
	"github.com/watchroom/watchroom/internal/ical"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
)

// Pattern is where the handler belongs in a ServeMux.
const Pattern = "GET /calendar/{file}"

const (
	monthsBack  = 1
	monthsAhead = 12
	refresh     = time.Hour // how often programs are advised to look
	freshFor    = 5 * time.Minute
)

// Feeds finds the feed that a key opens; fault.CodeNotFound for an unknown key.
type Feeds interface {
	Feed(ctx context.Context, key string) (org.Feed, error)
}

// Rotas gives the organisation and the time.
type Rotas interface {
	Org(ctx context.Context) (*org.Org, error)
	Now(ctx context.Context) (time.Time, error)
}

// Server answers calendar programs.
type Server struct {
	feeds     Feeds
	rotas     Rotas
	publicURL string
}

// New returns a Server whose events link to the rotas under publicURL.
func New(f Feeds, r Rotas, publicURL string) *Server { return &Server{f, r, publicURL} }

var _ httpd.HandlerFunc = (*Server)(nil).Serve

// Serve answers one request for Pattern.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request) error {
	key, ok := strings.CutSuffix(r.PathValue("file"), org.FeedSuffix)
	if !ok || key == "" {
		return fault.NotFound("")
	}
	f, err := s.feeds.Feed(r.Context(), key)
	if err != nil {
		return err
	}
	o, err := s.rotas.Org(r.Context())
	if err != nil {
		return fmt.Errorf("calendar feed %s: %w", f.ID, err)
	}
	now, err := s.rotas.Now(r.Context())
	if err != nil {
		return fmt.Errorf("calendar feed %s: %w", f.ID, err)
	}
	body := Render(o, f, now, s.publicURL)
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	h := w.Header()
	h.Set("Etag", tag)
	h.Set("Cache-Control", "private, max-age="+strconv.Itoa(int(freshFor.Seconds()))+", must-revalidate")
	h.Set("X-Robots-Tag", "noindex")
	if matches(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `inline; filename="on-call.ics"`)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // whoever asked may have left
	}
	return nil
}

// matches reports whether a program has the state that tag names (RFC 9110 §13.1.2).
func matches(ifNoneMatch, tag string) bool {
	for have := range strings.SplitSeq(ifNoneMatch, ",") {
		// Compression on the way marks a tag as weak; the state it names is the same.
		if have = strings.TrimPrefix(strings.TrimSpace(have), "W/"); have == "*" || have == tag {
			return true
		}
	}
	return false
}

// Render is the calendar of a feed on the day of an instant, by the rotas with
// their overrides.
func Render(o *org.Org, f org.Feed, now time.Time, publicURL string) []byte {
	day := now.UTC().Truncate(24 * time.Hour)
	from, to := day.AddDate(0, -monthsBack, 0), day.AddDate(0, monthsAhead, 0)
	cal := ical.Feed{Refresh: refresh}
	rotations := org.Sorted(o.Rotations, func(r oncall.Rotation) string { return r.Name })
	if f.User != "" {
		cal.Name = phrase.T("feed.name", o.UserName(f.User))
		cal.Zone = o.Users[f.User].Location()
	} else {
		r := o.Rotations[f.Rotation]
		cal.Name = phrase.T("feed.name", r.Name)
		if zone, err := time.LoadLocation(r.Zone); err == nil {
			cal.Zone = zone
		}
		rotations = []oncall.Rotation{r}
	}
	for _, r := range rotations {
		plan := o.Schedule(r.ID)
		if plan == nil {
			continue
		}
		for _, s := range plan.Between(from, to) {
			if f.User == "" || s.User == f.User {
				cal.Events = append(cal.Events, event(o, f, r, s, to, publicURL))
			}
		}
	}
	slices.SortStableFunc(cal.Events, func(a, b ical.Event) int { return a.Start.Compare(b.Start) })
	return cal.Render()
}

// event is a shift; one without an end goes as far as the feed.
func event(o *org.Org, f org.Feed, r oncall.Rotation, s oncall.Shift, to time.Time, publicURL string) ical.Event {
	e := ical.Event{
		UID:     fmt.Sprintf("%s-%d-%d-%s@watchroom", r.ID, s.Layer, s.Start.Unix(), s.User),
		Summary: o.UserName(s.User), Description: phrase.T("feed.rotation", r.Name, r.Zone), URL: publicURL + "/oncall",
		Start: s.Start, End: s.End, Override: s.Override != "",
	}
	if f.User != "" {
		e.Summary = phrase.T("feed.summary", r.Name)
	}
	if s.LayerName != "" {
		e.Summary = phrase.T("feed.layer", e.Summary, s.LayerName)
	}
	if s.Instead != "" {
		e.Description += "\n" + phrase.T("feed.instead", o.UserName(s.Instead))
	}
	if s.End.IsZero() {
		e.End = to
		e.Description += "\n" + phrase.T("feed.open")
	}
	return e
}
