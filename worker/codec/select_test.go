package codec

import (
	"slices"
	"strings"
	"testing"
)

func TestSelect(t *testing.T) {
	for _, row := range []struct {
		names []string
		want  []Spec
		err   string
	}{
		{nil, []Spec{PCMA, PCMU, G722}, ""},
		{[]string{"PCMU"}, []Spec{PCMU}, ""},
		{[]string{"G722", "pcma", "telephone-event"}, []Spec{G722, PCMA}, ""},
		{[]string{"PCMU/8000/1", "PCMU"}, []Spec{PCMU}, ""},
		{[]string{"L16/8000", "L16"}, []Spec{L16, L16Wide}, ""},
		{[]string{"PCMA", "G729"}, nil, `codec "G729" is not built in: use `},
		{[]string{"PCMA/16000"}, nil, `codec "PCMA/16000" is not built in`},
		{[]string{"PCMA/8000/1/1"}, nil, "not built in"},
		{[]string{"telephone-event"}, nil, "no codec for speech"},
		{[]string{}, nil, "no codec for speech"},
	} {
		got, err := Select(row.names)
		if !slices.Equal(got, row.want) || (err == nil) != (row.err == "") || err != nil && !strings.Contains(err.Error(), row.err) {
			t.Errorf("Select(%q) = %v, %v; want %v, %q", row.names, got, err, row.want, row.err)
		}
	}
}
