package tenter

import (
	"encoding/json"
	"fmt"

	wit "tenter/internal/bind/tenter_hooks_cases"
	"tenter/internal/wit/types"
)

// Context is who and what caused the change of a case object.
type Context struct {
	// CaseID is 0 outside of a case.
	CaseID   int64
	CaseName string
	// User is nil when no person is behind it.
	User *User
	// Trigger is api, manual, csv, template or module.
	Trigger string
}

// User is a person.
type User struct {
	ID          int64
	Login, Name string
}

// Event is what happens. Action is empty for a click.
type Event struct {
	Object, Action string
}

// CaseObject is a stored object. Body is a JSON object; Version grows with every write.
type CaseObject struct {
	Object  string
	ID      int64
	UUID    string
	Version uint64
	Body    json.RawMessage
}

// Decode reads the body into a struct, as encoding/json does.
func (o CaseObject) Decode(into any) error {
	if err := json.Unmarshal(o.Body, into); err != nil {
		return InvalidInput("%s %d: %v", o.Object, o.ID, err)
	}
	return nil
}

// Patch is an empty patch of the object that is refused when the object has changed since.
func (o CaseObject) Patch() Patch {
	return Patch{Object: o.Object, ID: o.ID, ExpectedVersion: o.Version}
}

// Proposal is a change that is asked for. ID is 0 on create. Body is the request (create, update) or the stored object
// (delete, duplicate).
type Proposal struct {
	ID   int64
	Body json.RawMessage
}

// Written is an object before and after a change: a deleted one has no New, a created one no Old.
type Written struct {
	Old, New    *CaseObject
	Attachments []Attachment
}

// Attachment is a file that comes with an object.
type Attachment struct {
	Name, MediaType string
	Content         []byte
}

// Judgement is the answer to a proposal.
type Judgement struct{ wit wit.Judgement }

// Unchanged leaves the data as it is.
func Unchanged() Judgement { return Judgement{wit.MakeJudgementUnchanged()} }

// Replaced puts a whole changed body in its place, as encoding/json writes it.
func Replaced(body any) (Judgement, error) {
	encoded, err := encode(body)
	return Judgement{wit.MakeJudgementReplaced(encoded)}, err
}

// encode is JSON as text; what is JSON already stays as it is.
func encode(value any) (string, error) {
	if raw, is := value.(json.RawMessage); is {
		return text(string(raw)), nil
	}
	encoded, err := json.Marshal(value)
	return text(string(encoded)), err
}

// Denied refuses the change, with the reason for the person who asked.
func Denied(format string, args ...any) Judgement {
	return Judgement{wit.MakeJudgementDenied(text(fmt.Sprintf(format, args...)))}
}

// Effect is a Patch or a NewObject.
type Effect interface{ effect() (wit.Effect, error) }

// Patch changes an object. With an ExpectedVersion it is refused when the object has changed since; without (0), the last
// write wins.
type Patch struct {
	Object          string
	ID              int64
	ExpectedVersion uint64
	edits           []wit.Edit
	err             error
}

func (p Patch) with(edit wit.Edit) Patch {
	p.edits = append(p.edits[:len(p.edits):len(p.edits)], edit)
	return p
}

// Empty tells whether the patch changes nothing.
func (p Patch) Empty() bool { return len(p.edits) == 0 }

// AddTag adds a tag.
func (p Patch) AddTag(tag string) Patch { return p.with(wit.MakeEditAddTag(text(tag))) }

// RemoveTag takes a tag away.
func (p Patch) RemoveTag(tag string) Patch { return p.with(wit.MakeEditRemoveTag(text(tag))) }

// AppendDescription adds text below the description.
func (p Patch) AppendDescription(addition string) Patch {
	return p.with(wit.MakeEditAppendDescription(text(addition)))
}

// SetField sets a field of the object, as encoding/json writes the value.
func (p Patch) SetField(name string, value any) Patch {
	encoded, err := encode(value)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("field %s: %w", name, err)
	}
	return p.with(wit.MakeEditSetField(wit.Field{Name: text(name), Json: encoded}))
}

// SetCustomField sets a custom field in a tab. Kind is as in IRIS: input_string, input_textfield, input_checkbox,
// input_select, input_date, html and so on.
func (p Patch) SetCustomField(tab, name, kind string, value any) Patch {
	encoded, err := encode(value)
	if err != nil && p.err == nil {
		p.err = fmt.Errorf("custom field %s: %w", name, err)
	}
	return p.with(wit.MakeEditSetCustomField(
		wit.CustomField{Tab: text(tab), Name: text(name), Kind: kind, Json: encoded}))
}

func (p Patch) effect() (wit.Effect, error) {
	return wit.MakeEffectPatch(wit.Patch{
		Target:          wit.ObjectRef{Object: text(p.Object), Id: p.ID},
		ExpectedVersion: optional(p.ExpectedVersion),
		Edits:           p.edits,
	}), p.err
}

// NewObject creates an object. CaseID is 0 outside of a case; Body is as encoding/json writes it.
type NewObject struct {
	Object      string
	CaseID      int64
	Body        any
	Attachments []Attachment
}

func (n NewObject) effect() (wit.Effect, error) {
	body, err := encode(n.Body)
	if err != nil {
		err = fmt.Errorf("new %s: %w", n.Object, err)
	}
	return wit.MakeEffectCreate(wit.NewObject{
		Object: text(n.Object),
		CaseId: optional(n.CaseID),
		Body:   body,
		Attachments: each(n.Attachments, func(a Attachment) wit.Attachment {
			return wit.Attachment{Name: text(a.Name), MediaType: text(a.MediaType), Content: a.Content}
		}),
	}), err
}

// Outcome is what follows from a change.
type Outcome struct {
	Effects []Effect
	Tasks   []Task
}

// ManualOutcome is what follows from a click. Report is what the person gets to see, or nil.
type ManualOutcome struct {
	Effects []Effect
	Tasks   []Task
	Report  *Report
}

// Report is shown to a person.
type Report struct {
	Message string
	// Media is text, markdown or json; text when empty.
	Media   string
	Content string
}

func toEffects(effects []Effect) ([]wit.Effect, error) {
	return tryEach(effects, func(e Effect) (wit.Effect, error) { return e.effect() })
}

func toOutcome(outcome Outcome) (wit.Outcome, error) {
	effects, err := toEffects(outcome.Effects)
	if err != nil {
		return wit.Outcome{}, err
	}
	tasks, err := toTasks(outcome.Tasks)
	return wit.Outcome{Effects: effects, Tasks: tasks}, err
}

func toManual(manual ManualOutcome) (wit.ManualOutcome, error) {
	outcome, err := toOutcome(Outcome{manual.Effects, manual.Tasks})
	out := wit.ManualOutcome{Effects: outcome.Effects, Tasks: outcome.Tasks}
	if err != nil || manual.Report == nil {
		return out, err
	}
	media, known := map[string]wit.Media{
		"": wit.MediaText, "text": wit.MediaText, "markdown": wit.MediaMarkdown, "json": wit.MediaJson,
	}[manual.Report.Media]
	if !known {
		return out, fmt.Errorf("report: %q is no media; expected text, markdown or json", manual.Report.Media)
	}
	out.Report = types.Some(wit.Report{
		Message: text(manual.Report.Message), Media: media, Content: text(manual.Report.Content),
	})
	return out, nil
}

func fromContext(context wit.Context) Context {
	out := Context{CaseID: context.CaseId.Some(), CaseName: context.CaseName.Some()}
	if context.User.Tag() == types.OptionSome {
		user := context.User.Some()
		out.User = &User{user.Id, user.Login, user.Name}
	}
	if names := [...]string{"api", "manual", "csv", "template", "module"}; int(context.Trigger) < len(names) {
		out.Trigger = names[context.Trigger]
	}
	return out
}

func fromEvent(event wit.Event) Event { return Event{event.Object, event.Action.Some()} }

func fromCaseObject(object wit.CaseObject) CaseObject {
	return CaseObject{
		object.Target.Object, object.Target.Id, object.Uuid.Some(), object.Version, json.RawMessage(object.Body),
	}
}

func fromWritten(written wit.Written) Written {
	side := func(o types.Option[wit.CaseObject]) *CaseObject {
		if o.Tag() == types.OptionNone {
			return nil
		}
		object := fromCaseObject(o.Some())
		return &object
	}
	return Written{
		Old: side(written.Old),
		New: side(written.New),
		Attachments: each(written.Attachments, func(a wit.Attachment) Attachment {
			return Attachment{a.Name, a.MediaType, a.Content}
		}),
	}
}
