package shelf

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// evidence is a pair of roots with files, and things that are none, beside a
// secret that no URI may lead to.
func evidence(t *testing.T) Evidence {
	t.Helper()
	dir := t.TempDir()
	e := Evidence{Recordings: filepath.Join(dir, "recordings"), Captures: filepath.Join(dir, "captures")}
	put(t, dir, "secret/x.wav", "secret.wav", "recordings-too/x.wav")
	put(t, e.Recordings, "a/call_0.wav", "a/call_0.meta.json", "a/b c#?%41.wav", "a/notes.txt", "a/.wav.part", "top.html")
	put(t, e.Captures, "a/call_0.pcap", "a/call_0.pcapng")
	for _, err := range []error{
		os.Symlink(filepath.Join(dir, "secret.wav"), filepath.Join(e.Recordings, "a", "out.wav")),
		os.Symlink("../../secret.wav", filepath.Join(e.Recordings, "a", "up.wav")),
		os.Symlink(filepath.Join(dir, "secret"), filepath.Join(e.Recordings, "folder")),
		os.Symlink("../../secret", filepath.Join(e.Recordings, "a", "folder")),
		os.Symlink("call_0.wav", filepath.Join(e.Recordings, "a", "in.wav")),
		os.Symlink("loop.wav", filepath.Join(e.Recordings, "a", "loop.wav")),
		syscall.Mkfifo(filepath.Join(e.Recordings, "a", "fifo.wav"), 0o600),
		os.Mkdir(filepath.Join(e.Recordings, "a", "dir.wav"), 0o700),
		os.WriteFile(filepath.Join(dir, "secret.wav"), []byte("secret"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return e
}

func TestFilesAreListedNewestFirst(t *testing.T) {
	found, err := evidence(t).Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprint(f.URI, " ", f.Name, " ", f.MIME, " ", f.Size))
	}
	want := []string{
		"ringmaster://recordings/top.html top.html text/html 5",
		"ringmaster://recordings/a/b%20c%23%3F%2541.wav b c#?%41.wav audio/wav 2",
		"ringmaster://captures/a/call_0.pcapng call_0.pcapng application/x-pcapng 1",
		"ringmaster://recordings/a/call_0.meta.json call_0.meta.json application/json 1",
		"ringmaster://captures/a/call_0.pcap call_0.pcap application/vnd.tcpdump.pcap 0",
		"ringmaster://recordings/a/call_0.wav call_0.wav audio/wav 0",
		"ringmaster://recordings/a/in.wav in.wav audio/wav 0",
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhatIsListedCanBeRead(t *testing.T) {
	e := evidence(t)
	found, err := e.Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		c, err := e.Read(f.URI)
		if err != nil || int64(len(c.Data)) != f.Size || c.MIME != f.MIME || c.Text != (f.MIME == "text/html" || f.MIME == "application/json") {
			t.Errorf("%s: %+v, %v", f.URI, c, err)
		}
	}
}

func TestURIOfAPath(t *testing.T) {
	e := Evidence{Recordings: "/r", Captures: "/c"}
	for file, want := range map[string]string{
		"/r/a/call_0.wav":     "ringmaster://recordings/a/call_0.wav",
		"/c/a/x y.pcap":       "ringmaster://captures/a/x%20y.pcap",
		"/r/a/x.meta.json":    "ringmaster://recordings/a/x.meta.json",
		"/r/a/x.txt":          "",
		"/other/a/call_0.wav": "",
		"/r/../etc/x.wav":     "",
		"/r2/x.wav":           "",
		"music-on-hold":       "",
		"":                    "",
	} {
		if got, ok := e.URI(file); got != want || ok != (want != "") {
			t.Errorf("URI(%q) = %q", file, got)
		}
	}
	if got, ok := (Evidence{Recordings: "/r"}).URI("x.pcap"); ok {
		t.Errorf("without a root of captures: %q", got)
	}
}

func TestNoURILeadsOutOfTheRoots(t *testing.T) {
	e := evidence(t)
	secret := filepath.Join(filepath.Dir(e.Recordings), "secret.wav")
	for _, uri := range []string{
		"", "ringmaster://", "ringmaster://recordings", "ringmaster://recordings/", "ringmaster:recordings/a/call_0.wav",
		"ringmaster://recordings/../secret.wav", "ringmaster://recordings/a/../../secret.wav", "ringmaster://recordings/a/./call_0.wav",
		"ringmaster://recordings/%2e%2e/secret.wav", "ringmaster://recordings/%2E%2E%2Fsecret.wav", "ringmaster://recordings/..%2fsecret.wav",
		"ringmaster://recordings/%252e%252e/secret.wav", "ringmaster://recordings/..%5csecret.wav", `ringmaster://recordings/..\secret.wav`,
		"ringmaster://recordings/%c0%ae%c0%ae/secret.wav", "ringmaster://recordings//a/call_0.wav", "ringmaster://recordings/a//call_0.wav",
		"ringmaster://recordings/" + secret, "ringmaster://recordings/%2f" + secret[1:], "file://" + secret, secret, "ringmaster://" + secret,
		"ringmaster://recordings/a/call_0.wav%00", "ringmaster://recordings/a/call_0.wav\x00", "ringmaster://recordings/a/x%00.wav", "ringmaster://recordings/a/x%0a.wav",
		"ringmaster://recordings-too/x.wav", "ringmaster://recordings/../recordings-too/x.wav", "ringmaster://elsewhere/a/call_0.wav",
		"ringmaster://user@recordings/a/call_0.wav", "ringmaster://recordings:1/a/call_0.wav", "ringmaster://recordings/a/call_0.wav#x", "RINGMASTER://recordings/a/call_0.wav",
		"ringmaster://recordings/a/call_0.wav?path=x", "ringmaster://recordings/a/call_0.wav?offset=-1", "ringmaster://recordings/a/call_0.wav?offset=1&offset=2",
		"ringmaster://recordings/a/call_0.wav?offset=1", "ringmaster://recordings/a/call_0.wav?length=99999999", "ringmaster://recordings/a/call_0.wav?%zz",
		"ringmaster://recordings/a/out.wav", "ringmaster://recordings/a/up.wav", "ringmaster://recordings/folder/x.wav", "ringmaster://recordings/a/folder/x.wav",
		"ringmaster://recordings/a/loop.wav", "ringmaster://recordings/a/fifo.wav", "ringmaster://recordings/a/dir.wav", "ringmaster://recordings/a/notes.txt",
		"ringmaster://recordings/a", "ringmaster://recordings/a/none.wav", "ringmaster://recordings/a/call_0.wav/", "ringmaster://recordings/%",
		"ringmaster://recordings/" + strings.Repeat("a/", 5000) + "x.wav", "ringmaster://recordings/dev/null.wav",
	} {
		c, err := e.Read(uri)
		if err == nil {
			t.Errorf("%.80q was read: %q", uri, c.Data)
		} else if text := err.Error(); len(text) > 900 || strings.ContainsAny(text, "\x00\n") || strings.Contains(text, filepath.Dir(secret)) && !strings.Contains(uri, filepath.Dir(secret)) {
			t.Errorf("%.80q: the error is %q", uri, text)
		}
	}
}

func TestRootThatIsALink(t *testing.T) {
	e := evidence(t)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(e.Recordings, link); err != nil {
		t.Fatal(err)
	}
	if _, err := (Evidence{Recordings: link}).Read("ringmaster://recordings/a/in.wav"); err != nil {
		t.Error(err)
	}
}

func TestBigFilesAreGivenInPieces(t *testing.T) {
	e := Evidence{Recordings: t.TempDir()}
	whole := make([]byte, Piece+1000)
	for i := range whole {
		whole[i] = byte(i * i >> 3)
	}
	write(t, filepath.Join(e.Recordings, "x.wav"), string(whole))
	const uri = "ringmaster://recordings/x.wav"
	if _, err := e.Read(uri); err == nil || !strings.Contains(err.Error(), "4195304 bytes") || !strings.Contains(err.Error(), "?offset=0&length=4194304") {
		t.Errorf("the whole: %v", err)
	}
	var got []byte
	for {
		c, err := e.Read(fmt.Sprintf("%s?offset=%d", uri, len(got)))
		if err != nil || c.MIME != "application/octet-stream" {
			t.Fatalf("%+v, %v", c.MIME, err)
		}
		if got = append(got, c.Data...); len(c.Data) == 0 {
			break
		}
	}
	if !bytes.Equal(got, whole) {
		t.Errorf("%d bytes came, other than the file's", len(got))
	}
	if c, err := e.Read(uri + "?offset=10&length=5"); err != nil || !bytes.Equal(c.Data, whole[10:15]) {
		t.Errorf("%v, %v", c.Data, err)
	}
}

func TestWriteReport(t *testing.T) {
	e := Evidence{Recordings: filepath.Join(t.TempDir(), "new")}
	file, err := e.WriteReport("a", "call_0_x", []byte("<!doctype html>"))
	if err != nil || file != filepath.Join(e.Recordings, "a", "call_0_x.html") {
		t.Fatalf("%s, %v", file, err)
	}
	if c, err := e.Read("ringmaster://recordings/a/call_0_x.html"); err != nil || string(c.Data) != "<!doctype html>" || !c.Text {
		t.Errorf("%+v, %v", c, err)
	}
	if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	write(t, filepath.Join(e.Recordings, "file"), "")
	if _, err := e.WriteReport("file", "x", nil); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("into a file: %v", err)
	}
}
