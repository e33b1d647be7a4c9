package registration

import (
	"testing"

	"github.com/emiago/sipgo/sip"
)

func TestTheAccountEscapesTheUsername(t *testing.T) {
	r := New(Config{Username: "u v@h", Domain: "pbx.example", NewToken: func() string { return "x" }})
	req := r.newRequest(sip.Uri{Scheme: "sip", Host: "h"}, 300)
	const want = "sip:u%20v%40h@pbx.example"
	if from, to := req.From().Address.String(), req.To().Address.String(); from != want || to != want {
		t.Errorf("From %s, To %s", from, to)
	}
}
