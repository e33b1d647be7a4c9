package tone

import "math"

// Music plays the first half of the Menuet in G from the notebook for Anna
// Magdalena Bach of 1725 (BWV Anh. 114, by Christian Petzold; in the public
// domain), in three voices, over and over. It is computed as it is heard, the
// same every time, and sounds at about -20 dBov.
type Music struct {
	rate   int
	wave   []float32
	voices [len(score)]voice
	sum    []float32
}

// waveSize is the length of the table of one period; a power of two.
const waveSize = 1024

// eighth is the length of the shortest note in seconds: 120 quarters a minute.
const eighth = 0.25

// NewMusic makes the music at a sample rate, from its beginning.
func NewMusic(rate int) *Music {
	m := &Music{rate: rate, wave: period()}
	for i, notes := range score {
		m.voices[i] = voice{notes: notes, volume: volume[i]}
	}
	return m
}

// Length is how many samples pass before the music begins again.
func (m *Music) Length() int { return int(24 * float64(m.rate)) }

// period is one period of every voice: a sine with three soft overtones, none
// of which leaves the telephone's band.
func period() []float32 {
	wave := make([]float32, waveSize)
	for i := range wave {
		x := 2 * math.Pi * float64(i) / waveSize
		wave[i] = float32(math.Sin(x) + 0.4*math.Sin(2*x) + 0.15*math.Sin(3*x))
	}
	return wave
}

// voice is one part and where it stands in it.
type voice struct {
	notes  []note
	volume float32
	next   int // the note after the one that sounds
	left   int // samples that remain of the one that sounds
	age    int // samples that have passed of it

	phase, step uint32 // of 2^32
	level       float32
	fall        float32 // by which the level is multiplied with each sample
}

// Fill writes the next samples. It allocates only when dst is longer than ever
// before.
func (m *Music) Fill(dst []int16) {
	if cap(m.sum) < len(dst) {
		m.sum = make([]float32, len(dst))
	}
	sum := m.sum[:len(dst)]
	clear(sum)
	for i := range m.voices {
		m.voices[i].add(sum, m.wave, m.rate)
	}
	for i, v := range sum {
		dst[i] = int16(max(-32768, min(32767, v)))
	}
}

// add mixes the voice's next samples into sum: each note rises within 8 ms,
// dies away like a plucked string, and is damped in its last 8 ms.
func (v *voice) add(sum []float32, wave []float32, rate int) {
	ramp := rate * 8 / 1000
	for i := range sum {
		if v.left == 0 {
			v.strike(rate)
		}
		edge := min(v.age, v.left)
		amplitude := v.level
		if edge < ramp {
			amplitude *= float32(edge) / float32(ramp)
		}
		sum[i] += amplitude * wave[v.phase>>22]
		v.phase += v.step
		v.level *= v.fall
		v.age++
		v.left--
	}
}

// strike begins the next note.
func (v *voice) strike(rate int) {
	n := v.notes[v.next]
	v.next = (v.next + 1) % len(v.notes)
	v.left = n.eighths * int(eighth*float64(rate))
	v.age, v.phase = 0, 0
	frequency := 440 * math.Pow(2, float64(n.pitch-69)/12)
	v.step = uint32(frequency / float64(rate) * (1 << 32))
	v.level = v.volume
	v.fall = float32(math.Exp(-1.2 / float64(rate)))
}
