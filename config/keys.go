package config

import (
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ringmaster/proto/phone"

	"gopkg.in/yaml.v3"
)

// phoneKey is one key of a phone. set puts the value into s and returns a
// sentence about what is wrong with it, or "". Sentences do not quote values
// that may be secret.
type phoneKey struct {
	name     string
	required bool
	set      func(s *phone.Settings, v *yaml.Node, o Options) string
}

var phoneKeys = [...]phoneKey{
	{"phone_id", true, func(s *phone.Settings, v *yaml.Node, o Options) string {
		text, sentence := word(v, "phone_id")
		if sentence != "" {
			return sentence
		}
		id, err := phone.ParseID(text)
		if err != nil {
			return err.Error()
		}
		s.PhoneID = id
		if o.CheckID == nil {
			return ""
		}
		return sentenceOf(o.CheckID(id))
	}},
	{"domain", true, func(s *phone.Settings, v *yaml.Node, _ Options) (sentence string) {
		if s.Domain, sentence = word(v, "domain"); sentence != "" {
			return sentence
		}
		return sentenceOf(CheckDomain(s.Domain))
	}},
	{"username", true, func(s *phone.Settings, v *yaml.Node, _ Options) (sentence string) {
		if s.Username, sentence = word(v, "username"); sentence != "" {
			return sentence
		}
		return sentenceOf(CheckText("username", s.Username))
	}},
	{"password", true, setPassword},
	{"realm", false, func(s *phone.Settings, v *yaml.Node, _ Options) (sentence string) {
		if s.Realm, sentence = word(v, "realm"); sentence != "" {
			return sentence
		}
		s.Realm = Realm(s.Realm)
		return sentenceOf(CheckText("realm", s.Realm))
	}},
	{"srtp", false, flag("srtp", func(s *phone.Settings) *bool { return &s.SRTP })},
	{"auto_answer", false, flag("auto_answer", func(s *phone.Settings) *bool { return &s.AutoAnswer })},
	{"transport", false, func(s *phone.Settings, v *yaml.Node, _ Options) string {
		s.Transport = phone.Transport(strings.ToLower(v.Value))
		if v.Kind != yaml.ScalarNode || !slices.Contains([]phone.Transport{phone.UDP, phone.TCP, phone.TLS}, s.Transport) {
			return "transport must be udp, tcp or tls"
		}
		return ""
	}},
	{"local_port", false, func(s *phone.Settings, v *yaml.Node, _ Options) string {
		port, err := strconv.Atoi(v.Value)
		if v.Kind != yaml.ScalarNode || err != nil || port < 0 || port > 65535 {
			return "local_port must be an integer from 0 to 65535"
		}
		s.LocalPort = port
		return ""
	}},
	{"tls_ca_file", false, setWord("tls_ca_file", func(s *phone.Settings) *string { return &s.TLSCAFile })},
	{"tls_cert_file", false, setWord("tls_cert_file", func(s *phone.Settings) *string { return &s.TLSCertFile })},
	{"tls_key_file", false, setWord("tls_key_file", func(s *phone.Settings) *string { return &s.TLSKeyFile })},
	{"tls_insecure", false, flag("tls_insecure", func(s *phone.Settings) *bool { return &s.TLSInsecure })},
	{"codecs", false, setCodecs},
	{"register", false, flag("register", func(s *phone.Settings) *bool { return &s.Register })},
	{"recording_enabled", false, flag("recording_enabled", func(s *phone.Settings) *bool { return &s.RecordingEnabled })},
	{"capture_enabled", false, flag("capture_enabled", func(s *phone.Settings) *bool { return &s.CaptureEnabled })},
	{"capture_filter", false, func(s *phone.Settings, v *yaml.Node, _ Options) string {
		s.CaptureFilter = phone.CaptureFilter(strings.ToLower(v.Value))
		if v.Kind != yaml.ScalarNode || s.CaptureFilter != phone.CaptureUDP && s.CaptureFilter != phone.CapturePhone {
			return "capture_filter must be udp or phone"
		}
		return ""
	}},
}

func phoneKeyNames() []string {
	names := make([]string, len(phoneKeys))
	for i, k := range phoneKeys {
		names[i] = k.name
	}
	return names
}

func isPhoneKey(name string) bool {
	return slices.ContainsFunc(phoneKeys[:], func(k phoneKey) bool { return k.name == name })
}

// word is a text that may not be empty. A number is a text too: extensions
// are often written without quotes.
func word(v *yaml.Node, key string) (text, sentence string) {
	if v.Kind != yaml.ScalarNode || !slices.Contains([]string{"!!str", "!!int", "!!float"}, v.Tag) {
		return "", key + " must be a text"
	}
	if v.Value == "" {
		return "", key + " is empty"
	}
	return v.Value, ""
}

var envForm = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)

func setPassword(s *phone.Settings, v *yaml.Node, o Options) string {
	if v.Kind != yaml.ScalarNode || !slices.Contains([]string{"!!str", "!!int", "!!float"}, v.Tag) {
		return "password must be a text"
	}
	s.Password = phone.NewSecret(v.Value) // an empty one is one
	if m := envForm.FindStringSubmatch(v.Value); m != nil {
		var found bool
		var secret string
		if o.Getenv != nil {
			secret, found = o.Getenv(m[1])
		}
		if !found {
			return fmt.Sprintf("password: the environment has no %s: set it before the server starts", m[1])
		}
		s.Password = phone.NewSecret(secret)
	}
	return sentenceOf(CheckText("password", s.Password.Reveal()))
}

func sentenceOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func setCodecs(s *phone.Settings, v *yaml.Node, o Options) string {
	if v.Kind != yaml.SequenceNode {
		return "codecs must be a list of codec names"
	}
	codecs := make([]string, 0, len(v.Content))
	for _, n := range v.Content {
		if n = resolve(n); n.Kind != yaml.ScalarNode || n.Tag != "!!str" {
			return "codecs must be a list of codec names"
		}
		codecs = append(codecs, n.Value)
	}
	s.Codecs = codecs
	return sentenceOf(CheckCodecs(codecs, o.Codecs))
}

// telephoneEvent may be listed among a phone's codecs, though it carries no
// speech.
const telephoneEvent = "telephone-event"

// CheckCodecs checks a phone's list of codecs against those that are built in;
// with none given it takes any name. telephone-event may always be listed, but
// not alone.
func CheckCodecs(codecs, builtIn []string) error {
	if codecs != nil && len(codecs) == 0 {
		return fmt.Errorf("codecs is empty: name at least one codec, or leave it out for the default list")
	}
	speech := false
	for _, c := range codecs {
		if strings.EqualFold(c, telephoneEvent) {
			continue
		}
		speech = true
		known := func(b string) bool { return strings.EqualFold(b, c) }
		if len(builtIn) > 0 && !slices.ContainsFunc(builtIn, known) {
			return fmt.Errorf("codec %q is not built in: there are %s", short(c), strings.Join(builtIn, ", "))
		}
	}
	if codecs != nil && !speech {
		return fmt.Errorf("codecs names no codec for speech: add one to %s, or leave codecs out for the default list", telephoneEvent)
	}
	return nil
}

// Realm gives the realm that a phone answers a challenge of: "" stands for
// any, which a user may also write as "*".
func Realm(s string) string {
	if s == "*" {
		return ""
	}
	return s
}

func flag(key string, field func(*phone.Settings) *bool) func(*phone.Settings, *yaml.Node, Options) string {
	return func(s *phone.Settings, v *yaml.Node, _ Options) string {
		if v.Kind != yaml.ScalarNode || v.Decode(field(s)) != nil {
			return key + " must be true or false"
		}
		return ""
	}
}

func setWord(key string, field func(*phone.Settings) *string) func(*phone.Settings, *yaml.Node, Options) string {
	return func(s *phone.Settings, v *yaml.Node, _ Options) (sentence string) {
		*field(s), sentence = word(v, key)
		return sentence
	}
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// pairs goes over a mapping's keys and values, those of `<<` mappings included
// where the mapping has no such key itself. An anchor that merges itself is
// entered once.
func pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(k, v *yaml.Node) bool) {
		walk(n, make(map[string]bool), make(map[*yaml.Node]bool), yield)
	}
}

func walk(n *yaml.Node, seen map[string]bool, entered map[*yaml.Node]bool, yield func(k, v *yaml.Node) bool) bool {
	if n.Kind != yaml.MappingNode || entered[n] {
		return true
	}
	entered[n] = true
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], resolve(n.Content[i+1])
		if k.Tag == "!!merge" {
			merged = append(merged, v)
			continue
		}
		if seen[k.Value] {
			continue
		}
		seen[k.Value] = true
		if !yield(k, v) {
			return false
		}
	}
	for _, m := range merged {
		list := []*yaml.Node{m}
		if m.Kind == yaml.SequenceNode {
			list = m.Content
		}
		for _, inner := range list {
			if !walk(resolve(inner), seen, entered, yield) {
				return false
			}
		}
	}
	return true
}

// value returns what a mapping has under key, or nil.
func value(n *yaml.Node, key string) *yaml.Node {
	for k, v := range pairs(n) {
		if k.Value == key {
			return v
		}
	}
	return nil
}
