package tool

import (
	"context"
	"path/filepath"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/shelf"
)

func recordingEntries() []entry {
	return []entry{
		define(entry{name: "list_recordings", title: "List recordings",
			description: "The WAV files of calls, the newest first, also of phones that are no longer there. Each can be read as the resource of its uri.",
			hints:       Hints{ReadOnly: true, Idempotent: true}}, listRecordings),
	}
}

type listRecordingsArguments struct {
	PhoneID *string       `json:"phone_id" doc:"left out: every phone"`
	CallID  *phone.CallID `json:"call_id" min:"0" doc:"left out: every call"`
}

type recordingRow struct {
	Filename string        `json:"filename"`
	FilePath Path          `json:"file_path"`
	FileSize int64         `json:"file_size"`
	PhoneID  *string       `json:"phone_id"`
	CallID   *phone.CallID `json:"call_id"`
	MetaPath *Path         `json:"meta_path"`
	URI      *string       `json:"uri"` // of the resource; likewise of the sidecar
	MetaURI  *string       `json:"meta_uri"`
}

type recordingList struct {
	Recordings []recordingRow `json:"recordings" cut:"ask again with phone_id or call_id" newest:"first"`
	TotalCount int            `json:"total_count" count:""`
}

func listRecordings(ctx context.Context, c *call, a listRecordingsArguments) (recordingList, error) {
	f := shelf.Filter{CallID: a.CallID}
	if a.PhoneID != nil {
		id, err := phone.ParseID(*a.PhoneID)
		if err != nil {
			return recordingList{}, err
		}
		f.PhoneID = id
	}
	found, err := shelf.Recordings(ctx, c.set.o.Recordings, f)
	if err != nil {
		return recordingList{}, err
	}
	list := recordingList{Recordings: []recordingRow{}, TotalCount: len(found)}
	for _, r := range found {
		list.Recordings = append(list.Recordings, recordingRow{
			Filename: filepath.Base(r.Path), FilePath: Path(r.Path), FileSize: r.Size,
			PhoneID: cleanOrNull(r.PhoneID), CallID: r.CallID, MetaPath: orNull(Path(r.MetaPath)),
			URI: c.set.uri(r.Path), MetaURI: c.set.uri(r.MetaPath),
		})
	}
	return list, nil
}
