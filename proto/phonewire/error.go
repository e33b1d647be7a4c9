package phonewire

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
)

// ErrorToWire makes the gRPC status of a phone's error. A phone.Error travels
// whole, with the full sentence of what wraps it; a context's end as itself;
// any other error as a phone.Error of kind Internal. nil stays nil.
func ErrorToWire(err error) error {
	if err == nil {
		return nil
	}
	var e *phone.Error
	switch {
	case errors.As(err, &e):
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return status.FromContextError(err).Err()
	default:
		e = &phone.Error{Kind: phone.Internal}
	}
	sentence := text(err.Error())
	s, detailErr := status.New(statusCode(e.Kind), sentence).WithDetails(
		&pb.PhoneError{Kind: int64(e.Kind), Sentence: sentence, Status: int64(e.Status)})
	if detailErr != nil {
		return status.Error(codes.Internal, sentence)
	}
	return s.Err()
}

// statusCode is for those who read gRPC's own logs; the details decide. It is
// never Unavailable, Canceled or DeadlineExceeded, which have a meaning of
// their own here.
func statusCode(k phone.ErrorKind) codes.Code {
	switch k {
	case phone.Invalid:
		return codes.InvalidArgument
	case phone.NotFound:
		return codes.NotFound
	case phone.Precondition:
		return codes.FailedPrecondition
	case phone.Refused, phone.Unreachable:
		return codes.Aborted
	case phone.Exhausted:
		return codes.ResourceExhausted
	default:
		return codes.Internal
	}
}

// ErrorFromWire is the inverse of ErrorToWire. lost reports that the error
// tells nothing of the phone but that nobody answered: the worker is gone, or
// as good as gone, and err is what gRPC said. What gRPC itself refused (a
// message too large, say) is an error of kind Internal.
func ErrorFromWire(err error) (lost bool, phoneErr error) {
	if err == nil {
		return false, nil
	}
	s := status.Convert(err)
	for _, detail := range s.Details() {
		if e, ok := detail.(*pb.PhoneError); ok {
			return false, &phone.Error{Kind: phone.ErrorKind(e.GetKind()), Sentence: e.GetSentence(), Status: int(e.GetStatus())}
		}
	}
	switch s.Code() {
	case codes.Unavailable:
		return true, err
	case codes.Canceled:
		return false, context.Canceled
	case codes.DeadlineExceeded:
		return false, context.DeadlineExceeded
	default:
		return false, phone.Errorf(phone.Internal, "the call to the worker failed: %s", s.Message())
	}
}
