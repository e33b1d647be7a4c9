package phone

import "time"

// Entry is one line of a phone's journal. Seq rises by one with every entry
// of one worker and starts at 1. Exactly one of the pointers is set.
type Entry struct {
	Seq   uint64
	Event *Event
	SIP   *SIPMessage
	Ended *CallInfo // a call is over; its final state of knowledge
	Inbox *Message  // a SIP MESSAGE came in (besides the event im.received)
	Gap   *Gap
	// Dialog is how a dialog stands now. It is for whoever starts another
	// worker after this one's death, not for readers of events.
	Dialog *Dialog
}

// Event is something that happened, stamped where it happened.
type Event struct {
	Type    string // "call.state.confirmed"
	PhoneID ID
	CallID  *CallID // nil when it concerns no call
	Time    time.Time
	// Data holds only what JSON holds: string, bool, int64, float64, nil,
	// []any and map[string]any.
	Data map[string]any
}

// SIPMessage is one message as the socket saw it.
type SIPMessage struct {
	Time      time.Time
	Sent      bool      // TX; otherwise RX
	Transport Transport // of the socket
	Remote    string    // host:port of the far end of the socket
	Raw       []byte    // byte for byte
}

// Gap stands for entries From to To (both included) that were lost: the ring
// had overwritten them before they were read.
type Gap struct{ From, To uint64 }

// Message is one SIP MESSAGE that the phone received.
type Message struct {
	From, To    string
	Body        string
	ContentType string
	Time        time.Time
}
