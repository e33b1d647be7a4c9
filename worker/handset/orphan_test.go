package handset

import (
	"context"
	"testing"
	"time"

	"ringmaster/proto/phone"
)

// confirmedDialog waits for the word on a dialog that is confirmed.
func (r *rig) confirmedDialog() phone.Dialog {
	r.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case d := <-r.dialogs:
			if d.Confirmed {
				return d
			}
		case <-deadline:
			r.t.Fatal("no word on a confirmed dialog")
		}
	}
}

// A phone that takes the place of a dead one ends its call; one that does
// nothing else calls nobody and takes no calls.
func TestDeadWorkersCallIsEnded(t *testing.T) {
	for name, lastRites := range map[string]bool{"by a successor": false, "by last rites": true} {
		t.Run(name, func(t *testing.T) {
			a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
			connect(a, b)
			orphan := a.confirmedDialog()
			port := a.port
			a.h.Close() // not a word to b
			heir := newRig(t, "a", 2000, func(c *phone.Configuration) {
				c.LocalPort, c.Orphans, c.LastRites = port, []phone.Dialog{orphan}, lastRites
			})
			if over := b.awaits("call.state.disconnected"); over.Data["last_status"] != int64(200) {
				t.Errorf("b says %v", over.Data)
			}
			if !lastRites {
				connect(heir, b)
				return
			}
			heir.refuses(phone.MakeCall{DestURI: b.uri()}, phone.Exhausted, "takes no more")
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := heir.h.Shutdown(ctx, phone.Shutdown{HangupCalls: true}); err != nil {
				t.Error(err)
			}
		})
	}
}

// Last rites wait for the far end, but not for ever.
func TestLastRitesForADeafFarEnd(t *testing.T) {
	a, b := newRig(t, "a", 0), newRig(t, "b", 1000)
	connect(a, b)
	orphan, port := a.confirmedDialog(), a.port
	a.h.Close()
	b.h.Close()
	heir := newRig(t, "a", 2000, func(c *phone.Configuration) {
		c.LocalPort, c.Orphans, c.LastRites = port, []phone.Dialog{orphan}, true
	})
	began := time.Now()
	if err := heir.h.Shutdown(context.Background(), phone.Shutdown{HangupCalls: true}); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > ritesWithin+500*time.Millisecond {
		t.Errorf("they took %v", took)
	}
}
