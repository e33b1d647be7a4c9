// Package artifact is the form of the files that a call leaves behind: their
// names, the sidecar, the header of a WAV file.
package artifact

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The endings of a call's files; they share the name before it.
const (
	WAV  = ".wav"
	PCAP = ".pcap"
	Meta = ".meta.json"
)

// Stamp is a moment as file names carry it, in UTC:
// <YYYYMMDD>_<HHMMSS>_<microseconds>.
func Stamp(t time.Time) string {
	t = t.UTC()
	return fmt.Sprintf("%s_%06d", t.Format("20060102_150405"), t.Nanosecond()/1000)
}

// CallName names what a call leaves, without the ending: call_<call_id>_<stamp>.
func CallName(callID int64, t time.Time) string {
	return fmt.Sprintf("call_%d_%s", callID, Stamp(t))
}

// ReadCallName takes apart the name of what a call left, with or without its
// ending. It is not ok for names that CallName does not make.
func ReadCallName(name string) (callID int64, at time.Time, ok bool) {
	m := stampedName.FindStringSubmatch(name)
	if m == nil {
		return 0, time.Time{}, false
	}
	callID, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return 0, time.Time{}, false
	}
	at, ok = readStamp(m[2])
	return callID, at, ok
}

// ReadCaptureName is the moment in a name that CaptureName has made.
func ReadCaptureName(name string) (at time.Time, ok bool) {
	stamp, ok := strings.CutPrefix(strings.TrimSuffix(name, PCAP), "capture_")
	if !ok {
		return time.Time{}, false
	}
	return readStamp(stamp)
}

// readStamp is the inverse of Stamp, which has an underscore where the time
// package wants a point.
func readStamp(s string) (at time.Time, ok bool) {
	if len(s) != len("20060102_150405_000000") || s[15] != '_' {
		return time.Time{}, false
	}
	at, err := time.ParseInLocation("20060102_150405.000000", s[:15]+"."+s[16:], time.UTC)
	return at, err == nil
}

var stampedName = regexp.MustCompile(`^call_([0-9]+)_([0-9]{8}_[0-9]{6}_[0-9]{6})(?:\.[a-z.]+)?$`)

// CaptureName names a capture that belongs to no call: capture_<stamp>.pcap.
func CaptureName(t time.Time) string { return "capture_" + Stamp(t) + PCAP }

var callName = regexp.MustCompile(`^call_([0-9]+)(?:[^0-9]|$)`)

// CallID is the call id in a file's name: the number after "call_", whatever
// follows it. It is not ok for other names.
func CallID(name string) (id int64, ok bool) {
	m := callName.FindStringSubmatch(name)
	if m == nil {
		return 0, false
	}
	id, err := strconv.ParseInt(m[1], 10, 64)
	return id, err == nil
}
