package tool

import (
	"context"
	"sync"
	"time"

	"ringmaster/proto/phone"
)

// catchUpLimit is how long the record waits for a phone that does not answer.
const catchUpLimit = 500 * time.Millisecond

// catchUp waits until what a phone, or every phone, has sent and received so
// far is on record: what a client saw happen it also finds in the log.
func (s *Set) catchUp(ctx context.Context, id phone.ID) {
	ctx, stop := context.WithTimeout(ctx, catchUpLimit)
	defer stop()
	var asking sync.WaitGroup
	defer asking.Wait()
	for _, st := range s.o.Phones.List() {
		if each := st.Settings.PhoneID; id == "" || id == each {
			asking.Go(func() {
				mark := s.o.Hub.Mark(each)
				out, err := s.o.Phones.Do(ctx, each, phone.GetRegistration{})
				if err == nil {
					// When it is late, what is there has to do.
					_ = s.o.Hub.Arrived(ctx, mark, out.Cursor)
				}
			})
		}
	}
}
