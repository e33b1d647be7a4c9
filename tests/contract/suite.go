// Package contract is what every phone.Phone must do, wherever it runs: one
// suite for phones in memory, in a process, fake and real.
package contract

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

// limit bounds each case: what takes longer hangs.
const limit = 20 * time.Second

// Run tests the phones that fresh makes: each one new, not configured, and
// taken down at the end of its test whether or not it was shut down.
func Run(t *testing.T, fresh func(t *testing.T) phone.Phone) {
	for _, tc := range []struct {
		name string
		test func(s *suite)
	}{
		{"a phone that is not configured does nothing", notConfigured},
		{"Configure binds the port it tells", configureBinds},
		{"Configure takes the port it is given", configureTakesPort},
		{"Configure succeeds once", configureOnce},
		{"a port in use is an error that names it", portInUse},
		{"a call has its id from the block and its events after the cursor", callAndEvents},
		{"commands are carried out in the order in which they are begun", begunInOrder},
		{"call ids run out and can be granted", callIDsRunOut},
		{"an unknown call is not found", unknownCall},
		{"a wrong URI changes nothing", wrongURI},
		{"the registration can be asked for", registration},
		{"settings can be updated", update},
		{"Watch gives every entry once, from any cursor", watchCursors},
		{"Watch ends with its context and with its reader", watchEnds},
		{"Health tells where the journal and the calls are", health},
		{"Shutdown ends calls, journal and socket", shutdown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			defer cancel()
			tc.test(&suite{T: t, ctx: ctx, p: fresh(t)})
		})
	}
}

type suite struct {
	*testing.T
	ctx context.Context
	p   phone.Phone
}

func (s *suite) configuration() phone.Configuration {
	return phone.Configuration{
		Settings: phone.Settings{
			PhoneID: "a", Domain: "127.0.0.1", Username: "a", Password: phone.NewSecret("secret"), Transport: phone.UDP,
		},
		RecordingsDir: s.TempDir(), CapturesDir: s.TempDir(), SDPSessionName: "Ringmaster",
		CallIDs: phone.Block{First: 3000, Count: 1000},
	}
}

// configure returns the bound port.
func (s *suite) configure() int {
	s.Helper()
	got, err := s.p.Configure(s.ctx, s.configuration())
	if err != nil {
		s.Fatalf("Configure: %v", err)
	}
	return got.LocalPort
}

func (s *suite) do(c phone.Command) phone.Outcome {
	s.Helper()
	o, err := s.p.Do(s.ctx, c)
	if err != nil {
		s.Fatalf("%T: %v", c, err)
	}
	return o
}

// wantError wants a *phone.Error of the kind whose sentence has the words.
func (s *suite) wantError(err error, kind phone.ErrorKind, words ...string) {
	s.Helper()
	var e *phone.Error
	if !errors.As(err, &e) {
		s.Errorf("got %v (%T), want a *phone.Error", err, err)
		return
	}
	if e.Kind != kind {
		s.Errorf("%q is of kind %v, want %v", e.Sentence, e.Kind, kind)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			s.Errorf("%q does not say %q", err, word)
		}
	}
}

// bind takes a UDP port of the loopback; 0 is any.
func (s *suite) bind(port int) (net.PacketConn, error) {
	conn, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		s.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

// farEnd is a SIP URI where somebody listens and never answers.
func (s *suite) farEnd() string {
	s.Helper()
	conn, err := s.bind(0)
	if err != nil {
		s.Fatal(err)
	}
	return "sip:b@" + conn.LocalAddr().String()
}

// read gives the n entries after a cursor.
func (s *suite) read(after uint64, n int) []phone.Entry {
	s.Helper()
	enough := errors.New("enough")
	var out []phone.Entry
	err := s.p.Watch(s.ctx, after, func(e phone.Entry) error {
		if out = append(out, e); len(out) >= n {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		s.Fatalf("Watch: %v after %d of %d entries", err, len(out), n)
	}
	return out
}

// find reads from a cursor on until an event of the type comes.
func (s *suite) find(after uint64, typ string) phone.Entry {
	s.Helper()
	found := errors.New("found")
	var out phone.Entry
	err := s.p.Watch(s.ctx, after, func(e phone.Entry) error {
		if e.Event != nil && e.Event.Type == typ {
			out = e
			return found
		}
		return nil
	})
	if !errors.Is(err, found) {
		s.Fatalf("no %s after %d: %v", typ, after, err)
	}
	return out
}

func id(c phone.CallID) *phone.CallID { return &c }
