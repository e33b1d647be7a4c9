package phonewire

import (
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"ringmaster/proto/phone"
)

// text makes s fit a protobuf string field.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func timeToWire(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func timeFromWire(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func callIDToWire(c *phone.CallID) *int64 { return (*int64)(c) }

func callIDFromWire(c *int64) *phone.CallID { return (*phone.CallID)(c) }

func callIDsToWire(ids []phone.CallID) []int64 { return convert[phone.CallID, int64](ids) }

func callIDsFromWire(ids []int64) []phone.CallID { return convert[int64, phone.CallID](ids) }

func convert[A, B ~int64](in []A) []B {
	if len(in) == 0 {
		return nil
	}
	out := make([]B, len(in))
	for i, v := range in {
		out[i] = B(v)
	}
	return out
}
