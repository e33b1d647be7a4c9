package tool

import (
	"context"
	"path/filepath"

	"ringmaster/proto/phone"
)

func mediaEntries() []entry {
	return []entry{
		define(entry{name: "send_dtmf", title: "Send DTMF",
			description: "Send digits into a call: as RFC 4733 events, or by SIP INFO when the far end takes no telephone-event. They queue behind those still being sent; dtmf.out tells when they were.", hints: Hints{OpenWorld: true}}, sendDTMF),
		define(entry{name: "play_audio", title: "Play audio",
			description: "Play a WAV file into a call, once or in a loop.", hints: Hints{OpenWorld: true}}, playAudio),
		define(entry{name: "stop_audio", title: "Stop audio",
			description: "Stop what plays into a call: back to music on hold.", hints: Hints{Idempotent: true, OpenWorld: true}}, stopAudio),
		define(entry{name: "get_recording", title: "Get the recording",
			description: "The recording of a call that is open now.", hints: Hints{ReadOnly: true, Idempotent: true}}, getRecording),
	}
}

type dtmfArguments struct {
	CallID *phone.CallID `json:"call_id" min:"0" doc:"left out: the first active call"`
	Digits string        `json:"digits" pattern:"^[0-9*#A-Da-d,]{1,100}$" says:"1 to 100 digits of 0-9 * # A-D, and commas for pauses of 2 s" doc:"0-9 * # A-D; a comma is a pause of 2 s"`
}

type dtmfResult struct {
	CallID phone.CallID `json:"call_id"`
	Digits string       `json:"digits"`
}

func sendDTMF(ctx context.Context, c *call, a dtmfArguments) (dtmfResult, error) {
	out, err := c.onCall(ctx, a.CallID, phone.SendDTMF{CallID: a.CallID, Digits: a.Digits})
	if err != nil {
		return dtmfResult{}, err
	}
	return dtmfResult{CallID: out.Call.CallID, Digits: out.Call.Digits}, nil
}

type playArguments struct {
	FilePath Path          `json:"file_path" doc:"a WAV file, or music-on-hold"`
	CallID   *phone.CallID `json:"call_id" min:"0" doc:"left out: the first active call"`
	Loop     bool          `json:"loop" default:"false"`
}

type playResult struct {
	CallID      phone.CallID `json:"call_id"`
	PlayingFile Path         `json:"playing_file"`
	Loop        bool         `json:"loop"`
}

// musicOnHold is the one name of a sound that is no file.
const musicOnHold = "music-on-hold"

func playAudio(ctx context.Context, c *call, a playArguments) (playResult, error) {
	if a.FilePath != musicOnHold {
		if err := c.set.confined(string(a.FilePath)); err != nil {
			return playResult{}, err
		}
	}
	out, err := c.onCall(ctx, a.CallID, phone.PlayAudio{CallID: a.CallID, FilePath: string(a.FilePath), Loop: a.Loop})
	if err != nil {
		return playResult{}, err
	}
	return playResult{CallID: out.Call.CallID, PlayingFile: Path(out.Call.Playing), Loop: a.Loop}, nil
}

type callResult struct {
	CallID phone.CallID `json:"call_id"`
}

func stopAudio(ctx context.Context, c *call, a callArgument) (callResult, error) {
	out, err := c.onCall(ctx, a.CallID, phone.StopAudio{CallID: a.CallID})
	if err != nil {
		return callResult{}, err
	}
	return callResult{CallID: out.Call.CallID}, nil
}

type recordingResult struct {
	RecordingEnabled bool    `json:"recording_enabled"`
	RecordingFile    *Path   `json:"recording_file"`
	Filename         *string `json:"filename"`
	FileSize         *int64  `json:"file_size"`
	MetaPath         *Path   `json:"meta_path"`
}

func getRecording(ctx context.Context, c *call, a callArgument) (recordingResult, error) {
	out, err := c.onCall(ctx, a.CallID, phone.GetRecording{CallID: a.CallID})
	if err != nil {
		return recordingResult{}, err
	}
	r := out.Recording
	if r == nil {
		return recordingResult{}, phone.Errorf(phone.Internal, "phone %s did not say what it records", c.phone)
	}
	result := recordingResult{RecordingEnabled: r.Enabled, RecordingFile: orNull(Path(r.Path)), MetaPath: orNull(Path(r.MetaPath))}
	if r.Path != "" {
		name := filepath.Base(r.Path)
		result.Filename, result.FileSize = &name, &r.Size
	}
	return result, nil
}
