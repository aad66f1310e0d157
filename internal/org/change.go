package org

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/watchroom/watchroom/internal/escalation"
)

// Kind names a kind of definition. Stable in storage.
type Kind string

// The kinds.
const (
	UserKind        Kind = "user"
	TeamKind        Kind = "team"
	RotationKind    Kind = "rotation"
	PolicyKind      Kind = "policy"
	KeyKind         Kind = "routing_key"
	IntegrationKind Kind = "integration"
	OverrideKind    Kind = "override"
	AbsenceKind     Kind = "absence"
	SwapKind        Kind = "swap"
	HolidayKind     Kind = "holiday"
	MaintenanceKind Kind = "maintenance"
	HeartbeatKind   Kind = "heartbeat"
	CarrierKind     Kind = "provider"
	FeedKind        Kind = "feed"
	DrillKind       Kind = "drill"
	RobotKind       Kind = "robot"
	RoomKind        Kind = "room"
	SettingsKind    Kind = "settings"
)

// SettingsID is the id of the only Settings.
const SettingsID = "settings"

// Definition is one stored object of the organisation at one revision.
type Definition struct {
	Kind    Kind
	ID      string
	Rev     int64
	Current bool
	Body    []byte // JSON; empty when it was deleted at Rev
}

// Change puts or deletes one object.
type Change struct {
	Put    any  // a value of one of the shelves, or Settings
	Delete Kind // with ID, when Put is nil
	ID     string
}

// Put makes an object what it says, creating it when it is new.
func Put(object any) Change { return Change{Put: object} }

// Remove deletes an object.
func Remove(kind Kind, objectID string) Change { return Change{Delete: kind, ID: objectID} }

// Applied says what one change did.
type Applied struct {
	Kind   Kind
	ID     string
	Name   string
	Action string   // "created", "changed", "deleted"
	Fields []string // for "changed": the JSON names of what differs
	Body   []byte   // JSON of the object; empty when deleted
}

// Build makes an Org from stored definitions.
func Build(rev int64, defs []Definition) (*Org, error) {
	o := empty()
	o.Rev = rev
	for _, d := range defs {
		if d.Kind == PolicyKind && len(d.Body) > 0 {
			p, err := read[escalation.Policy](d.Body)
			if err != nil {
				return nil, fmt.Errorf("read policy %s at %d: %w", d.ID, d.Rev, err)
			}
			p.Version = d.Rev
			o.versions[policyVersion{p.ID, d.Rev}] = p
		}
		if !d.Current || len(d.Body) == 0 {
			continue
		}
		if err := o.read(d); err != nil {
			return nil, fmt.Errorf("read %s %s: %w", d.Kind, d.ID, err)
		}
	}
	return o, o.index()
}

func empty() *Org {
	o := &Org{
		Settings: Settings{WarningsOpen: true, SnoozeMorningAt: "09:00"},
		versions: map[policyVersion]escalation.Policy{},
	}
	for _, s := range shelves {
		s.clone(o)
	}
	return o
}

func read[T any](body []byte) (T, error) {
	var v T
	err := json.Unmarshal(body, &v)
	return v, err
}

func (o *Org) read(d Definition) error {
	object, err := Decode(d.Kind, d.Body)
	if err != nil {
		return err
	}
	if p, ok := object.(escalation.Policy); ok {
		p.Version = d.Rev
		object = p
	}
	o.put(object)
	return nil
}

// Decode reads the JSON of a definition into the type of its kind.
func Decode(kind Kind, body []byte) (any, error) {
	if kind == SettingsKind {
		return read[Settings](body)
	}
	if s := shelfOf(kind); s != nil {
		return s.decode(body)
	}
	return nil, fmt.Errorf("unknown kind %q", kind)
}

func (o *Org) put(object any) {
	if v, ok := object.(Settings); ok {
		o.Settings = v
		return
	}
	for _, s := range shelves {
		if s.put(o, object) {
			return
		}
	}
}

// describe gives kind, id and name of an object, and its own check.
func describe(object any) (kind Kind, objectID, name string, err error) {
	if v, ok := object.(Settings); ok {
		return SettingsKind, SettingsID, v.Name, v.validate()
	}
	for _, s := range shelves {
		if objectID, name, err, ok := s.describe(object); ok {
			return s.kind(), objectID, name, err
		}
	}
	return "", "", "", fmt.Errorf("%T is not part of an organisation", object)
}

// Get returns the object of a kind with an id.
func (o *Org) Get(kind Kind, objectID string) (any, bool) {
	if kind == SettingsKind {
		return o.Settings, objectID == SettingsID
	}
	if s := shelfOf(kind); s != nil {
		return s.get(o, objectID)
	}
	return nil, false
}

func (o *Org) remove(kind Kind, objectID string) {
	if s := shelfOf(kind); s != nil { // of settings there is always one
		s.remove(o, objectID)
	}
}

// Apply returns the organisation after all changes, together, and what each of
// those that changed something did. The error is a sentence about the first
// thing that would be wrong; o itself never changes.
func (o *Org) Apply(changes ...Change) (*Org, []Applied, error) {
	next := o.clone()
	var done []Applied
	for _, c := range changes {
		a, err := next.apply(c)
		if err != nil {
			return nil, nil, err
		}
		if a.Action != "" {
			done = append(done, a)
		}
	}
	if err := next.index(); err != nil {
		return nil, nil, err
	}
	if err := next.check(o); err != nil {
		return nil, nil, err
	}
	return next, done, nil
}

func (o *Org) apply(c Change) (Applied, error) {
	if c.Put == nil {
		old, ok := o.Get(c.Delete, c.ID)
		if !ok || c.Delete == SettingsKind {
			return Applied{}, fmt.Errorf("there is no %s %s to delete", words(c.Delete), c.ID)
		}
		_, _, name, _ := describe(old)
		o.remove(c.Delete, c.ID)
		return Applied{Kind: c.Delete, ID: c.ID, Name: name, Action: "deleted"}, nil
	}
	kind, objectID, name, err := describe(c.Put)
	if err != nil {
		return Applied{}, err
	}
	if objectID == "" {
		return Applied{}, fmt.Errorf("%s %s has no id", words(kind), name)
	}
	body, err := json.Marshal(c.Put)
	if err != nil {
		return Applied{}, fmt.Errorf("write %s %s: %w", kind, name, err)
	}
	a := Applied{Kind: kind, ID: objectID, Name: name, Action: "created", Body: body}
	if old, ok := o.Get(kind, objectID); ok {
		was, err := json.Marshal(old)
		if err != nil {
			return Applied{}, fmt.Errorf("write %s %s: %w", kind, name, err)
		}
		a.Action, a.Fields = "changed", differing(was, body)
		if len(a.Fields) == 0 && (kind != SettingsKind || o.Rev > 0) {
			return Applied{}, nil
		}
	}
	o.put(c.Put)
	return a, nil
}

// differing lists the top-level JSON names whose values differ.
func differing(a, b []byte) []string {
	var was, is map[string]any
	if json.Unmarshal(a, &was) != nil || json.Unmarshal(b, &is) != nil {
		return []string{"everything"}
	}
	var names []string
	for name := range is {
		if !same(was[name], is[name]) {
			names = append(names, name)
		}
	}
	for name := range was {
		if _, ok := is[name]; !ok && !none(was[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// same compares JSON values; nothing, null and an empty list are the same.
func same(a, b any) bool { return none(a) && none(b) || reflect.DeepEqual(a, b) }

func none(v any) bool {
	list, ok := v.([]any)
	return v == nil || ok && len(list) == 0
}

func words(k Kind) string { return strings.ReplaceAll(string(k), "_", " ") }

func (o *Org) clone() *Org {
	next := *o
	for _, s := range shelves {
		s.clone(&next)
	}
	return &next
}
