package dtmf

import (
	"fmt"
	"mime"
	"strconv"
	"strings"
)

// The content types of SIP INFO bodies that carry a digit.
const (
	RelayType = "application/dtmf-relay" // Signal=5, Duration=160, a line each
	PlainType = "application/dtmf"       // the digit and nothing else
)

// FormatRelay is the body of type RelayType for a digit that lasts 160 ms.
func FormatRelay(digit byte) string { return fmt.Sprintf("Signal=%c\r\nDuration=160\r\n", digit) }

// FormatPlain is the body of type PlainType.
func FormatPlain(digit byte) string { return string(rune(digit)) }

// ParseInfo reads the digit out of an INFO body. Phones differ in spaces, case
// and in whether * is written as 10; all are understood.
func ParseInfo(contentType, body string) (digit byte, err error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return 0, fmt.Errorf("the INFO's content type %.80q cannot be read", contentType)
	}
	switch kind {
	case RelayType:
		for line := range strings.Lines(body) {
			key, value, _ := strings.Cut(line, "=")
			if strings.EqualFold(strings.TrimSpace(key), "signal") {
				return parseSignal(value)
			}
		}
		return 0, fmt.Errorf("the INFO body has no line Signal=")
	case PlainType:
		return parseSignal(body)
	}
	return 0, fmt.Errorf("an INFO body of type %.80q carries no digit", kind)
}

func parseSignal(s string) (byte, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) == 1 && strings.Contains(keys, s) {
		return s[0], nil
	}
	if code, err := strconv.Atoi(s); err == nil && code >= 10 && code < len(keys) {
		return keys[code], nil
	}
	return 0, fmt.Errorf("the INFO's signal %.20q is no digit", s)
}
