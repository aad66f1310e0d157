package crash

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/timeline"
)

// check looks for what was lost or done twice.
func (n *node) check(accepted *record, kills int) {
	n.Helper()
	s := n.open()
	defer s.Close()
	entries := n.entries(s)
	incidents := map[string]id.Incident{}
	second := map[id.Incident]int{}
	for i, e := range entries {
		if e.Seq != id.Seq(i+1) {
			n.Fatalf("entry %d has number %d", i+1, e.Seq)
		}
		switch p := e.Payload.(type) {
		case timeline.Triggered:
			if other, twice := incidents[p.EntityID]; twice {
				n.Errorf("entity %s has two open incidents, %d and %d", p.EntityID, other, e.Incident)
			}
			incidents[p.EntityID] = e.Incident
		case timeline.Step:
			if p.Step == 2 {
				second[e.Incident]++
			}
		}
	}
	lost := 0
	for entity := range accepted.entities {
		if incidents[entity] == 0 {
			lost++
		}
	}
	if lost > 0 {
		n.Errorf("%d of %d accepted entities are lost", lost, len(accepted.entities))
	}
	stored := n.countAlerts(s)
	if stored < accepted.alerts {
		n.Errorf("%d alerts were accepted, %d are stored", accepted.alerts, stored)
	}
	again := 0
	mails := n.mailsByIncident()
	for _, inc := range incidents {
		if second[inc] != 1 {
			n.Errorf("incident %d came %d times to its second step, want once", inc, second[inc])
		}
		again += n.checkPages(s, inc, mails[inc])
	}
	n.Logf("%d kills: %d alerts accepted, %d incidents, %d mails, %d pages tried again", kills, accepted.alerts, len(incidents), n.mail.Count(), again)
	if len(incidents) == 0 {
		n.Error("no incident was opened: the test has tested nothing")
	}
}

// checkPages: each page was sent; one that was tried once arrived exactly once.
func (n *node) checkPages(s *store.Store, inc id.Incident, mails map[string]int) (again int) {
	n.Helper()
	pages, err := s.Deliveries(n.Context(), inc)
	if err != nil {
		n.Fatal(err)
	}
	if len(pages) != 2 {
		n.Errorf("incident %d has %d pages, want one for each step", inc, len(pages))
	}
	for _, p := range pages {
		if p.State != store.Sent {
			n.Errorf("incident %d: the page to %s is %s (%s)", inc, p.Person, p.State, p.Body.Detail)
		}
		if p.Attempt > 1 {
			again++
		}
		if p.Person == "second" {
			continue // its bundles are long and do not name every incident
		}
		got := mails[p.Body.Address]
		if got == 0 || p.Attempt == 1 && got != 1 || got > p.Attempt {
			n.Errorf("incident %d: %d mails to %s after %d tries", inc, got, p.Person, p.Attempt)
		}
	}
	return again
}

var incidentLink = regexp.MustCompile(`/incidents/(\d+)$`)

// mailsByIncident counts for each incident how many mails each address got about it.
func (n *node) mailsByIncident() map[id.Incident]map[string]int {
	n.Helper()
	found := map[id.Incident]map[string]int{}
	for _, m := range n.mail.Messages() {
		named := map[id.Incident]bool{}
		for _, l := range m.Links {
			if match := incidentLink.FindStringSubmatch(l); match != nil {
				number, err := strconv.ParseInt(match[1], 10, 64)
				if err != nil {
					n.Fatal(fmt.Errorf("link %s: %w", l, err))
				}
				named[id.Incident(number)] = true
			}
		}
		for inc := range named {
			if found[inc] == nil {
				found[inc] = map[string]int{}
			}
			found[inc][m.To[0]]++
		}
	}
	return found
}

func (n *node) entries(s *store.Store) []timeline.Entry {
	n.Helper()
	var all []timeline.Entry
	for {
		f := store.EntryFilter{AllRooms: true, FromStart: true, Limit: 1000}
		if len(all) > 0 {
			f.After = all[len(all)-1].Seq
		}
		more, err := s.Entries(n.Context(), f)
		if err != nil {
			n.Fatal(err)
		}
		if len(more) == 0 {
			return all
		}
		all = append(all, more...)
	}
}

func (n *node) countAlerts(s *store.Store) int {
	n.Helper()
	count := 0
	f := store.AlertFilter{Limit: 1000}
	for {
		more, err := s.Alerts(n.Context(), f)
		if err != nil {
			n.Fatal(err)
		}
		if len(more) == 0 {
			return count
		}
		count += len(more)
		f.Before = more[len(more)-1].ID
	}
}
