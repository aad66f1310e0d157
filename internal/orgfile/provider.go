package orgfile

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/watchroom/watchroom/internal/escalation"
	"github.com/watchroom/watchroom/internal/id"
	"github.com/watchroom/watchroom/internal/org"
	"github.com/watchroom/watchroom/internal/strictyaml"
)

// Provider is an org.Provider.
type Provider struct {
	At       Position
	Kind     org.ProviderKind
	Name     string
	Order    int
	Off      bool
	Settings map[string]string
	Secrets  map[string]Hidden
	Deadline escalation.Duration // 0: the method's own
}

// Hidden is a secret of a provider. Where its variable is not set it stays as it
// is, so that an export, which names variables only, can be applied.
type Hidden struct {
	At   Position
	Text Secret
	From string // the variable to take it from, when Text is ""
	why  error  // why there is no Text
}

func (p *parser) provider(n strictyaml.Node) Provider {
	f := p.fields(n, "a provider", "kind", "name", "order", "off", "settings", "secrets", "deadline")
	v := Provider{
		At: n.At, Kind: org.ProviderKind(f.needed("provider", "kind")), Name: f.needed("provider", "name"), Order: f.number("order"), Off: f.yes("off"),
		Settings: map[string]string{}, Secrets: map[string]Hidden{}, Deadline: f.duration("deadline", 0),
	}
	for _, pair := range p.mapping(f, "settings") {
		if pair.Value.Kind != strictyaml.Scalar {
			p.say(pair.At, "%s: write one plain value", pair.Key)
			continue
		}
		v.Settings[pair.Key] = pair.Value.Text
	}
	for _, pair := range p.mapping(f, "secrets") {
		v.Secrets[pair.Key] = p.hidden(pair)
	}
	return v
}

func (p *parser) mapping(f fields, key string) []strictyaml.Pair {
	n, ok := f.node.Get(key)
	if ok && n.Kind != strictyaml.Mapping {
		p.say(n.At, "%s: a mapping of names to values is needed", key)
	}
	return n.Pairs
}

func (p *parser) hidden(pair strictyaml.Pair) Hidden {
	h := Hidden{At: pair.At}
	text, err := p.from.read(pair.Value)
	if m := variable.FindStringSubmatch(pair.Value.Text); err != nil && m != nil {
		h.From, h.why = m[1], err
		return h
	}
	if err == nil && text == "" {
		err = errors.New("it is empty")
	}
	if err != nil {
		p.say(pair.At, "%s: %w", pair.Key, err)
	}
	h.Text = Secret(text)
	return h
}

// providers leaves alone the keys for web push, which the server makes itself.
func (c *changer) providers() {
	if !c.doc.Providers.Listed {
		return
	}
	have := map[string]org.Provider{}
	for _, v := range c.o.Providers {
		if v.Kind != org.WebPush {
			have[v.Name] = v
		}
	}
	for _, v := range c.doc.Providers.Items {
		was := have[v.Name]
		if v.Kind == org.WebPush {
			c.say(v.At, "provider %s: the keys for web push are made by the server itself", v.Name)
			continue
		}
		if was.Kind != v.Kind { // another account, which only goes by the same name
			was = org.Provider{}
		} else {
			delete(have, v.Name)
		}
		is := org.Provider{
			ID: was.ID, Kind: v.Kind, Name: v.Name, Order: v.Order, Off: v.Off, Settings: v.Settings, Secrets: c.secrets(v, was), Deadline: v.Deadline,
		}
		if is.ID == "" {
			is.ID = id.Provider(c.maker.NewID())
		}
		if c.maker.CheckProvider != nil {
			if err := c.maker.CheckProvider(is); err != nil {
				c.say(v.At, "provider %s: %w", v.Name, err)
				continue
			}
		}
		c.put(v.At, org.CarrierKind, string(is.ID), is)
	}
	for _, v := range org.Sorted(have, func(v org.Provider) string { return v.Name }) {
		c.remove(org.CarrierKind, string(v.ID))
	}
}

func (c *changer) secrets(v Provider, was org.Provider) map[string]string {
	sealed := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(v.Secrets)) {
		h, old := v.Secrets[name], was.Secrets[name]
		switch {
		case h.Text != "":
			sealed[name] = c.maker.Sealed(old, string(h.Text))
		case old != "":
			sealed[name] = old
		case h.why != nil:
			c.say(h.At, "%s: %w", name, h.why)
		}
	}
	return sealed
}

func (x exporter) providers() Section[Provider] {
	s := Section[Provider]{Listed: true}
	for _, v := range org.Sorted(x.o.Providers, func(v org.Provider) string { return v.Name }) {
		if v.Kind == org.WebPush {
			continue
		}
		out := Provider{
			Kind: v.Kind, Name: v.Name, Order: v.Order, Off: v.Off, Settings: v.Settings, Secrets: map[string]Hidden{}, Deadline: v.Deadline,
		}
		for name := range v.Secrets {
			out.Secrets[name] = Hidden{From: variableName(v.Name, name)}
		}
		s.Items = append(s.Items, out)
	}
	return s
}

// variableName is where an export says that a secret can be taken from.
func variableName(provider, secret string) string {
	name := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToUpper(r)
		}
		return '_'
	}, provider+"_"+secret)
	return "WATCHROOM_" + name
}

func (v Provider) fields() object {
	var settings, secrets, order, pause any
	if len(v.Settings) > 0 {
		var o object
		for _, name := range slices.Sorted(maps.Keys(v.Settings)) {
			o = append(o, field{name, text(v.Settings[name])})
		}
		settings = oneLine(o)
	}
	if len(v.Secrets) > 0 {
		var o object
		for _, name := range slices.Sorted(maps.Keys(v.Secrets)) {
			o = append(o, field{name, v.Secrets[name].encode()})
		}
		secrets = oneLine(o)
	}
	if v.Order != 0 {
		order = scalar(strconv.Itoa(v.Order))
	}
	if v.Deadline != 0 {
		pause = duration(v.Deadline)
	}
	return without(
		field{"name", text(v.Name)}, field{"kind", text(string(v.Kind))}, field{"order", order}, field{"off", yes(v.Off)},
		field{"settings", settings}, field{"secrets", secrets}, field{"deadline", pause},
	)
}

func (h Hidden) encode() scalar {
	if h.From != "" {
		return text("${" + h.From + "}")
	}
	return text(string(h.Text))
}
