package call

import "testing"

func TestDigitOfAnInfoBody(t *testing.T) {
	for _, row := range []struct {
		contentType, body, want string
		ok                      bool
	}{
		{"application/dtmf-relay", "Signal=5\r\nDuration=160\r\n", "5", true},
		{"application/dtmf-relay", "Signal= #\nDuration= 160", "#", true},
		{"application/dtmf-relay; charset=x", "signal=d\r\n", "D", true},
		{"Application/DTMF", "7", "7", true},
		{"application/dtmf", " *\r\n", "*", true},
		{"application/dtmf", "12", "", false},
		{"application/dtmf-relay", "Duration=160\r\n", "", false},
		{"application/dtmf", "", "", false},
		{"text/plain", "5", "", false},
		{"", "5", "", false},
	} {
		got, ok := infoDigit(row.contentType, row.body)
		if got != row.want || ok != row.ok {
			t.Errorf("infoDigit(%q, %q) = %q, %v; want %q, %v", row.contentType, row.body, got, ok, row.want, row.ok)
		}
	}
}
