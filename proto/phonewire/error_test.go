package phonewire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ringmaster/proto/phone"
)

// overWire gives err the form that a gRPC client sees.
func overWire(err error) error {
	if err == nil {
		return nil
	}
	return status.FromProto(status.Convert(err).Proto()).Err()
}

func TestErrorsComeBackAsTheyWent(t *testing.T) {
	for kind := phone.Internal; kind <= phone.Gone; kind++ {
		want := &phone.Error{Kind: kind, Sentence: "b refused: 486 Busy Here", Status: 486}
		lost, got := ErrorFromWire(overWire(ErrorToWire(want)))
		if !reflect.DeepEqual(got, error(want)) || lost {
			t.Errorf("%v: got %#v, lost %v", kind, got, lost)
		}
	}
}

func TestOtherErrors(t *testing.T) {
	refused := &phone.Error{Kind: phone.Refused, Sentence: "486", Status: 486}
	for _, tc := range []struct {
		name string
		err  error
		want error
	}{
		{"none", nil, nil},
		{"wrapped", fmt.Errorf("call 3: %w", refused), &phone.Error{Kind: phone.Refused, Sentence: "call 3: 486", Status: 486}},
		{"plain", io.ErrUnexpectedEOF, &phone.Error{Kind: phone.Internal, Sentence: "unexpected EOF"}},
		{"not UTF-8", errors.New("a\xff"), &phone.Error{Kind: phone.Internal, Sentence: "a\uFFFD"}},
		{"cancelled", fmt.Errorf("x: %w", context.Canceled), context.Canceled},
		{"deadline", context.DeadlineExceeded, context.DeadlineExceeded},
	} {
		lost, got := ErrorFromWire(overWire(ErrorToWire(tc.err)))
		if !reflect.DeepEqual(got, tc.want) || lost {
			t.Errorf("%s: got %#v, want %#v, lost %v", tc.name, got, tc.want, lost)
		}
	}
}

func TestErrorsOfGRPCItself(t *testing.T) {
	if lost, _ := ErrorFromWire(status.Error(codes.Unavailable, "EOF")); !lost {
		t.Error("Unavailable must mean lost")
	}
	lost, got := ErrorFromWire(status.Error(codes.ResourceExhausted, "message too large"))
	var e *phone.Error
	if !errors.As(got, &e) || e.Kind != phone.Internal || lost {
		t.Errorf("got %#v, lost %v", got, lost)
	}
}
