package tenter

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	wit "tenter/internal/bind/tenter_hooks_types"
	"tenter/internal/wit/types"
)

// text is what may cross to the host: the contract's strings are UTF-8, and one that is not would end the instance.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func fromScalar(v wit.Scalar) Value {
	switch v.Tag() {
	case wit.ScalarBoolean:
		return v.Boolean()
	case wit.ScalarInteger:
		return v.Integer()
	case wit.ScalarReal:
		return v.Real()
	case wit.ScalarText:
		return v.Text()
	case wit.ScalarTime:
		return moment(v.Time())
	case wit.ScalarAddress:
		return Address(v.Address())
	default:
		return json.RawMessage(v.Json())
	}
}

func fromValue(v wit.Value) Value {
	switch v.Tag() {
	case wit.ValueBoolean:
		return v.Boolean()
	case wit.ValueInteger:
		return v.Integer()
	case wit.ValueReal:
		return v.Real()
	case wit.ValueText:
		return v.Text()
	case wit.ValueTime:
		return moment(v.Time())
	case wit.ValueAddress:
		return Address(v.Address())
	case wit.ValueItems:
		return fromScalars(v.Items())
	case wit.ValueMembers:
		return fromMembers(v.Members())
	case wit.ValueLink:
		return fromLink(v.Link())
	case wit.ValueLinks:
		return each(v.Links(), fromLink)
	case wit.ValueChunk:
		return fromSeries(v.Chunk())
	default:
		return json.RawMessage(v.Json())
	}
}

func each[A, B any](all []A, change func(A) B) []B {
	out := make([]B, len(all))
	for i, one := range all {
		out[i] = change(one)
	}
	return out
}

func fromScalars(items []wit.Scalar) []any { return each(items, fromScalar) }

func fromMembers(members []wit.Member) Members {
	return each(members, func(m wit.Member) Member { return Member{m.Name, fromScalar(m.Value)} })
}

func fromLink(link wit.Link) Link {
	out := Link{Target: fromEntity(link.Target)}
	if link.Data.Tag() == types.OptionSome {
		switch data := link.Data.Some(); data.Tag() {
		case wit.LinkDataOne:
			out.Data = fromScalar(data.One())
		case wit.LinkDataItems:
			out.Data = fromScalars(data.Items())
		default:
			out.Data = fromMembers(data.Members())
		}
	}
	return out
}

func fromSeries(series []wit.Series) Columns {
	return each(series, func(s wit.Series) Column {
		switch s.Column.Tag() {
		case wit.ColumnIntegers:
			return Column{s.Name, s.Column.Integers()}
		case wit.ColumnReals:
			return Column{s.Name, s.Column.Reals()}
		default:
			return Column{s.Name, each(s.Column.Times(), moment)}
		}
	})
}

func fromEntity(e wit.EntityRef) EntityRef { return EntityRef{e.Etype, e.Eid} }

func toEntity(e EntityRef) wit.EntityRef { return wit.EntityRef{Etype: text(e.Type), Eid: text(e.ID)} }

// primitive is a value that the contract has a case for in scalars and in values alike.
func primitive(v Value) (wit.Scalar, bool, error) {
	switch v := v.(type) {
	case bool:
		return wit.MakeScalarBoolean(v), true, nil
	case string:
		return wit.MakeScalarText(text(v)), true, nil
	case int64:
		return wit.MakeScalarInteger(v), true, nil
	case float64:
		return wit.MakeScalarReal(v), true, nil
	case int:
		return wit.MakeScalarInteger(int64(v)), true, nil
	case int8:
		return wit.MakeScalarInteger(int64(v)), true, nil
	case int16:
		return wit.MakeScalarInteger(int64(v)), true, nil
	case int32:
		return wit.MakeScalarInteger(int64(v)), true, nil
	case uint8:
		return wit.MakeScalarInteger(int64(v)), true, nil
	case uint16:
		return wit.MakeScalarInteger(int64(v)), true, nil
	case uint32:
		return wit.MakeScalarInteger(int64(v)), true, nil
	case uint:
		return primitive(uint64(v))
	case uint64:
		if v > math.MaxInt64 {
			return wit.Scalar{}, false, fmt.Errorf("%d is too large: integers have 64 bits and a sign", v)
		}
		return wit.MakeScalarInteger(int64(v)), true, nil
	case float32:
		return wit.MakeScalarReal(float64(v)), true, nil
	case time.Time:
		return wit.MakeScalarTime(micros(v)), true, nil
	case Address:
		return wit.MakeScalarAddress(text(string(v))), true, nil
	case netip.Addr:
		return wit.MakeScalarAddress(v.String()), true, nil
	}
	return wit.Scalar{}, false, nil
}

func toScalar(v Value) (wit.Scalar, error) {
	scalar, is, err := primitive(v)
	if is || err != nil {
		return scalar, err
	}
	if raw, is := v.(json.RawMessage); is {
		return wit.MakeScalarJson(text(string(raw))), nil
	}
	return scalar, fmt.Errorf("a %T is no primitive; expected a boolean, number, text, time, address or JSON", v)
}

func toValue(v Value) (wit.Value, error) {
	switch v := v.(type) {
	case string:
		return wit.MakeValueText(text(v)), nil
	case Members:
		members, err := toMembers(v)
		return wit.MakeValueMembers(members), err
	case map[string]any:
		members, err := toMembers(membersOf(v))
		return wit.MakeValueMembers(members), err
	case EntityRef:
		return toValue(Link{Target: v})
	case Link:
		link, err := toLink(v)
		return wit.MakeValueLink(link), err
	case []Link:
		links, err := tryEach(v, toLink)
		return wit.MakeValueLinks(links), err
	case []EntityRef:
		links, err := tryEach(v, func(e EntityRef) (wit.Link, error) { return toLink(Link{Target: e}) })
		return wit.MakeValueLinks(links), err
	case Columns:
		series, err := tryEach(v, toSeries)
		return wit.MakeValueChunk(series), err
	case json.RawMessage:
		return wit.MakeValueJson(text(string(v))), nil
	}
	if items, is := itemsOf(v); is {
		scalars, err := tryEach(items, toScalar)
		return wit.MakeValueItems(scalars), err
	}
	scalar, is, err := primitive(v)
	if err != nil {
		return wit.Value{}, err
	}
	if !is {
		return wit.Value{}, fmt.Errorf("a %T is no value of an attribute; tenter.Value lists what is", v)
	}
	switch scalar.Tag() {
	case wit.ScalarBoolean:
		return wit.MakeValueBoolean(scalar.Boolean()), nil
	case wit.ScalarInteger:
		return wit.MakeValueInteger(scalar.Integer()), nil
	case wit.ScalarReal:
		return wit.MakeValueReal(scalar.Real()), nil
	case wit.ScalarTime:
		return wit.MakeValueTime(scalar.Time()), nil
	default:
		return wit.MakeValueAddress(scalar.Address()), nil
	}
}

// itemsOf is a slice of primitives as one of any.
func itemsOf(v Value) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case []string:
		return anys(v), true
	case []bool:
		return anys(v), true
	case []int:
		return anys(v), true
	case []int64:
		return anys(v), true
	case []float64:
		return anys(v), true
	case []time.Time:
		return anys(v), true
	case []Address:
		return anys(v), true
	case []netip.Addr:
		return anys(v), true
	}
	return nil, false
}

func anys[T any](all []T) []any { return each(all, func(one T) any { return one }) }

func tryEach[A, B any](all []A, change func(A) (B, error)) ([]B, error) {
	out := make([]B, 0, len(all))
	for _, one := range all {
		changed, err := change(one)
		if err != nil {
			return nil, err
		}
		out = append(out, changed)
	}
	return out, nil
}

// membersOf puts the entries of a map in the order of their names, so that the same map is always the same value.
func membersOf(entries map[string]any) Members {
	members := make(Members, 0, len(entries))
	for name, value := range entries {
		members = append(members, Member{name, value})
	}
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	return members
}

func toMembers(members Members) ([]wit.Member, error) {
	return tryEach(members, func(m Member) (wit.Member, error) {
		scalar, err := toScalar(m.Value)
		if err != nil {
			err = fmt.Errorf("%s: %w", m.Name, err)
		}
		return wit.Member{Name: text(m.Name), Value: scalar}, err
	})
}

func toLink(link Link) (wit.Link, error) {
	out := wit.Link{Target: toEntity(link.Target)}
	if link.Data == nil {
		return out, nil
	}
	data, err := toLinkData(link.Data)
	out.Data = types.Some(data)
	return out, err
}

func toLinkData(data Value) (wit.LinkData, error) {
	switch data := data.(type) {
	case Members:
		members, err := toMembers(data)
		return wit.MakeLinkDataMembers(members), err
	case map[string]any:
		return toLinkData(membersOf(data))
	}
	if items, is := itemsOf(data); is {
		scalars, err := tryEach(items, toScalar)
		return wit.MakeLinkDataItems(scalars), err
	}
	scalar, err := toScalar(data)
	return wit.MakeLinkDataOne(scalar), err
}

func toSeries(column Column) (wit.Series, error) {
	out := wit.Series{Name: text(column.Name)}
	switch values := column.Values.(type) {
	case []int64:
		out.Column = wit.MakeColumnIntegers(values)
	case []float64:
		out.Column = wit.MakeColumnReals(values)
	case []time.Time:
		out.Column = wit.MakeColumnTimes(each(values, micros))
	default:
		return out, fmt.Errorf("series %s: a %T is no column; expected []int64, []float64 or []time.Time", column.Name, values)
	}
	return out, nil
}

func optional[T comparable](v T) types.Option[T] {
	var zero T
	if v == zero {
		return types.None[T]()
	}
	return types.Some(v)
}

func optionalTime(t time.Time) types.Option[int64] {
	if t == absent {
		return types.None[int64]()
	}
	return types.Some(micros(t))
}

func fromTime(t types.Option[int64]) time.Time {
	if t.Tag() == types.OptionNone {
		return time.Time{}
	}
	return moment(t.Some())
}

func optionalFloat(v *float64) types.Option[float64] {
	if v == nil {
		return types.None[float64]()
	}
	return types.Some(*v)
}

func fromFloat(v types.Option[float64]) *float64 {
	if v.Tag() == types.OptionNone {
		return nil
	}
	f := v.Some()
	return &f
}
