package sipnet

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
)

// Of linux/in6.h and linux/errqueue.h, which package syscall does not name.
const (
	ipv6RecvErr   = 25
	originICMP    = 2
	originICMP6   = 3
	extendedError = 16 // bytes of struct sock_extended_err
)

// quoteRoom is how much is read of a datagram that came back: its Via stands
// near its begin.
const quoteRoom = 2048

// watchICMP asks the kernel to keep ICMP errors for the socket. One that will
// not leaves the socket as it was: such errors are then not heard of.
func watchICMP(c *net.UDPConn) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_RECVERR, 1)
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, ipv6RecvErr, 1) // not for an IPv4 socket
	})
}

// takeICMP empties the socket's queue of ICMP errors.
func takeICMP(c *net.UDPConn) []undelivered {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	var found []undelivered
	_ = raw.Control(func(fd uintptr) {
		quote, control := make([]byte, quoteRoom), make([]byte, 256)
		for {
			n, controls, _, to, err := syscall.Recvmsg(int(fd), quote, control, syscall.MSG_ERRQUEUE|syscall.MSG_DONTWAIT)
			if err != nil {
				return
			}
			if why := icmpError(queuedError(control[:controls])); why != nil {
				found = append(found, undelivered{sent: append([]byte(nil), quote[:n]...), to: addrPortOf(to), why: why})
			}
		}
	})
	return found
}

// queuedError is the error number of an ICMP message in the control data of
// recvmsg; 0 when there is none.
func queuedError(control []byte) syscall.Errno {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	for _, m := range messages {
		v4 := m.Header.Level == syscall.IPPROTO_IP && m.Header.Type == syscall.IP_RECVERR
		v6 := m.Header.Level == syscall.IPPROTO_IPV6 && m.Header.Type == ipv6RecvErr
		if (v4 || v6) && len(m.Data) >= extendedError && (m.Data[4] == originICMP || m.Data[4] == originICMP6) {
			return syscall.Errno(binary.NativeEndian.Uint32(m.Data))
		}
	}
	return 0
}

func addrPortOf(a syscall.Sockaddr) netip.AddrPort {
	switch a := a.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *syscall.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr).Unmap(), uint16(a.Port))
	default:
		return netip.AddrPort{}
	}
}
