package api

import (
	"cmp"
	"context"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/permit"
)

// SettingsView is the choices that hold for everybody.
type SettingsView struct {
	Name            string    `json:"name" doc:"Of the organisation."`
	DefaultPolicy   id.Policy `json:"default_policy,omitempty" doc:"For alerts whose routing key is unknown or absent; absent when there is none."`
	WarningsOpen    bool      `json:"warnings_open" doc:"A WARNING opens an incident."`
	SnoozeMorningAt string    `json:"snooze_morning_at" doc:"Local time of \"until tomorrow morning\"."`
	Bot             NamedBot  `json:"bot"`
	Rules           string    `json:"rules" doc:"Who may run which command, one rule on a line. Empty: nobody has written any."`
	RulesInForce    []string  `json:"rules_in_force" nullable:"false" doc:"What holds: the built-in rules, unless those above leave them out, and then those above. None: nothing is allowed, for they cannot be read."`

	SecondFactor []people.Role `json:"second_factor" nullable:"false" enum:"admin,member,observer" doc:"The roles that have to have a second factor."`

	Retention org.Retention `json:"retention" doc:"For how many days what is old is kept, by class; a class that is absent is kept for ever."`
}

// NamedBot is what the bot is called, as it is.
type NamedBot struct {
	Name    string  `json:"name" doc:"victor, when nobody has said otherwise."`
	Sigil   string  `json:"sigil" doc:"What begins a command in rooms that have none of their own; ! when nobody has said otherwise, and off when it is called by name alone."`
	Picture id.File `json:"picture,omitempty" doc:"Absent: ours."`
}

func namedBot(b org.Bot) NamedBot {
	return NamedBot{Name: b.Called(), Sigil: cmp.Or(b.Sigil, org.BotSigil), Picture: b.Picture}
}

// rulesInForce are the rules that decide, as they are written.
func rulesInForce(text string) []string {
	all := []string{}
	p, err := permit.Compile(text)
	if err != nil {
		return all
	}
	for _, r := range p.Rules {
		all = append(all, r.Text)
	}
	return all
}

// BotBody is what the bot is called. Its picture is a file that somebody has
// uploaded, and is changed where that is looked at.
type BotBody struct {
	Name  string `json:"name,omitempty" doc:"Left out: victor."`
	Sigil string `json:"sigil,omitempty" doc:"What begins a command in rooms that have none of their own; off when it is called by name alone. Left out: !"`
}

// change leaves out what holds anyway: to send back what was read changes nothing.
func (b BotBody) change(is org.Bot) org.Bot {
	is.Name, is.Sigil = b.Name, b.Sigil
	if is.Name == org.BotName {
		is.Name = ""
	}
	if is.Sigil == org.BotSigil {
		is.Sigil = ""
	}
	return is
}

// SettingsBody is all of the settings.
type SettingsBody struct {
	Name            string   `json:"name" minLength:"1" maxLength:"200" example:"Example Ltd" doc:"Of the organisation."`
	DefaultPolicy   string   `json:"default_policy,omitempty" maxLength:"100" example:"administrators" doc:"For alerts whose routing key is unknown or absent: id or slug. Left out: there is none, and such alerts page nobody."`
	WarningsOpen    bool     `json:"warnings_open" example:"true" doc:"A WARNING opens an incident."`
	SnoozeMorningAt string   `json:"snooze_morning_at" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" patternDescription:"a time of day such as 09:00" example:"09:00" doc:"Local time of \"until tomorrow morning\"."`
	Rules           *string  `json:"rules,omitempty" maxLength:"20000" doc:"Who may run which command, one rule on a line. Left out: as it is."`
	Bot             *BotBody `json:"bot,omitempty" doc:"What the bot is called and what begins a command; its picture stays. Left out: as it is."`

	SecondFactor *[]people.Role `json:"second_factor,omitempty" enum:"admin,member,observer" maxItems:"3" doc:"The roles that have to have a second factor: who lacks one is led to setting it up before anything else. Left out: as it is."`

	Retention *org.Retention `json:"retention,omitempty" doc:"For how many days what is old is kept, by class; what is older is removed for good within minutes. A class that is absent is kept for ever. Left out as a whole: as it is."`
}

type putSettingsInput struct {
	IfMatch string `header:"If-Match" doc:"The ETag they were read with: when somebody has changed them since, nothing happens and the answer is 412."`
	Body    SettingsBody
}

func (a *api) registerSettings() {
	handle(a, "show-settings", func(ctx context.Context, _ people.Actor, _ *struct{}) (*objectOutput[SettingsView], error) {
		o, err := a.Store.Org(ctx)
		if err != nil {
			return nil, err
		}
		return settingsOutput(o.Settings), nil
	})
	handle(a, "replace-settings", a.replaceSettings)
}

func settingsOutput(s org.Settings) *objectOutput[SettingsView] {
	return &objectOutput[SettingsView]{ETag: etag(s), Body: SettingsView{
		Name: s.Name, DefaultPolicy: s.DefaultPolicy, WarningsOpen: s.WarningsOpen, SnoozeMorningAt: s.SnoozeMorningAt, Bot: namedBot(s.Bot), Rules: s.Rules,
		RulesInForce: rulesInForce(s.Rules),
		Retention:    s.Retention, SecondFactor: s.SecondFactor.List(),
	}}
}

func (a *api) replaceSettings(ctx context.Context, by people.Actor, in *putSettingsInput) (*objectOutput[SettingsView], error) {
	var made org.Settings
	_, err := a.Dispatch.ChangeOrg(ctx, by, func(o *org.Org) ([]org.Change, error) {
		if err := unchanged(in.IfMatch, o.Settings); err != nil {
			return nil, err
		}
		policy, err := policyRef(o, "default_policy", in.Body.DefaultPolicy)
		if err != nil {
			return nil, err
		}
		made = o.Settings
		made.Name, made.DefaultPolicy = in.Body.Name, policy
		made.WarningsOpen, made.SnoozeMorningAt = in.Body.WarningsOpen, in.Body.SnoozeMorningAt
		if in.Body.Rules != nil {
			made.Rules = *in.Body.Rules
		}
		if in.Body.Bot != nil {
			made.Bot = in.Body.Bot.change(made.Bot)
		}
		if in.Body.Retention != nil {
			made.Retention = *in.Body.Retention
		}
		if in.Body.SecondFactor != nil {
			made.SecondFactor = people.RolesOf(*in.Body.SecondFactor...)
		}
		return []org.Change{org.Put(made)}, nil
	})
	if err != nil {
		return nil, err
	}
	return settingsOutput(made), nil
}
