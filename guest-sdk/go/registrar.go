package tenter

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"tenter/internal/hook"
)

// Registrar collects the module's wishes, in DP³'s vocabulary. Each method takes what the kind of hook needs to know and
// the handler, and returns the subscription to refine, above all with an ID of its own.
//
// A path is a walk over attributes of linked entities, such as "domains.risk".
type Registrar struct {
	all      []*Subscription
	byID     map[string]*Subscription
	requests [][2]string
}

// Subscription is a wish for a moment.
type Subscription struct {
	id, kind, family     string
	etype, attr          string
	refresh, whole       bool
	dependsOn, mayChange []string
	period               time.Duration
	cron                 *Cron
	grace                time.Duration
	arguments            string
	object, action       string
	title                string
	synchronous          bool
	handler              any
}

// ID names the subscription; the default is made of the kind and what it is about, such as "on-new-attribute:ip.ports".
// Needed where two are about the same. Keep it over versions: what is stored and the operator's decisions name it.
func (s *Subscription) ID(id string) { s.id = id }

// Watch is a subscription to creations or to new values.
type Watch struct{ *Subscription }

// Refresh runs the hook again in the next snapshot after a change of configuration; such a run may set these paths.
func (w Watch) Refresh(mayChange ...string) Watch {
	w.refresh, w.mayChange = true, mayChange
	return w
}

// Correlation is a subscription to current values.
type Correlation struct{ *Subscription }

// Whole gives the handler all current values of the entity, not only those that it depends on. Dearer.
func (c Correlation) Whole() Correlation {
	c.whole = true
	return c
}

// Timer is a subscription to times of the clock.
type Timer struct{ *Subscription }

// Grace is how late a missed slot may still be caught up; a second without it.
func (t Timer) Grace(grace time.Duration) Timer {
	t.grace = grace
	return t
}

// Arguments are handed to the handler at each call, as JSON.
func (t Timer) Arguments(arguments any) Timer {
	encoded, err := json.Marshal(arguments)
	if err != nil {
		panic(fmt.Sprintf("arguments of a timer: %v", err))
	}
	t.arguments = string(encoded)
	return t
}

// After is a subscription to changes of case objects.
type After struct{ *Subscription }

// Synchronous makes the request wait: effects are applied before it is answered.
func (a After) Synchronous() After {
	a.synchronous = true
	return a
}

// Cron has fields as of cron, with weekday 0 = Monday. A field less significant than the least one given is its minimum,
// any other that is empty matches all: Cron{Hour: "3"} is at 03:00:00 of every day. Timezone is UTC when empty.
type Cron struct {
	Year, Month, Day, Week, DayOfWeek, Hour, Minute, Second string

	Timezone string
}

// Request asks for a capability, such as "write-entities" with the scope "ip.class". Asked is not granted.
func (r *Registrar) Request(capability, scope string) {
	r.requests = append(r.requests, [2]string{capability, scope})
}

func (r *Registrar) add(family, kind, about string, s Subscription) *Subscription {
	s.family, s.kind, s.id = family, kind, kind
	if about != "" {
		s.id = cleanID(kind + ":" + about)
	}
	r.all = append(r.all, &s)
	return &s
}

// OnTaskStart is called first for every task.
func (r *Registrar) OnTaskStart(handler func(Task) error) *Subscription {
	return r.add("ingest", "on-task-start", "", Subscription{handler: handler})
}

// AllowEntityCreation decides whether an unknown entity of the type may come into being: return Allow or Deny.
func (r *Registrar) AllowEntityCreation(etype string, handler func(Task) (Verdict, error)) *Subscription {
	return r.add("ingest", "allow-entity-creation", etype, Subscription{etype: etype, handler: handler})
}

// OnEntityCreation is called when an entity of the type was accepted.
func (r *Registrar) OnEntityCreation(etype string, handler func(Task) ([]Task, error)) Watch {
	return Watch{r.add("ingest", "on-entity-creation", etype, Subscription{etype: etype, handler: handler})}
}

// OnNewAttribute is called for each datapoint of the attribute.
func (r *Registrar) OnNewAttribute(etype, attr string, handler func(EntityRef, Datapoint) ([]Task, error)) Watch {
	return Watch{r.add("ingest", "on-new-attribute", etype+"."+attr, Subscription{etype: etype, attr: attr, handler: handler})}
}

// SnapshotInit is called at the start of a run, once per lane.
func (r *Registrar) SnapshotInit(handler func(Run) ([]Task, error)) *Subscription {
	return r.add("snapshot", "snapshot-init", "", Subscription{handler: handler})
}

// SnapshotFinalize is called at the end of a run, once per lane.
func (r *Registrar) SnapshotFinalize(handler func(Run) ([]Task, error)) *Subscription {
	return r.add("snapshot", "snapshot-finalize", "", Subscription{handler: handler})
}

// Timeseries is called with what is stored of a timeseries, before current values are computed.
func (r *Registrar) Timeseries(etype, attr string, handler func(EntityRef, string, []Chunk) ([]Task, error)) *Subscription {
	return r.add("snapshot", "timeseries", etype+"."+attr, Subscription{etype: etype, attr: attr, handler: handler})
}

// Correlate is called with the current values of an entity and of those it is linked with. dependsOn are the paths that
// it reads, mayChange those that it sets: both decide which links are loaded, and the order of hooks.
func (r *Registrar) Correlate(etype string, dependsOn, mayChange []string, handler func(*View) ([]Task, error)) Correlation {
	return Correlation{r.add("snapshot", "correlate", etype,
		Subscription{etype: etype, dependsOn: dependsOn, mayChange: mayChange, handler: handler})}
}

// CorrelateWithRecord is Correlate with all that is stored of the entity.
func (r *Registrar) CorrelateWithRecord(
	etype string, dependsOn, mayChange []string, handler func(*View, MasterRecord) ([]Task, error),
) Correlation {
	return Correlation{r.add("snapshot", "correlate-with-record", etype,
		Subscription{etype: etype, dependsOn: dependsOn, mayChange: mayChange, handler: handler})}
}

// UpdateRecord visits every entity of the type once per period, with all that is stored of it.
func (r *Registrar) UpdateRecord(etype string, period time.Duration, handler func(MasterRecord) ([]Task, error)) *Subscription {
	return r.add("update", "update-record", etype, Subscription{etype: etype, period: period, handler: handler})
}

// UpdateEntity visits every entity of the type once per period.
func (r *Registrar) UpdateEntity(etype string, period time.Duration, handler func(EntityRef) ([]Task, error)) *Subscription {
	return r.add("update", "update-entity", etype, Subscription{etype: etype, period: period, handler: handler})
}

// Cron is called at times of the clock; tasks go through SubmitTasks.
func (r *Registrar) Cron(cron Cron, handler func(arguments json.RawMessage) error) Timer {
	timer := Subscription{cron: &cron, grace: time.Second, arguments: "null", handler: handler}
	return Timer{r.add("schedule", "cron", strings.TrimPrefix(cron.id(), ":"), timer)}
}

// OnceAtStart is called once, when the runtime starts.
func (r *Registrar) OnceAtStart(handler func(arguments json.RawMessage) error) Timer {
	timer := Subscription{grace: time.Second, arguments: "null", handler: handler}
	return Timer{r.add("schedule", "cron", "once-at-start", timer)}
}

// Before is called before a case object is written; "*" means every object or action that exists.
func (r *Registrar) Before(object, action string, handler func(Context, Event, Proposal) (Judgement, error)) *Subscription {
	return r.add("cases", "before", caseID(object, action), Subscription{object: object, action: action, handler: handler})
}

// After is called after case objects were written; "*" means every object or action that exists.
func (r *Registrar) After(object, action string, handler func(Context, Event, []Written) (Outcome, error)) After {
	return After{r.add("cases", "after", caseID(object, action), Subscription{object: object, action: action, handler: handler})}
}

// Manual is called when a person clicks the menu entry of that title.
func (r *Registrar) Manual(object, title string, handler func(Context, Event, []CaseObject) (ManualOutcome, error)) *Subscription {
	return r.add("cases", "manual", object+":"+title, Subscription{object: object, title: title, handler: handler})
}

func caseID(object, action string) string {
	return strings.ReplaceAll(object, "*", "any") + "." + strings.ReplaceAll(action, "*", "any")
}

// What an id cannot hold would make different expressions alike, so it is spelled out.
var spelledOut = strings.NewReplacer("*", "any", "/", ".by.", ",", ".and.")

func (c Cron) fields() [8][2]string {
	return [8][2]string{
		{"y", c.Year}, {"mo", c.Month}, {"d", c.Day}, {"w", c.Week}, {"wd", c.DayOfWeek}, {"h", c.Hour}, {"mi", c.Minute},
		{"s", c.Second},
	}
}

func (c Cron) id() string {
	var id strings.Builder
	for _, field := range c.fields() {
		if field[1] != "" {
			id.WriteString(":" + field[0] + "." + spelledOut.Replace(field[1]))
		}
	}
	return id.String()
}

func idKeeps(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.ContainsRune("_.:-", c)
}

func cleanID(id string) string {
	id = strings.Map(func(c rune) rune {
		if idKeeps(c) {
			return c
		}
		return '-'
	}, strings.ToLower(id))
	return id[:min(len(id), 64)]
}

// check finds ids that cannot be or come twice, and families that the component does not export.
func (r *Registrar) check() error {
	r.byID = make(map[string]*Subscription, len(r.all))
	for _, s := range r.all {
		if cleanID(s.id) != s.id || s.id == "" || strings.ContainsRune("_.:-", rune(s.id[0])) {
			return Failed("subscription id %q of %s is not valid: expected a lower-case letter or digit, then lower-case "+
				"letters, digits, _ . : or -, at most 64 characters; set one with ID", s.id, s.kind)
		}
		if r.byID[s.id] != nil {
			return Failed("two subscriptions have the id %q; give one of them another with ID", s.id)
		}
		if !slices.Contains(hook.Exported, s.family) {
			return Failed("subscription %q needs the family %s, which the component does not export; add it to "+
				"`families` in tenter.toml", s.id, s.family)
		}
		r.byID[s.id] = s
	}
	return nil
}

// find is the subscription that a call is for. A registration that an operator made ("operator:...") is served by the
// hook of its kind that fits the event, else by the first of its kind.
func (r *Registrar) find(kind, id string, event *Event) (*Subscription, error) {
	if r != nil {
		if s := r.byID[id]; s != nil && s.kind == kind {
			return s, nil
		}
		if event != nil && strings.HasPrefix(id, "operator:") {
			if s := r.fitting(kind, *event); s != nil {
				return s, nil
			}
		}
	}
	return nil, Failed("no handler for %s subscription %q", kind, id)
}

func (r *Registrar) fitting(kind string, event Event) *Subscription {
	var first *Subscription
	for _, s := range r.all {
		if s.kind != kind {
			continue
		}
		object := s.object == "*" || s.object == event.Object
		if object && (kind == "manual" || s.action == "*" || s.action == event.Action) {
			return s
		}
		if first == nil {
			first = s
		}
	}
	return first
}
