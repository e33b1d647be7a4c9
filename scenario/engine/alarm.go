package engine

import (
	"container/heap"
	"time"
)

// alarm is something to do at a time, in the loop.
type alarm struct {
	at    time.Time
	order int // among alarms of one time
	ring  func()
	place int // in the heap; -1 when it has rung or was stopped
}

// alarms keeps what is due when, for one timer. The zero value is empty.
type alarms struct {
	list  []*alarm
	given int
}

// last is the order of an alarm that comes after all others of its time.
const last = int(^uint(0) >> 1)

func (a *alarms) set(at time.Time, ring func()) *alarm {
	a.given++
	return a.setOrdered(at, a.given, ring)
}

func (a *alarms) setOrdered(at time.Time, order int, ring func()) *alarm {
	one := &alarm{at: at, order: order, ring: ring}
	heap.Push(a, one)
	return one
}

// stop takes an alarm out; nil and one that has rung are fine.
func (a *alarms) stop(one *alarm) {
	if one != nil && one.place >= 0 {
		heap.Remove(a, one.place)
	}
}

// next says when the first alarm is due.
func (a *alarms) next() (time.Time, bool) {
	if len(a.list) == 0 {
		return time.Time{}, false
	}
	return a.list[0].at, true
}

// due takes out the first alarm that is due at now, or gives nil.
func (a *alarms) due(now time.Time) *alarm {
	if len(a.list) == 0 || a.list[0].at.After(now) {
		return nil
	}
	return heap.Pop(a).(*alarm)
}

// Len, Less, Swap, Push and Pop are container/heap's.
func (a *alarms) Len() int { return len(a.list) }

func (a *alarms) Less(i, j int) bool {
	if !a.list[i].at.Equal(a.list[j].at) {
		return a.list[i].at.Before(a.list[j].at)
	}
	return a.list[i].order < a.list[j].order
}

func (a *alarms) Swap(i, j int) {
	a.list[i], a.list[j] = a.list[j], a.list[i]
	a.list[i].place, a.list[j].place = i, j
}

func (a *alarms) Push(one any) {
	one.(*alarm).place = len(a.list)
	a.list = append(a.list, one.(*alarm))
}

func (a *alarms) Pop() any {
	one := a.list[len(a.list)-1]
	a.list[len(a.list)-1] = nil
	a.list = a.list[:len(a.list)-1]
	one.place = -1
	return one
}
