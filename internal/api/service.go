package api

import (
	"context"
	"time"

	"github.com/watchroom/watchroom/internal/people"
)

// ServiceView is a ChatOps RPC service, as this node knows it.
type ServiceView struct {
	Prefix   string         `json:"prefix" doc:"First word of its commands."`
	URL      string         `json:"url" doc:"Of its listing."`
	ReadAt   *time.Time     `json:"read_at,omitempty" doc:"When the listing was last read, or found unchanged; absent for never."`
	NextAt   *time.Time     `json:"next_at,omitempty" doc:"When it is read again."`
	ETag     string         `json:"etag,omitempty" doc:"Of the listing; absent when the service offers none."`
	Error    string         `json:"error,omitempty" doc:"Why the last look failed. What was read before counts meanwhile."`
	Methods  []string       `json:"methods" nullable:"false" doc:"Those that can be used, by name."`
	Rejected []RejectedView `json:"rejected" nullable:"false" doc:"Those that cannot."`
}

// RejectedView is a method that is offered and cannot be used.
type RejectedView struct {
	Method string `json:"method"`
	Why    string `json:"why"`
}

func (a *api) registerServices() {
	handle(a, "list-services", a.listServices)
}

func (a *api) listServices(_ context.Context, _ people.Actor, _ *struct{}) (*listOutput[ServiceView], error) {
	out := &listOutput[ServiceView]{Body: List[ServiceView]{Items: []ServiceView{}}}
	if a.Services == nil {
		return out, nil
	}
	for _, s := range a.Services() {
		v := ServiceView{
			Prefix: s.Prefix, URL: s.URL, ReadAt: instant(s.ReadAt), NextAt: instant(s.NextAt), ETag: s.ETag, Error: s.Err,
			Methods: append([]string{}, s.Methods...), Rejected: []RejectedView{},
		}
		for _, r := range s.Rejected {
			v.Rejected = append(v.Rejected, RejectedView(r))
		}
		out.Body.Items = append(out.Body.Items, v)
	}
	return out, nil
}
