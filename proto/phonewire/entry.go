package phonewire

import (
	"errors"

	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
)

// EntryToWire converts e. The error says that Event.Data holds something that
// JSON does not.
func EntryToWire(e phone.Entry) (*pb.Entry, error) {
	m := &pb.Entry{Seq: e.Seq}
	switch {
	case e.Event != nil:
		event, err := eventToWire(e.Event)
		if err != nil {
			return nil, err
		}
		m.What = &pb.Entry_Event{Event: event}
	case e.SIP != nil:
		m.What = &pb.Entry_Sip{Sip: &pb.SIPMessage{
			Time:      timeToWire(e.SIP.Time),
			Sent:      e.SIP.Sent,
			Transport: text(string(e.SIP.Transport)),
			Remote:    text(e.SIP.Remote),
			Raw:       e.SIP.Raw,
		}}
	case e.Ended != nil:
		m.What = &pb.Entry_Ended{Ended: callInfoToWire(e.Ended)}
	case e.Inbox != nil:
		m.What = &pb.Entry_Inbox{Inbox: &pb.Message{
			From:        text(e.Inbox.From),
			To:          text(e.Inbox.To),
			Body:        text(e.Inbox.Body),
			ContentType: text(e.Inbox.ContentType),
			Time:        timeToWire(e.Inbox.Time),
		}}
	case e.Gap != nil:
		m.What = &pb.Entry_Gap{Gap: &pb.Gap{From: e.Gap.From, To: e.Gap.To}}
	case e.Dialog != nil:
		m.What = &pb.Entry_Dialog{Dialog: dialogToWire(e.Dialog)}
	default:
		return nil, errors.New("a journal entry holds nothing")
	}
	return m, nil
}

// EntryFromWire is the inverse of EntryToWire. The error says that this
// program does not understand the entry.
func EntryFromWire(m *pb.Entry) (phone.Entry, error) {
	e := phone.Entry{Seq: m.GetSeq()}
	switch w := m.GetWhat().(type) {
	case *pb.Entry_Event:
		event, err := eventFromWire(w.Event)
		if err != nil {
			return phone.Entry{}, err
		}
		e.Event = event
	case *pb.Entry_Sip:
		e.SIP = &phone.SIPMessage{
			Time:      timeFromWire(w.Sip.GetTime()),
			Sent:      w.Sip.GetSent(),
			Transport: phone.Transport(w.Sip.GetTransport()),
			Remote:    w.Sip.GetRemote(),
			Raw:       w.Sip.GetRaw(),
		}
	case *pb.Entry_Ended:
		e.Ended = callInfoFromWire(w.Ended)
	case *pb.Entry_Inbox:
		e.Inbox = &phone.Message{
			From:        w.Inbox.GetFrom(),
			To:          w.Inbox.GetTo(),
			Body:        w.Inbox.GetBody(),
			ContentType: w.Inbox.GetContentType(),
			Time:        timeFromWire(w.Inbox.GetTime()),
		}
	case *pb.Entry_Gap:
		e.Gap = &phone.Gap{From: w.Gap.GetFrom(), To: w.Gap.GetTo()}
	case *pb.Entry_Dialog:
		e.Dialog = dialogFromWire(w.Dialog)
	default:
		return phone.Entry{}, errors.New("a journal entry is of a kind that this program does not know: install both programs from the same build")
	}
	return e, nil
}

func eventToWire(e *phone.Event) (*pb.Event, error) {
	data, err := dataToJSON(e.Data)
	if err != nil {
		return nil, err
	}
	return &pb.Event{
		Type:    text(e.Type),
		PhoneId: text(string(e.PhoneID)),
		CallId:  callIDToWire(e.CallID),
		Time:    timeToWire(e.Time),
		Data:    data,
	}, nil
}

func eventFromWire(m *pb.Event) (*phone.Event, error) {
	data, err := dataFromJSON(m.GetData())
	if err != nil {
		return nil, err
	}
	return &phone.Event{
		Type:    m.GetType(),
		PhoneID: phone.ID(m.GetPhoneId()),
		CallID:  callIDFromWire(m.CallId),
		Time:    timeFromWire(m.GetTime()),
		Data:    data,
	}, nil
}
