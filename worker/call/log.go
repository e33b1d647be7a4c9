package call

import "github.com/hashicorp/go-hclog"

// log names the call by both its names: ours, and the one that the far ends
// and their logs know it by.
func (c *Call) log() hclog.Logger {
	with := []any{"call_id", int64(c.id)}
	if c.session != nil {
		with = append(with, "sip_call_id", c.session.CallID())
	}
	return c.env.Log.With(with...)
}
