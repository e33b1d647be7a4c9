package negotiate

import (
	"errors"
	"testing"

	"ringmaster/proto/sdp"
	"ringmaster/worker/codec"
)

func TestPacketTime(t *testing.T) {
	for _, row := range []struct{ own, ptime, maxptime, want int }{
		{20, 0, 0, 20}, {20, 10, 0, 10}, {20, 60, 0, 60}, {20, 30, 20, 20}, {20, 0, 15, 10}, {20, 0, 5, 10}, {20, 40, 100, 40},
		{20, 25, 0, 20}, {20, 5, 0, 20}, {20, 70, 0, 20}, {30, 0, 0, 30},
	} {
		if got := sendPtime(row.own, sdp.Media{Ptime: row.ptime, Maxptime: row.maxptime}); got != row.want {
			t.Errorf("%+v: %d", row, got)
		}
	}
}

func TestEventsOfAnAnswer(t *testing.T) {
	event := func(pt uint8, rate int, fmtp string) sdp.Codec {
		return sdp.Codec{PT: pt, Name: "telephone-event", ClockRate: rate, Channels: 1, Fmtp: fmtp}
	}
	pcmu, op := describe(codec.PCMU, 0), describe(opus, 96)
	for _, row := range []struct {
		name              string
		offered, answered []sdp.Codec
		want              []sdp.Codec
	}{
		{"none offered", []sdp.Codec{pcmu}, []sdp.Codec{pcmu}, nil},
		{"0-16", []sdp.Codec{pcmu, event(101, 8000, "0-16")}, []sdp.Codec{pcmu}, []sdp.Codec{event(101, 8000, "0-16")}},
		{"0-15", []sdp.Codec{pcmu, event(101, 8000, "0-15")}, []sdp.Codec{pcmu}, []sdp.Codec{event(101, 8000, "0-15")}},
		{"a list", []sdp.Codec{pcmu, event(101, 8000, "0-11, 16")}, []sdp.Codec{pcmu}, []sdp.Codec{event(101, 8000, "0-16")}},
		{"no fmtp", []sdp.Codec{pcmu, event(101, 8000, "")}, []sdp.Codec{pcmu}, []sdp.Codec{event(101, 8000, "0-15")}},
		{"nonsense", []sdp.Codec{pcmu, event(101, 8000, "x-,,")}, []sdp.Codec{pcmu}, []sdp.Codec{event(101, 8000, "0-15")}},
		{"only the clock that is needed", []sdp.Codec{event(101, 48000, "0-16"), event(102, 8000, "0-16")}, []sdp.Codec{pcmu}, []sdp.Codec{event(102, 8000, "0-16")}},
		{"each clock once", []sdp.Codec{event(101, 48000, "0-16"), event(102, 8000, "0-16")}, []sdp.Codec{pcmu, op, pcmu}, []sdp.Codec{event(102, 8000, "0-16"), event(101, 48000, "0-16")}},
		{"no matching clock", []sdp.Codec{event(101, 8000, "0-16")}, []sdp.Codec{op}, []sdp.Codec{event(101, 8000, "0-16")}},
	} {
		got := acceptEvents(row.offered, row.answered)
		if len(got) != len(row.want) {
			t.Errorf("%s: %v", row.name, got)
			continue
		}
		for i := range got {
			if got[i] != row.want[i] {
				t.Errorf("%s: %v, want %v", row.name, got, row.want)
			}
		}
	}
}

func TestNumbersRunOut(t *testing.T) {
	n := numbers{}
	given := map[uint8]bool{}
	for rate := range lastDynamic - firstDynamic + 1 {
		pt, err := n.take(encoding{"telephone-event", rate}, usualEvent)
		if err != nil || given[pt] || pt < firstDynamic || pt > lastDynamic {
			t.Fatalf("%d: %d, %v", rate, pt, err)
		}
		given[pt] = true
	}
	if pt, err := n.take(encoding{"telephone-event", 3}, usualEvent); err != nil || !given[pt] {
		t.Errorf("one that has a number: %d, %v", pt, err)
	}
	if _, err := n.take(encoding{"x", 1}, usualEvent); !errors.Is(err, ErrLocal) {
		t.Errorf("%v", err)
	}
}

func TestANumberKeepsItsMeaning(t *testing.T) {
	n := numbers{}
	n.learn([]sdp.Codec{{PT: 96, Name: "A", ClockRate: 1}})
	n.learn([]sdp.Codec{{PT: 96, Name: "B", ClockRate: 1}})
	if n[96] != (encoding{"a", 1}) {
		t.Error(n)
	}
}
