package tone

// note is a MIDI pitch (69 is the A of 440 Hz) that lasts a number of eighths.
type note struct{ pitch, eighths int }

// Pitches by name; g4 is the G above middle C.
const (
	g2 = 43 + iota
	gs2
	a2
	as2
	b2
	c3
	cs3
	d3
	ds3
	e3
	f3
	fs3
	g3
	gs3
	a3
	as3
	b3
	c4
	cs4
	d4
	ds4
	e4
	f4
	fs4
	g4
	gs4
	a4
	as4
	b4
	c5
	cs5
	d5
	ds5
	e5
	f5
	fs5
	g5
)

// score is sixteen bars of three quarters: melody, an inner voice that holds a
// note of each bar's chord, and bass.
var score = [3][]note{
	{
		{d5, 2}, {g4, 1}, {a4, 1}, {b4, 1}, {c5, 1},
		{d5, 2}, {g4, 2}, {g4, 2},
		{e5, 2}, {c5, 1}, {d5, 1}, {e5, 1}, {fs5, 1},
		{g5, 2}, {g4, 2}, {g4, 2},
		{c5, 2}, {d5, 1}, {c5, 1}, {b4, 1}, {a4, 1},
		{b4, 2}, {c5, 1}, {b4, 1}, {a4, 1}, {g4, 1},
		{fs4, 2}, {g4, 1}, {a4, 1}, {b4, 1}, {g4, 1},
		{a4, 6},
		{d5, 2}, {g4, 1}, {a4, 1}, {b4, 1}, {c5, 1},
		{d5, 2}, {g4, 2}, {g4, 2},
		{e5, 2}, {c5, 1}, {d5, 1}, {e5, 1}, {fs5, 1},
		{g5, 2}, {g4, 2}, {g4, 2},
		{c5, 2}, {d5, 1}, {c5, 1}, {b4, 1}, {a4, 1},
		{b4, 2}, {c5, 1}, {b4, 1}, {a4, 1}, {g4, 1},
		{a4, 2}, {b4, 1}, {a4, 1}, {g4, 1}, {fs4, 1},
		{g4, 6},
	},
	{
		{d4, 6}, {d4, 6}, {e4, 6}, {d4, 6}, {e4, 6}, {d4, 6}, {d4, 6}, {fs4, 6},
		{d4, 6}, {d4, 6}, {e4, 6}, {d4, 6}, {e4, 6}, {d4, 6}, {c4, 6}, {b3, 6},
	},
	{
		{g3, 4}, {a3, 2},
		{b3, 6},
		{c4, 6},
		{b3, 6},
		{a3, 6},
		{g3, 6},
		{d4, 2}, {b3, 2}, {g3, 2},
		{d4, 2}, {d3, 1}, {c4, 1}, {b3, 1}, {a3, 1},
		{b3, 4}, {a3, 2},
		{g3, 2}, {b3, 2}, {g3, 2},
		{c4, 6},
		{b3, 2}, {c4, 1}, {b3, 1}, {a3, 1}, {g3, 1},
		{a3, 4}, {fs3, 2},
		{g3, 4}, {b3, 2},
		{c4, 2}, {d4, 2}, {d3, 2},
		{g3, 4}, {g2, 2},
	},
}

// volume of each voice, so that the whole is at about -20 dBov.
var volume = [3]float32{5000, 2200, 3400}
