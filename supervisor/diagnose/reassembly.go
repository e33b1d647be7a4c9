package diagnose

import (
	"net/netip"
	"slices"
)

// reassembly puts IP packets together from their fragments (RFC 791 §3.2,
// RFC 8200 §4.5).
type reassembly struct {
	unfinished map[fragmentKey]*pieces
	order      []fragmentKey // oldest first
}

type fragmentKey struct {
	from, to netip.Addr
	protocol uint8 // in IPv6, the id alone says enough; it does no harm
	id       uint32
}

// pieces are the fragments of one packet, by offset, without overlaps.
type pieces struct {
	list  []piece
	total int // length of the whole; 0 while the last fragment is missing
}

type piece struct {
	offset int
	data   []byte
}

// What is kept at most: packets in pieces, and the length of one.
const (
	unfinishedBound = 256
	longestIP       = 1 << 16
)

// add takes a fragment, and gives the whole packet when it is complete.
func (r *reassembly) add(p ipPacket) (ipPacket, bool) {
	key := fragmentKey{p.from, p.to, p.protocol, p.id}
	if p.offset+len(p.payload) > longestIP {
		r.forget(key)
		return ipPacket{}, false
	}
	all := r.unfinished[key]
	if all == nil {
		all = r.begin(key)
	}
	if !p.more {
		all.total = p.offset + len(p.payload)
	}
	all.insert(p.offset, p.payload)
	if !all.complete() {
		return ipPacket{}, false
	}
	r.forget(key)
	p.offset, p.more, p.payload = 0, false, nil
	for _, one := range all.list {
		p.payload = append(p.payload, one.data...)
	}
	return p, true
}

func (r *reassembly) begin(key fragmentKey) *pieces {
	if r.unfinished == nil {
		r.unfinished = map[fragmentKey]*pieces{}
	}
	if len(r.order) == unfinishedBound {
		r.forget(r.order[0])
	}
	all := &pieces{}
	r.unfinished[key] = all
	r.order = append(r.order, key)
	return all
}

func (r *reassembly) forget(key fragmentKey) {
	delete(r.unfinished, key)
	r.order = slices.DeleteFunc(r.order, func(k fragmentKey) bool { return k == key })
}

// insert keeps a copy of a fragment; one that is there already, or overlaps
// another, is passed over.
func (p *pieces) insert(offset int, data []byte) {
	at, _ := slices.BinarySearchFunc(p.list, offset, func(one piece, o int) int { return one.offset - o })
	if at > 0 && p.list[at-1].offset+len(p.list[at-1].data) > offset || at < len(p.list) && p.list[at].offset < offset+len(data) {
		return
	}
	p.list = slices.Insert(p.list, at, piece{offset, slices.Clone(data)})
}

func (p *pieces) complete() bool {
	end := 0
	for _, one := range p.list {
		if one.offset != end {
			return false
		}
		end += len(one.data)
	}
	return p.total > 0 && end == p.total
}
