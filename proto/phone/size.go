package phone

// What an entry holds in memory beside its texts, in bytes, about: the structs
// with their pointers, a value of an event's data.
const (
	entryBytes = 200
	valueBytes = 64
)

// Size is about how many bytes of memory an entry holds, for whoever keeps many:
// the far ends decide how long the texts in it are.
func (e Entry) Size() int {
	switch {
	case e.Event != nil:
		return e.Event.Size()
	case e.SIP != nil:
		return e.SIP.Size()
	case e.Ended != nil:
		return e.Ended.Size()
	case e.Inbox != nil:
		return e.Inbox.Size()
	default:
		return entryBytes
	}
}

// Size is about how many bytes of memory an event holds.
func (e Event) Size() int { return entryBytes + len(e.Type) + dataSize(e.Data) }

// Size is about how many bytes of memory a SIP message holds.
func (m SIPMessage) Size() int { return entryBytes + len(m.Remote) + len(m.Raw) }

// Size is about how many bytes of memory a received MESSAGE holds.
func (m Message) Size() int {
	return entryBytes + len(m.From) + len(m.To) + len(m.Body) + len(m.ContentType)
}

// Size is about how many bytes of memory the knowledge of a call holds.
func (i CallInfo) Size() int {
	return 2*entryBytes + len(i.SIPCallID) + len(i.RemoteURI) + len(i.RemoteContact) + len(i.LocalContact) +
		len(i.Codec) + len(i.LastStatusText) + len(i.RecordingFile) + len(i.PlayingFile) + len(i.RTP.RxFrom)
}

func dataSize(v any) int {
	size := valueBytes
	switch v := v.(type) {
	case string:
		size += len(v)
	case []any:
		for _, one := range v {
			size += dataSize(one)
		}
	case map[string]any:
		for key, one := range v {
			size += len(key) + dataSize(one)
		}
	}
	return size
}
