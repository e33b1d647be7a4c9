// Package chaos kills the workers of a server at random moments, in calls and
// while calls are set up, and requires that nobody else notices and that
// nothing is left behind.
package chaos
