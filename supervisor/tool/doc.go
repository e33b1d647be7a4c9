// Package tool is the tools of the server: a table with one entry for each,
// typed arguments in, a typed result out. The JSON schema of the arguments,
// their validation and the form of every answer are derived from the types,
// here, once. There is no telephony in it: tools ask the fleet and the hub.
//
//	tools/call ──► entry ── decode, check ──► func(args) (result, error)
//	                                               │
//	     {"status": "ok", …} ◄── encode, bound ◄───┘
package tool
