package web

import (
	"net/http"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

const feedsPath = onCallPath + "/feeds"

// feedURL is the address that a calendar program subscribes to.
func (s *Server) feedURL(key string) string { return s.PublicURL + "/calendar/" + org.FeedFile(key) }

func (s *Server) showFeeds(w http.ResponseWriter, r *http.Request) error {
	return s.feedsPage(w, r, http.StatusOK, "", "")
}

// feedsPage lists the feeds that the viewer has made, or may revoke; url is
// that of a feed just made, which is shown this once.
func (s *Server) feedsPage(w http.ResponseWriter, r *http.Request, status int, url, wrong string) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.page(w, r, o, phrase.T("oncall_web.tab.feeds"), "oncall")
	if err != nil {
		return err
	}
	actor := actorOf(r)
	v := view.Feeds{Page: page, Tabs: onCallTabs(o, actor, s.Now(), "feeds"), URL: url, Error: wrong, CanAct: actor.May(people.OwnSelf)}
	for _, rota := range sortedRotations(o) {
		v.Rotations = append(v.Rotations, view.Option{Value: string(rota.ID), Label: rota.Name, Selected: string(rota.ID) == text(r, "rotation")})
	}
	for _, f := range org.Sorted(o.Feeds, func(f org.Feed) string { return string(f.ID) }) {
		if f.Owner != actor.User && f.User != actor.User && !actor.May(people.Manage) {
			continue
		}
		row := view.FeedRow{ID: string(f.ID), Owner: o.UserName(f.Owner), At: f.At, Name: o.Rotations[f.Rotation].Name, Yours: f.Owner == actor.User}
		if f.User != "" {
			row.Person = true
			row.Name = o.UserName(f.User)
		}
		v.Feeds = append(v.Feeds, row)
	}
	return draw(w, r, status, view.FeedsPage(v))
}

// addFeed answers with the page itself, not with a redirect: the address is in
// no other place.
func (s *Server) addFeed(w http.ResponseWriter, r *http.Request) error {
	f := org.Feed{Rotation: id.Rotation(text(r, "rotation"))}
	if f.Rotation == "" {
		f.User = actorOf(r).User
	}
	key, _, err := s.Dispatch.NewFeed(r.Context(), actorOf(r), f)
	if sentence, ok := refusal(err); ok {
		return s.feedsPage(w, r, http.StatusUnprocessableEntity, "", sentence)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return s.feedsPage(w, r, http.StatusOK, s.feedURL(key), "")
}

func (s *Server) revokeFeed(w http.ResponseWriter, r *http.Request) error {
	err := s.Dispatch.RevokeFeed(r.Context(), actorOf(r), id.Feed(r.PathValue("id")))
	return s.did(w, r, err, feedsPath, feedsPath, phrase.T("oncall_web.feed.revoked"))
}
