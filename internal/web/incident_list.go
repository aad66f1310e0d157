package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/incident"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/web/view"
)

// incidentList is the table of all incidents: state, team and q narrow it,
// before is where a page begins, and newer are the beginnings of the pages in
// front of it, so that one can go back the way one came.
func (s *Server) incidentList(w http.ResponseWriter, r *http.Request) error {
	ctx, query := r.Context(), r.URL.Query()
	if n := incidentOf(query.Get("q")); n > 0 && strings.HasPrefix(strings.TrimSpace(query.Get("q")), "#") && !isFragment(r) {
		if _, err := s.incident(ctx, n); err == nil {
			return redirect(w, r, incidentHref(n))
		} else if !fault.Is(err, fault.CodeNotFound) {
			return err
		}
	}
	o, err := s.organisation(ctx)
	if err != nil {
		return err
	}
	page, err := s.page(w, r, o, phrase.T("web.nav.incidents"), "incidents")
	if err != nil {
		return err
	}
	text, words := searched(query.Get("q"))
	page.Search = text
	list := view.IncidentList{
		Page: page, State: query.Get("state"), Team: query.Get("team"), Text: text, Teams: teamsToChoose(o, query.Get("team")),
	}
	if list.State == "" && len(words) > 0 {
		list.State = "all" // whoever searches from the top of a page looks for anything
	}
	head, err := s.Store.Head(ctx)
	if err != nil {
		return err
	}
	found, err := s.Store.Incidents(ctx, store.IncidentFilter{
		States: statesOf(list.State), Team: id.Team(list.Team), Words: words, Before: incidentOf(query.Get("before")), Limit: entriesAtOnce + 1,
	})
	if err != nil {
		return err
	}
	list.Newer, list.Older = neighbours(query, found)
	for _, inc := range found[:min(len(found), entriesAtOnce)] {
		card := bareCard(o, inc)
		card.Seq = head.Seq
		list.Rows = append(list.Rows, card)
	}
	return draw(w, r, http.StatusOK, view.IncidentListPage(list))
}

func statesOf(name string) []incident.State {
	switch state := incident.State(name); state {
	case incident.Triggered, incident.Acknowledged, incident.Resolved:
		return []incident.State{state}
	}
	if name == "all" {
		return nil
	}
	return []incident.State{incident.Triggered, incident.Acknowledged}
}

// maxTrail bounds how many pages one can go back one by one.
const maxTrail = 40

// neighbours are the addresses of the pages beside the one that query asks for.
func neighbours(query url.Values, found []incident.Incident) (newer, older string) {
	trail := query["newer"]
	address := func(before string, trail []string) string {
		q := url.Values{}
		for _, name := range []string{"state", "team", "q"} {
			if v := query.Get(name); v != "" {
				q.Set(name, v)
			}
		}
		if before != "" && before != "0" {
			q.Set("before", before)
		}
		q["newer"] = trail
		if len(q.Encode()) == 0 {
			return "/incidents"
		}
		return "/incidents?" + q.Encode()
	}
	here := query.Get("before")
	if here != "" {
		back := "0"
		if len(trail) > 0 {
			back, trail = trail[len(trail)-1], trail[:len(trail)-1]
		}
		newer = address(back, trail)
	} else {
		here = "0"
	}
	if len(found) > entriesAtOnce {
		next := append(append([]string{}, query["newer"]...), here)
		older = address(strconv.FormatInt(int64(found[entriesAtOnce-1].ID), 10), next[max(0, len(next)-maxTrail):])
	}
	return newer, older
}
