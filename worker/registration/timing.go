package registration

import "time"

const (
	firstRetry = time.Second
	maxRetry   = time.Minute
	// maxRetryAfter bounds what a registrar can demand: a phone that stays
	// away for longer looks dead to its user.
	maxRetryAfter = time.Hour
	minRefresh    = time.Second
	// minFlow is how often a phone makes its binding anew at a registrar that
	// ends every connection at once.
	minFlow = 5 * time.Second
)

// redialAfter is how long to wait when the connection ends that a REGISTER went
// through so long ago: as after a first failure, since a registrar that starts
// again ends the connections of all its phones.
func redialAfter(since time.Duration, jitter float64) time.Duration {
	return max(minFlow-since, retryAfter(1, 0, 0, jitter))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// refreshAfter is when to refresh a binding granted for that long: at 90 % or
// 5 s before its end, whichever is earlier, but not before its half, and never
// within a second.
func refreshAfter(granted time.Duration) time.Duration {
	return max(minRefresh, min(granted*9/10, max(granted-5*time.Second, granted/2)))
}

// retryAfter is how long to wait after the given number of failures in a row:
// 1 s, doubling to 60 s, a fifth more or less by jitter, which is from 0 to 1,
// so that the phones of a fleet do not come back all at once. Whoever was told
// that its credentials are wrong waits the longest at once, before it gets
// itself banned. A registrar may ask for more by Retry-After.
func retryAfter(failures, status int, asked time.Duration, jitter float64) time.Duration {
	wait := maxRetry
	if doublings := failures - 1; doublings < 6 && !refusesCredentials(status) {
		wait = firstRetry << max(doublings, 0)
	}
	wait = time.Duration(float64(wait) * (0.8 + 0.4*jitter))
	return max(wait, min(asked, maxRetryAfter))
}

// refusesCredentials: who you are is known, and the answer is no.
func refusesCredentials(status int) bool {
	return status == 401 || status == 403 || status == 407
}
