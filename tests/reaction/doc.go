// Package reaction measures how fast a scenario reacts, on the wire: a peer
// sends a phone a MESSAGE, and a hook lets the same phone, or another one, send
// a MESSAGE to the peer. The time is from the packet that comes in to the packet
// that goes out, both by the kernel's clock and in one capture; between them lie
// the phone's worker, the supervisor's hub and engine, and the worker that
// reacts.
//
//	peer ──MESSAGE──► a ──im.received──► supervisor ──send_message──► a or b ──MESSAGE──► peer
//	      (in)                                                                (out)
package reaction
