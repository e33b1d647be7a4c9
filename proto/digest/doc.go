// Package digest answers and issues SIP digest challenges: RFC 3261 §22 with
// the algorithms of RFC 7616 and RFC 8760.
//
// The arithmetic of a response is icholy/digest's. Ours is what it leaves to
// its caller or does too narrowly for SIP:
//
//   - choosing among several challenges, remembering nonces, counting nc;
//   - reading: it takes only letters, digits and "-" in an unquoted value,
//     knows keys in lower case only, and keeps the blank of "auth-int, auth";
//   - writing: it quotes by Go's rules, which turn some Unicode text into
//     escapes that no server reads, and it drops an empty opaque;
//   - the -sess algorithms, which it does not know: it is given their A1.
package digest
