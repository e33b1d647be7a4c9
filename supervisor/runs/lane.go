package runs

import (
	"context"
	"path/filepath"
	"sync"

	"ringmaster/proto/phone"
	"ringmaster/scenario/engine"
)

// laneBound is how many commands may wait for one phone to take those before
// them, which it does at once unless it hangs.
const laneBound = 256

// lanes are one run's ways to its phones. Each phone has a goroutine that
// begins one command after the other: the next when the phone has taken the
// one before, without waiting for what comes of it.
type lanes struct {
	runner *Runner
	permit func(phone.Command) error
	folder string

	mu      sync.Mutex
	byPhone map[phone.ID]chan<- *job
	running sync.WaitGroup
}

// job is one command on its way.
type job struct {
	ctx   context.Context //nolint:containedctx // the command's, which travels with it
	cmd   phone.Command
	taken chan struct{} // closed when pending and err are set

	pending phone.Pending
	err     error
}

// Begin implements engine.Phones.
func (l *lanes) Begin(ctx context.Context, id phone.ID, cmd phone.Command) engine.Answer {
	cmd = l.located(cmd)
	if l.permit != nil {
		if err := l.permit(cmd); err != nil {
			return refusal(err)
		}
	}
	j := &job{ctx: ctx, cmd: cmd, taken: make(chan struct{})}
	select {
	case l.lane(id) <- j:
	default:
		return refusal(phone.Errorf(phone.Exhausted, "phone %s does not take its commands: %d of this run wait for it", id, laneBound))
	}
	return func() (phone.Outcome, error) {
		<-j.taken // soon, or soon after ctx ends: the fleet sees to it
		if j.err != nil {
			return phone.Outcome{}, j.err
		}
		out, err := j.pending()
		if err == nil && out.Call != nil {
			l.runner.Hub.NoteCall(id, out.Call.CallID)
		}
		return out, err
	}
}

// located finds the file of a play_audio from the folder of its scenario.
func (l *lanes) located(cmd phone.Command) phone.Command {
	play, ok := cmd.(phone.PlayAudio)
	if !ok || l.folder == "" || play.FilePath == musicOnHold || filepath.IsAbs(play.FilePath) {
		return cmd
	}
	play.FilePath = filepath.Join(l.folder, play.FilePath)
	return play
}

// musicOnHold is the one name of a sound that is no file.
const musicOnHold = "music-on-hold"

func refusal(err error) engine.Answer {
	return func() (phone.Outcome, error) { return phone.Outcome{}, err }
}

// Known implements engine.Phones.
func (l *lanes) Known(id phone.ID) (phone.Registration, bool) {
	st, err := l.runner.Phones.Status(id)
	return st.Registration, err == nil
}

func (l *lanes) lane(id phone.ID) chan<- *job {
	l.mu.Lock()
	defer l.mu.Unlock()
	if lane, ok := l.byPhone[id]; ok {
		return lane
	}
	lane := make(chan *job, laneBound)
	l.byPhone[id] = lane
	l.running.Go(func() {
		for j := range lane {
			j.pending, j.err = l.runner.Phones.Begin(j.ctx, id, j.cmd)
			close(j.taken)
		}
	})
	return lane
}

// close ends the lanes of a run that is over.
func (l *lanes) close() {
	l.mu.Lock()
	for _, lane := range l.byPhone {
		close(lane)
	}
	l.mu.Unlock()
	l.running.Wait()
}
