package contract

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringmaster/proto/phone"
)

func notConfigured(s *suite) {
	_, err := s.p.Do(s.ctx, phone.ListCalls{})
	s.wantError(err, phone.Precondition)
}

func configureBinds(s *suite) {
	port := s.configure()
	if port <= 0 {
		s.Fatalf("port %d", port)
	}
	if _, err := s.bind(port); err == nil {
		s.Errorf("port %d is not bound", port)
	}
}

func configureTakesPort(s *suite) {
	conn, err := s.bind(0)
	if err != nil {
		s.Fatal(err)
	}
	c := s.configuration()
	_, err = fmt.Sscanf(conn.LocalAddr().String(), "127.0.0.1:%d", &c.LocalPort)
	if err != nil {
		s.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		s.Fatal(err)
	}
	got, err := s.p.Configure(s.ctx, c)
	if err != nil || got.LocalPort != c.LocalPort {
		s.Errorf("got %v, %v, want port %d", got, err, c.LocalPort)
	}
}

func configureOnce(s *suite) {
	s.configure()
	_, err := s.p.Configure(s.ctx, s.configuration())
	s.wantError(err, phone.Precondition)
}

func portInUse(s *suite) {
	conn, err := s.bind(0)
	if err != nil {
		s.Fatal(err)
	}
	c := s.configuration()
	if _, err := fmt.Sscanf(conn.LocalAddr().String(), "127.0.0.1:%d", &c.LocalPort); err != nil {
		s.Fatal(err)
	}
	_, err = s.p.Configure(s.ctx, c)
	s.wantError(err, phone.Precondition, fmt.Sprint(c.LocalPort))
}

func callAndEvents(s *suite) {
	s.configure()
	before := time.Now()
	dest := s.farEnd()
	first := s.do(phone.MakeCall{DestURI: dest})
	second := s.do(phone.MakeCall{DestURI: dest})
	if first.Call == nil || first.Call.CallID != 3000 || second.Call == nil || second.Call.CallID != 3001 {
		s.Fatalf("calls %+v, %+v, want 3000 and 3001", first.Call, second.Call)
	}
	for _, o := range []phone.Outcome{first, second} {
		e := s.find(o.Cursor, "call.state.calling").Event
		if e.CallID == nil || *e.CallID != o.Call.CallID || e.PhoneID != "a" {
			s.Errorf("after the cursor of call %d comes %+v", o.Call.CallID, e)
		}
		if e.Time.Before(before.Truncate(0).Add(-time.Second)) || e.Time.After(time.Now().Add(time.Second)) {
			s.Errorf("the event is stamped %v", e.Time)
		}
		if e.Data["state"] != "calling" || e.Data["direction"] != "outbound" || e.Data["remote_uri"] == "" {
			s.Errorf("data %v", e.Data)
		}
		if _, isInt := e.Data["last_status"].(int64); !isInt {
			s.Errorf("last_status is a %T, want int64", e.Data["last_status"])
		}
	}
	got := s.do(phone.GetCall{CallID: id(3001)})
	if len(got.Calls) != 1 || got.Calls[0].CallID != 3001 || got.Calls[0].Direction != phone.Outbound || got.Calls[0].StartedAt.IsZero() {
		s.Errorf("GetCall: %+v", got.Calls)
	}
	if got := s.do(phone.ListCalls{}); len(got.Calls) != 2 {
		s.Errorf("ListCalls: %d calls", len(got.Calls))
	}
}

func begunInOrder(s *suite) {
	s.configure()
	dest := s.farEnd()
	var pending []phone.Pending
	for range 50 {
		p, err := s.p.Begin(s.ctx, phone.MakeCall{DestURI: dest})
		if err != nil {
			s.Fatal(err)
		}
		pending = append(pending, p)
	}
	var cursor uint64
	for i, answer := range pending {
		o, err := answer()
		if err != nil {
			s.Fatal(err)
		}
		if o.Call == nil || o.Call.CallID != phone.CallID(3000+i) || o.Cursor < cursor {
			s.Errorf("the command begun as number %d made %+v at %d, after one at %d", i, o.Call, o.Cursor, cursor)
		}
		cursor = o.Cursor
	}
	unknown, err := s.p.Begin(s.ctx, phone.Hangup{CallID: id(9999)})
	if err == nil {
		_, err = unknown()
	}
	s.wantError(err, phone.NotFound, "9999")
}

func callIDsRunOut(s *suite) {
	c := s.configuration()
	c.CallIDs = phone.Block{First: 0, Count: 1}
	if _, err := s.p.Configure(s.ctx, c); err != nil {
		s.Fatal(err)
	}
	dest := s.farEnd()
	if got := s.do(phone.MakeCall{DestURI: dest}).Call.CallID; got != 0 {
		s.Errorf("first call %d, want 0", got)
	}
	_, err := s.p.Do(s.ctx, phone.MakeCall{DestURI: dest})
	s.wantError(err, phone.Exhausted)
	s.do(phone.GrantCallIDs{Block: phone.Block{First: 5000, Count: 1000}})
	if got := s.do(phone.MakeCall{DestURI: dest}).Call.CallID; got != 5000 {
		s.Errorf("after the grant: call %d, want 5000", got)
	}
}

func unknownCall(s *suite) {
	s.configure()
	for _, c := range []phone.Command{
		phone.Hangup{CallID: id(9999)}, phone.GetCall{CallID: id(9999)}, phone.SendDTMF{CallID: id(9999), Digits: "1"},
	} {
		_, err := s.p.Do(s.ctx, c)
		s.wantError(err, phone.NotFound, "9999")
	}
}

func wrongURI(s *suite) {
	s.configure()
	for _, uri := range []string{"", "nonsense", "http://127.0.0.1"} {
		_, err := s.p.Do(s.ctx, phone.MakeCall{DestURI: uri})
		s.wantError(err, phone.Invalid)
	}
	if got := s.do(phone.ListCalls{}); len(got.Calls) != 0 {
		s.Errorf("there are calls: %+v", got.Calls)
	}
}

func registration(s *suite) {
	s.configure()
	o := s.do(phone.GetRegistration{})
	if o.Registration == nil || o.Registration.IsRegistered || o.Registration.Expires != 0 {
		s.Errorf("got %+v", o.Registration)
	}
}

func update(s *suite) {
	s.configure()
	yes := true
	o := s.do(phone.UpdateSettings{Update: phone.Update{AutoAnswer: &yes}})
	if o.Updated == nil || o.Updated.Reregistered || o.Registration == nil {
		s.Errorf("got %+v", o)
	}
}

func watchCursors(s *suite) {
	s.configure()
	s.do(phone.MakeCall{DestURI: s.farEnd()})
	all := s.read(0, 2)
	for i, e := range all {
		if e.Seq != uint64(i+1) {
			s.Errorf("entry %d has Seq %d", i, e.Seq)
		}
	}
	if again := s.read(1, 1)[0]; again.Seq != 2 {
		s.Errorf("after 1 comes %d", again.Seq)
	}
}

func watchEnds(s *suite) {
	s.configure()
	o := s.do(phone.MakeCall{DestURI: s.farEnd()})
	stop := errors.New("the reader has had enough")
	if err := s.p.Watch(s.ctx, o.Cursor, func(phone.Entry) error { return stop }); !errors.Is(err, stop) {
		s.Errorf("got %v, want the reader's error", err)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	err := s.p.Watch(ctx, 0, func(phone.Entry) error { cancel(); return nil })
	if !errors.Is(err, context.Canceled) {
		s.Errorf("got %v, want the context's error", err)
	}
}

func health(s *suite) {
	s.configure()
	o := s.do(phone.MakeCall{DestURI: s.farEnd()})
	h, err := s.p.Health(s.ctx)
	if err != nil || h.ActiveCalls != 1 || h.LastSeq <= o.Cursor {
		s.Errorf("got %+v, %v; the call was accepted at %d", h, err, o.Cursor)
	}
}

func shutdown(s *suite) {
	port := s.configure()
	call := s.do(phone.MakeCall{DestURI: s.farEnd()}).Call.CallID
	var entries []phone.Entry
	first := make(chan struct{}, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- s.p.Watch(s.ctx, 0, func(e phone.Entry) error {
			entries = append(entries, e)
			select {
			case first <- struct{}{}:
			default:
			}
			return nil
		})
	}()
	<-first
	if err := s.p.Shutdown(s.ctx, phone.Shutdown{HangupCalls: true}); err != nil {
		s.Errorf("Shutdown: %v", err)
	}
	if err := <-ended; err != nil {
		s.Errorf("Watch: %v", err)
	}
	var disconnected, over bool
	for _, e := range entries {
		disconnected = disconnected || e.Event != nil && e.Event.Type == "call.state.disconnected" && *e.Event.CallID == call
		over = over || e.Ended != nil && e.Ended.CallID == call && e.Ended.State == phone.StateDisconnected && !e.Ended.EndedAt.IsZero()
	}
	if !disconnected || !over {
		s.Errorf("of the call's end the journal has: event %v, summary %v", disconnected, over)
	}
	if _, err := s.bind(port); err != nil {
		s.Errorf("the port is not free: %v", err)
	}
	_, err := s.p.Do(s.ctx, phone.ListCalls{})
	var e *phone.Error
	if !errors.As(err, &e) {
		s.Errorf("Do after Shutdown: %v", err)
	}
}
