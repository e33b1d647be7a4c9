package sdp

import "fmt"

// Direction says which way media flows, seen from whoever says it.
type Direction int

// The four directions of RFC 8866 §6.7. SendRecv is what no word means.
const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

var directionWords = [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}

// String gives the word of the a= line.
func (d Direction) String() string {
	if d < 0 || int(d) >= len(directionWords) {
		return fmt.Sprintf("Direction(%d)", int(d))
	}
	return directionWords[d]
}

// ParseDirection reads the word of an a= line.
func ParseDirection(word string) (Direction, bool) {
	for i, w := range directionWords {
		if w == word {
			return Direction(i), true
		}
	}
	return SendRecv, false
}

// Sends reports whether media leaves.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives reports whether media is taken.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// Reverse is d seen from the far end.
func (d Direction) Reverse() Direction { return flow(d.Receives(), d.Sends()) }

// And allows what both allow.
func (d Direction) And(other Direction) Direction {
	return flow(d.Sends() && other.Sends(), d.Receives() && other.Receives())
}

func flow(sends, receives bool) Direction {
	switch {
	case sends && receives:
		return SendRecv
	case sends:
		return SendOnly
	case receives:
		return RecvOnly
	}
	return Inactive
}
