package supervisor

import (
	"errors"
	"fmt"
	"strings"

	"ringmaster/proto/phone"
	"ringmaster/proto/phonewire"
)

// adoptFlag gathers --adopt, one phone each.
type adoptFlag map[phone.ID]phonewire.Reattach

func (a *adoptFlag) String() string { return "" }

// Set takes phone_id=JSON.
func (a *adoptFlag) Set(value string) error {
	name, line, found := strings.Cut(value, "=")
	if !found {
		return errors.New("it is written phone_id=JSON")
	}
	id, err := phone.ParseID(name)
	if err != nil {
		return err
	}
	if _, twice := (*a)[id]; twice {
		return fmt.Errorf("phone_id %q is adopted twice", id)
	}
	r, err := phonewire.ParseReattach(line)
	if err != nil {
		return err
	}
	if *a == nil {
		*a = adoptFlag{}
	}
	(*a)[id] = r
	return nil
}
