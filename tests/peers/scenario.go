package peers

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"text/template"
)

// words makes what scenarios use in the place of messages, so that a file of
// SIPp's XML says only what is special about it. When the phone calls:
//
//	{{invited}}             receives an INVITE and keeps what its answers repeat; further words are checks
//	{{reply "180 Ringing"}} answers that INVITE with the tag "peer"
//	{{forked "x" "180 …"}}  answers it with another tag
//	{{inner "491 …"}}       answers a re-INVITE that was received by invited
//	{{request "INVITE" 2}}  a request of SIPp's within the call, with its CSeq
//
// When SIPp calls:
//
//	{{begin "INVITE"}}      begins a call
//	{{cancel}} {{ack}}      the CANCEL of that INVITE, the ACK of its refusal
//	{{next "BYE" 2}}        a request within the call
//	{{again "OPTIONS" 2}}   a request outside it
//	{{lost "BYE" 3}}        a request of a call that there is not
//
// And for both:
//
//	{{answer "200 OK"}}     answers the message received last; {{answerto …}} adds the tag "peer"
//	{{check "To" "regexp"}} a header, the "body" or all ("msg") of what is received must match
//	{{sdp "sendrecv"}}      a description; further words are formats (0 8 101), c=ADDRESS, port=N, v=VERSION
//	{{line "a" "b"}}        lines of a body
//
// Further strings after a message are headers of it, or, when they hold a line
// break, its body.
func words() template.FuncMap {
	return template.FuncMap{
		"invited": func(checks ...string) string { return invited + strings.Join(checks, "") + "</action></recv>" },
		"check":   check,
		"reply":   reply,
		"forked": func(tag, status string, parts ...string) string {
			return send(statusLine(status)+"\n"+caller(tag), parts)
		},
		"answer": func(status string, parts ...string) string {
			return send(statusLine(status)+"\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]\n"+contact, parts)
		},
		"inner": func(status string, parts ...string) string {
			return send(statusLine(status)+"\nVia:[$via]\nFrom:[$from]\nTo:[$to]\nCall-ID: [call_id]\nCSeq:[$cseq]\n"+contact, parts)
		},
		"answerto": func(status string, parts ...string) string {
			return send(statusLine(status)+"\n[last_Via:]\n[last_From:]\n[last_To:];tag=peer\n[last_Call-ID:]\n[last_CSeq:]\n"+contact, parts)
		},
		"request": func(method string, seq int, parts ...string) string {
			return send(requestLine(method, "[next_url]")+fmt.Sprintf("From: <sip:peer@[local_ip]:[local_port]>;tag=peer\nTo:[$from]\nCall-ID: [call_id]\nCSeq: %d %s\nMax-Forwards: 70\n%s", seq, method, contact), parts)
		},
		"begin": func(method string, parts ...string) string { return begin(method, 1, "", parts) },
		"again": func(method string, seq int, parts ...string) string { return begin(method, seq, "", parts) },
		"next": func(method string, seq int, parts ...string) string {
			return begin(method, seq, "[peer_tag_param]", parts)
		},
		"cancel": func() string { return sameTransaction("CANCEL", "") },
		"ack":    func() string { return sameTransaction("ACK", "[peer_tag_param]") },
		"lost":   func(method string, seq int) string { return begin(method, seq, ";tag=nobody", nil) },
		"sdp":    description,
		"line":   func(lines ...string) string { return strings.Join(lines, "\n") },
	}
}

const (
	phoneURI = "sip:a@[remote_ip]:[remote_port]"
	contact  = "Contact: <sip:peer@[local_ip]:[local_port]>\n"
	invited  = `<recv request="INVITE" rrs="true"><action>
<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>
<ereg regexp=".*" search_in="hdr" header="From:" assign_to="from"/>
<ereg regexp=".*" search_in="hdr" header="To:" assign_to="to"/>
<ereg regexp=".*" search_in="hdr" header="CSeq:" assign_to="cseq"/>
`
)

// fill reads a scenario of sipp/ and puts messages in the place of words.
func fill(name string, values map[string]any) (string, error) {
	path := filepath.Join("sipp", name+".xml")
	t, err := template.New(filepath.Base(path)).Funcs(words()).Option("missingkey=error").ParseFiles(path)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, values); err != nil {
		return "", err
	}
	text := `<?xml version="1.0" encoding="UTF-8"?>` + "\n<scenario name=\"" + name + "\">\n"
	text += b.String()
	if strings.Contains(text, `assign_to="via"`) {
		text += "<Reference variables=\"via,from,to,cseq\"/>\n"
	}
	if strings.Contains(text, `assign_to="checked"`) {
		text += "<Reference variables=\"checked\"/>\n"
	}
	return text + "</scenario>\n", nil
}

func statusLine(status string) string { return "SIP/2.0 " + status }

func requestLine(method, uri string) string {
	return fmt.Sprintf("%s %s SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n", method, uri)
}

// caller is what a response repeats of the INVITE.
func caller(tag string) string {
	return "Via:[$via]\nFrom:[$from]\nTo:[$to];tag=" + tag + "\nCall-ID: [call_id]\nCSeq:[$cseq]\n" + contact
}

func reply(status string, parts ...string) string {
	return send(statusLine(status)+"\n"+caller("peer"), parts)
}

func begin(method string, seq int, toTag string, parts []string) string {
	uri := phoneURI
	if toTag == "[peer_tag_param]" {
		uri = "[next_url]"
	}
	line := requestLine(method, uri)
	if method == "INVITE" && toTag == "" {
		line = inviteBranch(line)
	}
	return send(line+fmt.Sprintf(
		"From: <sip:peer@[local_ip]:[local_port]>;tag=peer\nTo: <%s>%s\nCall-ID: [call_id]\nCSeq: %d %s\nMax-Forwards: 70\n%s",
		phoneURI, toTag, seq, method, contact), parts)
}

// inviteBranch gives a request the branch of the INVITE that begins the call.
func inviteBranch(head string) string {
	return strings.Replace(head, "[branch]", "z9hG4bK[pid]invite", 1)
}

// sameTransaction is a CANCEL, or the ACK of a refusal: it has the INVITE's
// branch.
func sameTransaction(method, toTag string) string {
	return send(inviteBranch(requestLine(method, phoneURI))+fmt.Sprintf("From: <sip:peer@[local_ip]:[local_port]>;tag=peer\nTo: <%s>%s\nCall-ID: [call_id]\nCSeq: 1 %s\nMax-Forwards: 70\n", phoneURI, toTag, method), nil)
}

// send finishes a message: parts are headers, and a body.
func send(head string, parts []string) string {
	body := ""
	for _, p := range parts {
		if strings.Contains(p, "\n") {
			body = p
			if !strings.Contains(head, "Content-Type:") {
				head += "Content-Type: application/sdp\n"
			}
			continue
		}
		head += p + "\n"
	}
	return "<send><![CDATA[\n" + head + "Content-Length: [len]\n\n" + body + "\n]]></send>"
}

// check makes a header of a received message, its "body" or all of it ("msg")
// match a regular expression.
func check(where, pattern string) string {
	pattern = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;").Replace(pattern)
	search := fmt.Sprintf(`search_in="hdr" header="%s:"`, where)
	if where == "body" || where == "msg" {
		search = fmt.Sprintf(`search_in="%s"`, where)
	}
	return fmt.Sprintf(`<ereg regexp="%s" %s check_it="true" assign_to="checked"/>`, pattern, search)
}

// description is SDP with a direction; more words change it.
func description(direction string, more ...string) string {
	formats, address, port, version := []string{}, "[media_ip]", "[media_port]", "1"
	for _, w := range more {
		switch name, value, _ := strings.Cut(w, "="); name {
		case "c":
			address = value
		case "port":
			port = value
		case "v":
			version = value
		default:
			formats = append(formats, w)
		}
	}
	if len(formats) == 0 {
		formats = []string{"0", "101"}
	}
	lines := []string{
		"v=0", "o=peer 1 " + version + " IN IP4 [local_ip]", "s=-", "c=IN IP4 " + address, "t=0 0",
		"m=audio " + port + " RTP/AVP " + strings.Join(formats, " "),
	}
	for _, f := range formats {
		if name := map[string]string{"0": "PCMU/8000", "8": "PCMA/8000", "9": "G722/8000", "18": "G729/8000", "101": "telephone-event/8000"}[f]; name != "" {
			lines = append(lines, "a=rtpmap:"+f+" "+name)
		}
	}
	return strings.Join(append(lines, "a="+direction), "\n") + "\n"
}
