package schema

// What the keys and words mean, in a line for the reader of an editor's hint. A
// test holds that none is missing and none is left over.

var scenarioDocs = map[string]string{
	"name":            "what reports call the scenario",
	"description":     "what it shows, for people",
	"phones":          "the phones that must exist when it runs; recordings and captures are collected for these",
	"vars":            "variables and their values, for ${name} anywhere below",
	"patterns":        "ready pieces: {use: NAME, parameter: value, …}",
	"initial_actions": "actions, one after the other, once everything is armed; one that fails ends the run.",
	"hooks":           "what to do when something happens, beside each other",
	"stop_on":         "any one of these events ends the run, with status ok",
	"stop_on_all":     "the run ends when each of these events has come once",
	"expect":          "facts that must hold for status ok: {event: …}, {in_order: […]}, {call: PHONE, codec: …, heard: {tone_hz: 440}}",
	"settle_ms":       "how long, after a stop, what is expected may still come (1s)",
	"finally":         "actions that always run at the end, however it ended",
	"timeout_ms":      "the longest that it may run (60s): 500, \"500ms\", \"2s\"",
	"timeline":        "full records sip.* and media.* events too",
}

var hookDocs = map[string]string{
	"id":       "its name on the timeline",
	"when":     "an event type, a family such as call.state.*, a list of them, or *",
	"on_phone": "only events of this phone; actions are for it, too",
	"match":    "what fields of the event's data must be: a value, a list, \"4xx\", \"~regex\"",
	"capture":  "variables, and the field of the event that each takes",
	"once":     "false: every time (true)",
	"enabled":  "false leaves the hook out",
	"then":     "actions, one after the other",
}

var factDocs = map[string]string{
	"event":     "an event that must come (or never)",
	"within_ms": "since the run began; since after; in a series, since the event before",
	"after":     "only events after the first of these count",
	"count":     "how often: 2, or {min, max} (at least once)",
	"never":     "true: it must not come",
	"in_order":  "events that must come in this order",
	"call":      "the call that the fact is about: a phone, or {phone_id, call_id: first}",
	"duration":  "since the answer: {min: \"2s\", max: \"5s\"}",
	"codec":     "the codec in use: PCMA, G722, …",
	"mos":       "the quality that was heard, 1 to 4.5 (ITU-T G.107): {min: 4}",
	"heard":     "what the phone heard of the far end",
	"sent":      "what the phone sent",
	"transfer":  "what came of the transfer of the call",
}

var audioDocs = map[string]string{
	"silence":    "true: nothing was to be heard; false: something was",
	"tone_hz":    "the tone that stood out most of the time",
	"level_dbov": "the power of what was heard, 0 is full scale",
	"from":       "the phone whose tone it is",
}

var actionDocs = map[string]string{
	"add_phone":          "start a phone, as the tool add_phone does",
	"answer":             "answer a call, or say 180 or 183",
	"assert":             "facts that must hold now",
	"attended_transfer":  "join the far ends of two calls",
	"blind_transfer":     "refer the far end to another address",
	"checkpoint":         "put a label on the timeline",
	"collect_recordings": "name the recordings of phones on the timeline",
	"conference":         "mix calls of the phone: a list of call ids, or auto for all that are confirmed",
	"drop_phone":         "end a phone",
	"emit":               "raise user.<name>",
	"hangup":             "end a call, in whatever state it is",
	"hangup_all":         "end every call of a phone",
	"hold":               "hold a call",
	"kill_worker":        "kill the process of a phone, as a crash does",
	"log":                "put a message on the timeline",
	"make_call":          "call an address; save_call keeps the call's id in a variable",
	"parallel":           "lists of actions, beside each other",
	"play_audio":         "play a WAV file, or music-on-hold, into a call",
	"register":           "send a fresh REGISTER",
	"reject":             "refuse a call",
	"repeat":             "actions again and again: count times, or until an event",
	"send_dtmf":          "send digits",
	"send_message":       "send a SIP MESSAGE",
	"set_codecs":         "re-INVITE the call with other codecs",
	"snapshot":           "put what is known of a call on the timeline",
	"stop_audio":         "back to music on hold",
	"unhold":             "take a held call back",
	"unregister":         "remove the phone's binding",
	"update_phone":       "change a phone, as the tool update_phone does",
	"wait":               "do nothing for a while",
	"wait_until":         "wait for an event after the last step; unless names events that make it fail at once",
}
