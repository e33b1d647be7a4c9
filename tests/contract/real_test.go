package contract_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"

	"ringmaster/proto/phone"
	"ringmaster/proto/phonewire"
	"ringmaster/supervisor/phoneproc"
	"ringmaster/tests/contract"
	"ringmaster/tests/mcpclient"
	"ringmaster/worker/handset"
)

func TestRealPhoneInMemory(t *testing.T) {
	contract.Run(t, func(t *testing.T) phone.Phone {
		h := handset.New("Ringmaster/test", hclog.NewNullLogger())
		t.Cleanup(h.Close)
		return h
	})
}

func TestRealPhoneInAProcess(t *testing.T) {
	programs, err := mcpclient.FindPrograms()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := programs.Remove(); err != nil {
			t.Error(err)
		}
	})
	s, err := phoneproc.New(phoneproc.Options{
		Path: filepath.Join(programs.Dir, "phoneworker"), Version: phonewire.Version, StartTimeout: 20 * time.Second,
		// A program with the race detector would sleep a second when it ends.
		Environ: []string{"GORACE=atexit_sleep_ms=0"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	contract.Run(t, func(t *testing.T) phone.Phone {
		w, err := s.Start(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Kill)
		return w
	})
}
