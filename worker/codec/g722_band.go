package codec

// band is one half of the G.722 predictor: an adaptive step size, and a filter
// of two poles and six zeros that is trained by what it mispredicts.
type band struct {
	step      int32 // DETL, DETH
	logStep   int32 // NBL, NBH
	predicted int32 // SL, SH: the next sample, as far as can be told
	zeros     int32 // SZ: the part of it that the zeros contribute
	poleCoef  [2]int32
	zeroCoef  [6]int32
	recon     [2]int32 // RLT: reconstructed samples, newest first
	partial   [2]int32 // PLT: partially reconstructed ones
	diff      [6]int32 // DLT: quantised differences
}

// adaptLow is LOGSCL and SCALEL, for the four upper bits of a lower-band code.
func (b *band) adaptLow(coarse int32) {
	b.logStep = limit(b.logStep*127>>7+weightLow[coarse], 0, 18432)
	b.step = antilog(b.logStep, 8)
}

// adaptHigh is LOGSCH and SCALEH.
func (b *band) adaptHigh(code int32) {
	b.logStep = limit(b.logStep*127>>7+weightHigh[code], 0, 22528)
	b.step = antilog(b.logStep, 10)
}

func antilog(logStep, shift int32) int32 {
	mantissa := antilogs[logStep>>6&31]
	if shift -= logStep >> 11; shift >= 0 {
		return mantissa >> shift << 2
	}
	return mantissa << -shift << 2
}

// predict takes the newest quantised difference (RECONS, PARREC), adapts the
// filter (UPPOL2, UPPOL1, UPZERO) and computes the next prediction (FILTEP,
// FILTEZ, PREDIC).
func (b *band) predict(d int32) {
	recon := saturate(b.predicted + d)
	partial := saturate(b.zeros + d)

	a1, a2 := b.poleCoef[0], b.poleCoef[1]
	turn := saturate(a1 * 4)
	if sameSign(partial, b.partial[0]) {
		turn = min(-turn, 32767)
	}
	second := turn>>7 + a2*32512>>15
	if sameSign(partial, b.partial[1]) {
		second += 128
	} else {
		second -= 128
	}
	second = limit(second, -12288, 12288)
	first := a1 * 32640 >> 15
	if sameSign(partial, b.partial[0]) {
		first += 192
	} else {
		first -= 192
	}
	bound := saturate(15360 - second)
	first = limit(first, -bound, bound)
	b.poleCoef = [2]int32{first, second}

	for i, old := range b.diff {
		coef := b.zeroCoef[i] * 32640 >> 15
		if d != 0 {
			if sameSign(d, old) {
				coef += 128
			} else {
				coef -= 128
			}
		}
		b.zeroCoef[i] = saturate(coef)
	}

	copy(b.diff[1:], b.diff[:])
	b.diff[0] = d
	b.recon[1], b.recon[0] = b.recon[0], recon
	b.partial[1], b.partial[0] = b.partial[0], partial

	poles := first*saturate(2*b.recon[0])>>15 + second*saturate(2*b.recon[1])>>15
	b.zeros = 0
	for i, coef := range b.zeroCoef {
		b.zeros += coef * saturate(2*b.diff[i]) >> 15
	}
	b.zeros = saturate(b.zeros)
	b.predicted = saturate(saturate(poles) + b.zeros)
}

// sameSign counts 0 as positive, as a sign bit does.
func sameSign(x, y int32) bool { return (x ^ y) >= 0 }
