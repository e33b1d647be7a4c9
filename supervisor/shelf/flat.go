package shelf

import (
	"regexp"
	"strconv"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
)

// The names of an older layout, in which all recordings were in the root:
// call_<phone_id>_<call_id>_<stamp>. A phone's id may have numbers between
// underscores too, so a stamp of the usual form decides where it ends, if
// there is one.
var (
	flatStamped = regexp.MustCompile(`^call_([a-z0-9_]{1,32})_([0-9]+)_[0-9]{8}_[0-9]{6}(?:_[0-9]{1,6})?$`)
	flatAny     = regexp.MustCompile(`^call_([a-z0-9_]{1,32}?)_([0-9]+)(?:_.*)?$`)
	// todays is a name of today's layout, which has no phone in it.
	todays = regexp.MustCompile(`^call_[0-9]+_[0-9]{8}_[0-9]{6}(?:_[0-9]{1,6})?$`)
)

// flat reads the name, without its ending, of a file in the root.
func flat(name string) (phoneID string, call *phone.CallID) {
	if !todays.MatchString(name) {
		for _, form := range []*regexp.Regexp{flatStamped, flatAny} {
			if m := form.FindStringSubmatch(name); m != nil {
				if id, err := strconv.ParseInt(m[2], 10, 64); err == nil {
					return m[1], callID(id)
				}
			}
		}
	}
	if id, ok := artifact.CallID(name); ok {
		return "", callID(id)
	}
	return "", nil
}
