//go:build !linux

package sipnet

import "net"

// Elsewhere a socket that is not connected hears of no ICMP errors.
func watchICMP(*net.UDPConn) {}

func takeICMP(*net.UDPConn) []undelivered { return nil }
