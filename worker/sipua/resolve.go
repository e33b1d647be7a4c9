package sipua

import (
	"context"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/proto/sipnet"
)

const (
	lookupPatience = 10 * time.Second
	maxLookups     = 64
)

// Resolve finds where a request to next goes. done runs on the loop, always
// after Resolve has returned; targets are in order of preference, at least
// one when err is nil. err is a *phone.Error.
func (u *UA) Resolve(next sip.Uri, done func(targets []Target, err error)) {
	literal, ok, err := sipnet.Literal(&next, u.cfg.Transport)
	switch {
	case err != nil:
		u.loop.Defer(func() { done(nil, err) })
	case ok:
		targets, err := u.withSources([]Target{literal})
		u.loop.Defer(func() { done(targets, err) })
	case u.pending == maxLookups:
		err := phone.Errorf(phone.Exhausted, "%d names are being resolved already", maxLookups)
		u.loop.Defer(func() { done(nil, err) })
	default:
		u.pending++
		u.lookups.Go(func() { u.lookup(next, done) })
	}
}

func (u *UA) lookup(next sip.Uri, done func([]Target, error)) {
	ctx, cancel := context.WithTimeout(u.ctx, lookupPatience)
	defer cancel()
	targets, err := sipnet.Lookup(ctx, u.resolver, &next, u.cfg.Transport)
	if err == nil {
		targets, err = u.withSources(targets)
	}
	_ = u.loop.Post(func() { // an ended loop has nobody to tell
		u.pending--
		done(targets, err)
	})
}

// withSources asks the kernel for the source towards each target and drops
// those that it knows no way to, such as IPv6 on a machine without.
func (u *UA) withSources(targets []Target) ([]Target, error) {
	var reachable []Target
	var why error
	for _, t := range targets {
		source, err := u.endpoint.Source(t.Addr.Addr())
		if err != nil {
			why = err
			continue
		}
		t.Source = source
		reachable = append(reachable, t)
	}
	if len(reachable) == 0 {
		return nil, phone.Errorf(phone.Unreachable, "%v", why)
	}
	return reachable, nil
}
