package sipnet

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Head is a request as it is sent, without its body. ParseRequest reads it.
func Head(req *sip.Request) []byte {
	head := req.Clone()
	head.SetBody(nil)
	return encode(head)
}

// encode writes a message, with a Content-Length that is true at its end,
// whatever length it was made with.
func encode(msg sip.Message) []byte {
	var out bytes.Buffer
	var headers []sip.Header
	switch m := msg.(type) {
	case *sip.Request:
		m.StartLineWrite(&out)
		headers = m.Headers()
	case *sip.Response:
		m.StartLineWrite(&out)
		headers = m.Headers()
	}
	out.WriteString("\r\n")
	for _, h := range headers {
		if strings.EqualFold(h.Name(), "Content-Length") || strings.EqualFold(h.Name(), "l") {
			continue
		}
		out.WriteString(h.Name())
		out.WriteString(": ")
		out.WriteString(h.Value())
		out.WriteString("\r\n")
	}
	out.WriteString("Content-Length: ")
	out.WriteString(strconv.Itoa(len(msg.Body())))
	out.WriteString("\r\n\r\n")
	out.Write(msg.Body())
	return out.Bytes()
}
