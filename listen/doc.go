// Package listen hears what a WAV file holds, for the demo and for tests: which
// tones, how loud, and when. It reads files by its own small reader, so that a
// fault in the code that writes recordings cannot hide itself.
//
// Levels are in dBov (RFC 6465 §3.1): 0 dBov is the level of a square wave at
// full scale, so a sine at full scale has -3.01 dBov. Silence is -127 dBov.
package listen
