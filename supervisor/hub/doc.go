// Package hub is the memory of the server: the journal entries of all phones
// in one, and what must outlive a worker, kept by phone_id across restarts and
// drops until the server ends.
//
//	worker a ─┐            ┌─ rings of events: readers pull by position (64 MiB each)
//	worker b ─┼─ Append ──►├─ SIP log     (5,000 messages a phone, 16 MiB)
//	  fleet  ─┘            ├─ history     (100 ended calls a phone, 1 MiB)
//	                       ├─ inbox       (100 messages a phone, 2 MiB)
//	                       └─ whose a call is
//
// Everything is bounded by its number and by its bytes, for the far ends decide
// how long a message is: the oldest go first.
//
// Append never waits for a reader: a reader that is overtaken gets a Gap.
package hub
