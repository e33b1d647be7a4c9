// Package harm stands between a phone and a foreign peer and harms their
// media by plan: it drops, doubles, swaps and delays packets, and lets the
// peer's stream begin anew. It counts what it did, for tests to compare with
// what the phone says it received.
//
// Both ends speak SIP through it until the call is set up, since it puts its own
// ports into their descriptions; what follows in the dialog goes from end to end.
package harm
