package realtimetest

import (
	"slices"
	"time"
)

// agenda holds what a session has to do at certain times. It belongs to the
// session's goroutine.
type agenda struct{ tasks []*task }

// task is a piece of work in steps. step does the next one and returns when the
// one after it is due; false ends the task.
type task struct {
	due  time.Time
	step func(now time.Time) (next time.Time, more bool)
}

// at schedules one call.
func (a *agenda) at(due time.Time, do func()) *task {
	return a.add(due, func(time.Time) (time.Time, bool) {
		do()
		return time.Time{}, false
	})
}

func (a *agenda) add(due time.Time, step func(time.Time) (time.Time, bool)) *task {
	t := &task{due, step}
	a.tasks = append(a.tasks, t)
	return t
}

// drop takes t off the agenda; a nil or finished task is not on it.
func (a *agenda) drop(t *task) {
	a.tasks = slices.DeleteFunc(a.tasks, func(o *task) bool { return o == t })
}

// next returns the task that is due first, of equals the oldest.
func (a *agenda) next() *task {
	var first *task
	for _, t := range a.tasks {
		if first == nil || t.due.Before(first.due) {
			first = t
		}
	}
	return first
}

// run does one step of t.
func (a *agenda) run(t *task, now time.Time) {
	due, more := t.step(now)
	if more {
		t.due = due
	} else {
		a.drop(t)
	}
}
