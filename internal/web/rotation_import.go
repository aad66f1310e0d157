package web

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/ical"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) showImport(w http.ResponseWriter, r *http.Request) error {
	return s.importPage(w, r, http.StatusOK, "", nil, "")
}

// importCalendar looks at an uploaded calendar first; the page that shows what
// would come of it carries the calendar along and sends it again to be saved.
func (s *Server) importCalendar(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	rota, ok := o.Rotations[id.Rotation(r.PathValue("id"))]
	if !ok {
		return noRotation()
	}
	calendar, err := uploaded(r)
	if err != nil {
		return err
	}
	if len(calendar) == 0 {
		return s.importPage(w, r, http.StatusUnprocessableEntity, "", nil, phrase.T("oncall_web.import.choose"))
	}
	in := dispatch.Import{Rotation: rota.ID, Calendar: calendar, DryRun: text(r, "do") != "save"}
	if n, err := strconv.Atoi(text(r, "layer")); err == nil && n >= 0 && n < len(rota.Layers) {
		in.Layer = &n
	}
	plan, err := s.Dispatch.ImportCalendar(r.Context(), actorOf(r), in)
	if sentence, ok := refusal(err); ok {
		return s.importPage(w, r, http.StatusUnprocessableEntity, "", nil, sentence)
	}
	if err != nil {
		return err
	}
	if in.DryRun {
		return s.importPage(w, r, http.StatusOK, string(calendar), &plan, "")
	}
	first := s.Now()
	if len(plan.Made) > 0 {
		first = plan.Made[0].Start
	}
	loc := o.Users[actorOf(r).User].Location()
	show := span{view: viewMonth, rotation: rota.ID, loc: loc}
	show.begin(dateOf(first, loc))
	return s.done(w, r, show.href(), phrase.N("oncall_web.import.done", len(plan.Made), rota.Name))
}

// uploaded reads the calendar: the chosen file, or the text of the preview.
func uploaded(r *http.Request) ([]byte, error) {
	if again := r.FormValue("calendar"); again != "" {
		return []byte(again), nil
	}
	file, _, err := r.FormFile("file")
	if err != nil { // none was chosen
		return nil, nil
	}
	defer file.Close()
	calendar, err := io.ReadAll(io.LimitReader(file, ical.MaxSize+1))
	if err != nil {
		return nil, fault.Invalid("", phrase.T("webmain.bad_form")).Because(err)
	}
	return calendar, nil
}

// shownShifts is how many shifts of each sort an import lists; the numbers count all.
const shownShifts = 50

func (s *Server) importPage(w http.ResponseWriter, r *http.Request, status int, calendar string, plan *dispatch.Imported, wrong string) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	rota, ok := o.Rotations[id.Rotation(r.PathValue("id"))]
	if !ok {
		return noRotation()
	}
	v := view.ImportForm{Rotation: rota.Name, Href: rotationsPath + "/" + string(rota.ID), Calendar: calendar, Error: wrong, Zone: rota.Zone}
	if v.Page, err = s.settingsPage(w, r, o, phrase.T("oncall_web.import.title", rota.Name)); err != nil {
		return err
	}
	for i, l := range rota.Layers {
		v.Layers = append(v.Layers, view.Option{Value: strconv.Itoa(i), Label: layerName(l, i), Selected: text(r, "layer") == strconv.Itoa(i)})
	}
	if plan != nil {
		v.Plan = importPlan(o, *plan, v.Page.Viewer.Zone)
	}
	return draw(w, r, status, view.ImportPage(v))
}

func importPlan(o *org.Org, plan dispatch.Imported, loc *time.Location) *view.ImportPlan {
	out := view.ImportPlan{Made: len(plan.Made), Same: len(plan.Same), Unmatched: len(plan.Unmatched)}
	for _, x := range plan.Made[:min(len(plan.Made), shownShifts)] {
		out.MadeRows = append(out.MadeRows, importedRow(o, x, loc))
	}
	for _, x := range plan.Unmatched[:min(len(plan.Unmatched), shownShifts)] {
		out.UnmatchedRows = append(out.UnmatchedRows, view.ChangeRow{When: period(x.Start, x.End, loc), Becomes: x.Summary})
	}
	return &out
}

func importedRow(o *org.Org, x oncall.Override, loc *time.Location) view.ChangeRow {
	return view.ChangeRow{When: period(x.Start, x.End, loc), Becomes: o.UserName(x.User)}
}
