package asterisk

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/icholy/digest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An Asterisk starts, registers a user of either digest algorithm, refuses a
// wrong password, and is gone with the test.
func TestServer(t *testing.T) {
	var pid int
	var home string
	t.Run("while it runs", func(t *testing.T) {
		s := Start(t)
		pid, home = s.PID(), s.home
		for _, c := range []struct {
			user, password, wantExpires string
			want                        int
		}{
			{"6001", s.Password, "60", 200},
			{"6003", s.Password, "10", 200},
			{"6002", "wrong", "", 401},
		} {
			status, answer := register(t, s.Addr, c.user, c.password)
			if status != c.want {
				t.Errorf("REGISTER as %s is answered %d, want %d\n%s", c.user, status, c.want, answer)
			}
			if c.wantExpires != "" && !strings.Contains(answer, "expires="+c.wantExpires) && !strings.Contains(answer, "Expires: "+c.wantExpires) {
				t.Errorf("REGISTER as %s for 60 s is not granted %s s:\n%s", c.user, c.wantExpires, answer)
			}
		}
		if !s.HasContact(t, "6001") || s.HasContact(t, "6002") {
			t.Error("6001 has to have a contact, and 6002 none")
		}
		if got := s.Accepted("REGISTER", "6001"); got != 1 {
			t.Errorf("Asterisk accepted %d requests of 6001, want 1", got)
		}
		if got := s.Accepted("REGISTER", "6002"); got != 0 {
			t.Errorf("Asterisk accepted %d requests of 6002, want none", got)
		}
	})
	if pid == 0 {
		t.SkipNow() // Start said why
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("process %d after the end of its test: %v", pid, err)
	}
	if _, err := os.Stat(home); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("folder %s after the end of its test: %v", home, err)
	}
}

// register sends REGISTER twice, the second time with credentials, and returns
// the last answer.
func register(t *testing.T, addr, user, password string) (int, string) {
	t.Helper()
	conn, err := net.Dial("udp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := func(cseq int, credentials string) (int, string) {
		msg := fmt.Sprintf("REGISTER sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK%[3]s%[4]d;rport\r\nMax-Forwards: 70\r\n"+
			"From: <sip:%[3]s@%[1]s>;tag=f%[3]s\r\nTo: <sip:%[3]s@%[1]s>\r\nCall-ID: %[3]s@%[2]s\r\nCSeq: %[4]d REGISTER\r\n"+
			"Contact: <sip:%[3]s@%[2]s>\r\nExpires: 60\r\n%[5]sContent-Length: 0\r\n\r\n",
			addr, conn.LocalAddr(), user, cseq, credentials)
		if _, err := conn.Write([]byte(msg)); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 4096)
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatalf("no answer to REGISTER: %v", err)
		}
		var status int
		if _, err := fmt.Sscanf(string(buf[:n]), "SIP/2.0 %d", &status); err != nil {
			t.Fatalf("not an answer: %q", buf[:n])
		}
		return status, string(buf[:n])
	}
	status, answer := request(1, "")
	if status != 401 {
		t.Fatalf("REGISTER without credentials is answered %d, want 401", status)
	}
	_, challenge, _ := strings.Cut(answer, "WWW-Authenticate: ")
	challenge, _, _ = strings.Cut(challenge, "\r\n")
	parsed, err := digest.ParseChallenge(challenge)
	if err != nil {
		t.Fatalf("challenge %q: %v", challenge, err)
	}
	credentials, err := digest.Digest(parsed, digest.Options{
		Method: "REGISTER", URI: "sip:" + addr, Username: user, Password: password,
	})
	if err != nil {
		t.Fatal(err)
	}
	return request(2, "Authorization: "+credentials.String()+"\r\n")
}
