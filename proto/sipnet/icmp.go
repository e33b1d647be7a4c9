package sipnet

import (
	"bytes"
	"errors"
	"net/netip"
	"strings"
	"syscall"
)

// undelivered is a datagram that the network has given back.
type undelivered struct {
	sent []byte // its begin, as much as the ICMP message quotes
	to   netip.AddrPort
	why  error
}

// ICMP errors by what they say of the far end. Others (TTL exceeded, source
// quench, a datagram too long) are no failures to send: RFC 3261 §18.4.
var (
	errPort    = errors.New("nothing listens there (ICMP: port unreachable)")
	errHost    = errors.New("the host cannot be reached (ICMP: host unreachable)")
	errNetwork = errors.New("the network cannot be reached (ICMP: network unreachable)")
	errRefused = errors.New("it is not allowed to send there (ICMP: prohibited)")
)

// icmpError is what an error number of the kernel's ICMP queue means; nil is
// no failure to send.
func icmpError(number syscall.Errno) error {
	switch number {
	case syscall.ECONNREFUSED, syscall.ENOPROTOOPT:
		return errPort
	case syscall.EHOSTUNREACH, syscall.EHOSTDOWN:
		return errHost
	case syscall.ENETUNREACH:
		return errNetwork
	case syscall.EACCES:
		return errRefused
	default:
		return nil
	}
}

// ofAnother says whether an error of a socket that is not connected may be the
// news of an earlier datagram.
func ofAnother(err error) bool {
	var number syscall.Errno
	return errors.As(err, &number) && icmpError(number) != nil
}

// TransactionOf reads the method and the top branch of a request whose end may
// be missing; false for a response, and for what has too little left.
func TransactionOf(sent []byte) (method, branch string, ok bool) {
	start, rest, _ := bytes.Cut(sent, []byte("\r\n"))
	method, _, ok = strings.Cut(string(start), " ")
	if !ok || strings.HasPrefix(method, "SIP/") {
		return "", "", false
	}
	for {
		line, after, whole := bytes.Cut(rest, []byte("\r\n"))
		if !whole || len(line) == 0 {
			return "", "", false
		}
		if name, value, _ := strings.Cut(string(line), ":"); strings.EqualFold(name, "Via") || strings.EqualFold(name, "v") {
			branch, ok = topBranch(value)
			return method, branch, ok
		}
		rest = after
	}
}

// topBranch is the branch of the first of the Vias in a header.
func topBranch(vias string) (string, bool) {
	first, _, _ := strings.Cut(vias, ",")
	for param := range strings.SplitSeq(first, ";") {
		if key, value, found := strings.Cut(param, "="); found && strings.EqualFold(strings.TrimSpace(key), "branch") {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}
