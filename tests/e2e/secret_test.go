package e2e

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ringmaster/tests/mcpclient"
	"ringmaster/tests/phones"
)

// forms are the ways to write a password down: as it is, escaped in one way or
// another, and as what digest authentication makes of it and is as good as it
// (RFC 7616 §3.4.2: the hash of user, realm and password). The response that is
// made of that for one request is not among them.
func forms(user, realm, password string) map[string]string {
	quoted, err := json.Marshal(password)
	if err != nil {
		panic(err)
	}
	a1 := user + ":" + realm + ":" + password
	weak, strong := md5.Sum([]byte(a1)), sha256.Sum256([]byte(a1))
	return map[string]string{
		"as it is":       password,
		"in JSON":        strings.Trim(string(quoted), `"`),
		"as Go has it":   strings.Trim(strconv.Quote(password), `"`),
		"in a URL":       url.QueryEscape(password),
		"in a path":      url.PathEscape(password),
		"in base64":      base64.StdEncoding.EncodeToString([]byte(password)),
		"in hexadecimal": hex.EncodeToString([]byte(password)),
		"as bytes":       strings.Trim(fmt.Sprint([]byte(password)), "[]"),
		"as A1":          a1,
		"as MD5 HA1":     hex.EncodeToString(weak[:]),
		"as SHA-256 HA1": hex.EncodeToString(strong[:]),
	}
}

// families gives the arguments and the environments of a server's processes:
// its own, the workers', and those of what the workers have started.
func families(t *testing.T, c *mcpclient.Client) map[string]string {
	t.Helper()
	found := map[string]string{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		dir := filepath.Join("/proc", e.Name())
		environ, err := os.ReadFile(filepath.Join(dir, "environ"))
		if err != nil || !bytes.Contains(environ, []byte("HOME="+c.Home+"\x00")) {
			continue // none of ours, or gone
		}
		found[dir+"/environ"] = string(environ)
		command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil {
			continue
		}
		found[dir+"/cmdline "+strings.ReplaceAll(string(command), "\x00", " ")] = string(command)
	}
	return found
}

// files gives what the files below a folder hold.
func files(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		raw, err := os.ReadFile(path)
		found[path] = string(raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// A password is nowhere to be seen, in no form: not in an answer, not in the
// log at its most talkative, not in a file, not in the arguments or environment
// of a process. The far end challenges, refuses and accepts, the phone calls,
// records, captures, dies and comes back meanwhile.
func TestPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	passwords := []string{`corr"ect\horse bättery%1`, `wr"ong\horse bättery%2`, `lat"er\horse bättery%3`, `pro"file\horse bättery%4`}
	for _, form := range []string{"json", "text"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			c, a, b := registeredAs(t, passwords[0], "--log-level", "trace", "--log-format", form)
			domain := a.Added.String("domain")
			places := map[string]string{"add_phone": a.Added.Text}
			ask := func(tool string, args mcpclient.Args) mcpclient.Answer {
				t.Helper()
				answer, err := c.TryCall(tool, args)
				if err != nil {
					t.Fatal(err)
				}
				places[fmt.Sprintf("answer %d, of %s", len(places), tool)] = answer.Text
				return answer
			}

			refused := ask("add_phone", mcpclient.Args{"phone_id": "c", "username": "a", "password": passwords[1], "domain": domain})
			if refused.Failed || refused.Bool("is_registered") {
				t.Fatalf("with a wrong password: %s", refused.Text)
			}
			ask("add_phone", mcpclient.Args{"phone_id": "e", "username": "e", "password": passwords[1], "domain": domain, "transport": "sctp"})
			profile := filepath.Join(t.TempDir(), "phones.yaml") // not among the server's files, which are looked at
			if err := os.WriteFile(profile, []byte("phones: [{phone_id: d, username: d, domain: 127.0.0.1, register: false, password: '"+passwords[3]+"'}]\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			if loaded := ask("load_phones", mcpclient.Args{"path": profile, "merge": true}); loaded.Failed {
				t.Fatal(loaded.Text)
			}
			broken := profile + ".broken"
			if err := os.WriteFile(broken, []byte("phones: [{phone_id: d, password: '"+passwords[3]+"', pasword: '"+passwords[3]+"'}]\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			ask("load_phones", mcpclient.Args{"path": broken})

			ask("update_phone", mcpclient.Args{"phone_id": "a", "capture_enabled": true})
			_, atB := phones.Talk(a, b, "sip:b@"+domain)
			b.Receives(atB, phones.Talking)
			family := families(t, c)
			for place, text := range family {
				places[place] = text
			}
			if len(family) < 2*5 { // the server and its four workers, perhaps tcpdump
				t.Errorf("only these processes were found: %d", len(family)/2)
			}
			if err := syscall.Kill(workerPID(c, "a"), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			b.Ends(atB, 200)
			c.Until(phones.Patience, "a registered again", "get_phone", mcpclient.Args{"phone_id": "a"}, func(a mcpclient.Answer) bool {
				return a.Object("worker").String("state") == "running" && a.Bool("is_registered")
			})
			if changed := ask("update_phone", mcpclient.Args{"phone_id": "a", "password": passwords[2]}); changed.Failed || !changed.Bool("is_registered") {
				t.Fatalf("with another password: %s", changed.Text)
			}
			for _, id := range []string{"a", "b", "c", "d"} {
				of := mcpclient.Args{"phone_id": id}
				for _, tool := range []string{"get_phone", "get_sip_log", "get_call_messages", "list_recordings", "analyze_capture", "restart_phone"} {
					ask(tool, of)
				}
				ask(id+"_get_call_history", nil)
				ask(id+"_list_calls", nil)
				ask(id+"_get_registration_status", nil)
			}
			ask("list_phones", nil)
			if sent := ask("get_sip_log", mcpclient.Args{"phone_id": "a", "method": "REGISTER"}).Text; !strings.Contains(sent, `realm=\"ringmaster\"`) || !strings.Contains(sent, "Authorization: Digest") {
				t.Errorf("the registrar did not challenge as this test believes: %s", sent)
			}
			c.Close()
			for path, text := range files(t, c.Home) { // the log is one of them
				places[path] = text
			}
			if len(places) < 40 {
				t.Errorf("only %d places were looked at", len(places))
			}
			for _, password := range passwords {
				for _, user := range []string{"a", "b", "d"} {
					for form, text := range forms(user, "ringmaster", password) {
						for place, all := range places {
							if strings.Contains(all, text) {
								t.Errorf("%q is, %s, in %s", password, form, place)
							}
						}
					}
				}
			}
		})
	}
}
