// Package engine runs a scenario against the phones it is given.
//
// One loop owns the run. What it reacts to comes to it one at a time – the
// journal's events in their order, the end of a command, an alarm – and every
// reaction starts in that order, in the same turn of the loop: nothing polls
// and nothing sleeps.
//
//	Feed ──events──►┌──────┐──Begin──► Phones
//	alarms ────────►│ loop │─────────► timeline
//	command ends ──►└──────┘
//
// What an event does, in this order: it is put on the timeline; the sequences
// that wait for it go on; it fires hooks, in the order in which they are
// written; the user events that those raised do the same; and then it is held
// against stop_on. So an event that ends the run has still fired its hooks.
//
// The actions of one hook run one after the other, the hooks beside each
// other. Commands are begun by the loop itself, so they come to the phones in
// the order of the events that caused them. repeat and parallel are sequences
// within a sequence, which waits for them (group.go).
//
// How a run ends, phase by phase: stopping – commands under way may end;
// judging – expectations are held against what was seen, and after a stop what
// is expected may still come for a while (judging.go, package judge);
// cleaning – hooks on scenario.stopped; finishing – finally, of a cancelled run
// too; hangingUp – the calls of a cancelled run; collecting – its files.
//
// A verdict is never better than what was seen. A lost event (a Gap) of a
// phone of the run fails it at once. The death of a worker does not: the run
// goes on, and what the worker took along is on the timeline (events.lost); but
// unless the scenario names phone.exited, phone.restarted or phone.failed
// somewhere, or kills workers itself, the run fails in the end. An expectation
// that nobody can judge does not hold. A run without
// stop_on whose time is up while an initial action, a command or a wait_until
// is still open ends timeout, not ok; user.scenario_failed fails the run unless
// a stop_on names it; when events and an alarm are due together, the events
// count first.
package engine
