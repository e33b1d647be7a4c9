package phone

import (
	"fmt"
	"regexp"
)

// ID names a phone within one server: 1 to 32 characters of a-z, 0-9 and _.
type ID string

var idForm = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

// ParseID checks s against the form of an ID. The error contains the word
// "invalid" and says what is allowed.
func ParseID(s string) (ID, error) {
	if !idForm.MatchString(s) {
		return "", fmt.Errorf("phone_id %.40q is invalid: use 1 to 32 characters of a-z, 0-9 and _", s)
	}
	return ID(s), nil
}

// CallID names a call. It is unique across all phones of one server and never
// reused; 0 is a valid id.
type CallID int64

// Block is a run of call ids that a worker may give to its calls without
// asking: First, First+1, … First+Count-1.
type Block struct {
	First CallID
	Count int64
}

// BlockSize is how many ids a worker is granted at a time.
const BlockSize = 1000
