// Package callid deals call ids out to phones in blocks, and knows whose a
// call is.
package callid

import (
	"slices"

	"ringmaster/proto/phone"
)

// Blocks are the blocks dealt out so far, in a row from call id 0. The zero
// value has dealt none. It is not safe for concurrent use.
type Blocks struct {
	owners []phone.ID       // of the block with that index; "" is one that was given back
	newest map[phone.ID]int // index of each phone's newest block
}

// Grant gives id the lowest block that nobody has or had.
func (b *Blocks) Grant(id phone.ID) phone.Block {
	i := slices.Index(b.owners, "")
	if i < 0 {
		i = len(b.owners)
		b.owners = append(b.owners, "")
	}
	b.owners[i] = id
	if b.newest == nil {
		b.newest = map[phone.ID]int{}
	}
	b.newest[id] = i
	return phone.Block{First: phone.CallID(i) * phone.BlockSize, Count: phone.BlockSize}
}

// Return takes back a block of which no id was ever used.
func (b *Blocks) Return(block phone.Block) {
	i := int(block.First / phone.BlockSize)
	id := b.owners[i]
	b.owners[i] = ""
	delete(b.newest, id)
	for j, owner := range b.owners {
		if owner == id {
			b.newest[id] = j
		}
	}
}

// Owner says to whom c was dealt out, whether or not there was such a call.
// Ownership outlives the phone.
func (b *Blocks) Owner(c phone.CallID) (phone.ID, bool) {
	if c < 0 || int64(c)/phone.BlockSize >= int64(len(b.owners)) {
		return "", false
	}
	id := b.owners[c/phone.BlockSize]
	return id, id != ""
}

// HalfUsed reports that c, now in use, is in the second half of its owner's
// newest block, so that a further one is due.
func (b *Blocks) HalfUsed(c phone.CallID) bool {
	id, ok := b.Owner(c)
	return ok && b.newest[id] == int(c/phone.BlockSize) && c%phone.BlockSize >= phone.BlockSize/2
}
