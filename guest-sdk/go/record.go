package tenter

import (
	"time"

	wit "tenter/internal/bind/tenter_hooks_types"
)

// MasterRecord is all that is stored of one entity.
type MasterRecord struct {
	Entity EntityRef
	// Created is zero for an entity that is being created.
	Created time.Time
	// Revision grows with each write.
	Revision   uint64
	TTLTokens  []TTLToken
	Attributes []StoredAttribute
}

// StoredAttribute is all that is stored of one attribute: one of the three is set, by kind of the attribute.
type StoredAttribute struct {
	Attr         string
	Plain        *StoredPlain
	Observations []Observation
	Timeseries   []Chunk
}

// StoredPlain is a plain attribute and when it was set.
type StoredPlain struct {
	Value   Value
	Updated time.Time
}

// Observation is one entry of a history.
type Observation struct {
	T1, T2     time.Time
	Confidence float64
	Value      Value
}

// Chunk is one stored chunk of a timeseries.
type Chunk struct {
	T1, T2  time.Time
	Columns Columns
}

// Attr is what is stored of an attribute; nil when nothing is.
func (r MasterRecord) Attr(name string) *StoredAttribute {
	for i := range r.Attributes {
		if r.Attributes[i].Attr == name {
			return &r.Attributes[i]
		}
	}
	return nil
}

// Plain is the value of a plain attribute; nil when it has none.
func (r MasterRecord) Plain(name string) Value {
	if attr := r.Attr(name); attr != nil && attr.Plain != nil {
		return attr.Plain.Value
	}
	return nil
}

func fromChunk(chunk wit.Chunk) Chunk {
	return Chunk{moment(chunk.T1), moment(chunk.T2), fromSeries(chunk.Columns)}
}

func fromRecord(record wit.MasterRecord) MasterRecord {
	return MasterRecord{
		Entity:     fromEntity(record.Entity),
		Created:    fromTime(record.Created),
		Revision:   record.Revision,
		TTLTokens:  fromTokens(record.TtlTokens),
		Attributes: each(record.Attributes, fromStored),
	}
}

func fromStored(stored wit.StoredAttribute) StoredAttribute {
	out := StoredAttribute{Attr: stored.Attr}
	switch history := stored.History; history.Tag() {
	case wit.HistoryPlain:
		plain := history.Plain()
		out.Plain = &StoredPlain{fromValue(plain.Value), moment(plain.Updated)}
	case wit.HistoryObservations:
		out.Observations = fromObservations(history.Observations())
	default:
		out.Timeseries = each(history.Timeseries(), fromChunk)
	}
	return out
}

func fromObservations(all wit.Observations) []Observation {
	values := fromColumn(all.Values)
	out := make([]Observation, len(all.T1))
	for i := range out {
		out[i] = Observation{moment(all.T1[i]), moment(all.T2[i]), all.Confidence[i], values[i]}
	}
	return out
}

func fromColumn(column wit.ValueColumn) []any {
	switch column.Tag() {
	case wit.ValueColumnIntegers:
		return anys(column.Integers())
	case wit.ValueColumnReals:
		return anys(column.Reals())
	case wit.ValueColumnTexts:
		return anys(column.Texts())
	case wit.ValueColumnTimes:
		return anys(each(column.Times(), moment))
	case wit.ValueColumnAddresses:
		return each(column.Addresses(), func(a string) any { return Address(a) })
	default:
		return each(column.Mixed(), fromValue)
	}
}
