// Package dtmf sends and receives telephone digits: as RTP events (RFC 4733)
// and as bodies of SIP INFO.
package dtmf

import (
	"fmt"
	"strings"
	"time"
)

// keys are the digits by their event code (RFC 4733 §3.2).
const keys = "0123456789*#ABCD"

// Pause is a character between digits at which none is sent for PauseTime, as
// modems do (ITU-T V.250, parameter S8).
const (
	Pause     = ','
	PauseTime = 2 * time.Second
)

// Normalize checks digits and gives them as this package wants them: 0-9, *, #,
// A-D in capitals, and pauses.
func Normalize(digits string) (string, error) {
	digits = strings.ToUpper(digits)
	if strings.Trim(digits, string(Pause)) == "" {
		return "", fmt.Errorf("there are no digits to send: use 0-9, *, #, A-D, and a comma for a pause")
	}
	for i, c := range digits {
		if !strings.ContainsRune(keys, c) && c != Pause {
			return "", fmt.Errorf("character %d of the digits, %q, is none: use 0-9, *, #, A-D, and a comma for a pause", i+1, c)
		}
	}
	return digits, nil
}
