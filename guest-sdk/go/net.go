package tenter

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	wit "tenter/internal/bind/tenter_hooks_http"
	"tenter/internal/bind/tenter_hooks_resolver"
	"tenter/internal/wit/types"
)

// HTTPRequest is a request to an outside service. Needs the grant http with an address pattern.
type HTTPRequest struct {
	// Method is GET when empty.
	Method, URL    string
	Query, Headers []HTTPParameter
	Body           []byte
	// Timeout is what the call has left when it is 0.
	Timeout time.Duration
}

// HTTPParameter is a part of the query or a header. With a Secret the host puts the text of that secret behind Value,
// where the module does not see it: {Name: "Authorization", Value: "Bearer ", Secret: "token"}.
type HTTPParameter struct {
	Name, Value, Secret string
}

// HTTPResponse is the answer, whatever its status.
type HTTPResponse struct {
	Status  int
	Headers []HTTPParameter
	Body    []byte
}

// Header is the first header of that name, in any case of letters; empty when there is none.
func (r *HTTPResponse) Header(name string) string {
	for _, header := range r.Headers {
		if strings.EqualFold(header.Name, name) {
			return header.Value
		}
	}
	return ""
}

// Decode reads a body in JSON.
func (r *HTTPResponse) Decode(into any) error { return json.Unmarshal(r.Body, into) }

// HTTPGet asks for an address.
func HTTPGet(url string) (*HTTPResponse, error) { return HTTPSend(HTTPRequest{URL: url}) }

// HTTPSend makes a request.
func HTTPSend(request HTTPRequest) (*HTTPResponse, error) {
	if request.Method == "" {
		request.Method = "GET"
	}
	out := wit.Request{
		Method:    text(request.Method),
		Url:       text(request.URL),
		Query:     each(request.Query, toParameter),
		Headers:   each(request.Headers, toParameter),
		TimeoutMs: optional(uint32(request.Timeout.Milliseconds())),
	}
	if request.Body != nil {
		out.Body = types.Some(request.Body)
	}
	result := wit.Send(out)
	if result.Tag() == types.ResultErr {
		return nil, httpError(result.Err(), request)
	}
	response := result.Ok()
	return &HTTPResponse{
		Status:  int(response.Status),
		Headers: each(response.Headers, func(h wit.Header) HTTPParameter { return HTTPParameter{Name: h.Name, Value: h.Value} }),
		Body:    response.Body,
	}, nil
}

func toParameter(p HTTPParameter) wit.Parameter {
	value := wit.MakeSensitiveClear(text(p.Value))
	if p.Secret != "" {
		value = wit.MakeSensitiveSecret(wit.SecretUse{Prefix: text(p.Value), Name: text(p.Secret)})
	}
	return wit.Parameter{Name: text(p.Name), Value: value}
}

func httpError(err wit.HttpError, request HTTPRequest) error {
	place := request.Method + " " + request.URL
	switch err.Tag() {
	case wit.HttpErrorDenied:
		return fmt.Errorf("%s: %w: %s", place, ErrDenied, err.Denied())
	case wit.HttpErrorInvalid:
		return fmt.Errorf("%s: %w: %s", place, ErrInvalid, err.Invalid())
	case wit.HttpErrorTimedOut:
		return fmt.Errorf("%s: %w", place, ErrTimedOut)
	case wit.HttpErrorTooLarge:
		return fmt.Errorf("%s: %w", place, ErrTooLarge)
	case wit.HttpErrorUnreachable:
		return fmt.Errorf("%s: %w: %s", place, ErrUnreachable, err.Unreachable())
	default:
		return fmt.Errorf("%s: %s", place, err.Other())
	}
}

// Lookup asks for records of a name: kind is A, AAAA, PTR, TXT, MX, NS or CNAME. Needs the grant resolver.
func Lookup(name, kind string) ([]string, error) { return LookupAt("", name, kind) }

// LookupAt is Lookup at a name server of one's choice; empty is the host's.
func LookupAt(server, name, kind string) ([]string, error) {
	return resolved(kind+" of "+name, tenter_hooks_resolver.Lookup(text(name), text(kind), optional(text(server))))
}

// Reverse are the names of an address. Needs the grant resolver.
func Reverse(address string) ([]string, error) { return ReverseAt("", address) }

// ReverseAt is Reverse at a name server of one's choice; empty is the host's.
func ReverseAt(server, address string) ([]string, error) {
	return resolved("names of "+address, tenter_hooks_resolver.Reverse(text(address), optional(text(server))))
}

func resolved(what string, result types.Result[[]string, tenter_hooks_resolver.ResolveError]) ([]string, error) {
	if result.Tag() == types.ResultOk {
		return result.Ok(), nil
	}
	switch err := result.Err(); err.Tag() {
	case tenter_hooks_resolver.ResolveErrorDenied:
		return nil, fmt.Errorf("%s: %w: it needs the grant resolver", what, ErrDenied)
	case tenter_hooks_resolver.ResolveErrorNotFound:
		return nil, fmt.Errorf("%s: %w", what, ErrNotFound)
	case tenter_hooks_resolver.ResolveErrorTimedOut:
		return nil, fmt.Errorf("%s: %w", what, ErrTimedOut)
	default:
		return nil, fmt.Errorf("%s: %s", what, err.Other())
	}
}
