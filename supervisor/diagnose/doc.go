// Package diagnose reads what phones left on record, so that a person can see
// what happened.
//
// It reads SIP as the socket saw it, malformed messages too: what cannot be
// read is left empty, and nothing is refused. That is why it does not use the
// parser that the phones use.
package diagnose
