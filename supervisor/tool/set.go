package tool

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"ringmaster/proto/phone"
	"ringmaster/scenario/pattern"
	"ringmaster/supervisor/fleet"
	"ringmaster/supervisor/hub"
	"ringmaster/supervisor/runs"
)

// Options is what the tools work on.
type Options struct {
	Phones Phones
	Hub    *hub.Hub
	Now    func() time.Time

	Profile    string                             // what load_phones takes without a path
	Getenv     func(name string) (string, bool)   // for passwords in a profile
	Codecs     func(ctx context.Context) []string // the codecs built in; none takes any name
	Recordings string                             // the root of recordings
	Captures   string                             // the root of captures
	FilesUnder string                             // confines load_phones and play_audio; "" does not
	HostPaths  []HostPath                         // see HostPath
	Peers      map[string]string                  // names of far ends, by their host:port, for who reads a ladder
	Shared     bool                               // phones are reached by the shared tools only

	Runs     *runs.Store      // runs scenarios on Phones and Hub
	Patterns *pattern.Library // that scenarios may use
}

// HostPath says that the client sees the folder Inside as Host: every path
// that leaves is turned to it, and every path that comes in is turned back.
type HostPath struct{ Inside, Host string }

// Set is the tools of one server.
type Set struct {
	o       Options
	static  []entry
	actions []entry
}

// New makes the tools.
func New(o Options) *Set {
	s := &Set{o: o}
	s.static = concat(phoneEntries(), loadEntries(), scenarioEntries(), runEntries(), waitEntries(), sipLogEntries(), recordingEntries(), captureEntries(), flowEntries(), diagnoseEntries(), reportEntries(), actionEntries())
	s.actions = concat(callEntries(), talkEntries(), mediaEntries(), messageEntries(), registrationEntries())
	return s
}

func concat(families ...[]entry) []entry {
	var all []entry
	for _, f := range families {
		all = append(all, f...)
	}
	return all
}

// Hints tell a client what a tool does to the world (MCP tool annotations).
type Hints struct{ ReadOnly, Destructive, Idempotent, OpenWorld bool }

// Tool is a tool as a client sees it.
type Tool struct {
	Name        string
	Title       string
	Description string
	Hints       Hints
	Schema      json.RawMessage // of the arguments
	// Call performs the tool with the arguments that came in, which may be
	// anything, or nothing.
	Call func(ctx context.Context, arguments json.RawMessage) Answer
}

// Answer is what a tool answers: one JSON object.
type Answer struct {
	JSON    json.RawMessage
	IsError bool // the tool could not do what was asked
}

// Static are the tools that are always there.
func (s *Set) Static() []Tool {
	var tools []Tool
	for _, e := range s.static {
		tools = append(tools, Tool{
			Name: e.name, Title: e.title, Description: e.description, Hints: e.hints, Schema: e.schema,
			Call: func(ctx context.Context, raw json.RawMessage) Answer { return s.callStatic(ctx, e, raw) },
		})
	}
	return tools
}

// ForPhone are the tools of one phone, named <phone_id>_<action>.
func (s *Set) ForPhone(id phone.ID) []Tool {
	var tools []Tool
	for _, e := range s.actions {
		tools = append(tools, Tool{
			Name: perPhoneName(id, e), Title: fmt.Sprintf("%s (%s)", e.title, id),
			Description: fmt.Sprintf("Phone %s: %s", id, e.description), Hints: e.hints, Schema: e.schema,
			Call: func(ctx context.Context, raw json.RawMessage) Answer { return s.callAction(ctx, e, id, raw) },
		})
	}
	return tools
}

// Shared are the actions once, named phone_<action>, each with an argument
// phone_id: a list that never changes.
func (s *Set) Shared() []Tool {
	var tools []Tool
	for _, e := range s.actions {
		fields := append(fieldsOf[phoneArgument](), e.fields...)
		tools = append(tools, Tool{
			Name: sharedName(e), Title: e.title, Description: e.description, Hints: e.hints, Schema: schema(fields),
			Call: func(ctx context.Context, raw json.RawMessage) Answer { return s.callShared(ctx, e, raw) },
		})
	}
	return tools
}

// Actions is how many tools a phone has.
func (s *Set) Actions() int { return len(s.actions) }

func perPhoneName(id phone.ID, e entry) string { return string(id) + "_" + e.name }

func sharedName(e entry) string { return "phone_" + e.name }

// CheckPhoneID refuses an id that would give one of the phone's tools the name
// of another tool.
func (s *Set) CheckPhoneID(id phone.ID) error {
	for _, action := range s.actions {
		name := perPhoneName(id, action)
		if name == sharedName(action) {
			return fmt.Errorf("phone_id %q is invalid: its tool %s would have the name of another tool", id, name)
		}
		for _, e := range s.static {
			if e.name == name {
				return fmt.Errorf("phone_id %q is invalid: its tool %s would have the name of another tool", id, name)
			}
		}
	}
	return nil
}

type sharedKey struct{}

// WithShared says that the client of this call sees the shared tools.
func WithShared(ctx context.Context) context.Context {
	return context.WithValue(ctx, sharedKey{}, true)
}

// toolNames are the tools by which the client can reach a phone now.
func (s *Set) toolNames(ctx context.Context, st fleet.Status) []string {
	shared := s.o.Shared || ctx.Value(sharedKey{}) != nil
	names := []string{}
	if st.Worker.State != fleet.Running {
		return names
	}
	for _, e := range s.actions {
		if shared {
			names = append(names, sharedName(e))
		} else {
			names = append(names, perPhoneName(st.Settings.PhoneID, e))
		}
	}
	return names
}

// action finds an action by name.
func (s *Set) action(name string) (entry, error) {
	var names []string
	for _, e := range s.actions {
		if e.name == name {
			return e, nil
		}
		names = append(names, e.name)
	}
	return entry{}, unknownWord("action", name, names, "there are "+strings.Join(names, ", "))
}
