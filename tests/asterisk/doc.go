// Package asterisk runs an Asterisk of its own for a test: on loopback, on
// free ports, with configuration, sockets and logs in the test's temporary
// folder. It ends with the test and leaves nothing behind.
//
// The program and its modules come from the folder that
// scripts/install-asterisk prints. They run without chroot, by the dynamic
// loader of that folder, so that no test needs root.
//
// What the phones find there:
//
//	6000         user whose digits travel by INFO
//	6001, 6002   users, digest MD5
//	6003         user, digest SHA-256, bindings of 10 seconds at most
//	6004         user with SRTP, reached through the connection that it makes
//	6005         user with SRTP, whom Asterisk offers HMAC_SHA1_32
//	6006         user who may only have PCMU
//	6007, 6008   users whose sound may go past Asterisk
//	600x         Dial between users; MESSAGE likewise
//	7001         echo
//	7002         busy: 486
//	7003         rings for ever
//	7004         answers and hangs up one second later
//	7005         answers and plays 1004 Hz
//	7006         rings for a second, then answers with echo
//	7007         no circuit: 503
//	all else     404
package asterisk
