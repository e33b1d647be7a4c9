package codec

import "math/bits"

// g711 is one byte per sample, without memory (ITU-T G.711).
type g711 struct {
	concealer
	encode func(int16) byte
	decode *[256]int16
}

func newG711(s Spec, encode func(int16) byte, decode *[256]int16) *g711 {
	return &g711{concealer: newConcealer(s.SampleRate), encode: encode, decode: decode}
}

func (g *g711) Encode(dst []byte, pcm []int16) []byte {
	for _, x := range pcm {
		dst = append(dst, g.encode(x))
	}
	return dst
}

func (g *g711) Decode(dst []int16, payload []byte) []int16 {
	from := len(dst)
	for _, b := range payload {
		dst = append(dst, g.decode[b])
	}
	g.received(dst[from:])
	return dst
}

func (g *g711) Ticks(payload []byte) int { return len(payload) }

// The decoders' output values, G.711 tables 1 and 2, scaled to 16 bits.
var (
	decodeMu = table(ExpandMu)
	decodeA  = table(ExpandA)
)

func table(expand func(byte) int16) (t [256]int16) {
	for i := range t {
		t[i] = expand(byte(i))
	}
	return t
}

// muBias moves the segments' ends onto powers of two (G.711 table 2, in units
// of 14 bits).
const muBias = 33

// encodeMu compresses by G.711 table 2: sign, three bits of segment, four of
// the position in it, all inverted. Of 16 bits the upper 14 count. Negative
// values are mirrored by one's complement, so that -1 and 0 differ in sign only.
func encodeMu(x int16) byte {
	sign := byte(0x80)
	v := int(x)
	if v < 0 {
		v, sign = ^v, 0
	}
	v = min(v>>2+muBias, 0x1FFF)
	segment := bits.Len(uint(v)) - 6
	code := byte(segment<<4 | v>>(segment+1)&0x0F)
	return sign | ^code&0x7F
}

// ExpandMu is what a byte of mu-law means on the scale of 16 bits.
func ExpandMu(b byte) int16 {
	code := ^b
	segment := int(code >> 4 & 7)
	v := (int(code&0x0F)<<1 + 1 + 32) << segment // the interval's middle, biased
	v = (v - muBias) << 2
	if b < 0x80 {
		v = -v
	}
	return int16(v)
}

// encodeA compresses by G.711 table 1: the upper 13 of 16 bits, every second
// bit of the result inverted.
func encodeA(x int16) byte {
	sign := byte(0x80)
	v := int(x)
	if v < 0 {
		v, sign = ^v, 0
	}
	v >>= 4
	segment := max(bits.Len(uint(v))-4, 0) // 0 and 1 are both linear with step 1
	code := v
	if segment > 0 {
		code = segment<<4 | v>>(segment-1)&0x0F
	}
	return (sign | byte(code)) ^ 0x55
}

// ExpandA is what a byte of A-law means on the scale of 16 bits.
func ExpandA(b byte) int16 {
	code := b ^ 0x55
	segment := int(code >> 4 & 7)
	v := int(code&0x0F)<<4 + 8 // the interval's middle
	if segment > 0 {
		v = (v + 0x100) << (segment - 1)
	}
	if code < 0x80 {
		v = -v
	}
	return int16(v)
}
