package sipnet

import (
	"strings"
	"testing"
)

func TestFramer(t *testing.T) {
	const (
		empty = "OPTIONS sip:b SIP/2.0\r\nContent-Length: 0\r\n\r\n"
		none  = "OPTIONS sip:b SIP/2.0\r\nTo: x\r\n\r\n"
		short = "OPTIONS sip:b SIP/2.0\r\nl : 3\r\n\r\nabc"
		body  = "OPTIONS sip:b SIP/2.0\r\nContent-length:4\r\n\r\n\r\n\r\n"
	)
	for _, row := range []struct {
		name, stream string
		want         []string
		pings        int
		fails        bool
	}{
		{"nothing", "", nil, 0, false},
		{"one", empty, []string{empty}, 0, false},
		{"without a length", none + none, []string{none, none}, 0, false},
		{"short form", short + empty, []string{short, empty}, 0, false},
		{"line ends in the body", body + empty, []string{body, empty}, 0, false},
		{"ping between", empty + "\r\n\r\n" + empty, []string{empty, empty}, 1, false},
		{"two pings", "\r\n\r\n\r\n\r\n", nil, 2, false},
		{"pong and stray line end", "\r\n" + empty + "\r\n" + empty, []string{empty, empty}, 0, false},
		{"length that is no number", "X\r\nContent-Length: ten\r\n\r\n", nil, 0, true},
		{"negative length", "X\r\nContent-Length: -1\r\n\r\n", nil, 0, true},
		{"length past the bound", "X\r\nContent-Length: 65535\r\n\r\n", nil, 0, true},
		{"endless header", strings.Repeat("x", maxMessage+1), nil, 0, true},
	} {
		for _, chunk := range []int{1, 2, 3, 7, len(row.stream) + 1} {
			var f framer
			var got []string
			pings := 0
			err := func() error {
				for rest := row.stream; rest != ""; {
					n := min(chunk, len(rest))
					f.add([]byte(rest[:n]))
					rest = rest[n:]
					for {
						msg, err := f.next()
						if err != nil {
							return err
						}
						pings += f.pings()
						if msg == nil {
							break
						}
						got = append(got, string(msg))
					}
				}
				return nil
			}()
			if strings.Join(got, "|") != strings.Join(row.want, "|") || pings != row.pings || err != nil != row.fails {
				t.Errorf("%s in pieces of %d: %q, %d pings, error %v", row.name, chunk, got, pings, err)
			}
			if chunk == 1 && len(row.stream) > 1000 {
				break // once byte by byte is enough of a long one
			}
		}
	}
}
