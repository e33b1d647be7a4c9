// Package siptx is the transaction layer of SIP: the four state machines of
// RFC 3261 §17 with the Accepted state of RFC 6026, as pure functions, and the
// table of transactions that one loop drives with them.
//
//	         user (a phone, a proxy)
//	Request │ ▲ Response      ▲ Request │ Respond
//	        ▼ │               │         ▼
//	      ClientTx          ServerTx            Layer, on one loop.Loop
//	        │ ▲               ▲         │
//	   send ▼ │ Receive       │ Receive ▼ send
//	         transport (package sipnet)
//
// It knows no sockets: it is given a Sender, and is handed what arrived.
// Everything but the pure functions belongs to the loop's goroutine, and
// every message reaches the user in the order in which Receive got it.
package siptx
