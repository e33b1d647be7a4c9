package quality

import (
	"math"
	"sync"
	"time"
)

// Sound is what one direction of a call was, since it began. Every moment is
// heard, silent or missing: the three together are how long it lasted.
type Sound struct {
	HeardMs   int64 // sound of Silent (-60 dBov) or more
	SilentMs  int64 // received, or sent, and below that; comfort noise too
	MissingMs int64 // nothing came, or was sent: what was concealed is here
	// LevelDBov is the power of what was heard: 0 is a square wave at full
	// scale, a full-scale sine is -3. PeakDBov is its highest sample against
	// full scale. Both are -127 while nothing was heard.
	LevelDBov, PeakDBov float64
	// ToneHz is the frequency that was the strongest for the longest time,
	// above 100 Hz; 0 when there was none that held a third of the power in a
	// frame of 20 ms. TonePart is the share of the time heard, from 0 to 1, in
	// which it was the strongest, give or take 12 Hz: near 1 for a steady
	// tone, low for speech.
	ToneHz, TonePart float64
}

// classHz is the width of a class of frequencies; a tone may lie in two
// neighbours. classes reach to the end of what 16 kHz can hold.
const (
	classHz = 12.5
	classes = int(8000/classHz) + 1
)

// Meter measures one direction of a call, frame by frame. One goroutine feeds
// it; Sound may be asked for by any. It allocates with its first frame and when
// the rate changes. The zero value is ready.
type Meter struct {
	spectrum spectrum // the feeder's alone

	mu                     sync.Mutex
	heard, silent, missing time.Duration
	samples                int64   // of whole frames that were heard,
	energy                 float64 // their squares,
	peak                   int     // and the highest of them
	frames                 [classes]uint32
	offset                 [classes]float32 // sum of the distances from the class's middle, Hz
	toned                  int64            // frames that were heard, whole
}

// Frame takes a frame at rate Hz, of which absent samples did not come: they
// stand for something that was lost. It returns the frame's level in dBov.
func (m *Meter) Frame(pcm []int16, absent, rate int) (level float64) {
	var energy float64
	peak := 0
	for _, x := range pcm {
		v := int(x)
		peak = max(peak, v, -v)
		energy += float64(v * v)
	}
	level = -127.0
	if energy > 0 {
		level = max(-127, 10*math.Log10(energy/float64(len(pcm))/(32768*32768)))
	}
	whole := absent == 0 && level >= Silent
	hz := 0.0
	if whole {
		hz = m.spectrum.strongest(pcm, rate)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	there := time.Duration(len(pcm)-absent) * time.Second / time.Duration(rate)
	m.missing += time.Duration(absent) * time.Second / time.Duration(rate)
	if level < Silent {
		m.silent += there
		return level
	}
	m.heard += there
	if !whole {
		return level
	}
	m.samples += int64(len(pcm))
	m.energy += energy
	m.peak = max(m.peak, peak)
	m.toned++
	if c := int(hz / classHz); hz > 0 && c < classes {
		m.frames[c]++
		m.offset[c] += float32(hz - (float64(c)+0.5)*classHz)
	}
	return level
}

// Missing lets time pass in which there was nothing.
func (m *Meter) Missing(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.missing += d
}

// Silent lets time pass in which the far end was silent on purpose.
func (m *Meter) Silent(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.silent += d
}

// Sound is what was measured so far.
func (m *Meter) Sound() Sound {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Sound{
		HeardMs: m.heard.Milliseconds(), SilentMs: m.silent.Milliseconds(), MissingMs: m.missing.Milliseconds(),
		LevelDBov: -127, PeakDBov: -127,
	}
	if m.samples > 0 {
		s.LevelDBov = 10 * math.Log10(m.energy/float64(m.samples)/(32768*32768))
		s.PeakDBov = 20 * math.Log10(float64(m.peak)/32768)
	}
	best, most := 0, uint32(0)
	for c := range classes - 1 {
		if n := m.frames[c] + m.frames[c+1]; n > most {
			best, most = c, n
		}
	}
	if most > 0 {
		sum := float64(m.offset[best]) + float64(m.offset[best+1]) +
			(float64(best)+0.5)*classHz*float64(m.frames[best]) + (float64(best)+1.5)*classHz*float64(m.frames[best+1])
		s.ToneHz, s.TonePart = sum/float64(most), float64(most)/float64(m.toned)
	}
	return s
}
