package org

import "fmt"

// Retention says for how many days each class of what is written down is kept,
// counted from when nothing was added to it any more; 0 is for ever.
type Retention struct {
	Messages   int `json:"messages,omitempty" minimum:"0" maximum:"36500" doc:"Days for what people and bots say in rooms and on the timeline, with its files; 0: for ever."`
	Incidents  int `json:"incidents,omitempty" minimum:"0" maximum:"36500" doc:"Days for incidents that are over, with all that belongs to them; 0: for ever."`
	Entries    int `json:"entries,omitempty" minimum:"0" maximum:"36500" doc:"Days for the other lines of the timeline, and alerts that opened nothing; 0: for ever."`
	Deliveries int `json:"deliveries,omitempty" minimum:"0" maximum:"36500" doc:"Days for the records of pages and mails, of which nothing more can become; 0: for ever."`
	Outputs    int `json:"outputs,omitempty" minimum:"0" maximum:"36500" doc:"Days for what commands printed; 0: as long as their record."`
	Commands   int `json:"commands,omitempty" minimum:"0" maximum:"36500" doc:"Days for the record of commands and their audit; 0: for ever."`
}

// MostDays is the longest time there is beside for ever.
const MostDays = 36500

// classes are in the order in which people are shown them.
var classes = []struct {
	name string
	days func(*Retention) *int
}{
	{"messages", func(r *Retention) *int { return &r.Messages }},
	{"incidents", func(r *Retention) *int { return &r.Incidents }},
	{"entries", func(r *Retention) *int { return &r.Entries }},
	{"deliveries", func(r *Retention) *int { return &r.Deliveries }},
	{"outputs", func(r *Retention) *int { return &r.Outputs }},
	{"commands", func(r *Retention) *int { return &r.Commands }},
}

// RetentionClass is one class and for how long it is kept.
type RetentionClass struct {
	Name string
	Days int
}

// Classes are the names and days of each class.
func (r Retention) Classes() []RetentionClass {
	all := make([]RetentionClass, len(classes))
	for i, c := range classes {
		all[i] = RetentionClass{c.name, *c.days(&r)}
	}
	return all
}

// Set gives the class of a name its days; false when there is no such class.
func (r *Retention) Set(name string, days int) bool {
	for _, c := range classes {
		if c.name == name {
			*c.days(r) = days
			return true
		}
	}
	return false
}

// On reports whether anything is ever removed.
func (r Retention) On() bool { return r != Retention{} }

func (r Retention) validate() error {
	for _, c := range r.Classes() {
		if c.Days < 0 || c.Days > MostDays {
			return fmt.Errorf("retention of %s: give 1 to %d days, or 0 for ever", c.Name, MostDays)
		}
	}
	return nil
}
