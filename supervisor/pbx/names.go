package pbx

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"ringmaster/loop"
	"ringmaster/proto/sipnet"
)

const (
	maxNames     = 256 // remembered; past it all are forgotten
	maxQuestions = 64  // waiting for the resolver
	nameLife     = time.Minute
	namePatience = 2 * time.Second // for one question
)

// names is what the PBX knows of host names. One goroutine asks, one question
// at a time; the loop remembers the answers, also that there is none.
type names struct {
	loop      *loop.Loop
	known     map[string]knownName
	waiting   map[string][]func()
	questions chan string
	cancel    context.CancelFunc
	asker     sync.WaitGroup
}

type knownName struct {
	addrs []netip.Addr
	at    time.Time
}

func newNames(l *loop.Loop, r sipnet.Resolver) *names {
	ctx, cancel := context.WithCancel(context.Background())
	n := &names{
		loop: l, known: make(map[string]knownName), waiting: make(map[string][]func()),
		questions: make(chan string, maxQuestions), cancel: cancel,
	}
	n.asker.Go(func() { n.ask(ctx, r) })
	return n
}

func (n *names) ask(ctx context.Context, r sipnet.Resolver) {
	for {
		select {
		case host := <-n.questions:
			patient, cancel := context.WithTimeout(ctx, namePatience)
			addrs, err := r.LookupNetIP(patient, "ip", host)
			cancel()
			if err != nil {
				addrs = nil
			}
			if n.loop.Post(func() { n.learn(host, addrs) }) != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// close ends the asking; the loop must still be running.
func (n *names) close() {
	n.cancel()
	n.asker.Wait()
}

func (n *names) learn(host string, addrs []netip.Addr) {
	if len(n.known) >= maxNames {
		clear(n.known)
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	n.known[host] = knownName{addrs, n.loop.Now()}
	then := n.waiting[host]
	delete(n.waiting, host)
	for _, fn := range then {
		fn()
	}
}

// settle calls then once every host is an address or a name that was asked
// for: at once if all are. It returns false, and never calls then, when too
// many questions wait already.
func (n *names) settle(hosts []string, then func()) bool {
	for i, host := range hosts {
		host = canonical(host)
		if _, ok := n.lookup(host); ok {
			continue
		}
		waiting, asked := n.waiting[host]
		if !asked {
			select {
			case n.questions <- host:
			default:
				return false
			}
		}
		if len(waiting) >= maxQuestions {
			return false
		}
		n.waiting[host] = append(waiting, func() {
			// What was settled before it may be stale by now; it was true
			// when the request came.
			if !n.settle(hosts[i+1:], then) {
				then()
			}
		})
		return true
	}
	then()
	return true
}

// lookup gives the addresses of a host; ok is false for a name that must be
// asked for first.
func (n *names) lookup(host string) (addrs []netip.Addr, ok bool) {
	host = canonical(host)
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr.Unmap()}, true
	}
	k, ok := n.known[host]
	if !ok || n.loop.Now().Sub(k.at) > nameLife {
		return nil, false
	}
	return k.addrs, true
}

// canonical is a host as it is remembered: without brackets, in lower case.
func canonical(host string) string {
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}
