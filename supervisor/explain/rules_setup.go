package explain

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"ringmaster/proto/sdp"
	"ringmaster/supervisor/diagnose"
)

// Rules that say what the first sentence of a summary says.
const (
	ruleRefused     = "refused"
	ruleRefusedHere = "refused_here"
)

// setupRules look at how the call began.
func setupRules() []Rule {
	return []Rule{
		{"worker_died", Error, "the end of the phone's process", "The process of phone %s died in the call (%s).", "see last_exit in list_phones; the phone was started again and the far end got a BYE, if it could be told", workerDied},
		{"phone_dropped", Warning, "a phone that was stopped during the call", "The phone was dropped without hanging up: the far end got neither BYE nor CANCEL nor an answer.", "that is what hangup_calls: false is for: leave it out to end the calls in order", phoneDropped},
		{"no_response", Error, "an INVITE without any answer", "Nobody answered the INVITE to %s: it was sent %s in %v.", "check address and port, that something listens there, and that no firewall drops SIP", noResponse},
		{"unreachable", Error, "an INVITE that could not be delivered", "The INVITE could not be delivered: %s.", "check that the far end runs and listens at this address, port and transport", unreachable},
		{"wrong_credentials", Error, "a challenge after credentials for the same realm", "The credentials of user %s for realm %s were not accepted: they were challenged again with %d.", "check username and password of the phone at the server", wrongCredentials},
		{"auth_loop", Error, "challenges of one realm", "Realm %s challenged %d times and never took the credentials.", "the server forgets its nonces or says stale for ever: see the WWW-Authenticate of each answer, and whether several servers answer in turn", authLoop},
		{"unanswered_challenge", Error, "a challenge that the phone did not answer", "The phone did not answer the challenge %d of realm %s (algorithm %s).", "set the phone's realm to that one or to null, and see whether the algorithm is MD5, SHA-256 or SHA-512-256", unansweredChallenge},
		{ruleRefused, Error, "the final answer", "The call was refused with %s: %s.", "see the meaning of the status", refused},
		{ruleRefusedHere, Note, "the final answer to a call that came in", "This phone refused the call with %s.", "nothing, if it was meant so: this phone was told to refuse it (reject_call, a scenario), or cannot take it", refusedHere},
		{"no_answer", Warning, "ringing that ended without an answer", "It rang for %v and nobody answered.", "see whether the called phone should have answered by itself", noAnswer},
		{"answered_elsewhere", Note, "the Reason of the CANCEL", "The call was answered by another phone.", "nothing: of the phones that rang, one has taken it", answeredElsewhere},
		{"never_rang", Warning, "100 Trying and nothing after it", "The far end took the INVITE (100 Trying) and then said nothing for %v.", "see the log of the server: it could not reach the called user", neverRang},
		{"codec_mismatch", Error, "the codecs of offer and answer", "The two sides did not agree on a codec: %s.", "give both ends a codec that they share, PCMA or PCMU for instance; where they share one, see whether the end that refused wants encrypted sound (srtp)", codecMismatch},
		{"encryption_mismatch", Error, "the media profiles of offer and answer", "One side wants encrypted sound and the other does not: %s.", "set srtp of the phone as the far end has it", encryptionMismatch},
		{"unusable_answer", Error, "the description in the 2xx", "The answer cannot be used: %s.", "the far end must answer every offer with a description that has an audio stream", unusableAnswer},
		{"unusable_offer", Error, "the description in an INVITE that the phone refused", "The far end's offer cannot be used: %s.", "the far end must offer an audio stream with a port and codecs", unusableOffer},
		{"redirect_loop", Error, "the targets of redirections", "The call was redirected in a circle: %s again.", "see who redirects to whom", redirectLoop},
		{"redirect_not_followed", Error, "a final 3xx", "The far end said to call elsewhere (%s), and that led nowhere.", "call the address in its Contact", redirectNotFollowed},
		{"routing_loop", Error, "482 and 483", "The call went in a circle between servers: %d.", "look at the routes of the servers: the Via headers of the INVITE say who passed it on", routingLoop},
		{"cancel_crossed", Note, "CANCEL and 2xx at the same moment", "The call was answered at the moment at which it was cancelled.", "nothing: it was ended by BYE", cancelCrossed},
	}
}

func workerDied(r *record) *match {
	if !r.died {
		return nil
	}
	how, found := "for an unknown reason", []Evidence{}
	for _, e := range r.Events {
		switch {
		case e.Type == "phone.exited" && r.within(e.Time):
			how = short(fmt.Sprint(firstWord(e.Data, "reason", "exit")), 120)
			found = append(found, event(e, how))
		case e.Type == "call.state.disconnected":
			found = append(found, event(e, word(e.Data["reason"])))
		}
	}
	return matched(found...).says(r.PhoneID, how)
}

func phoneDropped(r *record) *match {
	if !r.stopped() {
		return nil
	}
	return matched(r.statistic("last_status_text %s", phoneStopped))
}

// firstWord is the first of the keys that is there.
func firstWord(data map[string]any, keys ...string) any {
	for _, key := range keys {
		if v, ok := data[key]; ok && v != nil && v != "" {
			return v
		}
	}
	return "for an unknown reason"
}

// unheard is the INVITE of ours to which nothing came back.
func (r *record) unheard() *exchange {
	if x := r.last(); x != nil && x.ours && len(x.answers) == 0 && !r.died {
		return x
	}
	return nil
}

// undelivered is the reason that the phone itself gives for an INVITE that did
// not get there; "" when it gives none.
func (r *record) undelivered() string {
	if x := r.unheard(); x != nil && r.over() && r.Call.LastStatus == 503 {
		return short(strings.TrimPrefix(r.Call.LastStatusText, "Service Unavailable: "), 160)
	}
	return ""
}

// patience is how long one waits before silence is worth a word: INVITE has
// been sent four times by then (RFC 3261 §17.1.1.2).
const patience = 3 * time.Second

func noResponse(r *record) *match {
	x := r.unheard()
	if x == nil || r.stopped() || r.undelivered() != "" || len(r.find("CANCEL")) > 0 && r.end.Sub(x.request.Time) < patience || r.end.Sub(x.request.Time) < time.Second {
		return nil
	}
	return matched(message(*x.request), r.statistic("INVITE sent %d times, answers 0", x.sent)).says(
		x.request.Remote, times(x.sent), roughly(r.end.Sub(x.request.Time)))
}

func unreachable(r *record) *match {
	why := r.undelivered()
	if why == "" {
		return nil
	}
	x := r.unheard()
	return matched(message(*x.request), r.statistic("last_status %d %s", r.Call.LastStatus, why)).says(why)
}

// challenge is the 401 or 407 that ended an INVITE; nil when none did.
func (x *exchange) challenge() *diagnose.Message {
	m := x.final()
	if m == nil || m.Status != 401 && m.Status != 407 {
		return nil
	}
	return m
}

// challenged are the realm and algorithm of a challenge.
func challenged(m *diagnose.Message) (realm, algorithm string) {
	value := m.Header("WWW-Authenticate")
	if m.Status == 407 {
		value = m.Header("Proxy-Authenticate")
	}
	return parameter(value, "realm"), parameter(value, "algorithm")
}

// credentials are what a request had for a realm.
func credentials(m *diagnose.Message, realm string) (user string, ok bool) {
	for _, h := range m.Headers {
		if (h.Name == "Authorization" || h.Name == "Proxy-Authorization") && parameter(h.Value, "realm") == realm {
			return parameter(h.Value, "username"), true
		}
	}
	return "", false
}

// parameter is a parameter of a challenge or of credentials.
func parameter(value, name string) string {
	for rest := value; rest != ""; {
		var one string
		one, rest = cutParameter(rest)
		one = strings.TrimSpace(one)
		if at := strings.LastIndexByte(strings.SplitN(one, "=", 2)[0], ' '); at >= 0 {
			one = one[at+1:] // after "Digest"
		}
		if key, v, ok := strings.Cut(one, "="); ok && strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return ""
}

// cutParameter cuts at the first comma that is not within quotes.
func cutParameter(s string) (one, rest string) {
	quoted := false
	for i, c := range s {
		switch {
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// circles is how often one realm may challenge: once, once more for a stale
// nonce.
const circles = 3

// looping is the realm that challenged the phone over and over without taking
// what it was given.
func (r *record) looping() (realm string, times int) {
	last := r.last()
	if last == nil || last.challenge() == nil {
		return "", 0
	}
	realm, _ = challenged(last.challenge())
	for _, x := range r.setup {
		if m := x.challenge(); m != nil {
			if of, _ := challenged(m); of == realm {
				times++
			}
		}
	}
	return realm, times
}

func authLoop(r *record) *match {
	realm, times := r.looping()
	if times < circles {
		return nil
	}
	return matched(r.challenges()...).says(quoted(realm), times)
}

func (r *record) challenges() []Evidence {
	var found []Evidence
	for _, x := range r.setup {
		if m := x.challenge(); m != nil {
			found = append(found, message(*x.request), message(*m))
		}
	}
	return found
}

func wrongCredentials(r *record) *match {
	last := r.last()
	if last == nil || !last.ours || last.challenge() == nil {
		return nil
	}
	m := last.challenge()
	realm, _ := challenged(m)
	user, ok := credentials(last.request, realm)
	if _, times := r.looping(); !ok || times >= circles {
		return nil
	}
	return matched(r.challenges()...).says(quoted(user), quoted(realm), m.Status)
}

func unansweredChallenge(r *record) *match {
	last := r.last()
	if last == nil || !last.ours || last.challenge() == nil {
		return nil
	}
	m := last.challenge()
	realm, algorithm := challenged(m)
	if _, ok := credentials(last.request, realm); ok {
		return nil
	}
	if algorithm == "" {
		algorithm = "MD5"
	}
	return matched(message(*last.request), message(*m)).says(m.Status, quoted(realm), short(algorithm, 40))
}

func quoted(s string) string { return `"` + short(s, 60) + `"` }

// explained are refusals that have a rule of their own.
func (r *record) explained(m *diagnose.Message) bool {
	switch m.Status {
	case 401, 407, 422, 482, 483:
		return true
	case 487:
		return len(r.find("CANCEL")) > 0
	case 408, 480:
		return r.rangUnanswered() > 0 || neverRang(r) != nil
	case 488, 606:
		return codecMismatch(r) != nil || encryptionMismatch(r) != nil
	}
	return m.Status < 400
}

func refused(r *record) *match {
	m := r.refusal()
	if m == nil || m.Sent || r.explained(m) {
		return nil
	}
	means := meaningOf(m.Status)
	text := means.means
	found := matched(message(*m))
	for _, name := range []string{"Reason", "Warning", "Retry-After", "Unsupported"} {
		if m.Header(name) != "" {
			found.evidence = append(found.evidence, header(*m, name))
		}
	}
	if c := causeIn(*m); c != nil {
		text += fmt.Sprintf("; the telephone network says: %s (Q.850 cause %d)", c.Meaning, c.Code)
	}
	found.advice = means.advice
	return found.says(strings.TrimSpace(fmt.Sprint(m.Status, " ", short(m.Reason, 60))), text)
}

func refusedHere(r *record) *match {
	m := r.refusal()
	if m == nil || !m.Sent || r.died || r.explained(m) || unusableOffer(r) != nil {
		return nil
	}
	return matched(message(*m)).says(strings.TrimSpace(fmt.Sprint(m.Status, " ", short(m.Reason, 60))))
}

// rangUnanswered is for how long it rang until the call ended without an
// answer; 0 when that was not so.
func (r *record) rangUnanswered() time.Duration {
	x := r.last()
	if x == nil || !r.over() || r.answered() || x.success() != nil || r.died || r.stopped() {
		return 0
	}
	rang := x.rang()
	m := x.final()
	gaveUp := len(r.find("CANCEL")) > 0 || m == nil || m.Status == 408 || m.Status == 480 || m.Status == 487
	if rang == nil || !gaveUp {
		return 0
	}
	return max(r.end.Sub(rang.Time), time.Millisecond)
}

func noAnswer(r *record) *match {
	d := r.rangUnanswered()
	if d == 0 || r.elsewhere() != nil {
		return nil
	}
	found := matched(message(*r.last().rang()))
	if last := r.lastWord(); last != nil {
		found.evidence = append(found.evidence, message(*last))
	}
	return found.says(roughly(d))
}

// elsewhere is the CANCEL that says that another phone has the call; nil when
// there is none.
func (r *record) elsewhere() *diagnose.Message {
	for _, x := range r.find("CANCEL") {
		if x.ours || x.request == nil {
			continue
		}
		if slices.ContainsFunc(x.request.Headers, func(h diagnose.Header) bool { return h.Name == "Reason" && taken.MatchString(h.Value) }) {
			return x.request
		}
	}
	return nil
}

// taken is a Reason of a call that was answered elsewhere: RFC 3326 §2, or as
// the telephone network and many PBXs say it (non-selected user clearing).
var taken = regexp.MustCompile(`(?i)\bSIP\s*;\s*cause\s*=\s*200\b|\bQ\.850\s*;\s*cause\s*=\s*26\b`)

func answeredElsewhere(r *record) *match {
	m := r.elsewhere()
	if m == nil || r.answered() {
		return nil
	}
	return matched(header(*m, "Reason"))
}

func neverRang(r *record) *match {
	x := r.last()
	if x == nil || !x.ours || len(x.answers) == 0 || x.rang() != nil || r.died || r.stopped() {
		return nil
	}
	waited := r.end.Sub(x.answers[0].Time)
	if m := x.final(); m != nil {
		if m.Status != 487 && m.Status != 408 {
			return nil
		}
		waited = m.Time.Sub(x.answers[0].Time)
	}
	if x.answers[0].Status != 100 || waited < patience {
		return nil
	}
	return matched(message(*x.request), message(x.answers[0].Message)).says(roughly(waited))
}

func codecMismatch(r *record) *match {
	x := r.last()
	if x == nil || x.request == nil {
		return nil
	}
	offer, offered := audio(*x.request)
	m := x.final()
	switch {
	case m == nil || !offered && m.Status >= 300:
		return nil
	case m.Status == 488 || m.Status == 606:
		if offer.Port == 0 || secure(offer) || r.encryptionWanted() || m.Sent && unusableOffer(r) != nil {
			return nil
		}
		who := "the far end"
		if m.Sent {
			who = "this phone"
		}
		return matched(message(*x.request), header(*m, "Warning")).says(fmt.Sprintf("%s refused the offer of %s with %d", who, codecs(offer), m.Status))
	}
	a, ok := x.agreement()
	if !ok || common(a.local, a.remote) || a.remote.Port == 0 || a.local.Port == 0 || r.Call.LastStatus != 488 {
		return nil
	}
	return matched(message(a.ours), message(a.theirs)).says(fmt.Sprintf("this phone has %s and the far end %s", codecs(a.local), codecs(a.remote)))
}

// encryptionWanted says that the phone refused an offer although it names
// codecs that every phone has: then it was not encrypted as the phone wants.
func (r *record) encryptionWanted() bool {
	x := r.last()
	m := x.final()
	if m == nil || !m.Sent {
		return false
	}
	offer, ok := audio(*x.request)
	return ok && offer.Port != 0 && slices.ContainsFunc(offer.Codecs, func(c sdp.Codec) bool { return c.Name == "PCMA" || c.Name == "PCMU" }) && r.SRTP
}

func encryptionMismatch(r *record) *match {
	x := r.last()
	if x == nil || x.request == nil {
		return nil
	}
	offer, offered := audio(*x.request)
	m := x.final()
	if m == nil || !offered {
		return nil
	}
	if m.Status == 488 || m.Status == 606 {
		if !secure(offer) && !r.encryptionWanted() {
			return nil
		}
		return matched(message(*x.request), header(*m, "Warning")).says(fmt.Sprintf("an offer of %s was refused with %d", short(offer.Proto, 30), m.Status))
	}
	if a, ok := x.agreement(); ok && secure(a.local) != secure(a.remote) {
		return matched(message(a.ours), message(a.theirs)).says(fmt.Sprintf("this phone has %s and the far end %s", short(a.local.Proto, 30), short(a.remote.Proto, 30)))
	}
	return nil
}

func unusableAnswer(r *record) *match {
	x := r.last()
	if x == nil || x.request == nil || !x.ours {
		return nil
	}
	ok := x.success()
	if ok == nil {
		return nil
	}
	why, early := flaw(ok.Message), false
	if len(bytes.TrimSpace(ok.Body)) == 0 {
		_, early = x.agreement() // a provisional response may have had it
		why = "it has no session description"
	}
	if why == "" || early {
		return nil
	}
	return matched(message(*x.request), header(ok.Message, "Content-Type")).says(why)
}

func unusableOffer(r *record) *match {
	x, m := r.last(), r.refusal()
	if m == nil || !m.Sent || m.Status != 488 && m.Status != 415 || len(bytes.TrimSpace(x.request.Body)) == 0 {
		return nil
	}
	why := flaw(*x.request)
	if why == "" {
		return nil
	}
	return matched(header(*x.request, "Content-Type"), message(*m)).says(why)
}

// flaw says why nobody could use the description in a message; "" when somebody
// could.
func flaw(m diagnose.Message) string {
	media, described := audio(m)
	_, parsed := m.Description()
	switch {
	case !parsed:
		return "its description cannot be read"
	case !described:
		return "it has no audio stream"
	case media.Port == 0:
		return "its audio stream is switched off (port 0)"
	case media.Connection == (sdp.Connection{}):
		return "it does not say where its sound goes: there is no c= line"
	}
	return ""
}

// redirections are the final 3xx of the call, in order.
func (r *record) redirections() []*exchange {
	var found []*exchange
	for _, x := range r.setup {
		if m := x.final(); m != nil && m.Status >= 300 && m.Status < 400 {
			found = append(found, x)
		}
	}
	return found
}

// circle is the target of a redirection to where the call had been already.
func (r *record) circle() (target string, evidence []Evidence) {
	var been []string
	for _, x := range r.redirections() {
		been = append(been, x.request.RequestURI)
		m := x.final()
		evidence = append(evidence, header(*m, "Contact"))
		if target = diagnose.URI(m.Header("Contact")); slices.Contains(been, target) && r.last() == x {
			return target, evidence
		}
	}
	return "", nil
}

func redirectLoop(r *record) *match {
	target, evidence := r.circle()
	if target == "" {
		return nil
	}
	return matched(evidence...).says(short(target, 80))
}

func redirectNotFollowed(r *record) *match {
	m := r.refusal()
	if m == nil || m.Status >= 400 || m.Sent {
		return nil
	}
	if target, _ := r.circle(); target != "" {
		return nil
	}
	return matched(header(*m, "Contact")).says(strings.TrimSpace(fmt.Sprint(m.Status, " ", short(m.Reason, 40))))
}

func routingLoop(r *record) *match {
	m := r.refusal()
	if m == nil || m.Status != 482 && m.Status != 483 {
		return nil
	}
	return matched(message(*r.last().request), message(*m)).says(m.Status)
}

func cancelCrossed(r *record) *match {
	cancels := r.find("CANCEL")
	x := r.last()
	if len(cancels) == 0 || x == nil || x.success() == nil || cancels[0].request == nil {
		return nil
	}
	return matched(message(*cancels[0].request), message(x.success().Message))
}
