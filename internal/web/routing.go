package web

import (
	"net/http"
	"strings"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/web/view"
)

const routingPath = "/settings/routing"

func (s *Server) routingRoutes() []Route {
	return []Route{
		{"GET /settings/routing", people.Read, s.showRouting},
		{"POST /settings/routing", people.Manage, s.saveRouting},
		{"POST /settings/routing/keys", people.Manage, s.saveKey},
		{"GET /settings/routing/keys/{id}", people.Manage, s.showKey},
		{"POST /settings/routing/keys/{id}", people.Manage, s.saveKey},
		{"POST /settings/routing/keys/{id}/delete", people.Manage, s.deleteKey},
	}
}

func sortedKeys(o *org.Org) []routing.Key {
	return org.Sorted(o.Keys, func(k routing.Key) string { return k.Name })
}

func policyLink(p escalation.Policy) view.Link {
	return view.Link{Label: p.Name, Href: policiesPath + "/" + string(p.ID)}
}

func policyOptions(o *org.Org, chosen id.Policy) []view.Option {
	var options []view.Option
	for _, p := range sortedPolicies(o) {
		options = append(options, view.Option{Value: string(p.ID), Label: p.Name, Selected: p.ID == chosen})
	}
	return options
}

func (s *Server) showRouting(w http.ResponseWriter, r *http.Request) error {
	return s.routingPage(w, r, http.StatusOK, nil)
}

// routingPage draws the routing as it is; edit puts in what was typed.
func (s *Server) routingPage(w http.ResponseWriter, r *http.Request, status int, edit func(*view.Routing)) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("settings.nav.routing"))
	if err != nil {
		return err
	}
	v := view.Routing{
		Page: page, Policies: policyOptions(o, ""), WarningsOpen: o.Settings.WarningsOpen,
		New: view.KeyForm{Policies: policyOptions(o, "")}, Test: s.routeTest(r, o),
	}
	current, ok := o.Policies[o.Settings.DefaultPolicy]
	if ok {
		v.Default = policyLink(current)
	}
	v.Defaults = append([]view.Option{{Value: "", Label: phrase.T("settings.routing.default.none"), Selected: !ok}}, policyOptions(o, current.ID)...)
	for _, k := range sortedKeys(o) {
		v.Keys = append(v.Keys, view.KeyRow{
			Name: k.Name, Href: routingPath + "/keys/" + string(k.ID), Policy: policyLink(o.Policies[k.Policy]), Note: k.Note,
		})
	}
	if edit != nil {
		edit(&v)
	}
	return draw(w, r, status, view.RoutingPage(v))
}

// routeTest answers which policy the key in the test box takes, and whom that
// would page first.
func (s *Server) routeTest(r *http.Request, o *org.Org) view.RouteTest {
	if !r.URL.Query().Has("test") {
		return view.RouteTest{}
	}
	key := strings.TrimSpace(r.URL.Query().Get("test"))
	route := o.Route(key)
	t := view.RouteTest{Asked: true, Key: key, Default: route.Default}
	if route.Found {
		t.Policy, t.People = policyLink(route.Policy), firstPaged(o, route.Policy, s.Now())
	}
	return t
}

func (s *Server) saveRouting(w http.ResponseWriter, r *http.Request) error {
	chosen := id.Policy(text(r, "default"))
	warnings := r.PostForm.Has("warnings")
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		if _, ok := o.Policies[chosen]; chosen != "" && !ok {
			return nil, fault.Invalid("default", phrase.T("settings.error.choose"))
		}
		settings := o.Settings
		settings.DefaultPolicy, settings.WarningsOpen = chosen, warnings
		return []org.Change{org.Put(settings)}, nil
	})
	if status, message, ok := shown(err); ok {
		return s.routingPage(w, r, status, func(v *view.Routing) {
			v.WarningsOpen, v.Errors = warnings, fields{"default": message}
		})
	}
	if err != nil {
		return err
	}
	return s.done(w, r, routingPath, phrase.T("settings.saved"))
}

func (s *Server) showKey(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	k, ok := o.Keys[id.RoutingKey(r.PathValue("id"))]
	if !ok {
		return fault.NotFound(phrase.T("settings.routing.gone"))
	}
	return s.keyPage(w, r, http.StatusOK, k, view.KeyForm{})
}

func (s *Server) keyPage(w http.ResponseWriter, r *http.Request, status int, k routing.Key, f view.KeyForm) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	if f.Page, err = s.settingsPage(w, r, o, o.Keys[k.ID].Name); err != nil {
		return err
	}
	f.ID, f.Name, f.Note, f.Policies = string(k.ID), k.Name, k.Note, policyOptions(o, k.Policy)
	return draw(w, r, status, view.KeyPage(f))
}

// saveKey makes a routing key, or changes the one in the address.
func (s *Server) saveKey(w http.ResponseWriter, r *http.Request) error {
	k := routing.Key{
		ID: id.RoutingKey(r.PathValue("id")), Name: text(r, "name"), Policy: id.Policy(text(r, "policy")), Note: text(r, "note"),
	}
	again := func(status int, errs map[string]string, rest string) error {
		f := view.KeyForm{Errors: errs, Error: rest}
		if k.ID != "" {
			return s.keyPage(w, r, status, k, f)
		}
		return s.routingPage(w, r, status, func(v *view.Routing) {
			f.Name, f.Note, f.Policies = k.Name, k.Note, v.New.Policies
			for i := range f.Policies {
				f.Policies[i].Selected = f.Policies[i].Value == string(k.Policy)
			}
			v.New = f
		})
	}
	errs := fields{}
	if (routing.Key{Name: k.Name, Policy: "any"}).Validate() != nil {
		errs["name"] = phrase.T("settings.error.key")
	}
	if k.Policy == "" {
		errs["policy"] = phrase.T("settings.error.choose")
	}
	if len(k.Note) > 200 {
		errs["note"] = phrase.T("settings.error.long", 200)
	}
	if len(errs) > 0 {
		return again(http.StatusUnprocessableEntity, errs, "")
	}
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		put := k
		if other, taken := o.KeyByName(k.Name); taken && other.ID != k.ID {
			return nil, fault.Invalid("name", phrase.T("settings.error.taken", k.Name))
		}
		if _, ok := o.Policies[k.Policy]; !ok {
			return nil, fault.Invalid("policy", phrase.T("settings.error.choose"))
		}
		if put.ID == "" {
			put.ID = id.RoutingKey(id.New())
		} else if _, ok := o.Keys[put.ID]; !ok {
			return nil, fault.NotFound(phrase.T("settings.routing.gone"))
		}
		return []org.Change{org.Put(put)}, nil
	})
	if status, _, ok := shown(err); ok {
		errs, rest := place(err, "name", "policy", "note")
		return again(status, errs, rest)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, routingPath, phrase.T("settings.routing.saved", k.Name))
}

func (s *Server) deleteKey(w http.ResponseWriter, r *http.Request) error {
	err := s.remove(r, org.KeyKind)
	return s.did(w, r, err, routingPath, routingPath, phrase.T("settings.deleted"))
}
