package pbx

import (
	"testing"

	"github.com/emiago/sipgo/sip"
)

// RFC 3261 §16.7 step 6.
func TestBest(t *testing.T) {
	tests := []struct {
		finals []int
		want   int // index
	}{
		{[]int{486}, 0},
		{[]int{404, 603, 302}, 1},
		{[]int{600, 603}, 0},
		{[]int{404, 302, 503}, 1},
		{[]int{503, 486}, 1},
		{[]int{486, 404}, 0},
		{[]int{486, 420}, 1},
		{[]int{486, 484, 407}, 2},
		{[]int{408, 480, 486}, 2},
		{[]int{487, 486}, 1},
		{[]int{480, 408}, 0},
		{[]int{503, 408}, 1},
	}
	for _, test := range tests {
		var finals []*sip.Response
		for _, status := range test.finals {
			finals = append(finals, sip.NewResponse(status, "Whatever"))
		}
		if got := best(finals); got != finals[test.want] {
			t.Errorf("best of %v is %d, want %d", test.finals, got.StatusCode, test.finals[test.want])
		}
	}
}
