package sipnet

import (
	"bytes"
	"errors"
	"strconv"
)

// maxMessage bounds one message on a stream, in bytes; the parser has the
// same bound.
const maxMessage = 65535

var errTooLong = errors.New("a message longer than 65,535 bytes")

// framer cuts a byte stream into messages by Content-Length (RFC 3261 §18.3).
type framer struct {
	buf       []byte
	lineEnds  int // CRLFs since the last message
	pingCount int // double CRLFs not yet taken
}

func (f *framer) add(data []byte) { f.buf = append(f.buf, data...) }

// next gives the next whole message, nil when more bytes are needed. After an
// error the stream has no boundary to go on from: close it.
func (f *framer) next() ([]byte, error) {
	f.skipLineEnds()
	head := bytes.Index(f.buf, []byte("\r\n\r\n"))
	if head < 0 {
		if len(f.buf) > maxMessage {
			return nil, errTooLong
		}
		return nil, nil
	}
	head += 4
	body, err := contentLength(f.buf[:head])
	if err != nil {
		return nil, err
	}
	if body > maxMessage-head {
		return nil, errTooLong
	}
	if len(f.buf) < head+body {
		return nil, nil
	}
	msg := bytes.Clone(f.buf[:head+body])
	f.buf = append(f.buf[:0], f.buf[head+body:]...)
	f.lineEnds = 0
	return msg, nil
}

// pings tells how many keep-alive pings (RFC 5626 §3.5.1: CRLF CRLF) came
// since it was last asked.
func (f *framer) pings() int {
	n := f.pingCount
	f.pingCount = 0
	return n
}

func (f *framer) skipLineEnds() {
	for len(f.buf) >= 2 && f.buf[0] == '\r' && f.buf[1] == '\n' {
		f.buf = f.buf[2:]
		f.lineEnds++
		if f.lineEnds%2 == 0 {
			f.pingCount++
		}
	}
}

// contentLength reads the header of that name, or its short form l. A message
// without one has no body.
func contentLength(head []byte) (int, error) {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		name = bytes.TrimSpace(name)
		if !ok || !bytes.EqualFold(name, []byte("Content-Length")) && !bytes.EqualFold(name, []byte("l")) {
			continue
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 31)
		if err != nil {
			return 0, errors.New("a Content-Length that is no number")
		}
		return int(n), nil
	}
	return 0, nil
}
