package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// Bad input is one clear error each, leaves nothing half-made, and the fleet
// goes on: after all of them, the call that was there still is.
func TestBadInput(t *testing.T) {
	t.Parallel()
	c, a, b := pair(t)
	atA, atB := phones.Talk(a, b, b.URI())
	before := c.Tools()
	dir := t.TempDir()
	noWAV := filepath.Join(dir, "secret.txt")
	if err := os.WriteFile(noWAV, []byte("the quick brown fox jumps over the lazy dog, twice and more"), 0o600); err != nil {
		t.Fatal(err)
	}
	add := func(changes mcpclient.Args) mcpclient.Args {
		all := mcpclient.Args{"phone_id": "c", "username": "c", "password": "p", "domain": "127.0.0.1", "register": false}
		for name, value := range changes {
			all[name] = value
		}
		return all
	}
	for _, bad := range []struct {
		name, tool string
		args       mcpclient.Args
		words      []string
	}{
		{"unknown phone", "get_phone", mcpclient.Args{"phone_id": "nobody"}, []string{"nobody", "not found"}},
		{"unknown phone of phone_action", "phone_action", mcpclient.Args{"phone_id": "nobody", "action": "hangup", "arguments": mcpclient.Args{}}, []string{"nobody"}},
		{"unknown action", "phone_action", mcpclient.Args{"phone_id": "a", "action": "explode", "arguments": mcpclient.Args{}}, []string{"explode"}},
		{"unknown call", "a_hangup", mcpclient.Args{"call_id": 9999999}, []string{"call 9999999 not found"}},
		{"call of another phone", "a_hangup", mcpclient.Args{"call_id": atB}, []string{fmt.Sprintf("call_id %d belongs to phone_id 'b', not 'a'", atB)}},
		{"string for a number", "a_hangup", mcpclient.Args{"call_id": "0"}, []string{"call_id"}},
		{"number for a string", "a_make_call", mcpclient.Args{"dest_uri": 5}, []string{"dest_uri"}},
		{"missing argument", "a_make_call", nil, []string{"dest_uri"}},
		{"unknown argument", "a_make_call", mcpclient.Args{"dest_uri": b.URI(), "dest": "x"}, []string{"dest"}},
		{"port out of range", "add_phone", add(mcpclient.Args{"local_port": 70000}), []string{"local_port"}},
		{"unknown transport", "add_phone", add(mcpclient.Args{"transport": "sctp"}), []string{"transport"}},
		{"unknown codec", "add_phone", add(mcpclient.Args{"codecs": []string{"G729"}}), []string{"G729", "PCMA"}},
		{"invalid phone_id", "add_phone", add(mcpclient.Args{"phone_id": "Not Good"}), []string{"invalid"}},
		{"port in use", "add_phone", add(mcpclient.Args{"local_port": a.Port}), []string{fmt.Sprint(a.Port)}},
		{"missing file", "a_play_audio", mcpclient.Args{"file_path": filepath.Join(dir, "none.wav")}, []string{"none.wav"}},
		{"not a WAV", "a_play_audio", mcpclient.Args{"file_path": noWAV}, []string{"secret.txt", "WAV"}},
		{"a folder", "a_play_audio", mcpclient.Args{"file_path": dir}, []string{dir}},
		{"no SIP URI", "a_make_call", mcpclient.Args{"dest_uri": "http://example.org/"}, []string{"dest_uri"}},
		{"text for a URI", "a_make_call", mcpclient.Args{"dest_uri": "call b, please"}, []string{"dest_uri"}},
		{"header with a line end", "a_make_call", mcpclient.Args{"dest_uri": b.URI(), "headers": mcpclient.Args{"X-A": "1\r\nX-B: 2"}}, []string{"X-A"}},
		{"letters for digits", "a_send_dtmf", mcpclient.Args{"call_id": atA, "digits": "12x"}, []string{"digits"}},
		{"nothing to answer", "a_answer_call", nil, []string{"a"}},
		{"status out of range", "b_reject_call", mcpclient.Args{"status_code": 200}, []string{"status_code"}},
	} {
		t.Run(bad.name, func(t *testing.T) {
			answer, err := c.TryCall(bad.tool, bad.args)
			if err != nil {
				t.Fatal(err)
			}
			if !answer.Failed {
				t.Fatalf("%s(%v) succeeded: %s", bad.tool, bad.args, answer.Text)
			}
			for _, word := range bad.words {
				if !strings.Contains(answer.Sentence(), word) {
					t.Errorf("the sentence does not say %q: %s", word, answer.Sentence())
				}
			}
			if strings.Contains(answer.Text, "quick brown") {
				t.Errorf("the answer quotes the file: %s", answer.Text)
			}
		})
	}
	if after := c.Tools(); !slices.Equal(after, before) {
		t.Errorf("the tools changed: %v", after)
	}
	if n := c.Must("list_phones", nil).Int("total_count"); n != 2 {
		t.Errorf("there are %d phones", n)
	}
	a.Reaches(atA, "CONFIRMED")
	b.Receives(atB, 200*time.Millisecond)
}

// With --files-under what lies elsewhere is neither played nor loaded, whatever
// leads there; and what is no WAV and no profile is refused without its text.
func TestFilesUnder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	in := filepath.Join(root, "in")
	if err := os.Mkdir(in, 0o755); err != nil {
		t.Fatal(err)
	}
	tone, err := phones.Tone(in, 8000, 1, 600)
	if err != nil {
		t.Fatal(err)
	}
	outside, err := phones.Tone(root, 8000, 1, 1000)
	if err != nil {
		t.Fatal(err)
	}
	profile := filepath.Join(root, "phones.yaml")
	for _, err := range []error{
		os.WriteFile(profile, []byte("phones: [{phone_id: c, username: c, password: p, domain: 127.0.0.1, register: false}]"), 0o600),
		os.WriteFile(filepath.Join(in, "secret.txt"), []byte("root:hunter2:0:0\n\thunter2: [\n"), 0o600),
		os.Symlink(outside, filepath.Join(in, "link.wav")), os.Symlink(root, filepath.Join(in, "up")), os.Symlink(profile, filepath.Join(in, "link.yaml")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	c := mcpclient.Start(t, programs, mcpclient.Options{Args: []string{"--files-under", in}})
	a, b := phones.AddDirect(t, c, "a"), phones.AddDirect(t, c, "b")
	atA, atB := phones.Talk(a, b, b.URI())
	for _, path := range []string{outside, filepath.Join(in, "link.wav"), filepath.Join(in, "up", filepath.Base(outside)), in + "/../" + filepath.Base(outside), "/etc/passwd", in} {
		c.MustFail("a_play_audio", mcpclient.Args{"file_path": path}, "is not a file under")
		run := c.Call("run_scenario", mcpclient.Args{"scenario": object{
			"phones": []string{"a"}, "initial_actions": []object{{"play_audio": object{"phone_id": "a", "call_id": atA, "file": path}}}, "timeout_ms": 100,
		}})
		if run.String("status") != "failed" || !strings.Contains(run.Text, "is not a file under") {
			t.Errorf("a scenario plays %s: %s", path, run.Text)
		}
	}
	for _, path := range []string{profile, filepath.Join(in, "link.yaml"), filepath.Join(in, "up", "phones.yaml"), "/etc/passwd"} {
		c.MustFail("load_phones", mcpclient.Args{"path": path}, "is not a file under")
	}
	for _, refused := range []mcpclient.Answer{
		c.MustFail("load_phones", mcpclient.Args{"path": filepath.Join(in, "secret.txt")}, "secret.txt:2:"),
		c.MustFail("a_play_audio", mcpclient.Args{"file_path": filepath.Join(in, "secret.txt")}, "WAV"),
	} {
		if strings.Contains(refused.Text, "hunter2") {
			t.Errorf("the answer quotes the file: %s", refused.Text)
		}
	}
	a.PlaysFile(atA, tone)
	b.Receives(atB, 200*time.Millisecond)
}

func TestUnknownToolIsARequestError(t *testing.T) {
	t.Parallel()
	c := mcpclient.Start(t, programs, mcpclient.Options{})
	if a, err := c.TryCall("no_such_tool", nil); err == nil {
		t.Errorf("an unknown tool answers %s", a.Text)
	}
}

// A registrar that refuses, is silent or does not exist is not an error of
// add_phone: the phone is there, says why it is not registered, and can call.
func TestRegistrarsThatDoNotHelp(t *testing.T) {
	t.Parallel()
	silent, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, registrar := range []struct {
		name, domain string
		status       any
	}{
		{"refuses", refusing(t), float64(403)},
		{"is silent", silent.LocalAddr().String(), nil},
		{"does not resolve", "no-such-host.invalid", nil},
	} {
		t.Run(registrar.name, func(t *testing.T) {
			c := mcpclient.Start(t, programs, mcpclient.Options{})
			began := time.Now()
			a := phones.Add(t, c, "a", mcpclient.Args{"domain": registrar.domain})
			if took := time.Since(began); took > 6*time.Second {
				t.Errorf("add_phone took %v", took)
			}
			if a.Added.Bool("is_registered") || a.Added.String("reason") == "" || a.Added.Fields["status_code"] != registrar.status {
				t.Errorf("add_phone answers %s", a.Added.Text)
			}
			b := phones.AddDirect(t, c, "b")
			phones.Talk(a, b, b.URI())
		})
	}
}

// refusing is a registrar that answers every request with 403.
func refusing(t *testing.T) (addr string) {
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { conn.Close(); <-done })
	go func() {
		defer close(done)
		buf := make([]byte, 65535)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			answer := []string{"SIP/2.0 403 Go Away"}
			for _, line := range strings.Split(string(buf[:n]), "\r\n")[1:] {
				name, _, _ := strings.Cut(line, ":")
				switch name {
				case "Via", "From", "Call-ID", "CSeq":
					answer = append(answer, line)
				case "To":
					answer = append(answer, line+";tag=refused")
				}
			}
			answer = append(answer, "Content-Length: 0", "", "")
			if _, err := conn.WriteTo([]byte(strings.Join(answer, "\r\n")), from); err != nil {
				return
			}
		}
	}()
	return conn.LocalAddr().String()
}
