// Package hub is the memory of the server: the journal entries of all phones
// in one, and what must outlive a worker, kept by phone_id across restarts and
// drops until the server ends.
//
//	worker a ─┐            ┌─ rings of events: readers pull by position
//	worker b ─┼─ Append ──►├─ SIP log     (5,000 messages a phone)
//	  fleet  ─┘            ├─ history     (100 ended calls a phone)
//	                       ├─ inbox       (100 messages a phone)
//	                       └─ whose a call is
//
// Append never waits for a reader: a reader that is overtaken gets a Gap.
package hub
