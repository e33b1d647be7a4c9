package judge

import (
	"fmt"
	"slices"
	"strings"

	"ringmaster/proto/phone"
	"ringmaster/scenario/spec"
)

// difference is one respect in which an event is not what was expected.
type difference struct {
	weight int // how far it takes the event from what was expected
	words  string
}

// differences lists how an event differs from what the fact speaks of; none
// is a match.
func (ev Evidence) differences(f spec.EventFact, e phone.Event) []difference {
	var list []difference
	if !spec.AnyMatches(f.Events, e.Type) {
		list = append(list, difference{3, "it is " + e.Type})
	}
	if len(f.Phones) > 0 && !slices.Contains(f.Phones, e.PhoneID) {
		list = append(list, difference{1, "phone_id is " + orNone(string(e.PhoneID))})
	}
	if !f.Call.IsZero() {
		call, _ := ev.callOf(f.Phones, f.Call)
		if call == nil || e.CallID == nil || *call != *e.CallID {
			list = append(list, difference{1, "call_id is " + callText(e.CallID)})
		}
	}
	for _, c := range f.Match {
		if one := (spec.Match{c}); !one.Holds(e) {
			value, there := spec.Lookup(e, c.Path)
			said := "is not there"
			if there {
				said = "is " + show(value)
			}
			list = append(list, difference{1, fmt.Sprintf("match.%s %s", c.Path, said)})
		}
	}
	return list
}

// miss tells what was seen in place of an event that did not come, beginning
// with its own punctuation.
func (ev Evidence) miss(f spec.EventFact) string {
	if at, found := ev.find(f, 0); found { // it came, and not when it was expected
		e := ev.Events[at]
		if f.After != nil {
			if start, _ := ev.find(*f.After, 0); at <= start {
				again, later := ev.find(f, start+1)
				if !later {
					return fmt.Sprintf("; it came only before that, at %s", ev.offset(e.Time))
				}
				e = ev.Events[again]
			}
		}
		return fmt.Sprintf("; it came at %s, too late", ev.offset(e.Time))
	}
	return ev.nearest(f) + ev.death(f)
}

// nearest tells which event came nearest to one that never came.
func (ev Evidence) nearest(f spec.EventFact) string {
	best, least := -1, 6
	for i, e := range ev.Events {
		if !related(f.Events, e.Type) {
			continue
		}
		weight := 0
		for _, d := range ev.differences(f, e) {
			weight += d.weight
		}
		if weight < least {
			best, least = i, weight
		}
	}
	if best < 0 {
		return "; nothing of the kind was seen" + ev.lastWord(f)
	}
	e := ev.Events[best]
	words := []string{}
	for _, d := range ev.differences(f, e) {
		words = append(words, d.words)
	}
	return fmt.Sprintf("; saw %s at %s: %s", seen(e, f.Match), ev.offset(e.Time), strings.Join(words, ", "))
}

// related says whether a type is of the family of one of the patterns:
// reg.failed where reg.success was expected.
func related(patterns []spec.EventPattern, eventType string) bool {
	if spec.AnyMatches(patterns, eventType) {
		return true
	}
	return slices.ContainsFunc(patterns, func(p spec.EventPattern) bool {
		text := string(p)
		last := strings.LastIndexByte(text, '.')
		return last > 0 && strings.HasPrefix(eventType, text[:last+1])
	})
}

// lastWord names the last event of the fact's only phone: where it got to.
func (ev Evidence) lastWord(f spec.EventFact) string {
	if len(f.Phones) != 1 {
		return ""
	}
	for _, e := range slices.Backward(ev.Events) {
		if e.PhoneID == f.Phones[0] && spec.OfPhone(e.Type) && !spec.IsTrace(e.Type) {
			return fmt.Sprintf("; the last of %s was %s at %s", e.PhoneID, seen(e, nil), ev.offset(e.Time))
		}
	}
	return fmt.Sprintf("; nothing at all was seen of %s", f.Phones[0])
}

// death adds that a phone that is concerned has died.
func (ev Evidence) death(f spec.EventFact) string {
	if len(f.Phones) == 0 || !fromWorkers(f.Events) {
		return ""
	}
	if id, at, died := ev.diedAt(f.Phones); died {
		return fmt.Sprintf("; the worker of %s ended at %s", id, ev.offset(at))
	}
	return ""
}
