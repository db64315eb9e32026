# SPDX-License-Identifier: Apache-2.0
"""What bash, zsh and fish complete. zsh and fish are Debian's packages, unpacked below build/shells, never installed."""
import os
import pathlib
import re
import select
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.append(str(TOP / "tests" / "lab"))
import packages  # noqa: E402

WANTED = [["zsh", "fish"]]
PROGRAMS = ["usr/bin/zsh", "usr/bin/fish"]
# Words so far -> what must be offered for the last, what must not.
CASES = [
    (["mailtight", ""], {"check", "report", "serve"}, {"doc", "list"}),
    (["mailtight", "re"], {"report", "record", "resolve"}, {"check"}),
    (["mailtight", "domain", ""], {"add", "list", "remove"}, {"check"}),
    (["mailtight", "report", "list", "--d"], {"--domain", "--days"}, {"--dns-mode"}),
    (["mailtight", "check", "example.com", "--wai"], {"--wait", "--wait-limit"}, {"--json"}),
]


def in_bash(script, words):
    run = subprocess.run(["bash", "-c", f'source {script}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _mailtight; '
                          'printf "%s\\n" "${COMPREPLY[@]}"', "bash", *words], capture_output=True, text=True)
    return set(run.stdout.split()), run.stderr


def in_fish(root, script, words):
    share = root / "usr/share/fish"
    run = subprocess.run([root / "usr/bin/fish", "--no-config", "-c", f"set fish_function_path {share}/functions; source {script}; "
                          "complete -C $argv[1]", "--", " ".join(words)], capture_output=True, text=True, env=surroundings(root))
    return {line.split("\t")[0] for line in run.stdout.splitlines()}, run.stderr


def in_zsh(root, script, words):
    """Completion happens in a terminal alone: one of ours, where TAB is pressed. What is offered goes into a file."""
    folder = script.with_name("zsh")
    folder.mkdir(exist_ok=True)
    offers = folder / "offers"
    offers.write_text("")
    (folder / ".zshrc").write_text(f"""
module_path=({root}/usr/lib/*-linux-gnu/zsh/*)
fpath=({root}/usr/share/zsh/functions/**/*(/N))
PROMPT='READY> '
autoload -Uz compinit
compinit -u -D
source {script}
compadd() {{
    if (( ! ${{@[(I)-[OAD]]}} )); then
        local -a found
        builtin compadd -O found "$@"
        print -l -- $found >>{offers}
    fi
    builtin compadd "$@"
}}
""")
    ours, theirs = os.openpty()
    shell = subprocess.Popen([root / "usr/bin/zsh", "-d", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                             env={**surroundings(root), "ZDOTDIR": str(folder)})
    os.close(theirs)
    try:
        said = until(ours, lambda text: b"READY> " in text, 30)
        os.write(ours, " ".join(words).encode() + b"\t")
        said += until(ours, lambda text: offers.stat().st_size > 0, 20)
        said += until(ours, lambda text: False, 0.5)  # the rest of the list
    finally:
        shell.kill()
        shell.wait()
        os.close(ours)
    found = set(offers.read_text().split())
    return found, "" if found else f"error: nothing offered: {said.decode(errors='replace')}"


def until(terminal, enough, seconds):
    """What comes from the terminal until it is enough, or so long."""
    text, end = b"", time.monotonic() + seconds
    while time.monotonic() < end and not enough(text):
        if select.select([terminal], [], [], 0.1)[0]:
            text += os.read(terminal, 4096)
    return text


def surroundings(root):
    libraries = ":".join(str(p) for p in (root / "usr/lib").glob("*-linux-gnu"))
    return {**os.environ, "LD_LIBRARY_PATH": libraries, "TERM": "dumb", "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}


def complete(judge, binary):
    folder = TOP / "build/test"
    folder.mkdir(parents=True, exist_ok=True)
    scripts = {}
    for shell in ("bash", "zsh", "fish"):
        scripts[shell] = folder / f"completion.{shell}"
        scripts[shell].write_text(subprocess.run([binary, "doc", f"completion-{shell}"], capture_output=True, text=True, check=True).stdout)
    try:
        root = packages.ensure(TOP / "build" / "shells", lambda words: print(f"shells: {words}", file=sys.stderr), WANTED, PROGRAMS)
    except packages.PackageError as problem:
        judge("zsh and fish can be had", False, problem)
        return
    asks = {"bash": lambda words: in_bash(scripts["bash"], words),
            "zsh": lambda words: in_zsh(root, scripts["zsh"], words),
            "fish": lambda words: in_fish(root, scripts["fish"], words)}
    for shell, ask in asks.items():
        for words, wanted, unwanted in CASES:
            offered, said = ask(words)
            held = wanted <= offered and not unwanted & offered and not re.search("error|bad ", said)
            judge(f"{shell} completes: {' '.join(words)}", held, f"offered {sorted(offered)[:20]} {said}")
