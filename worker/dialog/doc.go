// Package dialog holds the INVITE dialogs of one phone (RFC 3261 §12 to §15),
// a file per verb:
//
//	endpoint.go  which dialog a message belongs to
//	session.go   a dialog's identifiers, sequence numbers, route set
//	invite.go    an INVITE that we send; forks
//	redirect.go  where 3xx responses send it
//	answer.go    an INVITE that we receive
//	reinvite.go  offers within a dialog, both ways, by INVITE and UPDATE
//	refer.go     REFER and its NOTIFYs, Replaces
//	bye.go       the end
//	keep.go      what another worker needs to end a dialog after our death
//	orphan.go    ending the dialogs of a worker that has died
//	request.go   every other request within a dialog
//
// It knows nothing of SDP: offers and answers are bytes to it. What happens is
// told to the session's Observer. Everything here belongs to the phone's loop.
package dialog
