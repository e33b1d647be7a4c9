package siptx

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// serverKey names the server transaction that a request belongs to
// (RFC 3261 §17.2.3): branch, sent-by and method, an ACK belonging to its
// INVITE. A request of an RFC 2543 client, whose branch is not unique, is
// named by what that RFC compares.
func serverKey(req *sip.Request, method sip.RequestMethod) string {
	if method == sip.ACK {
		method = sip.INVITE
	}
	via := req.Via()
	sentBy := strings.ToLower(via.Host) + ":" + strconv.Itoa(via.Port)
	if branch, _ := via.Params.Get("branch"); hasCookie(branch) {
		return join(strings.ToLower(branch), sentBy, string(method))
	}
	branch, _ := via.Params.Get("branch")
	return join("2543", req.Recipient.String(), callID(req), tag(req.From().Params), seq(req), sentBy, branch, string(method))
}

// clientKey names the client transaction that a request starts or a response
// answers (§17.1.3): branch and method.
func clientKey(msg sip.Message) string {
	branch, _ := msg.Via().Params.Get("branch")
	return join(strings.ToLower(branch), string(msg.CSeq().MethodName))
}

// mergeKey names a request by what its copies on several paths share
// (§8.2.2.2); ok is false for a request within a dialog.
func mergeKey(req *sip.Request) (key string, ok bool) {
	if tag(req.To().Params) != "" {
		return "", false
	}
	return join(tag(req.From().Params), callID(req), seq(req), string(req.Method)), true
}

func hasCookie(branch string) bool {
	cookie := sip.RFC3261BranchMagicCookie
	return len(branch) > len(cookie) && strings.EqualFold(branch[:len(cookie)], cookie)
}

func callID(msg sip.Message) string { return msg.CallID().Value() }

func seq(msg sip.Message) string { return strconv.FormatUint(uint64(msg.CSeq().SeqNo), 10) }

func tag(params sip.HeaderParams) string {
	t, _ := params.Get("tag")
	return t
}

// join makes one key of parts that may hold anything but a line end.
func join(parts ...string) string { return strings.Join(parts, "\n") }
