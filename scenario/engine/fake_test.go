package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"ringmaster/proto/phone"
	"ringmaster/scenario/pattern"
	"ringmaster/scenario/spec"
	"ringmaster/scenario/timeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is phones and their journal, in memory.
type world struct {
	mu         sync.Mutex
	began      time.Time
	records    []Record
	changed    chan struct{}
	seq        map[phone.ID]uint64
	registered map[phone.ID]bool
	nextCall   phone.CallID
	did        []string // commands, as "12ms a SendDTMF 1"
	info       map[phone.CallID]phone.CallInfo
	// on answers a command in place of the default; ok false means default.
	on func(ctx context.Context, id phone.ID, cmd phone.Command) (out phone.Outcome, err error, ok bool)
}

func newWorld() *world {
	return &world{
		began: time.Now(), changed: make(chan struct{}), seq: map[phone.ID]uint64{},
		registered: map[phone.ID]bool{"a": true, "b": true, "c": false}, info: map[phone.CallID]phone.CallInfo{},
	}
}

func (w *world) Known(id phone.ID) (phone.Registration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	registered, ok := w.registered[id]
	return phone.Registration{IsRegistered: registered, StatusCode: 200, Reason: "OK", Expires: 300}, ok
}

func (w *world) Position() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return uint64(len(w.records))
}

func (w *world) Read(ctx context.Context, after uint64, _ bool) ([]Record, error) {
	for {
		w.mu.Lock()
		found, changed := append([]Record(nil), w.records[after:]...), w.changed
		w.mu.Unlock()
		if len(found) > 0 {
			return found, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (w *world) append(rec Record) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	rec.Position = uint64(len(w.records) + 1)
	w.records = append(w.records, rec)
	close(w.changed)
	w.changed = make(chan struct{})
	return rec.Position
}

// happens appends an event; call -1 is none, data alternates keys and values.
func (w *world) happens(id phone.ID, eventType string, call int64, data ...any) {
	e := phone.Event{Type: eventType, PhoneID: id, Time: time.Now(), Data: map[string]any{}}
	if call >= 0 {
		c := phone.CallID(call)
		e.CallID = &c
	}
	for i := 0; i+1 < len(data); i += 2 {
		e.Data[data[i].(string)] = data[i+1]
	}
	w.mu.Lock()
	w.seq[id]++
	seq := w.seq[id]
	w.mu.Unlock()
	w.append(Record{PhoneID: id, Incarnation: 1, Seq: seq, Event: &e})
}

// at does something later.
func (w *world) at(d time.Duration, f func()) { time.AfterFunc(d, f) }

func (w *world) Begin(ctx context.Context, id phone.ID, cmd phone.Command) Answer {
	w.mu.Lock()
	w.did = append(w.did, fmt.Sprintf("%dms %s %s", time.Since(w.began).Milliseconds(), id, words(cmd)))
	cursor := w.seq[id]
	w.mu.Unlock()
	return func() (phone.Outcome, error) { return w.do(ctx, id, cmd, cursor) }
}

func (w *world) do(ctx context.Context, id phone.ID, cmd phone.Command, cursor uint64) (phone.Outcome, error) {
	if w.on != nil {
		if out, err, ok := w.on(ctx, id, cmd); ok {
			return out, err
		}
	}
	out := phone.Outcome{Cursor: cursor}
	if get, ok := cmd.(phone.GetCall); ok {
		w.mu.Lock()
		defer w.mu.Unlock()
		info, known := w.info[*get.CallID]
		if !known {
			return out, fmt.Errorf("call %d not found", *get.CallID)
		}
		out.Calls = []phone.CallInfo{info}
		return out, nil
	}
	if _, ok := cmd.(phone.MakeCall); ok {
		w.mu.Lock()
		call := w.nextCall
		w.nextCall++
		w.mu.Unlock()
		w.happens(id, "call.state.calling", int64(call))
		out.Call = &phone.CallOutcome{CallID: call, State: phone.StateCalling}
	}
	return out, nil
}

// words is a command with its call, if one is named: "Hangup call=3".
func words(cmd phone.Command) string {
	call := func(id *phone.CallID) string {
		if id == nil {
			return ""
		}
		return fmt.Sprintf(" call=%d", *id)
	}
	switch c := cmd.(type) {
	case phone.Answer:
		return fmt.Sprintf("Answer %d", c.Status) + call(c.CallID)
	case phone.Reject:
		return fmt.Sprintf("Reject %d", c.Status) + call(c.CallID)
	case phone.Hangup:
		return "Hangup" + call(c.CallID)
	case phone.Hold:
		return "Hold" + call(c.CallID)
	case phone.Unhold:
		return "Unhold" + call(c.CallID)
	case phone.SendDTMF:
		return "SendDTMF " + c.Digits + call(c.CallID)
	case phone.BlindTransfer:
		return "BlindTransfer " + c.DestURI + call(c.CallID)
	case phone.AttendedTransfer:
		return "AttendedTransfer" + call(c.CallID) + call(c.DestCallID)
	case phone.PlayAudio:
		return fmt.Sprintf("PlayAudio %s loop=%v", c.FilePath, c.Loop) + call(c.CallID)
	case phone.StopAudio:
		return "StopAudio" + call(c.CallID)
	case phone.SetCodecs:
		return "SetCodecs " + strings.Join(c.Codecs, ",") + call(c.CallID)
	case phone.MakeCall:
		return fmt.Sprintf("MakeCall %s %v", c.DestURI, c.Headers)
	case phone.GetCall:
		return "GetCall" + call(c.CallID)
	case phone.Conference:
		return fmt.Sprintf("Conference %v", c.CallIDs)
	default:
		return strings.TrimPrefix(fmt.Sprintf("%T %+v", cmd, cmd), "phone.")
	}
}

func parse(t *testing.T, text string) spec.Scenario {
	t.Helper()
	root, issues := spec.ParseYAML("t.yaml", []byte(text))
	if len(issues) == 0 {
		var s spec.Scenario
		if s, issues = spec.Read("t.yaml", root); len(issues) == 0 {
			library, err := pattern.Builtin()
			if err != nil {
				t.Fatal(err)
			}
			if s, issues = library.Unfold("t.yaml", s); len(issues) == 0 {
				return s
			}
		}
	}
	t.Fatal(issues)
	return spec.Scenario{}
}

// play runs a scenario in virtual time while script happens, and gives the
// result and the commands that were given.
func play(t *testing.T, text string, script func(*world)) (timeline.Result, []string) {
	t.Helper()
	var result timeline.Result
	var did []string
	s := parse(t, text)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		if script != nil {
			script(w)
		}
		result = Run(t.Context(), s, Env{Phones: w, Feed: w, Fleet: w})
		did = w.did
	})
	return result, did
}

// told gives the types on the timeline that begin with one of the prefixes.
func told(r timeline.Result, prefixes ...string) string {
	var list []string
	for _, e := range r.Timeline {
		for _, p := range prefixes {
			if strings.HasPrefix(e.Type, p) {
				list = append(list, e.Type)
			}
		}
	}
	return strings.Join(list, " ")
}

// Add, Drop, Update and Kill make the world a Fleet.
func (w *world) Add(_ context.Context, s phone.Settings) (phone.Registration, error) {
	w.note("add %s %s %s", s.PhoneID, s.Username, s.Password.Reveal())
	w.mu.Lock()
	w.registered[s.PhoneID] = true
	w.mu.Unlock()
	w.happens(s.PhoneID, "reg.success", -1)
	return phone.Registration{IsRegistered: true, StatusCode: 200, Reason: "OK"}, nil
}

func (w *world) Drop(_ context.Context, id phone.ID, hangup bool) error {
	w.note("drop %s %v", id, hangup)
	return nil
}

func (w *world) Update(_ context.Context, id phone.ID, u phone.Update) (phone.Outcome, error) {
	w.note("update %s %v", id, *u.AutoAnswer)
	return phone.Outcome{}, nil
}

func (w *world) Kill(_ context.Context, id phone.ID) error {
	w.note("kill %s", id)
	w.happens(id, "phone.exited", -1)
	return nil
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.did = append(w.did, fmt.Sprintf("%dms ", time.Since(w.began).Milliseconds())+fmt.Sprintf(format, args...))
}
