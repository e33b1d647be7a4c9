// Package sdp reads session descriptions (RFC 8866) as telephones send them,
// and writes them as the RFC wants them.
//
// Reading forgives what PBXs and phones are known to send: lines out of order,
// missing v=, s= or t=, no final line end, bare line feeds, m= of any type or
// protocol, blanks in the o= user name, lines of no known letter. That is why
// it is not pion/sdp, which refuses a whole description for any of these.
package sdp
