# SPDX-License-Identifier: Apache-2.0
"""Who implements and who proves an ID: reads comments of src/, PROVES("...") of the C++ tests and proves=[...]
of the Python tests. Shared by tools/conformance and tools/guides."""
import ast
import collections
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What later parts are called; CHECK is the part that stands.
CHECK = "Check"
PARTS = [CHECK, "Reports in", "Sending policy", "Reports out", "Publish", "The face"]

RULE_LIKE = re.compile(r'(?<![\w.\-/])(?:\d{4}-[0-9A-Z](?:\.?[0-9A-Z])*-[a-z]{1,2}|8301-3|G\d-\d+)(?![\w\-])')
TEST = re.compile(r'^\s*(?:TYPED_)?(?:TEST(?:_F|_P)?|RC_GTEST(?:_FIXTURE)?_PROP)\(\s*(\w+)\s*,\s*(\w+)', re.M)
PROVES = re.compile(r'\bPROVES\(([^)]*)\)')
DECISION = re.compile(r'(?<![\w.\-])A\d{1,2}(?!\w)')
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/', re.S)


def table(path):
    """The rows of a .tsv file of docs/, without its comments."""
    lines = (ROOT / path).read_text().splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def comments(path):
    """The .tsv file's own comment lines."""
    return [line[1:].strip() for line in (ROOT / path).read_text().splitlines() if line.startswith("#")]


def sources(folder, *suffixes):
    return sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in suffixes and "__pycache__" not in p.parts)


def implementations():
    """ID -> the files of src/ whose comments name it."""
    found = collections.defaultdict(set)
    decisions = {row[0] for row in table("docs/decisions.tsv")}
    for path in sources("src", ".h", ".cpp"):
        for comment in COMMENT.findall(path.read_text(errors="replace")):
            for rule in RULE_LIKE.findall(comment) + [d for d in DECISION.findall(comment) if d in decisions]:
                found[rule].add(path.relative_to(ROOT).as_posix())
    return {rule: sorted(files) for rule, files in found.items()}


def proofs():
    """ID -> the tests that prove it, and what is wrong with the labels themselves."""
    found, wrong = collections.defaultdict(list), []
    for path in sources("tests", ".h", ".cpp"):
        if path.name == "proves.h":
            continue
        text = path.read_text(errors="replace")
        tests = [(m.start(), f"{m.group(1)}.{m.group(2)}") for m in TEST.finditer(text)]
        for call in PROVES.finditer(text):
            inside = [name for start, name in tests if start < call.start()]
            line = text.count("\n", 0, call.start()) + 1
            where = f"{path.relative_to(ROOT).as_posix()}:{line}"
            rules = re.findall(r'"([^"]*)"', call.group(1))
            if not inside:
                wrong.append(f"{where}: PROVES outside of a test")
            if not rules:
                wrong.append(f"{where}: PROVES names nothing")
            for rule in rules:
                found[rule].append((inside[-1] if inside else "?", path.relative_to(ROOT).as_posix(), where))
    for path in sources("tests", ".py"):
        try:
            tree = ast.parse(path.read_text())
        except SyntaxError as error:
            wrong.append(f"{path.relative_to(ROOT)}: {error}")
            continue
        for name, rules, line in python_labels(tree):
            where = f"{path.relative_to(ROOT).as_posix()}:{line}"
            for rule in rules:
                found[rule].append((f"lab: {name}", path.relative_to(ROOT).as_posix(), where))
    return {rule: sorted(set(tests)) for rule, tests in found.items()}, wrong


def python_labels(tree):
    """(name of the test or scenario, IDs, line) of each proves=[...] argument, "proves": [...] entry, or
    @proves("...") decorator."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            named = {k.arg: k.value for k in node.keywords if k.arg}
            yield from label(named, node.args, node.lineno)
        elif isinstance(node, ast.Dict):
            named = {k.value: v for k, v in zip(node.keys, node.values) if isinstance(k, ast.Constant)}
            yield from label(named, [], node.lineno)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "proves":
                    yield node.name, [a.value for a in mark.args if isinstance(a, ast.Constant)], node.lineno


def label(named, positional, line):
    value = named.get("proves")
    if not isinstance(value, (ast.List, ast.Tuple)):
        return
    words = [named.get(key) for key in ("name", "domain")] + list(positional)
    name = next((w.value for w in words if isinstance(w, ast.Constant) and isinstance(w.value, str)), f"line {line}")
    yield name, [e.value for e in value.elts if isinstance(e, ast.Constant)], line


def known_ids():
    return {row[0] for name in ("rules", "guides", "decisions") for row in table(f"docs/{name}.tsv")}


def unknown(known, *maps):
    """Labels that name no known ID: a misspelt ID would silently prove nothing."""
    return sorted(f"\"{rule}\" is named by {where(place)} and stands in no list of docs/"
                  for m in maps for rule, places in m.items() if rule not in known for place in places[:1])


def where(place):
    return place[2] if isinstance(place, tuple) else place


def listed(things, limit=3):
    """Markdown of a few names."""
    names = sorted(set(things))
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def finish(text, wrong):
    """Prints the document; wrong labels go to stderr and fail the command."""
    sys.stdout.write(text)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0
