package loop

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestPostsRunInOrderAndDeferredBeforeThem(t *testing.T) {
	l := New(nil)
	var got []string
	note := func(s string) func() { return func() { got = append(got, s) } }
	for _, fn := range []func(){
		func() { note("a")(); l.Defer(note("a-deferred")) },
		note("b"),
		func() { l.Stop() },
	} {
		if err := l.Post(fn); err != nil {
			t.Fatal(err)
		}
	}
	l.Run()
	if want := []string{"a", "a-deferred", "b"}; !slices.Equal(got, want) {
		t.Errorf("ran %v, want %v", got, want)
	}
}

func TestTimersFireInOrderOfTimeAndNotWhenStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(nil)
		begin := time.Now()
		var got []time.Duration
		at := func() { got = append(got, time.Since(begin)) }
		l.After(30*time.Millisecond, at)
		l.After(10*time.Millisecond, at)
		never := l.After(20*time.Millisecond, func() { t.Error("a stopped timer fired") })
		l.After(15*time.Millisecond, func() { never.Stop(); never.Stop() })
		l.After(40*time.Millisecond, l.Stop)
		l.Run()
		if want := []time.Duration{10 * time.Millisecond, 30 * time.Millisecond}; !slices.Equal(got, want) {
			t.Errorf("fired at %v, want %v", got, want)
		}
	})
}

func TestDoWaitsForTheFunction(t *testing.T) {
	l := New(nil)
	go l.Run()
	ran := false
	if err := l.Do(context.Background(), func() { ran = true }); err != nil || !ran {
		t.Errorf("Do = %v, ran %v", err, ran)
	}
	l.Stop()
	<-l.Stopped()
	if err := l.Do(context.Background(), func() {}); !errors.Is(err, ErrStopped) {
		t.Errorf("Do on an ended loop = %v, want ErrStopped", err)
	}
	if err := l.Post(func() {}); !errors.Is(err, ErrStopped) {
		t.Errorf("Post on an ended loop = %v, want ErrStopped", err)
	}
}

func TestDoGivesUpWithItsContext(t *testing.T) {
	l := New(nil) // never runs
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := l.Do(ctx, func() {}); !errors.Is(err, context.Canceled) {
		t.Errorf("Do = %v, want context.Canceled", err)
	}
}
