package sipnet

import (
	"net"
	"strconv"

	"ringmaster/proto/phone"
)

// CheckPort reports whether an endpoint could listen on a port now, with
// Listen's error when it could not. It binds the port for a moment.
func CheckPort(t phone.Transport, port int) error {
	if port == 0 {
		return nil
	}
	addr := net.JoinHostPort("", strconv.Itoa(port))
	if t == phone.UDP {
		c, err := net.ListenPacket("udp", addr)
		if err != nil {
			return bindError(port, err)
		}
		return c.Close()
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return bindError(port, err)
	}
	return l.Close()
}
