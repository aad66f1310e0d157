package web

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/watchroom/watchroom/internal/carrier"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

const providersPath = "/settings/providers"

func (s *Server) providerRoutes() []Route {
	return []Route{
		{"GET /settings/providers", people.Manage, s.showProviders},
		{"GET /settings/providers/new", people.Manage, unkept(s.showNewProvider)},
		{"POST /settings/providers", people.Manage, unkept(s.saveProvider)},
		{"GET /settings/providers/{id}", people.Manage, unkept(s.showProvider)},
		{"POST /settings/providers/{id}", people.Manage, unkept(s.saveProvider)},
		{"POST /settings/providers/{id}/on", people.Manage, s.switchProvider(false)},
		{"POST /settings/providers/{id}/off", people.Manage, s.switchProvider(true)},
		{"POST /settings/providers/{id}/up", people.Manage, s.moveProvider("up")},
		{"POST /settings/providers/{id}/down", people.Manage, s.moveProvider("down")},
		{"POST /settings/providers/{id}/test", people.Manage, s.testProvider},
		{"POST /settings/providers/{id}/delete", people.Manage, s.deleteProvider},
	}
}

// providersInOrder are all providers in the order in which they are used.
func providersInOrder(o *org.Org) []org.Provider {
	all := org.Sorted(o.Providers, func(p org.Provider) string { return string(p.ID) })
	slices.SortStableFunc(all, func(a, b org.Provider) int { return cmp.Compare(a.Order, b.Order) })
	return all
}

func (s *Server) showProviders(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("providers_web.title"))
	if err != nil {
		return err
	}
	v := view.ProviderList{Page: page, Mail: s.MailConfigured}
	all := providersInOrder(o)
	for _, m := range people.Methods {
		var rows []view.ProviderRow
		for _, p := range all {
			if slices.Contains(p.Methods(), m) {
				rows = append(rows, providerRow(p))
			}
		}
		for i := range rows {
			rows[i].First, rows[i].Last = i == 0, i == len(rows)-1
		}
		v.Groups = append(v.Groups, view.ProviderGroup{Method: string(m), Name: capital(m.Words()), Rows: rows, BuiltIn: builtIn(m)})
	}
	for _, p := range all {
		if len(p.Methods()) == 0 { // what is told and reaches no person
			v.Others = append(v.Others, providerRow(p))
		}
	}
	for _, k := range carrier.Kinds() {
		v.Kinds = append(v.Kinds, view.ProviderKind{
			Name: carrier.KindName(k), Text: phrase.T("providers_web.kind." + string(k)), Href: providersPath + "/new?kind=" + string(k),
			Icon: kindIcon(k),
		})
	}
	return draw(w, r, http.StatusOK, view.ProvidersPage(v))
}

// builtIn reports whether a method needs no provider.
func builtIn(m people.Method) bool {
	return m == people.Email || m == people.Ntfy || m == people.Gotify
}

func kindIcon(k org.ProviderKind) string {
	switch k {
	case org.Pushover, org.WebPush:
		return "bell"
	case org.Telegram:
		return "send"
	case org.Webhook:
		return "plug"
	}
	return "chat"
}

func providerRow(p org.Provider) view.ProviderRow {
	row := view.ProviderRow{
		ID: string(p.ID), Href: providersPath + "/" + string(p.ID), Name: p.Name, Kind: carrier.KindName(p.Kind), Icon: kindIcon(p.Kind),
		Off: p.Off, Own: p.Kind == org.WebPush, From: p.Settings["from"],
	}
	if p.Deadline > 0 {
		row.Deadline = p.Deadline.String()
	}
	return row
}

func (s *Server) showNewProvider(w http.ResponseWriter, r *http.Request) error {
	p := org.Provider{Kind: org.ProviderKind(text(r, "kind"))}
	if !slices.Contains(carrier.Kinds(), p.Kind) {
		return fault.NotFound("")
	}
	p.Name = carrier.KindName(p.Kind)
	return s.providerPage(w, r, http.StatusOK, p, nil)
}

func (s *Server) showProvider(w http.ResponseWriter, r *http.Request) error {
	_, p, err := s.provider(r)
	if err != nil {
		return err
	}
	return s.providerPage(w, r, http.StatusOK, p, nil)
}

func (s *Server) provider(r *http.Request) (*org.Org, org.Provider, error) {
	o, err := s.organisation(r.Context())
	if err != nil {
		return nil, org.Provider{}, err
	}
	p, ok := o.Providers[id.Provider(r.PathValue("id"))]
	if !ok {
		return o, p, fault.NotFound(phrase.T("settings.gone"))
	}
	return o, p, nil
}

// providerPage draws a definition; of its secrets it says whether there are any.
func (s *Server) providerPage(w http.ResponseWriter, r *http.Request, status int, p org.Provider, edit func(*view.ProviderForm)) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	title := phrase.T("providers_web.new", carrier.KindName(p.Kind))
	if p.ID != "" {
		title = p.Name
	}
	page, err := s.settingsPage(w, r, o, title)
	if err != nil {
		return err
	}
	v := view.ProviderForm{
		Page: page, ID: string(p.ID), Kind: string(p.Kind), KindName: carrier.KindName(p.Kind), Name: p.Name, Off: p.Off, Title: title,
		Own: p.Kind == org.WebPush, MayStore: s.Box != nil, Callbacks: s.callbacks(p), Tests: testable(o, p, actorOf(r).User),
	}
	if p.Deadline > 0 {
		v.Deadline = p.Deadline.String()
	}
	stored := o.Providers[p.ID].Secrets
	for _, f := range carrier.Fields(p.Kind) {
		v.Fields = append(v.Fields, providerField(f, p.Settings[f.Name], stored[f.Name] != ""))
	}
	if edit != nil {
		edit(&v)
	}
	return draw(w, r, status, view.ProviderPage(v))
}

func providerField(f carrier.Field, value string, stored bool) view.ProviderField {
	field := view.ProviderField{Name: f.Name, Label: phrase.T(f.Label), Secret: f.Secret, Required: f.Required, Lines: f.Lines, Stored: stored}
	if f.Help != "" {
		field.Help = phrase.T(f.Help)
	}
	if !f.Secret {
		field.Value = value
	}
	for i, choice := range f.Choices {
		field.Choices = append(field.Choices, view.Option{Value: choice, Label: choice, Selected: choice == value || value == "" && i == 0})
	}
	return field
}

// readProvider is a definition as it was typed, and its secrets.
func readProvider(r *http.Request, kind org.ProviderKind) (p org.Provider, secrets map[string]string, errs fields) {
	errs, secrets = fields{}, map[string]string{}
	p = org.Provider{Kind: kind, Name: text(r, "name"), Settings: map[string]string{}}
	errs.name("name", p.Name)
	for _, f := range carrier.Fields(kind) {
		if f.Secret {
			secrets[f.Name] = text(r, "set."+f.Name)
		} else {
			p.Settings[f.Name] = text(r, "set."+f.Name)
		}
	}
	if typed := text(r, "deadline"); typed != "" {
		p.Deadline = errs.delay("deadline", typed, minDeadline, escalation.MaxAfter)
	}
	return p, secrets, errs
}

// minDeadline is the shortest time in which a carrier can be expected to deliver.
const minDeadline = 10 * time.Second

func (s *Server) saveProvider(w http.ResponseWriter, r *http.Request) error {
	var was org.Provider
	if r.PathValue("id") != "" {
		var err error
		if _, was, err = s.provider(r); err != nil {
			return err
		}
	} else {
		was.Kind = org.ProviderKind(text(r, "kind"))
		if !slices.Contains(carrier.Kinds(), was.Kind) {
			return fault.Invalid("kind", phrase.T("settings.error.choose"))
		}
	}
	p, secrets, errs := readProvider(r, was.Kind)
	p.ID, p.Off, p.Order = was.ID, was.Off, was.Order
	again := func(status int, problem string) error {
		return s.providerPage(w, r, status, p, func(v *view.ProviderForm) {
			v.Errors, v.Error, v.Deadline = errs, problem, text(r, "deadline")
		})
	}
	if s.Box == nil {
		return again(http.StatusUnprocessableEntity, phrase.T("providers_web.no_box"))
	}
	if len(errs) > 0 {
		return again(http.StatusUnprocessableEntity, "")
	}
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		stored := o.Providers[p.ID] // as it is now
		put, err := carrier.Sealed(s.Box, stored, p, secrets)
		if err != nil {
			return nil, err
		}
		if put.ID == "" {
			put.ID = id.Provider(id.New())
			for _, other := range o.Providers { // the last of all
				put.Order = max(put.Order, other.Order+1)
			}
		}
		return []org.Change{org.Put(put)}, nil
	})
	if status, message, ok := shown(err); ok {
		if f, ok := faultOf(err); ok && f.Field != "" {
			errs["set."+f.Field] = message
			return again(status, "")
		}
		return again(status, message)
	}
	if err != nil {
		return err
	}
	return s.done(w, r, providersPath, phrase.T("settings.saved"))
}

func (s *Server) changeProvider(r *http.Request, change func(*org.Org, org.Provider) []org.Change) error {
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		p, ok := o.Providers[id.Provider(r.PathValue("id"))]
		if !ok {
			return nil, fault.NotFound(phrase.T("settings.gone"))
		}
		return change(o, p), nil
	})
	return err
}

func (s *Server) switchProvider(off bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := s.changeProvider(r, func(_ *org.Org, p org.Provider) []org.Change {
			p.Off = off
			return []org.Change{org.Put(p)}
		})
		message := phrase.T("providers_web.on")
		if off {
			message = phrase.T("providers_web.off")
		}
		return s.did(w, r, err, providersPath, providersPath, message)
	}
}

// moveProvider changes places with the neighbour that carries one of the same
// methods. Orders are numbered anew, so that no two are alike.
func (s *Server) moveProvider(where string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := s.changeProvider(r, func(o *org.Org, p org.Provider) []org.Change {
			all := moved(providersInOrder(o), p, where)
			var changes []org.Change
			for i, other := range all {
				if other.Order != i+1 {
					other.Order = i + 1
					changes = append(changes, org.Put(other))
				}
			}
			return changes
		})
		return s.did(w, r, err, providersPath, providersPath, phrase.T("providers_web.moved"))
	}
}

func moved(all []org.Provider, p org.Provider, where string) []org.Provider {
	at := slices.IndexFunc(all, func(o org.Provider) bool { return o.ID == p.ID })
	step := 1
	if where == "up" {
		step = -1
	}
	for i := at + step; i >= 0 && i < len(all); i += step {
		shares := slices.ContainsFunc(all[i].Methods(), func(m people.Method) bool { return slices.Contains(p.Methods(), m) })
		if shares {
			all = slices.Delete(all, at, at+1)
			return slices.Insert(all, i, p)
		}
	}
	return all
}

func (s *Server) deleteProvider(w http.ResponseWriter, r *http.Request) error {
	err := s.remove(r, org.CarrierKind)
	return s.did(w, r, err, providersPath, providersPath+"/"+r.PathValue("id"), phrase.T("settings.deleted"))
}

// testable are the contact methods of u to which a provider can send.
func testable(o *org.Org, p org.Provider, u id.User) []view.Option {
	var all []view.Option
	for _, c := range o.Users[u].Usable() {
		if slices.Contains(p.Methods(), c.Method) {
			all = append(all, view.Option{Value: string(c.ID), Label: capital(c.Method.Words()) + " · " + c.Shown()})
		}
	}
	return all
}
