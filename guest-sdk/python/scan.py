"""Looks at the source of a Python module before it is built: what it needs, and what cannot work in a sandbox.

    python scan.py (--iris | --dp3 | --plain) PATH [--ask "CAPABILITY SCOPE"]... [--clear NAME]... [--deps DIR]

PATH is the file of a module, or for IRIS the folder of its package or one above it. Prints one JSON object:

    {"name":      a name for the module,
     "source":    what to import,          "root": the folder to import it from,
     "uses":      of http, resolver, resolver-server, case-write, evidence,
     "addresses": [addresses that stand in the source; servers of names that are chosen there as dns://ADDRESS],
     "requests":  [[capability, scope]] as asked by hand,
     "clear":     [secrets that are to be plain parameters],
     "preload":   [what functions import, of the module and of what `--deps` names],
     "requires":  [what `pip install --target` needs],
     "problems":  [{"file", "line", "level": "error" | "warning", "text"}]}

With an error the module cannot be built. The folder may have a `tenter.toml` whose table `[module]` has `ask` and `clear`
as lists of the same. `--deps` names the folder with what `requires` brought, which may use the network too. Runs on the
Python that the author has, from 3.9 on, with nothing but its standard library.
"""

import argparse
import ast
import json
import re
import sys
from pathlib import Path

HTTP = {"requests", "urllib", "urllib3", "http", "httpx", "httpcore", "pymisp", "virus_total_apis", "xmlrpc"}
RESOLVER = {"socket", "dns"}
OURS = {"iris_interface", "app", "dp3", "tenter", "tenter_net", "tenter_iris", "wit_world", "componentize_py_types"}
# Where the name to import is not the name to install.
PYPI = {
    "dns": "dnspython", "yaml": "PyYAML", "bs4": "beautifulsoup4", "dateutil": "python-dateutil", "jwt": "PyJWT",
    "virus_total_apis": "virustotal-api", "attr": "attrs", "markdown": "Markdown", "jinja2": "Jinja2",
}  # fmt: skip
# What modules list beside what they import.
NOT_NEEDED = re.compile(r"(?i)(iris[-_].*|dfir[-_].*|dp3|setuptools|wheel|pip|build|twine|pytest|black|flake8)$")
# Parts of the IRIS server that the SDK has.
APP = {
    "app", "app.models", "app.models.models", "app.models.cases", "app.schema.marshables",
    "app.datamgmt.manage.manage_attribute_db", "app.datamgmt.iris_engine.modules_db",
    "app.iris_engine.utils.tracker", "app.iris_engine.module_handler.module_handler",
}  # fmt: skip

THREADS = "threads do not start in a sandbox; do the work in the hook itself, or let several tasks or entities carry it"
PROCESSES = "no program can be run from a sandbox; call a service over HTTP instead"
SOCKETS = "there are no sockets in a sandbox; send HTTP requests (requests, urllib.request) or look names up (socket.getaddrinfo, dns.resolver)"
WRITING = "a sandbox has no files to write; keep what must last in `tenter.state`, return it as data, or write it to the log"
BESIDE = "files beside the module are there at build time alone; read them at the top of the file, into a variable"
LOADERS = "it reads templates when they are used, and then there are no files; use DictLoader with text read at the top of the file"
CALLS = [
    (r"threading\.(Thread|Timer)|_thread\.start_new_thread|concurrent\.futures\.ThreadPoolExecutor", THREADS),
    (r"concurrent\.futures\.ProcessPoolExecutor|multiprocessing\..*", PROCESSES),
    (r"subprocess\..*|os\.(system|popen|fork|exec\w*|spawn\w*|kill)|pty\..*", PROCESSES),
    (r"socket\.(socket|socketpair|create_server)|socketserver\..*|select\..*|selectors\..*", SOCKETS),
    (r"(smtplib|ftplib|imaplib|poplib|nntplib|telnetlib)\..*", SOCKETS),
    (r"os\.(remove|unlink|mkdir|makedirs|rmdir|rename|replace|chmod|chown|symlink)|shutil\..*|tempfile\..*", WRITING),
    (r"time\.sleep", "waiting counts as time of the call, which ends by its deadline; ask again in a later hook instead"),
    (r"asyncio\.(run|create_subprocess\w*|open_connection|start_server)", "loops of asyncio have no sockets here; use plain calls"),
    (r"jinja2\.(loaders\.)?(FileSystemLoader|PackageLoader)", LOADERS),
    (r"importlib\.resources\..*|pkgutil\.get_data|pkg_resources\..*", BESIDE),
    (r"logging\.(FileHandler|handlers\.\w*FileHandler)", "a sandbox has no files to write; the log goes to the host by itself"),
]
IMPORTS = {
    "ctypes": "there are no shared libraries in a sandbox", "cffi": "there are no shared libraries in a sandbox",
    "mmap": "a sandbox cannot map files", "fcntl": "a sandbox has no files of that kind",
    "numpy": "it is compiled for machines; only packages of pure Python can be built in",
    "pandas": "it is compiled for machines; only packages of pure Python can be built in",
    "lxml": "it is compiled for machines; use xml.etree.ElementTree",
    "cryptography": "it is compiled for machines; hashlib and hmac are there, and `tenter.secrets` signs",
    "psycopg2": SOCKETS, "redis": SOCKETS, "pymongo": SOCKETS, "pika": SOCKETS, "kafka": SOCKETS, "paramiko": SOCKETS,
    "ldap3": SOCKETS, "aiohttp": "it stands on loops of asyncio, which have no sockets here; use requests",
}  # fmt: skip
# Parts of the standard library that functions of packages import and no component needs.
UNFIT = {
    "tkinter", "turtle", "idlelib", "test", "lib2to3", "ensurepip", "venv", "pydoc", "unittest", "doctest", "pdb", "curses",
    "multiprocessing", "antigravity", "this", "webbrowser", "readline", "msvcrt", "winreg", "_winreg",
}  # fmt: skip
LITERAL = re.compile(r"https?://[A-Za-z0-9.-]+")
LOCAL = ("127.", "localhost", "0.0.0.0", "169.254.")


class Scan(ast.NodeVisitor):
    """One file."""

    def __init__(self, file, shown, findings):
        self.file, self.shown, self.out = file, shown, findings
        self.names = {}
        self.depth = 0

    def problem(self, node, text, level="warning"):
        self.out.problems.append({"file": self.shown, "line": node.lineno, "level": level, "text": text})

    def visit_FunctionDef(self, node):
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    visit_AsyncFunctionDef = visit_Lambda = visit_FunctionDef

    def visit_Import(self, node):
        for alias in node.names:
            self.names[alias.asname or alias.name.partition(".")[0]] = alias.name if alias.asname else alias.name.partition(".")[0]
            self.imported(node, alias.name)

    def visit_ImportFrom(self, node):
        if node.level:
            return
        for alias in node.names:
            self.names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        self.imported(node, node.module, [alias.name for alias in node.names])

    def imported(self, node, name, members=()):
        top = name.partition(".")[0]
        self.out.imports.add(top)
        if self.depth:
            self.out.preload.update([name, *(f"{name}.{member}" for member in members if member != "*")])
        if top in IMPORTS:
            self.problem(node, f"{top}: {IMPORTS[top]}")
        if top == "app" and self.out.kind == "iris":
            parts = {name} if name in APP else {f"{name}.{member}" for member in members} or {name}
            for part in sorted(parts - APP):
                self.problem(node, f"{part} is a part of the IRIS server that a module does not have in a sandbox")
        if name.endswith("manage_attribute_db"):
            self.out.uses.add("case-write")

    def dotted(self, node):
        """The full name of what is called, through the names that imports gave."""
        parts = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.names:
            return None
        return ".".join([self.names[node.id], *reversed(parts)])

    def visit_Call(self, node):
        name = self.dotted(node.func)
        for pattern, text in CALLS if name else ():
            if re.fullmatch(pattern, name) and (text is not BESIDE or self.depth):
                self.problem(node, f"{name}: {text}")
        plain = node.func.id if isinstance(node.func, ast.Name) else None
        if plain == "open" and plain not in self.names and self.writes(node, 1) or name == "io.open" and self.writes(node, 1):
            self.problem(node, f"open: {WRITING}")
        if isinstance(node.func, ast.Attribute):
            method = node.func.attr
            if method in ("write_text", "write_bytes", "touch", "unlink") and name is None:
                self.problem(node, f"{method}: {WRITING}")
            if method == "get_evidence_storage":
                self.out.uses.add("evidence")
        if plain == "setattr":
            self.out.uses.add("case-write")
        self.generic_visit(node)

    @staticmethod
    def writes(node, place):
        given = [word.value for word in node.keywords if word.arg == "mode"] + node.args[place : place + 1]
        return any(isinstance(mode, ast.Constant) and set(str(mode.value)) & set("wax+") for mode in given)

    def visit_Assign(self, node):
        for target in node.targets:
            self.assigned(target)
            if isinstance(target, ast.Attribute) and target.attr == "nameservers":
                self.nameservers(node.value)
            if isinstance(target, ast.Name) and target.id == "_pipeline_support" and getattr(node.value, "value", False) is True:
                self.problem(node, "pipelines import files that people upload, which this runtime has no hook for", "error")
        self.generic_visit(node)

    def nameservers(self, value):
        """Servers of names: those that stand there, else some that only the configuration knows."""
        chosen = [one.value for one in getattr(value, "elts", ()) if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        self.out.addresses.update(f"dns://{server}" for server in chosen)
        if not chosen or len(chosen) < len(getattr(value, "elts", ())):
            self.out.uses.add("resolver-server")

    def visit_AugAssign(self, node):
        self.assigned(node.target)
        self.generic_visit(node)

    def assigned(self, target):
        if isinstance(target, ast.Attribute) and target.attr in self.out.fields:
            self.out.uses.add("case-write")

    def visit_Name(self, node):
        if node.id == "__file__" and self.depth:
            self.problem(node, f"__file__: {BESIDE}")

    def visit_Dict(self, node):
        # Defaults of parameters are configuration, which is looked at when it is known.
        if any(isinstance(key, ast.Constant) and key.value == "param_name" for key in node.keys):
            return
        self.generic_visit(node)

    def visit_Expr(self, node):
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Constant(self, node):
        found = LITERAL.match(node.value) if isinstance(node.value, str) else None
        if found and not found.group().partition("://")[2].startswith(LOCAL):
            self.out.addresses.add(found.group())


class Findings:
    """All files together."""

    def __init__(self, kind):
        self.kind = kind
        self.imports, self.preload, self.uses, self.addresses = set(), set(), set(), set()
        self.problems = []
        self.fields = settable() if kind == "iris" else set()


class Later(ast.NodeVisitor):
    """What functions of a package import."""

    def __init__(self, package):
        self.package, self.depth, self.names = package, 0, set()

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = Scan.visit_FunctionDef

    def visit_Import(self, node):
        if self.depth:
            self.names.update(alias.name for alias in node.names)

    def visit_ImportFrom(self, node):
        if not self.depth:
            return
        above = self.package[: len(self.package) - node.level + 1] if node.level else []
        name = ".".join([*above, node.module] if node.module else above)
        self.names.update([name, *(f"{name}.{alias.name}" for alias in node.names if alias.name != "*")])


def imported_later(deps):
    """What functions of installed packages import: of these packages, and of the standard library."""
    own = {path.stem for path in deps.iterdir() if path.is_dir() or path.suffix == ".py"}
    found = set()
    for file in deps.rglob("*.py"):
        place = file.relative_to(deps)
        if {"test", "tests", "testing", "__main__"} & {*place.parts, place.stem}:
            continue
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError):
            continue
        scan = Later(list(place.parts[:-1]))
        scan.visit(tree)
        found |= scan.names
    return {name for name in found if name.partition(".")[0] in (own | set(sys.stdlib_module_names)) - UNFIT}


def settable():
    """Fields of case objects that a module may write."""
    table = json.loads((Path(__file__).parent / "iris" / "tenter_iris" / "fields.json").read_text())
    found = {"custom_attributes"}
    for kind in table.values():
        found.update(name for name, may in kind["fields"].items() if may)
        found.update(filter(None, (kind["tags"], kind["description"])))
    return found


def package_of(path):
    """The folder of a package of IRIS: the one given, or the only one in it."""
    candidates = [path, *sorted(child for child in path.iterdir() if child.is_dir())]
    found = [one for one in candidates if (one / "__init__.py").is_file() and "__iris_module_interface" in (one / "__init__.py").read_text()]
    if len(found) != 1:
        raise SystemExit(
            f"{path}: expected the folder of one IRIS module, whose __init__.py names its class in `__iris_module_interface`; "
            + (f"found {', '.join(one.name for one in found)}" if found else "found none")
        )
    return found[0]


def required(folders, names):
    """What to install: a line of the module's own lists where one names the package, else the package's name."""
    lines = {}
    for folder in folders:
        for line in wanted(folder):
            name = re.split(r"[\s\[<>=!~;@(]", line.strip(), maxsplit=1)[0]
            if name and not name.startswith(("#", "-")) and not NOT_NEEDED.match(name):
                lines.setdefault(normal(name), line.strip())
    for name in names:
        package = PYPI.get(name, name)
        lines.setdefault(normal(package), package)
    return sorted(lines.values(), key=str.lower)


def wanted(folder):
    """Lines of requirements.txt, and the names with versions of setup.py and pyproject.toml."""
    text = folder / "requirements.txt"
    if text.is_file():
        yield from (line.partition(" #")[0] for line in text.read_text().splitlines())
    setup = folder / "setup.py"
    if setup.is_file():
        for node in ast.walk(ast.parse(setup.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "install_requires" and isinstance(node.value, (ast.List, ast.Tuple)):
                yield from (one.value for one in node.value.elts if isinstance(one, ast.Constant))
    yield from toml(folder / "pyproject.toml").get("project", {}).get("dependencies", [])


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def toml(path):
    """A file of TOML; empty where there is none."""
    if not path.is_file():
        return {}
    try:
        import tomllib
    except ImportError:
        raise SystemExit(f"{path} cannot be read by Python {sys.version_info[0]}.{sys.version_info[1]}; 3.11 or later can") from None
    return tomllib.loads(path.read_text())


def arguments():
    parser = argparse.ArgumentParser(description="Looks at a Python module before it is built.")
    kind = parser.add_mutually_exclusive_group(required=True)
    for name in ("iris", "dp3", "plain"):
        kind.add_argument(f"--{name}", dest="kind", action="store_const", const=name)
    parser.add_argument("path", type=Path)
    parser.add_argument("--ask", action="append", default=[])
    parser.add_argument("--clear", action="append", default=[])
    parser.add_argument("--deps", type=Path)
    return parser.parse_args()


def main():
    """See above."""
    given = arguments()
    home = package_of(given.path.resolve()) if given.kind == "iris" else given.path.resolve()
    files = sorted(home.rglob("*.py")) if home.is_dir() else [home]
    out = Findings(given.kind)
    for file in files:
        shown = str(file.relative_to(home.parent))
        try:
            tree = ast.parse(file.read_bytes(), shown)
        except SyntaxError as wrong:
            out.problems.append({"file": shown, "line": wrong.lineno or 1, "level": "error", "text": f"no Python: {wrong.msg}"})
            continue
        Scan(file, shown, out).visit(tree)
    folders = [home.parent, home] if given.kind == "iris" else [home.parent]
    settings = {}
    for folder in folders:
        settings.update(toml(folder / "tenter.toml").get("module", {}))
    beside = {file.stem for file in home.parent.glob("*.py")} | {folder.name for folder in home.parent.iterdir() if folder.is_dir()}
    foreign = out.imports - set(sys.stdlib_module_names) - OURS - beside - {home.stem}
    out.uses |= {"http"} if out.imports & HTTP else set()
    out.uses |= {"resolver"} if out.imports & RESOLVER else set()
    if given.deps is not None:
        out.preload |= imported_later(given.deps)
        out.uses |= {"http"} if any((given.deps / name).is_dir() for name in ("requests", "urllib3")) else set()
        out.uses |= {"resolver"} if (given.deps / "dns").is_dir() else set()
    asks = [ask.partition(" ")[::2] for ask in [*settings.get("ask", []), *given.ask]]
    json.dump(
        {
            "name": re.sub(r"[^a-z0-9]+", "-", home.stem.lower()).strip("-"),
            "source": home.stem,
            "root": str(home.parent),
            "uses": sorted(out.uses),
            "addresses": sorted(out.addresses),
            "requests": [[capability, scope.strip()] for capability, scope in asks],
            "clear": sorted({*settings.get("clear", []), *given.clear}),
            "preload": sorted(out.preload),
            "requires": required(folders, foreign),
            "problems": out.problems,
        },
        sys.stdout,
        indent=2,
    )
    print()


if __name__ == "__main__":
    main()
