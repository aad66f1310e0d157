package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/dispatch"
	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/fault"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/oncall"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/permit"
	"github.com/watchroom/watchroom/internal/phrase"
	"github.com/watchroom/watchroom/internal/routing"
	"github.com/watchroom/watchroom/internal/web/view"
)

func (s *Server) settingsRoutes() []Route {
	return []Route{
		{"GET /settings", people.Read, s.showSettings},
		{"GET /settings/organisation", people.Read, s.showOrganisation},
		{"POST /settings/organisation", people.Manage, s.saveOrganisation},
		{"GET /settings/organisation/export", people.Manage, s.exportOrganisation},
		{"GET /settings/tokens", people.Manage, s.showAllTokens},
		{"POST /settings/tokens/{id}/revoke", people.Manage, s.revokeToken("/settings/tokens")},
	}
}

// settingsPage is page for a place of the settings.
func (s *Server) settingsPage(w http.ResponseWriter, r *http.Request, o *org.Org, title string) (view.Page, error) {
	return s.page(w, r, o, title, "settings")
}

func (s *Server) showSettings(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("web.nav.settings"))
	if err != nil {
		return err
	}
	home := view.SettingsHome{Page: page, Cards: settingsCards(o, page.Viewer)}
	if page.Viewer.May(string(people.Manage)) {
		if steps := s.steps(o); slices.ContainsFunc(steps, func(s view.SettingsStep) bool { return !s.Done }) {
			home.Steps = steps
		}
	}
	for _, p := range o.Problems(s.Now()) {
		home.Problems = append(home.Problems, view.SettingsProblem{Object: p.Object, Text: p.Text, Href: problemHref(o, p.Object)})
	}
	return draw(w, r, http.StatusOK, view.SettingsHomePage(home))
}

// steps is what a house needs before it can page anybody, in the order in
// which it is best done.
func (s *Server) steps(o *org.Org) []view.SettingsStep {
	step := func(key string, done bool, href string) view.SettingsStep {
		return view.SettingsStep{
			Done: done, Href: href, Title: phrase.T("settings.step." + key), Text: phrase.T("settings.step." + key + ".text"),
			Action: phrase.T("settings.step." + key + ".action"),
		}
	}
	_, hasDefault := o.Policies[o.Settings.DefaultPolicy]
	return []view.SettingsStep{
		step("mail", s.MailConfigured, ""), // is set where the server is started
		step("people", len(o.Users) > 1, "/settings/people/invite"),
		step("team", len(o.Teams) > 0, "/settings/teams/new"),
		step("rotation", len(o.Rotations) > 0, "/settings/rotations/new"),
		step("policy", usesRotation(o), policyStep(o)),
		step("route", hasDefault, "/settings/routing"),
		step("key", len(o.Keys) > 0, "/settings/routing"),
		step("integration", len(o.Integrations) > 0, "/integrations"),
	}
}

// usesRotation reports whether some policy pages whoever is on call.
func usesRotation(o *org.Org) bool {
	for _, p := range o.Policies {
		for _, step := range p.Steps {
			if slices.ContainsFunc(step.Targets, func(t escalation.Target) bool { return t.Rotation != "" }) {
				return true
			}
		}
	}
	return false
}

// policyStep leads to the only policy there is, to change it, or to a new one.
func policyStep(o *org.Org) string {
	if len(o.Policies) == 1 {
		for p := range o.Policies {
			return "/settings/policies/" + string(p)
		}
	}
	return "/settings/policies/new"
}

// problemHref finds the page of what org.Problems names.
func problemHref(o *org.Org, object string) string {
	for _, p := range o.Policies {
		if object == phrase.T("org.policy", p.Name) {
			return "/settings/policies/" + string(p.ID)
		}
	}
	for _, r := range o.Rotations {
		if object == phrase.T("org.rotation", r.Name) {
			return "/settings/rotations/" + string(r.ID)
		}
	}
	return "/settings/routing"
}

func settingsCards(o *org.Org, v view.Viewer) []view.SettingsCard {
	card := func(name, href, icon string, count int) view.SettingsCard {
		return view.SettingsCard{
			Icon: icon, Title: phrase.T("settings.nav." + name), Text: phrase.T("settings.card." + name),
			Href: href, Count: count, Counted: count >= 0,
		}
	}
	cards := []view.SettingsCard{
		card("profile", "/settings/profile", "person", -1),
		card("people", "/settings/people", "people", len(o.Users)),
		card("teams", "/settings/teams", "team", len(o.Teams)),
		card("rotations", "/settings/rotations", "rotation", len(o.Rotations)),
		card("policies", "/settings/policies", "policy", len(o.Policies)),
		card("routing", "/settings/routing", "route", len(o.Keys)),
		card("maintenance", "/settings/maintenance", "snooze", -1),
		card("heartbeats", "/settings/heartbeats", "pulse", len(o.Heartbeats)),
		card("drills", "/settings/drills", "test", -1),
		card("explain", "/explain", "help", -1),
		card("commands", "/commands", "list", -1),
		card("jobs", "/jobs", "clock", -1),
	}
	if v.May(string(people.Ingest)) {
		cards = append(cards, card("integrations", "/integrations", "plug", len(o.Integrations)))
	}
	cards = append(cards, card("organisation", "/settings/organisation", "org", -1))
	if v.May(string(people.Manage)) {
		cards = append(cards, card("robots", "/settings/robots", "robot", len(o.Robots)), card("providers", "/settings/providers", "send", len(o.Providers)), card("tokens", "/settings/tokens", "token", -1), card("retention", "/settings/retention", "archive", -1))
	}
	return cards
}

func (s *Server) showOrganisation(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	return s.organisationPage(w, r, http.StatusOK, o, view.Organisation{
		Name: o.Settings.Name, Morning: o.Settings.SnoozeMorningAt, BotName: o.Settings.Bot.Called(), BotSigil: o.Settings.Bot.Sigil, Rules: o.Settings.Rules, SecondFactor: roleOptions(o.Settings.SecondFactor),
	})
}

func (s *Server) organisationPage(w http.ResponseWriter, r *http.Request, status int, o *org.Org, v view.Organisation) error {
	var err error
	if v.Page, err = s.settingsPage(w, r, o, phrase.T("settings.nav.organisation")); err != nil {
		return err
	}
	v.PublicURL, v.Mail, v.Exports, v.Defaults = s.PublicURL, s.MailConfigured, s.Export != nil, permit.Default
	v.BotPicture, v.Pictures = pictureOf(o.Settings.Bot.Picture), s.Uploads != nil
	return draw(w, r, status, view.OrganisationPage(v))
}

func (s *Server) saveOrganisation(w http.ResponseWriter, r *http.Request) error {
	v := view.Organisation{Name: text(r, "name"), Morning: text(r, "morning"), BotName: text(r, "bot_name"), BotSigil: text(r, "bot_sigil"), Rules: r.PostFormValue("rules"), SecondFactor: roleOptions(rolesFrom(r, "second_factor"))}
	errs := fields{}
	if known, err := s.organisation(r.Context()); err != nil {
		return err
	} else if err := dispatch.CheckRules(known, v.Rules); err != nil {
		errs["rules"] = fault.MessageOf(err)
	}
	if v.BotName != "" && !people.ValidSlug(v.BotName) {
		errs["bot_name"] = phrase.T("settings.organisation.bot_name.wrong")
	}
	errs.name("name", v.Name)
	errs.clock("morning", v.Morning)
	if len(errs) > 0 {
		o, err := s.organisation(r.Context())
		if err != nil {
			return err
		}
		v.Errors = errs
		return s.organisationPage(w, r, http.StatusUnprocessableEntity, o, v)
	}
	_, err := s.Dispatch.ChangeOrg(r.Context(), actorOf(r), func(o *org.Org) ([]org.Change, error) {
		settings := o.Settings
		settings.Name, settings.SnoozeMorningAt, settings.Rules = v.Name, v.Morning, strings.ReplaceAll(v.Rules, "\r\n", "\n")
		settings.Bot.Name, settings.Bot.Sigil = v.BotName, v.BotSigil
		settings.SecondFactor = rolesFrom(r, "second_factor")
		return []org.Change{org.Put(settings)}, nil
	})
	if err != nil {
		return err
	}
	return s.done(w, r, "/settings/organisation", phrase.T("settings.saved"))
}

func (s *Server) exportOrganisation(w http.ResponseWriter, r *http.Request) error {
	if s.Export == nil {
		return fault.NotFound("")
	}
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	body, err := s.Export(o)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("Content-Disposition", `attachment; filename="watchroom.yaml"`)
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body) // a browser that has left is no error of ours
	return nil
}

func (s *Server) showAllTokens(w http.ResponseWriter, r *http.Request) error {
	o, err := s.organisation(r.Context())
	if err != nil {
		return err
	}
	tokens, err := s.Accounts.Tokens(r.Context(), actorOf(r))
	if err != nil {
		return err
	}
	page, err := s.settingsPage(w, r, o, phrase.T("settings.nav.tokens"))
	if err != nil {
		return err
	}
	return draw(w, r, http.StatusOK, view.AllTokensPage(view.AllTokens{Page: page, Tokens: tokenRows(o, tokens)}))
}

// firstTeam is what a first team of one person needs to be paged: the team, a
// weekly rotation, a policy that pages whoever is on call, and a routing key.
func firstTeam(o *org.Org, user people.User, name, date string) []org.Change {
	slug := id.Slug(name)
	if _, taken := o.TeamBySlug(slug); taken || slug == "" {
		return nil
	}
	team := people.Team{ID: id.Team(id.New()), Slug: slug, Name: name, Members: []id.User{user.ID}}
	rotation := oncall.Rotation{
		ID: id.Rotation(id.New()), Name: name, Team: team.ID, Zone: user.Zone,
		Layers: []oncall.Layer{{Members: []id.User{user.ID}, Every: 1, Unit: oncall.Weeks, HandoffAt: "09:00", Start: date}},
	}
	policy := escalation.Policy{
		ID: id.Policy(id.New()), Slug: slug, Name: name, Team: team.ID, Repeat: 3, RepeatAfter: escalation.DefaultRepeatAfter,
		Steps: []escalation.Step{{Targets: []escalation.Target{{Rotation: rotation.ID}}}},
	}
	key := routing.Key{ID: id.RoutingKey(id.New()), Name: slug, Policy: policy.ID}
	settings := o.Settings
	settings.DefaultPolicy = policy.ID
	return []org.Change{org.Put(team), org.Put(rotation), org.Put(policy), org.Put(key), org.Put(settings)}
}
