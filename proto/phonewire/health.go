package phonewire

import (
	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
)

// HealthToWire converts h.
func HealthToWire(h phone.Health) *pb.HealthResponse {
	return &pb.HealthResponse{LastSeq: h.LastSeq, ActiveCalls: int64(h.ActiveCalls)}
}

// HealthFromWire is the inverse of HealthToWire.
func HealthFromWire(m *pb.HealthResponse) phone.Health {
	return phone.Health{LastSeq: m.GetLastSeq(), ActiveCalls: int(m.GetActiveCalls())}
}

// ShutdownToWire converts s.
func ShutdownToWire(s phone.Shutdown) *pb.ShutdownRequest {
	return &pb.ShutdownRequest{HangupCalls: s.HangupCalls}
}

// ShutdownFromWire is the inverse of ShutdownToWire.
func ShutdownFromWire(m *pb.ShutdownRequest) phone.Shutdown {
	return phone.Shutdown{HangupCalls: m.GetHangupCalls()}
}
