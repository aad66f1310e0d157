package orgfile

import (
	"regexp"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/people"
	"github.com/watchroom/watchroom/internal/strictyaml"
)

// Rule is a people.PagingRule.
type Rule struct {
	At      Position
	Name    string
	Urgency people.Urgency // default: both
	When    []people.PagingWindow
	Steps   []RuleStep
	Again   people.Duration // 0: not
	Wait    people.PagingWait
}

// RuleStep is a people.PagingStep.
type RuleStep struct {
	After    people.Duration
	Methods  []people.Method
	Contacts []Ref // by label, as "sms +49301234567", or by id
}

// managed are the contact methods whose address is no secret.
var managed = []people.Method{people.Email, people.SMS, people.Voice}

// identifier is what contact methods without a better name go by.
var identifier = regexp.MustCompile(`^[0-9a-z]{26}$`)

// contact reads {email: kim@example.org} or {method: sms, address: "+49301234567"}.
func (p *parser) contact(n strictyaml.Node) Contact {
	f := p.fields(n, "a contact", "email", "method", "address", "label", "off", "proven")
	c := Contact{At: n.At, Label: f.text("label"), Off: f.yes("off")}
	if f.has("proven") {
		c.Unproven = !f.yes("proven")
	}
	if f.has("email") {
		if f.has("method") || f.has("address") {
			p.say(n.At, "contact: give either email, or method and address")
		}
		c.Method, c.Address = people.Email, f.text("email")
		return c
	}
	if !f.has("method") {
		p.say(n.At, "contact: email is missing, or method and address")
		return c
	}
	c.Method, c.Address = people.Method(f.text("method")), f.needed("contact", "address")
	if !slices.Contains(managed, c.Method) {
		p.say(n.At, "contact: method %q: use email, sms or voice; other contact methods are added by their owner", c.Method)
	}
	if c.Method != people.Email && f.has("proven") {
		p.say(n.At, "contact: proven is for e-mail addresses; a number is proven by its owner, with the code that is sent there")
	}
	return c
}

func (p *parser) rule(n strictyaml.Node) Rule {
	f := p.fields(n, "a paging rule", "name", "urgency", "when", "steps", "again", "wait_until")
	r := Rule{
		At: n.At, Name: f.needed("paging rule", "name"), Urgency: people.Urgency(f.text("urgency")), When: p.windows(f, "when"),
		Again: f.duration("again", 0),
	}
	if n, ok := f.node.Get("wait_until"); ok {
		f := p.fields(n, "wait_until", "at", "days")
		r.Wait.At = f.needed("wait_until", "at")
		for _, d := range f.refs("days") {
			r.Wait.Days = append(r.Wait.Days, people.Day(d.Name))
		}
	}
	for _, n := range f.list("steps") {
		f := p.fields(n, "a step of a paging rule", "after", "methods", "contacts")
		s := RuleStep{After: f.duration("after", 0), Contacts: f.refs("contacts")}
		for _, m := range f.refs("methods") {
			s.Methods = append(s.Methods, people.Method(m.Name))
		}
		r.Steps = append(r.Steps, s)
	}
	return r
}

// contacts keeps the identity and the proof of an address that stays, because
// deliveries and paging policies refer to it, and all that files do not manage.
// For an e-mail address that it does not call unproven the file answers.
func (c *changer) contacts(old people.User, listed []Contact) []people.Contact {
	var all []people.Contact
	for _, l := range listed {
		is := people.Contact{Method: l.Method, Label: l.Label, Address: l.Address, Off: l.Off}
		for _, was := range old.Contacts {
			if was.Method == is.Method && was.Address == is.Address {
				is.ID = was.ID
			}
		}
		if is.ID == "" {
			is.ID = id.Contact(c.maker.NewID())
		}
		all = append(all, is)
	}
	for i, was := range old.Contacts {
		if !slices.Contains(managed, was.Method) { // where it was, as far as that still is a place
			all = slices.Insert(all, min(i, len(all)), was)
		}
	}
	all = people.Declared(old.Contacts, all)
	for _, l := range listed {
		i := slices.IndexFunc(all, func(is people.Contact) bool { return is.Method == l.Method && is.Address == l.Address })
		switch is := &all[i]; {
		case l.Method != people.Email:
		case l.Unproven && is.Proof == people.ByAdmin && is.VerifiedAt.IsZero(): // it is new
			is.Proof = people.Wanted
		case !l.Unproven && is.Proof == people.Wanted:
			is.Proof = people.ByAdmin
		}
	}
	return all
}

// contactNames are what the contact methods of a person go by in a file.
func contactNames(contacts []people.Contact) map[string]id.Contact {
	names := map[string]id.Contact{}
	labels := map[string]int{}
	for _, c := range contacts {
		labels[c.Label]++
		names[string(c.ID)] = c.ID
	}
	for _, c := range contacts {
		if slices.Contains(managed, c.Method) {
			names[string(c.Method)+" "+c.Address] = c.ID
		}
		if c.Label != "" && labels[c.Label] == 1 {
			names[c.Label] = c.ID // goes before what looks like an address or an id
		}
	}
	return names
}

// contactName is the name by which contactNames finds c.
func contactName(contacts []people.Contact, n id.Contact) string {
	names := contactNames(contacts)
	for _, c := range contacts {
		for _, name := range []string{c.Label, string(c.Method) + " " + c.Address} {
			if c.ID == n && names[name] == n {
				return name
			}
		}
	}
	return string(n)
}

func (c *changer) paging(username string, contacts []people.Contact, rules []Rule) *people.PagingPolicy {
	if len(rules) == 0 {
		return nil
	}
	names := contactNames(contacts)
	p := &people.PagingPolicy{}
	for _, r := range rules {
		rule := people.PagingRule{Name: r.Name, Urgency: r.Urgency, When: r.When, Again: r.Again, Wait: r.Wait}
		for _, s := range r.Steps {
			step := people.PagingStep{After: s.After, Methods: s.Methods}
			for _, ref := range s.Contacts {
				n, ok := names[ref.Name]
				if !ok && identifier.MatchString(ref.Name) { // taken away since, or of another installation: it is passed over when its turn comes
					n, ok = id.Contact(ref.Name), true
				}
				if !ok {
					c.say(ref.At, "there is no contact method %q of %s; name it by its label, or by method and address, such as sms +49301234567", ref.Name, username)
					n = id.Contact("unknown")
				}
				step.Contacts = append(step.Contacts, n)
			}
			rule.Steps = append(rule.Steps, step)
		}
		p.Rules = append(p.Rules, rule)
	}
	return p
}

func (x exporter) user(u people.User) User {
	contacts := []Contact{}
	for _, c := range u.Contacts {
		if slices.Contains(managed, c.Method) {
			contacts = append(contacts, Contact{Method: c.Method, Address: c.Address, Label: c.Label, Off: c.Off, Unproven: c.Method == people.Email && !c.Verified()})
		}
	}
	out := User{Username: u.Username, Name: u.Name, Email: u.Email, Role: u.Role, Zone: u.Zone, Contacts: &contacts, Disabled: u.Disabled}
	if len(u.Reminders) > 0 {
		out.Reminders = &u.Reminders
	}
	if u.Paging == nil || len(u.Paging.Rules) == 0 {
		return out
	}
	rules := []Rule{}
	for _, r := range u.Paging.Rules {
		rule := Rule{Name: r.Name, Urgency: r.Urgency, When: r.When, Again: r.Again, Wait: r.Wait}
		for _, s := range r.Steps {
			step := RuleStep{After: s.After, Methods: s.Methods}
			for _, n := range s.Contacts {
				step.Contacts = append(step.Contacts, Ref{Name: contactName(u.Contacts, n)})
			}
			rule.Steps = append(rule.Steps, step)
		}
		rules = append(rules, rule)
	}
	out.Paging = &rules
	return out
}

func (u User) fields() object {
	var contacts, paging, reminders any
	if u.Contacts != nil {
		all := list{}
		for _, c := range *u.Contacts {
			all = append(all, c.fields())
		}
		contacts = all
	}
	if u.Paging != nil {
		all := list{}
		for _, r := range *u.Paging {
			all = append(all, r.fields())
		}
		paging = all
	}
	if u.Reminders != nil {
		reminders = words(*u.Reminders)
	}
	return without(
		field{"username", text(u.Username)}, field{"name", text(u.Name)}, field{"email", text(u.Email)}, field{"role", text(string(u.Role))},
		field{"zone", text(u.Zone)}, field{"contacts", contacts}, field{"paging", paging}, field{"reminders", reminders}, field{"disabled", yes(u.Disabled)},
	)
}

func (c Contact) fields() object {
	o := object{{"email", text(c.Address)}}
	if c.Method != people.Email {
		o = object{{"method", text(string(c.Method))}, {"address", text(c.Address)}}
	}
	var proven any
	if c.Unproven {
		proven = scalar("false")
	}
	return append(o, without(field{"label", some(c.Label)}, field{"off", yes(c.Off)}, field{"proven", proven})...)
}

func (r Rule) fields() object {
	steps := make([]string, len(r.Steps))
	for i, s := range r.Steps {
		var methods, contacts any
		if len(s.Methods) > 0 {
			methods = words(s.Methods)
		}
		if len(s.Contacts) > 0 {
			contacts = refList(s.Contacts)
		}
		steps[i] = string(oneLine(without(
			field{"after", duration(s.After)}, field{"methods", methods}, field{"contacts", contacts},
		)))
	}
	var times, again, wait any
	if !r.Wait.IsZero() {
		var days any
		if len(r.Wait.Days) > 0 {
			days = words(r.Wait.Days)
		}
		wait = oneLine(without(field{"at", text(r.Wait.At)}, field{"days", days}))
	}
	if len(r.When) > 0 {
		times = windows(r.When)
	}
	if r.Again != 0 {
		again = duration(r.Again)
	}
	return without(
		field{"name", text(r.Name)}, field{"urgency", some(string(r.Urgency))}, field{"when", times}, field{"wait_until", wait},
		field{"steps", flow("[" + strings.Join(steps, ", ") + "]")}, field{"again", again},
	)
}
