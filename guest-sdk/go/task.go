package tenter

import (
	"fmt"
	"time"

	wit "tenter/internal/bind/tenter_hooks_types"
)

// Datapoint is a statement about one attribute of one entity.
type Datapoint struct {
	Attr  string
	Value Value
	// Src names the source; the module's name when empty.
	Src string
	// T1 and T2 bound the time of an observation or a timeseries; zero for plain attributes. T2 is T1 when it is zero.
	T1, T2 time.Time
	// Confidence is 0 to 1; nil is 1.
	Confidence *float64
}

// TTLToken keeps an entity with a limited lifetime alive until a time; zero is for ever.
type TTLToken struct {
	Name  string
	Until time.Time
}

// Task is work on one entity.
type Task struct {
	Entity     EntityRef
	Datapoints []Datapoint
	TTLTokens  []TTLToken
	Tags       []string
	// Remove asks for the removal of the entity; needs the grant delete-entity.
	Remove bool
}

// NewTask is a task on an entity, to be filled by the methods below.
func NewTask(entity EntityRef) Task { return Task{Entity: entity} }

// TaskOn is NewTask with the type and the id of the entity.
func TaskOn(etype, eid string) Task { return NewTask(EntityRef{etype, eid}) }

// Plain sets a plain attribute.
func (t Task) Plain(attr string, value Value) Task {
	return t.With(Datapoint{Attr: attr, Value: value})
}

// Observation says that a value held from t1 to t2.
func (t Task) Observation(attr string, value Value, t1, t2 time.Time) Task {
	return t.With(Datapoint{Attr: attr, Value: value, T1: t1, T2: t2})
}

// Alongside says something with the times, the source and the confidence of another datapoint.
func (t Task) Alongside(attr string, value Value, other Datapoint) Task {
	other.Attr, other.Value = attr, value
	return t.With(other)
}

// With adds a datapoint.
func (t Task) With(datapoint Datapoint) Task {
	t.Datapoints = append(t.Datapoints[:len(t.Datapoints):len(t.Datapoints)], datapoint)
	return t
}

// Keep adds a token that keeps the entity alive.
func (t Task) Keep(name string, until time.Time) Task {
	t.TTLTokens = append(t.TTLTokens[:len(t.TTLTokens):len(t.TTLTokens)], TTLToken{name, until})
	return t
}

// Tag adds tags.
func (t Task) Tag(tags ...string) Task {
	t.Tags = append(t.Tags[:len(t.Tags):len(t.Tags)], tags...)
	return t
}

// List is this task alone, as handlers return it.
func (t Task) List() []Task { return []Task{t} }

// Find is the first datapoint of an attribute; nil when the task has none.
func (t Task) Find(attr string) *Datapoint {
	for i := range t.Datapoints {
		if t.Datapoints[i].Attr == attr {
			return &t.Datapoints[i]
		}
	}
	return nil
}

// Confidence is for Datapoint.Confidence.
func Confidence(c float64) *float64 { return &c }

func fromDatapoint(dp wit.Datapoint) Datapoint {
	return Datapoint{
		Attr:       dp.Attr,
		Value:      fromValue(dp.Value),
		Src:        dp.Src.Some(),
		T1:         fromTime(dp.T1),
		T2:         fromTime(dp.T2),
		Confidence: fromFloat(dp.Confidence),
	}
}

func toDatapoint(dp Datapoint) (wit.Datapoint, error) {
	value, err := toValue(dp.Value)
	if err != nil {
		return wit.Datapoint{}, fmt.Errorf("datapoint of %s: %w", dp.Attr, err)
	}
	return wit.Datapoint{
		Attr:       text(dp.Attr),
		Value:      value,
		Src:        optional(text(dp.Src)),
		T1:         optionalTime(dp.T1),
		T2:         optionalTime(dp.T2),
		Confidence: optionalFloat(dp.Confidence),
	}, nil
}

func fromTokens(tokens []wit.TtlToken) []TTLToken {
	return each(tokens, func(t wit.TtlToken) TTLToken { return TTLToken{t.Name, fromTime(t.Until)} })
}

func fromTask(task wit.Task) Task {
	return Task{
		Entity:     fromEntity(task.Entity),
		Datapoints: each(task.Datapoints, fromDatapoint),
		TTLTokens:  fromTokens(task.TtlTokens),
		Tags:       task.Tags,
		Remove:     task.RemoveEntity,
	}
}

func toTask(task Task) (wit.Task, error) {
	datapoints, err := tryEach(task.Datapoints, toDatapoint)
	if err != nil {
		return wit.Task{}, fmt.Errorf("task on %s: %w", task.Entity, err)
	}
	return wit.Task{
		Entity:     toEntity(task.Entity),
		Datapoints: datapoints,
		TtlTokens: each(task.TTLTokens, func(t TTLToken) wit.TtlToken {
			return wit.TtlToken{Name: text(t.Name), Until: optionalTime(t.Until)}
		}),
		Tags:         each(task.Tags, text),
		RemoveEntity: task.Remove,
	}, nil
}

func toTasks(tasks []Task) ([]wit.Task, error) { return tryEach(tasks, toTask) }
