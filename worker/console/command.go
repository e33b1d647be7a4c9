package console

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringmaster/proto/phone"
)

// command is one word that the prompt understands.
type command struct {
	name   string // as the phone's tool is called, where there is one
	short  string // another word for it; "" for none
	does   string
	params []param
	run    func(ctx context.Context, c *console, a args) (answer, error)
}

// find gives the command of a word.
func find(table []command, word string) (command, error) {
	for _, c := range table {
		if word == c.name || word == c.short && word != "" {
			return c, nil
		}
	}
	return command{}, fmt.Errorf("there is no command %.40q: help lists them", word)
}

var (
	onCall    = param{name: "call_id", kind: number}
	dest      = param{name: "dest_uri", kind: text, required: true}
	status    = param{name: "status_code", kind: number}
	withCodec = param{name: "codecs", kind: list}
)

// asks makes what runs a command that the phone itself knows.
func asks(of func(a args) phone.Command) func(context.Context, *console, args) (answer, error) {
	return func(ctx context.Context, c *console, a args) (answer, error) { return c.perform(ctx, of(a)) }
}

func commands() []command {
	return slices.Concat(callCommands(), mediaCommands(), phoneCommands(), promptCommands())
}

func callCommands() []command {
	return []command{
		{"make_call", "call", "call somebody", []param{dest, {"headers", headers, false}}, asks(func(a args) phone.Command {
			return phone.MakeCall{DestURI: a.values["dest_uri"], Headers: a.headers}
		})},
		{"answer_call", "answer", "answer the call that waits: 200, or 180 or 183", []param{status, onCall}, asks(func(a args) phone.Command {
			return phone.Answer{CallID: a.callID("call_id"), Status: a.number("status_code", 200)}
		})},
		{"reject_call", "reject", "refuse the call that waits, with 486 or another status", []param{status, onCall}, asks(func(a args) phone.Command {
			return phone.Reject{CallID: a.callID("call_id"), Status: a.number("status_code", 486)}
		})},
		{"hangup", "bye", "end a call, whatever its state", []param{onCall}, asks(func(a args) phone.Command {
			return phone.Hangup{CallID: a.callID("call_id")}
		})},
		{"hold", "", "put a call on hold", []param{onCall}, asks(func(a args) phone.Command {
			return phone.Hold{CallID: a.callID("call_id")}
		})},
		{"unhold", "", "take a call back from hold", []param{onCall}, asks(func(a args) phone.Command {
			return phone.Unhold{CallID: a.callID("call_id")}
		})},
		{"blind_transfer", "transfer", "send the far end to somebody else", []param{dest, onCall}, asks(func(a args) phone.Command {
			return phone.BlindTransfer{CallID: a.callID("call_id"), DestURI: a.values["dest_uri"]}
		})},
		{"attended_transfer", "", "connect the far ends of two calls", []param{onCall, {"dest_call_id", number, false}}, asks(func(a args) phone.Command {
			return phone.AttendedTransfer{CallID: a.callID("call_id"), DestCallID: a.callID("dest_call_id")}
		})},
		{"conference", "", "let calls hear each other", []param{{"call_ids", list, true}}, conference},
		{"set_codecs", "", "re-INVITE a call with other codecs", []param{{"codecs", list, true}, onCall}, asks(func(a args) phone.Command {
			return phone.SetCodecs{CallID: a.callID("call_id"), Codecs: a.lists["codecs"]}
		})},
		{"get_call_info", "info", "everything known of a call", []param{onCall}, asks(func(a args) phone.Command {
			return phone.GetCall{CallID: a.callID("call_id")}
		})},
		{"list_calls", "calls", "active calls, then ended ones, the latest first", nil, asks(func(args) phone.Command { return phone.ListCalls{} })},
		{"get_active_calls", "", "active calls alone", nil, callsWhere(func(c phone.CallInfo) bool { return c.State != phone.StateDisconnected })},
		{"get_call_history", "", "ended calls alone, the latest first", nil, callsWhere(func(c phone.CallInfo) bool { return c.State == phone.StateDisconnected })},
	}
}

// callsWhere lists the calls that are so.
func callsWhere(so func(phone.CallInfo) bool) func(context.Context, *console, args) (answer, error) {
	return func(ctx context.Context, c *console, _ args) (answer, error) {
		o, err := c.phone.Do(ctx, phone.ListCalls{})
		if err != nil {
			return answer{}, err
		}
		o.Calls = slices.DeleteFunc(o.Calls, func(i phone.CallInfo) bool { return !so(i) })
		return outcome(o), nil
	}
}

func conference(ctx context.Context, c *console, a args) (answer, error) {
	var ids []phone.CallID
	for _, word := range a.lists["call_ids"] {
		n, err := strconv.ParseInt(word, 10, 64)
		if err != nil {
			return answer{}, fmt.Errorf("call_ids takes numbers, not %q", word)
		}
		ids = append(ids, phone.CallID(n))
	}
	return c.perform(ctx, phone.Conference{CallIDs: ids})
}

func mediaCommands() []command {
	return []command{
		{"send_dtmf", "dtmf", "send digits: 0-9 * # A-D", []param{{"digits", text, true}, onCall}, asks(func(a args) phone.Command {
			return phone.SendDTMF{CallID: a.callID("call_id"), Digits: a.values["digits"]}
		})},
		{"play_audio", "play", "play a WAV file, or music-on-hold", []param{{"file_path", text, true}, {"loop", flag, false}, onCall}, asks(func(a args) phone.Command {
			loop := a.flag("loop")
			return phone.PlayAudio{CallID: a.callID("call_id"), FilePath: a.values["file_path"], Loop: loop != nil && *loop}
		})},
		{"stop_audio", "stop", "back to music on hold", []param{onCall}, asks(func(a args) phone.Command {
			return phone.StopAudio{CallID: a.callID("call_id")}
		})},
		{"get_recording", "recording", "the recording now open", []param{onCall}, asks(func(a args) phone.Command {
			return phone.GetRecording{CallID: a.callID("call_id")}
		})},
	}
}

func phoneCommands() []command {
	return []command{
		{"send_message", "message", "send a text", []param{dest, {"body", body, true}}, asks(func(a args) phone.Command {
			return phone.SendMessage{DestURI: a.values["dest_uri"], Body: a.values["body"]}
		})},
		{"get_messages", "messages", "the texts that came in", nil, messages},
		{"register", "", "register anew", nil, asks(func(args) phone.Command { return phone.Register{} })},
		{"unregister", "", "remove the registration", nil, asks(func(args) phone.Command { return phone.Unregister{} })},
		{"get_registration_status", "registration", "how the registration stands", nil, asks(func(args) phone.Command { return phone.GetRegistration{} })},
		{"update_phone", "set", "change the phone, by name=value", []param{
			{"auto_answer", flag, false}, {"recording_enabled", flag, false}, {"capture_enabled", flag, false}, {"srtp", flag, false}, withCodec,
		}, asks(update)},
	}
}

func messages(_ context.Context, c *console, _ args) (answer, error) {
	a := answer{listed: "messages"}
	for _, m := range c.recent.messages() {
		a.items = append(a.items, []field{{"from", m.From}, {"to", m.To}, {"body", m.Body}, {"content_type", m.ContentType}, {"timestamp", m.Time.UTC().Format(time.RFC3339)}})
	}
	return a, nil
}

func update(a args) phone.Command {
	u := phone.Update{
		AutoAnswer: a.flag("auto_answer"), RecordingEnabled: a.flag("recording_enabled"),
		CaptureEnabled: a.flag("capture_enabled"), SRTP: a.flag("srtp"),
	}
	if codecs := a.lists["codecs"]; codecs != nil {
		u.Codecs = &codecs
	}
	return phone.UpdateSettings{Update: u}
}

func promptCommands() []command {
	return []command{
		{"wait", "", "wait for an event since the last command or wait, call.state.* for any of a kind", []param{
			{"event", text, true}, {"timeout_ms", number, false},
		}, wait},
		{"sip", "", "print SIP messages: on or off", []param{{"show", text, true}}, showSIP},
		{"help", "", "list the commands, or tell one", []param{{"command", text, false}}, help},
		{"quit", "exit", "hang up, de-register and leave", nil, func(context.Context, *console, args) (answer, error) {
			return answer{last: true}, nil
		}},
	}
}

func wait(ctx context.Context, c *console, a args) (answer, error) {
	limit := time.Duration(a.number("timeout_ms", 10000)) * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	e, err := c.recent.wait(ctx, a.values["event"])
	if err != nil {
		return answer{}, fmt.Errorf("no %s came within %v", a.values["event"], limit)
	}
	fields := []field{{"type", e.Type}}
	if e.CallID != nil {
		fields = append(fields, field{"call_id", *e.CallID})
	}
	return answer{fields: fields}, nil
}

func showSIP(_ context.Context, c *console, a args) (answer, error) {
	switch show := a.values["show"]; show {
	case "on", "off":
		c.out.showSIP(show == "on")
		return answer{fields: []field{{"show", show}}}, nil
	default:
		return answer{}, fmt.Errorf("sip takes on or off, not %q", show)
	}
}

func help(_ context.Context, c *console, a args) (answer, error) {
	if word := a.values["command"]; word != "" {
		cmd, err := find(c.table, word)
		if err != nil {
			return answer{}, err
		}
		return answer{listed: "commands", items: [][]field{described(cmd)}}, nil
	}
	out := answer{listed: "commands"}
	for _, cmd := range c.table {
		out.items = append(out.items, described(cmd))
	}
	return out, nil
}

func described(c command) []field {
	usage := c.usage()
	if c.short != "" {
		usage = strings.Replace(usage, c.name, c.name+"|"+c.short, 1)
	}
	return []field{{"usage", usage}, {"does", c.does}}
}
