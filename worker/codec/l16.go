package codec

// linear is 16-bit samples in network byte order (RFC 3551 §4.5.11).
type linear struct{ concealer }

func newLinear(s Spec) *linear { return &linear{newConcealer(s.SampleRate)} }

func (l *linear) Encode(dst []byte, pcm []int16) []byte {
	for _, x := range pcm {
		dst = append(dst, byte(uint16(x)>>8), byte(x))
	}
	return dst
}

func (l *linear) Decode(dst []int16, payload []byte) []int16 {
	from := len(dst)
	for i := 0; i+1 < len(payload); i += 2 {
		dst = append(dst, int16(uint16(payload[i])<<8|uint16(payload[i+1])))
	}
	l.received(dst[from:])
	return dst
}

func (l *linear) Ticks(payload []byte) int { return len(payload) / 2 }
