package siptx

import (
	"errors"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringmaster/loop"
)

// Hop is the way to one neighbour: where a request goes, or where responses
// to a received one go. The transport defines it.
type Hop interface {
	// Reliable says that the transport retransmits by itself.
	Reliable() bool
}

// Sender sends one message. It calls result on the loop, exactly once and
// not before it has returned: nil when the message has left, else why not.
// result may be nil.
type Sender func(msg sip.Message, to Hop, result func(error))

// User is who the transactions are for. Its methods run on the loop.
type User interface {
	// Request is told of a new request, once: no retransmission, no ACK, no
	// CANCEL.
	Request(tx *ServerTx, req *sip.Request)
	// Ack is told of an ACK that belongs to no failed INVITE: that of a 2xx.
	Ack(req *sip.Request)
	// Stray is told of a 2xx to INVITE whose transaction is over.
	Stray(res *sip.Response)
}

// Config is what a layer needs.
type Config struct {
	Timers Timers
	Send   Sender
	User   User
	// NewTag makes the To tag of responses that the layer itself sends.
	NewTag func() string
	// RefuseMerged answers 482 to a request that arrives again on another
	// path, as a user agent must (RFC 3261 §8.2.2.2). A proxy passes it on.
	RefuseMerged bool
}

// ErrTimeout is what a user is told when timer B, F or H has fired, or a
// cancelled INVITE got no final response in the same time: nobody answers.
var ErrTimeout = errors.New("nobody answered in time")

// maxServerTxs bounds the table under a flood of requests; past it, new ones
// get 503. Each entry lives for about 64*T1.
const maxServerTxs = 8192

// Layer is the table of transactions. All its methods belong to the loop.
type Layer struct {
	cfg     Config
	loop    *loop.Loop
	clients map[string]*ClientTx
	servers map[string]*ServerTx
	merged  map[string]*ServerTx // by mergeKey, those of servers that have one
}

// NewLayer makes an empty table on l.
func NewLayer(l *loop.Loop, cfg Config) *Layer {
	cfg.Timers = cfg.Timers.withDefaults()
	return &Layer{
		cfg:     cfg,
		loop:    l,
		clients: make(map[string]*ClientTx),
		servers: make(map[string]*ServerTx),
		merged:  make(map[string]*ServerTx),
	}
}

// Timers are the layer's base values, defaults filled in.
func (l *Layer) Timers() Timers { return l.cfg.Timers }

// Receive takes a message off the wire. It must hold Via, From, To, Call-ID
// and CSeq (Check), with the same method in CSeq and start line. back is
// where responses to it go.
func (l *Layer) Receive(msg sip.Message, back Hop) {
	switch m := msg.(type) {
	case *sip.Request:
		switch m.Method {
		case sip.ACK:
			l.receiveAck(m)
		case sip.CANCEL:
			l.receiveCancel(m, back)
		default:
			l.receiveRequest(m, back)
		}
	case *sip.Response:
		l.receiveResponse(m)
	}
}

func (l *Layer) receiveRequest(req *sip.Request, back Hop) {
	key := serverKey(req, req.Method)
	if tx := l.servers[key]; tx != nil {
		tx.step(Retransmission)
		return
	}
	if len(l.servers) >= maxServerTxs {
		l.cfg.Send(NewResponse(req, 503, "", l.cfg.NewTag()), back, nil)
		return
	}
	mergeKey, mergeable := mergeKey(req)
	other := l.merged[mergeKey]
	tx := l.newServerTx(key, req, back)
	if mergeable && l.cfg.RefuseMerged {
		if other != nil {
			tx.start()
			_ = tx.Respond(NewResponse(req, 482, "", l.cfg.NewTag())) // made here, so well-formed
			return
		}
		tx.mergeKey = mergeKey
		l.merged[mergeKey] = tx
	}
	tx.start()
	l.cfg.User.Request(tx, req)
}

// receiveAck gives an ACK to its INVITE; that of a 2xx goes to the user.
func (l *Layer) receiveAck(ack *sip.Request) {
	tx := l.servers[serverKey(ack, sip.INVITE)]
	if tx == nil {
		l.cfg.User.Ack(ack)
		return
	}
	tx.ack = ack
	tx.step(Ack)
}

// receiveCancel answers a CANCEL, 200 or 481, and tells the INVITE that it is
// meant for (RFC 3261 §9.2). A repeated CANCEL gets the same answer again.
func (l *Layer) receiveCancel(cancel *sip.Request, back Hop) {
	key := serverKey(cancel, sip.CANCEL)
	if tx := l.servers[key]; tx != nil {
		tx.step(Retransmission)
		return
	}
	if len(l.servers) >= maxServerTxs {
		return // the CANCEL will be repeated
	}
	invite := l.servers[serverKey(cancel, sip.INVITE)]
	tx := l.newServerTx(key, cancel, back)
	tx.start()
	if invite == nil {
		_ = tx.Respond(NewResponse(cancel, 481, "", l.cfg.NewTag()))
		return
	}
	_ = tx.Respond(NewResponse(cancel, 200, "", invite.toTag()))
	invite.cancel = cancel
	invite.step(Cancel)
}

func (l *Layer) receiveResponse(res *sip.Response) {
	tx := l.clients[clientKey(res)]
	if tx == nil {
		if res.IsSuccess() && res.CSeq().MethodName == sip.INVITE {
			l.cfg.User.Stray(res)
		}
		return
	}
	tx.response = res
	tx.step(responseInput(res.StatusCode))
}

// Undelivered takes the news that a request could not be delivered after all:
// its transaction, if there is one, goes on as when sending it had failed
// (RFC 3261 §18.4). Of a CANCEL the INVITE that it gives up is told nothing.
func (l *Layer) Undelivered(method, branch string, why error) {
	if method == string(sip.ACK) {
		method = string(sip.INVITE)
	}
	if tx := l.clients[join(strings.ToLower(branch), method)]; tx != nil {
		tx.err = why
		tx.step(TransportError)
	}
}

// SendAlone sends a message outside every transaction: the ACK of a 2xx. The
// error says what is wrong with the message; failing to send it is not told.
func (l *Layer) SendAlone(msg sip.Message, to Hop) error {
	if err := Check(msg); err != nil {
		return err
	}
	l.cfg.Send(msg, to, nil)
	return nil
}

// Count is the number of transactions in the table, client and server.
func (l *Layer) Count() (clients, servers int) { return len(l.clients), len(l.servers) }

// Close ends all transactions without a word to anybody.
func (l *Layer) Close() {
	for _, tx := range l.clients {
		tx.end()
	}
	for _, tx := range l.servers {
		tx.end()
	}
}
