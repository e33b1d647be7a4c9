package phone

// Dialog is the last state of a SIP dialog, or of an INVITE that may become
// one: what another worker has to know to end it when this one has died.
// SIPCallID and LocalTag name it.
type Dialog struct {
	SIPCallID string
	LocalTag  string
	Over      bool // nothing is left to be ended, and nothing below is set

	Inbound   bool // the INVITE came from the far end
	Confirmed bool // a 2xx has been sent or received
	// As requests of this side have them (RFC 3261 §12.2.1.1); LocalSeq and
	// RemoteSeq are the newest numbers used, 0 before any.
	Local     string // From, with its tag
	Remote    string // To, with its tag once one is known
	LocalSeq  uint32
	RemoteSeq uint32
	Routes    []string
	Target    string

	// Invite is the one that has no final response; nil when there is none.
	Invite *Invite
}

// Invite is an INVITE on its way, in the transaction that carries it.
type Invite struct {
	Head      []byte    // the message without its body
	Transport Transport // of the socket
	Peer      string    // host:port of the far end of the socket
	Host      string    // the name that TLS verifies; "" means the address
}
