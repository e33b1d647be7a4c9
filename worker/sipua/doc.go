// Package sipua is a phone's way to SIP: one socket, transactions, finding
// servers, authentication and failover, and a tap of every message. Dialogs
// are its user's.
//
//	dialogs, registration         Handler ▲        Send │ ▲ OnResponse
//	──────────────────────────────────────┼─────────────┼─┼──────────
//	sipua                                 │   targets, digest, CANCEL
//	proto/siptx                        ServerTx      ClientTx
//	proto/sipnet                          sockets, DNS, tap
//
// All methods but Listen, LocalPort and Close are called on the phone's loop,
// and every callback runs on it.
package sipua
