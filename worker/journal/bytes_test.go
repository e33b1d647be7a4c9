package journal

import (
	"strings"
	"testing"

	"ringmaster/proto/phone"
)

func message(bytes int) phone.Entry {
	return phone.Entry{Inbox: &phone.Message{Body: strings.Repeat("x", bytes)}}
}

// A far end decides how long its messages are, so their number is no bound.
func TestRingsAreBoundedByBytes(t *testing.T) {
	j := New(StateCap, TraceCap, nil)
	const each = 60_000
	for range 3000 {
		j.Append(message(each))
		j.Append(phone.Entry{SIP: &phone.SIPMessage{Raw: make([]byte, each)}})
	}
	for name, r := range map[string]*ring{"state": &j.state, "trace": &j.trace} {
		held := 0
		for i := range r.len() {
			held += r.at(i).Size()
		}
		if held != r.bytes || held > ringBytes || held < ringBytes-2*each {
			t.Errorf("the %s ring holds %d bytes and says %d", name, held, r.bytes)
		}
	}
	entries, err := j.Read(t.Context(), 0, 10000)
	if err != nil || entries[0].Gap == nil || entries[0].Gap.From != 1 || entries[len(entries)-1].Seq != 6000 {
		t.Fatalf("%d entries, the first %+v, %v", len(entries), entries[0], err)
	}
	for i, e := range entries[1:] {
		if e.Gap != nil || e.Seq != entries[i].Seq+1 {
			t.Fatalf("entry %d is %d after %d", i+1, e.Seq, entries[i].Seq)
		}
	}
}

func TestTheNewestEntryIsKeptWhateverItsSize(t *testing.T) {
	j := New(8, 8, nil)
	j.Append(event("x"))
	j.Append(message(2 * ringBytes))
	entries, err := j.Read(t.Context(), 0, 8)
	if err != nil || len(entries) != 2 || entries[0].Gap == nil || entries[1].Inbox == nil {
		t.Errorf("%+v, %v", entries, err)
	}
	j.Append(event("y"))
	if j.state.len() != 1 {
		t.Errorf("%d entries are left", j.state.len())
	}
}

func TestFullCountsUnreadBytes(t *testing.T) {
	j := New(StateCap, TraceCap, nil)
	for range 4 {
		if j.Full() {
			t.Error("full too early")
		}
		j.Append(message(ringBytes / 5))
	}
	if !j.Full() {
		t.Error("four fifths unread must be full")
	}
	if _, err := j.Read(t.Context(), 2, 1); err != nil {
		t.Fatal(err)
	}
	if j.Full() {
		t.Error("two fifths unread must not be full")
	}
}
