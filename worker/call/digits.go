package call

import (
	"fmt"

	"ringmaster/proto/phone"
	"ringmaster/worker/dialog"
	"ringmaster/worker/dtmf"
)

// SendDTMF queues digits, and pauses between them: as telephone-event when the
// far end takes it, else as INFO. It gives them back as they are sent.
func (c *Call) SendDTMF(digits string) (queued string, err error) {
	digits, err = dtmf.Normalize(digits)
	if err != nil {
		return "", phone.Errorf(phone.Invalid, "%v", err)
	}
	if c.at.State != phone.StateConfirmed {
		return "", c.wrongState("sent digits: it must be confirmed")
	}
	m, _ := c.negotiation.Current()
	if m.EventSendPT < 0 || c.info.busy { // what waits as INFO goes first
		err = c.info.push(digits)
	} else {
		err = c.stream.SendDTMF(digits)
	}
	if err != nil {
		return "", phone.Errorf(phone.Precondition, "call %d: %v", c.id, err)
	}
	return digits, nil
}

// digitsToInfo sends by INFO what waits to be sent as telephone-event: the far
// end takes that no more. A digit that sounds is ended, and counts as sent.
func (c *Call) digitsToInfo() {
	sent, current, rest := c.stream.TakeDigits()
	c.digitsSent(sent + current)
	if err := c.info.push(rest); err != nil {
		c.log().Warn("digits are lost", "digits", len(rest), "error", err)
		c.env.Emit("media.error", c.id, map[string]any{"error": err.Error()})
	}
}

// digitsSent tells what has been sent of digits that were cut off.
func (c *Call) digitsSent(digits string) {
	if digits != "" {
		c.env.Emit("dtmf.out", c.id, map[string]any{"digits": digits, "method": "rfc4733"})
	}
}

// infoQueue sends digits one INFO at a time, so that they keep their order. It
// belongs to the loop, on which all of its functions run.
type infoQueue struct {
	send    func(digit byte, answered func()) // an INFO; answered is called once, whatever became of it
	pause   func(over func())
	waiting string // digits and pauses
	busy    bool   // one of them is under way
}

// mostWaiting is how many digits may wait: as many as sixteen commands bring.
const mostWaiting = 1600

func (q *infoQueue) push(digits string) error {
	if len(q.waiting)+len(digits) > mostWaiting {
		return fmt.Errorf("%d digits are waiting to be sent already: wait until they are", len(q.waiting))
	}
	q.waiting += digits
	if !q.busy {
		q.next()
	}
	return nil
}

func (q *infoQueue) next() {
	q.busy = q.waiting != ""
	if !q.busy {
		return
	}
	digit := q.waiting[0]
	q.waiting = q.waiting[1:]
	if digit == dtmf.Pause {
		q.pause(q.next)
		return
	}
	q.send(digit, q.next)
}

// drop forgets what waits: the call is over.
func (q *infoQueue) drop() { q.waiting = "" }

func (c *Call) newInfoQueue() infoQueue {
	return infoQueue{
		send:  c.sendInfo,
		pause: func(over func()) { c.env.Loop.After(dtmf.PauseTime, over) },
	}
}

// sendInfo sends a digit in the body that most understand, and in the other one
// to a far end that has said that it does not.
func (c *Call) sendInfo(digit byte, answered func()) {
	contentType, body := dtmf.RelayType, dtmf.FormatRelay(digit)
	plain := c.plainInfo
	if plain {
		contentType, body = dtmf.PlainType, dtmf.FormatPlain(digit)
	}
	c.session.Info(contentType, []byte(body), func(a dialog.Answer, err error) {
		if !c.Active() {
			return // nothing follows the end
		}
		switch {
		case err == nil && a.Status == 415 && !plain:
			c.plainInfo = true
			c.sendInfo(digit, answered)
			return
		case err != nil:
			c.digitFailed(digit, err)
		case a.Status >= 300:
			c.digitFailed(digit, fmt.Errorf("%d %s", a.Status, a.Reason))
		default:
			c.env.Emit("dtmf.out", c.id, map[string]any{"digits": string(rune(digit)), "method": "info"})
		}
		answered()
	})
}

func (c *Call) digitFailed(digit byte, err error) {
	c.log().Warn("a digit was not taken", "error", err)
	c.env.Emit("media.error", c.id, map[string]any{"error": fmt.Sprintf("the far end did not take digit %c in an INFO: %v", digit, err)})
}

// Informed takes the far end's INFO: digits in either of the usual bodies.
func (c *Call) Informed(contentType string, body []byte) bool {
	digit, err := dtmf.ParseInfo(contentType, string(body))
	if err == nil {
		c.env.Emit("dtmf.in", c.id, map[string]any{"digit": string(rune(digit)), "method": "info"})
	}
	return err == nil
}
