//go:build interop

package interop

import (
	"fmt"
	"strings"
	"testing"
)

// makers are the foreign phones, in the order of the table's columns.
var makers = []struct {
	name  string
	start func(*testing.T, *exchangeUnderTest, phoneSetup) foreign
}{
	{"baresip", startBaresip},
	{"linphone", startLinphone},
	{"sipp", startSIPp},
}

// interopTable is what every foreign phone was found to do.
type interopTable struct {
	features []string
	cells    map[[2]string]string
}

// try runs one feature with one phone, and notes how it went.
func (b *interopTable) try(t *testing.T, feature, peer string, test func(t *testing.T)) {
	if len(b.features) == 0 || b.features[len(b.features)-1] != feature {
		b.features = append(b.features, feature)
	}
	t.Run(feature+"/"+peer, func(t *testing.T) {
		t.Cleanup(func() {
			switch {
			case t.Failed():
				b.cells[[2]string{feature, peer}] = "FAILED"
			case t.Skipped():
				b.cells[[2]string{feature, peer}] = "skipped"
			default:
				b.cells[[2]string{feature, peer}] = "ok"
			}
		})
		test(t)
	})
}

func (b *interopTable) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%-42s", "through the embedded PBX")
	for _, m := range makers {
		fmt.Fprintf(&out, " %-9s", m.name)
	}
	for _, feature := range b.features {
		fmt.Fprintf(&out, "\n%-42s", feature)
		for _, m := range makers {
			cell, tried := b.cells[[2]string{feature, m.name}]
			if !tried {
				cell = "-"
			}
			fmt.Fprintf(&out, " %-9s", cell)
		}
	}
	return out.String()
}

// pair are two phones of different makers, a and b, registered.
func (x *exchangeUnderTest) phone(t *testing.T, maker, user, transport string) foreign {
	t.Helper()
	before := 0
	for _, b := range x.Bindings() {
		if b.User == user {
			before++
		}
	}
	for _, m := range makers {
		if m.name == maker {
			p := m.start(t, x, phoneSetup{user, password, transport})
			x.awaitBindings(t, user, before+1)
			return p
		}
	}
	t.Fatalf("no maker %s", maker)
	return nil
}

// call makes a call from a to the user b, until both talk.
func (x *exchangeUnderTest) call(t *testing.T, a, b foreign) {
	t.Helper()
	x.ring(a, b, "b")
	b.await("incoming")
	b.answer()
	a.await("established")
	b.await("established")
}

// ring has a call a user, who may be nobody; b is its phone, or nil.
func (x *exchangeUnderTest) ring(a, b foreign, user string) {
	if callee, ok := b.(*sippPhone); ok {
		callee.listen("callee")
	}
	if _, ok := a.(*sippPhone); ok {
		a.dial(user)
		return
	}
	a.dial(x.uri(user))
}

func TestForeignPhonesThroughThePBX(t *testing.T) {
	table := &interopTable{cells: make(map[[2]string]string)}
	t.Cleanup(func() { t.Logf("\n%s", table) })
	each := func(feature string, test func(t *testing.T, x *exchangeUnderTest, maker string), but ...string) {
		for _, m := range makers {
			if !strings.Contains(strings.Join(but, " "), m.name) {
				table.try(t, feature, m.name, func(t *testing.T) { test(t, startPBX(t), m.name) })
			}
		}
	}
	// other is a second maker's phone, to call and be called.
	other := map[string]string{"baresip": "linphone", "linphone": "baresip", "sipp": "baresip"}

	for _, transport := range []string{"udp", "tcp"} {
		each("registers over "+transport, func(t *testing.T, x *exchangeUnderTest, maker string) {
			x.phone(t, maker, "a", transport)
		})
	}
	each("un-registers when it leaves", func(t *testing.T, x *exchangeUnderTest, maker string) {
		x.phone(t, maker, "a", "udp").quit()
		x.awaitBindings(t, "a", 0)
	})
	each("is refused with a wrong password", refused)
	for _, callee := range makers {
		each("calls "+callee.name, func(t *testing.T, x *exchangeUnderTest, maker string) {
			x.callAndEnd(t, x.phone(t, maker, "a", "udp"), x.phone(t, callee.name, "b", "udp"))
		})
	}
	each("calls over tcp", func(t *testing.T, x *exchangeUnderTest, maker string) {
		x.callAndEnd(t, x.phone(t, maker, "a", "tcp"), x.phone(t, other[maker], "b", "tcp"))
	})
	each("calls from udp to tcp", func(t *testing.T, x *exchangeUnderTest, maker string) {
		x.callAndEnd(t, x.phone(t, maker, "a", "udp"), x.phone(t, other[maker], "b", "tcp"))
	})
	each("calls from tcp to udp", func(t *testing.T, x *exchangeUnderTest, maker string) {
		x.callAndEnd(t, x.phone(t, maker, "a", "tcp"), x.phone(t, other[maker], "b", "udp"))
	})
	each("hangs up when called", func(t *testing.T, x *exchangeUnderTest, maker string) {
		a, b := x.phone(t, other[maker], "a", "udp"), x.phone(t, maker, "b", "udp")
		x.call(t, a, b)
		b.hangup()
		a.await("closed")
		b.await("closed")
	}, "sipp")
	each("holds and resumes", holdsAndResumes, "sipp")
	each("gives up before the answer", func(t *testing.T, x *exchangeUnderTest, maker string) {
		a, b := x.phone(t, maker, "a", "udp"), x.phone(t, other[maker], "b", "udp")
		x.ring(a, b, "b")
		b.await("incoming")
		a.hangup()
		x.wire.await(t, "the PBX", `> udp .*\nSIP/2.0 487 `)
		b.await("closed")
		a.await("closed")
	}, "sipp")
	each("refuses a call", func(t *testing.T, x *exchangeUnderTest, maker string) {
		a, b := x.phone(t, other[maker], "a", "udp"), x.phone(t, maker, "b", "udp")
		x.ring(a, b, "b")
		b.await("incoming")
		b.hangup()
		x.wire.await(t, "the PBX", `> udp .*\nSIP/2.0 (486|603) `)
		a.await("closed")
	}, "sipp")
	each("hears that nobody has the number", func(t *testing.T, x *exchangeUnderTest, maker string) {
		a := x.phone(t, maker, "a", "udp")
		x.ring(a, nil, "nobody")
		x.wire.await(t, "the PBX", `> udp .*\nSIP/2.0 404 `)
		a.await("closed")
	}, "sipp")
	each("hears that a user is not there", func(t *testing.T, x *exchangeUnderTest, maker string) {
		a := x.phone(t, maker, "a", "udp")
		x.ring(a, nil, "c")
		x.wire.await(t, "the PBX", `> udp .*\nSIP/2.0 480 `)
		a.await("closed")
	}, "sipp")
	each("stops ringing when another answers", func(t *testing.T, x *exchangeUnderTest, maker string) {
		a := x.phone(t, maker, "a", "udp")
		b, late := x.phone(t, other[maker], "b", "udp"), x.phone(t, maker, "b", "tcp")
		x.call(t, a, b)
		late.await("closed")
		x.wire.await(t, "the PBX", `> tcp .*\nCANCEL `)
		a.hangup()
		b.await("closed")
	}, "sipp")
	each("transfers a call", transfers, "baresip", "sipp")
	each("gets a message", getsAMessage)
}

// callAndEnd makes a call and has the caller end it.
func (x *exchangeUnderTest) callAndEnd(t *testing.T, a, b foreign) {
	t.Helper()
	x.call(t, a, b)
	a.hangup()
	b.await("closed")
	a.await("closed")
}

func refused(t *testing.T, x *exchangeUnderTest, maker string) {
	wrong := phoneSetup{"a", "wrong", "udp"}
	switch maker {
	case "sipp":
		p := &sippPhone{t: t, x: x, setup: wrong, port: freePort(t)}
		p.register(60, 401)
	case "baresip":
		startBaresip(t, x, wrong)
	default:
		startLinphone(t, x, wrong)
	}
	x.wire.await(t, "the PBX", `> udp .*\nSIP/2.0 401 (?s:.*)Authorization: (?s:.*)\nSIP/2.0 401 `)
	x.awaitBindings(t, "a", 0)
}

func holdsAndResumes(t *testing.T, x *exchangeUnderTest, maker string) {
	other := map[string]string{"baresip": "linphone", "linphone": "baresip"}[maker]
	a, b := x.phone(t, maker, "a", "udp"), x.phone(t, other, "b", "udp")
	x.call(t, a, b)
	x.wire.await(t, "the PBX", `\nACK (?s:.*)\nACK `)
	a.hold()
	x.wire.await(t, "the PBX", `> udp .*\nINVITE (?s:.*)\na=sendonly(?s:.*)> udp .*\nSIP/2.0 200 `)
	a.await("held")
	a.resume()
	x.wire.await(t, "the PBX", `> udp .*\nINVITE (?s:.*)> udp .*\nSIP/2.0 200 `)
	a.await("resumed")
	a.hangup()
	b.await("closed")
}

// transfers has b, of that maker, pass its call with a on to c.
func transfers(t *testing.T, x *exchangeUnderTest, maker string) {
	a, b, c := x.phone(t, "baresip", "a", "udp"), x.phone(t, maker, "b", "udp"), x.phone(t, "baresip", "c", "udp")
	x.call(t, a, b)
	b.(*linphone).do("transfer 1 " + x.uri("c"))
	c.await("incoming")
	c.answer()
	c.await("established")
	x.wire.await(t, "the PBX", `> udp .*\nNOTIFY `)
	c.hangup()
	c.await("closed")
}

// getsAMessage has SIPp send one, and SIPp get one from linphone.
func getsAMessage(t *testing.T, x *exchangeUnderTest, maker string) {
	if maker == "sipp" {
		b := x.phone(t, maker, "b", "udp").(*sippPhone)
		b.listen("listener")
		x.phone(t, "linphone", "a", "udp").(*linphone).do("chat " + x.uri("b") + " hello")
		b.await("closed")
		return
	}
	x.phone(t, maker, "b", "udp")
	a := &sippPhone{t: t, x: x, setup: phoneSetup{"a", password, "udp"}, port: freePort(t)}
	a.play("message", "b", "[answer]", "200")
	a.await("closed")
}
