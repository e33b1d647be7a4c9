package codec

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// EventName is telephone-event as a list of codecs may name it. It is no
// codec: a phone always offers it, listed or not.
const EventName = "telephone-event"

// Default is the list of a phone that has none of its own, in order of
// preference.
func Default() []Spec { return []Spec{PCMA, PCMU, G722} }

// Names lists what Select takes, for messages and for `version`.
func Names() []string {
	var names []string
	for _, s := range Built() {
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return append(names, EventName)
}

// Select finds the codecs that a user's list names, in its order: "PCMA",
// "pcma/8000" or "PCMA/8000/1"; the first of Built that fits. nil gives Default. The error names the first
// that is not built in, and those that are.
func Select(names []string) ([]Spec, error) {
	if names == nil {
		return Default(), nil
	}
	var specs []Spec
	for _, name := range names {
		if strings.EqualFold(base(name), EventName) {
			continue
		}
		i := slices.IndexFunc(Built(), func(s Spec) bool { return s.named(name) })
		if i < 0 {
			return nil, fmt.Errorf("codec %.40q is not built in: use %s", name, strings.Join(Names(), ", "))
		}
		if s := Built()[i]; !slices.Contains(specs, s) {
			specs = append(specs, s)
		}
	}
	if len(specs) == 0 {
		return nil, fmt.Errorf("codecs names no codec for speech: use %s", strings.Join(Names(), ", "))
	}
	return specs, nil
}

func base(name string) string {
	b, _, _ := strings.Cut(name, "/")
	return b
}

// named reports whether name means s; rate and channels may be left out.
func (s Spec) named(name string) bool {
	parts := strings.Split(name, "/")
	full := []string{s.Name, strconv.Itoa(s.ClockRate), strconv.Itoa(s.Channels)}
	return len(parts) <= len(full) && strings.EqualFold(parts[0], s.Name) && slices.Equal(parts[1:], full[1:len(parts)])
}
