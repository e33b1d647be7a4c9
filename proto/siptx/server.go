package siptx

import (
	"errors"
	"fmt"

	"github.com/emiago/sipgo/sip"
)

// ServerTx is a request that arrived, and the responses given to it.
type ServerTx struct {
	layer    *Layer
	key      string
	mergeKey string // "" when it is not in the layer's merged
	req      *sip.Request
	back     Hop
	state    State
	machine  stepFunc
	clock    clock

	response *sip.Response // given last
	ack      *sip.Request  // newest, when it is the input
	cancel   *sip.Request  // likewise
	err      error         // newest transport error
	final    bool          // a final response was given

	onCancel func(*sip.Request)
	onFail   func(error)
}

func (l *Layer) newServerTx(key string, req *sip.Request, back Hop) *ServerTx {
	tx := &ServerTx{
		layer: l, key: key, req: req, back: back,
		machine: StepServer, clock: newClock(l, back.Reliable()),
	}
	if req.Method == sip.INVITE {
		tx.machine = StepInviteServer
	}
	l.servers[key] = tx
	return tx
}

// ResumeServer takes up an INVITE that another process has received and not
// answered finally. The user is not told of it.
func (l *Layer) ResumeServer(req *sip.Request, back Hop) (*ServerTx, error) {
	if err := Check(req); err != nil {
		return nil, err
	}
	key := serverKey(req, req.Method)
	if req.Method != sip.INVITE || l.servers[key] != nil {
		return nil, fmt.Errorf("this %s cannot be taken up: it is no INVITE, or there already", req.Method)
	}
	tx := l.newServerTx(key, req, back)
	tx.state = Proceeding
	if mergeKey, ok := mergeKey(req); ok && l.cfg.RefuseMerged && l.merged[mergeKey] == nil {
		tx.mergeKey = mergeKey
		l.merged[mergeKey] = tx
	}
	return tx, nil
}

// start enters the first state. Its PassUp is the caller's: it knows what
// the request is.
func (tx *ServerTx) start() {
	start := StartServer
	if tx.req.Method == sip.INVITE {
		start = StartInviteServer
	}
	var actions []Action
	tx.state, actions = start(tx.back.Reliable())
	for _, a := range actions {
		if a.Do == Arm {
			tx.clock.set(a, tx.step)
		}
	}
}

// Request is the request as it arrived; its body only until a final response
// was given.
func (tx *ServerTx) Request() *sip.Request { return tx.req }

// Hop is where the responses go.
func (tx *ServerTx) Hop() Hop { return tx.back }

// Respond sends a response. A 2xx to INVITE may be given again: it is for
// the user to repeat it until the ACK comes (RFC 3261 §13.3.1.4). After any
// other final response nothing more is sent, and that is no error. The error
// says what is wrong with the response; then nothing was sent.
func (tx *ServerTx) Respond(res *sip.Response) error {
	if res.StatusCode < 100 || res.StatusCode > 699 {
		return errors.New("a response has a status from 100 to 699")
	}
	if err := Check(res); err != nil {
		return err
	}
	in := responseInput(res.StatusCode)
	again := tx.state == Accepted && in == Success
	if tx.final && !again || tx.state == Terminated {
		return nil
	}
	tx.response = res
	tx.final = in != Provisional
	if tx.final {
		tx.req = withoutBody(tx.req)
	}
	tx.step(in)
	return nil
}

// withoutBody is what an answered request is still kept for: the transaction
// lives on for 64*T1, and a flood of long requests must not stay with it.
func withoutBody(req *sip.Request) *sip.Request {
	if len(req.Body()) == 0 {
		return req
	}
	bare := sip.NewRequest(req.Method, req.Recipient)
	bare.SipVersion = req.SipVersion
	for _, h := range req.Headers() {
		bare.AppendHeader(h)
	}
	return bare
}

// OnCancel has fn told of a CANCEL that arrives before a final response; its
// 200 has been sent, and the user then answers 487.
func (tx *ServerTx) OnCancel(fn func(cancel *sip.Request)) { tx.onCancel = fn }

// OnFail has fn told, once, that a response could not be sent, or (ErrTimeout)
// that a final response other than 2xx to an INVITE got no ACK.
func (tx *ServerTx) OnFail(fn func(error)) { tx.onFail = fn }

// toTag is the tag of this side: that of the responses so far.
func (tx *ServerTx) toTag() string {
	if tx.response != nil {
		if t := tag(tx.response.To().Params); t != "" {
			return t
		}
	}
	return tx.layer.cfg.NewTag()
}

func (tx *ServerTx) step(in Input) {
	var actions []Action
	tx.state, actions = tx.machine(tx.state, in, tx.back.Reliable())
	if tx.state == Terminated {
		tx.end()
	}
	for _, a := range actions {
		switch a.Do {
		case SendTrying:
			tx.response = NewResponse(tx.req, 100, "", "")
			tx.send()
		case SendResponse:
			tx.send()
		case PassUp:
			tx.pass(in)
		case TellTimeout:
			tx.fail(ErrTimeout)
		case TellTransport:
			tx.fail(tx.err)
		default:
			tx.clock.set(a, tx.step)
		}
	}
}

func (tx *ServerTx) send() {
	tx.layer.cfg.Send(tx.response, tx.back, func(err error) {
		if err != nil && tx.state != Terminated {
			tx.err = err
			tx.step(TransportError)
		}
	})
}

// pass gives the user what only it can deal with.
func (tx *ServerTx) pass(in Input) {
	switch {
	case in == Ack:
		tx.layer.cfg.User.Ack(tx.ack)
	case in == Cancel && tx.onCancel != nil:
		tx.onCancel(tx.cancel)
	}
}

func (tx *ServerTx) fail(err error) {
	if fn := tx.onFail; fn != nil {
		tx.onFail = nil
		fn(err)
	}
}

// end takes the transaction out of the table.
func (tx *ServerTx) end() {
	tx.state = Terminated
	tx.clock.stop()
	l := tx.layer
	if l.servers[tx.key] == tx {
		delete(l.servers, tx.key)
	}
	if l.merged[tx.mergeKey] == tx {
		delete(l.merged, tx.mergeKey)
	}
}
