package runs

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"ringmaster/proto/phone"
	"ringmaster/supervisor/fleet"
)

// keeper is a fleet of one phone, x, whose worker is a process of the test's.
type keeper struct {
	phones
	pid int
	did []string
}

func (k *keeper) Status(id phone.ID) (fleet.Status, error) {
	if id != "x" {
		return fleet.Status{}, errors.New("no such phone")
	}
	return fleet.Status{Worker: fleet.WorkerStatus{PID: k.pid, State: fleet.Restarting}}, nil
}

func (k *keeper) Add(_ context.Context, s phone.Settings) (fleet.Status, error) {
	k.did = append(k.did, "add "+string(s.PhoneID))
	return fleet.Status{Registration: phone.Registration{StatusCode: 403}}, nil
}

func (k *keeper) Drop(_ context.Context, id phone.ID, hangup bool) error {
	k.did = append(k.did, fmt.Sprintf("drop %s %v", id, hangup))
	return nil
}

func (k *keeper) Update(_ context.Context, id phone.ID, _ phone.Update) (fleet.Status, phone.Outcome, error) {
	k.did = append(k.did, "update "+string(id))
	return fleet.Status{}, phone.Outcome{Cursor: 3}, nil
}

func TestARunChangesTheFleetByTheRulesOfTheTools(t *testing.T) {
	k := &keeper{}
	c := change{&Runner{Phones: k, Fleet: k, Codecs: func(context.Context) []string { return []string{"PCMA"} }}, func(id phone.ID) error {
		if id == "add" {
			return errors.New("add is the name of a tool")
		}
		return nil
	}}
	good := phone.Settings{PhoneID: "x", Domain: "127.0.0.1:5060", Username: "x", Codecs: []string{"PCMA"}}
	if registration, err := c.Add(t.Context(), good); err != nil || registration.StatusCode != 403 {
		t.Errorf("%+v %v", registration, err)
	}
	for want, mend := range map[string]func(*phone.Settings){
		"the name of a tool": func(s *phone.Settings) { s.PhoneID = "add" },
		"domain":             func(s *phone.Settings) { s.Domain = "a b" },
		"username holds":     func(s *phone.Settings) { s.Username = "x\r\n" },
		"G729":               func(s *phone.Settings) { s.Codecs = []string{"G729"} },
	} {
		bad := good
		mend(&bad)
		if _, err := c.Add(t.Context(), bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	secret, list := phone.NewSecret("a\nb"), []string{"G729"}
	if _, err := c.Update(t.Context(), "x", phone.Update{Password: &secret}); err == nil || strings.Contains(err.Error(), "a\nb") {
		t.Errorf("password: %v", err)
	}
	if _, err := c.Update(t.Context(), "x", phone.Update{Codecs: &list}); err == nil {
		t.Error("codecs that are not built in were taken")
	}
	if out, err := c.Update(t.Context(), "x", phone.Update{}); err != nil || out.Cursor != 3 {
		t.Errorf("%+v %v", out, err)
	}
	if err := c.Drop(t.Context(), "x", true); err != nil {
		t.Error(err)
	}
	if got, want := fmt.Sprint(k.did), "[add x update x drop x true]"; got != want {
		t.Errorf("did %s, want %s", got, want)
	}
}

func TestKillKillsTheWorkerAndNothingElse(t *testing.T) {
	k := &keeper{}
	c := change{runner: &Runner{Phones: k, Fleet: k}}
	if err := c.Kill(t.Context(), "nobody"); err == nil {
		t.Error("nobody was killed")
	}
	if err := c.Kill(t.Context(), "x"); err == nil || !strings.Contains(err.Error(), "no worker to kill: its state is restarting") {
		t.Errorf("%v", err)
	}
	worker := exec.CommandContext(t.Context(), "sleep", "60")
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	k.pid = worker.Process.Pid
	if err := c.Kill(t.Context(), "x"); err != nil {
		t.Error(err)
	}
	if err := worker.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Errorf("%v", err)
	}
}
