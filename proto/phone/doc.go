// Package phone holds the plain values that a supervisor and its workers
// exchange: who a phone is, what it can be told to do, what it answers, and
// what it reports. It knows nothing of gRPC (proto/phonewire converts), of SIP
// messages or of MCP.
//
//	supervisor                          worker
//	    │  Configure, Do(Command) ──────►  │   commands go down
//	    │  ◄────────────── Entry (Watch)   │   events come up
package phone
