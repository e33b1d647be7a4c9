package runs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
	"ringmaster/scenario"
	"ringmaster/scenario/engine"
	"ringmaster/scenario/timeline"
	"ringmaster/supervisor/fleet"
	"ringmaster/supervisor/hub"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// phones take commands slowly and decide them at once.
type phones struct {
	hub   *hub.Hub
	takes time.Duration // for each command

	keepCalls bool // calls are confirmed and stay

	mu   sync.Mutex
	did  []string
	seq  map[phone.ID]uint64
	next phone.CallID
}

// done are the commands that were given so far.
func (p *phones) done() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.did)
}

func (p *phones) Status(id phone.ID) (fleet.Status, error) {
	if id != "a" && id != "b" {
		return fleet.Status{}, errors.New("no such phone")
	}
	return fleet.Status{Registration: phone.Registration{IsRegistered: true}}, nil
}

func (p *phones) Begin(ctx context.Context, id phone.ID, c phone.Command) (phone.Pending, error) {
	taking := time.NewTimer(p.takes)
	defer taking.Stop()
	select {
	case <-taking.C:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.did = append(p.did, fmt.Sprintf("%s %+v", id, c))
	out := phone.Outcome{Cursor: p.seq[id]}
	if _, calls := c.(phone.MakeCall); calls {
		call := p.next
		p.next++
		out.Call = &phone.CallOutcome{CallID: call, State: phone.StateCalling}
		states := []string{"calling", "confirmed", "disconnected"}
		if p.keepCalls {
			states = states[:2]
		}
		for _, state := range states {
			p.seq[id]++
			p.hub.Append(id, 1, phone.Entry{Seq: p.seq[id], Event: &phone.Event{
				Type: "call.state." + state, PhoneID: id, CallID: &call, Time: time.Now(), Data: map[string]any{"state": state},
			}})
		}
	}
	return func() (phone.Outcome, error) { return out, nil }, nil
}

func runner(t *testing.T, takes time.Duration) (*Runner, *phones) {
	h := hub.New()
	p := &phones{hub: h, takes: takes, seq: map[phone.ID]uint64{}}
	return &Runner{Phones: p, Hub: h, RecordingsDir: t.TempDir(), CapturesDir: t.TempDir()}, p
}

func load(t *testing.T, text string) scenario.Scenario {
	t.Helper()
	patterns, _, err := scenario.Patterns()
	if err != nil {
		t.Fatal(err)
	}
	s, issues := scenario.Load("test.yaml", []byte(text), patterns)
	if len(issues) > 0 {
		t.Fatal(issues)
	}
	return s
}

// Commands to one phone are begun in the order of the events that caused them,
// however slowly it takes them, and those to another phone do not wait.
func TestCommandsKeepTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, p := runner(t, 10*time.Millisecond)
		result := r.Run(t.Context(), load(t, `
phones: [a, b]
initial_actions:
  - make_call: {phone_id: a, to: "sip:b@h"}
hooks:
  - {when: call.state.calling, on_phone: a, then: [{send_dtmf: "1"}, {emit: one}]}
  - {when: call.state.calling, on_phone: a, then: [{send_dtmf: "2"}]}
  - {when: call.state.confirmed, on_phone: a, then: [{send_dtmf: "3"}]}
  - {when: call.state.confirmed, on_phone: a, then: [{send_message: {phone_id: b, to: "sip:a@h", body: x}}]}
  - {when: call.state.disconnected, on_phone: a, then: [{send_dtmf: "4"}]}
timeout_ms: 1s
`), Options{})
		if result.Status != timeline.OK {
			t.Fatalf("%s: %s", result.Status, result.Reason)
		}
		var toA []string
		for _, d := range p.did {
			if digits, ok := strings.CutPrefix(d, "a {CallID:"); ok {
				toA = append(toA, digits[strings.Index(digits, "Digits"):])
			}
		}
		if want := []string{"Digits:1}", "Digits:2}", "Digits:3}", "Digits:4}"}; !slices.Equal(toA, want) {
			t.Errorf("a was given %q, want %q", toA, want)
		}
		if len(p.did) != 6 || !strings.HasPrefix(p.did[2], "b ") && !strings.HasPrefix(p.did[1], "b ") {
			t.Errorf("b waited for a: %q", p.did)
		}
		if owner, known := r.Hub.Owner(0); !known || owner != "a" {
			t.Errorf("call 0 is %q's", owner)
		}
		var own []string
		records, err := r.Hub.Read(t.Context(), hub.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range records {
			if rec.Seq == 0 {
				own = append(own, rec.Event.Type)
			}
		}
		if want := []string{"scenario.started", "user.one", "scenario.stopped"}; !slices.Equal(own, want) {
			t.Errorf("in the hub are %q of the run's own events, want %q", own, want)
		}
	})
}

func TestARunCanBeCancelledWhileAPhoneHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := runner(t, time.Hour)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		result := r.Run(ctx, load(t, "phones: [a]\ninitial_actions: [{make_call: {phone_id: a, to: 'sip:b@h'}}]\n"), Options{})
		if result.Status != timeline.Error || time.Since(began) > 5*time.Second {
			t.Errorf("%s after %v: %s", result.Status, time.Since(began), result.Reason)
		}
	})
}

func TestACommandThatIsNotPermitted(t *testing.T) {
	r, p := runner(t, 0)
	result := r.Run(t.Context(), load(t, "phones: [a]\ninitial_actions: [{play_audio: {phone_id: a, file: /etc/x.wav}}]\n"), Options{
		Permit: func(c phone.Command) error {
			return fmt.Errorf("not %s", c.(phone.PlayAudio).FilePath)
		},
	})
	if result.Status != timeline.Failed || !strings.Contains(result.Reason, "not /etc/x.wav") || len(p.did) != 0 {
		t.Errorf("%s: %s, and the phones did %q", result.Status, result.Reason, p.did)
	}
}

func TestRelativePathsBeginAtTheScenariosFolder(t *testing.T) {
	r, p := runner(t, 0)
	r.Run(t.Context(), load(t, `phones: [a]
initial_actions:
  - play_audio: {phone_id: a, call_id: 0, file: audio/x.wav}
  - play_audio: {phone_id: a, call_id: 0, file: /there/x.wav}
  - play_audio: {phone_id: a, call_id: 0, file: music-on-hold}
timeout_ms: 20
`), Options{Folder: "/here"})
	var played []string
	for _, d := range p.did {
		path, _, _ := strings.Cut(d[strings.Index(d, "FilePath:")+len("FilePath:"):], " ")
		played = append(played, path)
	}
	if want := []string{"/here/audio/x.wav", "/there/x.wav", "music-on-hold"}; !slices.Equal(played, want) {
		t.Errorf("played %q, want %q", played, want)
	}
}

func TestOnlyFilesOfTheRunAreItsArtifacts(t *testing.T) {
	r, _ := runner(t, 0)
	began := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	put := func(root, name string) string {
		path := filepath.Join(root, "a", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	name := func(call int64, after time.Duration) string { return artifact.CallName(call, began.Add(after)) }
	q := engine.FileQuery{PhoneID: "a", Calls: []phone.CallID{3, 20}, Ended: []phone.CallID{3, 20}, Since: began}
	put(r.RecordingsDir, name(3, -time.Second)+".wav") // of an earlier server, whose ids were the same
	put(r.RecordingsDir, name(4, time.Second)+".wav")  // of another run
	put(r.RecordingsDir, "notes.wav")
	f := files{r}
	if got := f.Artifact(t.Context(), q); got != nil {
		t.Errorf("nothing is the run's, and it has %v", *got.Recording)
	}

	put(r.RecordingsDir, name(20, time.Second)+".wav")
	put(r.RecordingsDir, name(20, time.Second)+".meta.json")
	wav := put(r.RecordingsDir, name(3, 2*time.Second)+".wav")
	pcap := put(r.CapturesDir, name(20, time.Second)+".pcap")
	if found, open := f.look(q); !open || *found.Recording != wav || *found.Pcap != pcap {
		t.Errorf("with a recording that is open: %+v, open %v", found, open)
	}
	// The sidecar is written, and something happens: the wait is over.
	synctest.Test(t, func(t *testing.T) {
		go func() {
			synctest.Wait()
			put(r.RecordingsDir, name(3, 2*time.Second)+".meta.json")
			r.Hub.Publish(phone.Event{Type: "user.x"})
		}()
		got := files{r}.Artifact(t.Context(), q)
		if want := artifact.SidecarPath(wav); *got.RecordingMeta != want {
			t.Errorf("sidecar %s, want %s", *got.RecordingMeta, want)
		}
	})
}
