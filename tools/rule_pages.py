"""The pages of docs/rules: one for each rule of `kcompanion explain`, and an index of them all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kcompanion.explain.book import EXCLUDED, RULES
from kcompanion.explain.rule import Rule
from kcompanion.model.message import say
from kcompanion.text import catalog
from kcompanion.text.catalog import phrase

ROOT = Path(__file__).resolve().parents[1]
DEMOS = ROOT / "manifests" / "demo"
CASES = ROOT / "tests" / "explain" / "cases"
# What the parts of a rule's text are, in the order of a page.
PARTS = (
    ("cause", "It says", "알리는 말"),
    ("why", "Why Kubernetes acts like this", "쿠버네티스가 그러는 까닭"),
    ("do", "What to do", "할 일"),
)


def pages(notice: str) -> dict[str, str]:
    """File name to contents."""
    by_code: dict[str, list[Rule]] = {}
    for rule in RULES:
        by_code.setdefault(rule.code, []).append(rule)
    made = {f"{code}.md": _page(code, rules, notice) for code, rules in sorted(by_code.items())}
    return {"README.md": _index(dict(sorted(by_code.items())), notice), **made}


def _page(code: str, rules: list[Rule], notice: str) -> str:
    rule = rules[0]
    parts = [f"# {code}: {_text(rule, 'title', 'en')}", notice, "\n".join(_facts(code, rules))]
    for language, heading in (("en", "English"), ("ko", "한국어")):
        parts.append(f"## {heading}")
        if language == "ko":
            parts.append(f"**{_text(rule, 'title', 'ko')}**")
        for part, english, korean in PARTS:
            told = list(_texts(rule, part, language))
            if told:
                parts.append(f"### {english if language == 'en' else korean}")
                parts.append("\n".join(f"- {one}" for one in told) if part != "why" else "\n\n".join(told))
    return "\n\n".join(parts) + "\n"


def _facts(code: str, rules: list[Rule]) -> Iterator[str]:
    """Severity, what it looks at, where it can be seen."""
    rule = rules[0]
    yield f"- severity: {rule.severity.value} (a single case may be milder or worse)"
    yield f"- looks at: {', '.join(dict.fromkeys(one.kind if one.kind != '*' else 'any kind' for one in rules))}"
    if rule.numbers:
        yield f"- covers number {', '.join(map(str, rule.numbers))} of the failure taxonomy"
    demos = [file.parent.name for file in sorted(DEMOS.glob(f"{code}*/manifest.yaml"))]
    demos = [name for name in demos if name.partition("-")[0] == code]
    if demos:
        links = ", ".join(f"[{name}](../../manifests/demo/{name}/manifest.yaml)" for name in demos)
        yield f"- to be seen on a cluster: {links}"
    elif CASES.is_dir():
        yield "- shown by a case written by hand: a lab cluster cannot be brought to it"
    if rule.read:
        yield f"- read more: <{rule.read}>"


def _texts(rule: Rule, part: str, language: str) -> Iterator[str]:
    """The texts of a part: `cause` and its variants `cause_…`."""
    prefix = f"{rule.code.lower()}."
    for key in catalog.area("en", rule.area):
        name = key.removeprefix(prefix)
        if key.startswith(prefix) and (name == part or name.startswith(f"{part}_")):
            yield _text(rule, name, language)


def _text(rule: Rule, name: str, language: str) -> str:
    """A text with its placeholders standing for themselves, which settles the Korean particles after them."""
    key = f"{rule.code.lower()}.{name}"
    template = catalog.area("en", rule.area).get(key)
    if template is None:
        raise SystemExit(f"{rule.area}.toml has no {key}")
    values = {word: f"{{{word}}}" for word in catalog.placeholders(template)}
    return phrase(say(f"{rule.area}.{key}", **values), language).replace("\n", " ")


def _index(by_code: dict[str, list[Rule]], notice: str) -> str:
    rows = [
        f"| [{code}]({code}.md) | {_text(rules[0], 'title', 'en')} | {_text(rules[0], 'title', 'ko')} "
        f"| {rules[0].severity.value} | {', '.join(dict.fromkeys(one.kind for one in rules))} |"
        for code, rules in by_code.items()
    ]
    excluded = [f"| {number} | {why} |" for number, why in sorted(EXCLUDED.items())]
    parts = [
        "# Rules of kcompanion explain",
        notice,
        f"{len(by_code)} rules look at objects and say why they are as they are. A code never changes its meaning. "
        "`kcompanion explain` names it in brackets after the cause, and `kcompanion health` counts by it. Where a "
        "rule could not look at what it needs, the answer says so and names the right.",
        "\n".join(["| code | what it finds | 무엇을 찾는가 | severity | looks at |", "|---|---|---|---|---|", *rows]),
    ]
    if excluded:
        parts += [
            "## Left out",
            "Numbers of the failure taxonomy without a rule, and why.",
            "\n".join(["| number | why |", "|---|---|", *excluded]),
        ]
    return "\n\n".join(parts) + "\n"
