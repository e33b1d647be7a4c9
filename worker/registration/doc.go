// Package registration keeps one phone registered (RFC 3261 §10.2).
//
//	step.go          decides: state and input in, state and effects out
//	timing.go        when to refresh, when to try again
//	message.go       the REGISTER, and what its answer grants
//	registration.go  performs what was decided
//
// Only one REGISTER is under way at a time, as the RFC wants it: a command
// that comes meanwhile waits for the final answer. The phone removes its own
// binding only, never "*".
package registration
