package web

import (
	"net/http"

	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

const rotationsPath = "/settings/rotations"

func (s *Server) rotationRoutes() []Route {
	return []Route{
		{"GET /settings/rotations", people.Read, s.showRotations},
		{"POST /settings/rotations", people.Manage, s.saveRotation},
		{"GET /settings/rotations/new", people.Manage, s.showNewRotation},
		{"POST /settings/rotations/preview", people.Manage, s.previewRotation},
		{"GET /settings/rotations/{id}", people.Read, s.showRotation},
		{"POST /settings/rotations/{id}", people.Manage, s.saveRotation},
		{"POST /settings/rotations/{id}/delete", people.Manage, s.deleteRotation},
		{"GET /settings/rotations/{id}/import", people.Manage, s.showImport},
		{"POST /settings/rotations/{id}/import", people.Manage, s.importCalendar},
	}
}

func (s *Server) showRotations(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("settings.nav.rotations"))
	if err != nil {
		return err
	}
	v, now := view.RotationList{Page: page}, s.Now()
	for _, rota := range sortedRotations(o) {
		row := view.RotationRow{
			Name: rota.Name, Href: rotationsPath + "/" + string(rota.ID), Team: o.Teams[rota.Team].Name, Zone: rota.Zone, People: len(turns(rota)),
		}
		for _, shift := range o.OnCall(rota.ID, now) {
			row.Now = append(row.Now, o.UserName(shift.User))
		}
		var next []id.User
		row.NextAt, next = o.TakeOver(rota.ID, now)
		for _, u := range next {
			row.Next = append(row.Next, o.UserName(u))
		}
		v.Rows = append(v.Rows, row)
	}
	return draw(w, r, http.StatusOK, view.RotationsPage(v))
}

// turns is everybody in a rotation, each once.
func turns(r oncall.Rotation) map[id.User]bool {
	all := map[id.User]bool{}
	for _, l := range r.Layers {
		for _, u := range l.Members {
			all[u] = true
		}
	}
	return all
}

func (s *Server) showNewRotation(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	zone := o.Users[actorOf(r).User].Zone
	return s.rotationPage(w, r, http.StatusOK, rotationDraft{
		Zone: zone, Layers: []layerDraft{newLayer(s.Now(), zone)},
	}, nil)
}

func (s *Server) showRotation(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	rota, ok := o.Rotations[id.Rotation(r.PathValue("id"))]
	if !ok {
		return fault.NotFound(phrase.T("settings.rotation.gone"))
	}
	return s.rotationPage(w, r, http.StatusOK, draftOf(rota), nil)
}

// rotationPage draws the editor with what was typed; problem, when there is
// one, belongs to it.
func (s *Server) rotationPage(w http.ResponseWriter, r *http.Request, status int, d rotationDraft, problem error) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	title := phrase.T("settings.rotation.new")
	if d.ID != "" {
		title = o.Rotations[id.Rotation(d.ID)].Name
	}
	f := d.form(o)
	if f.Page, err = s.settingsPage(w, r, o, title); err != nil {
		return err
	}
	f.Preview = s.rotationPreview(o, d, f.Page.Viewer.Zone)
	if problem != nil {
		_, f.Errors = d.rotation()
		if len(f.Errors) == 0 {
			f.Errors, f.Error = place(problem, "name", "team", "zone")
		}
	}
	return draw(w, r, status, view.RotationPage(f))
}

// saveRotation answers every button of the editor: those that change the shape
// of the form (do) get it back changed, the others save it.
func (s *Server) saveRotation(w http.ResponseWriter, r *http.Request) error {
	d := readRotation(r)
	d.ID = r.PathValue("id")
	if do := text(r, "do"); do != "" {
		d.reshape(do, s.Now())
		return s.rotationPage(w, r, http.StatusOK, d, nil)
	}
	rota, errs := d.rotation()
	if len(errs) > 0 {
		return s.rotationPage(w, r, http.StatusUnprocessableEntity, d, fault.Invalid("", ""))
	}
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		if other, taken := o.RotationBySlug(id.Slug(rota.Name)); taken && string(other.ID) != d.ID {
			return nil, fault.Invalid("name", phrase.T("settings.error.taken", rota.Name))
		}
		put := rota
		if put.ID == "" {
			put.ID = id.Rotation(id.New())
		} else if _, ok := o.Rotations[put.ID]; !ok {
			return nil, fault.NotFound(phrase.T("settings.rotation.gone"))
		}
		return []org.Change{org.Put(put)}, nil
	})
	if status, _, ok := shown(err); ok {
		return s.rotationPage(w, r, status, d, err)
	}
	if err != nil {
		return err
	}
	message := phrase.T("settings.saved")
	if d.ID == "" {
		message = phrase.T("settings.rotation.created", rota.Name)
	}
	return s.done(w, r, rotationsPath, message)
}

func (s *Server) deleteRotation(w http.ResponseWriter, r *http.Request) error {
	err := s.remove(r, org.RotationKind)
	return s.did(w, r, err, rotationsPath, rotationsPath+"/"+r.PathValue("id"), phrase.T("settings.deleted"))
}

func (s *Server) previewRotation(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	zone := o.Users[actorOf(r).User].Location()
	d := readRotation(r)
	d.ID = text(r, "id")
	return draw(w, r, http.StatusOK, view.RotationPreviewBox(s.rotationPreview(o, d, zone)))
}
