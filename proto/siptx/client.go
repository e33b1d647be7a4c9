package siptx

import (
	"errors"
	"fmt"

	"github.com/emiago/sipgo/sip"

	"ringmaster/loop"
)

// ClientEvents is what the owner of a client transaction hears, on the loop,
// never within Layer.Request. A nil function is not called.
type ClientEvents struct {
	// Sent: the request has left for the first time.
	Sent func()
	// Response: every provisional and final response in the order of
	// arrival, 100 included; of an INVITE also each further 2xx, repeated or
	// of another fork, for 64*T1 (RFC 6026).
	Response func(*sip.Response)
	// Fail, instead of a final response: ErrTimeout, or the transport's
	// error.
	Fail func(error)
	// CancelSent: the CANCEL that Cancel asked for has left.
	CancelSent func()
}

// ClientTx is a request on its way and what comes back.
type ClientTx struct {
	layer   *Layer
	key     string
	req     *sip.Request
	to      Hop
	events  ClientEvents
	state   State
	machine stepFunc
	clock   clock

	response  *sip.Response // newest, when it is the input
	err       error         // newest transport error
	sent      bool
	final     bool // a final response or Fail was told
	cancelled bool
	headers   []sip.Header // of the CANCEL
	patience  *loop.Timer  // for a final response after CANCEL
}

// Request sends a request, complete with a top Via that has a branch of its
// own, and follows it. The error says what is wrong with the request; then
// nothing was sent.
func (l *Layer) Request(req *sip.Request, to Hop, events ClientEvents) (*ClientTx, error) {
	if err := Check(req); err != nil {
		return nil, err
	}
	if req.Method == sip.ACK {
		return nil, errors.New("an ACK makes no transaction: send it with SendAlone")
	}
	tx := &ClientTx{
		layer: l, key: clientKey(req), req: req, to: to, events: events,
		machine: StepClient, clock: newClock(l, to.Reliable()),
	}
	if l.clients[tx.key] != nil {
		branch, _ := req.Via().Params.Get("branch")
		return nil, fmt.Errorf("a transaction with branch %s is already there: give each request a new branch", branch)
	}
	l.clients[tx.key] = tx
	start := StartClient
	if req.Method == sip.INVITE {
		tx.machine, start = StepInviteClient, StartInviteClient
	}
	var actions []Action
	tx.state, actions = start(to.Reliable())
	tx.perform(actions)
	return tx, nil
}

// ResumeInvite takes up an INVITE that another process has sent and whose final
// response is not known. It sends nothing by itself: a Cancel leaves at once,
// since by now a far end that has the INVITE has said so, if not to us
// (RFC 3261 §9.1). Sent is not told.
func (l *Layer) ResumeInvite(req *sip.Request, to Hop, events ClientEvents) (*ClientTx, error) {
	if err := Check(req); err != nil {
		return nil, err
	}
	if req.Method != sip.INVITE {
		return nil, fmt.Errorf("a %s cannot be taken up: only an INVITE can wait so long", req.Method)
	}
	tx := &ClientTx{
		layer: l, key: clientKey(req), req: req, to: to, events: events,
		machine: StepInviteClient, clock: newClock(l, to.Reliable()), state: Proceeding, sent: true,
	}
	if l.clients[tx.key] != nil {
		return nil, errors.New("the INVITE is there already")
	}
	l.clients[tx.key] = tx
	return tx, nil
}

// Message is the request as sent.
func (tx *ClientTx) Message() *sip.Request { return tx.req }

// Cancel gives up an INVITE that has no final response (RFC 3261 §9.1): a
// CANCEL with these headers added leaves now, or after the first provisional
// response if there was none. The final response, usually 487, or the 200
// that crossed it, comes as Response; if none comes in 64*T1, Fail gets
// ErrTimeout. It does nothing for another method, or the second time.
func (tx *ClientTx) Cancel(headers ...sip.Header) {
	if tx.req.Method != sip.INVITE || tx.cancelled {
		return
	}
	tx.cancelled, tx.headers = true, headers
	tx.sendCancel()
}

// sendCancel sends the CANCEL once it is wanted and allowed: "If no
// provisional response has been received, the CANCEL MUST NOT be sent".
func (tx *ClientTx) sendCancel() {
	if !tx.cancelled || tx.state != Proceeding || tx.patience != nil {
		return
	}
	l := tx.layer
	// The INVITE tells how it ends; a CANCEL that fails adds nothing.
	if _, err := l.Request(newCancel(tx.req, tx.headers), tx.to, ClientEvents{Sent: tx.events.CancelSent}); err != nil {
		tx.fail(err)
		tx.end()
		return
	}
	tx.patience = l.loop.After(l.cfg.Timers.giveUp(), func() {
		tx.fail(ErrTimeout)
		tx.end()
	})
}

func (tx *ClientTx) step(in Input) {
	var actions []Action
	tx.state, actions = tx.machine(tx.state, in, tx.to.Reliable())
	tx.perform(actions)
	tx.sendCancel()
}

func (tx *ClientTx) perform(actions []Action) {
	if tx.state == Terminated {
		tx.end()
	}
	for _, a := range actions {
		switch a.Do {
		case SendRequest:
			tx.layer.cfg.Send(tx.req, tx.to, tx.requestLeft)
		case SendAck:
			tx.layer.cfg.Send(newAck(tx.req, tx.response), tx.to, tx.ackLeft)
		case PassUp:
			tx.pass(tx.response)
		case TellTimeout:
			tx.fail(ErrTimeout)
		case TellTransport:
			tx.fail(tx.err)
		default:
			tx.clock.set(a, tx.step)
		}
	}
}

func (tx *ClientTx) requestLeft(err error) {
	if err != nil {
		tx.ackLeft(err)
		return
	}
	if !tx.sent {
		tx.sent = true
		if tx.events.Sent != nil {
			tx.events.Sent()
		}
	}
}

func (tx *ClientTx) ackLeft(err error) {
	if err != nil {
		tx.err = err
		tx.step(TransportError)
	}
}

func (tx *ClientTx) pass(res *sip.Response) {
	tx.requestLeft(nil) // an answer proves it, even if the news comes later
	if !res.IsProvisional() {
		tx.final = true
		tx.patience.Stop()
	}
	if tx.events.Response != nil {
		tx.events.Response(res)
	}
}

// fail tells the owner, who has then had exactly one end: after a final
// response there is nothing to tell.
func (tx *ClientTx) fail(err error) {
	if tx.final {
		return
	}
	tx.final = true
	if tx.events.Fail != nil {
		tx.events.Fail(err)
	}
}

// end takes the transaction out of the table.
func (tx *ClientTx) end() {
	tx.state = Terminated
	tx.clock.stop()
	tx.patience.Stop()
	if tx.layer.clients[tx.key] == tx {
		delete(tx.layer.clients, tx.key)
	}
}
