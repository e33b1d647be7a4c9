package dialog

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/emiago/sipgo/sip"

	"ringmaster/proto/phone"
	"ringmaster/worker/sipua"
)

func TestContactIsSIPSWhereTheDialogIs(t *testing.T) {
	n := newEnd(t)
	at := func(tr phone.Transport) sipua.Target {
		return sipua.Target{Transport: tr, Addr: netip.MustParseAddrPort("127.0.0.1:5061")}
	}
	n.on(func() {
		own := fmt.Sprintf("me@127.0.0.1:%d", n.ua.LocalPort())
		for _, row := range []struct {
			transport phone.Transport
			secure    bool
			want      string
		}{
			{phone.TLS, true, "sips:" + own},
			{phone.TLS, false, "sip:" + own},
			{phone.UDP, true, "sip:" + own},
		} {
			if got := n.e.contact(at(row.transport), row.secure); got.String() != row.want {
				t.Errorf("over %s, secure %v: %s, want %s", row.transport, row.secure, got.String(), row.want)
			}
		}
	})
}

func TestWhichRequestsAskForSIPS(t *testing.T) {
	uri := func(s string) (u sip.Uri) {
		if err := sip.ParseUri(s, &u); err != nil {
			t.Fatal(err)
		}
		return u
	}
	for _, row := range []struct {
		to, route, contact string
		want               bool
	}{
		{"sip:me@h", "", "sip:far@h", false},
		{"sips:me@h", "", "sip:far@h", true},
		{"sip:me@h", "", "sips:far@h", true},
		{"sip:me@h", "sips:proxy", "sip:far@h", true},
		{"sip:me@h", "sip:proxy", "sips:far@h", false},
	} {
		req := sip.NewRequest(sip.INVITE, uri(row.to))
		if row.route != "" {
			req.AppendHeader(&sip.RecordRouteHeader{Address: uri(row.route)})
		}
		req.AppendHeader(&sip.ContactHeader{Address: uri(row.contact)})
		if got := asksForSIPS(req); got != row.want {
			t.Errorf("%+v: %v", row, got)
		}
	}
}
