package phonewire

import (
	"fmt"

	"ringmaster/proto/phone"
	pb "ringmaster/proto/phonev1"
)

// CommandToWire converts cmd. A type that is no command of phone.proto, nil
// among them, is an error.
func CommandToWire(cmd phone.Command) (*pb.DoRequest, error) {
	onCall := func(c *phone.CallID) *pb.OnCall { return &pb.OnCall{CallId: callIDToWire(c)} }
	m := &pb.DoRequest{}
	switch c := cmd.(type) {
	case phone.MakeCall:
		m.Command = &pb.DoRequest_MakeCall{MakeCall: &pb.MakeCall{DestUri: text(c.DestURI), Headers: headersToWire(c.Headers)}}
	case phone.Answer:
		m.Command = &pb.DoRequest_Answer{Answer: &pb.StatusOnCall{CallId: callIDToWire(c.CallID), Status: int64(c.Status)}}
	case phone.Reject:
		m.Command = &pb.DoRequest_Reject{Reject: &pb.StatusOnCall{CallId: callIDToWire(c.CallID), Status: int64(c.Status)}}
	case phone.Hangup:
		m.Command = &pb.DoRequest_Hangup{Hangup: onCall(c.CallID)}
	case phone.HangupAll:
		m.Command = &pb.DoRequest_HangupAll{HangupAll: &pb.HangupAll{}}
	case phone.Hold:
		m.Command = &pb.DoRequest_Hold{Hold: onCall(c.CallID)}
	case phone.Unhold:
		m.Command = &pb.DoRequest_Unhold{Unhold: onCall(c.CallID)}
	case phone.SetCodecs:
		m.Command = &pb.DoRequest_SetCodecs{SetCodecs: &pb.SetCodecs{CallId: callIDToWire(c.CallID), Codecs: codecsToWire(c.Codecs)}}
	case phone.BlindTransfer:
		m.Command = &pb.DoRequest_BlindTransfer{BlindTransfer: &pb.BlindTransfer{CallId: callIDToWire(c.CallID), DestUri: text(c.DestURI)}}
	case phone.AttendedTransfer:
		m.Command = &pb.DoRequest_AttendedTransfer{AttendedTransfer: &pb.AttendedTransfer{
			CallId: callIDToWire(c.CallID), DestCallId: callIDToWire(c.DestCallID)}}
	case phone.Conference:
		m.Command = &pb.DoRequest_Conference{Conference: &pb.Conference{CallIds: callIDsToWire(c.CallIDs)}}
	case phone.SendDTMF:
		m.Command = &pb.DoRequest_SendDtmf{SendDtmf: &pb.SendDTMF{CallId: callIDToWire(c.CallID), Digits: text(c.Digits)}}
	case phone.PlayAudio:
		m.Command = &pb.DoRequest_PlayAudio{PlayAudio: &pb.PlayAudio{CallId: callIDToWire(c.CallID), FilePath: text(c.FilePath), Loop: c.Loop}}
	case phone.StopAudio:
		m.Command = &pb.DoRequest_StopAudio{StopAudio: onCall(c.CallID)}
	case phone.GetRecording:
		m.Command = &pb.DoRequest_GetRecording{GetRecording: onCall(c.CallID)}
	case phone.ListCalls:
		m.Command = &pb.DoRequest_ListCalls{ListCalls: &pb.ListCalls{}}
	case phone.GetCall:
		m.Command = &pb.DoRequest_GetCall{GetCall: onCall(c.CallID)}
	default:
		return m, phoneCommandToWire(cmd, m)
	}
	return m, nil
}

// phoneCommandToWire converts the commands on the phone itself into m.
func phoneCommandToWire(cmd phone.Command, m *pb.DoRequest) error {
	switch c := cmd.(type) {
	case phone.SendMessage:
		m.Command = &pb.DoRequest_SendMessage{SendMessage: &pb.SendMessage{
			DestUri: text(c.DestURI), Body: text(c.Body), ContentType: text(c.ContentType)}}
	case phone.Register:
		m.Command = &pb.DoRequest_Register{Register: &pb.Register{}}
	case phone.Unregister:
		m.Command = &pb.DoRequest_Unregister{Unregister: &pb.Unregister{}}
	case phone.GetRegistration:
		m.Command = &pb.DoRequest_GetRegistration{GetRegistration: &pb.GetRegistration{}}
	case phone.UpdateSettings:
		m.Command = &pb.DoRequest_UpdateSettings{UpdateSettings: updateToWire(c.Update)}
	case phone.StartCapture:
		m.Command = &pb.DoRequest_StartCapture{StartCapture: &pb.StartCapture{}}
	case phone.StopCapture:
		m.Command = &pb.DoRequest_StopCapture{StopCapture: &pb.StopCapture{}}
	case phone.GrantCallIDs:
		m.Command = &pb.DoRequest_GrantCallIds{GrantCallIds: blockToWire(c.Block)}
	default:
		return fmt.Errorf("phone.proto has no command %T", cmd)
	}
	return nil
}

// CommandFromWire is the inverse of CommandToWire. A command that this program
// does not know is an error.
func CommandFromWire(m *pb.DoRequest) (phone.Command, error) {
	switch c := m.GetCommand().(type) {
	case *pb.DoRequest_MakeCall:
		return phone.MakeCall{DestURI: c.MakeCall.GetDestUri(), Headers: c.MakeCall.GetHeaders()}, nil
	case *pb.DoRequest_Answer:
		return phone.Answer{CallID: callIDFromWire(c.Answer.CallId), Status: int(c.Answer.GetStatus())}, nil
	case *pb.DoRequest_Reject:
		return phone.Reject{CallID: callIDFromWire(c.Reject.CallId), Status: int(c.Reject.GetStatus())}, nil
	case *pb.DoRequest_Hangup:
		return phone.Hangup{CallID: callIDFromWire(c.Hangup.CallId)}, nil
	case *pb.DoRequest_HangupAll:
		return phone.HangupAll{}, nil
	case *pb.DoRequest_Hold:
		return phone.Hold{CallID: callIDFromWire(c.Hold.CallId)}, nil
	case *pb.DoRequest_Unhold:
		return phone.Unhold{CallID: callIDFromWire(c.Unhold.CallId)}, nil
	case *pb.DoRequest_SetCodecs:
		return phone.SetCodecs{CallID: callIDFromWire(c.SetCodecs.CallId), Codecs: codecsFromWire(c.SetCodecs.GetCodecs())}, nil
	case *pb.DoRequest_BlindTransfer:
		return phone.BlindTransfer{CallID: callIDFromWire(c.BlindTransfer.CallId), DestURI: c.BlindTransfer.GetDestUri()}, nil
	case *pb.DoRequest_AttendedTransfer:
		return phone.AttendedTransfer{
			CallID: callIDFromWire(c.AttendedTransfer.CallId), DestCallID: callIDFromWire(c.AttendedTransfer.DestCallId)}, nil
	case *pb.DoRequest_Conference:
		return phone.Conference{CallIDs: callIDsFromWire(c.Conference.GetCallIds())}, nil
	case *pb.DoRequest_SendDtmf:
		return phone.SendDTMF{CallID: callIDFromWire(c.SendDtmf.CallId), Digits: c.SendDtmf.GetDigits()}, nil
	case *pb.DoRequest_PlayAudio:
		return phone.PlayAudio{CallID: callIDFromWire(c.PlayAudio.CallId), FilePath: c.PlayAudio.GetFilePath(), Loop: c.PlayAudio.GetLoop()}, nil
	case *pb.DoRequest_StopAudio:
		return phone.StopAudio{CallID: callIDFromWire(c.StopAudio.CallId)}, nil
	case *pb.DoRequest_GetRecording:
		return phone.GetRecording{CallID: callIDFromWire(c.GetRecording.CallId)}, nil
	case *pb.DoRequest_ListCalls:
		return phone.ListCalls{}, nil
	case *pb.DoRequest_GetCall:
		return phone.GetCall{CallID: callIDFromWire(c.GetCall.CallId)}, nil
	default:
		return phoneCommandFromWire(m)
	}
}

func phoneCommandFromWire(m *pb.DoRequest) (phone.Command, error) {
	switch c := m.GetCommand().(type) {
	case *pb.DoRequest_SendMessage:
		return phone.SendMessage{DestURI: c.SendMessage.GetDestUri(), Body: c.SendMessage.GetBody(), ContentType: c.SendMessage.GetContentType()}, nil
	case *pb.DoRequest_Register:
		return phone.Register{}, nil
	case *pb.DoRequest_Unregister:
		return phone.Unregister{}, nil
	case *pb.DoRequest_GetRegistration:
		return phone.GetRegistration{}, nil
	case *pb.DoRequest_UpdateSettings:
		return phone.UpdateSettings{Update: updateFromWire(c.UpdateSettings)}, nil
	case *pb.DoRequest_StartCapture:
		return phone.StartCapture{}, nil
	case *pb.DoRequest_StopCapture:
		return phone.StopCapture{}, nil
	case *pb.DoRequest_GrantCallIds:
		return phone.GrantCallIDs{Block: blockFromWire(c.GrantCallIds)}, nil
	default:
		return nil, phone.Errorf(phone.Invalid, "the worker does not know this command: install both programs from the same build")
	}
}

func headersToWire(h map[string]string) map[string]string {
	if len(h) == 0 {
		return nil
	}
	out := make(map[string]string, len(h))
	for name, value := range h {
		out[text(name)] = text(value)
	}
	return out
}
