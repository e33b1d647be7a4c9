// Package wire sees what is really sent on loopback: RTP packets, or the
// datagrams of a port, with the time at which the kernel passed them on. It
// needs the right to open packet sockets (CAP_NET_RAW).
package wire
