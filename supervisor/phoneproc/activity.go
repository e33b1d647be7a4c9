package phoneproc

import "sync"

// activity counts something that comes and goes, and tells when there is none
// of it. The zero value is ready.
type activity struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // closed when n falls to 0; nil while nobody waits
}

func (a *activity) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n++
}

func (a *activity) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.n--
	if a.n == 0 && a.none != nil {
		close(a.none)
		a.none = nil
	}
}

// idle returns a channel that is closed as soon as there is none.
func (a *activity) idle() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.n > 0 {
		if a.none == nil {
			a.none = make(chan struct{})
		}
		return a.none
	}
	now := make(chan struct{})
	close(now)
	return now
}
