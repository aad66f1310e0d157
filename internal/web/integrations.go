package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/watchroom/watchroom/internal/alert"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/secret"
	"github.com/watchroom/watchroom/internal/store"
	"github.com/watchroom/watchroom/internal/web/view"
)

const integrationsPath = "/integrations"

// receivedShown is how many of the last alerts an integration's page shows.
const receivedShown = 20

func (s *Server) integrationRoutes() []Route {
	return []Route{
		{"GET /integrations", people.Ingest, s.showIntegrations},
		{"POST /integrations", people.Manage, s.newIntegration},
		{"GET /integrations/{id}", people.Ingest, s.showIntegration},
		{"POST /integrations/{id}", people.Manage, s.renameIntegration},
		{"POST /integrations/{id}/test", people.Ingest, s.testIntegration},
		{"POST /integrations/{id}/rotate", people.Manage, s.rotateIntegration},
		{"POST /integrations/{id}/on", people.Manage, s.switchIntegration(false)},
		{"POST /integrations/{id}/off", people.Manage, s.switchIntegration(true)},
		{"POST /integrations/{id}/delete", people.Manage, s.deleteIntegration},
		{"GET /settings/integrations", people.Ingest, func(w http.ResponseWriter, r *http.Request) error {
			return redirect(w, r, integrationsPath)
		}},
		{"GET /settings/integrations/{id}", people.Ingest, func(w http.ResponseWriter, r *http.Request) error {
			return redirect(w, r, integrationsPath+"/"+url.PathEscape(r.PathValue("id")))
		}},
	}
}

func (s *Server) showIntegrations(w http.ResponseWriter, r *http.Request) error {
	return s.integrationsPage(w, r, http.StatusOK, "", nil)
}

func (s *Server) integrationsPage(w http.ResponseWriter, r *http.Request, status int, name string, errs map[string]string) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.page(w, r, o, phrase.T("web.nav.integrations"), "integrations")
	if err != nil {
		return err
	}
	v := view.IntegrationList{Page: page, Hubot: s.hubotLines("<" + phrase.T("hubot.integration.key") + ">"), Name: name, Errors: errs}
	for _, i := range org.Sorted(o.Integrations, func(i routing.Integration) string { return i.Name }) {
		row := view.IntegrationRow{Name: i.Name, Href: integrationsPath + "/" + string(i.ID), Off: i.Off}
		last, err := s.Store.Alerts(r.Context(), store.AlertFilter{Integration: i.ID, Limit: 1})
		if err != nil {
			return err
		}
		if len(last) > 0 {
			row.LastAt, row.Last = last[0].ReceivedAt, last[0].Title
		}
		v.Rows = append(v.Rows, row)
	}
	return draw(w, r, status, view.IntegrationsPage(v))
}

func (s *Server) newIntegration(w http.ResponseWriter, r *http.Request) error {
	name := text(r, "name")
	errs := fields{}
	errs.name("name", name)
	if len(errs) > 0 {
		return s.integrationsPage(w, r, http.StatusUnprocessableEntity, name, errs)
	}
	made := s.Dispatch.NewIntegration(routing.REST, name, "")
	err := s.putIntegration(r, made)
	if status, message, ok := shown(err); ok {
		return s.integrationsPage(w, r, status, name, fields{"name": message})
	}
	if err != nil {
		return err
	}
	return s.done(w, r, integrationsPath+"/"+string(made.ID), phrase.T("settings.integration.created", name))
}

// putIntegration saves an integration whose name nobody else has.
func (s *Server) putIntegration(r *http.Request, i routing.Integration) error {
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		for _, other := range o.Integrations {
			if other.Name == i.Name && other.ID != i.ID {
				return nil, fault.Invalid("name", phrase.T("settings.error.taken", i.Name))
			}
		}
		return []org.Change{org.Put(i)}, nil
	})
	return err
}

// integration finds the integration that the address names.
func (s *Server) integration(r *http.Request) (*org.Org, routing.Integration, error) {
	o, err := s.organisation(r.Context())
	if err != nil {
		return nil, routing.Integration{}, err
	}
	i, ok := o.Integrations[id.Integration(r.PathValue("id"))]
	if !ok {
		return nil, i, fault.NotFound(phrase.T("settings.integration.gone"))
	}
	return o, i, nil
}

func (s *Server) showIntegration(w http.ResponseWriter, r *http.Request) error {
	return s.integrationPage(w, r, http.StatusOK, nil)
}

// integrationPage draws an integration; its key is in it, so it is kept nowhere.
func (s *Server) integrationPage(w http.ResponseWriter, r *http.Request, status int, edit func(*view.IntegrationPageModel)) error {
	o, i, err := s.integration(r)
	if err != nil {
		return err
	}
	// A key that was sealed on a machine whose secret is lost still works for
	// senders, but cannot be shown; the page is where to change it.
	key, err := s.Dispatch.IntegrationKey(actorOf(r), i)
	lost := errors.Is(err, secret.ErrInvalid)
	if err != nil && !lost {
		return err
	}
	page, err := s.page(w, r, o, i.Name, "integrations")
	if err != nil {
		return err
	}
	chosen := chosenKey(o, r)
	w.Header().Set("Cache-Control", "no-store")
	v := view.IntegrationPageModel{Page: page, ID: string(i.ID), Name: i.Name, Off: i.Off, Key: chosen, Keys: keyOptions(o, chosen)}
	if v.Lost = lost; !lost {
		v.URL, v.Curl, v.YAML = s.snippets(key, chosen)
	}
	if v.Tested, err = s.tested(r, i); err != nil {
		return err
	}
	alerts, err := s.Store.Alerts(r.Context(), store.AlertFilter{Integration: i.ID, Limit: receivedShown})
	if err != nil {
		return err
	}
	for _, a := range alerts {
		v.Alerts = append(v.Alerts, view.ReceivedAlert{
			Number: int64(a.ID), At: a.ReceivedAt, Type: string(a.Type), Title: a.Title, Entity: a.EntityID,
			RoutingKey: a.RoutingKey, Incident: int64(a.Incident), Raw: a.Raw,
		})
	}
	if edit != nil {
		edit(&v)
	}
	return draw(w, r, status, view.IntegrationPage(v))
}

// chosenKey is the routing key the examples are written with: the one in the
// address, else the first.
func chosenKey(o *org.Org, r *http.Request) string {
	if k, ok := o.KeyByName(r.URL.Query().Get("key")); ok {
		return k.Name
	}
	if keys := sortedKeys(o); len(keys) > 0 && !r.URL.Query().Has("key") {
		return keys[0].Name
	}
	return ""
}

func keyOptions(o *org.Org, chosen string) []view.Option {
	options := []view.Option{{Value: "", Label: phrase.T("settings.integration.no_key"), Selected: chosen == ""}}
	for _, k := range sortedKeys(o) {
		options = append(options, view.Option{Value: k.Name, Label: k.Name, Selected: k.Name == chosen})
	}
	return options
}

// snippets are the address and two examples of using it. Alertmanager puts the
// routing key behind api_url and the integration's key by itself.
func (s *Server) snippets(key, routingKey string) (address, curl, yaml string) {
	base := s.PublicURL + "/integrations/generic/20131114/alert/"
	address = base + key
	if routingKey != "" {
		address += "/" + routingKey
	}
	curl = "curl -X POST -H 'Content-Type: application/json' \\\n" +
		"  -d '{\"message_type\":\"CRITICAL\",\"entity_id\":\"disk/db01\",\"state_message\":\"93% full\"}' \\\n" +
		"  '" + address + "'"
	yaml = "receivers:\n  - name: watchroom\n    victorops_configs:\n      - api_url: " + base + "\n" +
		"        api_key: " + key + "\n        routing_key: " + cmp.Or(routingKey, "default") + "\n        send_resolved: true\n"
	return address, curl, yaml
}

func (s *Server) renameIntegration(w http.ResponseWriter, r *http.Request) error {
	_, i, err := s.integration(r)
	if err != nil {
		return err
	}
	i.Name = text(r, "name")
	errs := fields{}
	errs.name("name", i.Name)
	status := http.StatusUnprocessableEntity
	if len(errs) == 0 {
		err = s.putIntegration(r, i)
		var message string
		var ok bool
		if status, message, ok = shown(err); ok {
			errs["name"] = message
		} else if err != nil {
			return err
		}
	}
	if len(errs) > 0 {
		return s.integrationPage(w, r, status, func(v *view.IntegrationPageModel) { v.Name, v.Errors = i.Name, errs })
	}
	return s.done(w, r, integrationsPath+"/"+string(i.ID), phrase.T("settings.saved"))
}

func (s *Server) switchIntegration(off bool) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		_, i, err := s.integration(r)
		if err != nil {
			return err
		}
		i.Off = off
		message := phrase.T("settings.integration.turned_on", i.Name)
		if off {
			message = phrase.T("settings.integration.turned_off", i.Name)
		}
		here := integrationsPath + "/" + string(i.ID)
		return s.did(w, r, s.putIntegration(r, i), here, here, message)
	}
}

// rotateIntegration gives an integration a new key; the old one is worthless at once.
func (s *Server) rotateIntegration(w http.ResponseWriter, r *http.Request) error {
	_, i, err := s.integration(r)
	if err != nil {
		return err
	}
	fresh := s.Dispatch.NewIntegration(i.Kind, i.Name, "")
	i.KeyHash, i.Sealed = fresh.KeyHash, fresh.Sealed
	here := integrationsPath + "/" + string(i.ID)
	return s.did(w, r, s.putIntegration(r, i), here, here, phrase.T("settings.integration.rotated"))
}

func (s *Server) deleteIntegration(w http.ResponseWriter, r *http.Request) error {
	err := s.remove(r, org.IntegrationKind)
	return s.did(w, r, err, integrationsPath, integrationsPath+"/"+r.PathValue("id"), phrase.T("settings.deleted"))
}

// testEntity is what test alerts are about: one for each integration, so that
// testing twice does not open two incidents.
func testEntity(i routing.Integration) string { return "watchroom/test/" + string(i.ID) }

// testIntegration sends an alert the way a sender's would come, but for the wire.
func (s *Server) testIntegration(w http.ResponseWriter, r *http.Request) error {
	o, i, err := s.integration(r)
	if err != nil {
		return err
	}
	kind := alert.Type(text(r, "type"))
	switch kind {
	case alert.Critical, alert.Info, alert.Recovery:
	default:
		return s.integrationPage(w, r, http.StatusUnprocessableEntity, func(v *view.IntegrationPageModel) {
			v.Errors = fields{"type": phrase.T("settings.error.choose")}
		})
	}
	if i.Off {
		s.flash(w, view.Flash{Tone: "warning", Text: phrase.T("settings.integration.off.text")})
		return redirect(w, r, integrationsPath+"/"+string(i.ID))
	}
	a := testAlert(i, kind, text(r, "key"), o.UserName(actorOf(r).User))
	stored, err := s.Dispatch.Accept(r.Context(), a)
	if err != nil {
		return err
	}
	return redirect(w, r, integrationsPath+"/"+string(i.ID)+"?tested="+strconv.FormatInt(int64(stored.ID), 10))
}

func testAlert(i routing.Integration, kind alert.Type, key, who string) alert.Alert {
	a := alert.Alert{
		Integration: i.ID, RoutingKey: key, Type: kind, EntityID: testEntity(i), Tool: "Watchroom",
		Title:   phrase.T("settings.integration.test.title", i.Name),
		Message: phrase.T("settings.integration.test.message", who),
	}
	raw, err := json.Marshal(map[string]string{
		"message_type": strings.ToUpper(string(kind)), "entity_id": a.EntityID, "entity_display_name": a.Title,
		"state_message": a.Message, "monitoring_tool": a.Tool,
	})
	if err == nil { // text always can be written
		a.Raw = string(raw)
	}
	return a
}

// tested says what became of the test alert that the address names.
func (s *Server) tested(r *http.Request, i routing.Integration) (view.TestResult, error) {
	n, ok := number(r.URL.Query().Get("tested"))
	if !ok {
		return view.TestResult{}, nil
	}
	a, err := s.Store.Alert(r.Context(), id.Alert(n))
	if errors.Is(err, store.ErrNotFound) || err == nil && a.Integration != i.ID {
		return view.TestResult{}, nil
	}
	return view.TestResult{Done: true, Incident: int64(a.Incident)}, err
}
