package negotiate

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ringmaster/proto/phone"
	"ringmaster/proto/sdp"
	"ringmaster/worker/codec"
)

// A key of the examples in RFC 4568 §4.1, and others that a far end has.
const (
	rfcKey   = "PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR"
	theirKey = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
	otherKey = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
)

// In base64, the keys that secured makes: bytes of 0, then of 1, and so on.
const (
	firstKey  = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	secondKey = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
)

const (
	suite80 = "AES_CM_128_HMAC_SHA1_80"
	suite32 = "AES_CM_128_HMAC_SHA1_32"
)

// secured is a negotiation of a phone with srtp: true, whose keys are counted.
func secured(codecs ...codec.Spec) *Negotiation {
	made := byte(0)
	return New(Config{SessionID: 7, Username: "a", SessionName: "Ringmaster", Codecs: codecs, NewKey: func() phone.Secret {
		key := strings.Repeat(string([]byte{made}), KeyLength)
		made++
		return phone.NewSecret(key)
	}})
}

// inline is an a=crypto line.
func inline(tag int, suite, rest string) string {
	return fmt.Sprintf("a=crypto:%d %s inline:%s", tag, suite, rest)
}

// keyOf is what base64 stands for.
func keyOf(t *testing.T, base64 string) phone.Secret {
	t.Helper()
	key, err := readKey("inline:" + base64)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestSecureOfferOnTheWire(t *testing.T) {
	got, err := secured(codec.PCMA).Offer(here)
	want := lines("v=0", "o=a 7 1 IN IP4 192.0.2.1", "s=Ringmaster", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=audio 4000 RTP/SAVP 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20", inline(1, suite80, firstKey), inline(2, suite32, secondKey), "a=sendrecv")
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}

func TestSecureAnswerOnTheWire(t *testing.T) {
	got, m, err := secured(codec.PCMA).Answer(remote("m=audio 5000 RTP/SAVP 8",
		inline(1, "AES_256_CM_HMAC_SHA1_80", rfcKey), inline(7, suite32, theirKey+"|2^31"), inline(8, suite80, rfcKey)), here)
	want := lines("v=0", "o=a 7 1 IN IP4 192.0.2.1", "s=Ringmaster", "c=IN IP4 192.0.2.1", "t=0 0",
		"m=audio 4000 RTP/SAVP 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20", inline(7, suite32, firstKey), "a=sendrecv")
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	if m.SRTP != (Keys{suite32, keyOf(t, firstKey), keyOf(t, theirKey)}) {
		t.Errorf("agreed on %s, sending with %q, receiving with %q", m.SRTP.Suite, m.SRTP.Send.Reveal(), m.SRTP.Receive.Reveal())
	}
}

func TestSecureAnswered(t *testing.T) {
	for _, row := range []struct {
		name   string
		crypto []string
		want   Keys // zero: refused with ErrKeys
	}{
		{"the first", []string{inline(1, suite80, theirKey)}, Keys{suite80, keyOf(t, firstKey), keyOf(t, theirKey)}},
		{"the second", []string{inline(2, suite32, theirKey+"|1048576")}, Keys{suite32, keyOf(t, secondKey), keyOf(t, theirKey)}},
		{"none", nil, Keys{}},
		{"two", []string{inline(1, suite80, theirKey), inline(2, suite32, otherKey)}, Keys{}},
		{"a suite under the other's tag", []string{inline(1, suite32, theirKey)}, Keys{}},
		{"a tag that was not offered", []string{inline(3, suite80, theirKey)}, Keys{}},
		{"tag 0", []string{inline(0, suite80, theirKey)}, Keys{}},
		{"key identifiers", []string{inline(1, suite80, theirKey+"|2^20|1:4")}, Keys{}},
	} {
		n := secured(codec.PCMA)
		if _, err := n.Offer(here); err != nil {
			t.Fatal(err)
		}
		m, err := n.Answered(remote(append([]string{"m=audio 5000 RTP/SAVP 8"}, row.crypto...)...))
		if m.SRTP != row.want || errors.Is(err, ErrKeys) != (row.want == Keys{}) {
			t.Errorf("%s: %v, agreed on %q with %q and %q", row.name, err, m.SRTP.Suite, m.SRTP.Send.Reveal(), m.SRTP.Receive.Reveal())
		}
		if err != nil && strings.Contains(err.Error(), theirKey) {
			t.Errorf("%s: the error tells the key: %v", row.name, err)
		}
	}
}

// What an a=crypto line may say beside its key, by RFC 4568 §6.1 and §6.3.
func TestKeyParameters(t *testing.T) {
	for _, row := range []struct {
		line string
		ok   bool
	}{
		{"1 " + suite80 + " inline:" + rfcKey, true},
		{"1 aes_cm_128_hmac_sha1_80 INLINE:" + rfcKey, true},
		{"1 " + suite80 + " inline:" + rfcKey + "|2^48", true},
		{"1 " + suite80 + " inline:" + rfcKey + "|2^0", true},
		{"1 " + suite80 + " inline:" + rfcKey + "|281474976710656", true},
		{"1 " + suite80 + " inline:" + rfcKey + "|2^49", false},
		{"1 " + suite80 + " inline:" + rfcKey + "|281474976710657", false},
		{"1 " + suite80 + " inline:" + rfcKey + "|0", false},
		{"1 " + suite80 + " inline:" + rfcKey + "|", false},
		{"1 " + suite80 + " inline:" + rfcKey + "|2^20|2^20", false},
		{"1 " + suite80 + " inline:" + rfcKey + "|1:4", false},
		{"1 " + suite80 + " inline:" + rfcKey + "|2^20|1:4", false},
		{"1 " + suite80 + " inline:" + rfcKey + "|2^20|1:4;inline:" + otherKey + "|2^20|2:4", false},
		{"1 " + suite80 + " inline:" + rfcKey + " WSH=128", true},
		{"1 " + suite80 + " inline:" + rfcKey + " KDR=0 -future=1", true},
		{"1 " + suite80 + " inline:" + rfcKey + " KDR=1", false},
		{"1 " + suite80 + " inline:" + rfcKey + " UNENCRYPTED_SRTP", false},
		{"1 " + suite80 + " inline:" + rfcKey + " WSH=128 UNENCRYPTED_SRTCP", false},
		{"1 " + suite80 + " inline:" + rfcKey + " UNAUTHENTICATED_SRTP", false},
		{"1 " + suite80 + " inline:" + rfcKey + " FEC_ORDER=FEC_SRTP", false},
		{"1 " + suite80 + " inline:" + rfcKey + " future=1", false},
		{"1 " + suite80 + " inline:" + rfcKey[:36], false},
		{"1 " + suite80 + " inline:" + rfcKey + "AAAA", false},
		{"1 " + suite80 + " inline:!" + rfcKey[1:], false},
		{"1 " + suite80 + " uri:" + rfcKey, false},
		{"1 " + suite80 + " inline:", false},
		{"1 F8_128_HMAC_SHA1_80 inline:" + rfcKey, false},
		{"x " + suite80 + " inline:" + rfcKey, false},
		{"1 " + suite80, false},
	} {
		n := secured(codec.PCMA)
		_, m, err := n.Answer(remote("m=audio 5000 RTP/SAVP 8", "a=crypto:"+row.line), here)
		if (err == nil) != row.ok || !row.ok && !errors.Is(err, ErrKeys) || row.ok && m.SRTP.Receive != keyOf(t, rfcKey) {
			t.Errorf("%s: %v", row.line, err)
		}
		if err != nil && strings.Contains(err.Error(), rfcKey[:20]) {
			t.Errorf("%s: the error tells the key: %v", row.line, err)
		}
	}
}

// Whoever has srtp speaks nothing else, and whoever has not speaks no SRTP.
func TestProfilesDoNotMix(t *testing.T) {
	crypto := inline(1, suite80, rfcKey)
	for _, proto := range []string{"RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", "rtp/savp", "UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF"} {
		offer := remote("m=audio 5000 "+proto+" 8", crypto)
		kind := strings.TrimSuffix(strings.ToUpper(proto), "F")
		_, _, err := secured(codec.PCMA).Answer(offer, here)
		if ok := kind == "RTP/SAVP"; (err == nil) != ok || !ok && !errors.Is(err, ErrProfile) {
			t.Errorf("%s to a phone with srtp: %v", proto, err)
		}
		answer, m, err := having(codec.PCMA).Answer(offer, here)
		if ok := kind == "RTP/AVP"; (err == nil) != ok || !ok && !errors.Is(err, ErrProfile) || m.SRTP != (Keys{}) || strings.Contains(string(answer), "crypto") {
			t.Errorf("%s to a phone without srtp: %v\n%s", proto, err, answer)
		}
		n := secured(codec.PCMA)
		if _, err := n.Offer(here); err != nil {
			t.Fatal(err)
		}
		_, err = n.Answered(offer)
		if ok := kind == "RTP/SAVP"; (err == nil) != ok || !ok && !errors.Is(err, ErrProfile) {
			t.Errorf("%s as an answer to RTP/SAVP: %v", proto, err)
		}
	}
}

// A phone that offers both, in two lines, gets what the other has.
func TestEachTakesItsLine(t *testing.T) {
	offer := remote("m=audio 5000 RTP/SAVP 8", inline(1, suite80, rfcKey), "m=audio 5002 RTP/AVP 8")
	for _, row := range []struct {
		n    *Negotiation
		port uint16
	}{{secured(codec.PCMA), 5000}, {having(codec.PCMA), 5002}} {
		if _, m, err := row.n.Answer(offer, here); err != nil || m.Remote.Port() != row.port {
			t.Errorf("%v, %v, want port %d", err, m.Remote, row.port)
		}
	}
}

// keysIn are the a=crypto lines of a description.
func keysIn(t *testing.T, description []byte) []sdp.Crypto {
	t.Helper()
	s, err := sdp.Parse(description)
	if err != nil || len(s.Media) != 1 {
		t.Fatalf("%v\n%s", err, description)
	}
	return s.Media[0].Crypto
}

func TestKeysWithinACall(t *testing.T) {
	n := secured(codec.PCMA)
	if _, err := n.Offer(here); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Answered(remote("m=audio 5000 RTP/SAVP 8", inline(2, suite32, theirKey))); err != nil {
		t.Fatal(err)
	}

	// Our next offer holds the key in use and no other, so that nothing changes.
	held := here
	held.Direction = SendOnly
	offer, err := n.Offer(held)
	if got := keysIn(t, offer); err != nil || len(got) != 1 || got[0] != (sdp.Crypto{Tag: 1, Suite: suite32, Keys: "inline:" + secondKey}) {
		t.Errorf("%v, offered again: %+v", err, got)
	}
	if m, err := n.Answered(remote("m=audio 5000 RTP/SAVP 8", inline(1, suite32, theirKey), "a=recvonly")); err != nil || m.SRTP != (Keys{suite32, keyOf(t, secondKey), keyOf(t, theirKey)}) {
		t.Errorf("%v, %+v", err, m)
	}

	for _, step := range []struct {
		name, host, suite, key, send string
	}{
		{"the same again", "192.0.2.2", suite32, theirKey, secondKey},
		{"their new key", "192.0.2.2", suite32, otherKey, secondKey},
		{"their new address, same key", "192.0.2.3", suite32, otherKey, secondKey},
		{"another far end", "192.0.2.4", suite32, theirKey, "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC"},
		{"another suite", "192.0.2.4", suite80, theirKey, "AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMD"},
	} {
		answer, m, err := n.Answer(remote("m=audio 5000 RTP/SAVP 8", "c=IN IP4 "+step.host, inline(4, step.suite, step.key)), here)
		if err != nil || m.SRTP != (Keys{step.suite, keyOf(t, step.send), keyOf(t, step.key)}) {
			t.Errorf("%s: %v, sending with %q", step.name, err, m.SRTP.Send.Reveal())
		}
		if got := keysIn(t, answer); len(got) != 1 || got[0] != (sdp.Crypto{Tag: 4, Suite: step.suite, Keys: "inline:" + step.send}) {
			t.Errorf("%s: answered with %+v", step.name, got)
		}
	}

	// What is refused leaves the keys as they were.
	before, _ := n.Current()
	if _, _, err := n.Answer(remote("m=audio 5000 RTP/AVP 8"), here); !errors.Is(err, ErrProfile) {
		t.Errorf("RTP/AVP within a call with srtp: %v", err)
	}
	if after, _ := n.Current(); after.SRTP != before.SRTP {
		t.Error("a refused offer has changed the keys")
	}
}
