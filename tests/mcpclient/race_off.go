//go:build !race

package mcpclient

// raceDetector tells whether the test runs with the race detector.
const raceDetector = false
