package fleet

import (
	"fmt"
	"slices"

	"ringmaster/proto/phone"
	"ringmaster/proto/sipnet"
)

// makeRoom shuts down the phones that leave for those of s: with merge, those
// of the same ids, else all. refused says, for each of s, why it cannot be
// added although it could be started; with merge, no phone leaves for it.
func (f *Fleet) makeRoom(s []phone.Settings, merge bool) (left []*member, refused []error) {
	f.mu.Lock()
	left = f.inOrder()
	f.mu.Unlock()
	wanted := map[phone.ID]bool{}
	for i := range s {
		wanted[s[i].PhoneID] = true
	}
	unwanted := func(m *member) bool { return merge && !wanted[m.id] }
	left = slices.DeleteFunc(left, unwanted)
	ports := map[int]bool{}
	for _, m := range left {
		ports[m.status().LocalPort] = true
	}
	refused = make([]error, len(s))
	for i := range s {
		if ports[s[i].LocalPort] {
			continue // the phone that has it leaves
		}
		if err := sipnet.CheckPort(s[i].Transport, s[i].LocalPort); err != nil {
			refused[i] = fmt.Errorf("phone %q could not be made: %w", s[i].PhoneID, err)
			if merge && slices.ContainsFunc(left, func(m *member) bool { return m.id == s[i].PhoneID }) {
				refused[i] = fmt.Errorf("phone %q is not replaced, and goes on as it was: %w", s[i].PhoneID, err)
			}
			delete(wanted, s[i].PhoneID)
		}
	}
	left = slices.DeleteFunc(left, unwanted)
	for _, m := range left {
		f.remove(m)
	}
	stopAll(left, true)
	return left, refused
}

// notReplaced is the error of adding a phone. It says so when another one has
// left for it.
func notReplaced(r addResult, left []*member) error {
	if r.err != nil && slices.ContainsFunc(left, func(m *member) bool { return m.id == r.id }) {
		return fmt.Errorf("%w; the phone that it was to replace is gone", r.err)
	}
	return r.err
}
