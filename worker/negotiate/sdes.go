package negotiate

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ringmaster/proto/phone"
	"ringmaster/proto/sdp"
)

// Keys protect a stream by SRTP, as a=crypto lines have agreed on them. The
// zero value stands for RTP in the clear.
type Keys struct {
	Suite string // its name in RFC 4568 §6.2
	// What we encrypt with, and the far end: KeyLength bytes each.
	Send, Receive phone.Secret
}

// KeyLength is the length in bytes of a master key and its salt together, of
// either suite (RFC 4568 §6.2).
const KeyLength = 30

// suites are the crypto-suites that this phone has, in the order in which it
// offers them.
var suites = [...]string{"AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"}

// secure reports whether the phone speaks SRTP, and then nothing else.
func (n *Negotiation) secure() bool { return n.config.NewKey != nil }

// checkProfile tells the profiles that we speak from the others. AVPF and SAVPF
// (RFC 4585, RFC 5124) are AVP and SAVP to whoever sends no feedback.
func (n *Negotiation) checkProfile(m sdp.Media) error {
	switch strings.ToUpper(m.Proto) {
	case "RTP/AVP", "RTP/AVPF":
		if !n.secure() {
			return nil
		}
	case "RTP/SAVP", "RTP/SAVPF":
		if n.secure() {
			return nil
		}
	}
	if n.secure() {
		return fmt.Errorf("%w: the far end wants audio over %.40q; this phone has srtp: true and speaks RTP/SAVP and RTP/SAVPF only", ErrProfile, m.Proto)
	}
	return fmt.Errorf("%w: the far end wants audio over %.40q; this phone speaks RTP/AVP and RTP/AVPF, without encryption: srtp: true would change that", ErrProfile, m.Proto)
}

// offeredKeys are the a=crypto lines of an offer, with our key in each. Within
// a stream that is agreed on it is the key in use: a list of suites would look
// like a change of keys.
func (n *Negotiation) offeredKeys() (lines []sdp.Crypto, keys []Keys) {
	if !n.secure() {
		return nil, nil
	}
	if n.current != nil {
		keys = []Keys{{Suite: n.current.SRTP.Suite, Send: n.current.SRTP.Send}}
	} else {
		for _, suite := range suites {
			keys = append(keys, Keys{Suite: suite, Send: n.config.NewKey()})
		}
	}
	for i, k := range keys {
		lines = append(lines, cryptoLine(i+1, k))
	}
	return lines, keys
}

// cryptoLine is the a=crypto line that tells our key.
func cryptoLine(tag int, k Keys) sdp.Crypto {
	return sdp.Crypto{Tag: tag, Suite: k.Suite, Keys: "inline:" + base64.StdEncoding.EncodeToString([]byte(k.Send.Reveal()))}
}

// answerKeys takes the first a=crypto line of an offer that it can, and makes
// the line of the answer, with the same tag and suite (RFC 4568 §5.1.2). Our
// key stays while the stream does: only another far end, with another key at
// another address, gets another one, since it cannot know how often our
// sequence numbers have come round under this one (RFC 4568 §7.1.4).
func (n *Negotiation) answerKeys(theirs sdp.Media, far farEnd) ([]sdp.Crypto, Keys, error) {
	if !n.secure() {
		return nil, Keys{}, nil
	}
	offered, keys, err := chooseKeys(theirs.Crypto)
	if err != nil {
		return nil, Keys{}, err
	}
	now := n.current
	if now != nil && now.SRTP.Suite == keys.Suite && (now.SRTP.Receive == keys.Receive || now.Remote == far.rtp) {
		keys.Send = now.SRTP.Send
	} else {
		keys.Send = n.config.NewKey()
	}
	return []sdp.Crypto{cryptoLine(offered.Tag, keys)}, keys, nil
}

// chooseKeys finds the first line that can be used. The error tells what is
// wrong with the first that cannot.
func chooseKeys(lines []sdp.Crypto) (sdp.Crypto, Keys, error) {
	why := fmt.Errorf("%w: the far end gives no a=crypto line", ErrKeys)
	for i, line := range lines {
		keys, err := readCrypto(line)
		if err == nil {
			return line, keys, nil
		}
		if i == 0 {
			why = err
		}
	}
	return sdp.Crypto{}, Keys{}, why
}

// answeredKeys finds out which of our keys the far end has chosen. An answer
// has exactly one a=crypto line, with tag and suite of one that was offered
// (RFC 4568 §5.1.3).
func (n *Negotiation) answeredKeys(theirs sdp.Media) (Keys, error) {
	if !n.secure() {
		return Keys{}, nil
	}
	if len(theirs.Crypto) != 1 {
		return Keys{}, fmt.Errorf("%w: the far end answers with %d a=crypto lines, where one is needed", ErrKeys, len(theirs.Crypto))
	}
	line := theirs.Crypto[0]
	keys, err := readCrypto(line)
	if err != nil {
		return Keys{}, err
	}
	if line.Tag < 1 || line.Tag > len(n.offer.keys) || n.offer.keys[line.Tag-1].Suite != keys.Suite {
		return Keys{}, fmt.Errorf("%w: the far end answers with tag %d and %s, which was not offered", ErrKeys, line.Tag, keys.Suite)
	}
	keys.Send = n.offer.keys[line.Tag-1].Send
	return keys, nil
}

// readCrypto reads the far end's key from an a=crypto line. The errors do not
// tell the key.
func readCrypto(c sdp.Crypto) (Keys, error) {
	i := slices.IndexFunc(suites[:], func(s string) bool { return strings.EqualFold(s, c.Suite) })
	if i < 0 {
		return Keys{}, fmt.Errorf("%w: the far end wants the suite %.40q; this phone has %s", ErrKeys, c.Suite, strings.Join(suites[:], ", "))
	}
	for parameter := range strings.FieldsSeq(c.Params) {
		if !bearable(parameter) {
			return Keys{}, fmt.Errorf("%w: the far end wants the session parameter %.40q, which this phone does not have", ErrKeys, parameter)
		}
	}
	key, err := readKey(c.Keys)
	return Keys{Suite: suites[i], Receive: key}, err
}

// bearable reports whether a session parameter changes nothing for us: a size
// of the replay window is a hint, key derivation 0 is the default, and what
// begins with a dash may be ignored (RFC 4568 §6.3.7).
func bearable(parameter string) bool {
	name, value, _ := strings.Cut(strings.ToUpper(parameter), "=")
	return name == "WSH" || name == "KDR" && value == "0" || strings.HasPrefix(name, "-")
}

// readKey reads `inline:<key and salt>|<lifetime>|<MKI>:<its length>`.
func readKey(parameters string) (phone.Secret, error) {
	method, info, _ := strings.Cut(parameters, ":")
	if !strings.EqualFold(method, "inline") {
		return phone.Secret{}, fmt.Errorf("%w: the far end does not give its key inline", ErrKeys)
	}
	if strings.Contains(info, ";") {
		return phone.Secret{}, fmt.Errorf("%w: the far end gives several keys in one line, which needs key identifiers (MKI)", ErrKeys)
	}
	fields := strings.Split(info, "|")
	for _, field := range fields[1:] {
		if strings.Contains(field, ":") {
			return phone.Secret{}, fmt.Errorf("%w: the far end wants key identifiers (MKI) in its packets, which this phone does not have", ErrKeys)
		}
		if !isLifetime(field) {
			return phone.Secret{}, fmt.Errorf("%w: the lifetime of the far end's key is none", ErrKeys)
		}
	}
	key, err := base64.StdEncoding.DecodeString(fields[0])
	if err != nil || len(key) != KeyLength || len(fields) > 2 {
		return phone.Secret{}, fmt.Errorf("%w: the far end's key is not %d bytes in base64", ErrKeys, KeyLength)
	}
	return phone.NewSecret(string(key)), nil
}

// isLifetime reports whether s is a number of packets that a key may protect,
// as in "2^31" or "1048576", up to 2^48 (RFC 4568 §6.1). It binds the side that
// encrypts with the key.
func isLifetime(s string) bool {
	if exponent, power := strings.CutPrefix(s, "2^"); power {
		n, err := strconv.ParseUint(exponent, 10, 8)
		return err == nil && n <= 48
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return err == nil && n >= 1 && n <= 1<<48
}
