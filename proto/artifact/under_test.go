package artifact

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestOpenUnder(t *testing.T) {
	root := t.TempDir()
	in := filepath.Join(root, "in")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(in, "deep"), 0o755),
		os.WriteFile(filepath.Join(root, "out.wav"), []byte("secret"), 0o600), os.WriteFile(filepath.Join(in, "deep", "x.wav"), []byte("sound"), 0o600),
		os.Symlink("../out.wav", filepath.Join(in, "link.wav")), os.Symlink("deep/x.wav", filepath.Join(in, "good.wav")),
		os.Symlink(filepath.Join(in, "deep"), filepath.Join(in, "absolute")), os.Symlink(in, filepath.Join(root, "way")),
		syscall.Mkfifo(filepath.Join(in, "fifo.wav"), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	way := filepath.Join(root, "way")
	for path, want := range map[string]bool{
		in + "/deep/x.wav": true, in + "/good.wav": true, way + "/good.wav": true, in + "/absolute/x.wav": true, in + "/deep/../good.wav": true,
		in + "/link.wav": false, root + "/out.wav": false, in + "/../out.wav": false, in + "/none.wav": false, in: false, in + "/deep": false,
		in + "/fifo.wav": false, "": false, in + "/x\x00.wav": false, "/dev/null": false,
	} {
		for _, folder := range []string{in, way, in + "/"} {
			f, err := OpenUnder(folder, path)
			if (err == nil) != want || err != nil && !errors.Is(err, ErrOutside) {
				t.Errorf("%q under %s: %v", path, folder, err)
			}
			if err != nil {
				continue
			}
			if data, err := io.ReadAll(f); err != nil || string(data) != "sound" {
				t.Errorf("%q: %q, %v", path, data, err)
			}
			f.Close()
		}
	}
	t.Chdir(root)
	if f, err := OpenUnder("in", "in/good.wav"); err != nil {
		t.Errorf("by relative paths: %v", err)
	} else {
		f.Close()
	}
	if _, err := OpenUnder(filepath.Join(root, "none"), in+"/good.wav"); !errors.Is(err, ErrOutside) {
		t.Errorf("under a folder that is not there: %v", err)
	}
}

// A link that is turned again and again, while it is looked at and opened,
// never leads out.
func TestOpenUnderALinkThatIsTurned(t *testing.T) {
	root := t.TempDir()
	in, out := filepath.Join(root, "in"), filepath.Join(root, "out")
	for dir, text := range map[string]string{filepath.Join(in, "good"): "sound", out: "secret"} {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "x.wav"), []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	turn := func(to string) error {
		half := filepath.Join(in, "half")
		return errors.Join(os.Symlink(to, half), os.Rename(half, filepath.Join(in, "way")))
	}
	if err := turn("good"); err != nil {
		t.Fatal(err)
	}
	const turns = 2000
	turned := make(chan error, 1)
	go func() {
		for range turns {
			if err := errors.Join(turn("../out"), turn("good")); err != nil {
				turned <- err
				return
			}
		}
		turned <- nil
	}()
	opened := 0
	for {
		f, err := OpenUnder(in, filepath.Join(in, "way", "x.wav"))
		if err == nil {
			data, err := io.ReadAll(f)
			f.Close()
			if opened++; err != nil || string(data) != "sound" {
				t.Fatalf("it led to %q, %v", data, err)
			}
		}
		select {
		case err := <-turned:
			if err != nil || opened == 0 {
				t.Errorf("opened %d times, %v", opened, err)
			}
			return
		default:
		}
	}
}
