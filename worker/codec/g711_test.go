package codec

import "testing"

// Rows of G.711 tables 1a and 2a: decision values and what they decode to,
// scaled from 13 (A-law) and 14 (µ-law) bits to 16.
func TestG711DecodesTheTablesOfTheRecommendation(t *testing.T) {
	for _, c := range []struct {
		name string
		got  int16
		want int16
	}{
		{"mu 0x80, the largest", decodeMu[0x80], 8031 * 4},
		{"mu 0x00, the most negative", decodeMu[0x00], -8031 * 4},
		{"mu 0x8F, segment 8 begins", decodeMu[0x8F], 4191 * 4},
		{"mu 0xCF", decodeMu[0xCF], 231 * 4},
		{"mu 0xFE", decodeMu[0xFE], 2 * 4},
		{"mu 0xFF, zero", decodeMu[0xFF], 0},
		{"mu 0x7F, minus zero", decodeMu[0x7F], 0},
		{"A 0xAA, the largest", decodeA[0x80^0x7F^0x55], 4032 * 8},
		{"A 0x2A, the most negative", decodeA[0x7F^0x55], -4032 * 8},
		{"A 0xD5, the smallest", decodeA[0xD5], 1 * 8},
		{"A 0x55, the smallest negative", decodeA[0x55], -1 * 8},
		{"A segment 2 begins", decodeA[(0x80|0x20)^0x55], 66 * 8},
	} {
		if c.got != c.want {
			t.Errorf("%s decodes to %d, want %d", c.name, c.got, c.want)
		}
	}
}

func TestG711KeepsEveryCode(t *testing.T) {
	for i := range 256 {
		b := byte(i)
		if got := encodeA(decodeA[b]); got != b {
			t.Errorf("A-law %#02x comes back as %#02x", b, got)
		}
		want := b
		if b == 0x7F {
			want = 0xFF // both mean zero
		}
		if got := encodeMu(decodeMu[b]); got != want {
			t.Errorf("mu-law %#02x comes back as %#02x, want %#02x", b, got, want)
		}
	}
}

// A value lies in the interval of its code, so that it comes out no further
// away than half the interval, except above the highest decision value of
// G.711 table 2a, 8159 of 14 bits, where the law clips.
func TestG711IsOffByHalfAnIntervalAtMost(t *testing.T) {
	for x := -32768; x <= 32767; x++ {
		a := encodeA(int16(x))
		if off, half := abs(x-int(decodeA[a])), 8<<max(int(a^0x55)>>4&7-1, 0); off > half {
			t.Fatalf("A-law: %d is off by %d, want at most %d", x, off, half)
		}
		mu := encodeMu(int16(x))
		if off, half := abs(x-int(decodeMu[mu])), 4<<(^mu>>4&7); off > half && abs(x) < 8159*4 {
			t.Fatalf("mu-law: %d is off by %d, want at most %d", x, off, half)
		}
	}
}

func abs(x int) int { return max(x, -x) }
