package tenter

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"tenter/internal/bind/tenter_hooks_call"
	"tenter/internal/bind/tenter_hooks_entities"
	"tenter/internal/bind/tenter_hooks_log"
	"tenter/internal/bind/tenter_hooks_secrets"
	"tenter/internal/bind/tenter_hooks_state"
	"tenter/internal/bind/tenter_hooks_tasks"
	"tenter/internal/bind/tenter_hooks_views"
	"tenter/internal/wit/types"
)

// What the host's functions answer with; errors.Is tells them apart.
var (
	// ErrDenied: not granted, or not from this kind of hook.
	ErrDenied = errors.New("denied")
	// ErrTooLarge: beyond a limit of the host.
	ErrTooLarge = errors.New("too large")
	// ErrQuota: the module's room is used up, or the call has asked for too much.
	ErrQuota = errors.New("quota used up")
	// ErrUnknownType: the specification has no such entity type.
	ErrUnknownType = errors.New("unknown entity type")
	// ErrNotFound: there is no such name.
	ErrNotFound = errors.New("not found")
	// ErrTimedOut: no answer in time.
	ErrTimedOut = errors.New("timed out")
	// ErrUnreachable: the peer cannot be reached.
	ErrUnreachable = errors.New("unreachable")
	// ErrInvalid: the host cannot read what was asked.
	ErrInvalid = errors.New("invalid")
	// ErrNotSet: the operator has not set the secret.
	ErrNotSet = errors.New("not set")
)

// Debugf writes to the module's log.
func Debugf(format string, args ...any) { logf(tenter_hooks_log.LevelDebug, format, args) }

// Infof writes to the module's log. What is printed to standard output goes there too.
func Infof(format string, args ...any) { logf(tenter_hooks_log.LevelInfo, format, args) }

// Warningf writes to the module's log. What is printed to standard error, as package log does, goes there too.
func Warningf(format string, args ...any) { logf(tenter_hooks_log.LevelWarning, format, args) }

// Errorf writes to the module's log; to make an error, see Failed.
func Errorf(format string, args ...any) { logf(tenter_hooks_log.LevelError, format, args) }

func logf(level tenter_hooks_log.Level, format string, args []any) {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	writeLog(level, text(format))
}

// Now is the time of the call; it stands still while the call runs. time.Now tells the same.
func Now() time.Time { return moment(tenter_hooks_call.Now()) }

// CallID names the call; the same when it is repeated after a crash. Fit as an idempotency key.
func CallID() string { return tenter_hooks_call.Id() }

// CallCause is normal, refresh, retry or replay.
func CallCause() string {
	names := [...]string{"normal", "refresh", "retry", "replay"}
	return names[tenter_hooks_call.Cause()]
}

// Rand is a source of random numbers seeded from the id of the call, so that a call that is repeated draws the same; not
// for secrets.
func Rand() *rand.Rand {
	return rand.New(rand.NewPCG(tenter_hooks_call.Random(), tenter_hooks_call.Random()))
}

// ResumeAfter asks for this call again later, with the memo readable then; only in hooks after a change and on a click.
// False where that cannot be.
func ResumeAfter(wait time.Duration, memo string) bool {
	return tenter_hooks_call.ResumeAfter(uint32((wait+time.Second-1)/time.Second), text(memo))
}

// Memo is what the call that asked for this one left; false when none did.
func Memo() (string, bool) {
	memo := tenter_hooks_call.Memo()
	return memo.Some(), memo.Tag() == types.OptionSome
}

// StateGet reads a value of the module's own; nil when there is none. Needs the grant state, as all State functions.
func StateGet(key string) ([]byte, error) {
	result := tenter_hooks_state.Fetch(text(key))
	if result.Tag() == types.ResultErr {
		return nil, stateError("read", key, result.Err())
	}
	return result.Ok().Some(), nil
}

// StateSet writes a value, for a time or for ever (0). It commits with what the call returns, or not at all.
func StateSet(key string, value []byte, keep time.Duration) error {
	seconds := optional(uint64((keep + time.Second - 1) / time.Second))
	return stateResult("write", key, tenter_hooks_state.Store(text(key), value, seconds))
}

// StateDelete removes a key; it succeeds when there is none.
func StateDelete(key string) error {
	return stateResult("remove", key, tenter_hooks_state.Discard(text(key)))
}

// StateAdd adds to a counter, which starts at 0 and reads as decimal text. Concurrent calls add up.
func StateAdd(key string, by int64) error {
	return stateResult("add to", key, tenter_hooks_state.Increment(text(key), by))
}

// StateKeys are committed keys with the prefix, in order, after a key (empty: from the first), at most limit (1 to 1000).
func StateKeys(prefix, after string, limit int) ([]string, error) {
	result := tenter_hooks_state.Keys(text(prefix), optional(text(after)), uint32(limit))
	if result.Tag() == types.ResultErr {
		return nil, stateError("list", prefix, result.Err())
	}
	return result.Ok(), nil
}

func stateResult(what, key string, result types.Result[types.Unit, tenter_hooks_state.StateError]) error {
	if result.Tag() == types.ResultErr {
		return stateError(what, key, result.Err())
	}
	return nil
}

func stateError(what, key string, err tenter_hooks_state.StateError) error {
	place := fmt.Sprintf("cannot %s %q in the state", what, key)
	switch err.Tag() {
	case tenter_hooks_state.StateErrorDenied:
		return fmt.Errorf("%s: %w: it needs the grant state", place, ErrDenied)
	case tenter_hooks_state.StateErrorTooLarge:
		return fmt.Errorf("%s: %w", place, ErrTooLarge)
	case tenter_hooks_state.StateErrorQuota:
		return fmt.Errorf("%s: %w", place, ErrQuota)
	default:
		return fmt.Errorf("%s: %s", place, err.Other())
	}
}

// ReadRecord is what is stored of an entity as of the last commit; nil when it is not known. Needs the grant
// read-entities with its type.
func ReadRecord(entity EntityRef) (*MasterRecord, error) {
	result := tenter_hooks_entities.ReadRecord(toEntity(entity))
	if result.Tag() == types.ResultErr {
		return nil, readError(result.Err(), entity)
	}
	if result.Ok().Tag() == types.OptionNone {
		return nil, nil
	}
	record := fromRecord(result.Ok().Some())
	return &record, nil
}

// Known tells whether an entity is known. Needs the grant read-entities with its type.
func Known(entity EntityRef) (bool, error) {
	result := tenter_hooks_entities.Known(toEntity(entity))
	if result.Tag() == types.ResultErr {
		return false, readError(result.Err(), entity)
	}
	return result.Ok(), nil
}

// Schema is the entity specification as JSON.
func Schema() []byte { return []byte(tenter_hooks_entities.Schema()) }

// CaseHooks are the case hooks that exist, such as on_postload_ioc_create.
func CaseHooks() []string { return tenter_hooks_entities.CaseHooks() }

func readError(err tenter_hooks_entities.ReadError, entity EntityRef) error {
	place := fmt.Sprintf("cannot read %s", entity)
	switch err.Tag() {
	case tenter_hooks_entities.ReadErrorDenied:
		return fmt.Errorf("%s: %w: it needs the grant read-entities %s", place, ErrDenied, entity.Type)
	case tenter_hooks_entities.ReadErrorUnknownType:
		return fmt.Errorf("%s: %w", place, ErrUnknownType)
	case tenter_hooks_entities.ReadErrorTooLarge:
		return fmt.Errorf("%s: %w", place, ErrTooLarge)
	default:
		return fmt.Errorf("%s: %s", place, err.Other())
	}
}

func viewError(err tenter_hooks_views.ViewError, entity EntityRef) error {
	place := fmt.Sprintf("cannot fetch the view of %s", entity)
	switch err.Tag() {
	case tenter_hooks_views.ViewErrorDenied:
		return fmt.Errorf("%s: %w: it needs the grant read-entities %s, and a correlation", place, ErrDenied, entity.Type)
	case tenter_hooks_views.ViewErrorUnknownType:
		return fmt.Errorf("%s: %w", place, ErrUnknownType)
	default:
		return fmt.Errorf("%s: %s", place, err.Other())
	}
}

// SubmitTasks hands in tasks from a timer, all or none; they commit with the call. Returns their ids.
func SubmitTasks(tasks ...Task) ([]string, error) {
	converted, err := toTasks(tasks)
	if err != nil {
		return nil, err
	}
	result := tenter_hooks_tasks.Submit(converted)
	if result.Tag() == types.ResultOk {
		return result.Ok(), nil
	}
	switch err := result.Err(); err.Tag() {
	case tenter_hooks_tasks.SubmitErrorDenied:
		return nil, fmt.Errorf("cannot submit tasks: %w: only a timer may", ErrDenied)
	case tenter_hooks_tasks.SubmitErrorBudget:
		return nil, fmt.Errorf("cannot submit tasks: %w", ErrQuota)
	case tenter_hooks_tasks.SubmitErrorInvalid:
		return nil, fmt.Errorf("cannot submit tasks: %w: %s", ErrInvalid, err.Invalid())
	default:
		return nil, fmt.Errorf("cannot submit tasks: %s", err.Other())
	}
}

// Secrets are the names of secrets that are granted and set.
func Secrets() []string { return tenter_hooks_secrets.Available() }

// HMACSHA256 signs a message with a secret, whose text stays with the host. Needs the grant secret with its name.
func HMACSHA256(secret string, message []byte) ([]byte, error) {
	result := tenter_hooks_secrets.HmacSha256(text(secret), message)
	if result.Tag() == types.ResultOk {
		return result.Ok(), nil
	}
	switch err := result.Err(); err.Tag() {
	case tenter_hooks_secrets.SecretErrorDenied:
		return nil, fmt.Errorf("secret %s: %w: it needs the grant secret %s", secret, ErrDenied, secret)
	case tenter_hooks_secrets.SecretErrorNotSet:
		return nil, fmt.Errorf("secret %s: %w", secret, ErrNotSet)
	default:
		return nil, fmt.Errorf("secret %s: %s", secret, err.Other())
	}
}
