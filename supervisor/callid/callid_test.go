package callid

import (
	"testing"

	"ringmaster/proto/phone"
)

func TestBlocksGoInOrder(t *testing.T) {
	var b Blocks
	for i, id := range []phone.ID{"a", "b", "a", "c"} {
		want := phone.Block{First: phone.CallID(i * 1000), Count: 1000}
		if got := b.Grant(id); got != want {
			t.Errorf("grant %d: %v, want %v", i, got, want)
		}
	}
	for c, want := range map[phone.CallID]phone.ID{0: "a", 999: "a", 1000: "b", 2999: "a", 3000: "c", 4000: "", 1 << 60: "", -1: "", -1000: ""} {
		if got, ok := b.Owner(c); got != want || ok != (want != "") {
			t.Errorf("Owner(%d) = %q, %v, want %q", c, got, ok, want)
		}
	}
}

func TestABlockThatWasGivenBackIsTheNext(t *testing.T) {
	var b Blocks
	b.Grant("a")
	block := b.Grant("b")
	b.Grant("c")
	b.Return(block)
	if id, ok := b.Owner(1500); ok {
		t.Errorf("a returned block belongs to %q", id)
	}
	if got := b.Grant("d"); got != block {
		t.Errorf("got %v, want %v", got, block)
	}
	if got := b.Grant("e").First; got != 3000 {
		t.Errorf("then came %d, want 3000", got)
	}
}

func TestHalfUsedLooksAtTheNewestBlock(t *testing.T) {
	var b Blocks
	b.Grant("a")
	b.Grant("b")
	check := func(c phone.CallID, want bool) {
		t.Helper()
		if got := b.HalfUsed(c); got != want {
			t.Errorf("HalfUsed(%d) = %v, want %v", c, got, want)
		}
	}
	check(0, false)
	check(499, false)
	check(500, true)
	check(999, true)
	check(1000, false)
	check(1500, true)
	check(2500, false)
	further := b.Grant("a") // 2000
	check(999, false)
	check(2499, false)
	check(2500, true)
	b.Return(further)
	check(500, true)
}
