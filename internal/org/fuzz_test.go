package org

import "testing"

// FuzzBuild reads definitions as a restored backup may hold them: an
// organisation is built or refused, and what was built can be asked.
func FuzzBuild(f *testing.F) {
	for _, kind := range []Kind{UserKind, TeamKind, RotationKind, PolicyKind, KeyKind, IntegrationKind, SettingsKind, "unknown"} {
		f.Add(string(kind), []byte(`{"id":"x","name":"X","slug":"x","members":["y"],"steps":[{"targets":[{"user":"y"}]}],"layers":[{}]}`), []byte(`null`))
		f.Add(string(kind), []byte(`{}`), []byte(`{"id":"x","zone":"Nowhere"}`))
	}
	f.Fuzz(func(t *testing.T, kind string, one, two []byte) {
		o, err := Build(2, []Definition{
			{Kind: Kind(kind), ID: "x", Rev: 1, Current: true, Body: one}, {Kind: Kind(kind), ID: "y", Rev: 2, Current: true, Body: two},
		})
		if err != nil {
			return
		}
		if o.Rev != 2 {
			t.Errorf("revision %d, want 2", o.Rev)
		}
		for _, u := range o.Users {
			u.Location()
			o.UserName(u.ID)
		}
		o.KeyByName("x")
		o.HasAdmin()
	})
}
