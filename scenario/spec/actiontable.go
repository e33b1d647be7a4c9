package spec

import (
	"maps"
	"slices"
	"time"

	"ringmaster/proto/phone"
)

// actionKind is one word of the language: its arguments and what it becomes.
type actionKind struct {
	// main is the argument that {word: value} gives.
	main   string
	params []Param
	// phone says that the action acts on one phone, so it takes phone_id;
	// call, that it acts on one call of it, so it takes call_id too.
	phone, call bool
	// whole: a mapping given as the value is the main argument, too.
	whole bool
	build func(args) Step
}

// args are an action's arguments by name; what was left out is not there.
type args map[string]any

// arg gives an argument, or fallback where it was left out.
func arg[T any](a args, name string, fallback T) T {
	if v, ok := a[name].(T); ok {
		return v
	}
	return fallback
}

var (
	callParam       = Param{Name: "call_id", Type: TypeCall}
	phoneParam      = Param{Name: "phone_id", Type: TypePhone}
	phoneOfMakeCall = Param{Name: "phone_id", Type: TypePhone, Aliases: []string{"from_phone"}}
	requiredPhone   = Param{Name: "phone_id", Type: TypePhone, Required: true}
	onErrorParam    = Param{Name: "on_error", Type: TypeString, OneOf: []string{"continue", "fail"}}
	toParam         = Param{Name: "to", Type: TypeURI, Required: true, Aliases: []string{"dest_uri"}}
)

// all gives every argument that the action takes.
func (k actionKind) all(word string) []Param {
	params := append(make([]Param, 0, len(k.params)+3), k.params...)
	if k.phone && word == "make_call" {
		params = append(params, phoneOfMakeCall)
	} else if k.phone {
		params = append(params, phoneParam)
	}
	if k.call {
		params = append(params, callParam)
	}
	return append(params, onErrorParam)
}

var actionKinds = map[string]actionKind{
	"answer": {
		main: "code", phone: true, call: true,
		params: []Param{{Name: "code", Type: TypeInteger, OneOf: []string{"180", "183", "200"}, Aliases: []string{"status_code"}}},
		build:  func(a args) Step { return Answer{Code: arg(a, "code", 200)} },
	},
	"hangup":     {phone: true, call: true, build: func(args) Step { return Hangup{} }},
	"hangup_all": {main: "phone_id", phone: true, build: func(args) Step { return HangupAll{} }},
	"reject": {
		main: "code", phone: true, call: true,
		params: []Param{{Name: "code", Type: TypeInteger, Min: 300, Max: 699, Aliases: []string{"status_code"}}},
		build:  func(a args) Step { return Reject{Code: arg(a, "code", 486)} },
	},
	"hold":   {phone: true, call: true, build: func(args) Step { return Hold{} }},
	"unhold": {phone: true, call: true, build: func(args) Step { return Unhold{} }},
	"send_dtmf": {
		main: "digits", phone: true, call: true,
		params: []Param{{Name: "digits", Type: TypeDigits, Required: true}},
		build:  func(a args) Step { return SendDTMF{Digits: arg(a, "digits", "")} },
	},
	"blind_transfer": {
		main: "to", phone: true, call: true,
		params: []Param{toParam},
		build:  func(a args) Step { return BlindTransfer{To: arg(a, "to", "")} },
	},
	"attended_transfer": {
		phone: true, call: true,
		params: []Param{{Name: "dest_call_id", Type: TypeCall, Aliases: []string{"target_call_id"}}},
		build:  func(a args) Step { return AttendedTransfer{DestCallID: callOf(a, "dest_call_id")} },
	},
	"conference": {
		main: "call_ids", phone: true,
		params: []Param{{Name: "call_ids", Type: TypeCalls}},
		build:  func(a args) Step { return Conference{CallIDs: arg[[]phone.CallID](a, "call_ids", nil)} },
	},
	"make_call": {
		main: "to", phone: true,
		params: []Param{toParam, {Name: "headers", Type: TypeHeaders}, {Name: "save_call", Type: TypeName}},
		build: func(a args) Step {
			return MakeCall{To: arg(a, "to", ""), Headers: arg[map[string]string](a, "headers", nil), SaveCall: arg(a, "save_call", "")}
		},
	},
	"play_audio": {
		main: "file", phone: true, call: true,
		params: []Param{
			{Name: "file", Type: TypeString, Required: true, Aliases: []string{"path", "file_path"}},
			{Name: "loop", Type: TypeBoolean},
		},
		build: func(a args) Step { return PlayAudio{File: arg(a, "file", ""), Loop: arg(a, "loop", false)} },
	},
	"stop_audio": {phone: true, call: true, build: func(args) Step { return StopAudio{} }},
	"send_message": {
		main: "body", phone: true,
		params: []Param{toParam, {Name: "body", Type: TypeString, Required: true}, {Name: "content_type", Type: TypeString}},
		build: func(a args) Step {
			return SendMessage{To: arg(a, "to", ""), Body: arg(a, "body", ""), ContentType: arg(a, "content_type", "")}
		},
	},
	"set_codecs": {
		main: "codecs", phone: true, call: true,
		params: []Param{{Name: "codecs", Type: TypeStrings, Required: true}},
		build:  func(a args) Step { return SetCodecs{Codecs: arg[[]string](a, "codecs", nil)} },
	},
	"register":   {main: "phone_id", phone: true, build: func(args) Step { return Register{} }},
	"unregister": {main: "phone_id", phone: true, build: func(args) Step { return Unregister{} }},
	"add_phone": {
		params: append([]Param{requiredPhone}, settingsParams...),
		build:  func(a args) Step { return AddPhone{Settings: settingsOf(a)} },
	},
	"drop_phone": {
		main:   "phone_id",
		params: []Param{requiredPhone, {Name: "hangup_calls", Type: TypeBoolean}},
		build:  func(a args) Step { return DropPhone{HangupCalls: arg(a, "hangup_calls", true)} },
	},
	"update_phone": {
		params: append([]Param{requiredPhone}, updateParams...),
		build:  func(a args) Step { return UpdatePhone{Update: updateOf(a)} },
	},
	"kill_worker": {
		main:   "phone_id",
		params: []Param{requiredPhone},
		build:  func(args) Step { return KillWorker{} },
	},
	"wait": {
		main:   "ms",
		params: []Param{{Name: "ms", Type: TypeDuration, Required: true}},
		build:  func(a args) Step { return Wait{For: arg(a, "ms", time.Duration(0))} },
	},
	"wait_until": {
		main: "event",
		params: []Param{
			{Name: "event", Type: TypeEvents, Required: true},
			{Name: "phone_id", Type: TypePhones},
			callParam,
			{Name: "match", Type: TypeMatch},
			{Name: "unless", Type: TypeEvents},
			{Name: "timeout_ms", Type: TypeDuration},
			{Name: "capture", Type: TypeCapture},
		},
		build: buildWaitUntil,
	},
	"assert": {
		main: "facts", whole: true,
		params: []Param{{Name: "facts", Type: TypeFacts, Required: true}},
		build:  func(a args) Step { return Assert{Facts: arg[[]Fact](a, "facts", nil)} },
	},
	"snapshot": {
		main: "label", phone: true, call: true,
		params: []Param{{Name: "label", Type: TypeString}},
		build:  func(a args) Step { return Snapshot{Label: arg(a, "label", "")} },
	},
	"repeat": {
		params: []Param{
			{Name: "count", Type: TypeInteger, Required: true, Min: 1, Max: 10_000},
			{Name: "actions", Type: TypeActions, Required: true},
			{Name: "until", Type: TypeAnEvent},
		},
		build: func(a args) Step {
			return Repeat{Count: arg(a, "count", 1), Actions: arg[[]Action](a, "actions", nil), Until: arg[*EventFact](a, "until", nil)}
		},
	},
	"parallel": {
		main:   "branches",
		params: []Param{{Name: "branches", Type: TypeBranches, Required: true}},
		build:  func(a args) Step { return Parallel{Branches: arg[[][]Action](a, "branches", nil)} },
	},
	"emit": {
		main: "name", phone: true, call: true,
		params: []Param{{Name: "name", Type: TypeString, Required: true}, {Name: "data", Type: TypeObject}},
		build: func(a args) Step {
			return Emit{Name: arg(a, "name", ""), Data: arg[map[string]any](a, "data", nil)}
		},
	},
	"checkpoint": {
		main:   "label",
		params: []Param{{Name: "label", Type: TypeString, Required: true}},
		build:  func(a args) Step { return Checkpoint{Label: arg(a, "label", "")} },
	},
	"log": {
		main:   "message",
		params: []Param{{Name: "message", Type: TypeString, Required: true}},
		build:  func(a args) Step { return Log{Message: arg(a, "message", "")} },
	},
	"collect_recordings": {
		main:   "phone_ids",
		params: []Param{{Name: "phone_ids", Type: TypePhones, Required: true}},
		build:  func(a args) Step { return CollectRecordings{Phones: arg[[]phone.ID](a, "phone_ids", nil)} },
	},
}

// actionWords are the names of all actions, sorted.
func actionWords() []string { return slices.Sorted(maps.Keys(actionKinds)) }

func callOf(a args, name string) *phone.CallID {
	if id, ok := a[name].(phone.CallID); ok {
		return &id
	}
	return nil
}

// defaultWaitUntil is wait_until's timeout_ms when none is given.
const defaultWaitUntil = 10 * time.Second

func buildWaitUntil(a args) Step {
	phones := arg[[]phone.ID](a, "phone_id", nil)
	_, given := a["phone_id"]
	return WaitUntil{
		Events:   arg[[]EventPattern](a, "event", nil),
		Phones:   phones,
		AnyPhone: given && len(phones) == 0,
		Match:    arg[Match](a, "match", nil),
		Unless:   arg[[]EventPattern](a, "unless", nil),
		Timeout:  arg(a, "timeout_ms", defaultWaitUntil),
		Capture:  arg[[]Capture](a, "capture", nil),
	}
}
