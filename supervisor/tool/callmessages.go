package tool

import (
	"context"

	"ringmaster/proto/phone"
	"ringmaster/proto/sdp"
	"ringmaster/supervisor/diagnose"
)

type callMessagesArguments struct {
	LastN      *int          `json:"last_n" min:"0" doc:"the newest so many; left out: all"`
	PhoneID    *string       `json:"phone_id" doc:"left out: every phone"`
	CallID     *phone.CallID `json:"call_id" min:"0" doc:"the messages of one call"`
	Method     *string       `json:"method" doc:"requests of that method and the responses to them"`
	Direction  *string       `json:"direction" enum:"TX,RX" doc:"TX: sent by the phone"`
	StatusCode *int          `json:"status_code" min:"100" max:"699" doc:"responses of that status"`
	CSeq       *uint32       `json:"cseq" min:"0" max:"4294967295" doc:"the number in the CSeq"`
}

type messageFields struct {
	TS         string         `json:"ts"`
	Time       string         `json:"time"`
	PhoneID    phone.ID       `json:"phone_id"`
	Direction  string         `json:"direction"`
	Method     *string        `json:"method"`
	RequestURI *string        `json:"request_uri"`
	StatusCode *int           `json:"status_code,omitempty"`
	Reason     *string        `json:"reason"`
	CSeq       *uint32        `json:"cseq"`
	CallID     *string        `json:"call_id"` // the SIP one
	From       *string        `json:"from"`
	To         *string        `json:"to"`
	Headers    map[string]any `json:"headers"` // a text, or a list of them
	SDP        *sdpFields     `json:"sdp"`
	Body       *string        `json:"body"` // what is no SDP
}

type callMessagesResult struct {
	PhoneID    *phone.ID       `json:"phone_id"`
	Messages   []messageFields `json:"messages" cut:"ask again with call_id, method, direction, status_code or cseq, or with a smaller last_n"`
	TotalCount int             `json:"total_count" count:""`
	Warning    string          `json:"warning,omitempty"`
}

func getCallMessages(ctx context.Context, c *call, a callMessagesArguments) (callMessagesResult, error) {
	r, err := c.record(ctx, sipLogArguments{
		LastN: a.LastN, PhoneID: a.PhoneID, CallID: a.CallID, Method: a.Method, Direction: a.Direction, StatusCode: a.StatusCode, CSeq: a.CSeq,
	})
	if err != nil {
		return callMessagesResult{}, err
	}
	result := callMessagesResult{PhoneID: orNull(r.phone), Messages: []messageFields{}, TotalCount: len(r.messages), Warning: r.warning}
	for _, m := range r.messages {
		result.Messages = append(result.Messages, messageFieldsOf(m))
	}
	return result, nil
}

func messageFieldsOf(m diagnose.Message) messageFields {
	f := messageFields{
		TS: m.Time.UTC().Format(diagnose.ClockLayout), Time: timestamp(m.Time), PhoneID: m.PhoneID, Direction: "RX",
		Method: cleanOrNull(m.Method), RequestURI: cleanOrNull(m.RequestURI), StatusCode: orNull(m.Status), CSeq: m.CSeq,
		CallID: cleanOrNull(m.Header("Call-ID")), From: cleanOrNull(m.Header("From")), To: cleanOrNull(m.Header("To")),
		Headers: headersOf(m.Headers),
	}
	if m.Sent {
		f.Direction = "TX"
	}
	if !m.IsRequest() {
		reason := clean(m.Reason, nameBound)
		f.Reason = &reason
	}
	if s, ok := m.Description(); ok {
		f.SDP = sdpFieldsOf(s)
	} else {
		f.Body = orNull(clean(string(m.Body), bodyBound))
	}
	return f
}

// headersOf gathers headers by name: one that stands there more than once is a
// list, in its order.
func headersOf(list []diagnose.Header) map[string]any {
	headers := make(map[string]any, len(list))
	for _, h := range list {
		name, text := clean(h.Name, nameBound), clean(h.Value, bodyBound)
		switch before := headers[name].(type) {
		case nil:
			headers[name] = text
		case string:
			headers[name] = []string{before, text}
		case []string:
			headers[name] = append(before, text)
		}
	}
	return headers
}

type sdpFields struct {
	Version int           `json:"version"`
	Origin  originFields  `json:"origin"`
	Media   []mediaFields `json:"media"`
}

type originFields struct {
	Username  string `json:"username"`
	IP        string `json:"ip"`
	SessionID string `json:"session_id"`
	Version   string `json:"version"` // of the description: it rises with every change
}

type mediaFields struct {
	Type         string        `json:"type"`
	Port         int           `json:"port"`
	Protocol     string        `json:"protocol"`
	IP           *string       `json:"ip"`
	PayloadTypes []int         `json:"payload_types"`
	Codecs       []codecFields `json:"codecs"`
	Direction    string        `json:"direction"`
	RTCPPort     *int          `json:"rtcp_port"`
}

type codecFields struct {
	PT        int    `json:"pt"`
	Name      string `json:"name"`
	ClockRate int    `json:"clock_rate"`
	Fmtp      string `json:"fmtp,omitempty"`
}

func sdpFieldsOf(s sdp.Session) *sdpFields {
	f := &sdpFields{
		Version: s.Version, Media: []mediaFields{},
		Origin: originFields{
			Username: clean(s.Origin.Username, nameBound), IP: clean(s.Origin.Address, nameBound),
			SessionID: clean(s.Origin.SessionID, nameBound), Version: clean(s.Origin.Version, nameBound),
		},
	}
	for _, m := range s.Media {
		media := mediaFields{
			Type: clean(m.Type, nameBound), Port: m.Port, Protocol: clean(m.Proto, nameBound), IP: cleanOrNull(m.Connection.Address),
			PayloadTypes: m.PayloadTypes(), Codecs: []codecFields{}, Direction: m.Direction.String(), RTCPPort: orNull(m.RTCPPort),
		}
		for _, c := range m.Codecs {
			media.Codecs = append(media.Codecs, codecFields{PT: int(c.PT), Name: clean(c.Name, nameBound), ClockRate: c.ClockRate, Fmtp: clean(c.Fmtp, nameBound)})
		}
		f.Media = append(f.Media, media)
	}
	return f
}
