package ring

import (
	"runtime"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRingIsBounded(t *testing.T) {
	r := New(5)
	if n := r.Write([]int16{1, 2, 3, 4, 5, 6}); n != 5 || r.Len() != 5 || r.Room() != 0 {
		t.Errorf("took %d, holds %d", n, r.Len())
	}
	got := make([]int16, 3)
	if n := r.Read(got); n != 3 || got[0] != 1 || got[2] != 3 {
		t.Errorf("read %d: %v", n, got)
	}
	r.Write([]int16{7, 8})
	got = make([]int16, 9)
	if n := r.Read(got); n != 4 || got[0] != 4 || got[3] != 8 {
		t.Errorf("across the end: %d, %v", n, got)
	}
	if n := r.Read(got); n != 0 {
		t.Errorf("an empty ring gave %d", n)
	}
}

func TestOneWriterAndOneReader(t *testing.T) {
	const total = 100_000
	r := New(97)
	done := make(chan struct{})
	go func() {
		defer close(done)
		next := int16(0)
		for sent := 0; sent < total; {
			pcm := []int16{next, next + 1, next + 2}
			n := r.Write(pcm)
			next += int16(n)
			sent += n
			if n == 0 {
				runtime.Gosched()
			}
		}
	}()
	want := int16(0)
	buf := make([]int16, 50)
	for got := 0; got < total; {
		n := r.Read(buf)
		for _, x := range buf[:n] {
			if x != want {
				t.Fatalf("sample %d is %d, want %d", got, x, want)
			}
			want++
		}
		got += n
		if n == 0 {
			runtime.Gosched()
		}
	}
	<-done
}
