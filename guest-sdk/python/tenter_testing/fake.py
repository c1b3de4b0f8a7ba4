"""The host's functions for tests, answered from the fields of `Host`."""

import re


def answer(imports, host, Err):  # noqa: N803: it is a class
    """Puts functions into the modules of the imports."""
    _log_and_call(imports, host)
    _state(imports.state, host, Err)
    _entities(imports, host, Err)
    _outside(imports, host, Err)


def _log_and_call(imports, host):
    imports.log.write = lambda level, message: host.log.append((level.name.lower(), message))
    call = imports.call
    call.now = lambda: host.now
    call.id = lambda: "test"
    call.cause = lambda: call.CallCause[host.cause.upper()]
    call.random = lambda: 4
    call.resume_after = lambda seconds, memo: host.submitted.append(("resume", seconds, memo)) is None
    call.memo = lambda: None


def _state(state, host, Err):  # noqa: N803
    def guarded(function):
        def run(*args):
            if not host.allows("state"):
                raise Err(state.StateError_Denied())
            return function(*args)

        return run

    def increment(key, by):
        found = host.state.get(key, b"0").decode()
        host.state[key] = str((int(found) if re.fullmatch(r"-?\d+", found) else 0) + by).encode()

    def keys(prefix, after, limit):
        return [k for k in sorted(host.state) if k.startswith(prefix) and (after is None or k > after)][:limit]

    state.fetch = guarded(host_get(host))
    state.store = guarded(lambda key, value, keep: host.state.__setitem__(key, value))
    state.discard = guarded(lambda key: host.state.pop(key, None) and None)
    state.increment = guarded(increment)
    state.keys = guarded(keys)


def host_get(host):
    """Looks a key up when it is called, since `reset` makes another dictionary."""
    return lambda key: host.state.get(key)


def _entities(imports, host, Err):  # noqa: N803
    entities, views, tasks = imports.entities, imports.views, imports.tasks
    entities.schema = lambda: host.schema
    entities.case_hooks = lambda: ["on_postload_ioc_create"]

    def read_record(ref):
        if not host.allows("read-entities"):
            raise Err(entities.ReadError_Denied())
        return host.records.get((ref.etype, ref.eid))

    def fetch(ref):
        if not host.allows("read-entities"):
            raise Err(views.ViewError_Denied())
        return host.views.get((ref.etype, ref.eid))

    def submit(given):
        host.submitted.extend(given)
        return [str(n) for n, _ in enumerate(given)]

    entities.read_record = read_record
    entities.known = lambda ref: read_record(ref) is not None
    views.fetch = fetch
    tasks.submit = submit


def _outside(imports, host, Err):  # noqa: N803
    http, resolver, secrets = imports.http, imports.resolver, imports.secrets

    def send(request):
        host.requests.append(request)
        for one in host.http:
            if one["method"] == request.method and one["url"] == request.url:
                headers = [http.Header(name, value) for name, value in one.get("headers", {}).items()]
                return http.Response(one.get("status", 200), headers, one.get("body", b""))
        raise Err(http.HttpError_Unreachable("nothing answers there"))

    def lookup(name, kind, server):
        found = host.dns.get((kind, name))
        if found is None:
            raise Err(resolver.ResolveError_NotFound())
        return found

    http.send = send
    resolver.lookup = lookup
    resolver.reverse = lambda address, server: lookup(address, "PTR", server)
    secrets.available = lambda: []
    secrets.hmac_sha256 = lambda name, message: b"\0" * 32
