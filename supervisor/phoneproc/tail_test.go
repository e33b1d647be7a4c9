package phoneproc

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestTail(t *testing.T) {
	var many strings.Builder
	for i := range 30 {
		fmt.Fprintf(&many, "line %d\n", i)
	}
	first := func(n, from int) (out []string) {
		for i := range n {
			out = append(out, fmt.Sprintf("line %d", from+i))
		}
		return out
	}
	for _, tc := range []struct {
		name   string
		writes []string
		want   []string
	}{
		{"nothing", nil, nil},
		{"in pieces", []string{"a", "b\nc", "\n"}, []string{"ab", "c"}},
		{"without an end", []string{"a\nb"}, []string{"a", "b"}},
		{"the last ones", []string{many.String()}, first(20, 10)},
		{"from a panic on the first ones", []string{"before\npanic: oh\n", many.String()}, append([]string{"panic: oh"}, first(19, 0)...)},
		{"a fatal error too", []string{"before\nfatal error: oh\nx\n"}, []string{"fatal error: oh", "x"}},
		{"long lines are cut", []string{strings.Repeat("x", 300), strings.Repeat("y", 300) + "\nz\n"}, []string{strings.Repeat("x", 300) + strings.Repeat("y", 100), "z"}},
		{"not UTF-8", []string{"a\xff\n"}, []string{"a?"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var tl tail
			for _, w := range tc.writes {
				tl.write([]byte(w))
			}
			if got := tl.snapshot(); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
