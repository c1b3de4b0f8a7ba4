package tenter

import (
	"fmt"
	"time"

	"tenter/internal/bind/tenter_hooks_snapshot"
	wit "tenter/internal/bind/tenter_hooks_types"
	"tenter/internal/bind/tenter_hooks_views"
	"tenter/internal/wit/types"
)

// Run is a snapshot run: its name, and the time that values are computed for.
type Run struct {
	ID   string
	Time time.Time
}

// CurrentValue is one value that holds at the time of a run. An attribute with several values repeats.
type CurrentValue struct {
	Attr  string
	Value Value
	// Confidence is nil for plain attributes and mirrors.
	Confidence *float64
}

// EntityView is what holds of one entity at the time of a run.
type EntityView struct {
	Entity EntityRef
	Values []CurrentValue
	view   *View
}

// View is what a correlation sees: the entity itself, and of those that its paths lead to what the paths name. What it
// sets is seen by it, by later hooks of the run, and in the snapshot.
type View struct {
	*EntityView
	// Linked has each entity on a path once.
	Linked []*EntityView

	byEntity map[EntityRef]*EntityView
	changes  []change
}

type change struct {
	entity EntityRef
	attr   string
	values []CurrentValue
}

// Value is the current value of an attribute, the first of several; nil when it has none.
func (e *EntityView) Value(attr string) Value {
	for i := range e.Values {
		if e.Values[i].Attr == attr {
			return e.Values[i].Value
		}
	}
	return nil
}

// Has tells whether the attribute has a value.
func (e *EntityView) Has(attr string) bool { return e.Value(attr) != nil }

// All are the values of an attribute that may have several.
func (e *EntityView) All(attr string) []CurrentValue {
	var all []CurrentValue
	for _, value := range e.Values {
		if value.Attr == attr {
			all = append(all, value)
		}
	}
	return all
}

// Get is the current value of an attribute of a View or EntityView as a type; false when it has none, or one of another
// type. See As.
func Get[T any](of interface{ Value(attr string) Value }, attr string) (T, bool) {
	return As[T](of.Value(attr))
}

// Follow are the views of the targets of a link, of one with several values, of a set or a mirror; those that are not
// loaded are left out.
func (e *EntityView) Follow(attr string) []*EntityView {
	var all []*EntityView
	for i := range e.Values {
		if e.Values[i].Attr != attr {
			continue
		}
		for _, link := range targets(e.Values[i].Value) {
			if found := e.view.Find(link.Target); found != nil {
				all = append(all, found)
			}
		}
	}
	return all
}

// Set makes this the one value of an attribute.
func (e *EntityView) Set(attr string, value Value) {
	e.Replace(attr, CurrentValue{Value: value})
}

// SetWeighted is Set with a confidence, 0 to 1.
func (e *EntityView) SetWeighted(attr string, value Value, confidence float64) {
	e.Replace(attr, CurrentValue{Value: value, Confidence: &confidence})
}

// Remove takes all values of an attribute away.
func (e *EntityView) Remove(attr string) { e.Replace(attr) }

// Replace makes these all the values of an attribute; their Attr is not looked at.
func (e *EntityView) Replace(attr string, values ...CurrentValue) {
	kept := make([]CurrentValue, 0, len(e.Values)+len(values))
	for _, value := range e.Values {
		if value.Attr != attr {
			kept = append(kept, value)
		}
	}
	for i := range values {
		values[i].Attr = attr
	}
	e.Values = append(kept, values...)
	if e.view != nil {
		e.view.changes = append(e.view.changes, change{e.Entity, attr, values})
	}
}

// Find is the view of an entity, the root included; nil when it is not loaded.
func (v *View) Find(entity EntityRef) *EntityView {
	if v.byEntity == nil {
		v.byEntity = make(map[EntityRef]*EntityView, len(v.Linked)+1)
		for _, linked := range v.Linked {
			v.byEntity[linked.Entity] = linked
		}
		if v.EntityView != nil {
			v.byEntity[v.Entity] = v.EntityView
		}
	}
	return v.byEntity[entity]
}

func fromEntityView(seen wit.EntityView, of *View) *EntityView {
	values := each(seen.Values, func(v wit.CurrentValue) CurrentValue {
		return CurrentValue{v.Attr, fromValue(v.Value), fromFloat(v.Confidence)}
	})
	return &EntityView{fromEntity(seen.Entity), values, of}
}

func fromView(seen tenter_hooks_snapshot.View) *View {
	view := &View{}
	view.EntityView = fromEntityView(seen.Root, view)
	view.Linked = each(seen.Linked, func(entity wit.EntityView) *EntityView { return fromEntityView(entity, view) })
	return view
}

func toChange(change change) (tenter_hooks_snapshot.Change, error) {
	values, err := tryEach(change.values, func(v CurrentValue) (tenter_hooks_snapshot.Weighted, error) {
		value, err := toValue(v.Value)
		return tenter_hooks_snapshot.Weighted{Value: value, Confidence: optionalFloat(v.Confidence)}, err
	})
	if err != nil {
		err = fmt.Errorf("%s of %s: %w", change.attr, change.entity, err)
	}
	return tenter_hooks_snapshot.Change{Entity: toEntity(change.entity), Attr: text(change.attr), Values: values}, err
}

func toCorrelated(view *View, tasks []Task) (tenter_hooks_snapshot.Correlated, error) {
	changes, err := tryEach(view.changes, toChange)
	if err != nil {
		return tenter_hooks_snapshot.Correlated{}, err
	}
	converted, err := toTasks(tasks)
	return tenter_hooks_snapshot.Correlated{Changes: changes, Tasks: converted}, err
}

// FetchView has all current values of an entity that is linked to the root, over any number of links; nil when it is
// not of that group. For correlations alone; needs the grant read-entities of its type.
func FetchView(entity EntityRef) (*EntityView, error) {
	result := tenter_hooks_views.Fetch(toEntity(entity))
	if result.Tag() == types.ResultErr {
		return nil, viewError(result.Err(), entity)
	}
	if result.Ok().Tag() == types.OptionNone {
		return nil, nil
	}
	return fromEntityView(result.Ok().Some(), &View{}), nil
}
