// Package peers runs SIP programs of other people for a test: SIPp, baresip,
// linphone and Kamailio. Each gets a configuration, a home and free loopback
// ports of its own, and ends with the test, by its process id.
//
// They are installed by scripts/install-peers. Tests with them run when
// RINGMASTER_INTEROP is 1, as `make interop` sets it.
package peers
