// Package pbx is a small PBX for a machine that has none: the registrar and
// stateful proxy of one SIP domain (RFC 3261 §10 and §16), on UDP and TCP.
//
//	request ─► route ─┬─► REGISTER ─► bindings (until they expire)
//	                  ├─► the PBX itself: OPTIONS
//	                  └─► relay ─┬─► branch ─► a contact of the user
//	     best response ◄─────────┴─► branch ─► another one
//
// Who may what. Every request outside a dialog is authenticated, and its From
// must be the user who was: 401 or 407 until the password is right, then 403.
// The PBX calls its own users only (404 for anybody else) where they are
// registered (480 if nowhere), all contacts at once. Any name that resolves
// to its address is its domain; a URI without a port is meant for it too.
// It relays to no foreign host (403). A request within a dialog is relayed
// without authentication when it carries the Record-Route of that very
// Call-ID, which only the PBX can make, and then to wherever the route set
// and the Request-URI say.
//
// Where it leaves the letter of RFC 3261, as PBXs do:
//
//   - a phone's 503 goes back as it is (§16.7 step 6 would make it 500): here
//     it is the phone's own answer, and nobody would fail over;
//   - a 3xx goes back to the caller, never tried by the PBX;
//   - a contact that cannot be reached counts as 480, one that does not
//     answer an INVITE as 408. Other requests get 480 shortly before their
//     sender gives up, since RFC 4320 §4.2 forbids them a 408;
//   - an INVITE that its caller cancelled ends with 487 whatever the phones
//     answered, unless one had accepted it or declined it for all (6xx);
//   - the contact of a phone that registers over TCP is reached first through
//     the connection it registered on;
//   - a request of an unknown method outside a dialog gets 501.
//
// It never looks into a body. Everything happens on one loop, in the order of
// arrival, except that a request naming a host not met before waits for DNS.
package pbx
