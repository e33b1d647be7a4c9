package explain

import (
	"fmt"
	"regexp"
	"strconv"

	"ringmaster/supervisor/diagnose"
)

// meaning is what a status or cause usually means, and what to do then.
type meaning struct{ means, advice string }

// statuses is what SIP statuses usually mean (RFC 3261 §21 and the RFCs of the
// others).
func statuses() map[int]meaning {
	return map[int]meaning{
		200: {"success", ""},
		300: {"there are several places to call", "call one of the addresses in the Contact of the answer"},
		301: {"the user has moved for good", "call the address in the Contact of the answer"},
		302: {"the user is elsewhere for now", "call the address in the Contact of the answer"},
		305: {"the call has to go through a proxy", "send the call to the proxy named in the Contact"},
		400: {"the request was malformed in the far end's eyes", "compare the request with the reason phrase, byte for byte"},
		401: {"credentials are wanted", "check username, password and realm of the phone"},
		402: {"payment is required", "ask the provider about the account"},
		403: {"understood and forbidden: often the account may not call there, or a server's way to refuse a wrong password", "check the account's rights and its password at the server, and from which address it may call"},
		404: {"nobody has this number or user there", "check the user part of the address, and that the user exists and is registered"},
		405: {"the method is not allowed there", "see the Allow header of the answer"},
		406: {"no answer that the caller accepts", "see the Accept header of the request"},
		407: {"credentials are wanted by a proxy", "check username, password and realm of the phone"},
		408: {"the far end, or a server on the way, got no answer in time", "check that the called phone is registered and reachable from the server"},
		410: {"the user is not there any more", "check the address"},
		413: {"the request is too large", "send fewer headers or a smaller body"},
		415: {"the body is of a type that is not understood", "see the Accept header of the answer"},
		416: {"the URI's scheme is not understood", "call a sip: address"},
		420: {"a required extension is not supported", "see the Unsupported header of the answer"},
		421: {"an extension has to be supported by the caller", "see the Require header of the answer"},
		422: {"the session interval is too small", "ask for at least the Min-SE of the answer"},
		423: {"the registration interval is too short", "register for at least the Min-Expires of the answer"},
		480: {"the user exists and cannot be reached now: not registered, do not disturb, or it rang without an answer", "check that the called phone is registered"},
		481: {"the call is not known there (any more)", "see which end had forgotten the call, and when"},
		482: {"a loop was detected: the request came by twice", "look at the routes: a server sends the call back to where it came from"},
		483: {"too many hops: Max-Forwards reached zero, mostly a loop", "look at the routes: servers send the call to each other"},
		484: {"the number is incomplete", "dial all digits"},
		485: {"the address is ambiguous", "call one user"},
		486: {"the called party is busy", "call again later, or see why that phone is busy"},
		487: {"the call was cancelled before it was answered", ""},
		488: {"the session description is not acceptable: no common codec, or not the wanted encryption", "compare the codecs and the media profile of both ends"},
		489: {"the event package is not known", ""},
		491: {"both sides changed the call at the same moment", "nothing: it is tried again"},
		493: {"the body cannot be decrypted", "check certificates"},
		500: {"an error inside the server", "see the log of the server"},
		501: {"the server does not know the method", "see the Allow header of the answer"},
		502: {"a server behind the server answered nonsense", "see the log of the server"},
		503: {"the server is overloaded, in maintenance or cannot reach the next hop", "see the Retry-After of the answer and the log of the server"},
		504: {"a server behind the server did not answer in time", "see the log of the server"},
		505: {"the SIP version is not supported", ""},
		513: {"the message is too large", "send fewer headers or a smaller body"},
		580: {"a precondition failed", ""},
		600: {"busy everywhere", "call again later"},
		603: {"the called party declined", "ask why: somebody, or a rule, refused this call"},
		604: {"the user exists nowhere", "check the address"},
		606: {"the session description is acceptable nowhere", "compare the codecs of both ends"},
		607: {"the called party does not want calls from here", ""},
	}
}

// meaningOf never is empty: an unknown status means what its class means
// (RFC 3261 §8.1.3.2).
func meaningOf(status int) meaning {
	if m, ok := statuses()[status]; ok {
		return m
	}
	switch status / 100 {
	case 1:
		return meaning{"the call is on its way", ""}
	case 2:
		return meaning{"success", ""}
	case 3:
		return meaning{"the call should go elsewhere", "see the Contact of the answer"}
	case 4:
		return meaning{"the far end refused the request as it was", "see the reason phrase"}
	case 5:
		return meaning{"a server failed", "see the log of the server"}
	case 6:
		return meaning{"nobody anywhere takes the call", "see the reason phrase"}
	}
	return meaning{"not known", ""}
}

// causes is what causes of Q.850 usually mean.
func causes() map[int]string {
	return map[int]string{
		1: "unallocated number", 2: "no route to the network", 3: "no route to the destination", 16: "normal clearing", 17: "user busy",
		18: "no user responding", 19: "no answer from the user", 20: "subscriber absent", 21: "call rejected", 22: "number changed",
		23: "redirected to a new destination", 26: "not the selected user", 27: "destination out of order", 28: "number incomplete",
		29: "facility rejected", 31: "normal, unspecified", 34: "no circuit available", 38: "network out of order",
		41: "temporary failure", 42: "congestion of switching equipment", 44: "requested circuit not available", 47: "resource unavailable",
		50: "facility not subscribed", 55: "incoming calls barred", 57: "bearer capability not authorised", 58: "bearer capability not available",
		63: "service not available", 65: "bearer capability not implemented", 69: "facility not implemented", 79: "service not implemented",
		87: "not a member of the group", 88: "incompatible destination", 95: "invalid message", 96: "information element missing",
		97: "message type unknown", 99: "information element unknown", 100: "information element invalid", 102: "recovery on timer expiry",
		111: "protocol error", 127: "interworking, unspecified",
	}
}

// Cause is why a call ended as the telephone network says it (Q.850, in the
// Reason header of RFC 3326).
type Cause struct {
	Code    int
	Text    string // of the header; "" when it had none
	Meaning string
}

var causeForm = regexp.MustCompile(`(?i)Q\.850\s*;\s*cause\s*=\s*(\d{1,3})(?:\s*;\s*text\s*=\s*"?([^";]*))?`)

// causeIn reads the Q.850 cause of a message.
func causeIn(m diagnose.Message) *Cause {
	for _, h := range m.Headers {
		if h.Name != "Reason" {
			continue
		}
		if p := causeForm.FindStringSubmatch(h.Value); p != nil {
			code, err := strconv.Atoi(p[1])
			if err != nil {
				continue
			}
			c := &Cause{Code: code, Text: short(p[2], 80), Meaning: causes()[code]}
			if c.Meaning == "" {
				c.Meaning = fmt.Sprintf("cause %d", code)
			}
			return c
		}
	}
	return nil
}
