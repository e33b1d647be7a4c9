package codec

// g722 is ITU-T G.722 in mode 1, 64 kbit/s: two samples at 16 kHz make a byte,
// six bits for the band below 4 kHz and two for the one above. The names in
// capitals are those of the blocks in G.722 §3.6, whose fixed-point
// arithmetic is followed bit for bit.
type g722 struct {
	concealer
	tx, rx struct {
		low, high band
		qmf       [24]int32 // delay line of the band-splitting filter
	}
	odd    int16 // encoder: a sample that waits for its partner
	hasOdd bool
}

func newG722() *g722 {
	g := &g722{concealer: newConcealer(G722.SampleRate)}
	g.tx.low.step, g.tx.high.step = 32, 8 // G.722 §3.6, reset values
	g.rx.low.step, g.rx.high.step = 32, 8
	return g
}

func (g *g722) Ticks(payload []byte) int { return len(payload) }

func (g *g722) Encode(dst []byte, pcm []int16) []byte {
	for _, x := range pcm {
		if !g.hasOdd {
			g.odd, g.hasOdd = x, true
			continue
		}
		g.hasOdd = false
		dst = append(dst, g.encodePair(int32(g.odd), int32(x)))
	}
	return dst
}

func (g *g722) Decode(dst []int16, payload []byte) []int16 {
	from := len(dst)
	for _, b := range payload {
		first, second := g.decodePair(int32(b))
		dst = append(dst, first, second)
	}
	g.received(dst[from:])
	return dst
}

func (g *g722) encodePair(first, second int32) byte {
	copy(g.tx.qmf[:], g.tx.qmf[2:])
	g.tx.qmf[22], g.tx.qmf[23] = first, second
	a, b := splitFilter(&g.tx.qmf)
	low, high := (b+a)>>14, (b-a)>>14

	// Lower band: QUANTL, INVQAL, LOGSCL, SCALEL.
	e := saturate(low - g.tx.low.predicted)
	code := quantizeLow(e, g.tx.low.step)
	coarse := code >> 2
	d := g.tx.low.step * inverse4[coarse] >> 15
	g.tx.low.adaptLow(coarse)
	g.tx.low.predict(d)

	// Upper band: QUANTH, INVQAH, LOGSCH, SCALEH.
	e = saturate(high - g.tx.high.predicted)
	codeHigh := quantizeHigh(e, g.tx.high.step)
	d = g.tx.high.step * inverse2[codeHigh] >> 15
	g.tx.high.adaptHigh(codeHigh)
	g.tx.high.predict(d)

	return byte(codeHigh<<6 | code)
}

func (g *g722) decodePair(code int32) (first, second int16) {
	low, high := &g.rx.low, &g.rx.high

	codeLow := code & 0x3F
	outLow := limit(low.predicted+low.step*inverse6[codeLow]>>15, -16384, 16383)
	coarse := codeLow >> 2
	d := low.step * inverse4[coarse] >> 15
	low.adaptLow(coarse)
	low.predict(d)

	codeHigh := code >> 6
	d = high.step * inverse2[codeHigh] >> 15
	outHigh := limit(high.predicted+d, -16384, 16383)
	high.adaptHigh(codeHigh)
	high.predict(d)

	copy(g.rx.qmf[:], g.rx.qmf[2:])
	g.rx.qmf[22], g.rx.qmf[23] = outLow+outHigh, outLow-outHigh
	a, b := splitFilter(&g.rx.qmf)
	return int16(saturate(b >> 11)), int16(saturate(a >> 11))
}

// splitFilter is the two halves of the quadrature mirror filter (G.722 table 11).
func splitFilter(x *[24]int32) (even, odd int32) {
	for i := range mirror {
		even += x[2*i] * mirror[i]
		odd += x[2*i+1] * mirror[len(mirror)-1-i]
	}
	return even, odd
}

// quantizeLow is QUANTL: the six-bit code of a difference at a step size.
func quantizeLow(e, step int32) int32 {
	size := e
	if e < 0 {
		size = -(e + 1)
	}
	i := 1
	for i < 30 && size >= decision6[i]*step>>12 {
		i++
	}
	if e < 0 {
		return codeNegative[i]
	}
	return codePositive[i]
}

// quantizeHigh is QUANTH: the two-bit code of a difference at a step size.
func quantizeHigh(e, step int32) int32 {
	if e >= 0 {
		if e >= 564*step>>12 {
			return 2
		}
		return 3
	}
	if -(e + 1) >= 564*step>>12 {
		return 0
	}
	return 1
}

func limit(v, low, high int32) int32 { return max(low, min(high, v)) }

func saturate(v int32) int32 { return limit(v, -32768, 32767) }
