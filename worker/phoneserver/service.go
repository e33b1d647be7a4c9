package phoneserver

import (
	"context"

	"github.com/hashicorp/go-hclog"
	"google.golang.org/grpc"

	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
	"ringmaster/proto/phonewire"
)

// Register adds the service for p to r. Options as for Serve.
func Register(r grpc.ServiceRegistrar, p phone.Phone, o Options) {
	pb.RegisterPhoneServiceServer(r, &service{phone: p, version: o.Version, log: o.logger()})
}

// service converts, calls, converts.
type service struct {
	pb.UnimplementedPhoneServiceServer
	phone   phone.Phone
	version string
	log     hclog.Logger
}

func (s *service) Hello(context.Context, *pb.HelloRequest) (*pb.HelloResponse, error) {
	return &pb.HelloResponse{ProgramVersion: s.version}, nil
}

func (s *service) Configure(ctx context.Context, m *pb.ConfigureRequest) (*pb.ConfigureResponse, error) {
	configured, err := s.phone.Configure(ctx, phonewire.ConfigurationFromWire(m))
	if err != nil {
		return nil, phonewire.ErrorToWire(err)
	}
	return phonewire.ConfiguredToWire(configured), nil
}

func (s *service) Do(ctx context.Context, m *pb.DoRequest) (*pb.DoResponse, error) {
	cmd, err := phonewire.CommandFromWire(m)
	if err != nil {
		return nil, phonewire.ErrorToWire(err)
	}
	outcome, err := s.phone.Do(ctx, cmd)
	if err != nil {
		return nil, phonewire.ErrorToWire(err)
	}
	return phonewire.OutcomeToWire(outcome), nil
}

func (s *service) Begin(m *pb.DoRequest, stream grpc.ServerStreamingServer[pb.BeginResponse]) error {
	cmd, err := phonewire.CommandFromWire(m)
	if err != nil {
		return phonewire.ErrorToWire(err)
	}
	pending, err := s.phone.Begin(stream.Context(), cmd)
	if err != nil {
		return phonewire.ErrorToWire(err)
	}
	if err := stream.Send(&pb.BeginResponse{}); err != nil {
		return err
	}
	outcome, err := pending()
	if err != nil {
		return phonewire.ErrorToWire(err)
	}
	return stream.Send(&pb.BeginResponse{Outcome: phonewire.OutcomeToWire(outcome)})
}

func (s *service) Watch(m *pb.WatchRequest, stream grpc.ServerStreamingServer[pb.Entry]) error {
	err := s.phone.Watch(stream.Context(), m.GetAfter(), func(e phone.Entry) error {
		return stream.Send(s.entry(e))
	})
	return phonewire.ErrorToWire(err)
}

// entry converts e. One that cannot be sent becomes a Gap: nothing may be lost
// without a trace.
func (s *service) entry(e phone.Entry) *pb.Entry {
	m, err := phonewire.EntryToWire(e)
	if err != nil {
		s.log.Error("a journal entry cannot be sent", "seq", e.Seq, "error", err)
		return &pb.Entry{Seq: e.Seq, What: &pb.Entry_Gap{Gap: &pb.Gap{From: e.Seq, To: e.Seq}}}
	}
	return m
}

func (s *service) Health(ctx context.Context, _ *pb.HealthRequest) (*pb.HealthResponse, error) {
	h, err := s.phone.Health(ctx)
	if err != nil {
		return nil, phonewire.ErrorToWire(err)
	}
	return phonewire.HealthToWire(h), nil
}

func (s *service) Shutdown(ctx context.Context, m *pb.ShutdownRequest) (*pb.ShutdownResponse, error) {
	if err := s.phone.Shutdown(ctx, phonewire.ShutdownFromWire(m)); err != nil {
		return nil, phonewire.ErrorToWire(err)
	}
	return &pb.ShutdownResponse{}, nil
}
