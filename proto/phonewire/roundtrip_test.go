package phonewire

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
)

// commands has a zero value of every command.
var commands = []phone.Command{
	phone.MakeCall{}, phone.Answer{}, phone.Reject{}, phone.Hangup{}, phone.HangupAll{}, phone.Hold{}, phone.Unhold{},
	phone.SetCodecs{}, phone.BlindTransfer{}, phone.AttendedTransfer{}, phone.Conference{}, phone.SendDTMF{},
	phone.PlayAudio{}, phone.StopAudio{}, phone.GetRecording{}, phone.ListCalls{}, phone.GetCall{},
	phone.SendMessage{}, phone.Register{}, phone.Unregister{}, phone.GetRegistration{}, phone.UpdateSettings{}, phone.GrantCallIDs{},
	phone.StartCapture{}, phone.StopCapture{},
}

func TestTheListOfCommandsIsComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../phone/command.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, c := range commands {
		have[reflect.TypeOf(c).Name()] = true
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "command" {
			if name := f.Recv.List[0].Type.(*ast.Ident).Name; !have[name] {
				t.Errorf("command %s has no round-trip test", name)
			}
		}
	}
}

// through sends m over the wire.
func through[M proto.Message](t *testing.T, m M) M {
	t.Helper()
	raw, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	out := m.ProtoReflect().New().Interface().(M)
	if err := proto.Unmarshal(raw, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// roundTrip returns v as it comes out at the other end.
func roundTrip(t *testing.T, v any) any {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%T: %v", v, err)
		}
	}
	switch v := v.(type) {
	case phone.Configuration:
		return ConfigurationFromWire(through(t, ConfigurationToWire(v)))
	case phone.Configured:
		return ConfiguredFromWire(through(t, ConfiguredToWire(v)))
	case phone.Outcome:
		return OutcomeFromWire(through(t, OutcomeToWire(v)))
	case phone.Health:
		return HealthFromWire(through(t, HealthToWire(v)))
	case phone.Shutdown:
		return ShutdownFromWire(through(t, ShutdownToWire(v)))
	case phone.Entry:
		m, err := EntryToWire(v)
		check(err)
		out, err := EntryFromWire(through(t, m))
		check(err)
		return out
	case phone.Command:
		m, err := CommandToWire(v)
		check(err)
		out, err := CommandFromWire(through(t, m))
		check(err)
		return out
	}
	t.Fatalf("no round trip for %T", v)
	return nil
}

// samples has a zero value of everything that travels. An Entry has one of its
// pointers set, which the filler then fills.
func samples() []any {
	all := []any{
		phone.Configuration{}, phone.Configured{}, phone.Outcome{}, phone.Health{}, phone.Shutdown{},
		phone.Event{}, phone.SIPMessage{}, phone.CallInfo{}, phone.Message{}, phone.Gap{}, phone.Dialog{},
	}
	for _, c := range commands {
		all = append(all, c)
	}
	return all
}

// filled returns a filled copy of sample, wrapped in an Entry where it is part
// of one.
func filled(f filler, sample any) any {
	p := reflect.New(reflect.TypeOf(sample))
	f.fill(p.Elem())
	switch v := p.Interface().(type) {
	case *phone.Event:
		return phone.Entry{Seq: f.rnd.Uint64(), Event: v}
	case *phone.SIPMessage:
		return phone.Entry{Seq: f.rnd.Uint64(), SIP: v}
	case *phone.CallInfo:
		return phone.Entry{Seq: f.rnd.Uint64(), Ended: v}
	case *phone.Message:
		return phone.Entry{Seq: f.rnd.Uint64(), Inbox: v}
	case *phone.Dialog:
		return phone.Entry{Seq: f.rnd.Uint64(), Dialog: v}
	case *phone.Gap:
		return phone.Entry{Seq: f.rnd.Uint64(), Gap: v}
	}
	return p.Elem().Interface()
}

func TestEverythingComesBackAsItWent(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	word := func() string {
		return []string{"sip:b@127.0.0.1", "Zoë ☎ \"<&>\"", "line\r\nline", "\x00"}[rnd.IntN(4)]
	}
	for _, sample := range samples() {
		for round := range 50 {
			v := filled(filler{rnd: rnd, full: round == 0, str: word}, sample)
			if got := roundTrip(t, v); !reflect.DeepEqual(got, v) {
				t.Fatalf("round %d:\n got %#v\nwant %#v", round, got, v)
			}
		}
	}
}

// Text from the network may be any bytes; it must not make a message that
// protobuf refuses.
func TestBytesThatAreNotUTF8DoNotStopAMessage(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	bad := func() string { return "a\xff\xfeb" }
	for _, sample := range samples() {
		v := filled(filler{rnd: rnd, full: true, str: bad}, sample)
		roundTrip(t, v) // fails on an error
	}
}

func TestSIPBytesAreUntouched(t *testing.T) {
	raw := []byte("INVITE \xff\x00\r\n")
	got := roundTrip(t, phone.Entry{SIP: &phone.SIPMessage{Raw: raw}}).(phone.Entry)
	if string(got.SIP.Raw) != string(raw) {
		t.Errorf("got %q, want %q", got.SIP.Raw, raw)
	}
}

func TestEventDataBeyondJSON(t *testing.T) {
	got := roundTrip(t, phone.Entry{Event: &phone.Event{Data: map[string]any{"nan": math.NaN(), "inf": math.Inf(1), "int": 5}}}).(phone.Entry)
	want := map[string]any{"nan": nil, "inf": nil, "int": int64(5)}
	if !reflect.DeepEqual(got.Event.Data, want) {
		t.Errorf("got %v, want %v", got.Event.Data, want)
	}
	if _, err := EntryToWire(phone.Entry{Event: &phone.Event{Data: map[string]any{"f": func() {}}}}); err == nil {
		t.Error("a function in an event's data must be an error")
	}
}

func TestWhatIsNotUnderstoodIsAnError(t *testing.T) {
	if _, err := CommandToWire(nil); err == nil {
		t.Error("no command must be an error")
	}
	if _, err := CommandFromWire(&pb.DoRequest{}); err == nil {
		t.Error("an unknown command must be an error")
	}
	if _, err := EntryToWire(phone.Entry{}); err == nil {
		t.Error("an empty entry must be an error")
	}
	if _, err := EntryFromWire(&pb.Entry{}); err == nil {
		t.Error("an unknown entry must be an error")
	}
	for _, data := range []string{"[1]", "{", "7"} {
		m := &pb.Entry{What: &pb.Entry_Event{Event: &pb.Event{Data: []byte(data)}}}
		if _, err := EntryFromWire(m); err == nil {
			t.Errorf("event data %q must be an error", data)
		}
	}
}

func TestVersions(t *testing.T) {
	if err := CheckVersion("1.0", "1.0"); err != nil {
		t.Error(err)
	}
	err := CheckVersion("1.1", "1.0")
	if err == nil || !strings.Contains(err.Error(), `worker program is version "1.0" and the supervisor is "1.1"`) {
		t.Errorf("got %v", err)
	}
}
