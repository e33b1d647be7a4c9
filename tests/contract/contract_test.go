package contract_test

import (
	"context"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/phoneproc"
	"ringmaster/tests/contract"
	"ringmaster/tests/fakeworker"
)

func TestMain(m *testing.M) {
	fakeworker.Main()
	goleak.VerifyTestMain(m)
}

func TestFakePhoneInMemory(t *testing.T) {
	contract.Run(t, func(t *testing.T) phone.Phone {
		p := fakeworker.New(fakeworker.Knobs{})
		t.Cleanup(func() {
			if err := p.Shutdown(context.Background(), phone.Shutdown{}); err != nil {
				t.Error(err)
			}
		})
		return p
	})
}

func TestFakePhoneInAProcess(t *testing.T) {
	s := newStarter(t)
	contract.Run(t, func(t *testing.T) phone.Phone {
		w, err := s.Start(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Kill)
		return w
	})
}

func newStarter(t *testing.T, flags ...string) *phoneproc.Starter {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s, err := phoneproc.New(phoneproc.Options{
		Path: self, Args: fakeworker.Args(flags...), Environ: fakeworker.Environ(), StartTimeout: 20 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
