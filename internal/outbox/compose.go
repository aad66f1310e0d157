package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/notify"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/store"
)

// prepare looks at the incidents right before sending: what is no longer
// wanted is cancelled, the rest becomes a page in its present state.
func (s *Sender) prepare(ctx context.Context, batch []store.Delivery) (wanted []store.Delivery, over []dispatch.Outcome, page notify.Page, err error) {
	o, err := s.store.Org(ctx)
	if err != nil {
		return nil, nil, page, err
	}
	first := batch[0]
	user := o.Users[first.Person]
	page = notify.Page{Key: first.Key, To: first.Body.Address, UserName: user.Name, Zone: user.Location(), At: first.CreatedAt}
	if page.Secret, err = s.secretOf(user, first); err != nil {
		s.log.ErrorContext(ctx, "open secret of contact method", "delivery", first.ID, "err", err)
		return nil, []dispatch.Outcome{{Delivery: first, State: store.Failed, Detail: phrase.T("outbox.error")}}, page, nil
	}
	if first.Kind == store.DrillPage {
		if dr, ok := o.Drills[first.Body.Drill]; !ok || !dr.Ended.IsZero() {
			return nil, []dispatch.Outcome{{Delivery: first, State: store.Cancelled, Detail: phrase.T("outbox.drill.over")}}, page, nil
		}
		page.Token, page.Drill = s.dispatch.PageToken(first), true
		page.Notice = s.drill(o, first, page.Token)
		return batch, nil, page, nil
	}
	if first.Kind == store.NoticeMail {
		if page.Notice, err = s.notice(first); err != nil { // another key: it will not get better
			s.log.ErrorContext(ctx, "prepare notice", "delivery", first.ID, "err", err)
			return nil, []dispatch.Outcome{{Delivery: first, State: store.Failed, Detail: phrase.T("outbox.error")}}, page, nil
		}
		return batch, nil, page, nil
	}
	numbers := make([]id.Incident, len(batch))
	for i, d := range batch {
		numbers[i] = d.Incident
	}
	incs, err := s.store.IncidentsByID(ctx, numbers)
	if err != nil {
		return nil, nil, page, err
	}
	now := time.Now()
	for _, d := range batch {
		inc, ok := incs[d.Incident]
		if !ok || !dispatch.Wanted(inc, d) {
			over = append(over, dispatch.Outcome{Delivery: d, State: store.Cancelled, Detail: dispatch.CancelledWhy(inc)})
			continue
		}
		newer, err := s.superseded(ctx, d)
		if err != nil {
			return nil, nil, page, err
		}
		if newer {
			over = append(over, dispatch.Outcome{Delivery: d, State: store.Cancelled, Detail: phrase.T("outbox.superseded")})
			continue
		}
		wanted = append(wanted, d)
		page.Incidents = append(page.Incidents, s.linked(notify.PageIncident{
			Number: inc.ID, Title: inc.Title, Message: inc.Message, Severity: string(inc.Severity), EntityID: inc.EntityID,
			Host: inc.Host, Tool: inc.Tool, RoutingKey: inc.RoutingKey, Team: o.Teams[inc.Team].Name,
			AlertCount: inc.AlertCount, TriggeredAt: inc.TriggeredAt, Reason: d.Body.Why,
			ThreadKey: fmt.Sprintf("incident:%d", inc.ID), URL: s.links.Incident(inc.ID),
		}, d.Person, now))
	}
	if len(wanted) > 0 && wanted[0].Person != "" {
		page.Token = s.dispatch.PageToken(wanted[0])
	}
	if len(wanted) > 1 {
		page.Key = bundleKey(wanted)
	} else if len(wanted) == 1 {
		page.Key = wanted[0].Key
	}
	return wanted, over, page, nil
}

// linked adds the links with which a person acts on an incident; who is nobody
// gets none.
func (s *Sender) linked(p notify.PageIncident, u id.User, now time.Time) notify.PageIncident {
	if u != "" {
		p.AckURL, p.ResolveURL = s.links.Action("ack", p.Number, p.TriggeredAt, u, now), s.links.Action("resolve", p.Number, p.TriggeredAt, u, now)
	}
	return p
}

// secretOf is what the contact method of a page needs beside its address.
func (s *Sender) secretOf(u people.User, d store.Delivery) (string, error) {
	for _, c := range u.Contacts {
		if string(c.Method) == d.Body.Method && c.Address == d.Body.Address && c.Secret != "" {
			return s.box.Open(c.Secret)
		}
	}
	return "", nil
}

// superseded reports whether the same person was asked anew about the same
// incident since: what is left of an earlier asking would only double it.
func (s *Sender) superseded(ctx context.Context, d store.Delivery) (bool, error) {
	if d.Body.Chain == nil || d.Body.Chain.Seq == 1 || d.Attempt > 1 {
		return false, nil
	}
	all, err := s.store.Deliveries(ctx, d.Incident)
	return slices.ContainsFunc(all, func(other store.Delivery) bool {
		return other.Person == d.Person && other.Entry > d.Entry && other.Kind == d.Kind
	}), err
}

// drill is the text of a test page.
func (s *Sender) drill(o *org.Org, d store.Delivery, token string) *notify.Notice {
	lines := []string{phrase.T("outbox.drill.line", o.Teams[o.Drills[d.Body.Drill].Team].Name)}
	if note := o.Drills[d.Body.Drill].Note; note != "" {
		lines = append(lines, note)
	}
	return &notify.Notice{
		Subject: phrase.T("outbox.drill.subject"), Lines: append(lines, phrase.T("outbox.drill.answer")),
		Action: phrase.T("drills.link.button"), URL: s.links.Drill(token),
	}
}

func (s *Sender) notice(d store.Delivery) (*notify.Notice, error) {
	plain, err := s.box.Open(d.Body.Sealed)
	if err != nil {
		return nil, fmt.Errorf("open notice %d: %w", d.ID, err)
	}
	var n notify.Notice
	if err := json.Unmarshal([]byte(plain), &n); err != nil {
		return nil, fmt.Errorf("read notice %d: %w", d.ID, err)
	}
	return &n, nil
}
