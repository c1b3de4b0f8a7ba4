package tenter

import (
	"encoding/json"
	"time"
)

// Value is the value of an attribute. Handlers get, by data type of the attribute:
//
//	boolean                     bool
//	integers, floats            int64, float64
//	string, category, binary    string
//	time                        time.Time, in UTC
//	ipv4, ipv6, mac             Address
//	array, set                  []any of the above
//	dictionary                  Members
//	link, array or set of them  Link, []Link
//	timeseries                  Columns
//	json, special               json.RawMessage
//
// Where a value is given to the host, these and their close relatives are taken: all sizes of numbers, netip.Addr,
// slices of primitives, map[string]any for a dictionary, EntityRef for a link. Text that is no UTF-8 is mended.
type Value = any

// Address is an ipv4, ipv6 or mac in canonical text.
type Address string

// EntityRef names an entity: the name of its type, and its id as text.
type EntityRef struct {
	Type, ID string
}

// String is "type/id".
func (e EntityRef) String() string { return e.Type + "/" + e.ID }

// Link is a relation to another entity. Data is nil, a primitive, a slice of them or Members.
type Link struct {
	Target EntityRef
	Data   Value
}

// Member is one entry of a dictionary; its value is a primitive or json.RawMessage.
type Member struct {
	Name  string
	Value Value
}

// Members is a dictionary, in the order of its definition.
type Members []Member

// Get is the value of an entry; nil for one that is not there.
func (m Members) Get(name string) Value {
	for _, member := range m {
		if member.Name == name {
			return member.Value
		}
	}
	return nil
}

// Column is one series of a timeseries: []int64, []float64 or []time.Time.
type Column struct {
	Name   string
	Values any
}

// Columns are the series of a chunk, all of one length.
type Columns []Column

// Get is the series of that name; nil when there is none.
func (c Columns) Get(name string) any {
	for _, column := range c {
		if column.Name == name {
			return column.Values
		}
	}
	return nil
}

// As reads a value as a type: the type it has (see Value), a number as another kind of number, an address as string, a
// list as []string, []int64 or []float64, a link as EntityRef, JSON as anything that encoding/json reads it into. False
// when it is something else.
func As[T any](v Value) (T, bool) {
	if as, is := v.(T); is {
		return as, true
	}
	var out T
	return out, read(v, &out)
}

func read(v Value, into any) bool {
	switch into := into.(type) {
	case *float64:
		i, is := v.(int64)
		*into = float64(i)
		return is
	case *int:
		i, is := v.(int64)
		*into = int(i)
		return is && int64(*into) == i
	case *string:
		a, is := v.(Address)
		*into = string(a)
		return is
	case *EntityRef:
		link, is := v.(Link)
		*into = link.Target
		return is
	case *[]string:
		return readAll(v, into)
	case *[]int64:
		return readAll(v, into)
	case *[]float64:
		return readAll(v, into)
	case *[]Link:
		link, is := v.(Link)
		*into = []Link{link}
		return is
	}
	raw, is := v.(json.RawMessage)
	return is && json.Unmarshal(raw, into) == nil
}

func readAll[T any](v Value, into *[]T) bool {
	items, is := v.([]any)
	if !is {
		return false
	}
	all := make([]T, 0, len(items))
	for _, item := range items {
		one, fits := As[T](item)
		if !fits {
			return false
		}
		all = append(all, one)
	}
	*into = all
	return true
}

// Links are the targets of a value that is a link or several.
func targets(v Value) []Link {
	switch v := v.(type) {
	case Link:
		return []Link{v}
	case []Link:
		return v
	}
	return nil
}

func micros(t time.Time) int64 { return t.UnixMicro() }

// absent is no time at all. The first instant of the year 1 is Go's zero time too: where it is meant, it stands in a zone of
// its own, so that it does not read as absent.
var (
	absent  time.Time
	yearOne = time.FixedZone("UTC", 0)
)

func moment(micros int64) time.Time {
	t := time.UnixMicro(micros).UTC()
	if t == absent {
		return t.In(yearOne)
	}
	return t
}
