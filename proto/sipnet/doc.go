// Package sipnet is one SIP endpoint's sockets: UDP, TCP and TLS on one port,
// messages in and out, every one of them shown to a tap byte for byte.
//
//	Send ──► encode ──► udp ───────────────────────┐ tap
//	              └───► stream (dials, queues) ────┤
//	Handle ◄── parse ◄── one reader per socket ◄───┘ tap
//	Undelivered ◄── ICMP errors of the UDP socket (Linux)
//
// The parser and the messages are sipgo's; the sockets are not, because its
// transport layer dials while its caller waits, keeps an entry for every
// address that ever sent a datagram, cannot show what goes through an
// outgoing TLS connection, and does not say when its goroutines have ended.
package sipnet
