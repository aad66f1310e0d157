package web

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/web/view"
)

// sortedSwaps lists all requests to swap, the latest first.
func sortedSwaps(o *org.Org) []oncall.Swap {
	all := org.Sorted(o.Swaps, func(s oncall.Swap) string { return string(s.ID) })
	slices.Reverse(all)
	return all
}

// swapsFor are the requests that wait for a person's answer.
func swapsFor(o *org.Org, u id.User, now time.Time) []oncall.Swap {
	return slices.DeleteFunc(sortedSwaps(o), func(s oncall.Swap) bool {
		return u == "" || s.To != u || s.State != oncall.SwapAsked || !s.End.After(now)
	})
}

func swapRow(o *org.Org, s oncall.Swap, loc *time.Location) view.SwapRow {
	row := view.SwapRow{
		ID: string(s.ID), Rotation: o.Rotations[s.Rotation].Name, From: o.UserName(s.From), To: o.UserName(s.To), Note: s.Note,
		When: period(s.Start, s.End, loc), State: string(s.State), At: s.At,
	}
	if s.Return != nil {
		row.Return = period(s.Return.Start, s.Return.End, loc)
	}
	return row
}

// showNewSwap is the dialog to ask a colleague to take over one's shift.
func (s *Server) showNewSwap(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	rota, shift, err := askedShift(o, r)
	if err != nil {
		return err
	}
	return s.swapPage(w, r, http.StatusOK, o, oncall.Swap{
		Rotation: rota.ID, From: actorOf(r).User, Start: maxTime(shift.Start, s.Now()).Truncate(time.Minute), End: shift.End,
	}, nil, "")
}

func (s *Server) swapPage(w http.ResponseWriter, r *http.Request, status int, o *org.Org, x oncall.Swap, errs fields, wrong string) error {
	d, err := s.dialog(w, r, o, phrase.T("oncall_web.swap.title"))
	if err != nil {
		return err
	}
	loc := d.Page.Viewer.Zone
	rota, ok := o.Rotations[x.Rotation]
	if !ok {
		return noRotation()
	}
	f := view.SwapForm{
		Dialogue: d, RotationID: string(rota.ID), Rotation: rota.Name, From: typed(x.Start, loc), Until: typed(x.End, loc), Note: x.Note, Zone: loc.String(),
		ReturnFrom: text(r, "return_from"), ReturnUntil: text(r, "return_until"), Errors: errs, Error: wrong,
	}
	for name, field := range map[string]*string{"from": &f.From, "until": &f.Until} {
		if errs[name] != "" {
			*field = text(r, name)
		}
	}
	inside := turns(rota)
	var others []view.Option
	for _, option := range peopleOptions(o, string(x.To)) {
		switch u := id.User(option.Value); {
		case u == x.From:
		case inside[u]:
			option.Group = rota.Name
			f.People = append(f.People, option)
		default:
			option.Group = phrase.T("settings.everybody_else")
			others = append(others, option)
		}
	}
	f.People = append(f.People, others...)
	return draw(w, r, status, view.SwapPage(f))
}

func (s *Server) askSwap(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	actor := actorOf(r)
	loc := o.Users[actor.User].Location()
	errs := fields{}
	x := oncall.Swap{
		Rotation: id.Rotation(text(r, "rotation")), From: actor.User, To: id.User(text(r, "to")), Note: text(r, "note"), State: oncall.SwapAsked,
		Start: errs.instant(r, "from", loc, true), End: errs.instant(r, "until", loc, true),
	}
	if _, ok := o.Rotations[x.Rotation]; !ok {
		return noRotation()
	}
	if _, ok := o.Users[x.To]; !ok || x.To == x.From {
		errs["to"] = phrase.T("settings.error.choose")
	}
	in := oncall.SwapReturn{Start: errs.instant(r, "return_from", loc, false), End: errs.instant(r, "return_until", loc, false)}
	if !in.Start.IsZero() || !in.End.IsZero() {
		x.Return = &in
		if errs["return_from"] == "" && errs["return_until"] == "" && !in.End.After(in.Start) {
			errs["return_until"] = phrase.T("oncall_web.until.before")
		}
	}
	if errs["from"] == "" && errs["until"] == "" && !x.End.After(x.Start) {
		errs["until"] = phrase.T("oncall_web.until.before")
	}
	if len(errs) > 0 {
		return s.swapPage(w, r, http.StatusUnprocessableEntity, o, x, errs, "")
	}
	_, err = s.Dispatch.AskSwap(r.Context(), actor, x)
	if sentence, ok := refusal(err); ok {
		return s.swapPage(w, r, http.StatusUnprocessableEntity, o, x, nil, sentence)
	}
	return s.acted(w, r, err, phrase.T("oncall_web.swap.asked", o.UserName(x.To)))
}

func (s *Server) answerSwap(accept bool) func(http.ResponseWriter, *http.Request) error {
	key := "oncall_web.swap.did." + strconv.FormatBool(accept)
	return func(w http.ResponseWriter, r *http.Request) error {
		x, err := s.Dispatch.AnswerSwap(r.Context(), actorOf(r), id.Swap(r.PathValue("id")), accept)
		message := ""
		if err == nil {
			o, err := s.organisation(r.Context())
			if err != nil {
				return err
			}
			message = phrase.T(key, o.UserName(x.From))
		}
		return s.acted(w, r, err, message)
	}
}

func (s *Server) withdrawSwap(w http.ResponseWriter, r *http.Request) error {
	err := s.Dispatch.WithdrawSwap(r.Context(), actorOf(r), id.Swap(r.PathValue("id")))
	return s.acted(w, r, err, phrase.T("oncall_web.swap.withdrawn"))
}
