"""Expressions reckon as Python does, within bounds, and nothing in a document is ever run."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.config.expression import NotANumber, Number, parse_expression
from collector.config.expression.parser import MOST_NESTED, MOST_STEPS
from protocols.errors import Refused


def reckoned(text: str, **inputs: Number) -> Number:
    expression = parse_expression(text)
    return expression.value([inputs[name] for name in expression.names])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b * 2", 8),
        ("(a + b) * 2", 10),
        ("-a ** 2", -4),
        ("2 ** -1 ** 2", 0.5),
        ("7 % -3 + a", 0),
        ("b / a", 1.5),
        ("a < b < 4 and not a == b", True),
        ("a if a > b else -b", -3),
        ("a if false else b if TRUE else 9", 3),
        ("min(a, b, -1) + max(a, b) + abs(-a)", 4),
        ("avg(a, b)", 2.5),
        ("round(b / 7, 2)", 0.43),
        ("round(2.5) + ROUND(3.5)", 6),
        ("a and b", True),
        ("a - 2 or 0", False),
        (".5e1 + 1.", 6.0),
        ("1e3", 1000.0),
    ],
)
def test_expressions(text: str, value: Number) -> None:
    result = reckoned(text, a=2, b=3)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("온도 * 2 + 온도 + 압력", ("온도", "압력")),
        ("[temperature 1] + [50% (max)] + [a[1]]]", ("temperature 1", "50% (max)", "a[1]")),
        ("min + max(abs, 1)", ("min", "abs")),
        ("[and] + [1]", ("and", "1")),
        ("a if b else c", ("a", "b", "c")),
    ],
)
def test_any_tag_can_be_named(text: str, names: tuple[str, ...]) -> None:
    assert sorted(parse_expression(text).names) == sorted(names)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "found the end at character 1"),
        ("a +", "found the end at character 4; expected a number, a tag's name"),
        ("(a", r"expected '\)'"),
        ("a b", "found 'b' at character 3; expected an operator or the end"),
        ("a = 1", "'=' at character 3"),
        ("a // 2", "found '/' at character 4"),
        ("a.b", "'.' at character 2"),
        ("'a'", '"\'" at character 1'),
        ("a[0]", "found '0' at character 2"),
        ("__import__(1)", "'__import__' at character 1 is no function; expected min, max, avg, abs, round"),
        ("[abs](1)", r"found '\(' at character 6"),
        ("a if b", "expected 'else'"),
        ("abs(a, b)", "is given 2 values; expected 1 to 1"),
        ("lambda: 1", "':' at character 7"),
        ("1e999", "the number at character 1 is too large"),
        ("9" * 4000, "the number at character 1 is too large"),
        ("(" * (MOST_NESTED + 1) + "a" + ")" * (MOST_NESTED + 1), f"nests more than {MOST_NESTED} deep"),
        ("-" * 300 + "a", f"nests more than {MOST_NESTED} deep"),
        ("not " * 300 + "a", f"nests more than {MOST_NESTED} deep"),
        ("a **" * 300 + "a", f"nests more than {MOST_NESTED} deep"),
        ("a if a else " * 300 + "a", f"nests more than {MOST_NESTED} deep"),
        ("a" + "+a" * MOST_STEPS, f"more than {MOST_STEPS} parts"),
    ],
)
def test_what_is_no_expression_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        parse_expression(text)
    assert caught.value.field == "expression"
    assert len(str(caught.value)) < 300


@given(st.text(alphabet="ab01.[]()+-*/%<>=!, andorifelse'_", max_size=60) | st.text(max_size=60))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    try:
        expression = parse_expression(text)
        expression.value([2.5] * len(expression.names))
    except (Refused, NotANumber):
        pass


@pytest.mark.parametrize(
    "text",
    [
        "a / 0", "a % 0", "0 ** -a", "(0 - 8) ** 0.5", "1e308 * 10", "1 / (1e308 * 10)", "9 ** 9 ** 9", "9 ** 400",
        "a * 9223372036854775807 * 4", "avg(1e308, 1e308)", "round(a, 0.5)", "round(a, 100000)",
        "9 ** 320 * 1000.0",
    ],
)  # fmt: skip
def test_what_has_no_number_is_none(text: str) -> None:
    with pytest.raises(NotANumber):
        reckoned(text, a=2)


def test_an_integer_may_be_long_on_the_way_but_not_at_the_end() -> None:
    assert reckoned("a * a / a", a=2**60) == float(2**60)
    assert reckoned("a + 1", a=2**63 - 2) == 2**63 - 1
    with pytest.raises(NotANumber):
        reckoned("a + 1", a=2**64 - 1)
    assert reckoned("0 - a", a=2**63) == -(2**63)


def test_what_is_not_chosen_is_not_reckoned() -> None:
    assert reckoned("b / a if a else 0", a=0, b=1) == 0
    assert reckoned("a != 0 and b / a > 1", a=0, b=1) is False
    assert reckoned("a == 0 or b / a > 1", a=0, b=1) is True


def test_the_longest_expression_is_reckoned_in_bounded_depth() -> None:
    assert reckoned("a" + "+a" * (MOST_STEPS // 2 - 1), a=1) == MOST_STEPS // 2


@dataclass(frozen=True)
class Tree:
    """An expression in our words, the same in Python's, and all its parts in Python's."""

    ours: str
    python: str
    parts: tuple[str, ...] = ()

    @classmethod
    def of(cls, ours: str, python: str, inner: Sequence["Tree"]) -> "Tree":
        return cls(ours, python, (python, *(part for tree in inner for part in tree.parts)))


LEAVES = st.sampled_from([Tree.of(name, name, ()) for name in ("a", "b", "c", "d")]) | st.one_of(
    st.integers(0, 99), st.floats(0, 99).map(lambda number: round(number, 3))
).map(lambda number: Tree.of(repr(number), repr(number), ()))


def _binary(parts: tuple[str, Tree, Tree]) -> Tree:
    sign, left, right = parts
    text = f"({{}}) {sign} ({{}})"
    python = f"bool({text})" if sign in ("and", "or") else text
    return Tree.of(text.format(left.ours, right.ours), python.format(left.python, right.python), (left, right))


def _flat(parts: tuple[str, Tree, Tree]) -> Tree:
    """Without parentheses, so that precedence counts; only where both sides are single words."""
    sign, left, right = parts
    if len(left.parts) > 1 or len(right.parts) > 1:
        return _binary(parts)
    return Tree.of(f"{left.ours}{sign}{right.ours}", f"{left.python}{sign}{right.python}", (left, right))


def _call(parts: tuple[str, list[Tree]]) -> Tree:
    name, inner = parts
    if name in ("abs", "round"):
        inner = inner[:1]
    ours, python = (", ".join(texts) for texts in ([t.ours for t in inner], [t.python for t in inner]))
    if name in ("min", "max"):
        return Tree.of(f"{name}({ours})", f"{name}([{python}])", inner)
    return Tree.of(f"{name}({ours})", f"{name}({python})", inner)


def _choice(parts: tuple[Tree, Tree, Tree]) -> Tree:
    text = "({}) if ({}) else ({})"
    return Tree.of(text.format(*(t.ours for t in parts)), text.format(*(t.python for t in parts)), parts)


def _extend(trees: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    signs = st.sampled_from(["+", "-", "*", "/", "%", "**", "<", "<=", ">", ">=", "==", "!=", "and", "or"])
    return st.one_of(
        st.tuples(signs, trees, trees).map(_binary),
        st.tuples(st.sampled_from(["+", "-", "*", "/", "%", "**", "<", "=="]), trees, trees).map(_flat),
        st.tuples(st.sampled_from(["min", "max", "avg", "abs", "round"]), st.lists(trees, min_size=1, max_size=3)).map(
            _call
        ),
        st.tuples(trees, trees, trees).map(_choice),
        trees.map(lambda tree: Tree.of(f"-({tree.ours})", f"-({tree.python})", (tree,))),
        trees.map(lambda tree: Tree.of(f"not ({tree.ours})", f"not ({tree.python})", (tree,))),
    )


INPUTS = st.one_of(st.booleans(), st.integers(-1000, 1000), st.floats(-1e6, 1e6))
NAMES = ("a", "b", "c", "d")
FUNCTIONS = {"min": min, "max": max, "abs": abs, "round": round, "bool": bool, "avg": lambda *v: sum(v) / len(v)}


def python_says(text: str, inputs: dict[str, Number]) -> object:
    """What Python makes of it; None where it makes nothing, or is not to be asked for it takes too long."""
    try:
        return eval(text, {"__builtins__": {}}, {**FUNCTIONS, **inputs})  # noqa: S307 - the judge, and only here
    except (ArithmeticError, TypeError, ValueError):
        return None


def no_number(value: object) -> bool:
    """Whether a part like this may make the whole not a number."""
    if isinstance(value, int):
        return value.bit_length() > 63
    return not isinstance(value, float) or not math.isfinite(value)


@given(st.recursive(LEAVES, _extend, max_leaves=8), st.tuples(INPUTS, INPUTS, INPUTS, INPUTS))
def test_python_itself_agrees(tree: Tree, values: tuple[Number, ...]) -> None:
    inputs: dict[str, Number] = dict(zip(NAMES, values, strict=True))
    try:
        ours = reckoned(tree.ours, **inputs)
    except NotANumber:
        # Powers of powers are what Python would reckon for hours.
        assert tree.python.count("**") > 1 or any(no_number(python_says(part, inputs)) for part in tree.parts)
    else:
        judged = python_says(tree.python, inputs)
        assert ours == judged
        assert type(ours) is type(judged)
