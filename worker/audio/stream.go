package audio

import (
	"errors"
	"sync"
	"sync/atomic"

	"ringmaster/proto/artifact"
	"ringmaster/proto/phone"
	"ringmaster/worker/dtmf"
	"ringmaster/worker/recorder"
	"ringmaster/worker/rtpsession"
)

// Sink is told what happens to a stream. It is called from the clock or from a
// reader goroutine and must not block; nor may it call Close, which waits for
// the reader. A call from the clock may still come just after Close.
type Sink interface {
	DTMFReceived(digit string)
	DTMFSent(digits string) // a whole SendDTMF is on the wire
	PlayEnded(file string)  // a file was played to its end; music goes on
	MediaStarted()          // the first RTP packet has arrived
	MediaError(err error)   // playing or recording cannot go on
	// MediaSilence: audio may come and was below -60 dBov for 3 s ("quiet"),
	// or no RTP packet came for 2 s ("no_rtp").
	MediaSilence(why string)
	MediaResumed() // it is heard again
}

// Errors of SendDTMF that a caller may want to tell apart.
var (
	ErrNoEvents  = errors.New("the far end does not take telephone-event")
	ErrNoMedia   = errors.New("the call has no media yet")
	ErrNoSending = errors.New("the call is on hold: nothing may be sent")
	ErrClosed    = errors.New("the call's media is closed")
)

// Stream is the media of one call. Its methods may be called from any
// goroutine; they do not wait for the clock.
type Stream struct {
	engine  *Engine
	session *rtpsession.Session

	// Published by the methods, read by the clock and the reader.
	plan    atomic.Pointer[plan]
	playing atomic.Pointer[playing]
	tap     atomic.Pointer[tap]
	group   atomic.Pointer[group]
	digits  digitQueue

	// Published by the reader.
	packets packetQueue
	heard   atomic.Bool // a packet has arrived, ever
	fresh   atomic.Bool // since the last tick

	sounds sounds // the clock's, for all to ask

	events dtmf.Receiver // the reader's
	leg    leg           // the clock's

	mu     sync.Mutex // between the methods
	closed bool
}

// LocalPort is the port that receives RTP; RTCP has the next one.
func (s *Stream) LocalPort() int { return s.session.Port() }

// Apply starts the stream, or changes it, after an offer was answered. From
// then on music on hold is sent, unless something else plays.
func (s *Stream) Apply(m Params, sink Sink) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	before := s.plan.Load()
	p, err := newPlan(m, sink, before)
	if err != nil {
		return err
	}
	if err := s.session.Protect(p.SRTP); err != nil {
		return err
	}
	s.session.SetRemote(p.Remote, p.RemoteRTCP)
	if before == nil {
		s.playing.CompareAndSwap(nil, newMusic(m.Send.SampleRate))
	}
	s.plan.Store(p)
	s.engine.log.Debug("media", "local_port", s.LocalPort(), "remote", p.Remote, "codec", m.Send.Name,
		"srtp", m.SRTP.Suite, "may_send", m.MaySend, "may_receive", m.MayReceive)
	if before == nil {
		s.session.Start((*reader)(s))
		return s.engine.begin(s)
	}
	return nil
}

// Play plays a WAV file from its begin, in place of what plays now, once or for
// ever. The file is opened and its header checked before it returns.
func (s *Stream) Play(path string, loop bool) error {
	if path == MusicOnHold {
		s.PlayMusic()
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	rate := 8000
	if p := s.plan.Load(); p != nil {
		rate = p.Send.SampleRate
	}
	next, err := s.engine.openFile(path, rate, loop, func(err error) {
		if p := s.plan.Load(); p != nil {
			p.sink.MediaError(err)
		}
	})
	if err != nil {
		return err
	}
	s.replace(next)
	return nil
}

// PlayMusic plays music on hold from its begin, unless it plays already.
func (s *Stream) PlayMusic() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.playing.Load(); s.closed || now != nil && now.music != nil {
		return
	}
	rate := 8000
	if p := s.plan.Load(); p != nil {
		rate = p.Send.SampleRate
	}
	s.replace(newMusic(rate))
}

// Playing is what plays: MusicOnHold, a file's path, or "" before Apply.
func (s *Stream) Playing() string {
	p := s.playing.Load()
	if p == nil || s.plan.Load() == nil {
		return ""
	}
	return p.name
}

func (s *Stream) replace(next *playing) {
	if before := s.playing.Swap(next); before != nil {
		before.stop()
	}
}

// SendDTMF queues digits (0-9, *, #, A-D, a comma for a pause of two seconds)
// to be sent as RTP events; audio is not sent meanwhile. ErrNoEvents tells that
// the far end would not understand them.
func (s *Stream) SendDTMF(digits string) error {
	digits, err := dtmf.Normalize(digits)
	if err != nil {
		return err
	}
	switch p := s.plan.Load(); {
	case p == nil:
		return ErrNoMedia
	case !p.canSendDigits():
		return ErrNoEvents
	case !p.MaySend:
		return ErrNoSending
	}
	return s.digits.push(digits)
}

// StartRecording begins to record both directions, mixed, into a new file at
// path. The file's rate is that of the codec now in use.
func (s *Stream) StartRecording(path string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.plan.Load() == nil:
		return ErrNoMedia
	case s.tap.Load() != nil:
		return errors.New("the call is being recorded already")
	}
	rate := recorder.RateFor(s.plan.Load().Send.SampleRate)
	segment, err := s.engine.recorder.Start(path, rate, func(err error) {
		s.plan.Load().sink.MediaError(err)
	})
	if err != nil {
		return err
	}
	s.tap.Store(newTap(segment))
	return nil
}

// StopRecording ends the recording. It returns when the file is complete.
func (s *Stream) StopRecording() (recorder.Result, error) { return s.closeRecording(nil) }

// FinishRecording is StopRecording with a sidecar, written beside the file.
func (s *Stream) FinishRecording(sidecar artifact.Sidecar) (recorder.Result, error) {
	return s.closeRecording(&sidecar)
}

// ErrNotRecording is returned when there is no recording to stop.
var ErrNotRecording = errors.New("the call is not being recorded")

func (s *Stream) closeRecording(sidecar *artifact.Sidecar) (recorder.Result, error) {
	t := s.tap.Swap(nil)
	if t == nil {
		return recorder.Result{}, ErrNotRecording
	}
	return t.segment.Close(sidecar)
}

// Recording is the file being written and its size in bytes so far; "" when
// there is none.
func (s *Stream) Recording() (path string, size int64) {
	t := s.tap.Load()
	if t == nil {
		return "", 0
	}
	return t.segment.Path(), t.segment.Size()
}

// Stats is what was counted so far. It stays after Close.
func (s *Stream) Stats() phone.RTPStats { return s.session.Stats() }

// Close says goodbye by RTCP and frees the ports. A recording that is still
// open is closed, without a sidecar.
func (s *Stream) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	s.mu.Unlock()
	s.engine.end(s)
	s.replace(nil)
	s.session.Close()
	_, _ = s.closeRecording(nil) // there may be none; a failure was told to the sink
}
