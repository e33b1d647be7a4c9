package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// receiveBuffer holds some seconds of many calls, for when the reader is
	// not scheduled. The kernel doubles it.
	receiveBuffer = 8 << 20
	// stopEvery is how often the reader looks whether it is to stop.
	stopEvery = 50 * time.Millisecond
)

// Tap collects packets on loopback, as Ts.
type Tap[T any] struct {
	fd      int
	parse   func(at time.Time, ip []byte) (T, bool)
	stop    atomic.Bool
	done    chan struct{}
	packets []T   // of the reader until done is closed
	err     error // likewise
}

// Open starts collecting RTP packets. An error that is unix.EPERM means that
// the right to do so is missing.
func Open() (*Tap[Packet], error) { return open(parseRTP) }

// OpenUDP starts collecting the datagrams from and to one UDP port; otherwise
// it is as Open.
func OpenUDP(port int) (*Tap[Datagram], error) {
	return open(func(at time.Time, ip []byte) (Datagram, bool) {
		d, ok := parseUDP(at, ip)
		return d, ok && (d.From == port || d.To == port)
	})
}

func open[T any](parse func(at time.Time, ip []byte) (T, bool)) (*Tap[T], error) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		return nil, err
	}
	ipv4 := uint16(unix.ETH_P_IP>>8 | unix.ETH_P_IP&0xff<<8) // network byte order
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(ipv4))
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	timeout := unix.NsecToTimeval(int64(stopEvery))
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout),
		unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: ipv4, Ifindex: lo.Index}),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("preparing the packet socket: %w", err), unix.Close(fd))
	}
	t := &Tap[T]{fd: fd, parse: parse, done: make(chan struct{})}
	go t.read()
	return t, nil
}

// Close stops collecting and returns what was collected, in order of time.
func (t *Tap[T]) Close() ([]T, error) {
	t.stop.Store(true)
	<-t.done
	return t.packets, errors.Join(t.err, unix.Close(t.fd))
}

func (t *Tap[T]) read() {
	defer close(t.done)
	buf, control := make([]byte, 65536), make([]byte, 256)
	for {
		flags := 0
		if t.stop.Load() {
			flags = unix.MSG_DONTWAIT // what has come, and no more
		}
		n, controlLength, _, from, err := unix.Recvmsg(t.fd, buf, control, flags)
		switch {
		case errors.Is(err, unix.EAGAIN) && flags != 0:
			return
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			t.err = fmt.Errorf("reading the packet socket: %w", err)
			return
		}
		// A socket for one protocol is shown what comes in, and on loopback
		// everything does, once.
		if link, is := from.(*unix.SockaddrLinklayer); !is || link.Pkttype != unix.PACKET_HOST {
			continue
		}
		at, err := stamp(control[:controlLength])
		if err != nil {
			t.err = err
			return
		}
		if p, wanted := t.parse(at, buf[:n]); wanted {
			t.packets = append(t.packets, p)
		}
	}
}

// stamp finds the kernel's time in a message's control data.
func stamp(control []byte) (time.Time, error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return time.Time{}, err
	}
	for _, m := range messages {
		// Two 64-bit words: seconds and nanoseconds since 1970.
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) == 16 {
			return time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:]))), nil
		}
	}
	return time.Time{}, errors.New("a packet came without the kernel's time")
}
