package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"ringmaster/proto/phone"
)

func options() Options {
	return Options{
		Codecs: []string{"PCMA", "PCMU", "G722"},
		Getenv: func(name string) (string, bool) { return "from-env", name == "A_PASSWORD" },
	}
}

func TestDefaultsMergeUnderThePhonesOwnKeys(t *testing.T) {
	p, err := Parse("p.yaml", []byte(`
defaults: {domain: pbx.example, password: "${A_PASSWORD}", codecs: [pcma], auto_answer: yes, local_port: 5080}
phones:
  - {phone_id: a, username: 6001}
  - phone_id: b
    username: bob
    password: "0123"
    codecs: [G722, telephone-event]
    auto_answer: false
    local_port: 0
    transport: TCP
    tls_ca_file: ca.pem
    tls_cert_file: cert.pem
    tls_key_file: key.pem
    tls_insecure: true
    realm: "*"
    register: false
    srtp: true
    recording_enabled: true
    capture_enabled: true
    capture_filter: Phone
`), options())
	if err != nil {
		t.Fatal(err)
	}
	want := []phone.Settings{
		{PhoneID: "a", Domain: "pbx.example", Username: "6001", Password: phone.NewSecret("from-env"), Transport: phone.UDP,
			LocalPort: 5080, Codecs: []string{"pcma"}, AutoAnswer: true, Register: true},
		{PhoneID: "b", Domain: "pbx.example", Username: "bob", Password: phone.NewSecret("0123"), Transport: phone.TCP,
			Codecs: []string{"G722", "telephone-event"}, SRTP: true, RecordingEnabled: true, CaptureEnabled: true, CaptureFilter: phone.CapturePhone,
			TLSCAFile: "ca.pem", TLSCertFile: "cert.pem", TLSKeyFile: "key.pem", TLSInsecure: true},
	}
	if !reflect.DeepEqual(p.Phones, want) {
		t.Errorf("phones\n%+v, want\n%+v", p.Phones, want)
	}
	if p.Phones[0].Password.Reveal() != "from-env" || p.Phones[1].Password.Reveal() != "0123" {
		t.Error("the passwords are not those written")
	}
}

func TestAnchorsAndMergesAreFollowed(t *testing.T) {
	p, err := Parse("p.yaml", []byte(`
defaults: &d {domain: h, password: x}
phones:
  - &a {phone_id: a, username: a, transport: tcp}
  - {<<: [*a, *d], phone_id: b}
`), options())
	if err != nil {
		t.Fatal(err)
	}
	if b := p.Phones[1]; b.PhoneID != "b" || b.Username != "a" || b.Transport != phone.TCP {
		t.Errorf("b is %+v", b)
	}
}

func TestRetiredKeyIsAWarning(t *testing.T) {
	p, err := Parse("p.yaml", []byte(`
recordings_dir: /old
phones: [{phone_id: a, domain: h, username: a, password: x, recordings_dir: /older}]
`), options())
	if err != nil || len(p.Warnings) != 2 || !strings.HasPrefix(p.Warnings[0], "p.yaml:2:1: recordings_dir") {
		t.Errorf("warnings %q, %v", p.Warnings, err)
	}
}

func TestEveryFaultIsNamedWithItsPlace(t *testing.T) {
	const ok = "phone_id: a, domain: h, username: a, password: x"
	for _, c := range []struct{ name, yaml, want string }{
		{"empty file", "", `p.yaml:1:1: the profile is empty: it needs a list phones:`},
		{"comment only", "# nothing\n", `p.yaml:1:1: the profile is empty: it needs a list phones:`},
		{"empty list", "phones: []", `p.yaml:1:9: phones: the list is empty: it needs at least one phone`},
		{"null list", "phones:", `p.yaml:1:8: phones: the list is empty: it needs at least one phone`},
		{"a list that is none", "phones: {a: 1}", `p.yaml:1:9: phones: must be a list of phones`},
		{"unknown key, near", "phones: [{" + ok + ", pasword: y}]", `p.yaml:1:61: phones[0] (a): unknown key "pasword": did you mean "password"?`},
		{"unknown key at the top", "phones: [{" + ok + "}]\nfones: 1", `p.yaml:2:1: the profile: unknown key "fones": did you mean "phones"?`},
		{"unknown key, far", "phones: [{" + ok + "}]\nversion: 1", `p.yaml:2:1: the profile: unknown key "version": there are defaults, phones`},
		{"unknown key in the defaults", "defaults: {colour: red}\nphones: [{" + ok + "}]", `p.yaml:1:12: defaults: unknown key "colour": there are phone_id, domain, username, password, realm, srtp, auto_answer, transport, local_port, tls_ca_file, tls_cert_file, tls_key_file, tls_insecure, codecs, register, recording_enabled, capture_enabled, capture_filter`},
		{"duplicate phone", "phones:\n  - {" + ok + "}\n  - {" + ok + "}", `p.yaml:3:5: phones[1] (a): duplicate phone_id: phones[0] has it already`},
		{"duplicate key", "phones: [{" + ok + ", domain: i}]", `p.yaml:1:61: phones[0] (a): duplicate key "domain"`},
		{"missing", "phones: [{phone_id: a, domain: h, username: a}]", `p.yaml:1:10: phones[0] (a): password is missing`},
		{"null is missing", "phones: [{phone_id: a, domain: null, username: a, password: x}]", `p.yaml:1:10: phones[0] (a): domain is missing`},
		{"invalid phone_id", "phones: [{phone_id: A-1, domain: h, username: a, password: x}]", `p.yaml:1:21: phones[0] (A-1): phone_id "A-1" is invalid: use 1 to 32 characters of a-z, 0-9 and _`},
		{"no bool", "phones: [{" + ok + ", srtp: maybe}]", `p.yaml:1:67: phones[0] (a): srtp must be true or false`},
		{"a bad default, once", "defaults: {local_port: 70000}\nphones:\n  - {" + ok + "}\n  - {phone_id: b, domain: h, username: b, password: x}", `p.yaml:1:24: defaults: local_port must be an integer from 0 to 65535`},
		{"transport", "phones: [{" + ok + ", transport: sctp}]", `p.yaml:1:72: phones[0] (a): transport must be udp, tcp or tls`},
		{"capture_filter", "phones: [{" + ok + ", capture_filter: tcp}]", `p.yaml:1:77: phones[0] (a): capture_filter must be udp or phone`},
		{"codec not built in", "phones: [{" + ok + ", codecs: [PCMA, G729]}]", `p.yaml:1:69: phones[0] (a): codec "G729" is not built in: there are PCMA, PCMU, G722`},
		{"no codecs", "phones: [{" + ok + ", codecs: []}]", `p.yaml:1:69: phones[0] (a): codecs is empty: name at least one codec, or leave it out for the default list`},
		{"a domain that is none", "phones: [{phone_id: a, domain: a b, username: a, password: x}]", `p.yaml:1:32: phones[0] (a): domain "a b" is no host or host:port: write pbx.example, 192.0.2.1:5060 or [2001:db8::1]:5060`},
		{"a username of two lines", "phones: [{phone_id: a, domain: h, username: \"a\\nb\", password: x}]", `p.yaml:1:45: phones[0] (a): username holds a control character, such as a line end: remove it`},
		{"no codec for speech", "phones: [{" + ok + ", codecs: [Telephone-Event]}]", `p.yaml:1:69: phones[0] (a): codecs names no codec for speech: add one to telephone-event, or leave codecs out for the default list`},
		{"codecs is a text", "phones: [{" + ok + ", codecs: PCMA}]", `p.yaml:1:69: phones[0] (a): codecs must be a list of codec names`},
		{"environment", "phones: [{phone_id: a, domain: h, username: a, password: \"${NOT_SET}\"}]", `p.yaml:1:58: phones[0] (a): password: the environment has no NOT_SET: set it before the server starts`},
		{"two documents", "phones: [{" + ok + "}]\n---\nphones: []", `p.yaml:1:1: a profile is one YAML document: remove what follows the first`},
		{"a phone that is a text", "phones: [a]", `p.yaml:1:10: phones[0]: must be a mapping of phone keys to values`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse("p.yaml", []byte(c.yaml), options())
			var faults ProfileErrors
			if !errors.As(err, &faults) || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAllFaultsComeAtOnceInOrder(t *testing.T) {
	_, err := Parse("p.yaml", []byte("phones:\n  - {phone_id: a, domain: h, srtp: 3}\n  - {phone_id: b}\n"), options())
	want := "p.yaml:2:5: phones[0] (a): username is missing\np.yaml:2:5: phones[0] (a): password is missing\n" +
		"p.yaml:2:36: phones[0] (a): srtp must be true or false\n" +
		"p.yaml:3:5: phones[1] (b): domain is missing\np.yaml:3:5: phones[1] (b): username is missing\np.yaml:3:5: phones[1] (b): password is missing"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestWhatIsNoProfileIsNotQuoted(t *testing.T) {
	for name, text := range map[string]string{
		"passwd":      "root:x:0:0:sesame:/root:/bin/sh\ndaemon:x:1:1:sesame:/:/bin/sh\n",
		"yaml":        "sesame: {sesame: sesame}\n",
		"bad yaml":    "a: [sesame\nb: *sesame\n",
		"an alias":    "a: *sesame\n",
		"a tag":       "phones: !!sesame [\n",
		"json":        `{"password_of_sesame": "sesame"}`,
		"binary":      "\x00\x01sesame\xff",
		"private key": "-----BEGIN PRIVATE KEY-----\nsesame\n",
	} {
		_, err := Parse("p.yaml", []byte(text), options())
		var faults ProfileErrors
		if !errors.As(err, &faults) || faults[0].Line < 1 || faults[0].Column < 1 {
			t.Errorf("%s: %v, want a fault with line and column", name, err)
			continue
		}
		if strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: the error quotes the file: %v", name, err)
		}
	}
}

func TestAMergeOfItselfEnds(t *testing.T) {
	_, err := Parse("p.yaml", []byte("phones:\n  - &a {<<: *a, phone_id: a, domain: h, username: a, password: x}\n"), options())
	if err != nil {
		var faults ProfileErrors
		if !errors.As(err, &faults) {
			t.Errorf("got %v", err)
		}
	}
}

func TestLoadRefusesWhatIsNoRegularFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := Load(filepath.Join(dir, "no.yaml"), options()); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Load(dir, options()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
	big := filepath.Join(dir, "big.yaml")
	if err := os.WriteFile(big, make([]byte, maxProfile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(big, options()); err == nil || !strings.Contains(err.Error(), "larger than 4 MiB") {
		t.Errorf("a huge file: %v", err)
	}
	good := filepath.Join(dir, "good.yaml")
	if err := os.WriteFile(good, []byte("phones: [{phone_id: a, domain: h, username: a, password: x}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err := Load(good, options()); err != nil || len(p.Phones) != 1 {
		t.Errorf("a good file: %v, %v", p, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("defaults: {a: 1}\nphones: [{phone_id: a}]"))
	f.Add([]byte("phones: [&a {<<: [*a]}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("p.yaml", data, options())
		if (err == nil) != (len(p.Phones) > 0) {
			t.Errorf("%d phones and %v", len(p.Phones), err)
		}
	})
}

func TestNearest(t *testing.T) {
	known := []string{"dest_uri", "headers", "call_id"}
	for word, want := range map[string]string{"dest": "", "desturi": "dest_uri", "dest_ur": "dest_uri", "Header": "headers", "callid": "call_id", "x": ""} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestResolveRoots(t *testing.T) {
	machine := func(env map[string]string, usable ...string) Machine {
		return Machine{
			Getenv: func(n string) (string, bool) { v, ok := env[n]; return v, ok },
			Home:   "/home/u", Temp: "/tmp",
			Usable: func(p string) bool { return strings.Contains(strings.Join(usable, " "), p) },
		}
	}
	for _, c := range []struct {
		name  string
		given Roots
		m     Machine
		want  Roots
	}{
		{"nothing said", Roots{}, machine(nil),
			Roots{Recordings: "/home/u/.local/state/ringmaster/recordings", Captures: "/home/u/.local/state/ringmaster/captures", Profile: "/home/u/.config/ringmaster/phones.yaml"}},
		{"XDG", Roots{}, machine(map[string]string{"XDG_STATE_HOME": "/s", "XDG_CONFIG_HOME": "relative"}),
			Roots{Recordings: "/s/ringmaster/recordings", Captures: "/s/ringmaster/captures", Profile: "/home/u/.config/ringmaster/phones.yaml"}},
		{"container", Roots{}, machine(map[string]string{"RINGMASTER_HOST_CAPTURES_DIR": "/host/c"}, "/recordings", "/captures", "/config/phones.yaml"),
			Roots{Recordings: "/recordings", Captures: "/captures", Profile: "/config/phones.yaml", HostCaptures: "/host/c"}},
		{"flag over environment", Roots{Recordings: "/f"}, machine(map[string]string{"RINGMASTER_RECORDINGS_DIR": "/e", "RINGMASTER_CAPTURES_DIR": "/ec", "RINGMASTER_PROFILE": "/ep"}, "/recordings"),
			Roots{Recordings: "/f", Captures: "/ec", Profile: "/ep"}},
	} {
		if got := Resolve(c.given, c.m); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

// docs/PROFILES.md is the only place where a user finds the keys.
func TestTheDocumentHasEveryKey(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "docs", "PROFILES.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, key := range phoneKeyNames() {
		if !regexp.MustCompile("(?m)^\\|.*`" + key + "`.* \\|.* \\|$").MatchString(text) {
			t.Errorf("docs/PROFILES.md has no row for %s", key)
		}
	}
	_, example, _ := strings.Cut(text, "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	with := options()
	with.Getenv = func(string) (string, bool) { return "secret", true }
	if _, err := Parse("PROFILES.md", []byte(example), with); err != nil {
		t.Error(err)
	}
}
