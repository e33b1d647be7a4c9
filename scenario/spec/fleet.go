package spec

import "ringmaster/proto/phone"

// settingsParams are the arguments of add_phone, as the tool of that name
// takes them.
var settingsParams = []Param{
	{Name: "domain", Type: TypeString, Required: true},
	{Name: "username", Type: TypeString, Required: true},
	{Name: "password", Type: TypeSecret, Required: true},
	{Name: "realm", Type: TypeString},
	{Name: "transport", Type: TypeString, OneOf: []string{string(phone.UDP), string(phone.TCP), string(phone.TLS)}},
	{Name: "local_port", Type: TypeInteger, Max: 65535},
	{Name: "codecs", Type: TypeStrings},
	{Name: "auto_answer", Type: TypeBoolean},
	{Name: "srtp", Type: TypeBoolean},
	{Name: "register", Type: TypeBoolean},
	{Name: "recording_enabled", Type: TypeBoolean},
	{Name: "capture_enabled", Type: TypeBoolean},
}

func settingsOf(a args) phone.Settings {
	return phone.Settings{
		PhoneID: arg(a, "phone_id", phone.ID("")), Domain: arg(a, "domain", ""), Username: arg(a, "username", ""),
		Password: arg(a, "password", phone.Secret{}), Realm: realm(arg(a, "realm", "")),
		Transport: phone.Transport(arg(a, "transport", string(phone.UDP))), LocalPort: arg(a, "local_port", 0),
		Codecs: arg[[]string](a, "codecs", nil), AutoAnswer: arg(a, "auto_answer", false), SRTP: arg(a, "srtp", false),
		Register: arg(a, "register", true), RecordingEnabled: arg(a, "recording_enabled", false), CaptureEnabled: arg(a, "capture_enabled", false),
	}
}

// realm is one as phones take it: "*" is any.
func realm(text string) string {
	if text == "*" {
		return ""
	}
	return text
}

// updateParams are the arguments of update_phone.
var updateParams = []Param{
	{Name: "auto_answer", Type: TypeBoolean},
	{Name: "codecs", Type: TypeStrings},
	{Name: "password", Type: TypeSecret},
	{Name: "realm", Type: TypeString},
	{Name: "srtp", Type: TypeBoolean},
	{Name: "recording_enabled", Type: TypeBoolean},
	{Name: "capture_enabled", Type: TypeBoolean},
}

func updateOf(a args) phone.Update {
	wanted := given[string](a, "realm")
	if wanted != nil {
		*wanted = realm(*wanted)
	}
	return phone.Update{
		AutoAnswer: given[bool](a, "auto_answer"), Codecs: given[[]string](a, "codecs"), Password: given[phone.Secret](a, "password"),
		Realm: wanted, SRTP: given[bool](a, "srtp"),
		RecordingEnabled: given[bool](a, "recording_enabled"), CaptureEnabled: given[bool](a, "capture_enabled"),
	}
}

// given is an argument, or nil where it was left out.
func given[T any](a args, name string) *T {
	if v, ok := a[name].(T); ok {
		return &v
	}
	return nil
}
